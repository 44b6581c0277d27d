//! Asynchronous servers: facts section 8, row by row.

mod support;

use oleander::object::{AutoInner, create_aggregated};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use support::probe::*;
use support::*;

#[test]
fn srv_01_an_object_without_a_call_factory_is_called_synchronously() {
    each_pair(Flavour::Sync, |scene| {
        assert_eq!(double(&scene.probe, 2), (S_OK, 4));
        assert_eq!(scene.log().lines(), ["enter 2", "done 2"]);
    });
}

#[test]
fn srv_02_srv_04_srv_05_a_synchronous_call_is_served_by_a_call_object() {
    for flavour in [Flavour::AtOnce, Flavour::Worker] {
        each_pair(flavour, |scene| {
            assert_eq!(double(&scene.probe, 2), (S_OK, 4));
            let lines = scene.log().lines();
            assert_eq!(lines[..2], ["CreateCall", "begin 2"], "when the first call arrives");
            assert!(lines.iter().any(|line| line == "finish 2"));
            assert!(!lines.iter().any(|line| line.starts_with("synchronous")), "{lines:?}");
        });
    }
}

/// How a factory or what it makes falls short.
#[derive(Clone, Copy, Debug)]
enum Odd {
    CreateCallFails,
    CreateCallGivesNull,
    NoSynchronize,
    NoAsyncInterface,
}

/// A server whose call factory is of no use.
#[com_class(IProbe, ICallFactory)]
struct OddProbe {
    odd: Odd,
    log: Log,
}

/// It can be begun, but not signalled.
#[com_class(AsyncIProbe)]
struct Unsignalled;

impl AsyncIProbe_Impl for Unsignalled_Impl {
    unsafe fn Begin_Double(&self, _n: u32) -> HRESULT {
        E_UNEXPECTED
    }
    unsafe fn Finish_Double(&self, _twice: *mut u32) -> HRESULT {
        E_UNEXPECTED
    }
    unsafe fn Begin_Label(&self, _n: u32) -> HRESULT {
        E_UNEXPECTED
    }
    unsafe fn Finish_Label(&self) -> HRESULT {
        E_UNEXPECTED
    }
}

/// It can be signalled, but not begun.
#[com_class(IClassFactory, auto(ISynchronize = event : CLSID_ManualResetEvent))]
#[derive(Default)]
struct Unbegun {
    event: AutoInner,
}

impl IClassFactory_Impl for Unbegun_Impl {
    unsafe fn CreateInstance(&self, _outer: *mut c_void, _riid: *const GUID, _ppv: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn LockServer(&self, _lock: windows_core::BOOL) -> HRESULT {
        S_OK
    }
}

impl ICallFactory_Impl for OddProbe_Impl {
    unsafe fn CreateCall(
        &self,
        _riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        self.log.say("CreateCall");
        // SAFETY: the stub's pointers are valid.
        unsafe {
            match self.odd {
                Odd::CreateCallFails => E_FAIL,
                Odd::CreateCallGivesNull => {
                    *ppv = std::ptr::null_mut();
                    S_OK
                }
                Odd::NoSynchronize => create_aggregated(Unsignalled, outer, riid2, ppv),
                Odd::NoAsyncInterface => create_aggregated(Unbegun::default(), outer, riid2, ppv),
            }
        }
    }
}

impl IProbe_Impl for OddProbe_Impl {
    unsafe fn Double(&self, n: u32, twice: *mut u32) -> HRESULT {
        self.log.say("synchronous");
        // SAFETY: the stub vouches for the pointer.
        unsafe { *twice = 2 * n };
        S_OK
    }
    unsafe fn Label(&self, _n: u32) -> HRESULT {
        S_OK
    }
}

#[test]
fn srv_03_without_a_usable_call_object_the_synchronous_method_is_called() {
    for odd in [Odd::CreateCallFails, Odd::CreateCallGivesNull, Odd::NoSynchronize, Odd::NoAsyncInterface] {
        for (client, server) in PAIRS {
            in_process(move || {
                let (host, log) = (Apt::start(server), Log::default());
                let packet = host.run({
                    let log = log.clone();
                    move || pack::<IProbe>(&OddProbe { odd, log }.into())
                });
                let apt = Apt::start(client);
                apt.run(move || {
                    let probe = packet.unpack();
                    assert_eq!(double(&probe, 4), (S_OK, 8), "{odd:?}");
                    let caller = Caller::new(&probe);
                    assert_eq!(caller.begin(5), S_OK);
                    assert_eq!(caller.finish(), (S_OK, 10));
                    assert_eq!(log.count("synchronous"), 2);
                });
                host.stop();
                apt.stop();
            });
        }
    }
}

#[test]
fn srv_06_only_signal_leads_to_the_reply() {
    each_pair_with(Flavour::Hand, |scene, host| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        assert_eq!(caller.wait(1), RPC_S_CALLPENDING);
        assert!(!scene.log().has("finish 3"));
        assert_eq!(host.signal(3), S_OK);
        scene.log().wait_for("finish 3");
        assert_eq!(caller.finish(), (S_OK, 6));
        host.let_go(3);
    });
}

