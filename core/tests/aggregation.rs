//! Call objects under outer objects, and the completion callback: facts section 7, row by row.

mod support;

use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use std::ptr;
use std::sync::Arc;
use support::outer::{AgileNotify, Blind, Notify, agile_notify, blind, notify};
use support::probe::*;
use support::*;

fn identity(unknown: &impl Interface) -> *mut std::ffi::c_void {
    unknown.cast::<IUnknown>().unwrap().as_raw()
}

/// The thread that Signal ran on.
fn signal_thread(log: &Log) -> u32 {
    let lines = log.lines();
    let said = lines.iter().find_map(|line| line.strip_prefix("Signal on ")).expect("Signal was called");
    said.parse().unwrap()
}

#[test]
fn agg_01_interfaces_of_the_call_object_are_the_outers() {
    each_pair(Flavour::Sync, |scene| {
        let (outer, caller) = notify(&scene.probe, Notify::new(&Log::default()));
        let controlling = identity(&outer.to_interface::<ISynchronize>());
        for found in [identity(&caller.call), identity(&caller.sync), identity(&caller.cancel)] {
            assert_eq!(found, controlling);
        }
        assert_eq!(identity(&caller.call.cast::<ICallFactory>().unwrap()), controlling);
        assert_eq!(caller.sync.as_raw(), outer.to_interface::<ISynchronize>().as_raw(), "the outer's own");
    });
}

#[test]
fn agg_02_under_an_outer_only_iunknown_may_be_asked_for() {
    each_pair(Flavour::Sync, |scene| {
        let outer: ISynchronize = Notify::new(&Log::default()).into();
        for iid in [AsyncIProbe::IID, ISynchronize::IID] {
            let made = create_call(&scene.probe, identity(&outer), &iid);
            assert_eq!(made, (CLASS_E_NOAGGREGATION, ptr::null_mut()));
        }
    });
}

#[test]
fn agg_03_the_outers_isynchronize_is_called() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        assert_eq!(caller.begin(3), S_OK);
        assert!(log.has("Reset"));
        log.pump_for("Signal done");
        assert_eq!(caller.finish(), (S_OK, 6));
        assert!(log.has("Wait"));
        drop((caller, outer));
    });
}

#[test]
fn agg_04_a_blind_outer_gets_no_callback() {
    each_pair(Flavour::Sync, |scene| {
        let (outer, caller) = blind(&scene.probe, Blind::new());
        let gate = scene.script.hold(3);
        assert_eq!(caller.wait(0), RPC_S_CALLPENDING);
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.wait(0), RPC_S_CALLPENDING);
        gate.set();
        assert_eq!(caller.wait(INFINITE), S_OK);
        assert_eq!(caller.finish(), (S_OK, 6));
        let gate = scene.script.hold(4);
        assert_eq!(caller.begin(4), S_OK);
        assert_eq!((caller.cancel(0), caller.finish().0), (S_OK, RPC_S_CALL_CANCELLED_HR));
        gate.set();
        drop((caller, outer));
    });
}

#[test]
fn agg_05_cancelling_through_the_outer_signals_the_outer() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        let gate = scene.script.hold(3);
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.cancel(0), S_OK);
        // Before Cancel returns, on this thread (ruling).
        // SAFETY: no pointers.
        assert_eq!((log.count("Signal done"), signal_thread(&log)), (1, unsafe { GetCurrentThreadId() }));
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        gate.set();
        scene.log().wait_for("cancelled 3");
        drop((caller, outer));
    });
}

#[test]
fn agg_06_a_reset_that_fails_fails_begin_and_nothing_is_sent() {
    each_pair(Flavour::Sync, |scene| {
        let (outer, caller) = notify(&scene.probe, Notify::new(&Log::default()));
        outer.plan.reset.set(Some(E_NOTIMPL));
        assert_eq!(caller.begin(3), E_NOTIMPL);
        assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE);
        assert_eq!(caller.cancel(0), RPC_E_CALL_COMPLETE);
        outer.plan.reset.set(None);
        assert_eq!(caller.begin(4), S_OK);
        assert_eq!(caller.finish(), (S_OK, 8));
        assert!(!scene.log().has("enter 3"));
        drop((caller, outer));
    });
}

#[test]
fn agg_06_the_code_of_a_signal_that_fails_comes_from_finish() {
    each_pair(Flavour::Sync, |scene| {
        let (outer, caller) = notify(&scene.probe, Notify::new(&Log::default()));
        outer.plan.signal.set(Some(E_FAIL));
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.finish().0, E_FAIL, "and Finish_ does not wait for ever");
        outer.plan.signal.set(None);
        assert_eq!(caller.begin(4), S_OK);
        assert_eq!(caller.finish(), (S_OK, 8));
        drop((caller, outer));
    });
}

#[test]
fn agg_07_a_wait_that_fails_fails_finish_and_the_call_goes_on() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        outer.plan.wait.set(Some(E_NOTIMPL));
        assert_eq!(caller.begin(3), S_OK);
        log.pump_for("Signal done");
        assert_eq!(caller.finish().0, E_NOTIMPL);
        assert_eq!(caller.begin(4), RPC_S_CALLPENDING);
        outer.plan.wait.set(None);
        assert_eq!(caller.finish(), (S_OK, 6));
        drop((caller, outer));
    });
}

