//! Packets of interface pointers, forged or from nowhere, unmarshaled and released at the object's home and elsewhere. The
//! object is unharmed by all of them, and gone at the end.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use oleander::windows_core::{IUnknown, Interface};
use oleander::*;
use oleander_fuzz::{Edits, IEvery, Point, Shape, beside, every, here, packet, stream};
use std::ptr::null_mut;

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Deed {
    Unmarshal,
    UnmarshalUnknown,
    Release,
    TakeAndRelease,
}

#[derive(Arbitrary, Debug)]
enum Bytes {
    /// `MEOW`, a kind, anything.
    Raw(u8, Vec<u8>),
    Forged(Edits),
}

#[derive(Arbitrary, Debug)]
struct Input {
    flags: u8,
    bytes: Bytes,
    deeds: Vec<(bool, Deed)>,
}

/// What anybody may do with bytes. What comes out is called and released.
fn deed(bytes: &[u8], what: Deed) {
    let stream = stream(bytes);
    let mut raw = null_mut();
    unsafe {
        match what {
            Deed::Unmarshal => {
                if CoUnmarshalInterface(stream.as_raw(), &IEvery::IID, &mut raw) == S_OK {
                    let (object, mut back, mut sum) = (IEvery::from_raw(raw), Shape::Round, 0.0);
                    let _ = object.Scalars(1, true, Shape::Square, IEvery::IID, Point::default(), &mut back, &mut sum);
                } else {
                    assert!(raw.is_null());
                }
            }
            Deed::UnmarshalUnknown => {
                if CoUnmarshalInterface(stream.as_raw(), &IUnknown::IID, &mut raw) == S_OK {
                    drop(IUnknown::from_raw(raw));
                } else {
                    assert!(raw.is_null());
                }
            }
            Deed::Release => {
                let _ = CoReleaseMarshalData(stream.as_raw());
            }
            Deed::TakeAndRelease => {
                let _ = CoGetInterfaceAndReleaseStream(stream.into_raw(), &IEvery::IID, &mut raw);
                if !raw.is_null() {
                    drop(IEvery::from_raw(raw));
                }
            }
        }
    }
}

fuzz_target!(|input: Input| {
    here(|| unsafe {
        assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        let object = every();
        let good = packet(&object, u32::from(input.flags) % 3);
        let bad = match input.bytes {
            Bytes::Raw(kind, rest) => [&b"MEOW"[..], &u32::from(kind).to_le_bytes(), &rest].concat(),
            Bytes::Forged(edits) => edits.of(&good),
        };
        for (at_home, what) in input.deeds.into_iter().take(8) {
            if at_home {
                deed(&bad, what);
            } else {
                let bad = bad.clone();
                beside(move || {
                    assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
                    deed(&bad, what);
                    CoUninitialize();
                });
            }
        }
        let (mut back, mut sum) = (Shape::Round, 0.0);
        let hr = object.Scalars(1, true, Shape::Square, IEvery::IID, Point::default(), &mut back, &mut sum);
        assert_eq!((hr, back), (S_OK, Shape::Square), "unharmed");
        drop(object);
        CoUninitialize();
    });
});
