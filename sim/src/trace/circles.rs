//! Threads that go round in circles: who took the last steps of an execution that does not end, and what he did.

use super::timeline::describe;
use super::{Ledger, Outcome, Touch, Trace};
use oleander::platform::ObjectKind;
use std::collections::BTreeMap;

/// How many of the last steps are looked at.
const LAST: usize = 100;
/// How many different things are said of a thread.
const SAID_MAX: usize = 6;

/// A line for each thread that took one of the last steps.
pub(crate) fn circling<S: AsRef<str>>(trace: &Trace, names: &[S]) -> Vec<String> {
    let ledger = Ledger::of(trace, names);
    let count = trace.steps().len();
    let first = count.saturating_sub(LAST);
    let mut threads = BTreeMap::<usize, Vec<(String, usize)>>::new();
    for step in first..count {
        let did = threads.entry(trace.steps()[step].thread).or_default();
        let what = what(trace, &ledger, step);
        match did.iter_mut().find(|(there, _)| *there == what) {
            Some((_, times)) => *times += 1,
            None => did.push((what, 1)),
        }
    }
    let line = |(thread, did): (usize, Vec<(String, usize)>)| {
        let steps: usize = did.iter().map(|(_, times)| times).sum();
        let mut said: Vec<_> =
            did.iter().take(SAID_MAX).map(|(what, times)| format!("{what} ({times}\u{d7})")).collect();
        if did.len() > SAID_MAX {
            let more = did.len() - SAID_MAX;
            said.push(format!("and {more} other thing{}", if more == 1 { "" } else { "s" }));
        }
        format!("{} took {steps} of the last {}: {}", ledger.who(thread), count - first, said.join(", "))
    };
    threads.into_iter().map(line).collect()
}

/// What a step did; a wait that gives up although no time has passed since the thread's step before it is a poll.
fn what(trace: &Trace, ledger: &Ledger, step: usize) -> String {
    // A message queue is there in every wait that dispatches.
    let is_telling = |touch: &&Touch| !matches!(touch.object.kind, ObjectKind::Queue | ObjectKind::Apcs);
    let announced = trace.announced(step);
    let Some(touch) = announced.iter().find(is_telling).or(announced.first()) else {
        return describe(trace, ledger, step);
    };
    let thread = trace.steps()[step].thread;
    let before = trace.steps()[..step].iter().rposition(|it| it.thread == thread);
    let at_once = before.is_none_or(|before| trace.ns_at(before) == trace.ns_at(step));
    match trace.steps()[step].outcome {
        Outcome::Expired if at_once && ledger.is_synchronize(touch.object) => {
            format!("polls ISynchronize::Wait(0) of {}", ledger.object(touch.object))
        }
        Outcome::Expired if at_once => format!("polls {}", ledger.object(touch.object)),
        _ => describe(trace, ledger, step).replace(&ledger.titled(touch.object), &ledger.object(touch.object)),
    }
}