#[test]
fn agg_07_fire_and_forget_with_an_outer_that_cannot_wait() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        outer.plan.wait.set(Some(E_NOTIMPL));
        assert_eq!(caller.begin(3), S_OK);
        drop((caller, outer));
        log.pump_for("Signal done");
        scene.log().wait_for("done 3");
    });
}

#[test]
fn an_outer_whose_wait_lies_gets_no_result_before_there_is_one() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        outer.plan.wait.set(Some(S_OK));
        let gate = scene.script.hold(3);
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.finish().0, RPC_S_CALLPENDING);
        assert_eq!(caller.begin(4), RPC_S_CALLPENDING);
        gate.set();
        log.pump_for("Signal done");
        assert_eq!(caller.finish(), (S_OK, 6));
        drop((caller, outer));
    });
}

/// An outer with an event of its own, no kernel object at all behind it.
#[com_class(ISynchronize, blind = inner)]
struct Counting {
    inner: object::Inner,
    log: Log,
}

impl ISynchronize_Impl for Counting_Impl {
    unsafe fn Wait(&self, _flags: u32, _ms: u32) -> HRESULT {
        self.log.pump_for("told");
        S_OK
    }
    unsafe fn Signal(&self) -> HRESULT {
        self.log.say("told");
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        S_OK
    }
}

#[test]
fn agg_08_the_outer_needs_no_kernel_event() {
    each_pair(Flavour::Sync, |scene| {
        let outer = windows_core::ComObject::new(Counting { inner: object::Inner::new(), log: Log::default() });
        // SAFETY: the field is the outer's own.
        let made = unsafe {
            outer.aggregate(&outer.inner, |unknown, riid, ppv| {
                let (hr, raw) = create_call(&scene.probe, unknown, &*riid);
                *ppv = raw;
                hr
            })
        };
        made.unwrap();
        let caller = Caller::of(outer.to_interface::<IUnknown>().cast().unwrap());
        assert_eq!(caller.begin(5), S_OK);
        assert_eq!(caller.finish(), (S_OK, 10));
        drop((caller, outer));
    });
}

#[test]
fn agg_09_signal_comes_on_the_thread_of_an_sta_outer() {
    for server in [Kind::Sta, Kind::Mta] {
        scene(Kind::Sta, server, Flavour::Sync, |scene| {
            let log = Log::default();
            let (outer, caller) = notify(&scene.probe, Notify::new(&log));
            assert_eq!(caller.begin(1), S_OK);
            scene.log().wait_for("done 1");
            assert!(!log.has("Signal"), "not before the thread dispatches");
            log.pump_for("Signal done");
            // SAFETY: no pointers.
            assert_eq!(signal_thread(&log), unsafe { GetCurrentThreadId() });
            assert_eq!(caller.finish(), (S_OK, 2));
            drop((caller, outer));
        });
    }
}

#[test]
fn agg_09_signal_comes_in_the_mta_for_an_mta_outer() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let (packet, server) = (host.packet(), host.apt.thread_id);
        enter(Kind::Mta);
        let log = Log::default();
        let (outer, caller) = notify(&packet.unpack(), Notify::new(&log));
        assert_eq!(caller.begin(1), S_OK);
        log.wait_for("Signal done");
        // SAFETY: no pointers.
        let me = unsafe { GetCurrentThreadId() };
        assert!(signal_thread(&log) != server && signal_thread(&log) != me, "a worker of the pool");
        assert_eq!(caller.finish(), (S_OK, 2));
        drop((caller, outer));
        host.stop();
        leave();
    });
}

#[test]
fn agg_09_an_agile_outer_is_signalled_where_the_call_was_completed() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let server = host.apt.thread_id;
        for kind in [Kind::Mta, Kind::Sta] {
            let packet = host.packet();
            let client = Apt::start(kind);
            client.run(move || {
                let log = Log::default();
                let (outer, caller) = agile_notify(&packet.unpack(), AgileNotify::new(&log));
                assert_eq!(caller.begin(1), S_OK);
                log.wait_for(&format!("Signal: {S_OK:?}"));
                assert_eq!(signal_thread(&log), server);
                assert_eq!(caller.finish(), (S_OK, 2));
                drop((caller, outer));
            });
            client.stop();
        }
        host.stop();
    });
}

#[test]
fn agg_09_an_agile_outer_is_never_signalled_inside_begin() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let packet = host.packet();
        enter(Kind::Mta);
        let log = Log::default();
        let (outer, caller) = agile_notify(&packet.unpack(), AgileNotify::new(&log));
        host.stop();
        assert_eq!(caller.begin(1), S_OK);
        log.wait_for(&format!("Signal: {S_OK:?}"));
        // SAFETY: no pointers.
        assert_ne!(signal_thread(&log), unsafe { GetCurrentThreadId() });
        assert_eq!(caller.finish().0, RPC_S_UNKNOWN_IF_HR);
        drop((caller, outer));
        leave();
    });
}

