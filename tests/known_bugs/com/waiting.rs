//! What apartments do wrong while they wait.

use super::kit::*;
use super::{Fails, program};
use oleander::*;
use oleander_sim::sync::{Arc, Mutex};
use std::cell::Cell;

/// PIT-13: whatever waits in an STA lets calls in, in the middle of its own method.
fn withdrawals(takes_first: bool) {
    let (bank, mut packets) = Server::start("bank", 2, move || {
        let balance = Cell::new(100);
        part(move |amount| {
            if balance.get() < amount {
                return 0;
            }
            if takes_first {
                balance.set(balance.get() - amount);
            }
            // The method waits for something else, and the wait dispatches.
            let (event, mut index) = (Handle::event(), 0);
            let hr = unsafe { CoWaitForMultipleHandles(COWAIT_DEFAULT, 10, 1, &event.0, &mut index) };
            assert_eq!(hr, RPC_S_CALLPENDING);
            if !takes_first {
                balance.set(balance.get().wrapping_sub(amount));
            }
            amount
        })
    });
    let other = packets.remove(0);
    let paid = Arc::new(Mutex::new(0));
    let theirs = paid.clone();
    let client = spawn("other client", move || {
        apartment(MTA, || *theirs.lock().unwrap() += ask(&other.open(), 60).1);
    });
    let amount = apartment(MTA, || ask(&packets.remove(0).open(), 60).1);
    join(&client);
    bank.stop();
    nothing_is_left();
    assert_eq!(amount + *paid.lock().unwrap(), 60, "the account is overdrawn");
}

#[test]
fn pit_13_a_call_that_comes_in_the_middle_of_a_method() {
    let (bad, good) = (|| withdrawals(false), || withdrawals(true));
    program("reentrancy", Fails::Saying("the account is overdrawn"), bad, good);
}

/// PIT-06, PIT-08: an STA that waits without dispatching for somebody who calls it.
fn call_back(pumps: bool) {
    let (server, mut packets) = Server::start("server", 1, move || {
        part(move |question| {
            let done = Arc::new(Handle::event());
            let (set, packet) = (done.clone(), Packet::new(&part(|question| question * 2)));
            let helper = spawn("helper", move || {
                apartment(MTA, || assert_eq!(ask(&packet.open(), 4), (S_OK, 8)));
                set.set();
            });
            if pumps {
                done.wait(COWAIT_DEFAULT)
            } else {
                done.wait_plainly()
            }
            join(&helper);
            question + 1
        })
    });
    apartment(MTA, || assert_eq!(ask(&packets.remove(0).open(), 1), (S_OK, 2)));
    server.stop();
    nothing_is_left();
}

#[test]
fn pit_06_pit_08_an_sta_that_waits_without_dispatching() {
    program("plain_wait_on_an_sta", Fails::Deadlock, || call_back(false), || call_back(true));
}

/// PIT-08: two STAs call each other, and one of them holds what the other one needs.
fn cross_calls(holds: bool) {
    let lock = Arc::new(Mutex::new(()));
    let theirs = lock.clone();
    let (first, mut packets) = Server::start("first", 1, move || {
        part(move |question| {
            drop(theirs.lock().unwrap());
            question
        })
    });
    apartment(STA, || {
        let part = packets.remove(0).open();
        let held = lock.lock().unwrap();
        if holds {
            assert_eq!(ask(&part, 7), (S_OK, 7));
            drop(held);
        } else {
            drop(held);
            assert_eq!(ask(&part, 7), (S_OK, 7));
        }
    });
    first.stop();
    nothing_is_left();
}

#[test]
fn pit_08_a_lock_held_across_a_call() {
    program("lock_across_a_call", Fails::Deadlock, || cross_calls(true), || cross_calls(false));
}

const WM_CONTINUE: u32 = WM_APP + 7;

/// WAIT-09, PIT-07: COM's wait leaves posted messages in the queue.
fn continuation(loops: bool) {
    apartment(STA, || {
        let me = unsafe { GetCurrentThreadId() };
        let done = Arc::new(Handle::event());
        let worker = spawn("worker", move || {
            unsafe { PostThreadMessageW(me, WM_CONTINUE, 0, 0).ok().expect("it has a queue") };
        });
        // The continuation runs where the message is dispatched, and ends the wait.
        let run = |msg: &MSG| {
            if msg.message == WM_CONTINUE {
                done.set();
            }
        };
        if loops {
            let mut msg = MSG::default();
            while unsafe { MsgWaitForMultipleObjects(1, &done.0, false.into(), INFINITE, QS_ALLINPUT) } != WAIT_OBJECT_0
            {
                while unsafe { PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
                    run(&msg);
                }
            }
        } else {
            done.wait(COWAIT_DEFAULT);
        }
        join(&worker);
    });
    nothing_is_left();
}

#[test]
fn pit_07_a_posted_continuation_that_starves() {
    program("posted_continuation", Fails::Deadlock, || continuation(false), || continuation(true));
}

/// PIT-10: somebody else may have chosen the thread's model.
fn library(asks: bool) {
    apartment(STA, || {
        let hr = unsafe { CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED) };
        if asks && hr == RPC_E_CHANGED_MODE {
            return;
        }
        assert!(hr.is_ok(), "the library cannot work here");
    });
    nothing_is_left();
}

#[test]
fn pit_10_a_library_on_a_thread_of_another_model() {
    program("changed_mode", Fails::Saying("the library cannot work here"), || library(false), || library(true));
}

/// MRSH-01: a proxy belongs to its apartment.
fn handed_over(marshals: bool) {
    client_and_part(
        |question| question + 1,
        |part| {
            let (packet, raw) = (marshals.then(|| Packet::new(&part)), Raw(part.clone()));
            let other = spawn("other", move || {
                apartment(STA, || {
                    let part = match packet {
                        Some(packet) => packet.open(),
                        None => raw.get(),
                    };
                    assert_eq!(ask(&part, 1), (S_OK, 2), "the proxy can be used here");
                });
            });
            join(&other);
        },
    );
}

#[test]
fn a_proxy_handed_over_as_it_is() {
    let (bad, good) = (|| handed_over(false), || handed_over(true));
    program("proxy_handed_over", Fails::Saying("the proxy can be used here"), bad, good);
}
