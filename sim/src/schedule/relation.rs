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
//! A receive and a post of one queue are independent but for the post whose message is received: the message itself
//! is an object that both touch ([`ObjectKind::Message`]). A look at a queue that finds nothing is a `Read`.
//!
//! A dependence is no *race* where the later step could not have been taken without the earlier one: a message cannot be
//! received before it is posted, a thread not joined before it has ended, an event that is not signalled not waited for.

use crate::trace::Touch;
use oleander::platform::{Access, ObjectKind};

/// Whether the order of two touches of one object matters.
pub(crate) fn dependent(earlier: Access, later: Access) -> bool {
    use Access::{Post, Read, Receive, Signal};
    !matches!((earlier, later), (Read, Read) | (Signal, Signal) | (Post, Receive) | (Receive, Post))
}

/// Whether the order of two steps matters.
pub(crate) fn dependent_touches(one: &[Touch], other: &[Touch]) -> bool {
    one.iter().any(|a| other.iter().any(|b| a.object.id == b.object.id && dependent(a.access, b.access)))
}

/// Whether an object is touched once before all else, by what makes the other touches possible.
pub(crate) fn enables_once(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Message | ObjectKind::Thread)
}

/// Whether waits for an object need it to be signalled, and the touches of it say whether it is.
pub(crate) fn is_event(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Event | ObjectKind::AutoEvent)
}
