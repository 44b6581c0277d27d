//! Host threads under watch: the port of host threads, and besides it a count of the threads that are not blocked.
//!
//! A thread is *quiet* when it is in `block` and what it waits for does not hold. It looks in the state `Looking`; whoever
//! wakes it makes it active first, so a thread that has been woken counts as active before it runs, and a thread that
//! looks goes quiet only if nobody woke it meanwhile:
//!
//! | state     | meaning                              | left by                                                 |
//! |-----------|--------------------------------------|---------------------------------------------------------|
//! | `Active`  | runs                                 | the thread itself, in `block`                           |
//! | `Looking` | asks whether its condition holds     | the thread (`Quiet`, `Active`); a waker (`Active`)      |
//! | `Quiet`   | is blocked, or about to look again   | the thread (deadline, another look); a waker (`Active`) |
//!
//! The lock is held for moments, alone, and nothing is called under it but the condition variable of those who wait for
//! rest.

use crate::run::lock;
use oleander::platform::{self, Access, Announce, Deadline, Object, Port, Spawn, Thread, ThreadRef, Why};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Looking,
    Quiet,
}

#[derive(Default)]
struct Threads {
    /// Threads that are not quiet.
    active: usize,
    /// Those that are in `block`; whoever is not here is active.
    blocked: BTreeMap<u32, State>,
}

/// The port of one row's process.
pub struct Watched {
    host: Arc<dyn Port>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    threads: Mutex<Threads>,
    changed: Condvar,
}

impl Watched {
    /// A port whose threads are watched.
    pub fn new() -> Self {
        Self { host: platform::host(), shared: Arc::default() }
    }

    /// Waits until the caller is the only thread that is active; whether that came to be.
    pub fn settle(&self, patience: Duration) -> bool {
        let threads = lock(&self.shared.threads);
        let busy = |threads: &mut Threads| threads.active > 1;
        match self.shared.changed.wait_timeout_while(threads, patience, busy) {
            Ok((_, result)) => !result.timed_out(),
            Err(_) => false,
        }
    }
}

impl Shared {
    /// Changes a thread's state from one of some states; whether it was one of those.
    fn change(&self, thread: u32, from: &[State], to: State) -> bool {
        let mut threads = lock(&self.threads);
        let now = threads.blocked.get(&thread).copied().unwrap_or(State::Active);
        if !from.contains(&now) {
            return false;
        }
        match (now == State::Quiet, to == State::Quiet) {
            (true, false) => threads.active += 1,
            (false, true) => threads.active -= 1,
            _ => {}
        }
        match to {
            State::Active => _ = threads.blocked.remove(&thread),
            to => _ = threads.blocked.insert(thread, to),
        }
        self.changed.notify_all();
        true
    }

    fn count(&self, born: bool) {
        let mut threads = lock(&self.threads);
        if born {
            threads.active += 1;
        } else {
            threads.active -= 1;
        }
        self.changed.notify_all();
    }
}

const EVERY: &[State] = &[State::Active, State::Looking, State::Quiet];

impl Port for Watched {
    fn now(&self) -> u64 {
        self.host.now()
    }

    fn spawn(&self, spawn: Spawn, body: Box<dyn FnOnce() + Send>) -> ThreadRef {
        let shared = self.shared.clone();
        shared.count(true);
        let body = move || {
            // Registered first, so it runs last.
            platform::current().at_exit(Box::new(move || shared.count(false)));
            body();
        };
        self.host.spawn(spawn, Box::new(body))
    }

    fn block(&self, on: &[Object], ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool {
        let me = platform::current().id();
        let look = || {
            self.shared.change(me, EVERY, State::Looking);
            let holds = ready();
            if !holds {
                self.shared.change(me, &[State::Looking], State::Quiet);
            }
            holds
        };
        let held = self.host.block(on, &look, deadline, why);
        self.shared.change(me, EVERY, State::Active);
        held
    }

    fn wake(&self, thread: &Thread) {
        self.shared.change(thread.id(), &[State::Looking, State::Quiet], State::Active);
        self.host.wake(thread);
    }

    fn visit(&self, object: Object, access: Access, announce: Announce) {
        self.host.visit(object, access, announce);
    }

    fn choose(&self, n: usize) -> usize {
        self.host.choose(n)
    }

    fn parallelism(&self) -> usize {
        self.host.parallelism()
    }
}
