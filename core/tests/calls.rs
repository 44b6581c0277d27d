//! Call objects as clients use them: facts sections 6 and 6.0, row by row.

mod support;

use oleander::kernel::Event;
use oleander::windows_core::{GUID, IUnknown, Interface};
use oleander::*;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use support::outer::{Notify, notify};
use support::probe::*;
use support::*;

#[test]
fn call_01_a_proxy_answers_icallfactory_locally() {
    in_process(|| {
        // The server's apartment never dispatches while the client asks.
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let packet = host.packet();
        enter(Kind::Mta);
        let probe = packet.unpack();
        let (busy, go) = (Event::manual(), Event::manual());
        let (is_busy, may_go) = (busy.clone(), go.clone());
        let blocked = host.apt.begin(move || {
            is_busy.set();
            wait(&may_go);
        });
        wait(&busy);
        assert!(probe.cast::<ICallFactory>().is_ok());
        // CALL-07: nor does CreateCall ask, with the synchronous interface at hand; CALL-12: nor does Begin_ wait.
        let caller = Caller::new(&probe);
        assert_eq!(caller.begin(4), S_OK);
        assert_eq!(caller.wait(0), RPC_S_CALLPENDING);
        go.set();
        blocked.join();
        assert_eq!(caller.finish(), (S_OK, 8));
        drop((caller, probe));
        host.stop();
        leave();
    });
}

#[test]
fn call_02_call_05_create_call_gives_the_interface_that_is_asked_for() {
    each_pair(Flavour::Sync, |scene| {
        for iid in [IUnknown::IID, ISynchronize::IID, AsyncIProbe::IID, ICancelMethodCalls::IID] {
            let (hr, raw) = create_call(&scene.probe, ptr::null_mut(), &iid);
            assert_eq!(hr, S_OK, "{iid:?}");
            // SAFETY: a counted pointer.
            let unknown = unsafe { IUnknown::from_raw(raw) };
            let identity = |unknown: &IUnknown| unknown.cast::<IUnknown>().unwrap().as_raw();
            assert_eq!(identity(&unknown), identity(&unknown.cast::<AsyncIProbe>().unwrap().into()));
        }
    });
}

fn create(scene: &Scene, iid: *const GUID, iid2: *const GUID) -> (windows_core::HRESULT, *mut std::ffi::c_void) {
    let factory: ICallFactory = scene.probe.cast().unwrap();
    let mut raw = ptr::dangling_mut();
    // SAFETY: the pointers are valid or null.
    (unsafe { factory.CreateCall(iid, ptr::null_mut(), iid2, &mut raw) }, raw)
}

#[test]
fn call_03_call_06_other_interfaces_are_refused_with_a_null_pointer() {
    each_pair(Flavour::Sync, |scene| {
        let nobody = GUID::from_u128(0x1234);
        for iid in [IProbe::IID, IUnknown::IID, ISynchronize::IID, nobody] {
            assert_eq!(create(scene, &iid, &IUnknown::IID), (E_NOINTERFACE, ptr::null_mut()), "{iid:?}");
        }
        assert_eq!(create(scene, &AsyncIProbe::IID, &nobody), (E_NOINTERFACE, ptr::null_mut()));
    });
}

#[test]
fn call_04_null_pointers_are_invalid() {
    each_pair(Flavour::Sync, |scene| {
        assert_eq!(create(scene, ptr::null(), &IUnknown::IID), (E_INVALIDARG, ptr::null_mut()));
        assert_eq!(create(scene, &AsyncIProbe::IID, ptr::null()), (E_INVALIDARG, ptr::null_mut()));
        let factory: ICallFactory = scene.probe.cast().unwrap();
        // SAFETY: null is what is tested.
        let hr = unsafe { factory.CreateCall(&AsyncIProbe::IID, ptr::null_mut(), &AsyncIProbe::IID, ptr::null_mut()) };
        assert_eq!(hr, E_INVALIDARG);
    });
}

/// Counts the queries that reach it.
#[com_class(IProbe, fallback = other)]
struct Asked {
    queries: Arc<AtomicU32>,
}

impl Asked_Impl {
    unsafe fn other(&self, _iid: &GUID, ppv: *mut *mut std::ffi::c_void) -> windows_core::HRESULT {
        self.queries.fetch_add(1, Ordering::Relaxed);
        // SAFETY: valid for writes.
        unsafe { *ppv = ptr::null_mut() };
        E_NOINTERFACE
    }
}

