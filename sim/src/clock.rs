//! Virtual time. It is a number that a world moves; nothing here looks at a real clock.
//!
//! The rule is *urgent*: time stands still while any thread can run, and then moves to the earliest deadline. So ten
//! hours of waiting cost one step.

use oleander::platform::Deadline;
use std::cell::Cell;

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

    /// Moves to the earliest of the deadlines of threads that cannot run; says whether there was one.
    pub(crate) fn advance(&self, deadlines: impl Iterator<Item = Deadline>) -> bool {
        let Some(earliest) = deadlines.filter_map(Deadline::ns).min() else { return false };
        debug_assert!(earliest > self.now_ns.get(), "a deadline that has come enables its thread");
        self.now_ns.set(earliest);
        true
    }
}
