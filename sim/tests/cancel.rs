//! Cancels that wait so many seconds, in virtual time: the rulings on `Cancel(n)` and `Cancel(-1)` (CXL-02, CXL-03, CXL-43). And
//! one that meets `Begin_`, in every order.

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::outcomes;
use oleander::kernel::Event;
use oleander::*;
use oleander_sim::{Builder, run, world};
use std::sync::{Arc, OnceLock};
use support::outer::{Notify, notify};
use support::probe::*;
use support::*;

const SECOND_NS: u64 = 1_000_000_000;

/// Virtual seconds since some moment.
struct Clock(u64);

impl Clock {
    fn start() -> Self {
        Self(world::now_ns())
    }

    /// Only whole seconds pass here.
    #[track_caller]
    fn seconds(&self) -> u64 {
        let ns = world::now_ns() - self.0;
        assert_eq!(ns % SECOND_NS, 0, "{ns} ns");
        ns / SECOND_NS
    }
}

fn sleep(seconds: u32) {
    // SAFETY: no pointers. It is virtual time that passes.
    unsafe { Sleep(seconds * 1000) };
}

/// A client in its apartment, with a proxy, in a world of its own that must come to its end with nothing left.
fn scene(client: Kind, server: Kind, body: impl FnOnce(&Scene) + Send + 'static) {
    let report = run(move || {
        in_scene(client, server, Flavour::Sync, |scene, _| body(scene));
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
    });
    report.expect_completed();
}

fn each(body: impl Fn(&Scene) + Send + Sync + Copy + 'static) {
    for (client, server) in PAIRS {
        scene(client, server, body);
    }
}

/// Opens the gate of a call after some seconds.
fn open_after(scene: &Scene, n: u32, seconds: u32) -> Thread {
    let gate = scene.script.hold(n);
    Thread::start("opener", move || {
        sleep(seconds);
        gate.set();
    })
}

#[test]
fn cxl_03_a_call_that_completes_in_time_is_complete() {
    each(|scene| {
        let opener = open_after(scene, 3, 2);
        let (caller, clock) = (scene.caller(), Clock::start());
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.cancel(5), RPC_E_CALL_COMPLETE);
        assert_eq!(clock.seconds(), 2);
        assert_eq!(caller.finish(), (S_OK, 6), "the method's own result");
        assert!(scene.log().has("cancelled 3"), "the request was sent at once");
        opener.join();
    });
}

#[test]
fn cxl_02_cxl_03_a_call_that_does_not_is_cancelled_when_the_seconds_are_over() {
    each(|scene| {
        let opener = open_after(scene, 3, 20);
        let (caller, clock) = (scene.caller(), Clock::start());
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.cancel(5), S_OK);
        assert_eq!((clock.seconds(), caller.wait(0)), (5, S_OK));
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        assert_eq!(clock.seconds(), 5, "CXL-06: at once");
        opener.join();
    });
}

#[test]
fn cxl_43_cancel_minus_one_waits_for_ever() {
    each(|scene| {
        let opener = open_after(scene, 3, 100_000);
        let (caller, clock) = (scene.caller(), Clock::start());
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!(caller.cancel(u32::MAX), RPC_E_CALL_COMPLETE);
        assert_eq!(clock.seconds(), 100_000);
        assert_eq!(caller.finish(), (S_OK, 6));
        opener.join();
    });
}

