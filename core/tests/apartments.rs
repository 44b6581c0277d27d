//! Entering, leaving and ending apartments (facts section 2).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn enter(model: u32) -> HRESULT {
    unsafe { CoInitializeEx(null_mut(), model) }
}

fn leave() {
    unsafe { CoUninitialize() }
}

/// What `CoGetApartmentType` says: type, qualifier, code.
fn kind() -> (i32, i32, HRESULT) {
    let (mut kind, mut qualifier) = (77, 77);
    let hr = unsafe { CoGetApartmentType(&mut kind, &mut qualifier) };
    (kind, qualifier, hr)
}

const NOWHERE: (i32, i32, HRESULT) = (APTTYPE_CURRENT, APTTYPEQUALIFIER_NONE, CO_E_NOTINITIALIZED);
const MAIN_STA: (i32, i32, HRESULT) = (APTTYPE_MAINSTA, APTTYPEQUALIFIER_NONE, S_OK);
const STA: (i32, i32, HRESULT) = (APTTYPE_STA, APTTYPEQUALIFIER_NONE, S_OK);
const MTA: (i32, i32, HRESULT) = (APTTYPE_MTA, APTTYPEQUALIFIER_NONE, S_OK);
const IMPLICIT: (i32, i32, HRESULT) = (APTTYPE_MTA, APTTYPEQUALIFIER_IMPLICIT_MTA, S_OK);

#[test]
fn apt_01_02_03_entering_once_again_and_otherwise() {
    world(|_| {
        for (model, other) in
            [(COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED), (COINIT_MULTITHREADED, COINIT_APARTMENTTHREADED)]
        {
            assert_eq!(enter(model), S_OK);
            assert_eq!(enter(model), S_FALSE);
            let before = kind();
            assert_eq!(enter(other), RPC_E_CHANGED_MODE);
            assert_eq!(kind(), before, "nothing changes");
            leave();
            assert_eq!(kind(), before, "two entries, one exit");
            leave();
            assert_eq!(kind(), NOWHERE);
        }
    });
}

#[test]
fn apt_04_flags_without_apartmentthreaded_mean_the_mta() {
    world(|_| {
        assert_eq!(enter(COINIT_DISABLE_OLE1DDE | COINIT_SPEED_OVER_MEMORY), S_OK);
        assert_eq!(kind(), MTA);
        leave();
    });
}

#[test]
fn apt_05_a_reserved_argument_is_refused() {
    world(|_| {
        let mut byte = 0u8;
        let reserved = (&raw mut byte).cast::<c_void>();
        assert_eq!(unsafe { CoInitializeEx(reserved, COINIT_MULTITHREADED) }, E_INVALIDARG);
        assert_eq!(unsafe { CoInitialize(reserved) }, E_INVALIDARG);
        assert_eq!(kind(), NOWHERE);
    });
}

#[test]
fn apt_06_07_27_the_first_sta_is_the_main_one() {
    world(|world| {
        let main = world.sta();
        let other = world.sta();
        assert_eq!(main.run(kind), MAIN_STA);
        assert_eq!(other.run(kind), STA);
        main.close();
        assert_eq!(other.run(kind), STA, "another does not become the main one while it lives");
        other.close();
    });
}

#[test]
fn apt_08_09_10_explicit_and_implicit_mta() {
    world(|world| {
        assert_eq!(kind(), NOWHERE);
        let mta = world.mta();
        assert_eq!(mta.run(kind), MTA);
        assert_eq!(kind(), IMPLICIT);
        mta.close();
        assert_eq!(kind(), NOWHERE);
    });
}

#[test]
fn apt_11_null_outputs_come_first() {
    world(|_| unsafe {
        let mut there = 55;
        assert_eq!(CoGetApartmentType(null_mut(), &mut there), E_INVALIDARG);
        assert_eq!(CoGetApartmentType(&mut there, null_mut()), E_INVALIDARG);
        assert_eq!(there, 55);
    });
}

#[test]
fn apt_13_14_15_usage_cookies() {
    world(|world| unsafe {
        let sta = world.sta();
        let (mut first, mut second) = (null_mut(), null_mut());
        assert_eq!(CoIncrementMTAUsage(null_mut()), E_INVALIDARG);
        assert_eq!(CoIncrementMTAUsage(&mut first), S_OK);
        assert_eq!(CoIncrementMTAUsage(&mut second), S_OK);
        assert!(!first.is_null() && !second.is_null() && first != second);
        assert_eq!(kind(), IMPLICIT);
        assert_eq!(sta.run(kind), MAIN_STA);
        let given = Packet(first);
        assert_eq!(sta.run(move || CoDecrementMTAUsage(given.take())), S_OK, "on another thread");
        assert_eq!(CoDecrementMTAUsage(first), E_INVALIDARG, "each cookie once");
        assert_eq!(kind(), IMPLICIT);
        assert_eq!(CoDecrementMTAUsage(second), S_OK);
        assert_eq!(kind(), NOWHERE);
        assert_eq!(CoDecrementMTAUsage(null_mut()), E_INVALIDARG);
        sta.close();
    });
}

