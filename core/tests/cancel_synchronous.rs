//! Cancelling synchronous calls: facts section 9.3, row by row.

mod support;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use support::probe::*;
use support::*;

fn enable() -> HRESULT {
    // SAFETY: null, as it must be.
    unsafe { CoEnableCallCancellation(std::ptr::null_mut()) }
}

fn disable() -> HRESULT {
    // SAFETY: null, as it must be.
    unsafe { CoDisableCallCancellation(std::ptr::null_mut()) }
}

fn cancel_object(thread: u32, iid: &GUID) -> Result<IUnknown, HRESULT> {
    let mut raw = std::ptr::dangling_mut();
    // SAFETY: valid arguments; on success a counted pointer.
    unsafe {
        match CoGetCancelObject(thread, iid, &mut raw) {
            S_OK => Ok(IUnknown::from_raw(raw)),
            hr => {
                assert!(raw.is_null());
                Err(hr)
            }
        }
    }
}

fn cancel_call(thread: u32, seconds: u32) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { CoCancelCall(thread, seconds) }
}

#[test]
fn cxl_30_cn_01_cn_02_cn_03_the_enable_count() {
    in_process(|| {
        assert_eq!(disable(), CO_E_CANCEL_DISABLED);
        assert_eq!((enable(), disable(), disable()), (S_OK, S_OK, CO_E_CANCEL_DISABLED));
        assert_eq!((enable(), enable()), (S_OK, S_OK));
        assert_eq!((disable(), disable(), disable()), (S_OK, S_OK, CO_E_CANCEL_DISABLED));
    });
}

#[test]
fn cxl_31_cn_05_the_count_is_the_threads_own_and_has_nothing_to_do_with_apartments() {
    in_process(|| {
        assert_eq!(enable(), S_OK);
        for kind in [Kind::Sta, Kind::Mta] {
            enter(kind);
            leave();
        }
        Thread::start("other", || assert_eq!(disable(), CO_E_CANCEL_DISABLED)).join();
        assert_eq!((disable(), disable()), (S_OK, CO_E_CANCEL_DISABLED));
    });
}

#[test]
fn cxl_33_the_reserved_argument_is_null() {
    in_process(|| {
        let not_null = std::ptr::dangling_mut::<c_void>();
        // SAFETY: refused.
        unsafe {
            assert_eq!(CoEnableCallCancellation(not_null), E_INVALIDARG);
            assert_eq!(CoDisableCallCancellation(not_null), E_INVALIDARG);
        }
        assert_eq!(disable(), CO_E_CANCEL_DISABLED);
    });
}

/// A client that makes one synchronous call, which the server holds; `during` runs on the test's thread meanwhile.
#[track_caller]
fn during_a_call(cancellable: bool, expected: HRESULT, during: impl Fn(u32) + Send + Sync + 'static) {
    let during = Arc::new(during);
    for (client, server) in PAIRS {
        let during = during.clone();
        in_process(move || {
            let host = Server::start(server, Flavour::Sync);
            let (packet, gate) = (host.packet(), host.script.hold(3));
            let apt = Apt::start(client);
            let thread = apt.thread_id;
            let calling = apt.begin(move || {
                let probe = packet.unpack();
                if cancellable {
                    assert_eq!(enable(), S_OK);
                }
                assert_eq!(double(&probe, 3).0, expected);
                // Its release may have to wait for the server.
                Sent(probe)
            });
            host.script.log().wait_for("enter 3");
            during(thread);
            gate.set();
            let probe = calling.join();
            apt.run(move || drop(probe));
            assert_eq!(cancel_call(thread, 0), E_NOINTERFACE, "nothing is pending any more");
            host.stop();
            apt.stop();
        });
    }
}

#[test]
fn cxl_36_cxl_39_cxl_40_a_synchronous_call_is_cancelled_from_another_thread() {
    during_a_call(true, RPC_S_CALL_CANCELLED_HR, |thread| assert_eq!(cancel_call(thread, 0), S_OK));
}

#[test]
fn cxl_36_the_cancel_object_of_another_thread() {
    during_a_call(true, RPC_S_CALL_CANCELLED_HR, |thread| {
        assert_eq!(cancel_object(thread, &IProbe::IID).err(), Some(E_NOINTERFACE));
        let cancel: ICancelMethodCalls =
            cancel_object(thread, &ICancelMethodCalls::IID).expect("a call is pending").cast().unwrap();
        // SAFETY: a cancel object is for any thread.
        unsafe {
            assert_eq!(cancel.TestCancel(), RPC_S_CALLPENDING);
            assert_eq!(cancel.Cancel(0), S_OK);
            assert_eq!(cancel.TestCancel(), RPC_E_CALL_CANCELED);
            assert_eq!(cancel.Cancel(0), RPC_E_CALL_CANCELED);
        }
    });
}

