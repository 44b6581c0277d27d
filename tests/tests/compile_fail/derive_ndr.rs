//! What `#[derive(Ndr)]` refuses.

use oleander::Ndr;

#[derive(Ndr)]
struct NoLayout {
    x: u32,
}

#[repr(C)]
#[derive(Ndr)]
struct Generic<T> {
    x: T,
}

#[repr(C)]
#[derive(Ndr)]
struct Empty {}

#[repr(C, packed)]
#[derive(Ndr)]
struct Packed {
    x: u32,
}

#[repr(C)]
#[derive(Ndr)]
union Either {
    x: u32,
    y: f32,
}

#[derive(Ndr)]
enum NoSize {
    A,
}

#[repr(u32)]
#[derive(Ndr)]
enum NoZero {
    A = 1,
    B,
}

#[repr(u32)]
#[derive(Ndr)]
enum Fields {
    A,
    B(u32),
}

#[repr(C)]
#[derive(Ndr)]
struct NoSuchField {
    count: u32,
    #[idl(size_is(size))]
    items: *mut u32,
}

#[repr(C)]
#[derive(Ndr)]
struct NoPointer {
    #[idl(string)]
    name: u32,
}

#[repr(C)]
#[derive(Ndr)]
struct NoCharacters {
    #[idl(string)]
    name: *mut u32,
}

fn main() {}
