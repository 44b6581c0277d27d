//! Replaying: an execution is its choices, and they fit on one line.
//!
//! A *token* has a version, a hash of the scenario, and where the execution leaves the default schedule. The hash is that
//! of the trace of the default schedule: what it touches and how, with no address in it. A token of another version, or
//! of another scenario, is refused. What the Builder said otherwise than it does by default is in the token, too.

mod recording;
mod settings;
mod shrink;
mod token;

pub(crate) use recording::{Choices, Recording, Replaying};
pub(crate) use settings::Settings;
pub(crate) use shrink::shrink;
pub use token::{Token, TokenError};

use crate::explore::{Runner, Scenario};
use crate::report::Report;
use crate::schedule::Fixed;
use crate::trace::{Trace, timeline};
use crate::world::{Hub, Limits};
use std::time::Duration;

/// The hash by which a token knows its scenario.
pub(crate) fn scenario_hash(runner: &mut dyn Runner, limits: &Limits) -> u32 {
    runner.execute(&mut Fixed, limits);
    hash_of(runner.trace())
}

fn hash_of(trace: &Trace) -> u32 {
    let hash = trace.hash();
    (hash ^ (hash >> 32)) as u32
}

/// Runs the one execution of a scenario that a token describes, prints it as a timeline, and says what came of it.
///
/// # Errors
/// A token that cannot be read, of another version, or of another scenario, with the reason.
///
/// ```
/// let scenario = || { oleander_sim::world::spawn("worker", || ()).join().unwrap(); };
/// let refused = oleander_sim::try_replay("olx1:00000000:", scenario).unwrap_err();
/// assert!(refused.to_string().contains("another scenario"), "{refused}");
/// ```
pub fn try_replay(token: &str, scenario: impl Fn()) -> Result<Report, TokenError> {
    replay_with(&mut Scenario { hub: Hub::new(Duration::MAX), scenario: &scenario }, token)
}

/// [`try_replay`], of whatever can be executed.
pub(crate) fn replay_with(runner: &mut dyn Runner, token: &str) -> Result<Report, TokenError> {
    let token: Token = token.parse()?;
    let limits = token.settings.limits();
    let hash = scenario_hash(runner, &limits);
    if hash != token.scenario {
        return Err(TokenError::OtherScenario { token: token.scenario, scenario: hash });
    }
    let end = runner.execute(&mut Replaying::new(&token.choices), &limits);
    eprintln!("{}", timeline(runner.trace(), &runner.names()));
    Ok(runner.report(end))
}

/// [`try_replay`], for a test: panics with what came of the execution, unless it completed.
///
/// # Panics
/// If the token is refused, with the reason, and if the execution fails, with its report.
#[track_caller]
pub fn replay(token: &str, scenario: impl Fn()) {
    expect_replayed(try_replay(token, scenario));
}

/// Panics with what came of an execution that was replayed, unless it completed.
#[track_caller]
pub(crate) fn expect_replayed(replayed: Result<Report, TokenError>) {
    match replayed {
        Ok(report) => drop(report.expect_completed()),
        Err(refused) => panic!("{refused}"),
    }
}
