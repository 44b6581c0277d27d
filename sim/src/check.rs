//! Checking a scenario: every execution that matters, or one line that replays the bad one.
//!
//! [`check`] is what a test calls; a [`Builder`] says how. Both run the scenario under a strategy until it has no execution
//! left, a limit is reached, or an execution fails. A failing execution is shrunk, shown as a timeline, and named by a token.

use crate::explore::{Runner, Scenario};
use crate::replay::{Recording, Replaying, Token, scenario_hash, shrink, try_replay};
use crate::report::{End, Report};
use crate::schedule::{Bounded, Dfs, Dpor, Pct, RandomWalk, Schedule};
use crate::trace::timeline;
use crate::world::{Hub, Limits};
use std::fmt;
use std::time::{Duration, Instant};

/// Environment variable with a token: [`check`] then runs that execution only.
pub const REPLAY_VARIABLE: &str = "OLEANDER_REPLAY";

/// Which executions are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// One of each class of executions that differ only in the order of independent steps (source-DPOR, sleep sets).
    Exhaustive,
    /// Every schedule, without reduction.
    Dfs,
    /// Every schedule with at most so many switches away from a thread that could go on.
    PreemptionBound(usize),
    /// Every schedule with at most so many delays.
    DelayBound(usize),
    /// Random walks.
    Random,
    /// Probabilistic concurrency testing for faults of so many orderings.
    Pct(usize),
    /// Exhaustive, random walks and PCT of depth 3 in turns.
    Portfolio,
}

impl Strategy {
    fn is_endless(self) -> bool {
        matches!(self, Self::Random | Self::Pct(_))
    }
}

/// How a scenario is checked.
#[derive(Clone, Debug)]
pub struct Builder {
    strategy: Strategy,
    seed: u64,
    limits: Limits,
    seconds_max: Option<Duration>,
    executions_max: Option<u64>,
    self_check: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            strategy: Strategy::Exhaustive,
            seed: 0,
            limits: Limits { count_traces: false, ..Limits::default() },
            seconds_max: None,
            executions_max: None,
            self_check: false,
        }
    }
}

/// How many executions an endless strategy runs where nobody says.
const RANDOM_EXECUTIONS: u64 = 1_000;

impl Builder {
    /// Exhaustive, without limits but for a million steps in one execution.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which executions are run.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// The seed of random strategies: the same seed runs the same executions.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The most executions. A strategy that has more to do has then not completed; random ones run 1,000 by default.
    #[must_use]
    pub fn executions_max(mut self, executions: u64) -> Self {
        self.executions_max = Some(executions);
        self
    }

    /// The most steps of one execution. More are a failure: threads that go round in circles.
    #[must_use]
    pub fn steps_max(mut self, steps: u64) -> Self {
        self.limits.steps_max = steps;
        self
    }

    /// The most seconds of real time. Where it ends the check is not the same from run to run.
    #[must_use]
    pub fn seconds_max(mut self, seconds: u64) -> Self {
        self.seconds_max = Some(Duration::from_secs(seconds));
        self
    }

    /// Whether the panic of a thread other than the scenario is the business of who joins it. By default it is a failure.
    #[must_use]
    pub fn panics_are_joined(mut self, joined: bool) -> Self {
        self.limits.panic_ends = !joined;
        self
    }

    /// Whether every execution is run twice, and the hashes of their traces compared. By default only the first one is.
    #[must_use]
    pub fn self_check(mut self, every: bool) -> Self {
        self.self_check = every;
        self
    }

    fn schedule(&self) -> Box<dyn Schedule> {
        match self.strategy {
            Strategy::Exhaustive => Box::new(Dpor::default()),
            Strategy::Dfs => Box::new(Dfs::default()),
            Strategy::PreemptionBound(bound) => Box::new(Bounded::preemptions(bound)),
            Strategy::DelayBound(bound) => Box::new(Bounded::delays(bound)),
            Strategy::Random => Box::new(RandomWalk::new(self.seed)),
            Strategy::Pct(depth) => Box::new(Pct::new(self.seed, depth, 0)),
            Strategy::Portfolio => Box::new(Portfolio::new(self.seed)),
        }
    }

    /// Checks a scenario, and says what was found.
    ///
    /// # Panics
    /// Where a world is already running, and if the scenario depends on something that the world does not control.
    pub fn run(&self, scenario: impl Fn()) -> Checked {
        self.run_with(&mut Scenario { hub: Hub::default(), scenario: &scenario })
    }

    fn run_with(&self, runner: &mut dyn Runner) -> Checked {
        let began = Instant::now();
        let mut schedule = self.schedule();
        let executions_max =
            self.executions_max.unwrap_or(if self.strategy.is_endless() { RANDOM_EXECUTIONS } else { u64::MAX });
        let mut recording = Recording::new(&mut *schedule);
        let mut checked =
            Checked { executions: 0, redundant: 0, complete: false, steps_max: 0, seconds: 0.0, failure: None };
        loop {
            let previous = (checked.executions + checked.redundant > 0).then(|| runner.trace());
            if !recording.new_execution(previous) {
                checked.complete = true;
                break;
            }
            let late = self.seconds_max.is_some_and(|most| began.elapsed() >= most);
            if late || checked.executions >= executions_max {
                break;
            }
            let end = runner.execute(&mut recording, &self.limits);
            if end == End::Completed && (self.self_check || checked.executions == 0) {
                self.compare(runner, &recording);
            }
            if recording.is_redundant() {
                checked.redundant += 1;
            } else {
                checked.executions += 1;
            }
            checked.steps_max = checked.steps_max.max(runner.trace().steps().len() as u64);
            if end != End::Completed {
                checked.failure = Some(self.counterexample(runner, &recording, &end));
                break;
            }
        }
        checked.seconds = began.elapsed().as_secs_f64();
        checked
    }

