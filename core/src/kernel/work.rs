//! `QueueUserWorkItem`: one pool of threads for each process (MSG-18).
//!
//! A work item starts a worker unless one is idle or there are as many as there may be. On host threads an idle worker
//! ends after a while. In a simulated world it stays: it keeps no world alive, and its end would be one more timeout to
//! explore. `inner` guards the counts and the queue together; it is never held while a work item runs or a thread is
//! started or woken.
//!
//! `idle` counts workers that wait for a ticket minus the tickets that were given and not yet taken: an item may rely
//! on an idle worker only if no item before it does.

use super::semaphore::{SEMAPHORE_COUNT_MAX, Semaphore};
use super::wait;
use crate::object::guard;
use crate::platform::{self, Access, Deadline, Object, Spawn, Why};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// How many workers there may be.
const WORKERS_MAX: usize = 512;
/// How long a worker of the host stays idle; next to nothing for unit tests, which wait for its end.
const IDLE_MS_MAX: u32 = if cfg!(test) { 20 } else { 5_000 };

type Work = Box<dyn FnOnce() + Send>;

/// The pool of a process.
pub(crate) struct WorkPool {
    object: Object,
    /// One ticket for each item that an idle worker is to take. Made with the first worker.
    tickets: OnceLock<Arc<Semaphore>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    items: VecDeque<Work>,
    workers: usize,
    idle: usize,
}

impl WorkPool {
    pub(crate) fn new(object: Object) -> Self {
        Self { object, tickets: OnceLock::new(), inner: Mutex::new(Inner::default()) }
    }
}

enum Start {
    Idle,
    New(usize),
    Later,
}

/// Has `work` run on a thread of the current process's pool, which has not initialised COM.
pub fn queue_work_item(work: impl FnOnce() + Send + 'static) {
    queue_work_item_in(platform::current().process(), work);
}

/// The same for a process that the calling thread need not be in.
pub(crate) fn queue_work_item_in(process: &Arc<Process>, work: impl FnOnce() + Send + 'static) {
    let pool = &process.work;
    let tickets = pool
        .tickets
        .get_or_init(|| Arc::new(Semaphore::new(process, 0, SEMAPHORE_COUNT_MAX).expect("0 is at most the maximum")));
    // Not a post: whether it starts a worker depends on what the workers have done.
    platform::visit(pool.object, Access::Write);
    let start = {
        let mut inner = pool.inner.lock();
        inner.items.push_back(Box::new(work));
        if inner.idle > 0 {
            inner.idle -= 1;
            Start::Idle
        } else if inner.workers < WORKERS_MAX {
            inner.workers += 1;
            Start::New(inner.workers)
        } else {
            Start::Later
        }
    };
    match start {
        Start::Idle => drop(tickets.release(1)),
        Start::New(number) => start_worker(process, number),
        Start::Later => {}
    }
}

fn start_worker(process: &Arc<Process>, number: usize) {
    let spawn = Spawn { name: format!("work item {number}"), process: process.clone(), daemon: true };
    process.port().spawn(spawn, Box::new(run_worker));
}

fn run_worker() {
    let thread = platform::current();
    let process = thread.process();
    let pool = &process.work;
    loop {
        platform::visit(pool.object, Access::Write);
        let work = {
            let mut inner = pool.inner.lock();
            let work = inner.items.pop_front();
            if work.is_none() {
                inner.idle += 1;
            }
            work
        };
        match work {
            Some(work) => guard::call(work),
            None if wait_for_ticket(pool) => {}
            None => return,
        }
    }
}

/// Waits until an item relies on this worker; `false` when the worker is to end.
fn wait_for_ticket(pool: &WorkPool) -> bool {
    let tickets = pool.tickets.get().expect("made before the first worker");
    if platform::is_simulated() {
        // It ends when the world does, and is no more counted then.
        return wait::wait(&[&**tickets], false, Deadline::NEVER, Why::Idle).is_some();
    }
    if wait::wait(&[&**tickets], false, Deadline::after_ms(IDLE_MS_MAX), Why::Idle).is_some() {
        return true;
    }
    let mut inner = pool.inner.lock();
    if inner.idle == 0 {
        // An item relies on this worker already: its ticket is there, or about to be.
        drop(inner);
        return wait::wait(&[&**tickets], false, Deadline::NEVER, Why::Idle).is_some();
    }
    inner.idle -= 1;
    inner.workers -= 1;
    false
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::Event;
    use super::*;

    #[test]
    fn msg_18_a_worker_that_stays_idle_ends_and_the_next_item_has_another() {
        let process = Process::new(platform::host());
        for _ in 0..2 {
            let ran = Event::manual();
            let runs = ran.clone();
            queue_work_item_in(&process, move || runs.set());
            assert!(ran.wait(Deadline::NEVER, Why::Wait));
            while process.work.inner.lock().workers > 0 {
                std::thread::yield_now();
            }
            assert_eq!(process.work.inner.lock().idle, 0);
        }
    }

    #[test]
    fn msg_18_an_item_that_no_idle_worker_takes_has_one_of_its_own() {
        let process = Process::new(platform::host());
        let (first, second) = (Event::manual(), Event::manual());
        let (go, done) = (first.clone(), second.clone());
        // Neither could go on with the other behind it.
        queue_work_item_in(&process, move || {
            assert!(go.wait(Deadline::NEVER, Why::Wait));
            done.set();
        });
        queue_work_item_in(&process, move || first.set());
        assert!(second.wait(Deadline::NEVER, Why::Wait));
    }
}