#[test]
fn cxl_37_nothing_pending() {
    in_process(|| {
        for thread in [0, 4, 0xFFFF_FFF0] {
            assert_eq!(cancel_object(thread, &ICancelMethodCalls::IID).err(), Some(E_NOINTERFACE));
            assert_eq!(cancel_call(thread, 0), E_NOINTERFACE);
        }
        // SAFETY: null is what is tested.
        unsafe {
            assert_eq!(CoGetCancelObject(0, &ICancelMethodCalls::IID, std::ptr::null_mut()), E_POINTER);
            let mut raw = std::ptr::dangling_mut();
            assert_eq!(CoGetCancelObject(0, std::ptr::null(), &mut raw), E_INVALIDARG);
            assert!(raw.is_null());
        }
    });
}

#[test]
fn cxl_38_a_call_whose_thread_did_not_enable_cancellation() {
    during_a_call(false, S_OK, |thread| {
        assert_eq!(cancel_call(thread, 0), CO_E_CANCEL_DISABLED);
        assert_eq!(cancel_object(thread, &ICancelMethodCalls::IID).err(), Some(CO_E_CANCEL_DISABLED));
    });
}

#[test]
fn cxl_35_another_threads_enabling_is_of_no_use() {
    during_a_call(false, S_OK, |thread| {
        assert_eq!(enable(), S_OK);
        assert_eq!(cancel_call(thread, 0), CO_E_CANCEL_DISABLED);
        assert_eq!(disable(), S_OK);
    });
}

#[test]
fn cxl_36_asynchronous_calls_are_not_found() {
    each_pair(Flavour::Sync, |scene| {
        assert_eq!(enable(), S_OK);
        let gate = scene.script.hold(3);
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(cancel_object(0, &ICancelMethodCalls::IID).err(), Some(E_NOINTERFACE));
        assert_eq!(cancel_call(0, 0), E_NOINTERFACE);
        gate.set();
        assert_eq!(caller.finish(), (S_OK, 6));
    });
}

#[test]
fn cxl_39_a_second_cancel_and_one_that_waits_for_the_reply() {
    in_process(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (packet, gate) = (host.packet(), host.script.hold(AFTER_POLL));
        let apt = Apt::sta();
        let thread = apt.thread_id;
        let calling = apt.begin(move || {
            assert_eq!(enable(), S_OK);
            assert_eq!(double(&packet.unpack(), POLLS), (S_OK, 2 * POLLS), "the method's own result");
        });
        host.script.log().wait_for(&format!("enter {POLLS}"));
        let canceller = Thread::start("canceller", move || {
            assert_eq!(cancel_call(thread, u32::MAX), RPC_E_CALL_COMPLETE);
        });
        host.script.log().wait_for("saw the cancel");
        assert_eq!(cancel_call(thread, 0), RPC_E_CALL_CANCELED);
        gate.set();
        canceller.join();
        calling.join();
        host.stop();
        apt.stop();
    });
}

/// An STA whose thread waits in a synchronous call, and runs a test's code in an incoming one meanwhile.
fn nested(before: impl Fn() + Send + 'static, within: impl Fn() + Send + 'static) -> HRESULT {
    let host = Server::start(Kind::Mta, Flavour::Sync);
    let (packet, gate) = (host.packet(), host.script.hold(3));
    let apt = Apt::sta();
    let within = Sent(within);
    let back = apt.run(move || {
        let within = within;
        pack(&Does::probe(move |_| {
            within.0();
            S_OK
        }))
    });
    let calling = apt.begin(move || {
        before();
        double(&packet.unpack(), 3).0
    });
    host.script.log().wait_for("enter 3");
    enter(Kind::Mta);
    let back = back.unpack();
    assert_eq!(double(&back, 1).0, S_OK);
    drop(back);
    leave();
    gate.set();
    let hr = calling.join();
    host.stop();
    apt.stop();
    hr
}

#[test]
fn cxl_34_what_is_enabled_later_does_not_matter_to_a_pending_call() {
    in_process(|| {
        let hr = nested(
            || (),
            || {
                assert_eq!(enable(), S_OK);
                assert_eq!(cancel_call(0, 0), CO_E_CANCEL_DISABLED);
            },
        );
        assert_eq!(hr, S_OK);
        let hr = nested(
            || assert_eq!(enable(), S_OK),
            || {
                assert_eq!(disable(), S_OK);
                assert_eq!(cancel_call(0, 0), S_OK);
            },
        );
        assert_eq!(hr, RPC_S_CALL_CANCELLED_HR);
    });
}

/// A cancel object of the user's own.
#[com_class(ICancelMethodCalls, agile)]
struct Own {
    cancelled: Arc<AtomicU32>,
}

