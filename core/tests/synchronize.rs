//! The system's event classes through COM: facts section 5, and the rows of Wine's tests on events (EV).

mod support;

use oleander::object::Inner;
use oleander::platform;
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ptr;
use support::probe::*;
use support::*;

fn create_raw(class: &GUID, outer: *mut std::ffi::c_void, iid: &GUID) -> (HRESULT, *mut std::ffi::c_void) {
    let mut raw = ptr::dangling_mut();
    // SAFETY: valid arguments.
    (unsafe { CoCreateInstance(class, outer, CLSCTX_INPROC_SERVER, iid, &mut raw) }, raw)
}

#[track_caller]
fn create(class: &GUID) -> ISynchronize {
    let (hr, raw) = create_raw(class, ptr::null_mut(), &ISynchronize::IID);
    assert_eq!(hr, S_OK);
    // SAFETY: a counted pointer.
    unsafe { ISynchronize::from_raw(raw) }
}

fn wait_for(sync: &ISynchronize, ms: u32) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { sync.Wait(COWAIT_DEFAULT, ms) }
}

fn signal(sync: &ISynchronize) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { sync.Signal() }
}

fn reset(sync: &ISynchronize) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { sync.Reset() }
}

fn handle_of(sync: &ISynchronize) -> HANDLE {
    let mut handle = HANDLE::NULL;
    // SAFETY: the pointer is valid.
    assert_eq!(unsafe { sync.cast::<ISynchronizeHandle>().expect("SYNC-06").GetHandle(&mut handle) }, S_OK);
    handle
}

fn poll(handle: HANDLE) -> u32 {
    // SAFETY: no pointers.
    unsafe { WaitForSingleObject(handle, 0) }
}

/// Runs a test in both kinds of apartment.
fn each_kind(test: impl Fn() + Send + Sync + 'static) {
    in_process(move || {
        for kind in [Kind::Sta, Kind::Mta] {
            enter(kind);
            test();
            leave();
        }
    });
}

#[test]
fn ev_01_outside_com() {
    in_process(|| {
        let made = create_raw(&CLSID_ManualResetEvent, ptr::null_mut(), &ISynchronize::IID);
        assert_eq!(made, (CO_E_NOTINITIALIZED, ptr::null_mut()));
    });
}

#[test]
fn ev_02_sync_04_two_events_are_independent() {
    each_kind(|| {
        let (hr, raw) = create_raw(&CLSID_ManualResetEvent, ptr::null_mut(), &IUnknown::IID);
        assert!(hr == S_OK && !raw.is_null());
        // SAFETY: a counted pointer.
        let first: ISynchronize = unsafe { IUnknown::from_raw(raw) }.cast().unwrap();
        let second = create(&CLSID_ManualResetEvent);
        assert_ne!(first.as_raw(), second.as_raw());
        // EV-07
        assert_eq!(signal(&first), S_OK);
        assert_eq!((wait_for(&first, 5), wait_for(&second, 5)), (S_OK, RPC_S_CALLPENDING));
    });
}

#[test]
fn ev_04_sync_01_sync_11_sync_12_a_new_event_is_not_signalled_and_the_wait_takes_its_time() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        let before = platform::now_ns();
        assert_eq!(wait_for(&event, 5), RPC_S_CALLPENDING);
        assert!(platform::now_ns() - before >= 5_000_000);
        assert_eq!(wait_for(&event, 0), RPC_S_CALLPENDING);
        assert_eq!(RPC_S_CALLPENDING.0 as u32, 0x8001_0115);
    });
}

#[test]
fn ev_05_ev_06_sync_02_sync_03_signal_sticks_until_reset() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        assert_eq!((reset(&event), signal(&event)), (S_OK, S_OK), "SYNC-03: reset when it is reset already");
        assert_eq!((wait_for(&event, 5), wait_for(&event, 5), wait_for(&event, INFINITE)), (S_OK, S_OK, S_OK));
        assert_eq!((reset(&event), wait_for(&event, 5)), (S_OK, RPC_S_CALLPENDING));
        assert_eq!((signal(&event), signal(&event)), (S_OK, S_OK), "SYNC-14");
    });
}

