//! Class objects and the objects that they make (facts section 12, ACT-01 to ACT-08).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;
#[path = "common/windows.rs"]
mod windows;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

const CLSID_PROBE: GUID = GUID::from_u128(0x0a7f1f5e_53f2_44b6_8d4c_0f3bd9b2c101);
const INPROC: u32 = CLSCTX_INPROC_SERVER;
const LOCAL: u32 = CLSCTX_LOCAL_SERVER;
const STALE: *mut c_void = 0x10 as *mut c_void;

/// Registers the class of probes for the calling apartment.
fn register(lives: &Lives, context: u32, flags: u32) -> u32 {
    let lives = lives.clone();
    let factory = object::class_factory_with(move |outer, iid, out| unsafe {
        if !outer.is_null() {
            return CLASS_E_NOAGGREGATION;
        }
        probe(&lives).query(iid, out)
    });
    let mut cookie = 0;
    let raw = factory.as_raw();
    unsafe { assert_eq!(CoRegisterClassObject(&CLSID_PROBE, raw, context, flags, &mut cookie), S_OK) };
    assert_ne!(cookie, 0);
    cookie
}

fn create<I: Interface>(context: u32) -> Result<I, HRESULT> {
    let mut raw = STALE;
    match unsafe { CoCreateInstance(&CLSID_PROBE, null_mut(), context, &I::IID, &mut raw) } {
        S_OK => Ok(unsafe { I::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

fn class_object<I: Interface>(context: u32) -> Result<I, HRESULT> {
    let mut raw = STALE;
    match unsafe { CoGetClassObject(&CLSID_PROBE, context, null_mut(), &I::IID, &mut raw) } {
        S_OK => Ok(unsafe { I::from_raw(raw) }),
        hr => {
            assert!(raw.is_null());
            Err(hr)
        }
    }
}

fn revoke(cookie: u32) -> HRESULT {
    unsafe { CoRevokeClassObject(cookie) }
}

#[test]
fn act_01_02_failures() {
    world(|world| unsafe {
        assert_eq!(create::<IProbe>(INPROC).unwrap_err(), CO_E_NOTINITIALIZED);
        assert_eq!(class_object::<IClassFactory>(INPROC).unwrap_err(), CO_E_NOTINITIALIZED);
        let (sta, lives) = (world.sta(), Lives::default());
        sta.run(move || {
            assert_eq!(create::<IProbe>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
            assert_eq!(class_object::<IClassFactory>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
            let cookie = register(&lives, INPROC, REGCLS_MULTIPLEUSE);
            let (clsid, iid) = (&CLSID_PROBE, &IProbe::IID);
            assert_eq!(CoCreateInstance(clsid, null_mut(), INPROC, iid, null_mut()), E_POINTER);
            assert_eq!(CoGetClassObject(clsid, INPROC, null_mut(), &IClassFactory::IID, null_mut()), E_INVALIDARG);
            let mut raw = STALE;
            assert_eq!(CoCreateInstance(null(), null_mut(), INPROC, iid, &mut raw), E_INVALIDARG);
            assert!(raw.is_null());
            let outer: IUnknown = query(&create::<IProbe>(INPROC).unwrap()).unwrap();
            raw = STALE;
            let hr = CoCreateInstance(clsid, outer.as_raw(), INPROC, &IUnknown::IID, &mut raw);
            assert_eq!((hr, raw), (CLASS_E_NOAGGREGATION, null_mut()));
            assert_eq!(create::<IOther>(INPROC).unwrap_err(), E_NOINTERFACE);
            drop(outer);
            assert_eq!(lives.now(), 0);
            assert_eq!(revoke(cookie), S_OK);
            assert_eq!(revoke(cookie), CO_E_OBJNOTREG);
            assert_eq!(create::<IProbe>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
        });
        sta.close();
    });
}

#[test]
fn act_03_an_inproc_class_is_its_apartments_own() {
    world(|world| {
        let (sta, other, mta) = (world.sta(), world.sta(), world.mta());
        let lives = Lives::default();
        let own = lives.clone();
        let cookie = sta.run(move || {
            let cookie = register(&own, INPROC, REGCLS_MULTI_SEPARATE);
            let object: IProbe = create(INPROC).unwrap();
            assert_eq!(thread_of(&object), unsafe { GetCurrentThreadId() });
            assert!(class_object::<IClassFactory>(INPROC).is_ok());
            cookie
        });
        for room in [&other, &mta] {
            room.run(|| {
                assert_eq!(create::<IProbe>(INPROC | LOCAL).unwrap_err(), REGDB_E_CLASSNOTREG);
                assert_eq!(class_object::<IClassFactory>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
            });
        }
        sta.run(move || assert_eq!(revoke(cookie), S_OK));
        assert_eq!(lives.now(), 0);
        for room in [sta, other, mta] {
            room.close();
        }
    });
}

#[test]
fn act_04_a_local_server_is_there_for_all_through_a_proxy() {
    world(|world| {
        let (sta, other, mta) = (world.sta(), world.sta(), world.mta());
        let lives = Lives::default();
        let (own, at) = (lives.clone(), sta.thread);
        sta.run(move || {
            register(&own, LOCAL, REGCLS_MULTI_SEPARATE);
            assert_eq!(create::<IProbe>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
        });
        for room in [&other, &mta] {
            room.run(move || unsafe {
                assert_eq!(create::<IProbe>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
                let factory: IClassFactory = class_object(LOCAL).unwrap();
                let mut raw = STALE;
                assert_eq!(factory.CreateInstance(null_mut(), &IProbe::IID, &mut raw), S_OK);
                assert_eq!(thread_of(&IProbe::from_raw(raw)), at);
                assert_eq!(thread_of(&create(LOCAL | INPROC).unwrap()), at);
                assert_eq!(create::<IOther>(LOCAL).unwrap_err(), E_NOINTERFACE);
                assert_eq!(create::<ILocal>(LOCAL).unwrap_err(), E_NOINTERFACE, "no proxy for it");
            });
        }
        assert_eq!(lives.now(), 0);
        for room in [sta, other, mta] {
            room.close();
        }
    });
}

#[test]
fn act_05_06_revoking_and_the_apartments_end() {
    world(|world| {
        let (sta, other) = (world.sta(), world.sta());
        let lives = Lives::default();
        let own = lives.clone();
        let (one, two) =
            sta.run(move || (register(&own, LOCAL, REGCLS_MULTIPLEUSE), register(&own, LOCAL, REGCLS_MULTIPLEUSE)));
        assert_ne!(one, two);
        other.run(move || {
            assert_eq!(revoke(one), RPC_E_WRONG_THREAD);
            assert_eq!(revoke(0x7777), CO_E_OBJNOTREG);
            drop(create::<IProbe>(LOCAL).unwrap());
        });
        sta.run(move || assert_eq!(revoke(one), S_OK));
        other.run(|| drop(create::<IProbe>(LOCAL).unwrap()));
        sta.close();
        other.run(move || {
            assert_eq!(create::<IProbe>(LOCAL).unwrap_err(), REGDB_E_CLASSNOTREG, "gone with its apartment");
            assert_eq!(revoke(two), CO_E_OBJNOTREG);
        });
        assert_eq!(lives.now(), 0);
        other.close();
    });
}

#[test]
fn act_07_suspended_classes() {
    world(|world| {
        let (sta, other) = (world.sta(), world.sta());
        let lives = Lives::default();
        let own = lives.clone();
        sta.run(move || {
            register(&own, LOCAL, REGCLS_MULTIPLEUSE | REGCLS_SUSPENDED);
            assert_eq!(create::<IProbe>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
        });
        let seen = || other.run(|| create::<IProbe>(LOCAL).err().unwrap_or(S_OK));
        assert_eq!(seen(), REGDB_E_CLASSNOTREG);
        sta.run(|| assert_eq!(unsafe { CoResumeClassObjects() }, S_OK));
        assert_eq!(seen(), S_OK);
        sta.run(|| assert_eq!(unsafe { CoSuspendClassObjects() }, S_OK));
        assert_eq!(seen(), REGDB_E_CLASSNOTREG);
        assert_eq!(lives.now(), 0);
        sta.close();
        other.close();
    });
}

#[test]
fn rul_62_a_single_use_class_leaves_the_public_view_with_its_first_client() {
    world(|world| {
        let (sta, other) = (world.sta(), world.sta());
        let lives = Lives::default();
        let (own, at) = (lives.clone(), sta.thread);
        let gone = || assert_eq!(class_object::<IClassFactory>(LOCAL).unwrap_err(), REGDB_E_CLASSNOTREG);
        let used = sta.run(move || {
            let cookie = register(&own, LOCAL | INPROC, REGCLS_SINGLEUSE);
            // The apartment's own view uses nothing up.
            drop(class_object::<IClassFactory>(INPROC).unwrap());
            drop(create::<IProbe>(INPROC).unwrap());
            cookie
        });
        other.run(move || unsafe {
            let factory: IClassFactory = class_object(LOCAL).unwrap();
            gone();
            assert_eq!(create::<IProbe>(LOCAL).unwrap_err(), REGDB_E_CLASSNOTREG);
            // Who has it uses it as often as it likes.
            for _ in 0..2 {
                let mut raw = STALE;
                assert_eq!(factory.CreateInstance(null_mut(), &IProbe::IID, &mut raw), S_OK);
                assert_eq!(thread_of(&IProbe::from_raw(raw)), at);
            }
        });
        sta.run(move || {
            gone();
            drop(create::<IProbe>(INPROC).expect("its own view is as before"));
        });
        // Another registration is for another client; activation uses it up as well.
        let own = lives.clone();
        let next = sta.run(move || register(&own, LOCAL, REGCLS_SINGLEUSE));
        other.run(move || {
            drop(create::<IProbe>(LOCAL).unwrap());
            gone();
        });
        sta.run(move || assert_eq!([revoke(used), revoke(next)], [S_OK; 2], "used up is not revoked"));
        assert_eq!(lives.now(), 0);
        [sta, other].into_iter().for_each(Room::close);
    });
}

#[test]
fn rul_63_a_surrogates_class_is_for_many_uses_and_as_server_only() {
    world(|world| {
        let (sta, other) = (world.sta(), world.sta());
        let lives = Lives::default();
        let own = lives.clone();
        sta.run(move || {
            let cookie = register(&own, LOCAL, REGCLS_MULTIPLEUSE);
            drop(create::<IProbe>(INPROC).expect("one for many uses is there for its own process as well"));
            assert_eq!(revoke(cookie), S_OK);
            register(&own, LOCAL, REGCLS_SURROGATE);
            assert_eq!(create::<IProbe>(INPROC).unwrap_err(), REGDB_E_CLASSNOTREG);
        });
        let at = sta.thread;
        other.run(move || {
            for _ in 0..2 {
                drop(class_object::<IClassFactory>(LOCAL).unwrap());
                assert_eq!(thread_of(&create(LOCAL).unwrap()), at);
            }
        });
        assert_eq!(lives.now(), 0);
        [sta, other].into_iter().for_each(Room::close);
    });
}

#[test]
fn act_08_several_interfaces_at_once() {
    world(|world| {
        let (sta, other) = (world.sta(), world.sta());
        let lives = Lives::default();
        let own = lives.clone();
        sta.run(move || register(&own, LOCAL, REGCLS_MULTIPLEUSE));
        for room in [&sta, &other] {
            room.run(|| unsafe {
                let ask = |iids: &[&'static GUID], outer: *mut c_void| {
                    let mut entries: Vec<_> =
                        iids.iter().map(|iid| MULTI_QI { pIID: *iid, pItf: STALE, hr: E_FAIL }).collect();
                    let count = entries.len() as u32;
                    let all = LOCAL | INPROC;
                    let hr = CoCreateInstanceEx(&CLSID_PROBE, outer, all, null(), count, entries.as_mut_ptr());
                    let codes: Vec<_> = entries.iter().map(|entry| entry.hr).collect();
                    for entry in entries {
                        assert_eq!(entry.hr.is_ok(), !entry.pItf.is_null());
                        if entry.hr.is_ok() {
                            drop(IUnknown::from_raw(entry.pItf));
                        }
                    }
                    (hr, codes)
                };
                let (good, bad) = (&IProbe::IID, &IOther::IID);
                assert_eq!(ask(&[good, &IUnknown::IID], null_mut()), (S_OK, vec![S_OK, S_OK]));
                assert_eq!(ask(&[good, bad], null_mut()), (CO_S_NOTALLINTERFACES, vec![S_OK, E_NOINTERFACE]));
                assert_eq!(ask(&[bad], null_mut()), (E_NOINTERFACE, vec![E_NOINTERFACE]));
                let outer: IUnknown = query(&create::<IProbe>(LOCAL | INPROC).unwrap()).unwrap();
                assert_eq!(ask(&[&IUnknown::IID], outer.as_raw()).0, CLASS_E_NOAGGREGATION);
                let none = CoCreateInstanceEx(&CLSID_PROBE, null_mut(), LOCAL, null(), 0, null_mut());
                assert_eq!(none, E_INVALIDARG);
            });
        }
        assert_eq!(lives.now(), 0);
        sta.close();
        other.close();
    });
}

#[test]
fn system_classes_need_no_registration() {
    world(|world| {
        for room in [world.sta(), world.mta()] {
            room.run(|| unsafe {
                let classes = [CLSID_ManualResetEvent, CLSID_StdGlobalInterfaceTable];
                for clsid in classes {
                    let mut raw = STALE;
                    assert_eq!(CoCreateInstance(&clsid, null_mut(), INPROC, &IUnknown::IID, &mut raw), S_OK);
                    drop(IUnknown::from_raw(raw));
                    raw = STALE;
                    let hr = CoCreateInstance(&clsid, null_mut(), INPROC, &IProbe::IID, &mut raw);
                    assert_eq!((hr, raw), (E_NOINTERFACE, null_mut()));
                }
            });
            room.close();
        }
    });
}

unsafe extern "system" fn activates(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if message == WM_USER {
        let hr = create::<IProbe>(LOCAL).err().unwrap_or(S_OK);
        return hr.0 as LRESULT;
    }
    unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
}

#[test]
fn msg_10_no_activation_elsewhere_while_a_sent_message_is_handled() {
    world(|world| {
        let (server, client) = (world.sta(), world.sta());
        let lives = Lives::default();
        let own = lives.clone();
        server.run(move || register(&own, LOCAL, REGCLS_MULTIPLEUSE));
        let window = client.run(|| Carry(windows::window_with(activates))).take();
        let said = unsafe { SendMessageW(window, WM_USER, 0, 0) };
        assert_eq!(said, RPC_E_CANTCALLOUT_ININPUTSYNCCALL.0 as LRESULT);
        let own = Carry(window);
        client.run(move || assert_eq!(unsafe { SendMessageW(own.take(), WM_USER, 0, 0) }, 0, "its own message"));
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

/// The host's thread works on the client's logical thread while it makes the class object, and no longer.
#[test]
fn apt_33_act_09_a_thread_on_which_a_class_panics_is_itself_again() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let logical = || {
            let mut id = GUID::zeroed();
            assert_eq!(unsafe { CoGetCurrentLogicalThreadId(&mut id) }, S_OK);
            id
        };
        let own = sta.run(move || {
            let make = || panic!("no class object");
            object::register_in_process_class(&CLSID_PROBE, make, object::ThreadingModel::Main, 0);
            logical()
        });
        mta.run(|| assert_eq!(create::<IUnknown>(INPROC), Err(RPC_E_SERVERFAULT)));
        assert_eq!(sta.run(logical), own);
        sta.run(|| assert!(object::revoke_in_process_class(&CLSID_PROBE)));
        sta.close();
        mta.close();
    });
}
