//! The simulated world: a scenario's threads, clock and process, and what a scenario calls.
//!
//! A world lives on one thread of the operating system and ends before [`run`] returns. Tests on different threads
//! have a world each; worlds do not nest.
//!
//! What a step is: the scenario's threads run one at a time. A thread stops before each operation that it announces
//! and at each wait, nowhere else; from one stop to the next is one step. Starting a thread is no step: it runs to its
//! first stop together with the step that started it, right after it. Its last step is also its end, which is what
//! [`JoinHandle::join`] waits for.

mod hub;
mod machine;
mod port;
mod pulse;
mod state;
mod verdict;

pub(crate) use hub::Hub;
pub use machine::{Machine, Process, machine, process, this_process};
pub(crate) use state::inside as is_inside;
pub(crate) use state::{World, with_here};

use crate::check::Checks;
use crate::fault::Faults;
use crate::report::Report;
use crate::schedule::{Fixed, Schedule};
use oleander::platform::{self, Access, Deadline, Object, Spawn, ThreadRef, Why};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where an execution stops even if nothing is wrong with it, and what a panic means.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// More steps than this end the execution with [`End::StepLimit`](crate::End::StepLimit).
    pub steps_max: u64,
    /// Whether the panic of any thread ends the execution at once. Otherwise the thread's end is all that it means
    /// until the execution is over: then it is a failure if nobody has joined the thread. A panic of the scenario
    /// itself always ends the execution.
    pub panic_ends: bool,
    /// An exploration stops after an execution with which it has abandoned at least so many threads: each takes a
    /// stack and what was on it away for ever.
    pub abandoned_max: usize,
    /// An exploration stops after so many executions.
    pub executions_max: u64,
    /// Whether an exploration counts the classes of its executions. It remembers each, so its memory grows.
    pub count_traces: bool,
    /// When waits may give up.
    pub time: TimeMode,
    /// What is looked for in an execution.
    pub checks: Checks,
    /// What may go wrong in it.
    pub faults: Faults,
}

/// When waits may give up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeMode {
    /// Time stands still while any thread can run, and then moves to the earliest deadline: computing takes no time.
    #[default]
    Urgent,
    /// A wait may give up at any time, before threads that can run, as long as no other wait has an earlier deadline:
    /// computing may take any time.
    AnyTime,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps_max: 1_000_000,
            panic_ends: true,
            abandoned_max: 4096,
            executions_max: u64::MAX,
            count_traces: true,
            time: TimeMode::Urgent,
            checks: Checks::NONE,
            faults: Faults::NONE,
        }
    }
}

/// Runs a scenario once: a thread runs on as long as it can, then the next one that can, round-robin upward.
pub fn run(scenario: impl FnOnce()) -> Report {
    run_with(&mut Fixed, &Limits::default(), scenario)
}

/// Runs a scenario once, under a schedule of the caller's.
///
/// # Panics
/// Where a world is already running, and if the schedule has no execution left.
pub fn run_with(schedule: &mut dyn Schedule, limits: &Limits, scenario: impl FnOnce()) -> Report {
    assert!(schedule.new_execution(None), "the schedule has an execution");
    let mut hub = Hub::new(Duration::MAX);
    let end = hub.execute(schedule, limits, scenario);
    hub.report(end)
}

/// The virtual time in nanoseconds since the world's beginning.
pub fn now_ns() -> u64 {
    platform::now_ns()
}

/// Sleeps in virtual time.
pub fn sleep(time: Duration) {
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    platform::block(&[], &|| false, Deadline::at_ns(now_ns().saturating_add(ns)), Why::Sleep);
}

/// Starts a thread in the process of the current one. [`Process::spawn`] starts one elsewhere.
///
/// # Panics
/// Outside a simulated world.
pub fn spawn<T: Send + 'static>(name: &str, body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    assert!(state::inside(), "world::spawn is for threads of a simulated world");
    spawn_in(&oleander::process::Process::current(), name, body)
}

pub(crate) fn spawn_in<T: Send + 'static>(
    process: &Arc<oleander::process::Process>,
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let result = Arc::new(Mutex::new(None));
    let to = result.clone();
    let spawn = Spawn { name: name.to_owned(), process: process.clone(), daemon: false };
    let thread = process.port().spawn(
        spawn,
        Box::new(move || {
            let got = catch_unwind(AssertUnwindSafe(body));
            if let Err(payload) = &got {
                state::with_here(|world| world.thread_panicked(payload.as_ref()));
            }
            *to.lock().unwrap_or_else(PoisonError::into_inner) = Some(got);
        }),
    );
    JoinHandle { result, thread }
}

/// What a thread leaves: its value, or its panic.
type Left<T> = Arc<Mutex<Option<Result<T, Box<dyn Any + Send>>>>>;

/// A thread of a simulated world that can be joined.
pub struct JoinHandle<T> {
    result: Left<T>,
    thread: ThreadRef,
}

impl<T> JoinHandle<T> {
    /// Waits for the thread's end, which is one step, and gives what it returned, or its panic.
    ///
    /// # Errors
    /// The payload of the thread's panic, where [`Limits::panic_ends`] lets the execution go on; and for a thread whose
    /// process has died.
    ///
    /// # Panics
    /// Outside the thread's world.
    pub fn join(self) -> std::thread::Result<T> {
        let (end, number) = self.end();
        let ended = || state::with_here(|world| world.has_ended(number));
        if !platform::block(&[end], &ended, Deadline::NEVER, Why::Wait) {
            return Err(Box::new("joined while a panic unwinds: the thread has not ended"));
        }
        state::with_here(|world| world.forgive(number));
        self.result
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .unwrap_or_else(|| Err(Box::new("the thread's process has died")))
    }

    /// Whether the thread has ended; looking is one step.
    pub fn is_finished(&self) -> bool {
        let (end, number) = self.end();
        platform::visit(end, Access::Read);
        state::with_here(|world| world.has_ended(number))
    }

    /// The thread's record.
    pub fn thread(&self) -> &ThreadRef {
        &self.thread
    }

    /// The thread's end as an object, and its number in the world.
    fn end(&self) -> (Object, usize) {
        assert!(state::inside(), "a thread is joined by threads of its own world");
        state::with_here(|world: &World| world.find(&self.thread))
    }
}
