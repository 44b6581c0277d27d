//! Structures and enums that tests marshal.

use crate::abi::types::BSTR;
use oleander::Ndr;
use windows_core::GUID;

/// No gaps: goes over as it is.
#[repr(C)]
#[derive(Ndr, Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A gap after the first field and one at the end.
#[repr(C)]
#[derive(Ndr, Clone, Copy, Debug, PartialEq)]
pub(super) struct Gaps {
    pub(super) small: u8,
    pub(super) large: u64,
    pub(super) last: u16,
}

#[repr(u32)]
#[derive(Ndr, Clone, Copy, Debug, PartialEq)]
pub(super) enum Colour {
    None,
    Red = 5,
    Blue,
}

#[repr(i32)]
#[derive(Ndr, Clone, Copy, Debug, PartialEq)]
pub(super) enum Signed {
    Minus = -1,
    Zero,
}

#[repr(transparent)]
#[derive(Ndr, Clone, Copy, Debug, PartialEq)]
pub(super) struct Meters(pub(super) f64);

/// A list: each element points at the next.
#[repr(C)]
#[derive(Ndr, Debug)]
pub(super) struct Node {
    pub(super) value: u16,
    pub(super) next: *mut Node,
}

/// Everything that can be embedded.
#[repr(C)]
#[derive(Ndr, Debug)]
pub(super) struct Rich {
    pub(super) tag: u8,
    pub(super) first: *mut Point,
    pub(super) id: GUID,
    #[idl(string)]
    pub(super) name: *mut u16,
    pub(super) colours: [Colour; 2],
    pub(super) text: BSTR,
    pub(super) count: u32,
    #[idl(size_is(count * 2))]
    pub(super) numbers: *mut i64,
    pub(super) nested: Gaps,
}

#[test]
fn plain_is_what_has_no_gaps() {
    const {
        assert!(Point::PLAIN && Meters::PLAIN && <[Point; 3]>::PLAIN && GUID::PLAIN);
        assert!(!Gaps::PLAIN && !Colour::PLAIN && !Node::PLAIN && !bool::PLAIN);
        assert!(Gaps::ALIGN == 8 && Gaps::SIZE_MIN == 11 && Node::ALIGN == 4);
    }
}