#[test]
fn cxl_03_until_the_seconds_are_over_the_call_is_pending_for_everybody() {
    scene(Kind::Mta, Kind::Sta, |scene| {
        let opener = open_after(scene, 3, 20);
        let caller = scene.caller();
        let begun = world::now_ns();
        assert_eq!(caller.begin(3), S_OK);
        let copies = [Sent(caller.clone()), Sent(caller.clone())];
        let [watching, finishing] = copies;
        let watcher = Thread::start("watcher", move || {
            enter(Kind::Mta);
            let it = watching.take();
            sleep(4);
            assert_eq!(it.wait(0), RPC_S_CALLPENDING);
            assert_eq!(it.test(), RPC_E_CALL_CANCELED);
            assert_eq!((it.cancel(0), it.cancel(9)), (RPC_E_CALL_CANCELED, RPC_E_CALL_CANCELED), "CXL-05");
            assert_eq!(world::now_ns() - begun, 4 * SECOND_NS);
            drop(it);
            leave();
        });
        let finisher = Thread::start("finisher", move || {
            enter(Kind::Mta);
            let it = finishing.take();
            sleep(1);
            assert_eq!(it.finish().0, RPC_S_CALL_CANCELLED_HR);
            assert_eq!(world::now_ns() - begun, 5 * SECOND_NS, "a blocked Finish_ stays blocked until then");
            drop(it);
            leave();
        });
        assert_eq!(caller.cancel(5), S_OK);
        watcher.join();
        finisher.join();
        opener.join();
    });
}

#[test]
fn cxl_03_an_sta_serves_calls_while_it_waits_in_cancel() {
    let report = run(|| {
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (packet, gate) = (host.packet(), host.script.hold(3));
        let apt = Apt::sta();
        let clock = Clock::start();
        let back = apt.run(|| pack(&Does::probe(|_| S_OK)));
        let other = Thread::start("other", move || {
            enter(Kind::Mta);
            let back = back.unpack();
            sleep(2);
            let served = Clock::start();
            assert_eq!((double(&back, 1), served.seconds()), ((S_OK, 2), 0));
            drop(back);
            leave();
        });
        apt.run(move || {
            let caller = Caller::new(&packet.unpack());
            assert_eq!(caller.begin(3), S_OK);
            assert_eq!((caller.cancel(5), clock.seconds()), (S_OK, 5));
            assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        });
        gate.set();
        other.join();
        host.stop();
        apt.stop();
        assert_eq!(debug::live_objects(), 0);
    });
    report.expect_completed();
}

#[test]
fn cxl_10_the_outer_is_signalled_when_the_seconds_are_over() {
    each(|scene| {
        let opener = open_after(scene, 3, 20);
        let log = Log::default();
        let (outer, caller) = notify(&scene.probe, Notify::new(&log));
        *outer.plan.on_signal.lock().expect("no panic under it") =
            Some(Box::new(|notify| notify.log().say(format!("at {} s", world::now_ns() / SECOND_NS))));
        let clock = Clock::start();
        let at = clock.0 / SECOND_NS + 5;
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!((caller.cancel(5), clock.seconds()), (S_OK, 5));
        assert!(log.has(&format!("at {at} s")), "{:?}", log.lines());
        assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
        opener.join();
        // The late reply signals nobody.
        assert_eq!(double(&scene.probe, 4), (S_OK, 8));
        assert_eq!(log.count("Signal done"), 1);
        drop((caller, outer));
    });
}

#[test]
fn call_26_cxl_10_a_cancel_while_begin_asks_the_outer_is_told() {
    let found = outcomes(&Builder::new(), || {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        enter(Kind::Mta);
        let probe = host.packet().unpack();
        let (asked, cancelled) = (Event::manual(), Arc::new(OnceLock::new()));
        let (outer, caller) = notify(&probe, Notify::new(&Log::default()));
        let said = asked.clone();
        // The second one gives the other thread its turn.
        *outer.plan.when_asked.lock().expect("no panic under it") =
            Some(Box::new(move || [&said; 2].into_iter().for_each(|event| event.set())));
        let (other, result) = (Sent(caller.clone()), cancelled.clone());
        let canceller = Thread::start("canceller", move || {
            enter(Kind::Mta);
            let other = other.take();
            wait(&asked);
            result.set(other.cancel(0)).unwrap();
            drop(other);
            leave();
        });
        assert_eq!(caller.begin(3), S_OK);
        let finished = caller.finish().0;
        canceller.join();
        drop((caller, outer, probe));
        leave();
        host.stop();
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
        (cancelled.get().unwrap().0, finished.0)
    });
    let outcomes = [(S_OK, RPC_S_CALL_CANCELLED_HR), (RPC_E_CALL_COMPLETE, S_OK)];
    assert_eq!(found, outcomes.map(|(cancelled, finished)| (cancelled.0, finished.0)).into());
}