    /// Runs the execution that has just been run once more. The trace that is left is the same, or the world is not in
    /// control.
    fn compare(&self, runner: &mut dyn Runner, recording: &Recording<'_>) {
        let hash = runner.trace().hash();
        runner.execute(&mut Replaying::new(&recording.choices()), &self.limits);
        assert_eq!(
            hash,
            runner.trace().hash(),
            "the same choices led to another execution: the scenario depends on something that the world does not control"
        );
    }

    /// Shrinks the execution that has just failed, and describes it.
    fn counterexample(&self, runner: &mut dyn Runner, recording: &Recording<'_>, end: &End) -> Counterexample {
        let choices = shrink(runner, &self.limits, recording.choices(), end);
        let scenario = scenario_hash(runner, &self.limits);
        let end = runner.execute(&mut Replaying::new(&choices), &self.limits);
        Counterexample {
            token: Token { scenario, choices },
            timeline: timeline(runner.trace(), &runner.names()),
            report: runner.report(end),
        }
    }

    /// Checks a scenario as a test does: prints what was found, and panics if an execution has failed. With the variable
    /// `OLEANDER_REPLAY` it runs the one execution that its token describes.
    ///
    /// # Panics
    /// If an execution has failed, with its report, timeline and token; and as [`Builder::run`] does.
    #[track_caller]
    pub fn check(&self, scenario: impl Fn()) {
        if let Ok(token) = std::env::var(REPLAY_VARIABLE) {
            match try_replay(&token, scenario) {
                Ok(report) => drop(report.expect_completed()),
                Err(refused) => panic!("{REPLAY_VARIABLE}: {refused}"),
            }
            return;
        }
        let checked = self.run(scenario);
        assert!(checked.failure.is_none(), "{checked}");
        println!("{checked}");
    }
}

/// Checks a scenario under every schedule that matters: one of each class of executions that differ only in the order of
/// independent steps.
///
/// ```
/// use oleander::kernel::Event;
/// use oleander::platform::{Deadline, Why};
/// use oleander_sim::{check, world};
///
/// check(|| {
///     let (ready, other) = { let event = Event::manual(); (event.clone(), event) };
///     let worker = world::spawn("worker", move || other.set());
///     assert!(ready.wait(Deadline::NEVER, Why::Wait));
///     worker.join().expect("the worker does not panic");
/// });
/// ```
///
/// # Panics
/// If an execution fails, with its report, its timeline and a line that replays it.
#[track_caller]
pub fn check(scenario: impl Fn()) {
    Builder::new().check(scenario);
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How many executions there were, without the redundant ones.
    pub executions: u64,
    /// How many turned out to be like one before. They cost time and say nothing.
    pub redundant: u64,
    /// Whether the strategy has no execution left.
    pub complete: bool,
    /// The steps of the longest execution.
    pub steps_max: u64,
    /// The real time that it took.
    pub seconds: f64,
    /// An execution that failed; the check ends with it.
    pub failure: Option<Counterexample>,
}

/// An execution that failed.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// What replays it.
    pub token: Token,
    /// What came of it.
    pub report: Report,
    /// Its steps, one a line.
    pub timeline: String,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, steps_max, seconds, .. } = self;
        let extent = if self.complete { "complete" } else { "incomplete" };
        let failures = usize::from(self.failure.is_some());
        write!(
            f,
            "explored {executions} executions ({extent}), {failures} failures, deepest {steps_max} steps, {seconds:.2} s"
        )?;
        match &self.failure {
            Some(failure) => write!(f, "\n{failure}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, report, timeline } = self;
        write!(
            f,
            "{report}\n\n{timeline}\n\nreplay: oleander_sim::replay(\"{token}\", scenario)\n    or: {REPLAY_VARIABLE}='{token}' cargo test NAME"
        )
    }
}

/// Strategies in turns. Each sees the traces of its own executions only.
struct Portfolio {
    members: Vec<(Box<dyn Schedule>, Turn)>,
    current: usize,
}

/// Where a member is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It has not run yet.
    New,
    /// It has begun an execution that has not been run.
    Begun,
    /// It has run one.
    Ran,
}

impl Portfolio {
    fn new(seed: u64) -> Self {
        let members: [Box<dyn Schedule>; 3] =
            [Box::new(Dpor::default()), Box::new(RandomWalk::new(seed)), Box::new(Pct::new(seed, 3, 0))];
        Self { members: members.into_iter().map(|it| (it, Turn::New)).collect(), current: 0 }
    }
}

impl Schedule for Portfolio {
    fn new_execution(&mut self, previous: Option<&crate::trace::Trace>) -> bool {
        if let Some(trace) = previous {
            // What has just been run is the current member's: it plans its next execution while the trace is there.
            let (member, turn) = &mut self.members[self.current];
            if !member.new_execution(Some(trace)) {
                // One that ends has run everything.
                return false;
            }
            *turn = Turn::Begun;
            self.current = (self.current + 1) % self.members.len();
        }
        let (member, turn) = &mut self.members[self.current];
        if *turn == Turn::New && !member.new_execution(None) {
            return false;
        }
        *turn = Turn::Ran;
        true
    }

    fn choose(&mut self, point: &crate::schedule::Point<'_>) -> usize {
        self.members[self.current].0.choose(point)
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.members[self.current].0.choose_n(n)
    }

    fn is_redundant(&self) -> bool {
        self.members[self.current].0.is_redundant()
    }
}