#[test]
fn apt_16_a_cookie_keeps_the_mta_after_its_last_thread() {
    world(|world| unsafe {
        let lives = Lives::default();
        let mut cookie = null_mut();
        assert_eq!(CoIncrementMTAUsage(&mut cookie), S_OK);
        let mta = world.mta();
        let packet = mta.run({
            let lives = lives.clone();
            move || pack(&probe(&lives))
        });
        mta.close();
        let sta = world.sta();
        let proxy = sta.run(move || Carry(unpack::<IProbe>(packet)));
        assert_eq!(lives.now(), 1);
        let proxy = sta.run(move || {
            assert_ne!(thread_of(&proxy.0), GetCurrentThreadId());
            proxy
        });
        assert_eq!(CoDecrementMTAUsage(cookie), S_OK);
        assert_eq!(lives.now(), 0, "the end of the MTA releases its objects");
        sta.run(move || assert_eq!(proxy.take().Do(0), RPC_S_UNKNOWN_IF_HR));
        sta.close();
    });
}

#[test]
fn apt_17_the_mta_outlives_the_thread_that_made_it() {
    world(|world| unsafe {
        let lives = Lives::default();
        assert_eq!(enter(COINIT_MULTITHREADED), S_OK);
        let object = probe(&lives);
        let packet = pack(&object);
        drop(object);
        let other = world.mta();
        leave();
        assert_eq!(enter(COINIT_APARTMENTTHREADED), S_OK);
        let proxy: IProbe = unpack(packet);
        assert_ne!(thread_of(&proxy), GetCurrentThreadId());
        drop(proxy);
        assert_eq!(lives.now(), 0);
        leave();
        other.close();
    });
}

#[test]
fn apt_18_an_implicit_thread_enters_explicitly() {
    world(|world| {
        let mta = world.mta();
        assert_eq!(kind(), IMPLICIT);
        assert_eq!(enter(COINIT_MULTITHREADED), S_OK);
        assert_eq!(kind(), MTA);
        leave();
        assert_eq!(kind(), IMPLICIT);
        mta.close();
    });
}

#[test]
fn apt_18_a_worker_that_serves_a_call_is_in_the_mta_already() {
    world(|world| unsafe {
        let lives = Lives::default();
        let mta = world.mta();
        let packet = mta.run({
            let lives = lives.clone();
            move || {
                pack(&probe_that(&lives, |_| {
                    assert_eq!(kind(), MTA);
                    assert_eq!(enter(COINIT_MULTITHREADED), S_FALSE);
                    leave();
                    assert_eq!(kind(), MTA);
                    assert_eq!(enter(COINIT_APARTMENTTHREADED), RPC_E_CHANGED_MODE);
                    // One too many is harmless here, too: the worker is not the method's to take out.
                    leave();
                    assert_eq!(kind(), MTA);
                    S_OK
                }))
            }
        });
        let sta = world.sta();
        sta.run(move || {
            let proxy: IProbe = unpack(packet);
            for _ in 0..8 {
                assert_eq!(proxy.Do(0), S_OK);
            }
        });
        assert_eq!(mta.run(kind), MTA, "the MTA has not lost a thread");
        assert_eq!(lives.now(), 0);
        sta.close();
        mta.close();
        assert_eq!(kind(), NOWHERE);
    });
}

#[test]
fn apt_19_an_implicit_thread_becomes_an_sta_and_goes_back() {
    world(|world| unsafe {
        let lives = Lives::default();
        let mta = world.mta();
        let sta = world.sta();
        let packet = sta.run({
            let lives = lives.clone();
            move || pack(&probe(&lives))
        });
        let proxy: IProbe = unpack(packet);
        assert_eq!(proxy.Do(0), S_OK);
        assert_eq!(enter(COINIT_APARTMENTTHREADED), S_OK);
        assert_eq!(proxy.Do(0), RPC_E_WRONG_THREAD);
        leave();
        assert_eq!(proxy.Do(0), S_OK);
        drop(proxy);
        assert_eq!(lives.now(), 0);
        sta.close();
        mta.close();
    });
}

