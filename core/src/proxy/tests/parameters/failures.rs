//! Calls that fail: outputs are zero, what went in is still the caller's, nothing is lost.

// SAFETY of all calls in this file: the parameters are valid, or null where that is what is tested.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::*;

#[test]
fn null_ref_pointers_send_nothing() {
    both(|client, wire, _| {
        let (mut number, mut string, mut text) = (1_u32, ptr::dangling_mut::<u16>(), BSTR::NULL);
        let refused = |hr: HRESULT| assert_eq!(hr, RPC_X_NULL_REF_POINTER_HR);
        match client {
            Client::Sync(proxy) => unsafe {
                refused(proxy.Refine(1, ptr::null_mut(), &mut number));
                refused(proxy.Fill(1, ptr::null_mut()));
                refused(proxy.Name(ptr::null(), &mut string));
                refused(proxy.Join(0, ptr::null(), &mut text));
                refused(proxy.Double(&mut 0, ptr::null()));
                refused(proxy.Raw(ptr::null_mut(), ptr::null(), &mut ptr::null_mut(), &mut ptr::null_mut()));
                refused(proxy.Inspect(ptr::null(), ptr::null_mut()));
                assert_eq!((number, string), (0, ptr::null_mut()), "other outputs are zero");
            },
            Client::Async(call, _) => unsafe {
                refused(call.Begin_Refine(1, ptr::null_mut()));
                refused(call.Begin_Name(ptr::null()));
                refused(call.Begin_Join(0, ptr::null()));
                refused(call.Begin_Double(&mut 0, ptr::null()));
                refused(call.Begin_Raw(ptr::null_mut(), ptr::null(), &mut ptr::null_mut()));
                refused(call.Begin_Raw(ptr::null_mut(), &IAgileObject::IID, ptr::null_mut()));
                assert_eq!(call.Begin_Ping(), S_OK, "the call object is idle");
                assert_eq!(call.Finish_Ping(), S_OK);
            },
        }
        assert_eq!(wire.channel.requests.borrow().len(), usize::from(matches!(client, Client::Async(..))));
    });
}

#[test]
fn null_ref_pointers_leave_a_begun_call_to_be_finished() {
    both(|client, _, _| {
        let Client::Async(call, _) = client else { return };
        let refused = |hr: HRESULT| assert_eq!(hr, RPC_X_NULL_REF_POINTER_HR);
        let (mut number, mut numbers, mut same, mut other) = (2, [3, 4], ptr::null_mut(), ptr::null_mut());
        unsafe {
            assert_eq!(call.Begin_Refine(1, &mut number), S_OK);
            refused(call.Finish_Refine(ptr::null_mut(), &mut 0));
            assert_eq!(call.Finish_Refine(&mut number, &mut 0), S_OK);
            assert_eq!(call.Begin_Double(numbers.as_mut_ptr(), &1), S_OK);
            refused(call.Finish_Double(ptr::null_mut()));
            assert_eq!((call.Finish_Double(numbers.as_mut_ptr()), numbers), (S_OK, [6, 8]));
            assert_eq!(call.Begin_Raw(ptr::null_mut(), &IAgileObject::IID, &mut other), S_OK);
            refused(call.Finish_Raw(ptr::null_mut(), &mut other));
            refused(call.Finish_Raw(&mut same, ptr::null_mut()));
            assert_eq!((call.Finish_Raw(&mut same, &mut other), same, other), (S_OK, ptr::null_mut(), ptr::null_mut()));
        }
    });
}

/// Every failure that a call can have on its way, with the code that the client gets.
fn ways() -> [(Mode, HRESULT); 4] {
    [
        (Mode::Unsendable, RPC_S_SERVER_UNAVAILABLE_HR),
        (Mode::Fails(RPC_E_DISCONNECTED), RPC_E_DISCONNECTED),
        (Mode::NoBuffer, E_OUTOFMEMORY),
        (Mode::Truncated, RPC_X_BAD_STUB_DATA_HR),
    ]
}

/// Calls a method of which `Begin_` may fail too.
macro_rules! failing {
    ($client:expr, $method:ident($($all:expr),*), $begin:ident($($into:expr),*), $finish:ident($($out:expr),*)) => {
        match $client {
            Client::Sync(proxy) => unsafe { proxy.$method($($all),*) },
            Client::Async(call, _) => unsafe {
                let begun = call.$begin($($into),*);
                let hr = call.$finish($($out),*);
                if begun.is_err() {
                    assert_eq!(hr, RPC_E_CALL_COMPLETE);
                    begun
                } else {
                    hr
                }
            },
        }
    };
}

