#![allow(unused_imports)]

use oleander::abi::interfaces::*;
use oleander::com_class;
use oleander::object::{AutoInner, Inner};

#[com_class(ISynchronize, blind)]
struct NoField {
    inner: Inner,
}

#[com_class(ISynchronize, blind = one, blind = two)]
struct TwoBlind {
    one: Inner,
    two: Inner,
}

#[com_class(ICallFactory, auto)]
struct NoParentheses {
    event: AutoInner,
}

#[com_class(ICallFactory, auto())]
struct EmptyParentheses {
    event: AutoInner,
}

#[com_class(ICallFactory, auto(ISynchronize = event))]
struct NoClass {
    event: AutoInner,
}

#[com_class(ISynchronize, agile, agile)]
struct TwiceAgile;

#[com_class(IUnknown, ISynchronize)]
struct ListsUnknown;

fn main() {}
