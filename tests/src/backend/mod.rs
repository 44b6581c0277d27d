//! What rows are played on: host threads, the simulator, Windows' own COM.
//!
//! A backend starts threads, knows when nothing goes on any more, and tells the time. Everything else is the surface
//! itself, `oleander::…`.

mod host;
mod sim;
mod system;
mod watched;
pub mod wine;

pub use system::{child, is_there};

use crate::case::{Kind as Role, Row};
use crate::expect::Expectations;
use crate::run::{Failure, HANG_MS, Played};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// What is below a row.
pub trait Backend: Send + Sync {
    /// Starts a thread of the row's process.
    fn start(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Box<dyn Joiner>;

    /// Waits until every other thread of the process is blocked.
    ///
    /// # Errors
    /// When they do not come to rest, in words.
    fn settle(&self) -> Result<(), String>;

    /// The step in this line begins.
    fn begins(&self, _line: usize) {}

    /// The same where much may have to happen before: an operation began that is to block, or a call goes on.
    ///
    /// # Errors
    /// As [`Backend::settle`].
    fn settle_long(&self) -> Result<(), String> {
        self.settle()
    }

    /// Something happened: a line of the log, an operation's end.
    fn heard(&self) {}

    /// Waits for something more to happen, where rest may have been an error; whether something did.
    fn hear_more(&self) -> bool {
        false
    }

    /// Whether a program can make an application STA.
    fn has_application_stas(&self) -> bool {
        true
    }

    /// From here on operations race, or do so no more.
    fn race(&self, _on: bool) {}

    /// The time.
    fn now_ns(&self) -> u64;

    /// Whether times are exact.
    fn has_virtual_time(&self) -> bool;

    /// How much less than it should a wait may take by a real clock, which may be read a moment before the timer is set.
    fn early_ms(&self) -> u64 {
        1
    }

    /// What takes longer is a hang.
    fn hang_ms(&self) -> u32 {
        HANG_MS
    }

    /// What is late by a clock may yet come where the machine is busy: waits until threads have had many turns.
    fn more_turns(&self) {}

    /// How many objects and handles the process still has.
    fn left_behind(&self) -> (usize, usize);
}

/// A thread that was started.
pub trait Joiner: Send + Sync {
    /// Waits for its end; whether it came in time.
    fn join(&self, ms: u32) -> bool;

    /// Whether it has ended.
    fn has_ended(&self) -> bool;
}

/// The backends by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Real threads, real time.
    Host,
    /// The simulator: the fixed schedule, or every order for a row that is explored.
    Sim,
    /// The system's own COM, where this build has it ([`is_there`]).
    System,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Sim => "sim",
            Self::System => "system",
        }
    }

    /// Where it gives something else than rows say.
    ///
    /// # Errors
    /// What is wrong with its list, which rows it names among other things.
    pub fn expectations(self, rows: &[Arc<Row>]) -> Result<Expectations, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the package lies in the workspace")?;
        let name = match self {
            Self::System if wine::version().is_some() => "wine",
            // Nothing is known yet of where Windows differs.
            Self::System => return Ok(Expectations { diverges: Vec::new() }),
            _ => self.name(),
        };
        let list = Expectations::read(root, name)?;
        let strays = list.strays(rows.iter().map(|row| &**row), None);
        if strays.is_empty() { Ok(list) } else { Err(format!("tests/expect/{name}.toml: {}", strays.join("; "))) }
    }

    /// Plays a row in a process of its own.
    ///
    /// # Errors
    /// Why it does not pass.
    pub fn play(self, row: &Arc<Row>) -> Result<(), Failure> {
        each_way(
            row,
            match self {
                Self::Host => host::play,
                Self::Sim => sim::play,
                Self::System => system::play,
            },
        )
    }

    /// Plays a row and compares what came with what is expected. On the system's COM, where it is a guess when nothing goes
    /// on any more, what is not expected is tried once more with longer rests, and only then believed.
    ///
    /// # Errors
    /// What is wrong.
    pub fn judge(self, row: &Arc<Row>, expected: &Expectations) -> Result<(), Failure> {
        let came = expected.judge(row, self.play(row));
        match (&came, self) {
            (Err(first), Self::System) => {
                eprintln!("{}: once more, with longer rests; the first time: {}", row.id, first.what);
                expected.judge(row, each_way(row, system::play_patiently))
            }
            _ => came,
        }
    }
}

/// Plays a row in each pair of apartments that it asks for, until it fails in one.
fn each_way(row: &Arc<Row>, play: fn(&Arc<Row>, usize) -> Result<(), Failure>) -> Result<(), Failure> {
    for way in 0..row.ways() {
        play(row, way).map_err(|mut failure| {
            if row.ways() > 1 {
                let (client, server) = (Role::Client.in_way(way), Role::Server.in_way(way));
                write!(failure.what, " (client: {client:?}, server: {server:?})").expect("a string takes it");
            }
            failure
        })?;
    }
    Ok(())
}

/// Plays a row in the simulator under every schedule that matters, at most so many for each pair of apartments: how many
/// those were, and whether they were all.
///
/// # Errors
/// Why it does not pass under one of them.
pub fn search(row: &Arc<Row>, executions_max: u64) -> Result<(u64, bool), Failure> {
    let mut sum = (0, true);
    for way in 0..row.ways() {
        let checked = sim::search(row, way, executions_max)?;
        sum = (sum.0 + checked.executions, sum.1 && checked.complete);
    }
    Ok(sum)
}

/// The result of one run.
fn verdict(played: Played) -> Result<Played, Failure> {
    match played.failure {
        Some(failure) => Err(failure),
        None => Ok(played),
    }
}