#[test]
fn srv_07_signal_before_begin_returns() {
    each_pair(Flavour::AtOnce, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.finish(), (S_OK, 6));
        assert_eq!(scene.log().lines(), ["CreateCall", "begin 3", "begun 3", "finish 3"]);
    });
}

#[test]
fn srv_08_the_client_gets_the_result_of_finish() {
    for flavour in [Flavour::AtOnce, Flavour::Worker] {
        each_pair(flavour, |scene| {
            for hr in [E_ABORT, S_FALSE, RPC_S_CALLPENDING, HRESULT(0x8004_1234_u32 as i32)] {
                scene.script.result(3, hr);
                let caller = scene.caller();
                assert_eq!(caller.begin(3), S_OK);
                assert_eq!(caller.finish().0, hr);
                assert_eq!(double(&scene.probe, 3).0, hr);
            }
        });
    }
}

#[test]
fn srv_09_the_result_of_a_begin_that_fails_ends_the_call() {
    each_pair(Flavour::AtOnce, |scene| {
        for hr in [E_OUTOFMEMORY, RPC_S_CALLPENDING, RPC_E_CALL_REJECTED] {
            scene.script.result(BEGIN_FAILS, hr);
            let caller = scene.caller();
            assert_eq!(caller.begin(BEGIN_FAILS), S_OK);
            assert_eq!(caller.wait(INFINITE), S_OK);
            assert_eq!(caller.finish().0, hr);
            assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE, "{hr:?}");
            assert_eq!(caller.begin(1), S_OK);
            assert_eq!(caller.finish(), (S_OK, 2));
            if hr != RPC_E_CALL_REJECTED {
                assert_eq!(double(&scene.probe, BEGIN_FAILS).0, hr);
            }
        }
        assert!(!scene.log().has(&format!("finish {BEGIN_FAILS}")));
        assert_eq!(scene.log().count("CreateCall"), 1, "the call object is as good as before");
    });
}

#[test]
fn srv_10_srv_11_the_systems_outer_supplies_synchronisation_and_cancellation() {
    each_pair_with(Flavour::Hand, |scene, host| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        let script = scene.script.clone();
        host.apt.run(move || {
            let sync = script.in_hand(3);
            let cancel: ICancelMethodCalls = sync.cast().expect("the system's");
            let handle: ISynchronizeHandle = sync.cast().expect("the system's");
            let back: AsyncIProbe = sync.cast().expect("the server's own, through the outer");
            let identity = |it: &IUnknown| it.cast::<IUnknown>().unwrap().as_raw();
            assert_eq!(identity(&cancel), identity(&back.clone().into()));
            let mut raw = HANDLE::NULL;
            // SAFETY: live objects of this apartment.
            unsafe {
                assert_eq!(handle.GetHandle(&mut raw), S_OK);
                assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), RPC_S_CALLPENDING);
                assert_eq!(cancel.TestCancel(), RPC_S_CALLPENDING);
                assert_eq!(back.Begin_Double(9), RPC_S_CALLPENDING, "SRV-14: one call at a time");
            }
        });
        assert_eq!(host.signal(3), S_OK);
        assert_eq!(caller.finish(), (S_OK, 6));
        host.let_go(3);
    });
}