impl IProbe_Impl for Asked_Impl {
    unsafe fn Double(&self, n: u32, twice: *mut u32) -> windows_core::HRESULT {
        // SAFETY: the stub vouches for it.
        unsafe { *twice = 2 * n };
        S_OK
    }
    unsafe fn Label(&self, _n: u32) -> windows_core::HRESULT {
        S_OK
    }
}

#[test]
fn call_08_create_call_on_an_iunknown_proxy_asks_the_server_once() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let packet = host.apt.run({
            let script = host.script.clone();
            move || pack::<IUnknown>(&new_probe(&script, Flavour::Sync, Kind::Sta).into())
        });
        enter(Kind::Mta);
        let unknown = packet.unpack();
        let (busy, go) = (Event::manual(), Event::manual());
        let (is_busy, may_go) = (busy.clone(), go.clone());
        let blocked = host.apt.begin(move || {
            is_busy.set();
            wait(&may_go);
        });
        wait(&busy);
        // CreateCall needs the server now: it comes back when the server dispatches again.
        let asking = Sent(unknown.clone());
        let created = Event::manual();
        let made = created.clone();
        let thread = Thread::start("asks", move || {
            enter_again();
            let unknown = asking.take();
            let caller = Caller::new(&unknown);
            made.set();
            drop((caller, unknown));
            leave();
        });
        assert!(!created.is_set());
        go.set();
        blocked.join();
        thread.join();
        assert!(created.is_set());
        // From now on the answer is known.
        let (busy, go) = (Event::manual(), Event::manual());
        let (is_busy, may_go) = (busy.clone(), go.clone());
        let blocked = host.apt.begin(move || {
            is_busy.set();
            wait(&may_go);
        });
        wait(&busy);
        let caller = Caller::new(&unknown);
        go.set();
        blocked.join();
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.finish(), (S_OK, 2));
        drop((caller, unknown));
        host.stop();
        leave();
    });
}

/// One more thread in the MTA.
fn enter_again() {
    enter(Kind::Mta);
}

#[com_class(IClassFactory)]
struct NoProbe;

impl IClassFactory_Impl for NoProbe_Impl {
    unsafe fn CreateInstance(
        &self,
        _outer: *mut std::ffi::c_void,
        _riid: *const GUID,
        _ppv: *mut *mut std::ffi::c_void,
    ) -> windows_core::HRESULT {
        E_NOTIMPL
    }
    unsafe fn LockServer(&self, _lock: windows_core::BOOL) -> windows_core::HRESULT {
        S_OK
    }
}

#[test]
fn call_08_create_call_is_refused_when_the_object_lacks_the_interface() {
    in_process(|| {
        let apt = Apt::sta();
        let packet = apt.run(|| pack::<IUnknown>(&NoProbe.into()));
        enter(Kind::Mta);
        let unknown = packet.unpack();
        assert_eq!(create_call(&unknown, ptr::null_mut(), &IUnknown::IID), (E_NOINTERFACE, ptr::null_mut()));
        drop(unknown);
        apt.stop();
        leave();
    });
}

#[test]
fn call_09_call_36_a_synchronous_server_without_a_call_factory_is_enough() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(21), S_OK);
        assert_eq!(caller.finish(), (S_OK, 42));
        assert_eq!(scene.log().lines(), ["enter 21", "done 21"]);
    });
}

#[test]
fn call_10_call_11_what_a_call_object_answers() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        let unknown: IUnknown = caller.call.cast().unwrap();
        let handle: ISynchronizeHandle = unknown.cast().expect("ISynchronizeHandle");
        let mut found = HANDLE::NULL;
        // SAFETY: the pointer is valid.
        assert_eq!(unsafe { handle.GetHandle(&mut found) }, S_OK);
        assert!(!found.is_null());
        assert!(unknown.cast::<ISynchronize>().is_ok() && unknown.cast::<ICancelMethodCalls>().is_ok());
        assert!(unknown.cast::<IProbe>().is_err(), "the synchronous interface is the proxy's");
        // A call object makes further ones.
        let second = Caller::new(&caller.call);
        assert_eq!((caller.begin(1), second.begin(2)), (S_OK, S_OK));
        assert_eq!((second.finish(), caller.finish()), ((S_OK, 4), (S_OK, 2)));
    });
}

