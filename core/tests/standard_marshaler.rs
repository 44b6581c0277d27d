//! The standard marshaler as an object, handler packets, destinations and flags, factories' errors (MRSH-02, MRSH-03,
//! MRSH-28, MRSH-30; OB-02; ENUM-07).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::object::Inner;
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use tape::Tape;

const NORMAL: u32 = MSHLFLAGS_NORMAL;

fn standard(object: Option<&IProbe>) -> Result<IMarshal, HRESULT> {
    let mut raw = 0x10 as *mut c_void;
    let unknown = object.map_or(null_mut(), |object| object.as_raw());
    match unsafe { CoGetStandardMarshal(&IProbe::IID, unknown, MSHCTX_INPROC, null_mut(), NORMAL, &mut raw) } {
        S_OK => Ok(unsafe { IMarshal::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

#[test]
fn ob_01_to_04_the_standard_marshaler_of_an_object() {
    world(|world| {
        let lives = Lives::default();
        let (sta, mta) = (world.sta(), world.mta());
        let (tape, own) = (Tape::new(), lives.clone());
        let written = tape.clone();
        sta.run(move || unsafe {
            let object = probe(&own);
            let marshal = standard(Some(&object)).unwrap();
            let (raw, iid) = (object.as_raw(), &IProbe::IID);
            let (mut clsid, mut size) = (GUID::zeroed(), 0);
            assert_eq!(marshal.GetUnmarshalClass(iid, raw, MSHCTX_INPROC, null_mut(), NORMAL, &mut clsid), S_OK);
            assert_eq!(clsid, CLSID_StdMarshal);
            assert_eq!(marshal.GetMarshalSizeMax(iid, raw, MSHCTX_INPROC, null_mut(), NORMAL, &mut size), S_OK);
            // For an object other than its own, and without one for its own.
            for given in [raw, null_mut()] {
                written.rewind();
                let hr = marshal.MarshalInterface(written.raw(), iid, given, MSHCTX_INPROC, null_mut(), NORMAL);
                assert_eq!(hr, S_OK);
                let bytes = written.bytes();
                assert_eq!(&bytes[..8], b"MEOW\x01\0\0\0");
                assert_eq!(&bytes[24..32], [0, 0, 0, 0, 5, 0, 0, 0]);
                assert!(bytes.len() <= size as usize);
                if !given.is_null() {
                    written.rewind();
                    assert_eq!(marshal.ReleaseMarshalData(written.raw()), S_OK);
                }
            }
        });
        assert_eq!(lives.now(), 1);
        mta.run(move || unsafe {
            let marshal = standard(None).unwrap();
            let (iid, mut raw) = (&IProbe::IID, null_mut());
            let hr = marshal.MarshalInterface(tape.raw(), iid, null_mut(), MSHCTX_INPROC, null_mut(), NORMAL);
            assert_eq!(hr, E_INVALIDARG, "of what?");
            tape.rewind();
            assert_eq!(marshal.UnmarshalInterface(tape.raw(), iid, &mut raw), S_OK);
            assert_eq!(IProbe::from_raw(raw).Do(0), S_OK);
            assert_eq!(marshal.DisconnectObject(0), S_OK);
        });
        assert_eq!(lives.now(), 0);
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_20_the_standard_marshaler_disconnects() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let (packet, object) = sta.run(|| {
            let object = probe(&Lives::default());
            (pack(&object), Carry(object))
        });
        let proxy = mta.run(move || Carry(unpack::<IProbe>(packet)));
        sta.run(move || unsafe {
            let object = object.take();
            let marshal = standard(Some(&object)).unwrap();
            assert_eq!(query::<IMarshal2>(&marshal).unwrap().as_raw(), marshal.as_raw());
            assert_eq!(marshal.DisconnectObject(0), S_OK);
            drop(marshal);
            assert_eq!(count(&object), 1);
        });
        mta.run(move || assert_eq!(unsafe { proxy.take().Do(0) }, RPC_E_DISCONNECTED));
        sta.close();
        mta.close();
    });
}

#[test]
fn standard_marshaler_arguments() {
    world(|world| unsafe {
        assert_eq!(standard(None).unwrap_err(), CO_E_NOTINITIALIZED);
        let mut raw = null_mut();
        let none = null_mut();
        assert_eq!(CoGetStdMarshalEx(none, SMEXF_SERVER, &mut raw), E_INVALIDARG);
        let sta = world.sta();
        sta.run(|| {
            let (iid, none, mut raw) = (IProbe::IID, null_mut(), null_mut());
            assert_eq!(CoGetStandardMarshal(&iid, none, MSHCTX_INPROC, none, NORMAL, null_mut()), E_INVALIDARG);
            assert_eq!(CoGetStandardMarshal(std::ptr::null(), none, MSHCTX_INPROC, none, 0, &mut raw), E_INVALIDARG);
            assert_eq!(CoGetStandardMarshal(&iid, none, 6, none, NORMAL, &mut raw), E_INVALIDARG);
            assert_eq!(CoGetStandardMarshal(&iid, none, MSHCTX_INPROC, none, 3, &mut raw), E_INVALIDARG);
            let object = probe(&Lives::default());
            assert_eq!(CoGetStdMarshalEx(object.as_raw(), SMEXF_SERVER, null_mut()), E_INVALIDARG);
            assert_eq!(CoGetStdMarshalEx(object.as_raw(), 0, &mut raw), E_INVALIDARG);
            assert!(raw.is_null());
        });
        sta.close();
    });
}

/// Aggregates the standard marshaler and names a handler.
#[com_class(IOther, IStdMarshalInfo, blind = marshaler)]
struct Standardized {
    marshaler: Inner,
}

const CLSID_HANDLER: GUID = GUID::from_u128(0x77aa_0001);

impl IOther_Impl for Standardized_Impl {
    unsafe fn Nothing(&self) -> HRESULT {
        S_FALSE
    }
}

impl IStdMarshalInfo_Impl for Standardized_Impl {
    unsafe fn GetClassForHandler(&self, context: u32, _: *mut c_void, clsid: *mut GUID) -> HRESULT {
        assert_ne!(context, MSHCTX_INPROC, "only for other processes");
        unsafe { *clsid = CLSID_HANDLER };
        S_OK
    }
}

fn standardized() -> IOther {
    let object = windows_core::ComObject::new(Standardized { marshaler: Inner::new() });
    let make = |outer, iid: *const GUID, out| unsafe {
        assert_eq!(*iid, IUnknown::IID);
        CoGetStdMarshalEx(outer, SMEXF_SERVER, out)
    };
    let made = unsafe { object.aggregate(&object.marshaler, make) };
    assert!(made.is_ok());
    object.to_interface()
}

#[test]
fn ob_02_a_handler_is_named_for_other_processes() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let tape = sta.run(|| unsafe {
            let object = standardized();
            let marshal: IMarshal = query(&object).unwrap();
            let (raw, iid, tape, mut clsid) = (object.as_raw(), &IOther::IID, Tape::new(), GUID::zeroed());
            assert_eq!(marshal.GetUnmarshalClass(iid, raw, MSHCTX_LOCAL, null_mut(), NORMAL, &mut clsid), S_OK);
            assert_eq!(clsid, CLSID_HANDLER);
            drop(marshal);
            assert_eq!(tape.marshal(&object, NORMAL), S_OK);
            assert_eq!(&tape.bytes()[..8], b"MEOW\x01\0\0\0", "in this process: none");
            assert_eq!(tape.release(), S_OK);
            tape.rewind();
            // Somebody else's standard marshaler for the object, and a packet for another process.
            let mut standard = null_mut();
            assert_eq!(CoGetStandardMarshal(iid, raw, MSHCTX_LOCAL, null_mut(), NORMAL, &mut standard), S_OK);
            let standard = IMarshal::from_raw(standard);
            let hr = standard.MarshalInterface(tape.raw(), iid, raw, MSHCTX_LOCAL, null_mut(), NORMAL);
            assert_eq!(hr, S_OK);
            tape
        });
        let bytes = tape.bytes();
        assert_eq!(bytes.len(), 84);
        assert_eq!(&bytes[..8], b"MEOW\x02\0\0\0");
        assert_eq!(bytes[64..68], CLSID_HANDLER.data1.to_le_bytes());
        mta.run(move || assert_eq!(unsafe { tape.unmarshal::<IOther>().unwrap().Nothing() }, S_FALSE));
        sta.close();
        mta.close();
    });
}

#[test]
fn enum_07_destinations_and_flags() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let object = probe(&Lives::default());
            let marshal = |tape: &Tape, context, flags| {
                CoMarshalInterface(tape.raw(), &IProbe::IID, object.as_raw(), context, null_mut(), flags)
            };
            for context in MSHCTX_LOCAL..=MSHCTX_CONTAINER {
                for (flags, bits) in [(0u32, 0u32), (1, 0x20), (2, 1), (4, 0x1000), (5, 0x1020), (6, 0x1001)] {
                    let tape = Tape::new();
                    assert_eq!(marshal(&tape, context, flags), S_OK);
                    assert_eq!(tape.bytes()[24..28], bits.to_le_bytes(), "flags {flags}");
                    let refs: u32 = if flags & 3 == 0 { 5 } else { 0 };
                    assert_eq!(tape.bytes()[28..32], refs.to_le_bytes());
                    assert_eq!(tape.unmarshal::<IProbe>().unwrap(), object);
                    let used_up = if flags & 3 == 0 { CO_E_OBJNOTREG } else { S_OK };
                    assert_eq!(tape.release(), used_up);
                    assert_eq!(count(&object), 1);
                }
            }
            for (context, flags) in [(6, 0), (u32::MAX, 0), (MSHCTX_INPROC, 3), (MSHCTX_INPROC, 7)] {
                let (tape, mut size) = (Tape::new(), 0);
                assert_eq!(marshal(&tape, context, flags), E_INVALIDARG);
                let raw = object.as_raw();
                let hr = CoGetMarshalSizeMax(&mut size, &IProbe::IID, raw, context, null_mut(), flags);
                assert_eq!(hr, E_INVALIDARG);
            }
            assert_eq!(count(&object), 1);
        });
        sta.close();
    });
}