#[test]
fn srv_12_srv_14_a_call_object_used_directly_has_an_event_of_its_own() {
    in_process(|| {
        enter(Kind::Sta);
        let script = Script::new();
        let object = new_probe(&script, Flavour::AtOnce, Kind::Sta);
        let (hr, raw) = create_call(&object, std::ptr::null_mut(), &AsyncIProbe::IID);
        assert_eq!(hr, S_OK);
        // SAFETY: a counted pointer of that interface; valid arguments.
        unsafe {
            let call = AsyncIProbe::from_raw(raw);
            let mut twice = 0;
            assert_eq!(call.Finish_Double(&mut twice), RPC_E_CALL_COMPLETE);
            assert_eq!(call.Begin_Double(2), S_OK);
            assert_eq!(call.cast::<ISynchronize>().unwrap().Wait(0, 0), S_OK);
            assert_eq!((call.Finish_Double(&mut twice), twice), (S_OK, 4));
        }
        drop(object);
        leave();
    });
}

#[test]
fn srv_13_signal_from_another_apartment_is_refused_and_the_call_stays_pending() {
    scene_with(Kind::Sta, Kind::Mta, Flavour::Hand, |scene, host| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        // The article's experiment: the worker is initialised as an STA and uses the pointer as it is.
        let worker = Apt::sta();
        let script = scene.script.clone();
        worker.run(move || {
            let sync = script.in_hand(3);
            // SAFETY: refused, as is tested.
            unsafe {
                assert_eq!((sync.Signal(), sync.Reset()), (RPC_E_WRONG_THREAD, RPC_E_WRONG_THREAD));
                assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), RPC_E_WRONG_THREAD);
            }
        });
        worker.stop();
        assert_eq!(caller.wait(1), RPC_S_CALLPENDING);
        assert_eq!(caller.cancel(0), S_OK, "until it is cancelled");
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        // The server's call object is still begun; a Signal in the right place ends it, for nobody.
        assert_eq!(host.signal(3), S_OK);
        host.let_go(3);
        scene.log().wait_for("finish 3");
    });
}

#[test]
fn srv_13_an_sta_servers_call_object_is_signalled_from_the_mta_only_marshaled() {
    scene_with(Kind::Mta, Kind::Sta, Flavour::Hand, |scene, host| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        // SAFETY: refused, as is tested.
        assert_eq!(unsafe { scene.script.in_hand(3).Signal() }, RPC_E_WRONG_THREAD);
        assert_eq!(caller.wait(1), RPC_S_CALLPENDING);
        let script = scene.script.clone();
        let (sync, handle, cancel) = host.apt.run(move || {
            let sync = script.in_hand(3);
            let handle: ISynchronizeHandle = sync.cast().unwrap();
            let cancel: ICancelMethodCalls = sync.cast().unwrap();
            (pack(&sync), pack(&handle), pack(&cancel))
        });
        let (sync, handle, cancel) = (sync.unpack(), handle.unpack(), cancel.unpack());
        let mut raw = HANDLE::NULL;
        // SAFETY: proxies of this apartment.
        unsafe {
            assert_eq!(handle.GetHandle(&mut raw), S_OK);
            assert_eq!(cancel.TestCancel(), RPC_S_CALLPENDING);
            assert_eq!(WaitForSingleObject(raw, 0), WAIT_TIMEOUT);
            assert_eq!(sync.Signal(), S_OK);
            assert_eq!(WaitForSingleObject(raw, 0), 0);
        }
        assert_eq!(caller.finish(), (S_OK, 6));
        host.let_go(3);
    });
}

#[test]
fn srv_13_the_call_of_a_worker_that_cannot_signal_ends_with_the_apartment() {
    for (client, server) in PAIRS {
        in_process(move || {
            let host = Server::start(server, Flavour::Hand);
            let packet = host.packet();
            let apt = Apt::start(client);
            let script = host.script.clone();
            let caller = apt.run(move || {
                let caller = Caller::new(&packet.unpack());
                assert_eq!(caller.begin(3), S_OK);
                script.log().wait_for("begun 3");
                Sent(caller)
            });
            let script = host.script.clone();
            // CoUninitialize does not wait for the worker (ruling).
            host.stop();
            apt.run(move || {
                let caller = caller.take();
                assert_eq!(caller.wait(0), S_OK);
                assert_eq!(caller.finish().0, RPC_E_DISCONNECTED);
                assert!(!script.log().has("finish 3"), "released without Finish_");
                // A later Signal.
                // SAFETY: refused, as is tested.
                assert_eq!(unsafe { script.in_hand(3).Signal() }, RPC_E_DISCONNECTED);
                script.let_go(3);
                // CALL-13: a call to what is gone.
                assert_eq!(caller.begin(4), S_OK);
                assert_eq!(caller.finish().0, RPC_S_UNKNOWN_IF_HR);
            });
            apt.stop();
        });
    }
}

