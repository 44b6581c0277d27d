#![allow(unused_imports)]

use oleander::abi::interfaces::*;
use oleander::com_class;

#[com_class(ISynchronize)]
enum NoStruct {}

#[com_class(ISynchronize)]
struct Generic<T>(T);

#[com_class(ISynchronize)]
struct Borrows<'a>(&'a str);

fn main() {}
