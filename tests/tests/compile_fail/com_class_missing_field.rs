#![allow(unused_imports)]

use oleander::abi::clsid::CLSID_ManualResetEvent;
use oleander::abi::interfaces::*;
use oleander::com_class;
use oleander::object::{AutoInner, Inner};

#[com_class(ISynchronize, blind = call)]
struct Notify {
    inner: Inner,
}

#[com_class(ICallFactory, auto(ISynchronize = signal : CLSID_ManualResetEvent))]
struct Call {
    event: AutoInner,
}

#[com_class(ISynchronize, blind = 1)]
struct Tuple(Inner);

fn main() {}
