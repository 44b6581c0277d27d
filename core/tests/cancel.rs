//! Cancelling asynchronous calls: facts sections 9.1 and 9.2, row by row. Cancels that wait so many seconds are tested in
//! virtual time, in the simulator's own tests.

mod support;

use oleander::kernel::Event;
use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use std::sync::Arc;
use support::probe::*;
use support::*;

#[test]
fn cxl_01_cxl_06_cxl_07_cxl_10_cancel_takes_effect_at_once() {
    for flavour in [Flavour::Sync, Flavour::Worker] {
        each_pair(flavour, |scene| {
            let gate = scene.script.hold(3);
            let caller = scene.caller();
            assert_eq!(caller.begin(3), S_OK);
            assert_eq!(caller.cancel(0), S_OK);
            assert_eq!(caller.wait(0), S_OK, "signalled before Cancel returned");
            assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR, "whether or not the server noticed");
            assert_eq!(RPC_S_CALL_CANCELLED_HR.0 as u32, 0x8007_071A, "ERR-41");
            gate.set();
        });
    }
}

#[test]
fn cxl_03_cxl_43_cancel_minus_one_waits_for_the_servers_reply() {
    scene(Kind::Mta, Kind::Sta, Flavour::Sync, |scene| {
        let gate = scene.script.hold(AFTER_POLL);
        let caller = scene.caller();
        assert_eq!(caller.begin(POLLS), S_OK);
        let cancelled = Arc::new(Event::new(&Process::current(), false, false));
        let thread = Thread::start("canceller", {
            let (caller, cancelled) = (Sent(caller.clone()), cancelled.clone());
            move || {
                enter(Kind::Mta);
                let caller = caller.take();
                assert_eq!(caller.cancel(u32::MAX), RPC_E_CALL_COMPLETE);
                cancelled.set();
                drop(caller);
                leave();
            }
        });
        // TestCancel on the server turns at once; the client's call object does not, and a second Cancel is refused.
        scene.log().wait_for("saw the cancel");
        assert_eq!(caller.wait(1), RPC_S_CALLPENDING);
        assert_eq!(caller.test(), RPC_E_CALL_CANCELED);
        assert_eq!(caller.cancel(0), RPC_E_CALL_CANCELED);
        assert!(!cancelled.is_set());
        gate.set();
        thread.join();
        assert_eq!(caller.finish(), (S_OK, 2 * POLLS), "the method's own result");
    });
}

#[test]
fn cxl_03_cancel_minus_one_on_an_sta_pumps() {
    in_process(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (packet, script) = (host.packet(), host.script.clone());
        let client = Apt::sta();
        let gate = script.hold(AFTER_POLL);
        let back = client.run(move || {
            pack(&Does::probe(move |_| {
                gate.set();
                S_OK
            }))
        });
        let other = Thread::start("other", {
            let script = script.clone();
            move || {
                enter(Kind::Mta);
                let back = back.unpack();
                script.log().wait_for("saw the cancel");
                // The client's thread is in Cancel, and serves this call.
                assert_eq!(double(&back, 1), (S_OK, 2));
                drop(back);
                leave();
            }
        });
        client.run(move || {
            let caller = Caller::new(&packet.unpack());
            assert_eq!(caller.begin(POLLS), S_OK);
            assert_eq!(caller.cancel(u32::MAX), RPC_E_CALL_COMPLETE);
            assert_eq!(caller.finish(), (S_OK, 2 * POLLS));
        });
        other.join();
        host.stop();
        client.stop();
    });
}

#[test]
fn cxl_04_cancel_after_completion() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.wait(INFINITE), S_OK);
        for seconds in [0, 5, u32::MAX] {
            assert_eq!(caller.cancel(seconds), RPC_E_CALL_COMPLETE);
        }
        assert_eq!(caller.finish(), (S_OK, 6), "CXL-07: the method's own");
    });
}

#[test]
fn cxl_05_a_second_cancel() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(3);
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(
            (caller.cancel(0), caller.cancel(0), caller.cancel(9)),
            (S_OK, RPC_E_CALL_CANCELED, RPC_E_CALL_CANCELED)
        );
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        gate.set();
    });
}

#[test]
fn cxl_08_after_cancel_only_finish_makes_the_call_object_usable() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(3);
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.cancel(0), S_OK);
        assert_eq!((caller.begin(4), caller.begin_label(4)), (RPC_S_CALLPENDING, RPC_S_CALLPENDING));
        assert_eq!(caller.finish_label(), RPC_E_CALL_COMPLETE, "CALL-20");
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        gate.set();
        assert_eq!(caller.begin(4), S_OK);
        assert_eq!(caller.finish(), (S_OK, 8), "the late reply of the first call is not the second's");
    });
}