#[test]
fn srv_15_srv_16_a_call_object_serves_one_call_at_a_time_and_is_used_again() {
    each_pair_with(Flavour::Hand, |scene, host| {
        for n in 0..3 {
            let caller = scene.caller();
            assert_eq!(caller.begin(n), S_OK);
            scene.log().wait_for(&format!("begun {n}"));
            assert_eq!(host.signal(n), S_OK);
            assert_eq!(caller.finish(), (S_OK, 2 * n));
            host.let_go(n);
        }
        assert_eq!(scene.log().count("CreateCall"), 1);
        // Two at once, signalled the other way round.
        let (first, second) = (scene.caller(), scene.caller());
        assert_eq!((first.begin(10), second.begin(11)), (S_OK, S_OK));
        scene.log().wait_for("begun 10");
        scene.log().wait_for("begun 11");
        assert_eq!(scene.log().count("CreateCall"), 2);
        assert_eq!(host.signal(11), S_OK);
        assert_eq!(second.finish(), (S_OK, 22));
        assert_eq!(first.wait(0), RPC_S_CALLPENDING);
        assert_eq!(host.signal(10), S_OK);
        assert_eq!(first.finish(), (S_OK, 20));
        host.let_go(10);
        host.let_go(11);
        // Both are idle now.
        let (first, second) = (scene.caller(), scene.caller());
        assert_eq!((first.begin(12), second.begin(13)), (S_OK, S_OK));
        for n in [12, 13] {
            scene.log().wait_for(&format!("begun {n}"));
            assert_eq!(host.signal(n), S_OK);
            host.let_go(n);
        }
        assert_eq!((first.finish(), second.finish()), ((S_OK, 24), (S_OK, 26)));
        assert_eq!(scene.log().count("CreateCall"), 2);
    });
}

#[test]
fn srv_16_signal_twice_is_ignored_until_the_next_begin() {
    each_pair_with(Flavour::Hand, |scene, host| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        assert_eq!((host.signal(3), host.signal(3), host.signal(3)), (S_OK, S_OK, S_OK));
        assert_eq!(caller.finish(), (S_OK, 6));
        assert_eq!(scene.log().count("finish 3"), 1);
        host.let_go(3);
        assert_eq!(caller.begin(4), S_OK);
        scene.log().wait_for("begun 4");
        assert_eq!(caller.wait(1), RPC_S_CALLPENDING);
        assert_eq!(host.signal(4), S_OK);
        assert_eq!(caller.finish(), (S_OK, 8));
        host.let_go(4);
    });
}

#[test]
fn srv_17_an_sta_server_begins_several_calls_before_one_is_done() {
    scene_with(Kind::Mta, Kind::Sta, Flavour::Hand, |scene, host| {
        let callers: Vec<_> = (0..5).map(|_| scene.caller()).collect();
        for (n, caller) in (0..).zip(&callers) {
            assert_eq!(caller.begin(n), S_OK);
        }
        for n in 0..5 {
            scene.log().wait_for(&format!("begun {n}"));
        }
        for (n, caller) in (0..).zip(&callers) {
            assert_eq!(host.signal(n), S_OK);
            assert_eq!(caller.finish(), (S_OK, 2 * n));
            host.let_go(n);
        }
    });
}

#[test]
fn srv_20_the_four_combinations_agree() {
    for flavour in [Flavour::Sync, Flavour::AtOnce, Flavour::Worker] {
        each_pair(flavour, |scene| {
            scene.script.result(2, E_ABORT);
            scene.script.result(3, S_FALSE);
            for n in 1..5 {
                let synchronous = double(&scene.probe, n);
                let caller = scene.caller();
                assert_eq!(caller.begin(n), S_OK);
                let asynchronous = caller.finish();
                assert_eq!(synchronous, asynchronous);
                // Out parameters come back with a failure, too.
                let hr = [S_OK, E_ABORT, S_FALSE, S_OK][n as usize - 1];
                assert_eq!(synchronous, (hr, 2 * n));
            }
        });
    }
}