#[test]
fn call_12_begin_returns_before_the_method_is_done() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(7);
        let caller = scene.caller();
        assert_eq!(caller.begin(7), S_OK);
        assert_eq!(caller.wait(0), RPC_S_CALLPENDING);
        assert!(!scene.log().has("done 7"));
        gate.set();
        assert_eq!(caller.finish(), (S_OK, 14));
    });
}

#[test]
fn call_13_a_failure_of_the_method_comes_from_finish() {
    each_pair(Flavour::Sync, |scene| {
        for hr in [E_ABORT, S_FALSE, windows_core::HRESULT(0x8004_1234_u32 as i32), RPC_S_CALLPENDING] {
            scene.script.result(3, hr);
            let caller = scene.caller();
            assert_eq!(caller.begin(3), S_OK);
            // CALL-16: identical to the synchronous call.
            assert_eq!(caller.finish(), double(&scene.probe, 3));
            assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE);
            assert_eq!(caller.begin(4), S_OK, "the call object is idle again after {hr:?}");
            assert_eq!(caller.finish(), (S_OK, 8));
        }
    });
}

#[test]
fn call_14_begin_while_busy_is_refused_and_the_running_call_undisturbed() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(5);
        let caller = scene.caller();
        assert_eq!(caller.begin(5), S_OK);
        assert_eq!((caller.begin(6), caller.begin_label(6)), (RPC_S_CALLPENDING, RPC_S_CALLPENDING));
        gate.set();
        assert_eq!(caller.finish(), (S_OK, 10));
        assert!(!scene.log().has("enter 6"));
    });
}

#[test]
fn call_14_begin_while_busy_is_refused_on_every_thread() {
    scene(Kind::Mta, Kind::Sta, Flavour::Sync, |scene| {
        let gate = scene.script.hold(5);
        let caller = scene.caller();
        assert_eq!(caller.begin(5), S_OK);
        let other = Sent(caller.clone());
        let thread = Thread::start("other", move || {
            enter_again();
            let caller = other.take();
            assert_eq!(caller.begin(6), RPC_S_CALLPENDING);
            drop(caller);
            leave();
        });
        thread.join();
        gate.set();
        assert_eq!(caller.finish(), (S_OK, 10));
    });
}

#[test]
fn call_15_unfinished_lasts_until_finish() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.wait(INFINITE), S_OK);
        assert_eq!(caller.begin(2), RPC_S_CALLPENDING);
        assert_eq!(caller.finish(), (S_OK, 2));
        assert_eq!(caller.begin(2), S_OK);
        assert_eq!(caller.finish(), (S_OK, 4));
    });
}

#[test]
fn call_16_finish_after_completion_returns_at_once() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(8), S_OK);
        assert_eq!(caller.wait(INFINITE), S_OK);
        assert_eq!(caller.finish(), (S_OK, 16));
    });
}

#[test]
fn call_17_finish_before_completion_blocks() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(9);
        let caller = scene.caller();
        assert_eq!(caller.begin(9), S_OK);
        let log = scene.log().clone();
        let opener = Thread::start("opener", move || {
            log.wait_for("enter 9");
            log.say("gate opens");
            gate.set();
        });
        assert_eq!(caller.finish(), (S_OK, 18));
        scene.log().say("finished");
        assert_eq!(scene.log().lines(), ["enter 9", "gate opens", "done 9", "finished"]);
        opener.join();
    });
}

#[test]
fn call_17_a_blocked_finish_on_an_sta_serves_calls() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let (packet, script) = (host.packet(), host.script.clone());
        let client = Apt::sta();
        // Another client calls an object of the client's apartment, and only then opens the gate.
        let back = client.run({
            let script = script.clone();
            move || pack(&new_probe(&script, Flavour::Sync, Kind::Sta))
        });
        let gate = script.hold(9);
        let other = Thread::start("other", {
            let script = script.clone();
            move || {
                enter(Kind::Mta);
                let probe = back.unpack();
                script.log().wait_for("enter 9");
                assert_eq!(double(&probe, 100), (S_OK, 200));
                gate.set();
                drop(probe);
                leave();
            }
        });
        client.run(move || {
            let caller = Caller::new(&packet.unpack());
            assert_eq!(caller.begin(9), S_OK);
            assert_eq!(caller.finish(), (S_OK, 18));
        });
        other.join();
        assert_eq!(script.log().lines(), ["enter 9", "enter 100", "done 100", "done 9"]);
        host.stop();
        client.stop();
    });
}