#[test]
fn apt_20_what_an_implicit_thread_may_do() {
    world(|world| unsafe {
        let lives = Lives::default();
        let mta = world.mta();
        let mut raw = null_mut();
        assert_eq!(
            CoCreateInstance(&CLSID_ManualResetEvent, null_mut(), CLSCTX_INPROC_SERVER, &ISynchronize::IID, &mut raw),
            S_OK
        );
        drop(ISynchronize::from_raw(raw));
        let iid = IClassFactory::IID;
        assert_eq!(CoGetClassObject(&CLSID_ManualResetEvent, CLSCTX_INPROC_SERVER, null_mut(), &iid, &mut raw), S_OK);
        let factory = IClassFactory::from_raw(raw);
        let clsid = windows_core::GUID::from_u128(0x1234);
        let mut cookie = 0;
        let local = CLSCTX_INPROC_SERVER;
        assert_eq!(CoRegisterClassObject(&clsid, factory.as_raw(), local, REGCLS_MULTIPLEUSE, &mut cookie), S_OK);
        assert_eq!(CoRevokeClassObject(cookie), S_OK);
        assert_eq!(CoRegisterPSClsid(&ILocal::IID, &clsid), S_OK);
        let mut found = windows_core::GUID::zeroed();
        assert_eq!(CoGetPSClsid(&ILocal::IID, &mut found), S_OK);
        assert_eq!(found, clsid);
        let object = probe(&lives);
        let direct: IProbe = unpack(pack(&object));
        assert_eq!(direct, object);
        assert_eq!(CoRegisterMessageFilter(null_mut(), null_mut()), CO_E_NOT_SUPPORTED);
        drop((factory, object, direct));
        mta.close();
    });
}

#[test]
fn apt_21_the_end_of_an_sta_releases_its_objects() {
    world(|world| unsafe {
        let lives = Lives::default();
        let mta = world.mta();
        let sta = world.sta();
        let packets = sta.run({
            let lives = lives.clone();
            move || {
                let objects = [probe(&lives), probe(&lives)];
                objects.each_ref().map(|object| (pack(object), pack(object)))
            }
        });
        assert_eq!(lives.now(), 2);
        let proxies = mta.run(move || Carry(packets.map(|(one, two)| (unpack::<IProbe>(one), two))));
        sta.close();
        assert_eq!(lives.now(), 0, "proxies and packets do not hold what has ended (MA-21)");
        mta.run(move || {
            for (proxy, packet) in proxies.take() {
                assert_eq!(proxy.Do(0), RPC_S_UNKNOWN_IF_HR);
                assert_eq!(query::<ISynchronize>(&proxy).unwrap_err(), RPC_S_UNKNOWN_IF_HR);
                assert_eq!(try_unpack::<IProbe>(packet).unwrap_err(), CO_E_OBJNOTCONNECTED);
            }
        });
        mta.close();
    });
}

#[test]
fn apt_22_the_end_of_a_client_disconnects_its_proxies() {
    for model in [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED] {
        world(move |world| unsafe {
            let lives = Lives::default();
            let host = world.sta();
            let packet = host.run({
                let lives = lives.clone();
                move || pack(&probe(&lives))
            });
            let left = world.thread(move || {
                assert_eq!(enter(model), S_OK);
                let proxy: IProbe = unpack(packet);
                assert_eq!(proxy.Do(0), S_OK);
                leave();
                assert_eq!(enter(model), S_OK, "a new apartment, so the proxy's is another");
                let hr = proxy.Do(0);
                assert!([RPC_E_WRONG_THREAD, CO_E_OBJNOTCONNECTED].contains(&hr), "{hr}");
                leave();
                Carry(proxy)
            });
            let proxy = left.wait().take();
            assert_eq!(lives.now(), 0, "the object is gone before its proxy");
            assert_eq!(proxy.Do(0), CO_E_OBJNOTCONNECTED);
            let raw = proxy.into_raw();
            assert_eq!(
                windows_core::IUnknown::from_raw_borrowed(&raw).map(|it| (Interface::vtable(it).Release)(raw)),
                Some(0)
            );
            host.close();
        });
    }
}

