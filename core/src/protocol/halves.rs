//! The two halves of an asynchronous call on the client: which `Begin_` waits for which `Finish_`.
//!
//! ```text
//!            begin              announce            finish
//!   Idle ───────────▶ Preparing ─────────▶ Pending ─────────▶ Finishing
//!    ▲                  │ give_up           │  ▲ put_back      │ │
//!    ├──────────────────┘                   │  └───────────────┘ │
//!    ├──────────────────────────────────────┘ not_sent           │ not_sent
//!    ├─────────────────────────────────────────────────────────── │ ── done
//!    └──────────────────────────────────── Failed ◀───────────────┘
//! ```
//!
//! One word: the state in its low bits, the method's slot above, and a count of the calls, by which a request that fails late
//! knows whether the call that it finds is its own. Whoever moves `Idle` to `Preparing` owns the call's
//! message until `announce`; whoever moves `Pending` to `Finishing` owns it after the reply is in. `Pending` is visible
//! before the request is sent, because completion may come, and `Finish_` with it, before `Begin_` has returned
//! (CALL-25, AGG-11). `Failed` is a request that could not be sent while a `Finish_` on another thread already waits.
//!
//! Each transition is one atomic step; losing a race is a variant of what it returns.

use super::Word;

const IDLE: u32 = 0;
const PREPARING: u32 = 1;
const PENDING: u32 = 2;
const FINISHING: u32 = 3;
const FAILED: u32 = 4;
const SLOT_SHIFT: u32 = 3;
/// Above the state and the slot, which is a number of 16 bits: the count, which wraps.
const COUNT_SHIFT: u32 = SLOT_SHIFT + 16;
const PLACE: u32 = (1 << COUNT_SHIFT) - 1;

/// The word but for the count.
const fn word(state: u32, slot: u32) -> u32 {
    slot << SLOT_SHIFT | state
}

/// The state of one call object's client side. See the module.
pub(crate) struct Halves(Word);

/// What `Begin_` finds.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// The call object is the caller's: it prepares the request.
    Claimed,
    /// A call is unfinished (CALL-14).
    Busy,
}

/// A call that a request is sent for.
#[must_use = "a request that fails says so of its own call"]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announced {
    count: u32,
    slot: u32,
}

/// What `Finish_` finds.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The pending call is the caller's to finish.
    Claimed,
    /// No such call is pending: none at all, one of another method, or another thread finishes it (CALL-18, CALL-20).
    NotBegun,
}

/// What became of a request that could not be sent.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// Nobody waits for the call, which is over.
    Idle,
    /// A `Finish_` waits already and must be woken.
    FinishWaits,
}

/// What a `Finish_` finds that was woken, or that gives the call back.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The call is still there.
    Pending,
    /// The request was never sent; the call object is idle again.
    NeverSent,
}

impl Halves {
    /// Idle.
    pub(crate) fn new() -> Self {
        Self(Word::new(IDLE))
    }

    fn step(&self, from: u32, to: u32) -> bool {
        self.0.apply(|seen| if seen & PLACE == from { (seen & !PLACE | to, true) } else { (seen, false) })
    }

    /// `Begin_` enters: Idle → Preparing.
    pub(crate) fn begin(&self, slot: u32) -> Begin {
        if self.step(IDLE, word(PREPARING, slot)) { Begin::Claimed } else { Begin::Busy }
    }

    /// `Begin_` gives up before it sends: Preparing → Idle. Only the claimer calls this.
    pub(crate) fn give_up(&self, slot: u32) {
        let stepped = self.step(word(PREPARING, slot), IDLE);
        debug_assert!(stepped, "only the claimer gives up");
    }

    /// The request is about to be sent: Preparing → Pending. Only the claimer calls this.
    pub(crate) fn announce(&self, slot: u32) -> Announced {
        let count = self.0.apply(|seen| {
            debug_assert!(seen & PLACE == word(PREPARING, slot), "only the claimer announces");
            let count = seen.wrapping_add(1 << COUNT_SHIFT) & !PLACE;
            (count | word(PENDING, slot), count)
        });
        Announced { count, slot }
    }

    /// The request could not be sent: Pending → Idle, or Finishing → Failed.
    pub(crate) fn not_sent(&self, call: Announced) -> NotSent {
        let Announced { count, slot } = call;
        self.0.apply(|seen| {
            if seen == count | word(PENDING, slot) {
                (count | IDLE, NotSent::Idle)
            } else if seen == count | word(FINISHING, slot) {
                (count | word(FAILED, slot), NotSent::FinishWaits)
            } else {
                // Somebody else signalled, and a Finish_ has come and gone: what is there now is not this call's.
                (seen, NotSent::Idle)
            }
        })
    }

    /// `Finish_` enters: Pending → Finishing, for the method that was begun.
    pub(crate) fn finish(&self, slot: u32) -> Finish {
        if self.step(word(PENDING, slot), word(FINISHING, slot)) { Finish::Claimed } else { Finish::NotBegun }
    }

    /// `Finish_` comes back from its wait: stays, or Failed → Idle.
    pub(crate) fn woken(&self, slot: u32) -> Woken {
        if self.step(word(FAILED, slot), IDLE) { Woken::NeverSent } else { Woken::Pending }
    }

    /// `Finish_` leaves the call as it was: Finishing → Pending, or Failed → Idle.
    pub(crate) fn put_back(&self, slot: u32) -> Woken {
        if self.step(word(FINISHING, slot), word(PENDING, slot)) { Woken::Pending } else { self.woken(slot) }
    }