#[test]
fn a_worker_in_the_mta_signals_an_sta_servers_call_object_through_a_proxy() {
    for client in [Kind::Mta, Kind::Sta] {
        scene(client, Kind::Sta, Flavour::Worker, |scene| {
            let gate = scene.script.hold(3);
            let caller = scene.caller();
            assert_eq!(caller.begin(3), S_OK);
            scene.log().wait_for("begun 3");
            assert_eq!(caller.wait(1), RPC_S_CALLPENDING);
            gate.set();
            assert_eq!(caller.finish(), (S_OK, 6));
        });
    }
}

#[test]
fn an_mta_servers_call_object_is_marshaled_to_an_sta_worker() {
    scene_with(Kind::Sta, Kind::Mta, Flavour::Hand, |scene, host| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        let script = scene.script.clone();
        let packets = host.apt.run(move || {
            let sync = script.in_hand(3);
            (pack(&sync), pack(&sync.cast::<ICancelMethodCalls>().unwrap()))
        });
        let worker = Apt::sta();
        worker.run(move || {
            let (sync, cancel) = (packets.0.unpack(), packets.1.unpack());
            // SAFETY: proxies of this apartment.
            unsafe {
                assert_eq!(cancel.TestCancel(), RPC_S_CALLPENDING);
                assert_eq!(sync.Signal(), S_OK);
                // Begin_ may not have returned yet; the call ends when it has.
                while cancel.TestCancel() == RPC_S_CALLPENDING {
                    std::thread::yield_now();
                }
                assert_eq!(cancel.TestCancel(), RPC_E_CALL_COMPLETE);
            }
        });
        assert_eq!(caller.finish(), (S_OK, 6));
        host.let_go(3);
        worker.stop();
    });
}

#[test]
fn a_panic_in_a_method_is_a_server_fault_and_the_next_call_works() {
    for flavour in [Flavour::Sync, Flavour::AtOnce] {
        each_pair(flavour, |scene| {
            for _ in 0..2 {
                let caller = scene.caller();
                assert_eq!(caller.begin(PANICS), S_OK);
                assert_eq!(caller.finish().0, RPC_E_SERVERFAULT);
                assert_eq!(double(&scene.probe, PANICS).0, RPC_E_SERVERFAULT);
                assert_eq!(caller.begin(1), S_OK);
                assert_eq!(caller.finish(), (S_OK, 2));
            }
        });
    }
}

#[test]
fn a_panic_in_finish_is_a_server_fault_and_the_next_call_works() {
    each_pair(Flavour::AtOnce, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(FINISH_PANICS), S_OK);
        assert_eq!(caller.finish().0, RPC_E_SERVERFAULT);
        assert_eq!(double(&scene.probe, FINISH_PANICS).0, RPC_E_SERVERFAULT);
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.finish(), (S_OK, 2));
    });
}

#[test]
fn the_client_of_a_worker_that_gives_up_can_cancel() {
    each_pair(Flavour::Worker, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(WORKER_PANICS), S_OK);
        scene.log().pump_for("the worker gives up");
        assert_eq!(caller.wait(1), RPC_S_CALLPENDING);
        assert_eq!(caller.cancel(0), S_OK);
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        // The server's call object is lost; the next call gets another.
        assert_eq!(caller.begin(1), S_OK);
        assert_eq!(caller.finish(), (S_OK, 2));
        assert_eq!(scene.log().count("CreateCall"), 2);
    });
}

#[test]
fn an_abandoned_call_of_an_asynchronous_server_is_finished_for_nobody() {
    each_pair_with(Flavour::Hand, |scene, host| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        drop(caller);
        let script = scene.script.clone();
        let seen = host.apt.run(move || {
            let cancel: ICancelMethodCalls = script.in_hand(3).cast().unwrap();
            // SAFETY: a live object of this apartment.
            unsafe { cancel.TestCancel() }
        });
        assert_eq!(seen, RPC_E_CALL_CANCELED, "CALL-32");
        assert_eq!(host.signal(3), S_OK);
        scene.log().wait_for("finish 3");
        host.let_go(3);
    });
}