#[test]
fn agg_10_a_wait_on_the_raw_handle_runs_elsewhere() {
    scene(Kind::Sta, Kind::Mta, Flavour::Sync, |scene| {
        let gate = scene.script.hold(1);
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        let handle: ISynchronizeHandle = caller.call.cast().unwrap();
        let mut raw = HANDLE::NULL;
        // SAFETY: the pointer is valid.
        assert_eq!(unsafe { handle.GetHandle(&mut raw) }, S_OK);
        let raw = Sent(raw);
        let waiter = Thread::start("waiter", move || {
            // SAFETY: the handle is alive until this thread is joined.
            assert_eq!(unsafe { WaitForSingleObject(raw.take(), INFINITE) }, 0);
        });
        gate.set();
        waiter.join();
        assert_eq!(caller.finish(), (S_OK, 2));
    });
}

#[test]
fn agg_11_finish_may_be_called_from_inside_signal() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        for n in 1..4 {
            *outer.plan.on_signal.lock().expect("no panic under it") = Some(Box::new(|notify| {
                let caller = Caller::of(notify.query().expect("blindly from the inner object"));
                let (hr, twice) = caller.finish();
                assert_eq!(hr, S_OK);
                // And the next call may begin there.
                if twice == 6 {
                    assert_eq!(caller.begin(50), S_OK);
                }
                notify.log().say(format!("finished {twice}"));
            }));
            assert_eq!(caller.begin(n), S_OK);
            log.pump_for(&format!("finished {}", 2 * n));
        }
        assert_eq!(caller.finish(), (S_OK, 100));
        assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE);
        drop((caller, outer));
    });
}

#[test]
fn agg_11_finish_inside_the_signal_of_cancel() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        *outer.plan.on_signal.lock().expect("no panic under it") = Some(Box::new(|notify| {
            let caller = Caller::of(notify.query().unwrap());
            assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
            notify.log().say("finished");
        }));
        let gate = scene.script.hold(1);
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.cancel(0), S_OK);
        assert!(log.has("finished"));
        assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE);
        gate.set();
        scene.log().wait_for("cancelled 1");
        drop((caller, outer));
    });
}

#[test]
fn agg_12_agg_13_an_outer_released_while_pending_is_signalled_and_then_goes() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let gate = scene.script.hold(1);
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        assert_eq!(caller.begin(1), S_OK);
        drop((caller, outer));
        assert!(!log.has("Signal"));
        gate.set();
        log.pump_for("Signal done");
        scene.log().wait_for("done 1");
    });
}

#[test]
fn agg_13_everything_is_released_from_inside_signal() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        let own = Sent(std::cell::RefCell::new(None));
        let slot = Arc::new(own);
        let theirs = slot.clone();
        *outer.plan.on_signal.lock().expect("no panic under it") = Some(Box::new(move |notify| {
            let everything = theirs.0.take();
            assert!(everything.is_some());
            drop::<Option<(windows_core::ComObject<Notify>, Caller)>>(everything);
            notify.log().say("released");
        }));
        let gate = scene.script.hold(1);
        assert_eq!(caller.begin(1), S_OK);
        *slot.0.borrow_mut() = Some((outer, caller));
        gate.set();
        log.pump_for("released");
        log.pump_for("Signal done");
    });
}

#[test]
fn agg_13_released_on_another_thread_of_the_mta_while_the_call_completes() {
    scene(Kind::Mta, Kind::Sta, Flavour::Sync, |scene| {
        for n in 0..100 {
            let log = Log::default();
            let gate = scene.script.hold(n);
            let (outer, caller) = notify(&scene.probe, Notify::new(&log));
            assert_eq!(caller.begin(n), S_OK);
            let everything = Sent((outer, caller));
            let thread = Thread::start("releases", move || {
                enter(Kind::Mta);
                drop(everything.take());
                leave();
            });
            gate.set();
            log.wait_for("Signal done");
            thread.join();
        }
    });
}

#[test]
fn agg_13_the_clients_sta_ends_with_a_call_pending() {
    in_process(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let gate = host.script.hold(1);
        for released in [true, false] {
            let (packet, client) = (host.packet(), Apt::sta());
            let log = Log::default();
            let left = client.run({
                let log = log.clone();
                move || {
                    let (outer, caller) = notify(&packet.unpack(), Notify::new(&log));
                    assert_eq!(caller.begin(1), S_OK);
                    if released { None } else { Some(Sent((outer, caller))) }
                }
            });
            if let Some(left) = left {
                client.run(move || drop(left));
            }
            let thread = client.thread_id;
            client.stop();
            assert!(!log.has("Signal"), "nobody is there to call it");
            assert!(log.has(&format!("dropped on {thread}")), "in its own apartment");
        }
        gate.set();
        // The call objects are gone: that asks the server to stop (CALL-32).
        host.script.log().wait_for("cancelled 1");
        host.stop();
    });
}