#[test]
fn cxl_09_cancel_while_finish_blocks_on_another_thread() {
    scene(Kind::Mta, Kind::Sta, Flavour::Sync, |scene| {
        for _ in 0..50 {
            let gate = scene.script.hold(3);
            let caller = scene.caller();
            assert_eq!(caller.begin(3), S_OK);
            let finisher = Thread::start("finisher", {
                let caller = Sent(caller.clone());
                move || {
                    enter(Kind::Mta);
                    let caller = caller.take();
                    assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
                    drop(caller);
                    leave();
                }
            });
            assert_eq!(caller.cancel(0), S_OK);
            finisher.join();
            gate.set();
        }
    });
}

#[test]
fn cxl_09_cancel_from_a_call_that_an_sta_serves_while_it_is_in_finish() {
    in_process(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (packet, gate) = (host.packet(), host.script.hold(3));
        let client = Apt::sta();
        let shared = Arc::new(Sent(std::cell::RefCell::new(None::<Caller>)));
        let back = client.run({
            let shared = shared.clone();
            move || {
                pack(&Does::probe(move |_| {
                    let caller = shared.0.borrow().clone().expect("the call is begun");
                    assert_eq!(caller.finish().0, RPC_E_CALL_COMPLETE, "one Finish_ is there already");
                    caller.cancel(0)
                }))
            }
        });
        let other = Thread::start("other", {
            let script = host.script.clone();
            move || {
                enter(Kind::Mta);
                let back = back.unpack();
                script.log().wait_for("enter 3");
                assert_eq!(double(&back, 1).0, S_OK);
                drop(back);
                leave();
            }
        });
        client.run(move || {
            let caller = Caller::new(&packet.unpack());
            *shared.0.borrow_mut() = Some(caller.clone());
            assert_eq!(caller.begin(3), S_OK);
            assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
            shared.0.take();
            gate.set();
        });
        other.join();
        host.stop();
        client.stop();
    });
}

#[test]
fn cxl_11_cxl_14_the_server_runs_to_its_end_and_its_result_is_dropped() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(3);
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("enter 3");
        assert_eq!(caller.cancel(0), S_OK);
        gate.set();
        scene.log().wait_for("cancelled 3");
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
    });
}

#[test]
fn cxl_12_cancel_with_nothing_begun_or_after_finish() {
    each_pair(Flavour::Sync, |scene| {
        let caller = scene.caller();
        assert_eq!((caller.cancel(0), caller.cancel(u32::MAX)), (RPC_E_CALL_COMPLETE, RPC_E_CALL_COMPLETE));
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.finish(), (S_OK, 6));
        assert_eq!((caller.cancel(0), caller.cancel(u32::MAX)), (RPC_E_CALL_COMPLETE, RPC_E_CALL_COMPLETE));
    });
}

#[test]
fn cxl_15_a_call_cancelled_before_it_started_is_delivered_and_told() {
    for client in [Kind::Mta, Kind::Sta] {
        scene_with(client, Kind::Sta, Flavour::Sync, |scene, host| {
            let (busy, go) = (Event::manual(), Event::manual());
            let blocked = host.apt.begin({
                let (busy, go) = (busy.clone(), go.clone());
                move || {
                    busy.set();
                    wait(&go);
                }
            });
            wait(&busy);
            let caller = scene.caller();
            assert_eq!(caller.begin(3), S_OK);
            assert_eq!(caller.cancel(0), S_OK);
            assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
            go.set();
            blocked.join();
            scene.log().wait_for("cancelled 3");
        });
    }
}

#[test]
fn cxl_16_cxl_17_cxl_22_test_cancel_on_the_client() {
    each_pair(Flavour::Sync, |scene| {
        let gate = scene.script.hold(3);
        let caller = scene.caller();
        assert_eq!(caller.test(), RPC_E_CALL_COMPLETE, "nothing begun");
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.test(), RPC_S_CALLPENDING);
        assert_eq!(caller.cancel(0), S_OK);
        assert_eq!(caller.test(), RPC_E_CALL_CANCELED);
        gate.set();
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        assert_eq!(caller.begin(4), S_OK);
        assert_eq!(caller.wait(INFINITE), S_OK);
        assert_eq!(caller.test(), RPC_E_CALL_COMPLETE);
        assert_eq!(caller.finish(), (S_OK, 8));
        assert_eq!(caller.test(), RPC_E_CALL_COMPLETE);
    });
}

/// What a server sees of a call, on the thread that it was dispatched on.
fn call_context() -> Result<ICancelMethodCalls, HRESULT> {
    let mut raw = std::ptr::dangling_mut();
    // SAFETY: valid arguments; on success a counted pointer.
    unsafe {
        match CoGetCallContext(&ICancelMethodCalls::IID, &mut raw) {
            S_OK => Ok(ICancelMethodCalls::from_raw(raw)),
            hr => {
                assert!(raw.is_null());
                Err(hr)
            }
        }
    }
}