#[test]
fn the_last_proxy_goes_while_an_asynchronous_call_is_begun() {
    for (client, server) in PAIRS {
        in_process(move || {
            let host = Apt::start(server);
            let script = Script::new();
            let packet = host.run({
                let script = script.clone();
                move || pack(&new_probe(&script, Flavour::Hand, server))
            });
            let apt = Apt::start(client);
            apt.run({
                let script = script.clone();
                move || {
                    let caller = Caller::new(&packet.unpack());
                    assert_eq!(caller.begin(3), S_OK);
                    script.log().wait_for("begun 3");
                }
            });
            host.run(move || {
                // SAFETY: a live object of this apartment.
                assert_eq!(unsafe { script.in_hand(3).Signal() }, S_OK);
                script.let_go(3);
                script.log().wait_for("finish 3");
            });
            host.stop();
            apt.stop();
        });
    }
}

/// An STA that shows a server, stops dispatching, and ends when it is told.
fn sta_that_ends(
    script: &Script,
    flavour: Flavour,
) -> (Thread, Packet<IProbe>, std::sync::Arc<oleander::kernel::Event>) {
    let (go, ready) = (oleander::kernel::Event::manual(), oleander::kernel::Event::manual());
    let slot = std::sync::Arc::new(std::sync::Mutex::new(None));
    let thread = Thread::start("server", {
        let (script, go, ready, slot) = (script.clone(), go.clone(), ready.clone(), slot.clone());
        move || {
            enter(Kind::Sta);
            let object = new_probe(&script, flavour, Kind::Sta);
            *slot.lock().unwrap() = Some(pack(&object));
            ready.set();
            wait(&go);
            leave();
            script.log().say("left");
            drop(object);
        }
    });
    wait(&ready);
    let packet = slot.lock().unwrap().take().expect("it is ready");
    (thread, packet, go)
}

#[test]
fn ma_24_calls_that_are_queued_when_the_server_ends_are_disconnected() {
    for flavour in [Flavour::Sync, Flavour::Hand] {
        for client in [Kind::Mta, Kind::Sta] {
            in_process(move || {
                let script = Script::new();
                let (server, packet, go) = sta_that_ends(&script, flavour);
                let apt = Apt::start(client);
                let log = script.log().clone();
                apt.run(move || {
                    let probe = packet.unpack();
                    let callers: Vec<_> = (0..5).map(|_| Caller::new(&probe)).collect();
                    for (n, caller) in (0..).zip(&callers) {
                        assert_eq!(caller.begin(n), S_OK);
                    }
                    assert_eq!(callers[4].cancel(0), S_OK);
                    go.set();
                    for caller in &callers[..4] {
                        assert_eq!(caller.finish().0, RPC_E_DISCONNECTED);
                    }
                    assert_eq!(callers[4].finish().0, RPC_S_CALL_CANCELLED_HR);
                    log.wait_for("left");
                    assert_eq!(log.lines(), ["left"], "no method ran");
                    assert_eq!(callers[0].begin(1), S_OK);
                    assert_eq!(callers[0].finish().0, RPC_S_UNKNOWN_IF_HR, "open question 14");
                    assert_eq!(double(&probe, 1).0, RPC_S_UNKNOWN_IF_HR);
                });
                server.join();
                apt.stop();
            });
        }
    }
}

#[test]
fn a_method_that_runs_when_the_mta_ends_is_waited_for() {
    in_process(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (packet, gate, script) = (host.packet(), host.script.hold(3), host.script.clone());
        let apt = Apt::sta();
        let caller = apt.run(move || {
            let caller = Caller::new(&packet.unpack());
            assert_eq!(caller.begin(3), S_OK);
            Sent(caller)
        });
        script.log().wait_for("enter 3");
        let ended = Thread::start("ends", {
            let script = script.clone();
            move || {
                host.stop();
                script.log().say("ended");
            }
        });
        assert!(!script.log().has("ended"));
        gate.set();
        ended.join();
        apt.run(move || {
            assert_eq!(caller.0.finish(), (S_OK, 6), "it finishes first");
            drop(caller);
        });
        let lines = script.log().lines();
        assert_eq!(lines, ["enter 3", "done 3", "ended"]);
        apt.stop();
    });
}
