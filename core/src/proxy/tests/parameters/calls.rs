//! Calls that succeed.

// SAFETY of all calls in this file: the parameters are valid.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::*;

#[test]
fn id_03_midl_07_a_method_without_parameters() {
    both(|client, wire, server| {
        server.result.set(HRESULT(0x0004_1234));
        assert_eq!(call!(client, Ping(), Begin_Ping(), Finish_Ping()), HRESULT(0x0004_1234), "MA-41");
        assert_eq!(*wire.channel.requests.borrow(), [(3, vec![])]);
        assert_eq!(*wire.channel.replies.borrow(), [0x0004_1234_u32.to_le_bytes()]);
    });
}

#[test]
fn scalars_structures_and_enums_by_value() {
    both(|client, wire, _| {
        let (mut sum, mut shape) = (0.0, Shape::Round);
        let (id, point) = (GUID::from_values(1000, 0, 0, [0; 8]), Point { x: 3, y: -5 });
        let hr = call!(
            client,
            Scalars(7, 0.25, true, Shape::Square, id, point, &mut sum, &mut shape),
            Begin_Scalars(7, 0.25, true, Shape::Square, id, point),
            Finish_Scalars(&mut sum, &mut shape)
        );
        assert_eq!((hr, sum, shape), (S_OK, 7.0 + 0.25 + 1.0 + 1000.0 - 15.0, Shape::Square));
        let request = &wire.channel.requests.borrow()[0];
        assert_eq!((request.0, request.1.len()), (4, 48), "1, 8 at 8, 1 at 16, 4 at 20, 16 at 24, 8 at 40");
    });
}

#[test]
fn id_02_midl_03_in_out_goes_both_ways() {
    both(|client, _, _| {
        let (mut b, mut c) = (5, 0);
        let hr = call!(client, Refine(1, &mut b, &mut c), Begin_Refine(1, &mut b), Finish_Refine(&mut b, &mut c));
        assert_eq!((hr, b, c), (S_OK, 50, 6));
    });
}

#[test]
fn id_04_an_out_array_has_its_size_from_an_in_parameter() {
    both(|client, wire, _| {
        let mut buf = [77_u16; 5];
        let hr = call!(client, Fill(4, buf.as_mut_ptr()), Begin_Fill(4), Finish_Fill(buf.as_mut_ptr()));
        assert_eq!((hr, buf), (S_OK, [1, 2, 3, 4, 77]));
        assert_eq!(wire.channel.replies.borrow()[0], [4, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 0, 0]);
        let hr = call!(client, Fill(0, buf.as_mut_ptr()), Begin_Fill(0), Finish_Fill(buf.as_mut_ptr()));
        assert_eq!((hr, buf), (S_OK, [1, 2, 3, 4, 77]));
    });
}

#[test]
fn id_06_strings_in_and_out() {
    both(|client, _, _| {
        let (prefix, mut name) = (wide("préfix"), ptr::null_mut());
        let hr = call!(client, Name(prefix.as_ptr(), &mut name), Begin_Name(prefix.as_ptr()), Finish_Name(&mut name));
        assert_eq!((hr, unsafe { from_wide(name) }), (S_OK, "préfix-name".into()));
        unsafe { CoTaskMemFree(name.cast()) };
    });
}

#[test]
fn bstrs_in_in_out_and_out() {
    both(|client, _, _| {
        let (a, old) = (bstr("a"), bstr("b"));
        let (mut b, mut c) = (old, BSTR::NULL);
        let hr = call!(client, Text(a, &mut b, &mut c), Begin_Text(a, &mut b), Finish_Text(&mut b, &mut c));
        assert_eq!((hr, from_bstr(b), from_bstr(c)), (S_OK, "new".into(), "a+b".into()));
        unsafe {
            if let Client::Async(..) = client {
                // In Finish_ the parameter is [out]: what Begin_ was given stays the caller's (MIDL-04).
                SysFreeString(old);
            }
            SysFreeString(a);
            SysFreeString(b);
            SysFreeString(c);
        }
    });
}

#[test]
fn an_array_of_strings() {
    both(|client, _, _| {
        let (parts, mut all) = ([bstr("x"), BSTR::NULL, bstr("")], BSTR::NULL);
        let hr = call!(client, Join(3, parts.as_ptr(), &mut all), Begin_Join(3, parts.as_ptr()), Finish_Join(&mut all));
        assert_eq!((hr, from_bstr(all)), (S_OK, "x,(null),".into()));
        unsafe {
            SysFreeString(all);
            parts.into_iter().for_each(|part| SysFreeString(part));
        }
    });
}

#[test]
fn unique_pointers_may_be_null() {
    both(|client, _, _| {
        let mut present = 0;
        let (null, no_string, no_array) = (ptr::null(), ptr::null(), ptr::null());
        let hr = call!(
            client,
            Maybe(null, no_string, no_array, &mut present),
            Begin_Maybe(null, no_string, no_array),
            Finish_Maybe(&mut present)
        );
        assert_eq!((hr, present), (S_OK, 0));
        let (five, two) = (5, [0, 6]);
        let hr = call!(
            client,
            Maybe(&five, c"\x07".as_ptr().cast(), two.as_ptr(), &mut present),
            Begin_Maybe(&five, c"\x07".as_ptr().cast(), two.as_ptr()),
            Finish_Maybe(&mut present)
        );
        assert_eq!((hr, present), (S_OK, 6075));
    });
}

