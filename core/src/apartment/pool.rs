//! The MTA's pool: workers that run calls, bounded by how many *run*, not by how many there are.
//!
//! A worker that blocks in a call or wait of ours gives up its place ([`Place`]), and another may start; there are at
//! most 512 (MSG-18). Beyond that, calls queue. Blocking in foreign primitives is not seen.
//!
//! State, all under one lock that is held for moments only, never while a task runs or anybody is woken:
//! `tasks` wait for a worker; `idle` are workers without a task, each waiting for its own `called` flag;
//! `running` counts the places taken, including those of workers that were called and have not come yet;
//! `busy` counts the workers inside a task, blocked ones too. A worker that is called owns a place; it gives the place
//! back when it finds nothing to do. So: a task is queued only while as many workers as may run are running, or all
//! 512 are there.

use super::{Apartment, Stay};
use crate::kernel::Task;
use crate::platform::sync::{AtomicBool, Mutex, Ordering};
use crate::platform::{self, Access, Deadline, Object, ObjectKind, Spawn, ThreadRef, Why};
use crate::process::Process;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// As many workers as Windows' own pool has by default.
const WORKERS_MAX: usize = 512;

/// The pool of one MTA.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    object: Object,
    process: Weak<Process>,
    apartment: Weak<Apartment>,
    running_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Arc<dyn Task>>,
    idle: Vec<Arc<Idle>>,
    running: usize,
    busy: usize,
    workers: usize,
    closed: bool,
    closer: Option<ThreadRef>,
}

struct Idle {
    thread: ThreadRef,
    called: AtomicBool,
}

/// What to do once the lock is free.
enum Next {
    Nothing,
    Call(Arc<Idle>),
    Start,
}

impl Pool {
    pub(crate) fn new(process: &Arc<Process>, apartment: &Weak<Apartment>) -> Self {
        Self {
            shared: Arc::new(Shared {
                object: process.new_object(ObjectKind::Pool),
                process: Arc::downgrade(process),
                apartment: apartment.clone(),
                running_max: process.port().parallelism().max(2),
                state: Mutex::new(State::default()),
            }),
        }
    }

    /// Queues a task; gives it back when the pool is closed.
    pub(crate) fn post(&self, task: Arc<dyn Task>) -> Result<(), Arc<dyn Task>> {
        platform::visit(self.shared.object, Access::Post);
        let next = {
            let mut state = self.shared.state.lock();
            if state.closed {
                return Err(task);
            }
            state.tasks.push_back(task);
            state.next(self.shared.running_max)
        };
        self.shared.carry_out(next);
        Ok(())
    }

    /// Closes the pool: gives back what no worker has taken. Running tasks go on; see [`Self::drain`].
    pub(crate) fn close(&self) -> VecDeque<Arc<dyn Task>> {
        platform::visit(self.shared.object, Access::Write);
        let (tasks, idle) = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            let idle = std::mem::take(&mut state.idle);
            state.running += idle.len();
            (std::mem::take(&mut state.tasks), idle)
        };
        for worker in idle {
            worker.call();
        }
        tasks
    }

    /// What is to be said when nothing goes on: all threads are there and blocked, and tasks wait for one.
    pub(crate) fn exhausted(&self) -> Option<String> {
        let state = self.shared.state.lock();
        let full = state.workers >= WORKERS_MAX && !state.tasks.is_empty();
        full.then(|| {
            let waiting = state.tasks.len();
            format!("the MTA's pool has all {WORKERS_MAX} threads that it may have, and {waiting} calls wait for one")
        })
    }

    /// Waits until no task runs but those that the calling thread itself is inside of.
    pub(crate) fn drain(&self) {
        let me = platform::current();
        let own = usize::from(me.com().place.borrow().as_ref().is_some_and(|p| Arc::ptr_eq(&p.0, &self.shared)));
        self.shared.state.lock().closer = Some(me.to_ref());
        let ready = || self.shared.state.lock().busy <= own;
        platform::block(&[self.shared.object], &ready, Deadline::NEVER, Why::Teardown);
        self.shared.state.lock().closer = None;
    }
}

