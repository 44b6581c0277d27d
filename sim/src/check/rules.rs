//! What is wrong with an execution: one checker a file, each a function of the trace and its facts. None runs while the
//! scenario does, so none can change it. All but `release` look at executions that completed; a use after the last Release
//! ends the execution.

mod glance;
mod leak;
mod lock;
mod pumps;
mod release;
mod signal;
mod stray;
mod stub;

use crate::report::End;
use crate::trace::{Ledger, Noted, Trace};
use std::time::Duration;

/// Which checkers look at an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// An object, proxy or call object that is alive at the end.
    pub leaks: bool,
    /// An object that others can still reach, by a packet, a table or a lock, when its apartment ends; by a proxy, too, when the
    /// execution does.
    pub stubs: bool,
    /// A call through a pointer to an object of ours, or to a proxy, that has gone with its last Release: until the execution
    /// ends its memory is kept, with vtables that report it. Not for threads outside the world, nor for the system's own object
    /// contexts.
    pub releases: bool,
    /// A Signal that is delivered twice, or that an outer object keeps for itself.
    pub signals: bool,
    /// A mutex that is held while its thread waits in a way that serves calls.
    pub locks: bool,
    /// A proxy or call object that is used in another apartment: COM refuses it with `RPC_E_WRONG_THREAD`, and that is often
    /// what a test wants to see. Off in [`Checks::STANDARD`].
    pub apartments: bool,
    /// An STA that ends without having served a call in its queue.
    pub pumps: bool,
    /// The longest virtual time that a call may lie in the queue of an STA.
    pub pumps_within: Option<Duration>,
}

impl Checks {
    /// No checker.
    pub const NONE: Self = Self {
        leaks: false,
        stubs: false,
        releases: false,
        signals: false,
        locks: false,
        apartments: false,
        pumps: false,
        pumps_within: None,
    };
    /// What [`check`](crate::check()) looks for.
    pub const STANDARD: Self =
        Self { leaks: true, stubs: true, releases: true, signals: true, locks: true, pumps: true, ..Self::NONE };

    /// The first thing that is wrong.
    pub(crate) fn broken<S: AsRef<str>>(&self, trace: &Trace, names: impl FnOnce() -> Vec<S>) -> Option<End> {
        if *self == Self::NONE {
            return None;
        }
        if !glance::suspects(self, trace) {
            debug_assert_eq!(self.look(trace, &names()), None, "a glance passes nothing that a checker objects to");
            return None;
        }
        self.look(trace, &names())
    }

    fn look<S: AsRef<str>>(&self, trace: &Trace, names: &[S]) -> Option<End> {
        let seen = Seen { trace, ledger: Ledger::new(trace, names) };
        let found = |on: bool, checker: &'static str, look: fn(&Seen<'_>) -> Option<String>| {
            on.then(|| look(&seen)).flatten().map(|what| End::Broken { checker, what })
        };
        found(self.locks, "lock", lock::look)
            .or_else(|| found(self.signals, "signal", signal::look))
            .or_else(|| found(self.apartments, "apartment", stray::look))
            .or_else(|| found(self.pumps, "pump", pumps::never))
            .or_else(|| {
                let late = self.pumps_within.and_then(|most| pumps::late(&seen, most));
                late.map(|what| End::Broken { checker: "pump", what })
            })
            .or_else(|| found(self.stubs, "stub", stub::look))
            .or_else(|| found(self.leaks, "leak", leak::look))
    }
}

/// What a thread has called although it had gone.
pub(crate) fn used_after_end<S: AsRef<str>>(trace: &Trace, names: &[S]) -> Option<End> {
    let what = release::look(&Seen { trace, ledger: Ledger::new(trace, names) })?;
    Some(End::Broken { checker: "release", what })
}

/// An execution to be looked at.
struct Seen<'a> {
    trace: &'a Trace,
    ledger: Ledger,
}

impl Seen<'_> {
    /// Goes through all that was told, with the ledger as it was then; stops at the first thing that is wrong.
    fn replay(&self, mut look: impl FnMut(&Ledger, usize, usize, &Noted) -> Option<String>) -> Option<String> {
        let mut ledger = self.ledger.clone();
        self.trace.notes().iter().find_map(|note| {
            ledger.apply(note.thread, &note.what);
            look(&ledger, note.thread, note.at, &note.what)
        })
    }

    /// The ledger at the end.
    fn end(&self) -> Ledger {
        let mut ledger = self.ledger.clone();
        self.trace.notes().iter().for_each(|note| ledger.apply(note.thread, &note.what));
        ledger
    }
}