#[test]
fn cxl_39_cxl_40_a_synchronous_call_is_cancelled_after_so_many_seconds() {
    for (replies_after, seconds, expected, took) in [
        (20, 5, (S_OK, RPC_S_CALL_CANCELLED_HR), 5),
        (2, 5, (RPC_E_CALL_COMPLETE, S_OK), 2),
        (20, 0, (S_OK, RPC_S_CALL_CANCELLED_HR), 0),
        (20, u32::MAX, (RPC_E_CALL_COMPLETE, S_OK), 20),
    ] {
        for (client, server) in PAIRS {
            let report = run(move || {
                let host = Server::start(server, Flavour::Sync);
                let apt = Apt::start(client);
                let (packet, gate) = (host.packet(), host.script.hold(3));
                let calling = apt.begin(move || {
                    let probe = packet.unpack();
                    // SAFETY: null, as it must be.
                    assert_eq!(unsafe { CoEnableCallCancellation(std::ptr::null_mut()) }, S_OK);
                    (double(&probe, 3).0, Sent(probe))
                });
                host.script.log().wait_for("enter 3");
                let opener = Thread::start("opener", move || {
                    sleep(replies_after);
                    gate.set();
                });
                let clock = Clock::start();
                // SAFETY: no pointers.
                let cancelled = unsafe { CoCancelCall(apt.thread_id, seconds) };
                assert_eq!(clock.seconds(), took);
                let (result, probe) = calling.join();
                assert_eq!((cancelled, result), expected);
                opener.join();
                apt.run(move || drop(probe));
                host.stop();
                apt.stop();
                assert_eq!(debug::live_objects(), 0);
            });
            report.expect_completed();
        }
    }
}

#[test]
fn call_27_pat_03_a_wait_takes_exactly_its_time() {
    each(|scene| {
        let opener = open_after(scene, 3, 9);
        let (caller, clock) = (scene.caller(), Clock::start());
        assert_eq!(caller.begin(3), S_OK);
        assert_eq!((caller.wait(4000), clock.seconds()), (RPC_S_CALLPENDING, 4));
        assert_eq!((caller.wait(4000), clock.seconds()), (RPC_S_CALLPENDING, 8));
        assert_eq!((caller.wait(4000), clock.seconds()), (S_OK, 9));
        assert_eq!(caller.finish(), (S_OK, 6));
        opener.join();
    });
}

#[test]
fn srv_13_signalled_from_the_wrong_apartment_a_call_hangs_for_years() {
    let report = run(|| {
        let host = Server::start(Kind::Mta, Flavour::Hand);
        let (packet, script) = (host.packet(), host.script.clone());
        let (apt, worker) = (Apt::sta(), Apt::sta());
        let waiting = apt.begin({
            let script = script.clone();
            move || {
                let caller = Caller::new(&packet.unpack());
                assert_eq!(caller.begin(3), S_OK);
                script.log().wait_for("begun 3");
                // A month, as often as it takes.
                for _ in 0..24 {
                    assert_eq!(caller.wait(30 * 24 * 3600 * 1000), RPC_S_CALLPENDING);
                }
                assert_eq!(caller.cancel(0), S_OK);
                assert_eq!(caller.finish().0, RPC_S_CALL_CANCELLED_HR);
            }
        });
        script.log().wait_for("begun 3");
        let theirs = script.clone();
        worker.run(move || {
            // SAFETY: refused, as is tested.
            assert_eq!(unsafe { theirs.in_hand(3).Signal() }, RPC_E_WRONG_THREAD);
        });
        waiting.join();
        assert!(!script.log().has("finish 3"));
        host.let_go(3);
        worker.stop();
        host.stop();
        apt.stop();
        assert_eq!(debug::live_objects(), 0);
    });
    report.expect_completed();
}
