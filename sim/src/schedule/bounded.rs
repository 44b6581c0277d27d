//! Depth-first search over the schedules that cost at most so much: most faults need few preemptions.

use super::{Dfs, Point, Schedule};
use crate::report::Divergence;
use crate::trace::Trace;

/// What a choice costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// 1 for leaving a thread that could go on.
    Preemption,
    /// 1 for each thread that is passed over, in round-robin order from the last-run one.
    Delay,
}

/// Every schedule within a bound, in depth-first order.
#[derive(Clone, Debug)]
pub struct Bounded {
    dfs: Dfs,
    cost: Cost,
    bound: usize,
    left: usize,
    started: bool,
}

impl Bounded {
    /// Every schedule with at most so many preemptions: switches away from a thread that could go on. Which thread takes
    /// the first step is free.
    pub fn preemptions(bound: usize) -> Self {
        Self { dfs: Dfs::default(), cost: Cost::Preemption, bound, left: bound, started: false }
    }

    /// Every schedule with at most so many delays: threads passed over in round-robin order from the last-run one; before
    /// the first step from the scenario's.
    pub fn delays(bound: usize) -> Self {
        Self { cost: Cost::Delay, ..Self::preemptions(bound) }
    }

    /// As [`Dfs::split`].
    pub(crate) fn split(self) -> Vec<Self> {
        let Self { dfs, cost, bound, .. } = self;
        dfs.split().into_iter().map(|dfs| Self { dfs, cost, bound, left: bound, started: false }).collect()
    }

    /// How many of the enabled threads can be afforded. What is dearer comes later among them.
    fn affordable(&self, point: &Point<'_>) -> usize {
        let enabled = point.enabled();
        match self.cost {
            Cost::Delay => enabled.len().min(self.left + 1),
            Cost::Preemption if self.left == 0 && self.preempts(point) => 1,
            Cost::Preemption => enabled.len(),
        }
    }

    /// Whether another thread than the first of them would be a preemption.
    fn preempts(&self, point: &Point<'_>) -> bool {
        self.started && point.enabled()[0] == point.last()
    }

    fn price(&self, point: &Point<'_>, choice: usize) -> usize {
        match self.cost {
            Cost::Delay => choice,
            Cost::Preemption => usize::from(choice > 0 && self.preempts(point)),
        }
    }
}

impl Schedule for Bounded {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        self.left = self.bound;
        self.started = false;
        self.dfs.new_execution(previous)
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let choice = self.dfs.choose_n(self.affordable(point));
        self.left -= self.price(point, choice);
        self.started = true;
        choice
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.dfs.choose_n(n)
    }

    fn divergence(&self) -> Option<Divergence> {
        self.dfs.divergence()
    }
}