#[test]
fn call_18_finish_without_a_call() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE);
        assert_eq!(caller.finish_label(), RPC_E_CALL_COMPLETE);
        // SAFETY: null is what is tested: there is nothing to write.
        assert_eq!(unsafe { caller.call.Finish_Double(ptr::null_mut()) }, RPC_E_CALL_COMPLETE);
    });
}

#[test]
fn call_19_finish_twice() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.finish().0, S_OK);
        assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE);
    });
}

#[test]
fn call_20_finish_of_another_method_leaves_the_call_alone() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(2);
        let caller = scene.caller();
        assert_eq!(caller.begin(2), S_OK);
        assert_eq!(caller.finish_label(), RPC_E_CALL_COMPLETE, "while it runs");
        gate.set();
        assert_eq!(caller.wait(INFINITE), S_OK);
        assert_eq!(caller.finish_label(), RPC_E_CALL_COMPLETE, "when it is done");
        assert_eq!(caller.finish(), (S_OK, 4));
    });
}

#[test]
fn call_21_one_call_after_the_other() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        for n in 1..20 {
            assert_eq!(caller.begin(n), S_OK);
            assert_eq!(caller.finish(), (S_OK, 2 * n));
            assert_eq!(caller.begin_label(n), S_OK);
            assert_eq!(caller.finish_label(), S_OK);
        }
    });
}

#[test]
fn call_22_parallel_calls_need_a_call_object_each() {
    each_pair(Flavour::Sync, |scene| {
        let callers: Vec<_> = (0..8).map(|_| scene.caller()).collect();
        let gate = scene.script.hold(0);
        for (n, caller) in callers.iter().enumerate() {
            assert_eq!(caller.begin(n as u32), S_OK);
        }
        gate.set();
        for (n, caller) in callers.iter().enumerate().rev() {
            assert_eq!(caller.finish(), (S_OK, 2 * n as u32));
        }
    });
}

#[test]
fn call_24_call_25_the_order_of_reset_signal_and_wait() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let gate = scene.script.hold(1);
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        assert_eq!(caller.begin(1), S_OK);
        log.say("Begin returned");
        gate.set();
        log.pump_for("Signal done");
        log.say("Finish entered");
        assert_eq!(caller.finish(), (S_OK, 2));
        log.say("Finish returned");
        let order: Vec<_> = log.lines().into_iter().filter(|line| !line.starts_with("Signal on")).collect();
        let expected =
            ["Reset", "Begin returned", "Signal", "Signal done", "Finish entered", "Wait", "Finish returned"];
        assert_eq!(order, expected);
        drop((caller, outer));
    });
}

#[test]
fn call_26_exactly_one_signal_for_each_begin() {
    each_pair(Flavour::Sync, |scene| {
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        // Completed, failed, cancelled.
        scene.script.result(2, E_FAIL);
        for n in 1..3 {
            assert_eq!(caller.begin(n), S_OK);
            let _ = caller.finish();
        }
        let gate = scene.script.hold(3);
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("enter 3");
        assert_eq!(caller.cancel(0), S_OK);
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        gate.set();
        scene.log().wait_for("cancelled 3");
        // The late reply is in when a call after it is.
        let _ = double(&scene.probe, 4);
        assert_eq!((log.count("Reset"), log.count("Signal")), (3, 3));
        drop((caller, outer));
    });
}

#[test]
fn call_26_one_signal_when_the_server_goes_away() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let packet = host.packet();
        enter(Kind::Mta);
        let log = Log::default();
        let (outer, caller) = notify(&packet.unpack(), Notify::new(&log));
        host.stop();
        // The server's apartment is gone: Begin_ is sent all the same, and the failure comes from Finish_.
        assert_eq!(caller.begin(1), S_OK);
        log.wait_for("Signal done");
        assert_eq!(caller.finish().0, RPC_S_UNKNOWN_IF_HR);
        assert_eq!((log.count("Reset"), log.count("Signal")), (1, 1));
        drop((caller, outer));
        leave();
    });
}

#[test]
fn call_27_wait_says_whether_the_call_is_complete() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(1);
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!((caller.wait(0), caller.wait(1)), (RPC_S_CALLPENDING, RPC_S_CALLPENDING));
        gate.set();
        assert_eq!(caller.wait(INFINITE), S_OK);
        assert_eq!(caller.finish().0, S_OK);
        let gate = scene.script.hold(2);
        assert_eq!(caller.begin(2), S_OK);
        assert_eq!(caller.cancel(0), S_OK);
        assert_eq!(caller.wait(0), S_OK, "cancelled counts as complete");
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        gate.set();
    });
}

