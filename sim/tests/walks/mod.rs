//! A strategy for scenarios with too many schedules to see them all.

use oleander_sim::schedule::{Point, Schedule};
use oleander_sim::trace::Trace;

/// Random walks through the schedules, one for each seed.
pub struct Walks {
    seeds: u64,
    state: u64,
}

impl Walks {
    pub fn new(seeds: u64) -> Self {
        Self { seeds, state: 0 }
    }

    /// The mixing function of SplitMix64.
    fn next(&mut self, of: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 33) as usize % of
    }
}

impl Schedule for Walks {
    fn new_execution(&mut self, _previous: Option<&Trace>) -> bool {
        self.state = self.seeds;
        self.seeds = self.seeds.saturating_sub(1);
        self.state > 0
    }
    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.next(point.enabled().len())
    }
    fn choose_n(&mut self, n: usize) -> usize {
        self.next(n)
    }
}
