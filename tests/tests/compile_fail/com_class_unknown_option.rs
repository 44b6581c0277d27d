#![allow(unused_imports)]

use oleander::abi::interfaces::*;
use oleander::com_class;

#[com_class(ISynchronize, apartment)]
struct LowerCase;

#[com_class(ISynchronize, Agile = false)]
struct KeyAndValue;

#[com_class(ISynchronize, aggregate(inner))]
struct WithParentheses;

fn main() {}
