//! Measuring a program with each strategy.

use super::priorities::Priorities;
use crate::soundness::{Endings, endings};
use oleander_sim::schedule::{Bounded, Dfs, Dpor, Pct, Point, RandomWalk, Schedule};
use oleander_sim::steps::Program;
use oleander_sim::trace::Trace;
use oleander_sim::{Builder, End, Exploration, Limits, Strategy};
use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

/// Executions of a random strategy.
const RUNS: u64 = 20_000;
const SEED: u64 = 2000;
/// How far the known chances of probabilistic concurrency testing are off, but for those that are 0. It is no bound: that of
/// two philosophers at depth 2 is 1/8, and known as 0.118.
const PCT_SIGMA: f64 = 0.004;

/// What is known of a program.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// How many threads it has.
    pub n: usize,
    pub all: u64,
    pub bad: u64,
    /// The steps of the longest schedule.
    pub k: usize,
    /// The chance that one random walk meets the bug, and how many walks miss it with a chance of at most 1e-9.
    pub p: f64,
    pub walks: u64,
    /// The chances of probabilistic concurrency testing with depth 1, 2, 3, as they were measured.
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
pub fn check<S: Clone + Ord + Debug>(name: &str, program: &Program<S>, known: Known) {
    let (all, plain) = endings(program, &mut Dfs::default());
    assert_eq!(plain.steps_max, known.k as u64, "{name}: {plain}");
    let first = plain.first_failure.as_ref().map(|it| it.schedule);
    assert_eq!((plain.schedules, plain.failures), (known.all, known.bad), "{name}: {plain}");
    assert!(known.dfs.is_none_or(|dfs| first == Some(dfs)), "{name}: {plain}");
    check_reduced(name, program, &all, &plain);
    check_replay(name, program);
    assert_eq!(least(program, Bounded::preemptions), known.preemptions, "{name}: preemptions");
    assert_eq!(least(program, Bounded::delays), known.delays, "{name}: delays");
    let (p, sum) = chances(program);
    assert!((p - known.p).abs() < 5e-5 && (sum - 1.0).abs() < 1e-9, "{name}: {p} of {sum}");
    assert_eq!(walks(p), known.walks, "{name}: p = {p}");
    let walked = rate(program, &mut RandomWalk::new(SEED));
    assert!((walked - p).abs() <= sigma3(p), "{name}: random walks meet it in {walked} of 1, not {p}");
    for (depth, given) in (1..).zip(known.pct.into_iter().flatten()) {
        check_priorities(name, program, &known, depth, given);
    }
}

/// Probabilistic concurrency testing meets the bug as often as it does in all that it can draw, and that is what is known.
#[track_caller]
fn check_priorities<S: Clone>(name: &str, program: &Program<S>, known: &Known, depth: usize, given: f64) {
    let drawn = explore(program, &mut Priorities::new(known.n, depth, known.k));
    let p = drawn.failures as f64 / drawn.schedules as f64;
    assert_eq!(p == 0.0, given == 0.0, "{name}: whether PCT of depth {depth} can meet it at all, {p}");
    let off = if given == 0.0 { 0.0 } else { 3.0 * PCT_SIGMA };
    assert!((p - given).abs() <= off, "{name}: PCT of depth {depth} has a chance of {p}, not {given}");
    let hit = rate(program, &mut Pct::new(SEED, depth, known.k));
    assert!((hit - p).abs() <= sigma3(p), "{name}: PCT of depth {depth} meets it in {hit} of 1, not {p}");
}

/// What a failing check prints is the line that replays it, step for step.
#[track_caller]
fn check_replay<S: Clone>(name: &str, program: &Program<S>) {
    for strategy in [Strategy::Exhaustive, Strategy::Random] {
        let checked = program.check_each(&Builder::new().strategy(strategy).seed(SEED), |_, _| ());
        let failure = checked.failure.as_ref().unwrap_or_else(|| panic!("{name}, {strategy:?}: {checked}"));
        let words = checked.to_string();
        let line = words.lines().find_map(|line| line.strip_prefix("replay: program.replay(\"")?.strip_suffix("\")"));
        let token = line.unwrap_or_else(|| panic!("{name}, {strategy:?}: no line replays it: {words}"));
        let again = program.try_replay(token).unwrap_or_else(|refused| panic!("{name}, {strategy:?}: {refused}"));
        let was = &failure.report;
        assert_eq!((&again.end, again.trace_hash), (&was.end, was.trace_hash), "{name}, {strategy:?}: {token}");
    }
}

/// Reduced search ends in every way in which plain search does, and in no other, with no more executions that are not
/// redundant; how many these are.
#[track_caller]
pub fn check_reduced<S: Clone + Ord + Debug>(
    name: &str,
    program: &Program<S>,
    all: &Endings<S>,
    plain: &Exploration,
) -> u64 {
    let mut dpor = Dpor::default();
    let (kept, reduced) = endings(program, &mut dpor);
    let executions = reduced.schedules - dpor.redundant();
    println!("{name}: {} endings; {plain}; reduced: {executions} of {reduced}", all.len());
    assert_eq!(*all, kept, "{name}: {reduced}");
    assert!(executions <= plain.schedules, "{name}: {executions} of {reduced}");
    executions
}

/// A program without a bug: how many schedules it has, and how many executions are left of them.
#[track_caller]
pub fn check_reduction<S: Clone + Ord + Debug>(name: &str, program: &Program<S>, schedules: u64, executions: u64) {
    let (all, plain) = endings(program, &mut Dfs::default());
    assert_eq!((plain.schedules, plain.failures), (schedules, 0), "{name}: {plain}");
    assert_eq!(check_reduced(name, program, &all, &plain), executions, "{name}");
}

/// The twin of a program in which the fault is repaired.
#[track_caller]
pub fn check_repaired<S: Clone + Ord + Debug>(name: &str, program: &Program<S>, schedules: Option<u64>) {
    let name = format!("{name}, repaired");
    let (all, plain) = endings(program, &mut Dfs::default());
    assert_eq!(plain.failures, 0, "{name}: {plain}");
    assert!(schedules.is_none_or(|schedules| plain.schedules == schedules), "{name}: {plain}");
    check_reduced(&name, program, &all, &plain);
}
