//! The simulator: a world for each run, virtual time; rows that are explored are played in every order.
//!
//! Time stands still while any thread can run, so a sleep of one nanosecond ends when every other thread is blocked.
//! The search branches between the first `&` and the end of the race, nowhere else: the rest of a row is in lockstep. In
//! the race it takes a thread that could run on off at most [`PREEMPTIONS_MAX`] times.

use super::host::Emulated;
use super::{Backend, Joiner, verdict};
use crate::case::{Row, What};
use crate::run::{Failure, Played, lock, play as play_row};
use oleander::platform::{self, Deadline, Why};
use oleander::{debug, kernel};
use oleander_sim::schedule::{Dfs, Fixed, Point, Schedule};
use oleander_sim::trace::Trace;
use oleander_sim::{Builder, Checked, Checks, Limits, Strategy, explore_with, run_with};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// An order of events that needs more is not looked for: two tell apart whatever two operations can.
const PREEMPTIONS_MAX: u32 = 2;

#[derive(Default)]
struct Sim {
    racing: Arc<AtomicBool>,
}

/// Plays a row in one way; in every order if it says so.
pub fn play(row: &Arc<Row>, way: usize) -> Result<(), Failure> {
    if row.explored {
        return explore(row, way);
    }
    let played = Arc::new(Mutex::new(None));
    let backend: Arc<dyn Backend> = Arc::new(Sim::default());
    let report = run_with(&mut Fixed, &Limits::default(), || {
        let came = play_row(row, way, &backend);
        *lock(&played) = Some(came);
    });
    let came = lock(&played).take();
    outcome(row, came, report.is_ok(), &report.to_string()).map(drop)
}

/// A row with more actors than this is searched with at most two preemptions.
const EXHAUSTIVE_ACTORS_MAX: usize = 3;

/// Plays a row in one way under every schedule that matters, at most `executions_max`; says whether those were all.
pub fn search(row: &Arc<Row>, way: usize, executions_max: u64) -> Result<Checked, Failure> {
    let actors = row.steps.iter().filter(|step| matches!(step.what, What::Actor(..))).count();
    let exhaustive = actors <= EXHAUSTIVE_ACTORS_MAX;
    let strategy = if exhaustive { Strategy::Exhaustive } else { Strategy::PreemptionBound(PREEMPTIONS_MAX as usize) };
    let first = Mutex::new(None::<Failure>);
    // Rows do on purpose what the checkers look for, and count what is left behind themselves.
    let builder = Builder::new().strategy(strategy).checks(Checks::NONE).workers(1).executions_max(executions_max);
    let checked = builder.run(|| {
        let backend: Arc<dyn Backend> = Arc::new(Sim::default());
        if let Some(failure) = play_row(row, way, &backend).failure {
            lock(&first).get_or_insert_with(|| failure.clone());
            panic!("line {}: {}", failure.line, failure.what);
        }
    });
    match (lock(&first).take(), &checked.failure) {
        (None, None) => Ok(checked),
        (failure, found) => {
            let line = failure.map_or(row.line, |failure| failure.line);
            let what =
                found.as_ref().map_or_else(String::new, |found| format!("{}\nreplay: {}", found.report, found.token));
            Err(Failure { line, what })
        }
    }
}

/// A failure of the row says more than that of the world which it left unfinished.
fn outcome(row: &Row, came: Option<Played>, ended_well: bool, report: &str) -> Result<Played, Failure> {
    let world = || Failure { line: row.line, what: format!("the simulated world {report}") };
    let came = verdict(came.ok_or_else(world)?)?;
    if ended_well { Ok(came) } else { Err(world()) }
}

fn explore(row: &Arc<Row>, way: usize) -> Result<(), Failure> {
    let sim = Sim::default();
    let mut schedule = WhileRacing { racing: sim.racing.clone(), search: Dfs::default(), preemptions: 0 };
    let backend: Arc<dyn Backend> = Arc::new(sim);
    let (reached, first) = (Mutex::new(BTreeSet::new()), Mutex::new(None::<Failure>));
    let limits = Limits { abandoned_max: 64, ..Limits::default() };
    let found = explore_with(&mut schedule, &limits, || {
        let came = play_row(row, way, &backend);
        lock(&reached).extend(came.reached);
        if let Some(failure) = came.failure {
            lock(&first).get_or_insert(failure);
        }
    });
    if let Some(failure) = lock(&first).take() {
        return Err(failure);
    }
    if found.failures > 0 || !found.complete {
        return Err(Failure { line: row.line, what: found.to_string() });
    }
    every_way(row, &lock(&reached)).map_err(|mut failure| {
        failure.what = format!("{}, in {} orders", failure.what, found.schedules);
        failure
    })
}

/// Every alternative must have come true in some order.
fn every_way(row: &Row, reached: &BTreeSet<(usize, usize)>) -> Result<(), Failure> {
    for step in &row.steps {
        let ways = match &step.what {
            What::Do(_, _, action) | What::Inside(_, action) => action.expected.ways.len(),
            What::Finish(_, expected) => expected.ways.len(),
            What::Log(ways) => ways.len(),
            _ => 0,
        };
        if let Some(way) = (0..ways).find(|way| !reached.contains(&(step.number, *way))) {
            let what = format!("alternative {} never came true", way + 1);
            return Err(Failure { line: step.line, what });
        }
    }
    Ok(())
}

impl Backend for Sim {
    fn start(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Box<dyn Joiner> {
        Box::new(Emulated(kernel::spawn(name, false, body)))
    }

    fn settle(&self) -> Result<(), String> {
        platform::block(&[], &|| false, Deadline::at_ns(platform::now_ns() + 1), Why::Sleep);
        Ok(())
    }

    fn race(&self, on: bool) {
        self.racing.store(on, Ordering::Relaxed);
    }

    fn now_ns(&self) -> u64 {
        platform::now_ns()
    }

    fn has_virtual_time(&self) -> bool {
        true
    }

    fn left_behind(&self) -> (usize, usize) {
        (debug::live_objects(), debug::open_handles())
    }
}

/// Depth-first search while operations race; the fixed schedule before and after.
struct WhileRacing {
    racing: Arc<AtomicBool>,
    search: Dfs,
    /// How many there were in this execution.
    preemptions: u32,
}

impl Schedule for WhileRacing {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        self.racing.store(false, Ordering::Relaxed);
        self.preemptions = 0;
        self.search.new_execution(previous)
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let could_run_on = point.enabled().first() == Some(&point.last());
        if !self.racing.load(Ordering::Relaxed) || (could_run_on && self.preemptions == PREEMPTIONS_MAX) {
            return 0;
        }
        let chosen = self.search.choose(point);
        self.preemptions += u32::from(could_run_on && chosen > 0);
        chosen
    }

    fn choose_n(&mut self, n: usize) -> usize {
        if self.racing.load(Ordering::Relaxed) { self.search.choose_n(n) } else { 0 }
    }
}
