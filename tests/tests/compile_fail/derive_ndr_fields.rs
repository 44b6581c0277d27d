//! A field that cannot cross, and an enum without zero that only the compiler can see.

use oleander::Ndr;

#[repr(C)]
#[derive(Ndr)]
struct Outer {
    good: u32,
    bad: usize,
}

const ONE: u32 = 1;

#[repr(u32)]
#[derive(Ndr, Clone, Copy)]
enum Computed {
    A = ONE + 1,
}

fn main() {}
