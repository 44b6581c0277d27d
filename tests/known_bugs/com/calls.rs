//! What clients do wrong with call objects.
//!
//! Every program runs in a simulated world: `world::sleep` moves virtual time when nobody can run, and leaves nothing to luck.

use super::kit::*;
use super::{Fails, program};
use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander::windows_core::Interface;
use oleander::*;
use oleander_sim::sync::Mutex;
use oleander_sim::world;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

/// CXL-04: a call that completes first is not cancelled.
fn cancel(handles_both: bool) {
    client_and_part(
        |question| question + 1,
        |part| {
            let call = call_object(&part);
            let cancel: ICancelMethodCalls = call.cast().expect("CALL-10");
            assert_eq!(unsafe { call.Begin_Ask(1) }, S_OK);
            let cancelled = unsafe { cancel.Cancel(0) };
            let (hr, answer) = finish(&call);
            if handles_both && cancelled == RPC_E_CALL_COMPLETE {
                assert_eq!((hr, answer), (S_OK, 2));
            } else {
                assert_eq!(hr, RPC_S_CALL_CANCELLED_HR, "the call should be cancelled");
            }
        },
    );
}

#[test]
fn cxl_04_a_cancel_that_comes_too_late() {
    program("cancel_against_complete", Fails::Saying("should be cancelled"), || cancel(false), || cancel(true));
}

/// CALL-24: Begin_ resets. Whoever resets once more may do so after the Signal.
fn reset_after_begin(resets: bool) {
    client_and_part(
        |question| question + 1,
        |part| {
            let call = call_object(&part);
            let sync: ISynchronize = call.cast().expect("CALL-10");
            assert_eq!(unsafe { call.Begin_Ask(1) }, S_OK);
            if resets {
                assert_eq!(unsafe { sync.Reset() }, S_OK);
            }
            assert_eq!(unsafe { sync.Wait(COWAIT_DEFAULT, INFINITE) }, S_OK);
            assert_eq!(finish(&call), (S_OK, 2));
        },
    );
}

#[test]
fn call_24_a_reset_after_begin_loses_the_signal() {
    program("reset_after_begin", Fails::Deadlock, || reset_after_begin(true), || reset_after_begin(false));
}

/// CXL-08, PIT-14: a cancelled call is finished before the next is begun.
fn cancelled_and_begun_again(finishes: bool) {
    client_and_part(
        |question| question + 1,
        |part| {
            let call = call_object(&part);
            let cancel: ICancelMethodCalls = call.cast().expect("CALL-10");
            assert_eq!(unsafe { call.Begin_Ask(1) }, S_OK);
            let _ = unsafe { cancel.Cancel(0) };
            if finishes {
                let _ = finish(&call);
            }
            assert_eq!(unsafe { call.Begin_Ask(2) }, S_OK, "the call object is free");
            assert_eq!(finish(&call), (S_OK, 3));
        },
    );
}

#[test]
fn pit_14_a_cancelled_call_that_is_never_finished() {
    let (bad, good) = (|| cancelled_and_begun_again(false), || cancelled_and_begun_again(true));
    program("no_finish_after_cancel", Fails::Saying("the call object is free"), bad, good);
}

/// PIT-01: RPC_S_CALLPENDING is a failure code, whatever its name says. A fast server hides it.
fn poll(compares: bool) {
    client_and_part(
        |question| {
            world::sleep(Duration::from_millis(15));
            question + 1
        },
        |part| {
            let call = call_object(&part);
            let sync: ISynchronize = call.cast().expect("CALL-10");
            assert_eq!(unsafe { call.Begin_Ask(1) }, S_OK);
            loop {
                let hr = unsafe { sync.Wait(COWAIT_DEFAULT, 10) };
                assert!(compares || hr.is_ok(), "waiting has failed");
                if hr != RPC_S_CALLPENDING {
                    break;
                }
            }
            assert_eq!(finish(&call), (S_OK, 2));
        },
    );
}

#[test]
fn pit_01_a_pending_call_taken_for_a_failed_one() {
    program("pending_is_no_failure", Fails::Saying("waiting has failed"), || poll(false), || poll(true));
}

/// CXL-02, PIT-02: Cancel takes seconds.
fn patience(seconds: u32) {
    client_and_part(
        |question| {
            world::sleep(Duration::from_secs(4_000));
            question
        },
        |part| {
            let call = call_object(&part);
            let cancel: ICancelMethodCalls = call.cast().expect("CALL-10");
            assert_eq!(unsafe { call.Begin_Ask(1) }, S_OK);
            let began = world::now_ns();
            assert_eq!(unsafe { cancel.Cancel(seconds) }, S_OK);
            assert!(world::now_ns() - began <= 3_000_000_000, "three seconds are enough");
            assert_eq!(finish(&call).0, RPC_S_CALL_CANCELLED_HR);
        },
    );
}

