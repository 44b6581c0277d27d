//! Schedules: who runs next. One strategy a file.

mod bounded;
mod dfs;
mod dpor;
mod fixed;
mod pct;
mod portfolio;
mod random;
pub(crate) mod relation;

pub use bounded::Bounded;
pub use dfs::Dfs;
pub use dpor::Dpor;
pub(crate) use dpor::{Part, Split};
pub use fixed::Fixed;
pub use pct::Pct;
pub(crate) use portfolio::Portfolio;
pub use random::RandomWalk;

use crate::report::Divergence;
use crate::trace::{Outcome, Touch, Trace};

/// A strategy: it decides every choice of an execution, and whether there is another execution.
///
/// It must not use the world that it decides for.
pub trait Schedule {
    /// Begins an execution, unless there is none left. `previous` is the trace of the one before, if any.
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool;

    /// Chooses the next thread, as an index into `point.enabled()`. Called for every step, also when only one thread
    /// can run.
    fn choose(&mut self, point: &Point<'_>) -> usize;

    /// Chooses one of `n` ways to go on, at least two, inside a step.
    fn choose_n(&mut self, n: usize) -> usize;

    /// Whether the current execution has turned out to be like one before. Only who reduces knows.
    fn is_redundant(&self) -> bool {
        false
    }

    /// Where the current execution does not do what an earlier one did under the same choices, if that was noticed. What
    /// is chosen after that is of no consequence.
    fn divergence(&self) -> Option<Divergence> {
        None
    }
}

/// A scheduling point: every thread has announced its next step, or waits, or has ended. Threads are numbered in the
/// order in which they were started; 0 is the scenario itself.
pub struct Point<'a> {
    pub(crate) enabled: &'a [usize],
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) last: usize,
    pub(crate) touches: &'a [Vec<Touch>],
    pub(crate) trace: &'a Trace,
}

impl<'a> Point<'a> {
    /// The threads that can take a step: the one that ran last first if it can, then round-robin upward from it.
    pub fn enabled(&self) -> &'a [usize] {
        self.enabled
    }

    /// How the step of each of them would come to be taken.
    pub fn outcomes(&self) -> &'a [Outcome] {
        self.outcomes
    }

    /// The thread that took the last step; 0 before the first.
    pub fn last(&self) -> usize {
        self.last
    }

    /// What a thread's next step has announced that it will touch, also of a thread that cannot take it yet. When it
    /// has been taken, the trace has what it touched beside that: the thread's end, and what the runtime noted.
    pub fn pending(&self, thread: usize) -> &'a [Touch] {
        &self.touches[thread]
    }

    /// The steps so far.
    pub fn trace(&self) -> &'a Trace {
        self.trace
    }
}