#[test]
fn call_28_completion_stays_until_the_next_begin() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!((caller.wait(INFINITE), caller.wait(0)), (S_OK, S_OK));
        assert_eq!(caller.finish(), (S_OK, 2));
        assert_eq!((caller.wait(0), caller.wait(0)), (S_OK, S_OK), "after Finish_, too");
        let gate = scene.script.hold(2);
        assert_eq!(caller.begin(2), S_OK);
        assert_eq!(caller.wait(0), RPC_S_CALLPENDING);
        gate.set();
        assert_eq!(caller.finish(), (S_OK, 4));
    });
}

#[test]
fn call_29_wait_before_any_begin() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!((caller.wait(0), caller.wait(1)), (RPC_S_CALLPENDING, RPC_S_CALLPENDING));
    });
}

#[test]
fn call_30_call_32_an_abandoned_call_runs_to_its_end_and_is_asked_to_stop() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(1);
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        scene.log().wait_for("enter 1");
        drop(caller);
        gate.set();
        scene.log().wait_for("cancelled 1");
    });
}

#[test]
fn call_31_a_call_that_was_abandoned_before_it_started_runs_all_the_same() {
    each_pair(Flavour::Sync, |scene| {
        // The server is busy with the first call, if it is an STA.
        let gates = [scene.script.hold(1), scene.script.hold(2)];
        let (first, second) = (scene.caller(), scene.caller());
        assert_eq!((first.begin(1), second.begin(2)), (S_OK, S_OK));
        drop((first, second));
        for gate in gates {
            gate.set();
        }
        for line in ["cancelled 1", "cancelled 2"] {
            scene.log().wait_for(line);
        }
    });
}

#[test]
fn call_31_the_last_reference_to_the_server_does_not_stop_an_abandoned_call() {
    for (client, server) in [(Kind::Mta, Kind::Sta), (Kind::Sta, Kind::Mta), (Kind::Sta, Kind::Sta)] {
        in_process(move || {
            for n in 0..50 {
                let host = Apt::start(server);
                let script = Script::new();
                let packet = host.run({
                    let script = script.clone();
                    move || pack(&new_probe(&script, Flavour::Sync, server))
                });
                let apt = Apt::start(client);
                apt.run(move || {
                    // The object lives by this proxy alone.
                    let caller = Caller::new(&packet.unpack());
                    assert_eq!(caller.begin(n), S_OK);
                });
                script.log().wait_for(&format!("enter {n}"));
                host.stop();
                apt.stop();
            }
        });
    }
}

#[test]
fn call_33_what_a_call_keeps_is_freed_with_the_call_object() {
    each_pair(Flavour::Sync, |scene| {
        let before = debug::live_objects();
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.wait(INFINITE), S_OK);
        drop(caller);
        assert_eq!(debug::live_objects(), before, "completed, never finished");
    });
}

#[test]
fn call_34_in_the_same_apartment_there_is_a_call_factory_only_if_the_object_has_one() {
    in_process(|| {
        for kind in [Kind::Sta, Kind::Mta] {
            enter(kind);
            let script = Script::new();
            let object = new_probe(&script, Flavour::Sync, kind);
            // Marshaled within the apartment it is the object itself.
            let direct = pack(&object).unpack();
            assert_eq!(direct.as_raw(), object.as_raw());
            assert_eq!(direct.cast::<ICallFactory>().unwrap_err().code(), E_NOINTERFACE);
            assert_eq!(double(&direct, 4), (S_OK, 8));
            drop((object, direct));
            leave();
        }
    });
}