impl State {
    /// Finds a worker for a queued task. Whoever is found has a place from now on.
    fn next(&mut self, running_max: usize) -> Next {
        if self.running >= running_max || self.tasks.is_empty() {
            return Next::Nothing;
        }
        if let Some(idle) = self.idle.pop() {
            self.running += 1;
            return Next::Call(idle);
        }
        if self.workers < WORKERS_MAX {
            self.running += 1;
            self.workers += 1;
            return Next::Start;
        }
        Next::Nothing
    }
}

impl Idle {
    fn call(&self) {
        self.called.store(true, Ordering::Release);
        self.thread.wake();
    }
}

impl Shared {
    fn carry_out(self: &Arc<Self>, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Call(idle) => idle.call(),
            Next::Start => {
                let Some(process) = self.process.upgrade() else { return };
                let shared = self.clone();
                let spawn = Spawn { name: "MTA worker".to_owned(), process: process.clone(), daemon: true };
                process.port().spawn(spawn, Box::new(move || shared.work()));
            }
        }
    }

    /// The life of a worker: it enters with a place.
    fn work(self: Arc<Self>) {
        let me = platform::current();
        // In the neutral apartment it is a guest, like every thread.
        let place = self.apartment.upgrade().map(|apartment| Stay::settle(&apartment));
        me.com().init_count.set(1);
        me.com().place.replace(Some(Arc::new(Place(self.clone()))));
        while self.work_once(&me.to_ref()) {}
        me.com().place.replace(None);
        me.com().init_count.set(0);
        drop(place);
    }

    /// Runs one task, or waits to be called; says whether the worker goes on.
    fn work_once(self: &Arc<Self>, me: &ThreadRef) -> bool {
        platform::note(self.object, Access::Receive);
        let idle = {
            let mut state = self.state.lock();
            if let Some(task) = state.tasks.pop_front() {
                state.busy += 1;
                drop(state);
                task.run();
                self.done();
                return true;
            }
            state.running -= 1;
            // More idle workers than may ever run at once are of no use until the next burst.
            if state.closed || state.idle.len() >= 2 * self.running_max {
                state.workers -= 1;
                return false;
            }
            let idle = Arc::new(Idle { thread: me.clone(), called: AtomicBool::new(false) });
            state.idle.push(idle.clone());
            idle
        };
        let ready = || idle.called.load(Ordering::Acquire);
        if platform::block(&[self.object], &ready, Deadline::NEVER, Why::Idle) {
            return true;
        }
        // The simulated world ends: nobody will call any more.
        let mut state = self.state.lock();
        state.workers -= 1;
        state.idle.retain(|other| !Arc::ptr_eq(other, &idle));
        false
    }

    /// A task has ended.
    fn done(&self) {
        platform::note(self.object, Access::Write);
        let closer = {
            let mut state = self.state.lock();
            state.busy -= 1;
            state.closer.clone()
        };
        if let Some(closer) = closer {
            closer.wake();
        }
    }
}

/// A worker's place among those that run.
pub(crate) struct Place(Arc<Shared>);

impl Place {
    /// Gives the place up until the guard is dropped.
    pub(super) fn leave(self: Arc<Self>) -> Left {
        platform::note(self.0.object, Access::Write);
        let next = {
            let mut state = self.0.state.lock();
            state.running -= 1;
            state.next(self.0.running_max)
        };
        self.0.carry_out(next);
        Left(self)
    }
}

/// A place given up; dropping it takes one again.
pub(super) struct Left(Arc<Place>);

impl Drop for Left {
    fn drop(&mut self) {
        platform::note(self.0.0.object, Access::Write);
        self.0.0.state.lock().running += 1;
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
