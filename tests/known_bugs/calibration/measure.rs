//! Measuring a program with each strategy.

use oleander_sim::schedule::{Bounded, Dfs, Dpor, Point, Schedule};
use oleander_sim::steps::Program;
use oleander_sim::trace::Trace;
use oleander_sim::{Exploration, Limits};

/// What is known of a program.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub all: u64,
    pub bad: u64,
    /// The chance that one random walk meets the bug.
    pub p: f64,
    /// The number of the first bad schedule.
    pub dfs: u64,
    /// The fewest preemptions of a bad schedule, how many schedules have at most so many, how many of these are bad.
    pub preemptions: (usize, u64, u64),
    /// The same for delays.
    pub delays: (usize, u64, u64),
}

const LIMITS: Limits =
    Limits { steps_max: 1000, panic_ends: true, abandoned_max: 0, executions_max: u64::MAX, count_traces: false };

fn limits() -> Limits {
    Limits { abandoned_max: usize::MAX, ..LIMITS }
}

fn explore<S: Clone>(program: &Program<S>, schedule: &mut dyn Schedule) -> Exploration {
    program.explore_with(schedule, &limits(), &mut |_, _| ())
}

/// Depth-first search that also sums up the chances of a random walk.
#[derive(Default)]
struct Chances {
    dfs: Dfs,
    chance: f64,
    sum: f64,
    completed: f64,
}

impl Schedule for Chances {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        if previous.is_some() {
            self.sum += self.chance;
        }
        self.chance = 1.0;
        self.dfs.new_execution(previous)
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.chance /= point.enabled().len() as f64;
        self.dfs.choose(point)
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.dfs.choose_n(n)
    }
}

/// The first bound with a bad schedule.
fn least<S: Clone>(program: &Program<S>, bounded: impl Fn(usize) -> Bounded) -> (usize, u64, u64) {
    for bound in 0..20 {
        let found = explore(program, &mut bounded(bound));
        if found.failures > 0 {
            return (bound, found.schedules, found.failures);
        }
    }
    panic!("no bad schedule within 20");
}

#[track_caller]
pub fn check<S: Clone>(name: &str, program: &Program<S>, known: Known) {
    let plain = explore(program, &mut Dfs::default());
    let first = plain.first_failure.as_ref().map(|it| it.schedule);
    assert_eq!((plain.schedules, plain.failures, first), (known.all, known.bad, Some(known.dfs)), "{name}: {plain}");
    assert_eq!(least(program, Bounded::preemptions), known.preemptions, "{name}: preemptions");
    assert_eq!(least(program, Bounded::delays), known.delays, "{name}: delays");
    let mut dpor = Dpor::default();
    let reduced = explore(program, &mut dpor);
    println!("{name}: {} reduced, {} of them redundant, {} bad", reduced.schedules, dpor.redundant(), reduced.failures);
    assert!(reduced.failures > 0, "{name}: {reduced}");
}