#[test]
fn call_35_in_the_same_apartment_the_call_object_is_the_servers_own() {
    in_process(|| {
        for kind in [Kind::Sta, Kind::Mta] {
            enter(kind);
            let script = Script::new();
            let object = new_probe(&script, Flavour::AtOnce, kind);
            let factory: ICallFactory = object.cast().expect("the object's own");
            let mut raw = ptr::null_mut();
            // SAFETY: valid arguments.
            let call = unsafe {
                let hr = factory.CreateCall(&AsyncIProbe::IID, ptr::null_mut(), &AsyncIProbe::IID, &mut raw);
                assert_eq!(hr, S_OK);
                AsyncIProbe::from_raw(raw)
            };
            assert!(call.cast::<ICancelMethodCalls>().is_err(), "it does not cancel");
            let sync: ISynchronize = call.cast().expect("its own event");
            let mut twice = 0;
            // SAFETY: valid arguments.
            unsafe {
                assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), RPC_S_CALLPENDING);
                assert_eq!(call.Finish_Double(&mut twice), RPC_E_CALL_COMPLETE);
                assert_eq!(call.Begin_Double(3), S_OK);
                assert_eq!(call.Begin_Double(3), RPC_S_CALLPENDING);
                assert_eq!(call.Finish_Double(&mut twice), S_OK);
            }
            assert_eq!(twice, 6);
            assert_eq!(script.log().lines(), ["CreateCall", "begin 3", "begun 3", "finish 3"]);
            drop((sync, call, factory, object));
            leave();
        }
    });
}

#[test]
fn call_37_the_server_cannot_tell_how_the_client_calls() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        let asynchronous = caller.finish();
        let seen = scene.log().lines();
        let synchronous = double(&scene.probe, 1);
        assert_eq!(asynchronous, synchronous);
        assert_eq!(scene.log().lines()[seen.len()..], seen);
    });
}

#[test]
fn call_38_a_call_object_belongs_to_its_apartment() {
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let packet = host.packet();
        let client = Apt::sta();
        let caller = client.run(move || Sent(Caller::new(&packet.unpack())));
        let gate = host.script.hold(1);
        let caller = client.run(move || {
            assert_eq!(caller.0.begin(1), S_OK);
            caller
        });
        // Unmarshaled, in the MTA: refused, and the call is undisturbed.
        let other = Apt::mta();
        let caller = other.run(move || {
            let it = &caller.0;
            assert_eq!(it.begin(2), RPC_S_CALLPENDING);
            assert_eq!(it.finish().0, RPC_E_WRONG_THREAD);
            assert_eq!(
                (it.wait(0), it.cancel(0), it.test()),
                (RPC_E_WRONG_THREAD, RPC_E_WRONG_THREAD, RPC_E_WRONG_THREAD)
            );
            let (handle, mut raw) = (it.sync.cast::<ISynchronizeHandle>().unwrap(), HANDLE::NULL);
            // SAFETY: valid for writes.
            assert_eq!((unsafe { handle.GetHandle(&mut raw) }, raw), (RPC_E_WRONG_THREAD, HANDLE::NULL));
            caller
        });
        // Marshaled: as in its own apartment.
        let packets = client.run(move || {
            let packets = (pack(&caller.0.sync), pack(&caller.0.cancel));
            (packets, caller)
        });
        let ((sync, cancel), caller) = packets;
        let waiting = other.begin(move || {
            let (sync, cancel) = (sync.unpack(), cancel.unpack());
            // SAFETY: proxies of this apartment.
            unsafe {
                assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), RPC_S_CALLPENDING);
                assert_eq!(cancel.TestCancel(), RPC_S_CALLPENDING);
                assert_eq!(cancel.Cancel(0), S_OK);
                assert_eq!(cancel.TestCancel(), RPC_E_CALL_CANCELED);
                assert_eq!(sync.Wait(COWAIT_DEFAULT, INFINITE), S_OK);
            }
        });
        waiting.join();
        client.run(move || {
            assert_eq!(caller.0.finish().0, RPC_S_CALL_CANCELLED_HR);
            // The last reference to the server is let go: that waits for it (AIU-01).
            gate.set();
            drop(caller);
        });
        host.script.log().wait_for("cancelled 1");
        other.stop();
        host.stop();
        client.stop();
    });
}

#[test]
fn call_39_a_pending_call_keeps_the_server_alive() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        let gate = scene.script.hold(1);
        assert_eq!(caller.begin(1), S_OK);
        let second = {
            let probe = scene.probe.clone();
            Caller::new(&probe)
        };
        gate.set();
        assert_eq!(caller.finish(), (S_OK, 2));
        drop(caller);
        assert_eq!(second.begin(2), S_OK);
        assert_eq!(second.finish(), (S_OK, 4));
    });
}