#[test]
fn pit_02_milliseconds_given_where_seconds_are_meant() {
    program("seconds", Fails::Saying("three seconds are enough"), || patience(3_000), || patience(3));
}

/// CXL-34, PIT-16: cancellation is enabled on the thread that calls, before it calls.
fn synchronous_cancel(on_the_caller: bool) {
    let (server, mut packets) = Server::start("server", 1, || {
        part(|question| {
            world::sleep(Duration::from_secs(10));
            question
        })
    });
    let packet = packets.remove(0);
    apartment(MTA, || {
        if !on_the_caller {
            assert_eq!(unsafe { CoEnableCallCancellation(std::ptr::null_mut()) }, S_OK);
        }
        let id = Arc::new(Mutex::new(0));
        let told = id.clone();
        let caller = spawn("caller", move || {
            apartment(MTA, || {
                if on_the_caller {
                    assert_eq!(unsafe { CoEnableCallCancellation(std::ptr::null_mut()) }, S_OK);
                }
                *told.lock().unwrap() = unsafe { GetCurrentThreadId() };
                let part = packet.open();
                assert_eq!(ask(&part, 1).0, RPC_S_CALL_CANCELLED_HR, "the call should be cancelled");
                drop(part);
                if on_the_caller {
                    assert_eq!(unsafe { CoDisableCallCancellation(std::ptr::null_mut()) }, S_OK);
                }
            });
        });
        // Time moves when nobody can run: the call is with the server by then.
        world::sleep(Duration::from_secs(5));
        let hr = unsafe { CoCancelCall(*id.lock().unwrap(), 0) };
        assert!(hr == S_OK || !on_the_caller, "{hr:?}");
        join(&caller);
        if !on_the_caller {
            assert_eq!(unsafe { CoDisableCallCancellation(std::ptr::null_mut()) }, S_OK);
        }
    });
    server.stop();
    nothing_is_left();
}

#[test]
fn pit_16_cancellation_enabled_on_another_thread() {
    let (bad, good) = (|| synchronous_cancel(false), || synchronous_cancel(true));
    program("cancellation_of_another_thread", Fails::Saying("should be cancelled"), bad, good);
}

/// A part whose destructor waits: a hung server.
struct Hung(Arc<Event>);

impl Drop for Hung {
    fn drop(&mut self) {
        self.0.wait(Deadline::NEVER, Why::Wait);
    }
}

/// AIU-01, PIT-17: the last Release of a proxy waits for the server.
fn last_release(asynchronous: bool) {
    let gate = Event::manual();
    let hung = Hung(gate.clone());
    let (server, mut packets) = Server::start("server", 1, move || part(move |_| u32::from(hung.0.is_set())));
    apartment(MTA, || {
        let part = packets.remove(0).open();
        if asynchronous {
            let factory: ICallFactory = part.cast().expect("CALL-01");
            let mut raw = std::ptr::null_mut();
            let (iid, outer) = (&AsyncIUnknown::IID, std::ptr::null_mut());
            let release = unsafe {
                factory.CreateCall(iid, outer, iid, &mut raw).ok().expect("AIU-02");
                AsyncIUnknown::from_raw(raw)
            };
            drop((part, factory));
            assert_eq!(unsafe { release.Begin_Release() }, S_OK);
            gate.set();
            assert_eq!(unsafe { release.Finish_Release() }, 0);
        } else {
            drop(part);
            gate.set();
        }
    });
    server.stop();
    nothing_is_left();
}

#[test]
fn pit_17_the_last_release_of_a_hung_server() {
    program("last_release", Fails::Deadlock, || last_release(false), || last_release(true));
}

/// A helper of the MTA gets the client's pointer to a proxy: with a reference of its own, or without.
fn lent(counted: bool) {
    client_and_part(
        |question| question + 1,
        |part| {
            let begun = Event::manual();
            let (set, pointer) = (begun.clone(), Raw(if counted { part.clone().into_raw() } else { part.as_raw() }));
            let helper = spawn("helper", move || {
                apartment(MTA, || {
                    let part = ManuallyDrop::new(unsafe { IPart::from_raw(pointer.get()) });
                    set.set();
                    for question in 1..=2 {
                        assert_eq!(ask(&part, question), (S_OK, question + 1));
                    }
                    if counted {
                        drop(ManuallyDrop::into_inner(part));
                    }
                });
            });
            begun.wait(Deadline::NEVER, Why::Wait);
            drop(part);
            join(&helper);
        },
    );
}

#[test]
fn a_pointer_that_a_helper_has_without_a_reference() {
    let fails = Fails::Checker("release", "IPart method 3 of a proxy of IPart");
    program("lent_without_a_reference", fails, || lent(false), || lent(true));
}
