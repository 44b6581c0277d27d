//! Asynchronous releases in virtual time: a destructor of ten seconds keeps nobody waiting (PAT-10, AIU-01 to AIU-04).

#[path = "../../core/tests/support/mod.rs"]
mod support;
mod walks;

use oleander::windows_core::IUnknown;
use oleander::*;
use oleander_sim::{Limits, explore_with, run, world};
use std::sync::{Arc, Mutex};
use support::probe::PAIRS;
use support::releaser::*;
use support::*;
use walks::Walks;

const SECOND_NS: u64 = 1_000_000_000;

fn destructor_of_ten_seconds() {
    // SAFETY: no pointers. It is virtual time that passes.
    unsafe { Sleep(10_000) };
}

/// In a world of its own, at whose end nothing is left; virtual seconds are counted from its start.
fn scene(body: impl Fn(IUnknown, &Log) + Send + Sync + Copy + 'static) {
    for (client, server) in PAIRS {
        let report = run(move || {
            play(client, server, destructor_of_ten_seconds, move |object, log, _| body(object, log));
            assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
        });
        report.expect_completed();
    }
}

#[track_caller]
fn at(seconds: u64) {
    assert_eq!(world::now_ns(), seconds * SECOND_NS);
}

#[test]
fn aiu_01_the_last_release_waits_for_the_destructor() {
    scene(|object, log| {
        drop(object);
        at(10);
        assert!(log.has("destroyed"));
    });
}

#[test]
fn pat_10_aiu_04_begin_release_returns_at_once() {
    for helper in HELPERS {
        scene(move |object, log| {
            assert_eq!(helper(object, log), S_OK);
            at(0);
            log.pump_for("the outer is gone");
            at(10);
            let lines = log.lines();
            assert_eq!(lines, ["the destructor starts", "destroyed", "finished with 0", "the outer is gone"]);
        });
    }
}

#[test]
fn call_17_finish_release_waits_for_the_destructor() {
    scene(|object, log| {
        let call = plain(object);
        // SAFETY: no pointers.
        unsafe {
            assert_eq!(call.Begin_Release(), S_OK);
            at(0);
            assert_eq!(call.Finish_Release(), 0);
        }
        at(10);
        assert!(log.has("destroyed"));
    });
}

#[test]
fn cxl_06_a_cancelled_release_is_finished_at_once() {
    scene(|object, log| {
        let call = plain(object);
        let cancel = windows_core::Interface::cast::<ICancelMethodCalls>(&call).unwrap();
        // SAFETY: no pointers.
        unsafe {
            assert_eq!((call.Begin_Release(), cancel.Cancel(3)), (S_OK, S_OK));
            at(3);
            assert_eq!(call.Finish_Release(), 0);
        }
        at(3);
        log.pump_for("destroyed");
        at(10);
    });
}

/// Whatever the order, nothing hangs and nothing is left.
#[track_caller]
fn walk(scenario: impl Fn()) {
    let found = explore_with(&mut Walks::new(200), &Limits::default(), || {
        scenario();
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
    });
    assert!(found.complete && found.failures == 0, "{found}");
}

#[test]
fn aiu_04_in_many_orders_the_outer_is_finished_once() {
    for (client, server) in PAIRS {
        for helper in HELPERS {
            walk(move || {
                play(
                    client,
                    server,
                    || {},
                    move |object, log, _| {
                        assert_eq!(helper(object, log), S_OK);
                        log.pump_for("the outer is gone");
                        assert_eq!((log.count("destroyed"), log.count("finished with 0")), (1, 1));
                    },
                );
            });
        }
    }
}

#[test]
fn aiu_02_cxl_04_a_release_against_its_cancellation() {
    let said = std::cell::RefCell::new(std::collections::BTreeSet::new());
    walk(|| {
        let outcome = Arc::new(Mutex::new(None));
        let slot = outcome.clone();
        play(
            Kind::Mta,
            Kind::Sta,
            || {},
            move |object, log, _| {
                let call = plain(object);
                // SAFETY: no pointers.
                assert_eq!(unsafe { call.Begin_Release() }, S_OK);
                let cancel = Sent(windows_core::Interface::cast::<ICancelMethodCalls>(&call).unwrap());
                let canceller = Thread::start("canceller", move || {
                    enter(Kind::Mta);
                    // SAFETY: no pointers.
                    *slot.lock().unwrap() = Some(unsafe { cancel.0.Cancel(0) });
                    drop(cancel);
                    leave();
                });
                // SAFETY: no pointers.
                assert_eq!(unsafe { call.Finish_Release() }, 0);
                canceller.join();
                log.wait_for("destroyed");
            },
        );
        let hr = outcome.lock().unwrap().take().expect("the canceller has ended");
        said.borrow_mut().insert(hr.0);
    });
    assert_eq!(said.into_inner(), [S_OK.0, RPC_E_CALL_COMPLETE.0].into(), "either may win");
}
