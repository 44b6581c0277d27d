//! Arrays and strings of a request: in its buffer where they can be, in memory of their own elsewhere.

// SAFETY of all blocks in this file: what is looked at was read, and lives as long as the parameter.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::params::{Array, InString};
use crate::marshal::ndr::{Ndr, Reader, Result};
use std::cell::Cell;

/// Memory with these words at an odd address: all but the first byte.
#[repr(C, align(8))]
struct Odd([u8; 32]);

impl Odd {
    fn new(words: &[u32]) -> Self {
        let mut memory = [0; 32];
        let bytes = words.iter().flat_map(|word| word.to_le_bytes());
        memory[1..].iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        Self(memory)
    }
}

#[test]
fn an_array_of_which_a_part_is_sent_is_zero_behind_it() {
    let words = [4_u32, 0, 2, 7, 8, 0xFFFF_FFFF, 0xFFFF_FFFF];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut array = Array::<u32>::new();
    array.read(false, true, true, &mut Reader::of(&bytes)).unwrap();
    assert_eq!((array.check(Ok(4)), array.check(Ok(2)).is_err()), (Ok(()), true));
    assert_eq!(unsafe { std::slice::from_raw_parts(array.pointer(), 4) }, [7, 8, 0, 0]);
}

#[test]
fn an_array_at_an_odd_place_is_copied_whole() {
    let memory = Odd::new(&[3, 0x0102_0304, 0x0506_0708, 0x090A_0B0C]);
    let mut array = Array::<u32>::new();
    array.read(false, false, true, &mut Reader::of(&memory.0[1..])).unwrap();
    assert!(array.pointer().is_aligned());
    let elements = unsafe { std::slice::from_raw_parts(array.pointer(), 3) };
    assert_eq!(elements, [0x0102_0304, 0x0506_0708, 0x090A_0B0C]);
}

#[test]
fn a_string_at_an_odd_place_is_copied() {
    let memory = Odd::new(&[3, 0, 3, 0x0062_0061, 0]);
    let mut string = InString::<u16>::new();
    string.read(false, &mut Reader::of(&memory.0[1..])).unwrap();
    assert!(string.pointer().is_aligned());
    assert_eq!(unsafe { std::slice::from_raw_parts(string.pointer(), 3) }, [0x61, 0x62, 0]);
}

thread_local! {
    static FREED: Cell<u32> = const { Cell::new(0) };
}

/// Counts how often it is freed.
struct Freed;

// SAFETY: four bytes are read, and there is nothing to keep.
unsafe impl Ndr for Freed {
    type Itself = Self;
    const ALIGN: u32 = 4;
    const SIZE_MIN: u32 = 4;

    unsafe fn write(_: *const Self, _: &mut crate::marshal::ndr::Writer<'_>) -> Result {
        Ok(())
    }
    unsafe fn read(_: *mut Self, r: &mut Reader<'_>) -> Result {
        r.word().map(drop)
    }
    unsafe fn free(_: *mut Self) {
        FREED.set(FREED.get() + 1);
    }
}

#[test]
fn an_array_frees_its_elements() {
    let bytes: Vec<u8> = [3_u32, 1, 2, 3].iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut array = Array::<Freed>::new();
    array.read(false, false, true, &mut Reader::of(&bytes)).unwrap();
    drop(array);
    assert_eq!(FREED.get(), 3);
}
