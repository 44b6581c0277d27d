//! A job: executions of one strategy, one after the other, on one worker.

use super::{Plan, Rules};
use crate::explore::Runner;
use crate::replay::{Choices, Recording, Replaying};
use crate::report::{Divergence, End, words};
use crate::schedule::Schedule;
use crate::trace::Trace;
use std::time::Instant;

/// A part of a search runs none of its executions before this one twice.
const PART_CHECKED_FROM: u64 = 256;

/// Why a job has halted.
#[derive(Debug)]
pub(super) enum Halt {
    /// It has nothing left to do.
    Done,
    /// It has run as many executions as it should before a split. The trace of the last one is the runner's.
    Paused,
    /// It has run as many executions as it may, or somebody wants no more.
    Stopped,
    /// The time is over.
    Late,
    /// An execution has failed: these choices lead to it.
    Failed(Choices, End),
    /// It took too much for independent.
    Coarse,
}

/// Executions of a strategy.
pub(super) struct Job {
    pub(super) plan: Plan,
    /// Where its part of a split exploration begins, if others begin there too.
    pub(super) place: Option<usize>,
    /// The strategy has begun an execution that has not been run.
    pub(super) begun: bool,
    /// How many executions are all of it.
    pub(super) size: u64,
    /// How many there may be.
    pub(super) executions_max: u64,
    pub(super) pause_after: u64,
    pub(super) executions: u64,
    pub(super) redundant: u64,
    pub(super) steps_max: u64,
    pub(super) halt: Option<Halt>,
}

impl Job {
    pub(super) fn new(plan: Plan, executions_max: u64) -> Self {
        Self {
            plan,
            place: None,
            begun: false,
            size: u64::MAX,
            executions_max,
            pause_after: u64::MAX,
            executions: 0,
            redundant: 0,
            steps_max: 0,
            halt: None,
        }
    }

    fn runs(&self) -> u64 {
        self.executions + self.redundant
    }

    /// Moves on to the next execution; says why not, if not. The runner has the trace of the one before.
    pub(super) fn move_on(&mut self, runner: &dyn Runner) -> Option<Halt> {
        let restarts = self.plan.restarts();
        let previous = (self.runs() > 0).then(|| runner.trace());
        let moved = self.plan.schedule().new_execution(previous);
        if self.plan.restarts() > restarts {
            self.redundant += std::mem::take(&mut self.executions);
            if !moved {
                return Some(Halt::Coarse);
            }
        }
        self.begun = moved;
        (!moved).then_some(Halt::Done)
    }
}

/// Works at a job until it halts. `first` says whether its first execution is that of the search.
pub(super) fn work(job: &mut Job, runner: &mut dyn Runner, rules: &Rules, first: bool, stopped: &dyn Fn() -> bool) {
    let mut choices = Vec::new();
    while job.halt.is_none() {
        if !job.begun {
            if job.runs() >= job.pause_after && job.plan.can_split() {
                job.halt = Some(Halt::Paused);
                return;
            }
            if job.executions >= job.size {
                job.halt = Some(Halt::Done);
                return;
            }
            job.halt = job.move_on(runner);
            if job.halt.is_some() {
                return;
            }
        }
        if job.executions >= job.executions_max || stopped() {
            job.halt = Some(Halt::Stopped);
            return;
        }
        if rules.until.is_some_and(|until| Instant::now() >= until) {
            job.halt = Some(Halt::Late);
            return;
        }
        job.begun = false;
        let mut recording = Recording::new(job.plan.schedule(), std::mem::take(&mut choices));
        let end = runner.execute(&mut recording, &rules.limits);
        let redundant = recording.is_redundant();
        let divergence = recording.divergence();
        choices = recording.into_choices();
        let diverged = divergence.or_else(|| {
            let checked = end == End::Completed && rules.is_checked(job.runs() + 1, first);
            checked.then(|| compare(runner, &Choices::of(&choices), rules)).flatten()
        });
        let end = diverged.map_or(end, End::Uncontrolled);
        job.executions += u64::from(!redundant);
        job.redundant += u64::from(redundant);
        rules.progress.count();
        job.steps_max = job.steps_max.max(runner.trace().steps().len() as u64);
        if end != End::Completed {
            job.halt = Some(Halt::Failed(Choices::of(&choices), end));
        }
    }
}

impl Rules {
    /// Whether a job's execution with this number is run twice: the first ones are rather often, later ones hardly ever.
    fn is_checked(&self, number: u64, first: bool) -> bool {
        self.self_check || number.is_power_of_two() && (first || number >= PART_CHECKED_FROM)
    }
}

/// Runs the execution that has just been run once more; says where it was not the same.
fn compare(runner: &mut dyn Runner, choices: &Choices, rules: &Rules) -> Option<Divergence> {
    let trace = runner.trace().clone();
    runner.execute(&mut Replaying::new(choices), &rules.limits);
    (trace.hash() != runner.trace().hash()).then(|| difference(&trace, runner.trace()))
}

/// The first step in which two executions differ.
fn difference(one: &Trace, other: &Trace) -> Divergence {
    let count = one.steps().len().min(other.steps().len());
    let is_other = |&step: &usize| {
        let (a, b) = (one.steps()[step], other.steps()[step]);
        (a.thread, a.outcome) != (b.thread, b.outcome) || one.touches(step) != other.touches(step)
    };
    let what = match (0..count).find(is_other) {
        Some(step) => {
            let say = |trace: &Trace| format!("thread {}: {}", trace.steps()[step].thread, words(trace.touches(step)));
            return Divergence { step, what: format!("{}; then {}", say(one), say(other)) };
        }
        None if one.steps().len() != other.steps().len() => {
            format!("{} steps, then {}", one.steps().len(), other.steps().len())
        }
        None => "threads began, values were chosen or the time moved elsewhere".to_owned(),
    };
    Divergence { step: count, what }
}
