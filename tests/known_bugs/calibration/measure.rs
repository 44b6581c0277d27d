//! Measuring a program with each strategy.

use oleander_sim::schedule::{Bounded, Dfs, Dpor, Pct, Point, RandomWalk, Schedule};
use oleander_sim::steps::Program;
use oleander_sim::trace::Trace;
use oleander_sim::{End, Exploration, Limits};
use std::cell::Cell;
use std::rc::Rc;

/// Executions of a random strategy.
const RUNS: u64 = 20_000;
const SEED: u64 = 2000;

/// What is known of a program.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub all: u64,
    pub bad: u64,
    /// The steps of the longest schedule.
    pub k: usize,
    /// The chance that one random walk meets the bug, and how many walks miss it with a chance of at most 1e-9.
    pub p: f64,
    pub walks: u64,
    /// The chances of probabilistic concurrency testing with depth 1, 2, 3.
    pub pct: Option<[f64; 3]>,
    /// The number of the first bad schedule.
    pub dfs: Option<u64>,
    /// The fewest preemptions of a bad schedule, how many schedules have at most so many, how many of these are bad.
    pub preemptions: (usize, u64, u64),
    /// The same for delays.
    pub delays: (usize, u64, u64),
}

const LIMITS: Limits = Limits {
    steps_max: 1000,
    panic_ends: true,
    abandoned_max: 0,
    executions_max: u64::MAX,
    count_traces: false,
    time: oleander_sim::TimeMode::Urgent,
    checks: oleander_sim::Checks::NONE,
    faults: oleander_sim::fault::Faults::NONE,
};

fn limits() -> Limits {
    Limits { abandoned_max: usize::MAX, ..LIMITS }
}

fn explore<S: Clone>(program: &Program<S>, schedule: &mut dyn Schedule) -> Exploration {
    program.explore_with(schedule, &limits(), &mut |_, _| ())
}

/// Depth-first search that knows the chance with which a random walk takes the current schedule.
#[derive(Default)]
struct Chances {
    dfs: Dfs,
    chance: Rc<Cell<f64>>,
}

impl Schedule for Chances {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        self.chance.set(1.0);
        self.dfs.new_execution(previous)
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.chance.set(self.chance.get() / point.enabled().len() as f64);
        self.dfs.choose(point)
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.dfs.choose_n(n)
    }
}

/// The chance that a random walk meets the bug, exactly; and of all schedules together, which is 1.
fn chances<S: Clone>(program: &Program<S>) -> (f64, f64) {
    let mut schedule = Chances::default();
    let chance = schedule.chance.clone();
    let (mut bad, mut all) = (0.0, 0.0);
    let mut add = |end: &End, _: &S| {
        all += chance.get();
        if *end != End::Completed {
            bad += chance.get();
        }
    };
    program.explore_with(&mut schedule, &limits(), &mut add);
    (bad, all)
}

/// How often a random strategy meets the bug.
fn rate<S: Clone>(program: &Program<S>, schedule: &mut dyn Schedule) -> f64 {
    let limits = Limits { executions_max: RUNS, ..limits() };
    let found = program.explore_with(schedule, &limits, &mut |_, _| ());
    assert_eq!((found.schedules, found.complete), (RUNS, false));
    found.failures as f64 / RUNS as f64
}

/// Three standard deviations of a rate that is measured in `RUNS` executions.
fn sigma3(p: f64) -> f64 {
    3.0 * (p * (1.0 - p) / RUNS as f64).sqrt()
}

/// How many random walks miss a bug with a chance of at most 1e-9.
fn walks(p: f64) -> u64 {
    (1e-9f64.ln() / (1.0 - p).ln()).ceil() as u64
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
    assert_eq!(plain.steps_max, known.k as u64, "{name}: {plain}");
    let first = plain.first_failure.as_ref().map(|it| it.schedule);
    assert_eq!((plain.schedules, plain.failures), (known.all, known.bad), "{name}: {plain}");
    assert!(known.dfs.is_none_or(|dfs| first == Some(dfs)), "{name}: {plain}");
    assert_eq!(least(program, Bounded::preemptions), known.preemptions, "{name}: preemptions");
    assert_eq!(least(program, Bounded::delays), known.delays, "{name}: delays");
    let (p, sum) = chances(program);
    assert!((p - known.p).abs() < 5e-5 && (sum - 1.0).abs() < 1e-9, "{name}: {p} of {sum}");
    assert_eq!(walks(p), known.walks, "{name}: p = {p}");
    let walked = rate(program, &mut RandomWalk::new(SEED));
    assert!((walked - p).abs() <= sigma3(p), "{name}: random walks meet it in {walked} of 1, not {p}");
    for (depth, hits) in (1..).zip(known.pct.into_iter().flatten()) {
        let hit = rate(program, &mut Pct::new(SEED, depth, known.k));
        // The known rate is itself measured, and rounded.
        let off = (hit - hits).abs();
        assert!(off <= 0.006 + sigma3(hits), "{name}: PCT of depth {depth} meets it in {hit} of 1, not {hits}");
    }
    let mut dpor = Dpor::default();
    let reduced = explore(program, &mut dpor);
    println!("{name}: {} reduced, {} of them redundant, {} bad", reduced.schedules, dpor.redundant(), reduced.failures);
    assert!(reduced.failures > 0, "{name}: {reduced}");
}

/// The twin of a program in which the fault is repaired.
#[track_caller]
pub fn check_repaired<S: Clone>(name: &str, program: &Program<S>, all: Option<u64>) {
    let plain = explore(program, &mut Dfs::default());
    assert_eq!(plain.failures, 0, "{name}, repaired: {plain}");
    assert!(plain.complete, "{name}, repaired: {plain}");
    assert!(all.is_none_or(|all| plain.schedules == all), "{name}, repaired: {plain}");
    let reduced = explore(program, &mut Dpor::default());
    assert_eq!(reduced.failures, 0, "{name}, repaired: {reduced}");
}
