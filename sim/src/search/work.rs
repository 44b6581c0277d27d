//! A job: executions of one strategy, one after the other, on one worker.

use super::{Plan, Rules};
use crate::explore::Runner;
use crate::replay::{Choices, Recording, Replaying};
use crate::report::End;
use crate::schedule::Schedule;
use std::time::Instant;

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
        choices = recording.into_choices();
        if end == End::Completed && (rules.self_check || first && job.runs() == 0) {
            compare(runner, &Choices::of(&choices), rules);
        }
        job.executions += u64::from(!redundant);
        job.redundant += u64::from(redundant);
        job.steps_max = job.steps_max.max(runner.trace().steps().len() as u64);
        if end != End::Completed {
            job.halt = Some(Halt::Failed(Choices::of(&choices), end));
        }
    }
}

/// Runs the execution that has just been run once more. The trace that is left is the same, or the world is not in
/// control.
fn compare(runner: &mut dyn Runner, choices: &Choices, rules: &Rules) {
    let hash = runner.trace().hash();
    runner.execute(&mut Replaying::new(choices), &rules.limits);
    assert_eq!(
        hash,
        runner.trace().hash(),
        "the same choices led to another execution: the scenario depends on something that the world does not control"
    );
}
