//! The search for a failing execution: one strategy first, then parts of it, by as many workers as there are.
//!
//! What is found does not depend on the number of workers. The strategy runs its first executions alone; most scenarios
//! end there. What is left is split into parts ([`plan`]), round by round, by rules that know nothing of workers. Workers
//! take parts from the front of a queue ([`crew`]), and what the parts have found is put together in the order of the
//! parts: the first part with a failure ends the search, and what later parts have done by then is forgotten.
//!
//! With shards only some parts are explored, by their numbers. The first executions are run by every shard, because the
//! parts come of them, and counted by the first.

mod crew;
mod plan;
mod progress;
mod work;

pub(crate) use crew::Crew;
pub(crate) use plan::Plan;
pub(crate) use progress::Progress;

use crate::explore::Runner;
use crate::replay::Choices;
use crate::report::End;
use crate::world::Limits;
use plan::Parts;
use std::sync::Arc;
use std::time::Instant;
use work::{Halt, Job, work};

/// What a search has to keep to.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) limits: Limits,
    pub(crate) executions_max: u64,
    /// When it is late.
    pub(crate) until: Option<Instant>,
    /// How many executions there are before what is left is split.
    pub(crate) split_after: u64,
    /// Which of how many shards this is.
    pub(crate) shard: (u64, u64),
    /// Whether every execution is run twice.
    pub(crate) self_check: bool,
    pub(crate) progress: Arc<Progress>,
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) executions: u64,
    pub(crate) redundant: u64,
    pub(crate) complete: bool,
    pub(crate) steps_max: u64,
    pub(crate) failure: Option<(Choices, End)>,
}

/// Why a search begins anew.
struct Coarse;

/// Searches. The runner is the one that parts begin on.
pub(crate) fn search(plan: impl Fn() -> Plan, rules: &Rules, runner: &mut dyn Runner, crew: Crew<'_>) -> Found {
    let mut found = Found::default();
    if let Err(Coarse) = attempt(plan(), rules, runner, crew, &mut found) {
        // Too much was taken for independent. A shard cannot know whether the others find that too: it takes all.
        found.redundant += std::mem::take(&mut found.executions);
        let rules = Rules { shard: (0, 1), ..rules.clone() };
        let again = attempt(plan().without_rule_for_queues(), &rules, runner, crew, &mut found);
        assert!(again.is_ok(), "there is no rule for queues any more");
    }
    found
}

fn attempt(
    plan: Plan,
    rules: &Rules,
    runner: &mut dyn Runner,
    crew: Crew<'_>,
    found: &mut Found,
) -> Result<(), Coarse> {
    let mut first = Job::new(plan, rules.executions_max);
    first.pause_after = rules.split_after;
    work(&mut first, runner, rules, true, &|| false);
    if rules.shard.0 == 0 {
        found.executions = first.executions;
        found.redundant += first.redundant;
    }
    found.steps_max = first.steps_max;
    match first.halt.take() {
        Some(Halt::Paused) => {}
        Some(Halt::Done) => {
            found.complete = true;
            return Ok(());
        }
        Some(Halt::Failed(choices, end)) => {
            found.failure = Some((choices, end));
            return Ok(());
        }
        Some(Halt::Coarse) => return Err(Coarse),
        _ => return Ok(()),
    }
    let everything = rules.shard.1 > 1;
    let left = rules.executions_max - first.executions;
    let mut parts = first.plan.split(runner.trace(), everything, left).ok_or(Coarse)?;
    loop {
        let left = rules.executions_max - found.executions;
        let jobs = parts.jobs(left, runner, rules);
        if jobs.is_empty() {
            found.complete = parts.can_end();
            return Ok(());
        }
        for job in crew.run(jobs, rules, runner) {
            if !gather(job, rules, found, &mut parts)? {
                return Ok(());
            }
        }
        if !parts.next_round() {
            found.complete = true;
            return Ok(());
        }
    }
}

/// Puts together what a part has found with what the parts before it have; says whether that can go on.
fn gather(mut job: Job, rules: &Rules, found: &mut Found, parts: &mut Parts) -> Result<bool, Coarse> {
    let left = rules.executions_max - found.executions;
    found.executions += job.executions.min(left);
    found.redundant += job.redundant;
    found.steps_max = found.steps_max.max(job.steps_max);
    if job.executions > left {
        return Ok(false);
    }
    match job.halt.take() {
        Some(Halt::Done) => {
            parts.finished(job);
            Ok(true)
        }
        Some(Halt::Failed(choices, end)) => {
            found.failure = Some((choices, end));
            Ok(false)
        }
        Some(Halt::Coarse) => Err(Coarse),
        Some(Halt::Paused | Halt::Late | Halt::Stopped) | None => Ok(false),
    }
}