impl ICancelMethodCalls_Impl for Own_Impl {
    unsafe fn Cancel(&self, seconds: u32) -> HRESULT {
        self.cancelled.store(seconds, Ordering::Release);
        S_FALSE
    }
    unsafe fn TestCancel(&self) -> HRESULT {
        RPC_S_CALLPENDING
    }
}

fn set_cancel_object(object: Option<&IUnknown>) -> HRESULT {
    // SAFETY: null, or a live object.
    unsafe { CoSetCancelObject(object.map_or(std::ptr::null_mut(), Interface::as_raw)) }
}

#[test]
fn cxl_41_a_users_cancel_object_is_pushed_and_popped() {
    in_process(|| {
        enter(Kind::Sta);
        let cancelled = Arc::new(AtomicU32::new(0));
        let own: IUnknown = ICancelMethodCalls::from(Own { cancelled: cancelled.clone() }).cast().unwrap();
        let plain: IUnknown = Does::probe(|_| S_OK).cast().unwrap();
        assert_eq!(set_cancel_object(Some(&plain)), E_NOINTERFACE);
        assert_eq!(set_cancel_object(Some(&own)), S_OK);
        assert_eq!(debug::live_objects(), 2);
        let mut other = Own { cancelled: Arc::default() };
        other.cancelled = cancelled.clone();
        let inner: IUnknown = ICancelMethodCalls::from(other).cast().unwrap();
        assert_eq!(set_cancel_object(Some(&inner)), S_OK);
        drop(inner);
        assert_eq!(debug::live_objects(), 3, "counted by the stack");
        // SAFETY: no pointers.
        let me = unsafe { GetCurrentThreadId() };
        Thread::start("canceller", move || assert_eq!(cancel_call(me, 7), S_FALSE)).join();
        assert_eq!(cancelled.load(Ordering::Acquire), 7, "CXL-02: in seconds");
        assert_eq!(set_cancel_object(None), S_OK);
        assert_eq!(debug::live_objects(), 2, "the innermost goes first");
        assert_eq!(cancel_object(0, &IUnknown::IID).unwrap().as_raw(), own.cast::<IUnknown>().unwrap().as_raw());
        assert_eq!(set_cancel_object(None), S_OK);
        assert_eq!(cancel_call(0, 0), E_NOINTERFACE);
        assert_eq!(set_cancel_object(None), S_OK, "nothing to pop");
        drop((own, plain));
        leave();
    });
}

#[test]
fn cxl_41_cxl_42_a_pending_calls_own_place_is_not_the_users_to_clear() {
    in_process(|| {
        let hr = nested(
            || assert_eq!(enable(), S_OK),
            || {
                assert_eq!(set_cancel_object(None), E_ACCESSDENIED);
                let own: IUnknown = ICancelMethodCalls::from(Own { cancelled: Arc::default() }).cast().unwrap();
                // Pushed, and forgotten: it goes with the call that it was pushed in.
                assert_eq!(set_cancel_object(Some(&own)), S_OK);
            },
        );
        assert_eq!(hr, S_OK);
    });
}

#[test]
fn cxl_36_cxl_42_nested_calls_are_cancelled_innermost_first() {
    in_process(|| {
        let (first, second) = (Server::start(Kind::Mta, Flavour::Sync), Apt::sta());
        let packet = first.packet();
        let script = Script::new();
        let other = second.run({
            let script = script.clone();
            move || pack(&new_probe(&script, Flavour::Sync, Kind::Sta))
        });
        let (gate, gate_of_other) = (first.script.hold(1), script.hold(2));
        let apt = Apt::sta();
        let results = Log::default();
        let back = apt.run({
            let results = results.clone();
            move || {
                let other = other.unpack();
                pack(&Does::probe(move |_| {
                    let (hr, _) = double(&other, 2);
                    results.say(format!("inner {hr:?}"));
                    S_OK
                }))
            }
        });
        let calling = apt.begin({
            let results = results.clone();
            move || {
                assert_eq!(enable(), S_OK);
                let probe = packet.unpack();
                results.say(format!("outer {:?}", double(&probe, 1).0));
                Sent(probe)
            }
        });
        first.script.log().wait_for("enter 1");
        enter(Kind::Mta);
        let back = back.unpack();
        let caller = Caller::new(&back);
        assert_eq!(caller.begin(5), S_OK);
        script.log().wait_for("enter 2");
        assert_eq!(cancel_call(apt.thread_id, 0), S_OK);
        results.wait_for(&format!("inner {RPC_S_CALL_CANCELLED_HR:?}"));
        assert_eq!(caller.finish().0, S_OK);
        assert!(results.lines().len() == 1, "the outer call goes on");
        assert_eq!(cancel_call(apt.thread_id, 0), S_OK);
        results.wait_for(&format!("outer {RPC_S_CALL_CANCELLED_HR:?}"));
        gate.set();
        gate_of_other.set();
        let probe = calling.join();
        apt.run(move || drop(probe));
        drop((caller, back));
        leave();
        first.stop();
        second.stop();
        apt.stop();
    });
}