#[test]
fn sync_05_a_wait_resets_a_standard_event() {
    each_kind(|| {
        let event = create(&CLSID_StdEvent);
        assert_eq!(wait_for(&event, 0), RPC_S_CALLPENDING);
        assert_eq!((signal(&event), signal(&event)), (S_OK, S_OK));
        assert_eq!((wait_for(&event, 0), wait_for(&event, 0)), (S_OK, RPC_S_CALLPENDING));
        assert_eq!((signal(&event), reset(&event), wait_for(&event, 0)), (S_OK, S_OK, RPC_S_CALLPENDING));
        assert_eq!(signal(&event), S_OK);
        let handle = handle_of(&event);
        assert_eq!((poll(handle), poll(handle)), (0, WAIT_TIMEOUT), "so does a wait on its handle");
    });
}

#[test]
fn ev_08_sync_06_sync_07_sync_08_the_handle_is_the_same_event() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        let handle = handle_of(&event);
        assert!(!handle.is_null() && handle != INVALID_HANDLE_VALUE);
        assert_eq!(handle_of(&event), handle, "always the same one");
        assert_eq!(poll(handle), WAIT_TIMEOUT);
        assert_eq!((signal(&event), poll(handle)), (S_OK, 0));
        assert_eq!((reset(&event), poll(handle)), (S_OK, WAIT_TIMEOUT));
        // SAFETY: the handle is the object's.
        unsafe {
            assert!(SetEvent(handle).as_bool());
            assert_eq!(wait_for(&event, 0), S_OK);
            assert!(ResetEvent(handle).as_bool());
            assert_eq!(wait_for(&event, 0), RPC_S_CALLPENDING);
        }
        drop(event);
        assert_eq!(debug::open_handles(), 0, "closed with the object");
        assert_eq!(poll(handle), WAIT_FAILED);
    });
}

#[test]
fn sync_07_a_duplicate_outlives_the_object() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        let mut copy = HANDLE::NULL;
        // SAFETY: valid arguments; the copy is closed once.
        unsafe {
            let me = GetCurrentProcess();
            let done = DuplicateHandle(me, handle_of(&event), me, &mut copy, 0, false.into(), DUPLICATE_SAME_ACCESS);
            assert!(done.as_bool());
        }
        assert_eq!(signal(&event), S_OK);
        drop(event);
        assert_eq!(poll(copy), 0);
        // SAFETY: as above.
        assert!(unsafe { CloseHandle(copy) }.as_bool());
    });
}

#[test]
fn ev_09_sync_16_reference_counts() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        let raw = event.into_raw();
        // SAFETY: as many references are given back as were taken.
        unsafe {
            let table = &**raw.cast::<*const windows_core::IUnknown_Vtbl>();
            let counts = [(table.AddRef)(raw), (table.AddRef)(raw), (table.Release)(raw), (table.Release)(raw)];
            assert_eq!(counts, [2, 3, 2, 1]);
            assert_eq!((table.Release)(raw), 0);
        }
    });
}

#[test]
fn ev_12_sync_15_signal_releases_every_wait() {
    in_process(|| {
        enter(Kind::Mta);
        let event = create(&CLSID_ManualResetEvent);
        let log = Log::default();
        let waiters: Vec<_> = (0..4)
            .map(|n| {
                let (event, log) = (Sent(event.clone()), log.clone());
                Thread::start("waiter", move || {
                    enter(Kind::Mta);
                    let event = event.take();
                    log.say(format!("waits {n}"));
                    assert_eq!(wait_for(&event, INFINITE), S_OK);
                    drop(event);
                    leave();
                })
            })
            .collect();
        for n in 0..4 {
            log.wait_for(&format!("waits {n}"));
        }
        assert_eq!(signal(&event), S_OK);
        for waiter in waiters {
            waiter.join();
        }
        drop(event);
        leave();
    });
}

#[test]
fn ev_18_sync_13_a_wait_on_an_sta_serves_calls() {
    in_process(|| {
        let (apt, script) = (Apt::sta(), Script::new());
        let packets = apt.run({
            let script = script.clone();
            move || {
                let event = create(&CLSID_ManualResetEvent);
                let packets = (pack(&new_probe(&script, Flavour::Sync, Kind::Sta)), pack(&event));
                (packets, Sent(event))
            }
        });
        let ((probe, event), waited) = packets;
        let waiting = apt.begin(move || assert_eq!(wait_for(&waited.take(), INFINITE), S_OK));
        enter(Kind::Mta);
        let (probe, event) = (probe.unpack(), event.unpack());
        assert_eq!(double(&probe, 3), (S_OK, 6));
        assert_eq!(wait_for(&event, 0), RPC_S_CALLPENDING);
        assert_eq!(signal(&event), S_OK, "through a proxy, served inside the wait");
        waiting.join();
        drop((probe, event));
        apt.stop();
        leave();
    });
}