#[test]
fn apt_23_threads_that_end_without_couninitialize() {
    for (server, client) in [
        (COINIT_MULTITHREADED, COINIT_APARTMENTTHREADED),
        (COINIT_MULTITHREADED, COINIT_MULTITHREADED),
        (COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED),
    ] {
        world(move |world| {
            let lives = Lives::default();
            let served = lives.clone();
            let keeper = world.sta();
            let packet = world
                .thread(move || {
                    assert_eq!(enter(server), S_OK);
                    assert_eq!(enter(server), S_FALSE);
                    let object = probe(&served);
                    pack(&object)
                })
                .wait();
            assert_eq!(lives.now(), 0, "its apartment has ended with it");
            let failed = world.thread(move || {
                assert_eq!(enter(client), S_OK);
                let hr = try_unpack::<IProbe>(packet).unwrap_err();
                assert_eq!(hr, CO_E_OBJNOTCONNECTED);
            });
            failed.wait();
            let host = world.sta();
            let packet = host.run({
                let lives = lives.clone();
                move || pack(&probe(&lives))
            });
            let proxy = world
                .thread(move || {
                    assert_eq!(enter(client), S_OK);
                    Carry(unpack::<IProbe>(packet))
                })
                .wait();
            assert_eq!(lives.now(), 0, "the client's references ended with its thread");
            drop(proxy);
            host.close();
            keeper.close();
            assert_eq!(kind(), NOWHERE);
        });
    }
}

#[test]
fn apt_25_an_object_that_faults_in_its_release() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the last Release");
        }
    }
    world(|world| {
        let lives = Lives::default();
        let sta = world.sta();
        let other = lives.clone();
        let packets = sta.run(move || {
            let bomb = Bomb;
            let object = probe_that(&Lives::default(), move |_| {
                let _ = &bomb;
                S_OK
            });
            [pack(&object), pack(&probe(&other))]
        });
        sta.close();
        assert_eq!(lives.now(), 0);
        let mta = world.mta();
        mta.run(move || {
            for packet in packets {
                assert_eq!(try_unpack::<IProbe>(packet).unwrap_err(), CO_E_OBJNOTCONNECTED);
            }
        });
        mta.close();
    });
}

#[test]
fn apt_28_outside_com() {
    world(|_| unsafe {
        let lives = Lives::default();
        let object = probe(&lives);
        let (mut raw, mut cookie) = (null_mut(), 0);
        let clsid = &CLSID_ManualResetEvent;
        let unknown = object.as_raw();
        assert_eq!(CoCreateInstance(clsid, null_mut(), 1, &ISynchronize::IID, &mut raw), CO_E_NOTINITIALIZED);
        assert_eq!(CoGetClassObject(clsid, 1, null_mut(), &IClassFactory::IID, &mut raw), CO_E_NOTINITIALIZED);
        assert_eq!(CoRegisterClassObject(clsid, unknown, 1, 1, &mut cookie), CO_E_NOTINITIALIZED);
        assert_eq!(CoRevokeClassObject(1), CO_E_NOTINITIALIZED);
        assert_eq!(CoMarshalInterThreadInterfaceInStream(&IProbe::IID, unknown, &mut raw), CO_E_NOTINITIALIZED);
        assert_eq!(CoRegisterPSClsid(&IProbe::IID, clsid), CO_E_NOTINITIALIZED);
        assert_eq!(CoIncrementMTAUsage(&mut raw), S_OK, "the exception that ends the state");
        assert_eq!(CoDecrementMTAUsage(raw), S_OK);
        leave();
        assert_eq!(kind(), NOWHERE, "AP-16: one CoUninitialize too many is harmless");
    });
}

#[test]
fn a_destructor_may_leave_and_enter_while_its_apartment_ends() {
    struct Leaver(Arc<AtomicU32>);
    impl Drop for Leaver {
        fn drop(&mut self) {
            assert_eq!(kind().2, S_OK);
            assert_eq!(enter(COINIT_APARTMENTTHREADED), S_FALSE);
            leave();
            leave();
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    world(|_| {
        let ran = Arc::new(AtomicU32::new(0));
        assert_eq!(enter(COINIT_APARTMENTTHREADED), S_OK);
        let leaver = Leaver(ran.clone());
        let object = probe_that(&Lives::default(), move |_| {
            let _ = &leaver;
            S_OK
        });
        let packet = pack(&object);
        drop(object);
        leave();
        assert_eq!(ran.load(Ordering::SeqCst), 1);
        assert_eq!(kind(), NOWHERE);
        drop(unsafe { windows_core::IUnknown::from_raw(packet.take()) });
    });
}

#[test]
fn many_lives_of_one_thread() {
    world(|_| {
        for turn in 0..200 {
            let model = if turn % 3 == 0 { COINIT_MULTITHREADED } else { COINIT_APARTMENTTHREADED };
            assert_eq!(enter(model), S_OK);
            leave();
        }
        assert_eq!(kind(), NOWHERE);
    });
}
