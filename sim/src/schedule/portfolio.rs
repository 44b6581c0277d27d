//! Several strategies in turns: exhaustive, random walks, and PCT of depth 3.
//!
//! Each sees the traces of its own executions only. When the exhaustive one has run everything, all is done.

use super::{Dpor, Pct, Point, RandomWalk, Schedule};
use crate::report::Divergence;
use crate::trace::Trace;

/// Strategies in turns.
#[derive(Debug)]
pub(crate) struct Portfolio {
    pub(crate) dpor: Dpor,
    random: RandomWalk,
    pct: Pct,
    turns: [Turn; 3],
    current: usize,
}

/// Where a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It has not run yet.
    New,
    /// It has begun an execution that has not been run.
    Begun,
    /// It has run one.
    Ran,
}

impl Portfolio {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dpor: Dpor::default(),
            random: RandomWalk::new(seed),
            pct: Pct::new(seed, 3, 0),
            turns: [Turn::New; 3],
            current: 0,
        }
    }

    /// A portfolio with a part of the exhaustive search that has begun its first execution, and this one's next so many
    /// random executions of both kinds.
    pub(crate) fn part(&mut self, dpor: Dpor, executions: u64) -> Self {
        let (random, pct) = (self.random.take(executions), self.pct.take(executions));
        Self { dpor, random, pct, turns: [Turn::Ran, Turn::New, Turn::New], current: 0 }
    }

    /// Whether the execution that was run last is the exhaustive member's.
    pub(crate) fn ran_exhaustive(&self) -> bool {
        self.current == 0
    }

    fn member(&mut self) -> &mut dyn Schedule {
        match self.current {
            0 => &mut self.dpor,
            1 => &mut self.random,
            _ => &mut self.pct,
        }
    }
}

impl Schedule for Portfolio {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        if let Some(trace) = previous {
            // What has just been run is the current member's: it plans its next execution while the trace is there.
            if !self.member().new_execution(Some(trace)) {
                // One that ends has run everything.
                return false;
            }
            self.turns[self.current] = Turn::Begun;
            self.current = (self.current + 1) % self.turns.len();
        }
        if self.turns[self.current] == Turn::New && !self.member().new_execution(None) {
            return false;
        }
        self.turns[self.current] = Turn::Ran;
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.member().choose(point)
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.member().choose_n(n)
    }

    fn is_redundant(&self) -> bool {
        self.current == 0 && self.dpor.is_redundant()
    }

    fn divergence(&self) -> Option<Divergence> {
        self.dpor.divergence().filter(|_| self.current == 0)
    }
}
