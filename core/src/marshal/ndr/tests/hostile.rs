//! Bytes that anybody may send: refused with `RPC_X_BAD_STUB_DATA` or read, never a crash, a leak or a huge allocation.

use super::structures::*;
use super::table::On;
use super::*;
use crate::abi::hresult::RPC_S_INVALID_BOUND_HR;
use crate::abi::types::{BSTR, FORMATETC, STGMEDIUM};
use crate::marshal::ndr::{BAD, Count, Str, array, string};
use crate::stub::params;
use proptest::prelude::*;
use windows_core::IUnknown;

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn counts_beyond_what_remains_are_refused_before_anything_is_allocated() {
    for count in [2, 1000, u32::MAX / 8, u32::MAX] {
        let mut array = params::Array::<u64>::new();
        let bytes = words(&[count, 0, 1, 0]);
        assert_eq!(array.read(false, false, false, &mut Reader::of(&bytes)), Err(BAD), "{count}");
        assert!(array.pointer().is_null());
    }
    let lengths = words(&[u32::MAX, 0, u32::MAX]);
    assert_eq!(string::read_allocated::<u16>(&mut Reader::of(&lengths)).err(), Some(BAD));
    assert_eq!(read::<BSTR>(&words(&[1, 0x7FFF_FFFF, 0xFFFF_FFFD, 0x7FFF_FFFF])).err(), Some(BAD));
}

#[test]
fn a_size_that_is_only_claimed_has_a_limit() {
    let mut array = params::Array::<u64>::new();
    // Room for four thousand million elements, of which none is sent.
    let bytes = words(&[u32::MAX, 0, 0]);
    assert_eq!(array.read(false, true, false, &mut Reader::of(&bytes)), Err(RPC_S_INVALID_BOUND_HR));
    let mut array = params::Array::<u64>::new();
    assert_eq!(array.allocate(Ok(array::CLAIM_BYTES_MAX / 8 + 1)), Err(RPC_S_INVALID_BOUND_HR));
    assert!(array.pointer().is_null());
}

#[test]
fn lengths_and_offsets_must_fit_together() {
    let refused = |bytes: &[u32]| array::read_header::<u8>(true, &mut Reader::of(&words(bytes))).err();
    assert_eq!(refused(&[1, 0, 2, 0]), Some(BAD), "longer than its maximum");
    assert_eq!(refused(&[4, 1, 2, 0]), Some(BAD), "an offset");
    assert_eq!(refused(&[4, 0, 2, 0]), None);
    let mut array = params::Array::<u32>::new();
    array.read(false, false, true, &mut Reader::of(&words(&[1, 7]))).expect("read");
    assert_eq!(array.check(Ok(2)), Err(BAD), "the method relies on what `size_is` says");
    assert_eq!(array.check(Ok(1)), Ok(()));
    let no_end = [&words(&[2, 0, 2])[..], &[1, 0, 1, 0]].concat();
    assert_eq!(string::read_in_place::<u16>(&mut Reader::of(&no_end)).err(), Some(BAD));
    assert_eq!(string::read_in_place::<u16>(&mut Reader::of(&words(&[0, 0, 0]))).err(), Some(BAD), "no zero");
}

#[test]
fn deep_nesting_ends_before_the_stack_does() {
    let endless = words(&[1; 2000]);
    assert_eq!(read::<Node>(&endless).err(), Some(BAD));
    let mut nodes: Vec<Node> = (0..200).map(|value| Node { value, next: std::ptr::null_mut() }).collect();
    let first = nodes.as_mut_ptr();
    for i in 1..nodes.len() {
        // SAFETY: within the nodes.
        unsafe { (*first.add(i - 1)).next = first.add(i) };
    }
    // SAFETY: the list is valid.
    let refused = encode(|w| unsafe { super::super::write(first, w) });
    assert_eq!(refused, Err(BAD), "and so it is for the sender");
}

