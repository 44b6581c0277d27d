//! What is written can be read: random values, and the richest structure.

use super::structures::*;
use super::*;
use crate::abi::memory::{SysAllocStringLen, SysFreeString, SysStringLen};
use crate::abi::types::BSTR;
use proptest::prelude::*;
use std::ptr;
use windows_core::GUID;

fn same<T: Ndr + PartialEq + std::fmt::Debug>(value: T) {
    let bytes = written(&value);
    assert_eq!(*read::<T>(&bytes).expect("what was written can be read").get(), value);
}

fn colour() -> impl Strategy<Value = Colour> {
    prop_oneof![Just(Colour::None), Just(Colour::Red), Just(Colour::Blue)]
}

#[derive(Clone, Debug)]
struct Values {
    tag: u8,
    first: Option<(i32, i32)>,
    id: u128,
    name: Option<Vec<u16>>,
    colours: [Colour; 2],
    text: Option<Vec<u16>>,
    numbers: Option<Vec<(i64, i64)>>,
    large: u64,
}

fn values() -> impl Strategy<Value = Values> {
    let characters = || proptest::option::of(proptest::collection::vec(1..=u16::MAX, 0..9));
    let numbers = proptest::option::of(proptest::collection::vec(any::<(i64, i64)>(), 0..4));
    let colours = [colour(), colour()];
    (
        any::<u8>(),
        any::<Option<(i32, i32)>>(),
        any::<u128>(),
        characters(),
        colours,
        characters(),
        numbers,
        any::<u64>(),
    )
        .prop_map(|(tag, first, id, name, colours, text, numbers, large)| Values {
            tag,
            first,
            id,
            name,
            colours,
            text,
            numbers,
            large,
        })
}

/// Checks one structure with everything in it.
fn check_rich(values: Values) {
    let mut first = values.first.map(|(x, y)| Point { x, y });
    let mut name = values.name.clone().map(|mut name| {
        name.push(0);
        name
    });
    let mut numbers: Option<Vec<i64>> =
        values.numbers.as_ref().map(|pairs| pairs.iter().flat_map(|(a, b)| [*a, *b]).collect());
    // SAFETY: as many units as there are.
    let text =
        values.text.as_ref().map_or(BSTR::NULL, |text| unsafe { SysAllocStringLen(text.as_ptr(), text.len() as u32) });
    let rich = Rich {
        tag: values.tag,
        first: first.as_mut().map_or(ptr::null_mut(), ptr::from_mut),
        id: GUID::from_u128(values.id),
        name: name.as_mut().map_or(ptr::null_mut(), |name| name.as_mut_ptr()),
        colours: values.colours,
        text,
        count: numbers.as_ref().map_or(7, |numbers| numbers.len() as u32 / 2),
        numbers: numbers.as_mut().map_or(ptr::null_mut(), |numbers| numbers.as_mut_ptr()),
        nested: Gaps { small: 1, large: values.large, last: 2 },
    };
    let bytes = written(&rich);
    let back = read::<Rich>(&bytes).expect("what was written can be read");
    let got = back.get();
    // SAFETY: the pointers were read.
    unsafe {
        assert_eq!((got.tag, got.id, got.colours, got.nested), (rich.tag, rich.id, rich.colours, rich.nested));
        assert_eq!(got.first.as_ref(), first.as_ref());
        let characters = name.as_ref().map(|name| std::slice::from_raw_parts(got.name, name.len()));
        assert_eq!(characters, name.as_deref());
        assert_eq!(got.name.is_null(), name.is_none());
        assert_eq!((got.text.is_null(), SysStringLen(got.text)), (text.is_null(), SysStringLen(text)));
        if let Some(text) = &values.text {
            assert_eq!(std::slice::from_raw_parts(got.text.0, text.len()), text);
        }
        assert_eq!((got.count, got.numbers.is_null()), (rich.count, numbers.is_none()));
        if let Some(numbers) = &numbers {
            assert_eq!(std::slice::from_raw_parts(got.numbers, numbers.len()), numbers);
        }
    }
    // SAFETY: allocated above.
    unsafe { SysFreeString(text) };
    // Cut short anywhere it is refused, and nothing leaks or is freed twice.
    for len in 0..bytes.len() {
        assert!(read::<Rich>(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
}

fn config() -> ProptestConfig {
    ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn scalars(a: i8, b: u16, c: i32, d: u64, e: bool, f: u128) {
        same(a);
        same(b);
        same(c);
        same(d);
        same(e);
        same(GUID::from_u128(f));
        same([d, u64::from(b)]);
    }

    #[test]
    fn floats(a: f32, b: f64) {
        prop_assert_eq!(read::<f32>(&written(&a)).expect("read").get().to_bits(), a.to_bits());
        prop_assert_eq!(read::<f64>(&written(&b)).expect("read").get().to_bits(), b.to_bits());
    }

    #[test]
    fn plain_structures(x: i32, y: i32, small: u8, large: u64, last: u16, colour in colour()) {
        same([Point { x, y }, Point { x: y, y: x }]);
        same([Gaps { small, large, last }; 3]);
        same(colour);
    }

    #[test]
    fn rich_structures(values in values()) {
        check_rich(values);
    }
}