    /// `Finish_` has the result: Finishing → Idle, or Failed → Idle when it was woken before its time.
    pub(crate) fn done(&self, slot: u32) {
        if !self.step(word(FINISHING, slot), IDLE) {
            let _ = self.woken(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(halves: &Halves, slot: u32) -> Announced {
        assert_eq!(halves.begin(slot), Begin::Claimed);
        halves.announce(slot)
    }

    #[test]
    fn a_request_that_fails_says_nothing_of_the_next() {
        let halves = Halves::new();
        let first = begun(&halves, 3);
        assert_eq!(halves.not_sent(first), NotSent::Idle);
        let next = begun(&halves, 3);
        assert_eq!(halves.not_sent(first), NotSent::Idle, "said once more");
        assert_eq!(halves.finish(3), Finish::Claimed, "the next is pending");
        assert_eq!(halves.not_sent(next), NotSent::FinishWaits);
    }

    #[test]
    fn call_21_a_call_object_serves_one_call_after_the_other() {
        let halves = Halves::new();
        for slot in [3, 4, 3] {
            let _ = begun(&halves, slot);
            assert_eq!(halves.finish(slot), Finish::Claimed);
            assert_eq!(halves.woken(slot), Woken::Pending);
            halves.done(slot);
        }
    }

    #[test]
    fn call_14_call_15_begin_is_refused_until_finish_is_done() {
        let halves = Halves::new();
        assert_eq!(halves.begin(3), Begin::Claimed);
        assert_eq!(halves.begin(3), Begin::Busy);
        let _ = halves.announce(3);
        assert_eq!(halves.begin(4), Begin::Busy);
        assert_eq!(halves.finish(3), Finish::Claimed);
        assert_eq!(halves.begin(3), Begin::Busy);
        halves.done(3);
        assert_eq!(halves.begin(3), Begin::Claimed);
    }

    #[test]
    fn call_18_call_19_call_20_finish_needs_its_own_begin() {
        let halves = Halves::new();
        assert_eq!(halves.finish(3), Finish::NotBegun);
        assert_eq!(halves.begin(3), Begin::Claimed);
        assert_eq!(halves.finish(3), Finish::NotBegun, "nothing is sent yet");
        let _ = halves.announce(3);
        assert_eq!(halves.finish(4), Finish::NotBegun, "another method");
        assert_eq!(halves.finish(3), Finish::Claimed);
        assert_eq!(halves.finish(3), Finish::NotBegun, "another thread finishes it");
        halves.done(3);
        assert_eq!(halves.finish(3), Finish::NotBegun);
    }

    #[test]
    fn a_finish_that_gives_the_call_back_leaves_it_pending() {
        let halves = Halves::new();
        let _ = begun(&halves, 3);
        assert_eq!(halves.finish(3), Finish::Claimed);
        assert_eq!(halves.put_back(3), Woken::Pending);
        assert_eq!(halves.finish(3), Finish::Claimed);
    }

    #[test]
    fn a_request_that_cannot_be_sent_leaves_nobody_waiting() {
        let halves = Halves::new();
        assert_eq!(halves.begin(3), Begin::Claimed);
        halves.give_up(3);
        let call = begun(&halves, 3);
        assert_eq!(halves.not_sent(call), NotSent::Idle);
        let call = begun(&halves, 3);
        assert_eq!(halves.finish(3), Finish::Claimed);
        assert_eq!(halves.not_sent(call), NotSent::FinishWaits);
        assert_eq!(halves.begin(4), Begin::Busy, "the waiting Finish_ leaves first");
        assert_eq!(halves.woken(3), Woken::NeverSent);
        let call = begun(&halves, 4);
        assert_eq!(halves.finish(4), Finish::Claimed);
        assert_eq!(halves.not_sent(call), NotSent::FinishWaits);
        halves.done(4);
        assert_eq!(halves.begin(3), Begin::Claimed, "a Finish_ that was not woken for it is done with it, too");
    }

    #[test]
    fn a_request_that_fails_late_leaves_the_next_call_alone() {
        let halves = Halves::new();
        let call = begun(&halves, 3);
        assert_eq!(halves.finish(3), Finish::Claimed);
        halves.done(3);
        assert_eq!(halves.begin(3), Begin::Claimed);
        assert_eq!(halves.not_sent(call), NotSent::Idle, "the next is not announced yet");
        let next = halves.announce(3);
        assert_eq!(halves.not_sent(call), NotSent::Idle, "the next is pending");
        assert_eq!(halves.finish(3), Finish::Claimed);
        assert_eq!(halves.not_sent(call), NotSent::Idle, "the next is being finished");
        assert_eq!(halves.not_sent(next), NotSent::FinishWaits);
    }

    #[test]
    fn a_finish_that_ends_when_the_request_has_failed_leaves_an_idle_object() {
        for keeps_the_call in [false, true] {
            let halves = Halves::new();
            let call = begun(&halves, 3);
            assert_eq!(halves.finish(3), Finish::Claimed);
            assert_eq!(halves.not_sent(call), NotSent::FinishWaits);
            if keeps_the_call {
                assert_eq!(halves.put_back(3), Woken::NeverSent);
            } else {
                halves.done(3);
            }
            assert_eq!(halves.begin(3), Begin::Claimed);
        }
    }
}
