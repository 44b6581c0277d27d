//! Checking a scenario: every execution that matters, or one line that replays the bad one.
//!
//! [`check`] is what a test calls; a [`Builder`] says how. Both run the scenario under a strategy until it has no execution
//! left, a limit is reached, or an execution fails. A failing execution is shrunk, shown as a timeline, and named by a token.

mod files;
mod rules;

pub use rules::Checks;
pub(crate) use rules::used_after_end;

use crate::explore::{Runner, Scenario};
use crate::fault::Faults;
use crate::replay::{Choices, Replaying, Settings, Token, TokenError, scenario_hash, shrink, try_replay};
use crate::report::{End, Report};
use crate::search::{Crew, Plan, Progress, Rules, search};
use crate::trace::{Picture, mermaid, page, timeline};
use crate::world::{Hub, Limits, TimeMode};
use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;
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
    workers: usize,
    shard: (u64, u64),
    split_after: Option<u64>,
    stall_max: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            strategy: Strategy::Exhaustive,
            seed: 0,
            limits: Limits { count_traces: false, checks: Checks::STANDARD, ..Limits::default() },
            seconds_max: None,
            executions_max: None,
            self_check: false,
            workers: 0,
            shard: (0, 1),
            split_after: None,
            stall_max: STALL_MAX,
        }
    }
}

/// How much real time a step may take where nobody says.
const STALL_MAX: Duration = Duration::from_secs(5);
/// What is said in the place of a line that replays a failure, where the same choices lead to something else.
const NO_REPLAY: &str = "It cannot be replayed.";
/// How many executions an endless strategy runs where nobody says.
const RANDOM_EXECUTIONS: u64 = 1_000;
/// How many executions an endless strategy, and any other, runs before the rest is split, where nobody says.
const RANDOM_SPLIT_AFTER: u64 = 100;
const SPLIT_AFTER: u64 = 2_000;

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

    /// When waits may give up: [`TimeMode::Urgent`] by default.
    #[must_use]
    pub fn time(mut self, mode: TimeMode) -> Self {
        self.limits.time = mode;
        self
    }

    /// Whether the panic of a thread other than the scenario is the business of who joins it. By default it is a failure.
    #[must_use]
    pub fn panics_are_joined(mut self, joined: bool) -> Self {
        self.limits.panic_ends = !joined;
        self
    }

    /// What may go wrong in every execution, beside the faults at points that the scenario says: nothing by default.
    /// [`fault::explore`](crate::fault::explore) takes its place from where the scenario calls it.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.limits.faults = faults;
        self
    }

    /// What is looked for in each execution: [`Checks::STANDARD`] by default.
    #[must_use]
    pub fn checks(mut self, checks: Checks) -> Self {
        self.limits.checks = checks;
        self
    }

    /// Whether every execution is run twice, and the hashes of their traces compared. By default that is done at a low
    /// rate: the first execution, the second, the fourth, and so on. A difference is a failure
    /// ([`End::Uncontrolled`](crate::End::Uncontrolled)), which names the first step that differs.
    #[must_use]
    pub fn self_check(mut self, every: bool) -> Self {
        self.self_check = every;
        self
    }

    /// How many threads of the operating system run executions, each in a world of its own; 0, the default, is one for
    /// each core. What is found does not depend on it: the verdict, the failing execution that is reported, the number of
    /// executions without the redundant ones. They begin to help when the rest is split ([`split_after`](Self::split_after)).
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Explores one of `n` shares, counted from 0, of what there is: all shares together are everything. Each begins with
    /// the same executions, from which it knows the shares ([`split_after`](Self::split_after)); share 0 counts them. The
    /// shares of an exhaustive exploration do not know what the others find, so there are more redundant executions.
    ///
    /// # Panics
    /// If there is no such share.
    #[must_use]
    pub fn shard(mut self, i: u64, n: u64) -> Self {
        assert!(i < n, "shards are counted from 0: there is no shard {i} of {n}");
        self.shard = (i, n);
        self
    }

    /// After how many executions what is left is split into parts for workers and shards: 2,000 by default, and 100 for
    /// random strategies. Which failing execution is found first may depend on it.
    #[must_use]
    pub fn split_after(mut self, executions: u64) -> Self {
        self.split_after = Some(executions.max(1));
        self
    }

    /// The most real time that a step may take, 5 s by default; [`Duration::MAX`] is any time. More means that something
    /// blocks that the world does not see, as a mutex or a channel of `std` does. Its thread cannot be stopped: the process
    /// says so on standard error, names `oleander_sim::sync` and `oleander_sim::thread`, and aborts. A replay is not watched,
    /// so that a debugger can stop in it.
    #[must_use]
    pub fn stall_max(mut self, time: Duration) -> Self {
        self.stall_max = time;
        self
    }

    fn rules(&self, began: Instant) -> Rules {
        let (executions, split_after) =
            if self.strategy.is_endless() { (RANDOM_EXECUTIONS, RANDOM_SPLIT_AFTER) } else { (u64::MAX, SPLIT_AFTER) };
        Rules {
            limits: self.limits,
            executions_max: self.executions_max.unwrap_or(executions),
            until: self.seconds_max.and_then(|most| began.checked_add(most)),
            split_after: self.split_after.unwrap_or(split_after),
            shard: self.shard,
            self_check: self.self_check,
            progress: Arc::new(Progress::new(
                began,
                self.executions_max.or((executions < u64::MAX).then_some(executions)),
            )),
        }
    }

    /// Checks a scenario, and says what was found.
    ///
    /// The scenario is shared by the workers, each of which runs it on a thread of its own: hence `Sync`.
    ///
    /// # Panics
    /// Where a world is already running.
    pub fn run(&self, scenario: impl Fn() + Sync) -> Checked {
        let workers = match self.workers {
            0 => available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let mut runner = Scenario { hub: Hub::new(self.stall_max), scenario: &scenario };
        self.run_with(&mut runner, Crew::Threads(workers, &scenario, self.stall_max))
    }

    pub(crate) fn run_with(&self, runner: &mut dyn Runner, crew: Crew<'_>) -> Checked {
        let began = Instant::now();
        let found = search(|| Plan::new(self.strategy, self.seed), &self.rules(began), runner, crew);
        let failure = found.failure.map(|(choices, end)| self.counterexample(runner, choices, &end));
        Checked {
            executions: found.executions,
            redundant: found.redundant,
            complete: found.complete,
            steps_max: found.steps_max,
            seconds: began.elapsed().as_secs_f64(),
            failure,
        }
    }

    /// Shrinks an execution that failed, and describes it.
    fn counterexample(&self, runner: &mut dyn Runner, choices: Choices, end: &End) -> Counterexample {
        let uncontrolled = matches!(end, End::Uncontrolled(_));
        let choices = if uncontrolled { choices } else { shrink(runner, &self.limits, choices, end) };
        let scenario = scenario_hash(runner, &self.limits);
        let again = runner.execute(&mut Replaying::new(&choices), &self.limits);
        // What does not come again the same can only be told as it was.
        let end = if uncontrolled { end.clone() } else { again };
        let (names, report) = (runner.names(), runner.report(end));
        let token = Token { scenario, choices, settings: Settings::of(&self.limits) };
        let picture = Picture::of(runner.trace(), &names, &report);
        let replay = if uncontrolled { NO_REPLAY.to_owned() } else { runner.replay_line(&token) };
        Counterexample {
            timeline: timeline(runner.trace(), &names),
            page: page(&picture, &files::test_name(), &replay),
            mermaid: mermaid(&picture),
            token,
            replay,
            report,
        }
    }

    /// Checks a scenario as a test does: draws the execution that has failed in `target/oleander/<test>.html`, prints what was found, and panics if an execution has failed. With the variable
    /// `OLEANDER_REPLAY` it runs the one execution that its token describes.
    ///
    /// # Panics
    /// If an execution has failed, with its report, timeline and token; and as [`Builder::run`] does.
    #[track_caller]
    pub fn check(&self, scenario: impl Fn() + Sync) {
        check_as_test(|token| try_replay(token, &scenario), || self.run(&scenario));
    }
}

