//! Virtual time. It is a number that a world moves; nothing here looks at a real clock.
//!
//! The rule is *urgent*: time stands still while any thread can run, and then moves to the earliest deadline. So ten
//! hours of waiting cost one step. With the rule *any time* a wait moves it to its own deadline when it gives up, and it may
//! do that whenever no other wait has an earlier one. The clock is then an object like others ([`CLOCK`]): reading it and
//! beginning to wait with a deadline look at it, and the end of such a wait changes it. So the order of all that decides who
//! may give up is explored. A poll has nothing to do with it.

use crate::trace::Touch;
use oleander::platform::{Access, Deadline, Object, ObjectKind};
use std::cell::Cell;

/// The clock as an object. No process has one with this number.
const CLOCK: Object = Object { id: u64::MAX, kind: ObjectKind::User };
/// It is looked at.
pub(crate) const READ: Touch = Touch { object: CLOCK, access: Access::Read };
/// It may be moved.
pub(crate) const MOVE: Touch = Touch { object: CLOCK, access: Access::Write };

/// Whether a deadline takes part in the order of deadlines.
pub(crate) fn is_timed(deadline: Deadline) -> bool {
    deadline.ns().is_some() && !deadline.is_now()
}

/// The clock of one world, in nanoseconds since its beginning.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    now_ns: Cell<u64>,
}

impl Clock {
    /// The time.
    pub(crate) fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }

    /// Whether a wait with this deadline may give up now.
    pub(crate) fn may_fire(&self, deadline: Deadline) -> bool {
        deadline.ns().is_some_and(|at| at <= self.now_ns.get())
    }

    /// Moves to a deadline, unless it has come already.
    pub(crate) fn move_to(&self, deadline: Deadline) {
        self.now_ns.set(deadline.ns().map_or(self.now_ns.get(), |at| at.max(self.now_ns.get())));
    }

    /// Moves to the earliest of the deadlines of threads that cannot run; says whether there was one.
    pub(crate) fn advance(&self, deadlines: impl Iterator<Item = Deadline>) -> bool {
        let Some(earliest) = deadlines.filter_map(Deadline::ns).min() else { return false };
        debug_assert!(earliest > self.now_ns.get(), "a deadline that has come enables its thread");
        self.now_ns.set(earliest);
        true
    }
}