#[test]
fn sync_13_unknown_flags_are_invalid() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        // SAFETY: no pointers.
        unsafe {
            assert_eq!(event.Wait(0x8000_0000, 0), E_INVALIDARG);
            assert_eq!(event.Wait(COWAIT_DISPATCH_CALLS | COWAIT_DISPATCH_WINDOW_MESSAGES, 0), RPC_S_CALLPENDING);
        }
    });
}

/// An outer object around a system event.
#[com_class(IClassFactory, blind = inner)]
struct Around {
    inner: Inner,
}

impl IClassFactory_Impl for Around_Impl {
    unsafe fn CreateInstance(
        &self,
        _outer: *mut std::ffi::c_void,
        _riid: *const GUID,
        _ppv: *mut *mut std::ffi::c_void,
    ) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn LockServer(&self, _lock: windows_core::BOOL) -> HRESULT {
        S_OK
    }
}

#[test]
fn ev_15_sync_17_agg_02_the_events_can_be_aggregated() {
    each_kind(|| {
        for class in [CLSID_ManualResetEvent, CLSID_StdEvent] {
            let outer = ComObject::new(Around { inner: Inner::new() });
            // SAFETY: the field is the outer's own.
            let made = unsafe {
                outer.aggregate(&outer.inner, |unknown, iid, ppv| {
                    let (hr, raw) = create_raw(&class, unknown, &*iid);
                    *ppv = raw;
                    hr
                })
            };
            made.unwrap();
            let sync: ISynchronize = outer.to_interface::<IClassFactory>().cast().unwrap();
            assert_eq!(wait_for(&sync, 0), RPC_S_CALLPENDING);
            assert_eq!((signal(&sync), wait_for(&sync, 0)), (S_OK, S_OK));
            let unknown: IUnknown = sync.cast().unwrap();
            assert_eq!(unknown.as_raw(), outer.to_interface::<IUnknown>().as_raw());
            assert!(sync.cast::<IClassFactory>().is_ok());
            let refused = create_raw(&class, unknown.as_raw(), &ISynchronize::IID);
            assert_eq!(refused, (CLASS_E_NOAGGREGATION, ptr::null_mut()));
        }
    });
}

#[test]
fn null_pointers_are_refused() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        let (handle, set): (ISynchronizeHandle, ISynchronizeEvent) = (event.cast().unwrap(), event.cast().unwrap());
        // SAFETY: null is what is tested.
        unsafe {
            assert_eq!(handle.GetHandle(ptr::null_mut()), E_INVALIDARG);
            assert_eq!(set.SetEventHandle(ptr::null_mut()), E_INVALIDARG);
            let hr = CoCreateInstance(
                &CLSID_ManualResetEvent,
                ptr::null_mut(),
                CLSCTX_INPROC_SERVER,
                &IUnknown::IID,
                ptr::null_mut(),
            );
            assert!(hr == E_POINTER || hr == E_INVALIDARG, "{hr:?}");
        }
        assert_eq!(event.cast::<IProbe>().unwrap_err().code(), E_NOINTERFACE);
    });
}

fn new_event(auto: bool) -> HANDLE {
    // SAFETY: null security and name.
    let handle = unsafe { CreateEventW(ptr::null_mut(), (!auto).into(), false.into(), ptr::null()) };
    assert!(!handle.is_null());
    handle
}

fn set_handle(event: &ISynchronize, mut handle: HANDLE) -> HRESULT {
    let set: ISynchronizeEvent = event.cast().expect("SYNC-10");
    // SAFETY: the pointer is valid.
    unsafe { set.SetEventHandle(&mut handle) }
}