/// What a test does with a check: it replays the token of the variable, or runs the check, draws a failure and panics with it.
#[track_caller]
pub(crate) fn check_as_test(replay: impl FnOnce(&str) -> Result<Report, TokenError>, run: impl FnOnce() -> Checked) {
    if let Ok(token) = std::env::var(REPLAY_VARIABLE) {
        match replay(&token) {
            Ok(report) => drop(report.expect_completed()),
            Err(refused) => panic!("{REPLAY_VARIABLE}: {refused}"),
        }
        return;
    }
    let checked = run();
    if let Some(failure) = &checked.failure {
        panic!("{checked}\n{}", files::keep(failure));
    }
    println!("{checked}");
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
pub fn check(scenario: impl Fn() + Sync) {
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
    /// What replays it. Of an [uncontrolled](End::Uncontrolled) execution it says only what was chosen.
    pub token: Token,
    /// The line of a test that replays it; of an [uncontrolled](End::Uncontrolled) execution, that nothing does.
    pub replay: String,
    /// What came of it.
    pub report: Report,
    /// Its steps, one a line.
    pub timeline: String,
    /// Its picture: a page in HTML that needs nothing else.
    pub page: String,
    /// Its picture as Mermaid text, for an issue.
    pub mermaid: String,
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
        let Self { token, replay, report, timeline, .. } = self;
        if let End::Uncontrolled(_) = report.end {
            return write!(f, "{report}\n\n{timeline}\n\n{replay}");
        }
        write!(f, "{report}\n\n{timeline}\n\nreplay: {replay}\n    or: {REPLAY_VARIABLE}='{token}' cargo test NAME")
    }
}