#[test]
fn in_out_arrays_with_sizes_behind_pointers() {
    both(|client, _, _| {
        let (mut numbers, n) = ([1, -2, 1 << 40], 2);
        let place = numbers.as_mut_ptr();
        let hr = call!(client, Double(place, &n), Begin_Double(place, &n), Finish_Double(place));
        assert_eq!((hr, numbers), (S_OK, [2, -4, 1 << 41]));
    });
}

#[test]
fn a_varying_array_carries_only_what_is_filled() {
    both(|client, wire, _| {
        let (mut data, mut length) = ([9_u16; 4], 2);
        let hr = call!(
            client,
            Pack(4, &mut length, data.as_mut_ptr()),
            Begin_Pack(4, &mut length, data.as_mut_ptr()),
            Finish_Pack(&mut length, data.as_mut_ptr())
        );
        let rest = if matches!(client, Client::Async(..)) { 0 } else { 9 };
        assert_eq!((hr, length, data), (S_OK, 3, [9, 9, 2, rest]));
        assert_eq!(wire.channel.requests.borrow()[0].1.len(), 4 + 4 + 12 + 2 * 2);
    });
}

#[test]
fn structures_with_everything_embedded() {
    both(|client, _, _| {
        let (mut place, mut name, mut marks, text) = (Point { x: 1, y: 2 }, wide("n"), [7_u64, 8], bstr("t"));
        let record = Record {
            kind: 1,
            place: &mut place,
            name: name.as_mut_ptr(),
            count: 2,
            marks: marks.as_mut_ptr(),
            text,
            thing: Some(thing()),
        };
        let mut back = std::mem::MaybeUninit::<Record>::uninit();
        let hr = call!(
            client,
            Inspect(&record, back.as_mut_ptr()),
            Begin_Inspect(&record),
            Finish_Inspect(back.as_mut_ptr())
        );
        assert_eq!(hr, S_OK);
        unsafe {
            SysFreeString(text);
            let mut back = back.assume_init();
            assert_eq!((back.kind, *back.place, from_wide(back.name)), (2, Point { x: 2, y: 1 }, "n!".into()));
            assert_eq!(std::slice::from_raw_parts(back.marks, back.count as usize), [8, 9, 99]);
            assert_eq!((from_bstr(back.text), &back.thing), ("t?".into(), &record.thing));
            Record::free(&mut back);
            std::mem::forget(back);
        }
    });
}

#[test]
fn fixed_arrays_in_and_an_allocated_structure_out() {
    both(|client, _, _| {
        let (origin, mut corner) = ([Point { x: 1, y: 2 }, Point { x: 10, y: 20 }], ptr::null_mut());
        let hr = call!(client, Corner(&origin, &mut corner), Begin_Corner(&origin), Finish_Corner(&mut corner));
        assert_eq!(hr, S_OK);
        unsafe {
            assert_eq!(*corner, Point { x: 11, y: 22 });
            CoTaskMemFree(corner.cast());
        }
    });
}

#[test]
fn typed_interface_pointers() {
    both(|client, _, _| {
        let (first, second) = (Some(thing()), Some(thing()));
        for first in [first, None] {
            let (mut same, mut other) = (None, second.clone());
            let hr = match client {
                Client::Sync(proxy) => unsafe { proxy.Things((&first).into(), (&mut same).into(), &mut other) },
                Client::Async(call, _) => unsafe {
                    assert_eq!(call.Begin_Things((&first).into(), &mut other), S_OK);
                    other = None;
                    call.Finish_Things((&mut same).into(), &mut other)
                },
            };
            assert_eq!((hr, same, other), (S_OK, first.clone(), first));
        }
    });
}

#[test]
fn raw_interface_pointers_and_their_iid_behind_them() {
    both(|client, _, _| {
        let (first, second) = (thing(), thing());
        for pointer in [first.as_raw(), ptr::null_mut()] {
            let (mut same, mut other) = (ptr::null_mut(), second.clone().into_raw());
            let hr = match client {
                Client::Sync(proxy) => unsafe { proxy.Raw(pointer, &IAgileObject::IID, &mut same, &mut other) },
                Client::Async(call, _) => unsafe {
                    assert_eq!(call.Begin_Raw(pointer, &IAgileObject::IID, &mut other), S_OK);
                    drop(IAgileObject::from_raw(other));
                    call.Finish_Raw(&mut same, &mut other)
                },
            };
            assert_eq!((hr, other), (S_OK, ptr::null_mut()));
            assert_eq!(same, pointer);
            drop((!same.is_null()).then(|| unsafe { IAgileObject::from_raw(same) }));
        }
    });
}

#[test]
fn a_proxys_own_unknown_answers_for_its_interface() {
    both(|_, wire, _| {
        let own: IEverything = wire.buffer.cast().expect("the typed interface");
        assert_eq!(own.as_raw(), wire.proxy().as_raw());
    });
}