#[test]
fn cn_07_the_server_of_a_cancelled_synchronous_call_goes_on() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let (packet, gate) = (host.packet(), host.script.hold(3));
        let apt = Apt::mta();
        let calling = apt.begin(move || {
            let probe = packet.unpack();
            assert_eq!(enable(), S_OK);
            assert_eq!(double(&probe, 3).0, RPC_S_CALL_CANCELLED_HR);
            Sent(probe)
        });
        host.script.log().wait_for("enter 3");
        assert_eq!(cancel_call(apt.thread_id, 0), S_OK);
        let probe = calling.join();
        gate.set();
        host.script.log().wait_for("cancelled 3");
        // Its late reply is not the next call's.
        apt.run(move || assert_eq!(double(&probe.take(), 4), (S_OK, 8)));
        host.stop();
        apt.stop();
    });
}

/// A message filter that answers `MessagePending` as it is told.
#[com_class(IMessageFilter)]
struct Impatient {
    pending: u32,
    asked: Arc<AtomicU32>,
    last: Cell<u32>,
}

impl IMessageFilter_Impl for Impatient_Impl {
    unsafe fn HandleInComingCall(&self, _kind: u32, _task: HANDLE, _ticks: u32, _info: *const INTERFACEINFO) -> u32 {
        SERVERCALL_ISHANDLED
    }
    unsafe fn RetryRejectedCall(&self, _task: HANDLE, _ticks: u32, _kind: u32) -> u32 {
        u32::MAX
    }
    unsafe fn MessagePending(&self, _task: HANDLE, _ticks: u32, kind: u32) -> u32 {
        self.last.set(kind);
        self.asked.fetch_add(1, Ordering::Release);
        self.pending
    }
}

fn set_filter(filter: Option<&IMessageFilter>) {
    let mut before = std::ptr::null_mut();
    // SAFETY: null, or a live filter of this apartment; what comes back is counted.
    unsafe {
        let hr = CoRegisterMessageFilter(filter.map_or(std::ptr::null_mut(), Interface::as_raw), &mut before);
        assert_eq!(hr, S_OK);
        if !before.is_null() {
            drop(IMessageFilter::from_raw(before));
        }
    }
}

#[test]
fn cxl_44_a_message_filter_cancels_the_call() {
    in_process(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (packet, gate) = (host.packet(), host.script.hold(3));
        let (apt, asked) = (Apt::sta(), Arc::new(AtomicU32::new(0)));
        let calling = apt.begin({
            let asked = asked.clone();
            move || {
                let filter: IMessageFilter =
                    Impatient { pending: PENDINGMSG_CANCELCALL, asked, last: Cell::new(0) }.into();
                set_filter(Some(&filter));
                let probe = packet.unpack();
                assert_eq!(double(&probe, 3).0, RPC_E_CALL_CANCELED, "not 0x8007071A");
                set_filter(None);
                Sent(probe)
            }
        });
        host.script.log().wait_for("enter 3");
        assert_eq!(asked.load(Ordering::Acquire), 0);
        // SAFETY: no pointers.
        assert!(unsafe { PostThreadMessageW(apt.thread_id, WM_USER, 1, 2) }.as_bool());
        let probe = calling.join();
        assert_eq!(asked.load(Ordering::Acquire), 1);
        gate.set();
        host.script.log().wait_for("cancelled 3");
        apt.run(move || drop(probe));
        host.stop();
        apt.stop();
    });
}

#[test]
fn cxl_44_asynchronous_calls_and_those_of_the_machinery_are_not_the_filters() {
    in_process(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (packet, gate) = (host.packet(), host.script.hold(3));
        let (apt, asked) = (Apt::sta(), Arc::new(AtomicU32::new(0)));
        let script = host.script.clone();
        apt.run(move || {
            let filter: IMessageFilter =
                Impatient { pending: PENDINGMSG_CANCELCALL, asked: asked.clone(), last: Cell::new(0) }.into();
            set_filter(Some(&filter));
            let caller = Caller::new(&packet.unpack());
            assert_eq!(caller.begin(3), S_OK);
            script.log().wait_for("enter 3");
            // SAFETY: no pointers.
            assert!(unsafe { PostThreadMessageW(GetCurrentThreadId(), WM_USER, 1, 2) }.as_bool());
            gate.set();
            assert_eq!(caller.finish(), (S_OK, 6));
            drop(caller);
            assert_eq!(asked.load(Ordering::Acquire), 0);
            set_filter(None);
        });
        host.stop();
        apt.stop();
    });
}
