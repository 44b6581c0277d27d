#![allow(unused_imports)]

use oleander::abi::interfaces::*;
use oleander::com_class;

#[com_class(ICallFactory)]
struct Forgot;

fn main() {}
