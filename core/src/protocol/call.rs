//! One call in flight, as client, server and canceller fight for it.
//!
//! | bits | meaning |
//! | --- | --- |
//! | nothing | pending: sent, no reply, nobody asked to cancel |
//! | `CANCEL` | the server is asked to stop; the client may still wait for the reply (`Cancel(n)`, n > 0) |
//! | `REPLIED` | the server is done with the call, whatever became of the reply |
//! | `DONE` | the reply came in time: the client gets it |
//! | `CANCELLED` | the client gave up: it gets 0x8007071A, the reply is dropped |
//! | `ABANDONED` | the client let the call object go: nobody gets anything |
//!
//! At most one of `DONE`, `CANCELLED`, `ABANDONED` is ever set, by the transition that wins; from then on it stays.
//! `DONE` implies `REPLIED`. A call object makes a new machine for each `Begin_`, so a late reply meets its own call.

use crate::abi::hresult::{RPC_E_CALL_CANCELED, RPC_E_CALL_COMPLETE, RPC_S_CALLPENDING};
use windows_core::HRESULT;

/// The server is asked to stop.
pub const CANCEL: u32 = 1;
/// The server is done.
pub const REPLIED: u32 = 2;
/// The client gets the reply.
pub const DONE: u32 = 4;
/// The client gave up.
pub const CANCELLED: u32 = 8;
/// The client is gone.
pub const ABANDONED: u32 = 16;

const DECIDED: u32 = DONE | CANCELLED | ABANDONED;

/// What became of a reply.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The client gets it and is to be signalled by this caller.
    Deliver,
    /// The client no longer wants it.
    Drop,
}

/// What became of a request to cancel.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// This was the first request.
    Requested,
    /// Somebody asked before: `RPC_E_CALL_CANCELED` (CXL-05).
    Already,
    /// The reply was there first: `RPC_E_CALL_COMPLETE` (CXL-04).
    Complete,
}

/// Whether the client's giving up won.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// The call is cancelled and is to be signalled by this caller.
    Won,
    /// The reply was faster, or the call was decided before.
    Lost,
}

/// The server has a reply, or the machinery an error in its place.
pub fn reply(word: u32) -> (u32, Reply) {
    if word & REPLIED != 0 || word & DECIDED != 0 {
        (word | REPLIED, Reply::Drop)
    } else {
        (word | REPLIED | DONE, Reply::Deliver)
    }
}

/// Somebody asks to cancel.
pub fn cancel(word: u32) -> (u32, Cancel) {
    if word & DONE != 0 {
        (word, Cancel::Complete)
    } else if word & CANCEL != 0 {
        (word, Cancel::Already)
    } else {
        (word | CANCEL, Cancel::Requested)
    }
}

/// The client stops waiting, after a cancel whose time is over.
pub fn give_up(word: u32) -> (u32, GiveUp) {
    if word & DECIDED != 0 { (word, GiveUp::Lost) } else { (word | CANCEL | CANCELLED, GiveUp::Won) }
}

/// The client lets the call go (CALL-32: that is a cancel request as well). Nothing is signalled.
pub fn abandon(word: u32) -> (u32, ()) {
    if word & DECIDED != 0 { (word, ()) } else { (word | CANCEL | ABANDONED, ()) }
}

/// `TestCancel` of the client (CXL-16, CXL-22).
pub fn test_by_client(word: u32) -> HRESULT {
    if word & DONE != 0 {
        RPC_E_CALL_COMPLETE
    } else if word & CANCEL != 0 {
        RPC_E_CALL_CANCELED
    } else {
        RPC_S_CALLPENDING
    }
}

/// `TestCancel` of the server (CXL-16, CXL-22).
pub fn test_by_server(word: u32) -> HRESULT {
    if word & REPLIED != 0 {
        RPC_E_CALL_COMPLETE
    } else if word & CANCEL != 0 {
        RPC_E_CALL_CANCELED
    } else {
        RPC_S_CALLPENDING
    }
}

/// Whether the client need not wait any more.
pub fn decided(word: u32) -> bool {
    word & DECIDED != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every word that some sequence of events can reach.
    fn reachable() -> Vec<u32> {
        let mut found = vec![0];
        let mut next = 0;
        while next < found.len() {
            let word = found[next];
            next += 1;
            for after in [reply(word).0, cancel(word).0, give_up(word).0, abandon(word).0] {
                if !found.contains(&after) {
                    found.push(after);
                }
            }
        }
        found
    }

    #[test]
    fn at_most_one_decision_is_ever_made() {
        for word in reachable() {
            assert!((word & DECIDED).count_ones() <= 1, "{word:#b}");
            assert!(word & DONE == 0 || word & REPLIED != 0, "{word:#b}");
        }
    }

    #[test]
    fn call_26_exactly_one_transition_signals() {
        // Along every path of four events at most one outcome asks for a Signal.
        fn walk(word: u32, depth: u32, signals: u32) {
            assert!(signals <= 1);
            if depth == 0 {
                return;
            }
            let (after, outcome) = reply(word);
            walk(after, depth - 1, signals + u32::from(outcome == Reply::Deliver));
            let (after, outcome) = give_up(word);
            walk(after, depth - 1, signals + u32::from(outcome == GiveUp::Won));
            walk(cancel(word).0, depth - 1, signals);
            walk(abandon(word).0, depth - 1, signals);
        }
        walk(0, 5, 0);
    }

    #[test]
    fn cxl_04_cancel_after_the_reply_is_complete() {
        assert_eq!(cancel(reply(0).0).1, Cancel::Complete);
    }

    #[test]
    fn cxl_05_second_cancel_is_already_cancelled() {
        let word = cancel(0).0;
        assert_eq!(cancel(word).1, Cancel::Already);
        assert_eq!(cancel(give_up(word).0).1, Cancel::Already);
    }

    #[test]
    fn cxl_16_and_22_test_cancel_never_says_ok() {
        assert_eq!(test_by_server(0), RPC_S_CALLPENDING);
        assert_eq!(test_by_client(0), RPC_S_CALLPENDING);
        assert_eq!(test_by_server(cancel(0).0), RPC_E_CALL_CANCELED);
        assert_eq!(test_by_client(give_up(0).0), RPC_E_CALL_CANCELED);
        assert_eq!(test_by_client(reply(0).0), RPC_E_CALL_COMPLETE);
        // The client gave up; the server learns it while it runs, and afterwards that it is done.
        let word = give_up(0).0;
        assert_eq!(test_by_server(word), RPC_E_CALL_CANCELED);
        assert_eq!(test_by_server(reply(word).0), RPC_E_CALL_COMPLETE);
    }

    #[test]
    fn call_32_abandoning_asks_the_server_to_stop() {
        assert_eq!(test_by_server(abandon(0).0), RPC_E_CALL_CANCELED);
        assert_eq!(test_by_server(abandon(cancel(0).0).0), RPC_E_CALL_CANCELED, "it was asked before, and still is");
        assert_eq!(reply(abandon(0).0).1, Reply::Drop);
    }
}