#[test]
fn outputs_of_a_failed_call_are_zero() {
    both(|client, wire, _| {
        for (mode, code) in ways() {
            wire.channel.mode.set(mode);
            let (prefix, mut name) = (wide("p"), ptr::dangling_mut::<u16>());
            let p = prefix.as_ptr();
            assert_eq!(failing!(client, Name(p, &mut name), Begin_Name(p), Finish_Name(&mut name)), code);
            assert!(name.is_null(), "{mode:?}");
            let (origin, mut corner) = ([Point::default(); 2], ptr::dangling_mut::<Point>());
            let hr = failing!(client, Corner(&origin, &mut corner), Begin_Corner(&origin), Finish_Corner(&mut corner));
            assert_eq!((hr, corner), (code, ptr::null_mut()));
            let (mut shape, mut sum) = (Shape::Square, 1.0);
            let hr = failing!(
                client,
                Scalars(1, 1.0, true, Shape::Square, GUID::zeroed(), Point::default(), &mut sum, &mut shape),
                Begin_Scalars(1, 1.0, true, Shape::Square, GUID::zeroed(), Point::default()),
                Finish_Scalars(&mut sum, &mut shape)
            );
            assert_eq!((hr, sum, shape), (code, 0.0, Shape::Round));
        }
    });
}

#[test]
fn in_out_parameters_of_a_failed_synchronous_call_keep_what_they_had() {
    in_process(|| {
        let on = On::new();
        let server = ComObject::new(Everything::default());
        let wire = Wire::<IEverything>::new(&server.to_interface::<IEverything>().into());
        for (mode, code) in &ways()[..3] {
            wire.channel.mode.set(*mode);
            let (first, second) = (Some(thing()), Some(thing()));
            let (mut same, mut other) = (None, second.clone());
            let (a, mut b, mut c) = (bstr("a"), bstr("b"), BSTR::NULL);
            unsafe {
                let hr = wire.proxy().Things((&first).into(), (&mut same).into(), &mut other);
                assert_eq!((hr, same, other), (*code, None, second));
                assert_eq!(wire.proxy().Text(a, &mut b, &mut c), *code);
                assert_eq!((from_bstr(b), c), ("b".into(), BSTR::NULL));
                SysFreeString(a);
                SysFreeString(b);
            }
            assert_eq!(on.outstanding(), 0, "{mode:?}");
        }
        drop(wire);
    });
}

#[test]
fn what_a_failed_reply_held_is_given_back() {
    both(|client, wire, _| {
        wire.channel.mode.set(Mode::Truncated);
        let mut place = Point::default();
        let mut name = wide("n");
        let record = Record {
            kind: 0,
            place: &mut place,
            name: name.as_mut_ptr(),
            count: 0,
            marks: ptr::dangling_mut(),
            text: BSTR::NULL,
            thing: Some(thing()),
        };
        let mut back = std::mem::MaybeUninit::<Record>::uninit();
        let hr = failing!(
            client,
            Inspect(&record, back.as_mut_ptr()),
            Begin_Inspect(&record),
            Finish_Inspect(back.as_mut_ptr())
        );
        assert_eq!(hr, RPC_X_BAD_STUB_DATA_HR);
        let back = unsafe { back.assume_init() };
        assert!(back.name.is_null() && back.marks.is_null() && back.text.is_null() && back.thing.is_none());
    });
}

#[test]
fn a_failing_method_still_carries_its_outputs() {
    both(|client, _, server| {
        server.result.set(E_ABORT);
        let (prefix, mut name) = (wide("p"), ptr::null_mut());
        let p = prefix.as_ptr();
        assert_eq!(call!(client, Name(p, &mut name), Begin_Name(p), Finish_Name(&mut name)), E_ABORT);
        assert_eq!(unsafe { from_wide(name) }, "p-name");
        unsafe { CoTaskMemFree(name.cast()) };
    });
}

#[test]
fn a_size_that_no_reply_can_hold_is_refused_before_anything_is_sent() {
    in_process(|| {
        let server = ComObject::new(Everything::default());
        let wire = Wire::<IEverything>::new(&server.to_interface::<IEverything>().into());
        let mut one = 5_u16;
        assert_eq!(unsafe { wire.proxy().Fill(u32::MAX, &mut one) }, RPC_S_INVALID_BOUND_HR);
        assert!(wire.channel.requests.borrow().is_empty());
        assert_eq!(one, 5, "how much there is to zero is not known");
    });
}
