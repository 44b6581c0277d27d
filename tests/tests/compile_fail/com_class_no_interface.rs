#![allow(unused_imports)]

use oleander::com_class;

#[com_class]
struct Nothing;

#[com_class(agile)]
struct OnlyAgile;

fn main() {}
