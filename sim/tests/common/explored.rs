//! Explorations of tests, and what they must come to.

#![allow(dead_code, reason = "each test file uses its part")]

use oleander_sim::{Builder, Checked, Checks, Counterexample, End, Exploration, try_replay};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// For apartments that may end with objects that others hold, and with calls in their queues.
pub const ENDS_AT_ANY_MOMENT: Checks = Checks { stubs: false, pumps: false, ..Checks::STANDARD };

/// Explores a scenario to the end; no execution may fail.
#[track_caller]
pub fn explored(builder: &Builder, scenario: impl Fn() + Sync) -> Checked {
    let checked = builder.run(scenario);
    assert!(checked.failure.is_none() && checked.complete, "{checked}");
    checked
}

/// Every execution of a scenario gives something: all that is given.
#[track_caller]
pub fn outcomes<T: Ord + Send>(builder: &Builder, scenario: impl Fn() -> T + Sync) -> BTreeSet<T> {
    let found = Mutex::new(BTreeSet::new());
    explored(builder, || {
        let outcome = scenario();
        found.lock().unwrap().insert(outcome);
    });
    found.into_inner().unwrap()
}

/// Explores a scenario until an execution fails, which its token replays.
#[track_caller]
pub fn failing(builder: &Builder, scenario: impl Fn() + Sync) -> Counterexample {
    let checked = builder.run(&scenario);
    let Some(failure) = checked.failure else { panic!("nothing was found: {checked}") };
    let again = try_replay(&failure.token.to_string(), &scenario).expect("it is of this scenario");
    assert_eq!((&again.end, again.trace_hash), (&failure.report.end, failure.report.trace_hash), "{}", failure.token);
    failure
}

/// Explores a scenario until a checker objects, which must be this one: what it says, and the execution.
#[track_caller]
pub fn broken(builder: &Builder, wanted: &str, scenario: impl Fn() + Sync) -> (String, Counterexample) {
    let failure = failing(builder, scenario);
    let End::Broken { checker, what } = &failure.report.end else { panic!("{failure}") };
    assert_eq!(*checker, wanted, "{what}");
    (what.clone(), failure)
}

/// A plain search has found so many schedules and traces, and nothing wrong.
#[track_caller]
pub fn assert_counts(found: &Exploration, schedules: u64, traces: u64) {
    assert_eq!((found.schedules, found.traces, found.failures), (schedules, traces, 0), "{found}");
    assert!(found.complete, "{found}");
}
