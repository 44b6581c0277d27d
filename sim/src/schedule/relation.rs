//! Which touches of an object depend on each other, and which only look so.
//!
//! | earlier \ later | Read | Write | Signal | Post | Receive |
//! | --- | --- | --- | --- | --- | --- |
//! | Read | – | yes | yes | yes | yes |
//! | Write | yes | yes | yes | yes | yes |
//! | Signal | yes | yes | – | yes | yes |
//! | Post | yes | yes | yes | yes | – |
//! | Receive | yes | yes | yes | – | yes |
//!
//! A receive and a post of one message queue are independent but for the post whose message is received: the message
//! itself is an object that both touch ([`ObjectKind::Message`]). A look at a queue that finds nothing is a `Read`. The
//! queue of a pool is another matter: whether a post starts a worker depends on what the workers have taken.
//!
//! A dependence is no *race* where the later step could not have been taken without the earlier one: a message cannot be
//! received before it is posted, a thread not joined before it has ended, an event that is not signalled not waited for.

use crate::trace::{Outcome, Touch, Trace};
use oleander::platform::{Access, ObjectKind};

/// What depends on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// As in the table.
    Fifo,
    /// A receive and a post depend on each other: somebody waits for what is *new* in a queue.
    Plain,
}

impl Relation {
    /// Whether the order of two touches of one object matters.
    pub(crate) fn dependent(self, kind: ObjectKind, earlier: Access, later: Access) -> bool {
        use Access::{Post, Read, Receive, Signal};
        match (earlier, later) {
            (Read, Read) | (Signal, Signal) => false,
            (Post, Receive) | (Receive, Post) => self == Self::Plain || kind != ObjectKind::Queue,
            _ => true,
        }
    }

    /// Whether the order of two steps matters.
    pub(crate) fn dependent_touches(self, one: &[Touch], other: &[Touch]) -> bool {
        let clash =
            |a: &Touch, b: &Touch| a.object.id == b.object.id && self.dependent(a.object.kind, a.access, b.access);
        one.iter().any(|a| other.iter().any(|b| clash(a, b)))
    }
}

/// Whether a queue's order of posts and receives shows in an execution: a wait has looked for what is new in it.
pub(crate) fn looks_for_new(trace: &Trace) -> bool {
    let looks = |touch: &Touch| touch.object.kind == ObjectKind::Queue && touch.access == Access::Write;
    let waits = |step: usize| trace.steps()[step].outcome != Outcome::Operation;
    (0..trace.steps().len()).any(|step| waits(step) && trace.touches(step).iter().any(looks))
}

/// Whether an object is touched once before all else, by what makes the other touches possible.
pub(crate) fn enables_once(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Message | ObjectKind::Thread)
}

/// Whether waits for an object need it to be signalled, and the touches of it say whether it is.
pub(crate) fn is_event(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Event | ObjectKind::AutoEvent)
}
