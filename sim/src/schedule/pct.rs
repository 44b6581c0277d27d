//! Probabilistic concurrency testing: threads have random priorities, the highest that can run does, and at `d - 1`
//! steps drawn at random the thread that is about to run falls below all others. A fault that needs `d` orderings is
//! found with a chance of at least 1 / (n k^(d-1)) in each execution, for n threads and k steps.
//!
//! State: `priorities` of threads in the order in which they started (drawn when a thread is first seen), `changes` the
//! steps at which one falls, to priority 1, 2, … in the order in which they were drawn.

use super::{Point, Schedule};
use crate::choice::Random;
use crate::trace::Trace;

/// Priorities of their own begin here; fallen threads are below.
const INITIAL: u64 = 1 << 63;

/// Probabilistic concurrency testing of a depth.
#[derive(Clone, Debug)]
pub struct Pct {
    seed: u64,
    execution: u64,
    stride: u64,
    depth: usize,
    steps: usize,
    random: Random,
    priorities: Vec<u64>,
    changes: Vec<usize>,
}

impl Pct {
    /// Faults of `depth` orderings, in executions of about `steps` steps. With 0 steps the number is learned: it is
    /// that of the longest execution so far.
    pub fn new(seed: u64, depth: usize, steps: usize) -> Self {
        Self::part(seed, depth, steps, 0, 1)
    }

    /// Every `n`th execution of a seed, beginning with the `i`th. Give the number of steps, else the parts differ.
    pub fn part(seed: u64, depth: usize, steps: usize, i: u64, n: u64) -> Self {
        let depth = depth.max(1);
        let (priorities, changes) = (Vec::new(), Vec::new());
        Self { seed, execution: i, stride: n, depth, steps, random: Random::new(seed), priorities, changes }
    }

    /// The next so many executions as a part; this goes on behind them.
    pub(crate) fn take(&mut self, executions: u64) -> Self {
        let part = self.clone();
        self.execution += executions * self.stride;
        part
    }

    /// The thread with the highest priority, as an index into the enabled ones.
    fn highest(&mut self, enabled: &[usize]) -> usize {
        for thread in enabled {
            while self.priorities.len() <= *thread {
                self.priorities.push(INITIAL | self.random.next());
            }
        }
        let by_priority = |&index: &usize| self.priorities[enabled[index]];
        (0..enabled.len()).max_by_key(by_priority).expect("somebody can run")
    }

    /// `depth - 1` different steps of 1 to `steps`, in random order.
    fn draw_changes(&mut self) {
        self.changes.clear();
        while self.changes.len() < (self.depth - 1).min(self.steps) {
            let step = 1 + self.random.below(self.steps);
            if !self.changes.contains(&step) {
                self.changes.push(step);
            }
        }
    }
}

impl Schedule for Pct {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        if let Some(trace) = previous {
            self.steps = self.steps.max(trace.steps().len());
        }
        self.random = Random::of_execution(self.seed, self.execution);
        self.execution += self.stride;
        self.priorities.clear();
        self.draw_changes();
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let step = point.trace().steps().len() + 1;
        let first = self.highest(point.enabled());
        match self.changes.iter().position(|&change| change == step) {
            Some(index) => {
                self.priorities[point.enabled()[first]] = index as u64 + 1;
                self.highest(point.enabled())
            }
            None => first,
        }
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.random.below(n)
    }
}
