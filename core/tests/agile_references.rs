//! Agile references (MRSH-27, AG-01 to AG-05) and objects that are not marshaled at all (INoMarshal).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/tape.rs"]
mod tape;

use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use tape::Tape;

const DEFAULT: i32 = AGILEREFERENCE_DEFAULT;
const DELAYED: i32 = AGILEREFERENCE_DELAYEDMARSHAL;

type Shared = Arc<Carry<IAgileReference>>;

fn refer<I: Interface>(object: &I, options: i32) -> Result<Shared, HRESULT> {
    let mut raw = 0x10 as *mut c_void;
    match unsafe { RoGetAgileReference(options, &I::IID, object.as_raw(), &mut raw) } {
        S_OK => Ok(Arc::new(Carry(unsafe { IAgileReference::from_raw(raw) }))),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

fn resolve<I: Interface>(reference: &Shared) -> Result<I, HRESULT> {
    let mut raw = 0x10 as *mut c_void;
    match unsafe { reference.0.Resolve(&I::IID, &mut raw) } {
        S_OK => Ok(unsafe { I::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

/// Is not marshaled; may be used everywhere or not.
#[com_class(INoMarshal, IMarshal)]
struct StaysHome;

impl INoMarshal_Impl for StaysHome_Impl {}

impl IMarshal_Impl for StaysHome_Impl {
    unsafe fn GetUnmarshalClass(
        &self,
        _: *const windows_core::GUID,
        _: *mut c_void,
        _: u32,
        _: *mut c_void,
        _: u32,
        _: *mut windows_core::GUID,
    ) -> HRESULT {
        panic!("nobody asks")
    }
    unsafe fn GetMarshalSizeMax(
        &self,
        _: *const windows_core::GUID,
        _: *mut c_void,
        _: u32,
        _: *mut c_void,
        _: u32,
        _: *mut u32,
    ) -> HRESULT {
        panic!("nobody asks")
    }
    unsafe fn MarshalInterface(
        &self,
        _: *mut c_void,
        _: *const windows_core::GUID,
        _: *mut c_void,
        _: u32,
        _: *mut c_void,
        _: u32,
    ) -> HRESULT {
        panic!("nobody asks")
    }
    unsafe fn UnmarshalInterface(&self, _: *mut c_void, _: *const windows_core::GUID, _: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn ReleaseMarshalData(&self, _: *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn DisconnectObject(&self, _: u32) -> HRESULT {
        E_NOTIMPL
    }
}

/// Says that it may be used from every apartment, and has no marshaler of its own.
#[com_class(IProbe2, IAgileObject)]
struct SaysAgile;

/// For [`SaysAgile`]; nothing could carry it.
#[interface("5a1e7c90-3b41-4c0f-8d59-1f0c66c6b015")]
unsafe trait IProbe2: IUnknown {
    fn Nothing2(&self) -> HRESULT;
}

impl IAgileObject_Impl for SaysAgile_Impl {}
impl IProbe2_Impl for SaysAgile_Impl {
    unsafe fn Nothing2(&self) -> HRESULT {
        S_OK
    }
}

#[test]
fn mrsh_27_ag_01_arguments() {
    world(|world| unsafe {
        let lives = Lives::default();
        let object = probe(&lives);
        let (iid, raw) = (IProbe::IID, object.as_raw());
        assert_eq!(refer(&object, DEFAULT).unwrap_err(), CO_E_NOTINITIALIZED);
        let sta = world.sta();
        sta.run(move || {
            let object = probe(&Lives::default());
            for options in [DEFAULT, DELAYED] {
                assert_eq!(refer(&query::<ILocal>(&object).unwrap(), options).is_err(), options == DEFAULT);
                let mut raw = null_mut();
                let hr = RoGetAgileReference(options, &IOther::IID, object.as_raw(), &mut raw);
                assert_eq!((hr, raw), (E_NOINTERFACE, null_mut()));
                assert_eq!(refer(&IUnknown::from(StaysHome), options).unwrap_err(), CO_E_NOT_SUPPORTED);
            }
            assert_eq!(refer(&object, 2).unwrap_err(), E_INVALIDARG);
            assert_eq!(refer(&object, -1).unwrap_err(), E_INVALIDARG);
            assert_eq!(count(&object), 1, "nothing stays of all that");
        });
        let mut reference = null_mut();
        assert_eq!(RoGetAgileReference(DEFAULT, std::ptr::null(), raw, &mut reference), E_INVALIDARG);
        assert_eq!(RoGetAgileReference(DEFAULT, &iid, null_mut(), &mut reference), E_INVALIDARG);
        assert_eq!(RoGetAgileReference(DEFAULT, &iid, raw, null_mut()), E_INVALIDARG);
        sta.close();
    });
}

#[test]
fn ag_03_the_reference_is_agile() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let reference = sta.run(|| {
            let reference = refer(&probe(&Lives::default()), DEFAULT).unwrap();
            assert!(query::<IAgileObject>(&reference.0).is_ok());
            assert_eq!(query::<IProbe>(&reference.0).unwrap_err(), E_NOINTERFACE);
            let tape = Tape::new();
            assert_eq!(tape.marshal(&reference.0, MSHLFLAGS_NORMAL), S_OK);
            (tape, reference.0.as_raw().addr())
        });
        let (tape, address) = reference;
        mta.run(move || {
            let same: IAgileReference = tape.unmarshal().unwrap();
            assert_eq!(same.as_raw().addr(), address, "itself, everywhere");
            let reference = Arc::new(Carry(same));
            assert_eq!(unsafe { resolve::<IProbe>(&reference).unwrap().Do(0) }, S_OK);
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn ag_04_05_mrsh_27_at_home_and_in_every_other_apartment() {
    for options in [DEFAULT, DELAYED] {
        world(move |world| {
            let lives = Lives::default();
            for home_is_sta in [true, false] {
                let home = if home_is_sta { world.sta() } else { world.mta() };
                let (sta, mta) = (world.sta(), world.mta());
                let own = lives.clone();
                let (reference, address) = home.run(move || {
                    let object = probe(&own);
                    let reference = refer(&object, options).unwrap();
                    let before = count(&object);
                    let (one, two) = (resolve::<IProbe>(&reference).unwrap(), resolve::<IProbe>(&reference).unwrap());
                    assert_eq!((one.as_raw(), two.as_raw()), (object.as_raw(), object.as_raw()));
                    assert_eq!(count(&object), before + 2, "one more each time");
                    (reference, object.as_raw().addr())
                });
                assert_eq!(lives.now(), 1, "the reference holds it");
                let served_at = home.thread;
                for (room, is_mta) in [(&sta, false), (&mta, true)] {
                    let own = reference.clone();
                    room.run(move || {
                        let pointer = resolve::<IProbe>(&own).unwrap();
                        if is_mta && !home_is_sta {
                            assert_eq!(pointer.as_raw().addr(), address, "the MTA is one apartment");
                            return;
                        }
                        assert_ne!(pointer.as_raw().addr(), address);
                        assert_eq!(count(&pointer), 1);
                        if home_is_sta {
                            assert_eq!(thread_of(&pointer), served_at);
                        }
                        assert!(resolve::<IUnknown>(&own).is_ok(), "another interface");
                        assert_eq!(resolve::<IOther>(&own).unwrap_err(), E_NOINTERFACE);
                    });
                }
                assert_eq!(lives.now(), 1);
                // Released anywhere.
                mta.run(move || drop(Arc::into_inner(reference).unwrap().take()));
                assert_eq!(lives.now(), 0);
                for room in [home, sta, mta] {
                    room.close();
                }
            }
        });
    }
}

#[test]
fn mrsh_27_a_delayed_reference_marshals_when_somebody_elsewhere_asks() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let reference = sta.run(|| {
            let object = probe(&Lives::default());
            // Nothing could carry this one: the default option finds that out at once.
            let local: ILocal = query(&object).unwrap();
            assert_eq!(refer(&local, DEFAULT).unwrap_err(), E_NOINTERFACE);
            let reference = refer(&local, DELAYED).unwrap();
            assert!(resolve::<ILocal>(&reference).is_ok());
            assert!(resolve::<IProbe>(&reference).is_ok());
            reference
        });
        let own = reference.clone();
        mta.run(move || assert_eq!(resolve::<ILocal>(&own).unwrap_err(), E_NOINTERFACE));
        drop(reference);
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_27_outside_com_and_after_the_end_of_the_home() {
    for options in [DEFAULT, DELAYED] {
        world(move |world| {
            let lives = Lives::default();
            let (sta, mta, outside) = (world.sta(), world.mta(), world.outside());
            let own = lives.clone();
            let reference = sta.run(move || refer(&probe(&own), options).unwrap());
            let own = reference.clone();
            outside.run(move || assert_eq!(unsafe { resolve::<IProbe>(&own).unwrap().Do(0) }, S_OK, "implicit MTA"));
            mta.close();
            let own = reference.clone();
            outside.run(move || assert_eq!(resolve::<IProbe>(&own).unwrap_err(), CO_E_NOTINITIALIZED));
            sta.close();
            assert_eq!(lives.now(), 0, "the end of its apartment ends it");
            let mta = world.mta();
            mta.run(move || {
                assert_eq!(resolve::<IProbe>(&reference).unwrap_err(), CO_E_OBJNOTCONNECTED);
                drop(reference);
            });
            outside.close();
            mta.close();
        });
    }
}

#[test]
fn mrsh_27_references_to_proxies_and_to_agile_objects() {
    world(|world| {
        let lives = Lives::default();
        let (sta, mta, other) = (world.sta(), world.mta(), world.sta());
        for options in [DEFAULT, DELAYED] {
            let own = lives.clone();
            let packet = sta.run(move || pack(&probe(&own)));
            let reference = mta.run(move || refer(&unpack::<IProbe>(packet), options).unwrap());
            assert_eq!(lives.now(), 1);
            let (own, served_at) = (reference.clone(), sta.thread);
            other.run(move || assert_eq!(thread_of(&resolve(&own).unwrap()), served_at));
            let own = reference.clone();
            sta.run(move || assert_eq!(thread_of(&resolve(&own).unwrap()), served_at));
            drop(reference);
            other.run(|| ());
        }
        let reference = sta.run(|| {
            let object: IProbe2 = SaysAgile.into();
            (refer(&object, DEFAULT).unwrap(), object.as_raw().addr())
        });
        mta.run(move || {
            let (reference, address) = reference;
            assert_eq!(resolve::<IProbe2>(&reference).unwrap().as_raw().addr(), address);
        });
        for room in [sta, mta, other] {
            room.close();
        }
        assert_eq!(lives.now(), 0);
    });
}

#[test]
fn iid_26_an_object_with_inomarshal_is_not_marshaled() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let object: IUnknown = StaysHome.into();
            assert_eq!(Tape::new().marshal(&object, MSHLFLAGS_NORMAL), CO_E_NOT_SUPPORTED);
            let (mut size, raw) = (0, object.as_raw());
            let hr = CoGetMarshalSizeMax(&mut size, &IUnknown::IID, raw, MSHCTX_INPROC, null_mut(), 0);
            assert_eq!(hr, CO_E_NOT_SUPPORTED);
            let mut stream = null_mut();
            let hr = CoMarshalInterThreadInterfaceInStream(&IUnknown::IID, raw, &mut stream);
            assert_eq!((hr, stream), (CO_E_NOT_SUPPORTED, null_mut()));
            assert_eq!(count(&object), 1);
        });
        sta.close();
    });
}