#[test]
fn cxl_18_cxl_19_cxl_21_test_cancel_on_the_server() {
    for (client, server) in PAIRS {
        in_process(move || {
            let (host, apt) = (Apt::start(server), Apt::start(client));
            let (entered, go) = (Event::manual(), Event::manual());
            let log = Log::default();
            let packet = host.run({
                let (entered, go, log) = (entered.clone(), go.clone(), log.clone());
                move || {
                    pack(&Does::probe(move |n| {
                        let context = call_context().expect("a call is dispatched");
                        // SAFETY: no pointers.
                        let both = || unsafe { (context.TestCancel(), CoTestCancel()) };
                        assert_eq!(both(), (RPC_S_CALLPENDING, RPC_S_CALLPENDING));
                        entered.set();
                        wait(&go);
                        let seen = if n == 1 { RPC_E_CALL_CANCELED } else { RPC_S_CALLPENDING };
                        assert_eq!(both(), (seen, seen));
                        log.say(format!("seen {n}"));
                        S_OK
                    }))
                }
            });
            apt.run({
                let log = log.clone();
                move || {
                    // An asynchronous client, a synchronous server.
                    let caller = Caller::new(&packet.unpack());
                    assert_eq!(caller.begin(1), S_OK);
                    wait(&entered);
                    assert_eq!(caller.cancel(0), S_OK);
                    go.set();
                    log.wait_for("seen 1");
                    assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
                    assert_eq!(caller.begin(2), S_OK);
                    assert_eq!(caller.finish(), (S_OK, 4));
                }
            });
            assert!(log.has("seen 2"));
            host.stop();
            apt.stop();
        });
    }
}

#[test]
fn cxl_18_a_worker_asks_the_call_object() {
    each_pair_with(Flavour::Hand, |scene, host| {
        let ask = |n: u32| {
            let script = scene.script.clone();
            host.apt.run(move || {
                let cancel: ICancelMethodCalls = script.in_hand(n).cast().unwrap();
                // SAFETY: a live object of this apartment.
                unsafe { cancel.TestCancel() }
            })
        };
        let caller = scene.caller();
        assert_eq!(caller.begin(3), S_OK);
        scene.log().wait_for("begun 3");
        assert_eq!(ask(3), RPC_S_CALLPENDING);
        assert_eq!(caller.cancel(0), S_OK);
        assert_eq!(ask(3), RPC_E_CALL_CANCELED);
        assert_eq!(host.signal(3), S_OK);
        // Begin_ may not have returned yet; the call ends when it has.
        while ask(3) == RPC_E_CALL_CANCELED {
            std::thread::yield_now();
        }
        assert_eq!(ask(3), RPC_E_CALL_COMPLETE);
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        host.let_go(3);
    });
}

#[test]
fn cxl_20_cotestcancel_outside_any_call() {
    in_process(|| {
        // SAFETY: no pointers.
        let test = || unsafe { CoTestCancel() };
        assert_eq!(test(), RPC_E_CALL_COMPLETE, "outside COM");
        for kind in [Kind::Sta, Kind::Mta] {
            enter(kind);
            assert_eq!(test(), RPC_E_CALL_COMPLETE);
            assert_eq!(call_context().err(), Some(RPC_E_CALL_COMPLETE));
            leave();
        }
    });
}

#[test]
fn a_context_that_outlives_its_call_says_complete() {
    in_process(|| {
        let host = Apt::sta();
        let kept = Arc::new(Sent(std::cell::RefCell::new(None)));
        let packet = host.run({
            let kept = kept.clone();
            move || {
                pack(&Does::probe(move |_| {
                    *kept.0.borrow_mut() = Some(call_context().unwrap());
                    S_OK
                }))
            }
        });
        enter(Kind::Mta);
        assert_eq!(double(&packet.unpack(), 1), (S_OK, 2));
        host.run(move || {
            let context = kept.0.take().expect("the call was made");
            // SAFETY: a live object of this apartment.
            unsafe {
                assert_eq!(context.TestCancel(), RPC_E_CALL_COMPLETE);
                assert_eq!(context.Cancel(0), E_NOTIMPL, "cancelling is the client's business");
            }
        });
        host.stop();
        leave();
    });
}

#[test]
fn cancel_races_with_completion_and_one_of_them_wins() {
    scene(Kind::Mta, Kind::Sta, Flavour::Sync, |scene| {
        for n in 0..300 {
            let caller = scene.caller();
            let gate = scene.script.hold(n);
            assert_eq!(caller.begin(n), S_OK);
            gate.set();
            match caller.cancel(0) {
                S_OK => assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR),
                RPC_E_CALL_COMPLETE => assert_eq!(caller.finish(), (S_OK, 2 * n)),
                other => panic!("{other:?}"),
            }
        }
    });
}
