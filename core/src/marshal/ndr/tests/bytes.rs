//! The exact bytes of every kind of value.

use super::structures::*;
use super::table::On;
use super::*;
use crate::abi::interfaces::{IAgileObject, IAgileObject_Impl};
use crate::abi::memory::{SysAllocStringByteLen, SysFreeString, SysStringByteLen};
use crate::abi::types::BSTR;
use crate::com_class;
use crate::marshal::ndr::{BAD, Str, array, string};
use std::ptr;
use windows_core::{BOOL, ComObject, GUID, HRESULT, IUnknown};

/// Bytes from words.
fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn scalars_are_little_endian_and_aligned() {
    assert_eq!(written(&-2_i8), [0xFE]);
    assert_eq!(written(&0x1234_u16), [0x34, 0x12]);
    assert_eq!(written(&-2_i32), [0xFE, 0xFF, 0xFF, 0xFF]);
    assert_eq!(written(&0x1122_3344_5566_7788_u64), [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
    assert_eq!(written(&1.5_f32), [0, 0, 0xC0, 0x3F]);
    assert_eq!(written(&-0.5_f64), [0, 0, 0, 0, 0, 0, 0xE0, 0xBF]);
    assert_eq!((written(&true), written(&BOOL(1))), (vec![1], words(&[1])));
    assert_eq!(written(&HRESULT(0x8001_0115_u32 as i32)), words(&[0x8001_0115]));
    let mixed = encode(|w| {
        // SAFETY: references are valid.
        unsafe {
            super::super::write(&1_u8, w)?;
            super::super::write(&2_u32, w)?;
            super::super::write(&3_u16, w)?;
            super::super::write(&4_u64, w)
        }
    });
    let expected = [[1, 0, 0, 0, 2, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 0, 0]];
    assert_eq!(mixed.expect("written"), expected.concat());
}

#[test]
fn a_guid_is_four_fields() {
    let guid = GUID::from_u128(0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF);
    let bytes = [0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF];
    assert_eq!(written(&guid), bytes);
    assert_eq!(*read::<GUID>(&bytes).expect("read").get(), guid);
}

#[test]
fn structures_have_their_gaps_and_no_end() {
    assert_eq!(written(&Point { x: 1, y: -1 }), words(&[1, u32::MAX]));
    let gaps = Gaps { small: 1, large: 2, last: 3 };
    let bytes = [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[2, 0, 0, 0, 0, 0, 0, 0], &[3, 0]].concat();
    assert_eq!(written(&gaps), bytes);
    assert_eq!(*read::<Gaps>(&bytes).expect("read").get(), gaps);
    let two = written(&[gaps, gaps]);
    assert_eq!((two.len(), &two[18..24]), (24 + 18, &[0; 6][..]), "the second begins on eight bytes");
}

#[test]
fn an_enum_is_32_bits_and_only_what_it_names() {
    assert_eq!(written(&[Colour::None, Colour::Red, Colour::Blue]), words(&[0, 5, 6]));
    assert_eq!(written(&Signed::Minus), words(&[u32::MAX]));
    assert_eq!(*read::<Signed>(&words(&[u32::MAX])).expect("read").get(), Signed::Minus);
    assert_eq!(read::<Colour>(&words(&[1])).err(), Some(BAD));
    assert_eq!(read::<bool>(&[2]).err(), Some(BAD));
}

#[test]
fn a_unique_pointer_is_an_id_and_what_it_points_at() {
    let mut five = 5_u16;
    let pointer: *mut u16 = &mut five;
    assert_eq!(written(&pointer), [&words(&[0x0002_0000])[..], &[5, 0]].concat());
    assert_eq!(written(&ptr::null_mut::<u16>()), words(&[0]));
    let back = read::<*mut u16>(&[&words(&[77])[..], &[5, 0]].concat()).expect("any id but 0 will do");
    // SAFETY: it was read.
    assert_eq!(unsafe { **back.get() }, 5);
    assert!(read::<*mut u16>(&words(&[0])).expect("read").get().is_null());
}

#[test]
fn embedded_pointers_come_after_the_whole_construct() {
    let mut last = Node { value: 2, next: ptr::null_mut() };
    let nodes = [Node { value: 1, next: &mut last }, Node { value: 3, next: ptr::null_mut() }];
    // Two elements, then what the first points at.
    let expected = words(&[1, 0x0002_0000, 3, 0, 2, 0]);
    assert_eq!(written(&nodes), expected);
    let back = read::<[Node; 2]>(&expected).expect("read");
    let [first, second] = back.get();
    // SAFETY: it was read.
    assert_eq!((first.value, unsafe { (*first.next).value }, second.value), (1, 2, 3));
    assert!(second.next.is_null());
}

#[test]
fn a_string_is_maximum_offset_length_and_characters() {
    let mut text: Vec<u16> = "Hé\0".encode_utf16().collect();
    let expected = [&words(&[3, 0, 3])[..], &[b'H', 0, 0xE9, 0, 0, 0]].concat();
    // SAFETY: the string ends.
    assert_eq!(encode(|w| unsafe { string::write(text.as_ptr(), w) }).expect("written"), expected);
    let pointer = Str(text.as_mut_ptr());
    let with_id = [words(&[0x0002_0000]), expected].concat();
    assert_eq!(written(&pointer), with_id);
    let back = read::<Str<u16>>(&with_id).expect("read");
    // SAFETY: it was read.
    assert_eq!(unsafe { std::slice::from_raw_parts(back.get().0, 3) }, text);
    let mut bytes = *b"ab\0";
    assert_eq!(written(&Str(bytes.as_mut_ptr())), [&words(&[0x0002_0000, 3, 0, 3])[..], b"ab\0"].concat());
}

#[test]
fn a_bstr_is_a_blob_of_words_with_its_length_in_bytes() {
    // SAFETY: five bytes; each string is freed once.
    unsafe {
        let string = SysAllocStringByteLen(b"abcde".as_ptr(), 5);
        let expected = [&b"User"[..], &words(&[3, 5, 3]), b"abcde\0"].concat();
        assert_eq!(written(&string), expected);
        SysFreeString(string);
        let back = read::<BSTR>(&expected).expect("read");
        assert_eq!(SysStringByteLen(*back.get()), 5);
        assert_eq!(std::slice::from_raw_parts(back.get().0.cast::<u8>(), 5), b"abcde");
    }
    let null = [&b"User"[..], &words(&[0, u32::MAX, 0])].concat();
    assert_eq!(written(&BSTR::NULL), null);
    assert!(read::<BSTR>(&null).expect("read").get().is_null());
    assert!(read::<BSTR>(&words(&[0])).expect("a null id is null too").get().is_null());
    let empty = read::<BSTR>(&[&b"User"[..], &words(&[0, 0, 0])].concat()).expect("read");
    assert!(!empty.get().is_null(), "an empty string is not null");
}

#[test]
fn arrays_say_their_maximum_and_where_asked_their_length() {
    let numbers = [1_u16, 2, 3, 4];
    // SAFETY: as many as there are.
    let all = encode(|w| unsafe { array::write(numbers.as_ptr(), 4, None, w) }).expect("written");
    assert_eq!(all, [&words(&[4])[..], &[1, 0, 2, 0, 3, 0, 4, 0]].concat());
    // SAFETY: as above.
    let some = encode(|w| unsafe { array::write(numbers.as_ptr(), 4, Some(1), w) }).expect("written");
    assert_eq!(some, [&words(&[4, 0, 1])[..], &[1, 0]].concat());
    // SAFETY: as above.
    assert_eq!(encode(|w| unsafe { array::write(numbers.as_ptr(), 2, Some(3), w) }), Err(BAD));
    let large = [9_u64];
    // SAFETY: as above.
    let aligned = encode(|w| unsafe { array::write(large.as_ptr(), 1, None, w) }).expect("written");
    assert_eq!(aligned, words(&[1, 0, 9, 0]), "elements on eight bytes");
    // SAFETY: as above.
    let none = encode(|w| unsafe { array::write(large.as_ptr(), 0, None, w) }).expect("written");
    assert_eq!(none, words(&[0]), "no elements, no gap");
}

#[com_class(IAgileObject)]
struct Thing {}

impl IAgileObject_Impl for Thing_Impl {}

#[test]
fn an_interface_pointer_is_an_object_reference_with_its_size_twice() {
    let on = On::new();
    let thing = Some(ComObject::new(Thing {}).into_interface::<IAgileObject>());
    let bytes = written(&thing);
    assert_eq!(bytes, [&words(&[0x0002_0000, 8, 8])[..], b"TEST", &words(&[0])].concat());
    assert_eq!(on.outstanding(), 1);
    let back = read::<Option<IAgileObject>>(&bytes).expect("read");
    assert_eq!(*back.get(), thing);
    assert_eq!(on.outstanding(), 0, "the packet is consumed");
    assert_eq!(written(&None::<IUnknown>), words(&[0]));
}

#[test]
fn a_writer_that_is_given_up_releases_its_packets() {
    let on = On::new();
    let thing = Some(ComObject::new(Thing {}).into_interface::<IAgileObject>());
    let mut buffer = [0; 64];
    // SAFETY: the buffer is that long; the value is valid.
    unsafe {
        let mut writer = Writer::new(buffer.as_mut_ptr(), 64, None);
        super::super::write(&thing, &mut writer).expect("written");
        super::super::write(&thing, &mut writer).expect("written");
        assert_eq!(on.outstanding(), 2);
        writer.abandon();
        let mut small = Writer::new(buffer.as_mut_ptr(), 13, None);
        assert_eq!(super::super::write(&thing, &mut small), Err(BAD), "no room for the object reference");
    }
    assert_eq!(on.outstanding(), 0);
}

#[test]
fn a_failed_interface_pointer_still_gives_the_others_back() {
    let on = On::new();
    let thing = Some(ComObject::new(Thing {}).into_interface::<IAgileObject>());
    let mut bytes = written(&[thing.clone(), thing.clone()]);
    assert_eq!(on.outstanding(), 2);
    // The first object reference, behind two ids, becomes one that nobody knows.
    let at = bytes.windows(4).position(|letters| letters == b"TEST").expect("an object reference");
    bytes[at] = b'X';
    let failed = read::<[Option<IAgileObject>; 2]>(&bytes).err();
    assert_eq!(failed, Some(crate::abi::hresult::RPC_E_INVALID_OBJREF));
    assert_eq!(on.outstanding(), 1, "only what the malformed one held is lost");
}
