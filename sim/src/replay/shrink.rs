//! Shrinking: the same failure with fewer deviations from the default schedule, and then in fewer steps.
//!
//! Deviations are taken out in halves, quarters, … and at last one by one, for as long as the execution still fails in
//! the same way. Then the schedules with few preemptions are tried, for one that is shorter still. Each trial that fails
//! abandons fibers, so there are not many trials.

use super::{Choices, Recording, Replaying};
use crate::explore::Runner;
use crate::report::End;
use crate::schedule::{Bounded, Schedule};
use crate::world::Limits;
use std::mem::discriminant;

/// How many executions a shrinking may take.
const TRIALS_MAX: usize = 300;

/// Whether two executions fail in the same way.
fn is_same(one: &End, other: &End) -> bool {
    match (one, other) {
        (End::Panicked { message: a, .. }, End::Panicked { message: b, .. }) => a == b,
        (End::Broken { checker: a, .. }, End::Broken { checker: b, .. }) => a == b,
        _ => discriminant(one) == discriminant(other),
    }
}

/// Fewer choices that fail in the same way.
pub(crate) fn shrink(runner: &mut dyn Runner, limits: &Limits, choices: Choices, end: &End) -> Choices {
    let thinned = thin(runner, limits, choices, end);
    match with_few_preemptions(runner, limits, end).map(|found| thin(runner, limits, found, end)) {
        Some(found) if found.deviations().count() < thinned.deviations().count() => found,
        _ => thinned,
    }
}

/// Takes out what is not needed.
fn thin(runner: &mut dyn Runner, limits: &Limits, choices: Choices, end: &End) -> Choices {
    let mut trials = 0;
    let mut fails = |choices: &Choices| {
        trials += 1;
        trials <= TRIALS_MAX && is_same(&runner.execute(&mut Replaying::new(choices), limits), end)
    };
    let mut kept: Vec<(usize, usize)> = choices.deviations().collect();
    let mut size = kept.len();
    while size > 0 {
        let mut at = 0;
        while at < kept.len() {
            let behind = (at + size).min(kept.len());
            let without: Vec<_> = kept[..at].iter().chain(&kept[behind..]).copied().collect();
            if fails(&of(&without)) {
                kept = without;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    of(&kept)
}

/// The first of the schedules with the fewest preemptions that fails so, if it comes early.
fn with_few_preemptions(runner: &mut dyn Runner, limits: &Limits, end: &End) -> Option<Choices> {
    for bound in 0..=2 {
        let mut bounded = Bounded::preemptions(bound);
        let mut recording = Recording::new(&mut bounded, Vec::new());
        for trial in 0..TRIALS_MAX {
            if !recording.new_execution((trial > 0).then(|| runner.trace())) {
                break;
            }
            let found = runner.execute(&mut recording, limits);
            if is_same(&found, end) {
                return Some(Choices::of(&recording.into_choices()));
            }
        }
    }
    None
}

fn of(deviations: &[(usize, usize)]) -> Choices {
    let mut choices = Choices::default();
    for &(at, taken) in deviations {
        choices.set(at, taken);
    }
    choices
}
