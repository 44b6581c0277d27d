//! Exploration: the same scenario again and again, under every schedule that a strategy asks for.

use crate::replay::Token;
use crate::report::{End, Report};
use crate::schedule::{Dfs, Schedule};
use crate::trace::{Classifier, Trace};
use crate::world::{Hub, Limits};
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// How many executions there were.
    pub schedules: u64,
    /// How many Mazurkiewicz classes they fall into, under plain read/write conflicts.
    pub traces: u64,
    /// How many executions did not complete.
    pub failures: u64,
    /// The first of them.
    pub first_failure: Option<Failure>,
    /// The steps of the longest execution.
    pub steps_max: u64,
    /// Whether the strategy was asked until it had no execution left.
    pub complete: bool,
}

/// An execution that did not complete.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its number, counted from 1.
    pub schedule: u64,
    /// What came of it.
    pub report: Report,
}

impl fmt::Display for Exploration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extent = if self.complete { "complete" } else { "incomplete" };
        write!(
            f,
            "explored {} executions ({extent}), {} traces, {} failures, deepest {} steps",
            self.schedules, self.traces, self.failures, self.steps_max
        )?;
        if let Some(first) = &self.first_failure {
            write!(f, "; execution {}: {}", first.schedule, first.report)?;
        }
        Ok(())
    }
}

/// Runs a scenario under every schedule, in depth-first order, without any reduction.
pub fn explore(scenario: impl Fn()) -> Exploration {
    explore_with(&mut Dfs::default(), &Limits::default(), scenario)
}

/// Runs a scenario under every schedule that a strategy asks for.
///
/// # Panics
/// Where a world is already running, and if the scenario does not do the same again under the same choices.
pub fn explore_with(schedule: &mut dyn Schedule, limits: &Limits, scenario: impl Fn()) -> Exploration {
    explore_runner(schedule, limits, &mut Scenario { hub: Hub::new(Duration::MAX), scenario: &scenario })
}

/// What can be executed again and again: a scenario in a world, or a step program.
pub(crate) trait Runner {
    /// Runs it once.
    fn execute(&mut self, schedule: &mut dyn Schedule, limits: &Limits) -> End;
    /// The trace of the last execution.
    fn trace(&self) -> &Trace;
    /// What the last execution came to.
    fn report(&self, end: End) -> Report;
    /// How many threads the last execution abandoned.
    fn abandoned(&self) -> usize;
    /// The names of its threads.
    fn names(&self) -> Vec<String>;
    /// What a test writes to replay a token.
    fn replay_line(&self, token: &Token) -> String;
}

/// A scenario in a world.
pub(crate) struct Scenario<'a> {
    pub(crate) hub: Hub,
    pub(crate) scenario: &'a dyn Fn(),
}

impl Runner for Scenario<'_> {
    fn execute(&mut self, schedule: &mut dyn Schedule, limits: &Limits) -> End {
        self.hub.execute(schedule, limits, self.scenario)
    }
    fn trace(&self) -> &Trace {
        self.hub.trace()
    }
    fn report(&self, end: End) -> Report {
        self.hub.report(end)
    }
    fn abandoned(&self) -> usize {
        self.hub.abandoned()
    }
    fn names(&self) -> Vec<String> {
        self.hub.names().to_vec()
    }
    fn replay_line(&self, token: &Token) -> String {
        format!("oleander_sim::replay(\"{token}\", scenario)")
    }
}

/// Explores whatever can be executed.
pub(crate) fn explore_runner(schedule: &mut dyn Schedule, limits: &Limits, runner: &mut dyn Runner) -> Exploration {
    let mut classifier = Classifier::default();
    let mut classes = HashSet::new();
    let mut abandoned = 0;
    let mut found =
        Exploration { schedules: 0, traces: 0, failures: 0, first_failure: None, steps_max: 0, complete: false };
    loop {
        let previous = (found.schedules > 0).then(|| runner.trace());
        if !schedule.new_execution(previous) {
            found.complete = true;
            break;
        }
        if abandoned >= limits.abandoned_max || found.schedules >= limits.executions_max {
            break;
        }
        let end = runner.execute(schedule, limits);
        if let Some(divergence) = schedule.divergence() {
            panic!("{}", End::Uncontrolled(divergence));
        }
        found.schedules += 1;
        found.steps_max = found.steps_max.max(runner.trace().steps().len() as u64);
        if limits.count_traces {
            classes.insert(classifier.class(runner.trace()));
        }
        abandoned += runner.abandoned();
        if end != End::Completed {
            found.failures += 1;
            let schedule = found.schedules;
            found.first_failure.get_or_insert_with(|| Failure { schedule, report: runner.report(end) });
        }
    }
    found.traces = classes.len() as u64;
    found
}
