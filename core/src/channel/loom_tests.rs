//! loom's models of a call in flight: completion against cancellation against release.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p oleander --lib --release loom_`
//!
//! Two or three threads each, at most two preemptions (three in `ci/slow`); each model takes less than half a
//! second of processor time.

use super::{Buffer, Call, Caller, Failure, Kind, Route, Target};
use crate::abi::hresult::{RPC_E_CALL_CANCELED, RPC_E_CALL_COMPLETE, RPC_S_CALL_CANCELLED_HR};
use crate::kernel::Event;
use crate::kernel::loom_tests::{bounded, event, start, wait_for};
use crate::process::Process;
use crate::protocol::call::{Cancel, GiveUp};
use std::sync::{Arc, Weak};
use windows_core::GUID;

/// A call of nobody to nobody, signalled through an event of its own.
struct Flight {
    call: Arc<Call>,
    event: Arc<Event>,
}

impl Flight {
    fn new(process: &Process) -> Self {
        let target = Target { apartment: Weak::new(), ipid: GUID::zeroed(), iid: GUID::zeroed(), context: 3 };
        let caller = Caller {
            logical: GUID::zeroed(),
            kind: Kind::Begun,
            tid: 0,
            blanket: None,
            chain: Default::default(),
            hooked: None,
            context: 3,
        };
        let call = Call::new(process, Arc::new(target), caller, Buffer::default());
        let event = event(process, false);
        call.set_route(Route::Own(event.clone()));
        Self { call, event }
    }

    fn wait(&self) {
        wait_for(&self.event);
    }
}

fn reply() -> Result<Buffer, Failure> {
    Ok(Buffer::new(4))
}

/// The client that waits sees the whole reply (CALL-16), and the call is decided.
#[test]
fn loom_a_reply_reaches_the_client_that_waits() {
    bounded(2, |process| {
        let flight = Flight::new(process);
        let call = flight.call.clone();
        let server = start(process, move || call.complete(reply()));
        flight.wait();
        assert!(flight.call.is_decided());
        assert_eq!(flight.call.reply().map(|(_, len)| len), Ok(4));
        server.join().unwrap();
    });
}

/// Exactly one of completion and cancellation wins; the waiting client is signalled by the winner and gets what belongs to
/// it: the reply, or 0x8007071A (CXL-07, CALL-26).
#[test]
fn loom_completion_against_cancellation_has_one_winner() {
    bounded(2, |process| {
        let flight = Flight::new(process);
        let call = flight.call.clone();
        let server = start(process, move || call.complete(reply()));
        let call = flight.call.clone();
        let canceller = start(process, move || match call.cancel() {
            Cancel::Requested => call.give_up(RPC_S_CALL_CANCELLED_HR) == GiveUp::Won,
            Cancel::Complete => false,
            Cancel::Already => unreachable!("nobody else cancels"),
        });
        flight.wait();
        let got = flight.call.reply().map(|(_, len)| len);
        server.join().unwrap();
        let cancelled = canceller.join().unwrap();
        let expected = if cancelled { Err(Failure(RPC_S_CALL_CANCELLED_HR)) } else { Ok(4) };
        assert_eq!(got, expected);
        // A late reply changes nothing.
        assert_eq!(flight.call.reply().map(|(_, len)| len), expected);
        let test = if cancelled { RPC_E_CALL_CANCELED } else { RPC_E_CALL_COMPLETE };
        assert_eq!(flight.call.test_by_client(), test);
    });
}

/// The client lets the call go while the server completes it and another thread cancels it: nothing is touched after it
/// was freed, and afterwards nobody holds the event.
#[test]
fn loom_completion_against_cancellation_against_release() {
    bounded(2, |process| {
        let Flight { call, event } = Flight::new(process);
        let theirs = call.clone();
        let server = start(process, move || theirs.complete(reply()));
        let theirs = call.clone();
        let canceller = start(process, move || {
            if theirs.cancel() == Cancel::Requested {
                let _ = theirs.give_up(RPC_S_CALL_CANCELLED_HR);
            }
        });
        call.abandon();
        drop(call);
        server.join().unwrap();
        canceller.join().unwrap();
        assert_eq!(Arc::strong_count(&event), 1);
    });
}

/// Two threads cancel: one of them is told that it was first (CXL-05).
#[test]
fn loom_of_two_cancels_one_is_first() {
    bounded(2, |process| {
        let flight = Flight::new(process);
        let call = flight.call.clone();
        let other = start(process, move || call.cancel());
        let (mine, theirs) = (flight.call.cancel(), other.join().unwrap());
        assert!(matches!((mine, theirs), (Cancel::Requested, Cancel::Already) | (Cancel::Already, Cancel::Requested)));
    });
}