#[test]
fn rul_160_a_device_of_another_size_than_it_says_is_refused() {
    // A format that says it has a device; then its number, the device's count, the size that the device says, offsets, data.
    let device = |count: u32, size: u32, data: &[u32]| {
        let format = [0x2_0000, 0x2_0004, 1, 0, 1, 0x4874_6457, 7, count, size, 0, 0];
        read::<FORMATETC>(&words(&[&format[..], data].concat()))
    };
    let read_back = device(4, 16, &[0x44_4342]).expect("read");
    // SAFETY: it was read.
    unsafe { assert_eq!((read_back.get().cfFormat, (*read_back.get().ptd).tdData), (7, [0x42])) };
    for (count, size) in [(4, 15), (4, 17), (4, 0), (5, 17), (u32::MAX, 11), (u32::MAX - 12, u32::MAX)] {
        assert_eq!(device(count, size, &[0]).err(), Some(BAD), "{count} {size}");
    }
    assert_eq!(read::<FORMATETC>(&words(&[0x2_0000, 0x2_0004, 1, 0, 1, 0x4874_6457, 7])).err(), Some(BAD), "no device");
    // No data at all: memory is there for the type, and what was not sent is zero.
    let smallest = device(0, 12, &[]).expect("read");
    // SAFETY: it was read.
    unsafe { assert_eq!((*smallest.get().ptd).tdData, [0]) };
}

#[test]
fn sizes_are_computed_without_overflow() {
    let count = |value: i64| Count::of(value);
    assert_eq!((count(6) * count(7) - count(2)).get(), Ok(40));
    assert_eq!((count(7) / count(2) + count(7) % count(4)).get(), Ok(6));
    for bad in
        [count(1) - count(2), count(i64::MAX) + count(1), count(1) / count(0), count(1 << 32), Count::of(u64::MAX)]
    {
        assert_eq!(bad.get(), Err(RPC_S_INVALID_BOUND_HR));
    }
}

/// Reads bytes as everything there is.
fn read_all(bytes: &[u8]) {
    let _ = read_any::<Rich>(bytes);
    let _ = read_any::<Node>(bytes);
    let _ = read_any::<FORMATETC>(bytes);
    let _ = read_any::<STGMEDIUM>(bytes);
    let _ = read_any::<[Str<u16>; 2]>(bytes);
    let _ = read_any::<[Str<u8>; 2]>(bytes);
    let _ = read_any::<[BSTR; 2]>(bytes);
    let _ = read_any::<[Option<IUnknown>; 2]>(bytes);
    let _ = read_any::<[*mut *mut Gaps; 2]>(bytes);
    let mut reader = Reader::of(bytes);
    let mut pointer = params::InterfacePointer::new();
    if pointer.read(&mut reader).is_ok() {
        let _ = pointer.resolve(Ok(<IUnknown as windows_core::Interface>::IID));
    }
    for (unique, varying, borrow) in [(false, false, true), (true, true, false), (true, false, false)] {
        let _ = params::Array::<BSTR>::new().read(unique, varying, borrow, &mut Reader::of(bytes));
        let _ = params::Array::<u64>::new().read(unique, varying, borrow, &mut Reader::of(bytes));
        let _ = params::InString::<u16>::new().read(unique, &mut Reader::of(bytes));
    }
}

/// Reads a value, whatever remains.
fn read_any<T: Ndr>(bytes: &[u8]) -> Result {
    let mut reader = Reader::of(bytes);
    let mut value = Owned(MaybeUninit::<T>::zeroed());
    // SAFETY: zeroed.
    unsafe { super::super::read(value.0.as_mut_ptr(), &mut reader)? };
    reader.finish()
}

fn config() -> ProptestConfig {
    ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 2000 })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _on = On::new();
        read_all(&bytes);
    }

    #[test]
    fn small_words_are_survived(numbers in proptest::collection::vec(0_u32..6, 0..80)) {
        // Small numbers make ids, counts and lengths that often fit, and so lead deeper.
        let _on = On::new();
        read_all(&words(&numbers));
    }
}