#[test]
fn call_39_the_call_object_alone_keeps_the_object_alive() {
    in_process(|| {
        let host = Apt::sta();
        let script = Script::new();
        let packet = host.run({
            let script = script.clone();
            move || pack(&new_probe(&script, Flavour::Sync, Kind::Sta))
        });
        enter(Kind::Mta);
        let caller = Caller::new(&packet.unpack());
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.finish(), (S_OK, 2));
        drop(caller);
        host.stop();
        leave();
    });
}

#[test]
fn finish_with_a_null_pointer_leaves_the_call_pending() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(1), S_OK);
        // SAFETY: null is what is tested.
        let hr = unsafe { caller.call.Finish_Double(ptr::null_mut()) };
        assert!(hr.is_err() && hr != RPC_E_CALL_COMPLETE, "{hr:?}");
        assert_eq!(caller.finish(), (S_OK, 2));
    });
}

#[test]
fn asked_queries_are_counted_once() {
    in_process(|| {
        let host = Apt::sta();
        let queries = Arc::new(AtomicU32::new(0));
        let packet = host.run({
            let queries = queries.clone();
            move || pack::<IProbe>(&Asked { queries }.into())
        });
        enter(Kind::Mta);
        let probe = packet.unpack();
        let caller = Caller::new(&probe);
        for n in 0..3 {
            assert_eq!(caller.begin(n), S_OK);
            assert_eq!(caller.finish(), (S_OK, 2 * n));
        }
        let first = queries.load(Ordering::Relaxed);
        assert_eq!(double(&probe, 1), (S_OK, 2));
        drop(Caller::new(&probe));
        assert_eq!(queries.load(Ordering::Relaxed), first, "SRV-01: the object is asked at the first call only");
        drop((caller, probe));
        host.stop();
        leave();
    });
}

#[test]
fn ten_thousand_call_objects_pending_at_once() {
    const CALLS: usize = 10_000;
    scene(Kind::Sta, Kind::Mta, Flavour::Hand, |scene| {
        let mut callers = Vec::with_capacity(CALLS);
        for n in 0..CALLS {
            let caller = scene.caller();
            assert_eq!(caller.begin(n as u32), S_OK);
            callers.push(Some(caller));
        }
        for n in 0..CALLS {
            scene.log().wait_for(&format!("begun {n}"));
        }
        // In mixed order: a permutation, as 7 has no factor in common with the number of calls.
        let order: Vec<_> = (0..CALLS).map(|i| (i * 7 + 3) % CALLS).collect();
        for &n in &order {
            if n % 3 != 0 {
                continue;
            }
            assert_eq!(callers[n].as_ref().unwrap().cancel(0), S_OK);
        }
        let script = scene.script.clone();
        let signaller = Thread::start("signaller", {
            let order = order.clone();
            move || {
                enter_again();
                for n in order {
                    // SAFETY: this is the server's apartment.
                    assert_eq!(unsafe { script.in_hand(n as u32).Signal() }, S_OK);
                    script.let_go(n as u32);
                }
                leave();
            }
        });
        for &n in order.iter().rev() {
            let caller = callers[n].take().unwrap();
            match n % 3 {
                0 => assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR),
                1 => assert_eq!(caller.finish(), (S_OK, 2 * n as u32)),
                _ => drop(caller),
            }
        }
        signaller.join();
    });
}

#[test]
fn ten_thousand_calls_queued_to_one_sta() {
    const CALLS: u32 = 10_000;
    in_process(|| {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let packet = host.packet();
        enter(Kind::Mta);
        let probe = packet.unpack();
        let gate = host.script.hold(0);
        let mut callers: Vec<_> = (0..CALLS).map(|_| Caller::new(&probe)).collect();
        for (n, caller) in callers.iter().enumerate() {
            assert_eq!(caller.begin(n as u32), S_OK);
        }
        for (n, caller) in callers.iter().enumerate().filter(|(n, _)| n % 3 == 0) {
            assert_eq!(caller.cancel(0), S_OK, "{n}");
        }
        let abandoned = callers.split_off(CALLS as usize / 2);
        drop(abandoned);
        gate.set();
        for (n, caller) in callers.iter().enumerate() {
            match n % 3 {
                0 => assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR),
                _ => assert_eq!(caller.finish(), (S_OK, 2 * n as u32)),
            }
        }
        drop((callers, probe));
        // CALL-31: every call ran, abandoned or not.
        host.script.log().wait_for(&format!("cancelled {}", CALLS - 1));
        host.stop();
        leave();
    });
}
