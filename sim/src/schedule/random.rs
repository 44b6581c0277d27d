//! The random walk: each step is taken by one of the threads that can, all with the same chance.

use super::{Point, Schedule};
use crate::choice::Random;
use crate::trace::Trace;

/// Draws every choice. Execution `i` of a seed is the same whatever was run before it.
#[derive(Clone, Debug)]
pub struct RandomWalk {
    seed: u64,
    execution: u64,
    stride: u64,
    random: Random,
}

impl RandomWalk {
    /// The walks of a seed.
    pub fn new(seed: u64) -> Self {
        Self::part(seed, 0, 1)
    }

    /// Every `n`th walk of a seed, beginning with the `i`th.
    pub fn part(seed: u64, i: u64, n: u64) -> Self {
        Self { seed, execution: i, stride: n, random: Random::new(seed) }
    }

    /// The next so many walks as a part; this goes on behind them.
    pub(crate) fn take(&mut self, walks: u64) -> Self {
        let part = self.clone();
        self.execution += walks * self.stride;
        part
    }
}

impl Schedule for RandomWalk {
    fn new_execution(&mut self, _previous: Option<&Trace>) -> bool {
        self.random = Random::of_execution(self.seed, self.execution);
        self.execution += self.stride;
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.random.below(point.enabled().len())
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.random.below(n)
    }
}