#[test]
fn sync_09_sync_10_a_handle_that_is_given_is_the_objects_own() {
    each_kind(|| {
        for class in [CLSID_ManualResetEvent, CLSID_StdEvent] {
            let event = create(&class);
            let handle = new_event(false);
            assert_eq!(set_handle(&event, handle), S_OK);
            assert_eq!(handle_of(&event), handle);
            assert_eq!((signal(&event), poll(handle)), (S_OK, 0));
            assert_eq!((reset(&event), poll(handle)), (S_OK, WAIT_TIMEOUT));
            // SAFETY: the handle is open.
            assert!(unsafe { SetEvent(handle) }.as_bool());
            assert_eq!((wait_for(&event, 0), wait_for(&event, 0)), (S_OK, S_OK), "the handle's own way of resetting");
            let second = new_event(false);
            assert_eq!(set_handle(&event, second), E_UNEXPECTED);
            // SAFETY: it stayed the caller's.
            assert!(unsafe { CloseHandle(second) }.as_bool());
            drop(event);
            assert_eq!(poll(handle), WAIT_FAILED, "closed with the object");
        }
    });
}

#[test]
fn sync_10_no_handle_is_taken_after_one_was_handed_out() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        let own = handle_of(&event);
        let handle = new_event(false);
        assert_eq!(set_handle(&event, handle), E_UNEXPECTED);
        assert_eq!(handle_of(&event), own);
        // SAFETY: it stayed the caller's.
        assert!(unsafe { CloseHandle(handle) }.as_bool());
    });
}

#[test]
fn sync_10_only_events_are_taken() {
    each_kind(|| {
        let event = create(&CLSID_ManualResetEvent);
        // SAFETY: null security and name.
        let semaphore = unsafe { CreateSemaphoreW(ptr::null_mut(), 0, 1, ptr::null()) };
        assert_eq!(set_handle(&event, semaphore), E_INVALIDARG);
        // SAFETY: it stayed the caller's.
        assert!(unsafe { CloseHandle(semaphore) }.as_bool());
        assert_eq!(set_handle(&event, semaphore), E_HANDLE, "stale");
        assert_eq!((signal(&event), wait_for(&event, 0)), (S_OK, S_OK));
    });
}

#[test]
fn sync_18_not_in_an_app_container() {
    each_kind(|| {
        for (class, expected) in [
            (CLSID_ManualResetEvent, REGDB_E_CLASSNOTREG),
            (CLSID_StdEvent, REGDB_E_CLASSNOTREG),
            (CLSID_InProcFreeMarshaler, S_OK),
            (CLSID_StdGlobalInterfaceTable, S_OK),
        ] {
            for context in [CLSCTX_INPROC_SERVER, CLSCTX_INPROC_SERVER | CLSCTX_APPCONTAINER] {
                let mut raw = ptr::dangling_mut();
                // SAFETY: valid arguments; what comes back is counted.
                unsafe {
                    let hr = CoCreateInstance(&class, ptr::null_mut(), context, &IUnknown::IID, &mut raw);
                    let expected = if context & CLSCTX_APPCONTAINER == 0 { S_OK } else { expected };
                    assert_eq!((hr, raw.is_null()), (expected, expected != S_OK), "{class:?}");
                    if !raw.is_null() {
                        drop(IUnknown::from_raw(raw));
                    }
                }
            }
        }
    });
}

#[test]
fn events_cross_apartments_and_stay_one_event() {
    in_process(|| {
        let apt = Apt::sta();
        let (event, packets) = apt.run(|| {
            let event = create(&CLSID_ManualResetEvent);
            let handle: ISynchronizeHandle = event.cast().unwrap();
            let packets = (pack(&event), pack(&handle));
            (Sent(event), packets)
        });
        enter(Kind::Mta);
        let (sync, handle) = (packets.0.unpack(), packets.1.unpack());
        let mut raw = HANDLE::NULL;
        // SAFETY: the pointer is valid.
        assert_eq!(unsafe { handle.GetHandle(&mut raw) }, S_OK);
        assert_eq!((signal(&sync), poll(raw)), (S_OK, 0));
        let event = apt.run(move || {
            assert_eq!((wait_for(&event.0, 0), reset(&event.0)), (S_OK, S_OK));
            event
        });
        assert_eq!((wait_for(&sync, 0), poll(raw)), (RPC_S_CALLPENDING, WAIT_TIMEOUT));
        drop((sync, handle));
        apt.run(move || drop(event));
        apt.stop();
        leave();
    });
}
