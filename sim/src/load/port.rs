//! The port under a load: the third one, beside host threads and the explored world.
//!
//! One schedule only: a thread runs on until it must wait. So announced operations cost nothing but the call, and a wait
//! whose condition holds does not even switch. Whoever must wait is looked at again when somebody wakes it, or when its
//! deadline has come: a step costs the same however many threads there are.
//!
//! To the runtime it is a port like that of host threads, not a simulated one: nobody asks for every step, who waits is
//! registered with what it waits for, and call objects are used again.
//!
//! Everything runs on one thread of the operating system, which [`LoadPort::here`] checks. `state` is borrowed for moments
//! only, never while a fiber, a condition or a waker runs; so no borrow can fail, and nothing can block.

use crate::choice::Random;
use crate::fiber::{Link, Pause};
use crate::report::panic_words;
use oleander::platform::{Access, Announce, Deadline, Object, Port, Spawn, Thread, ThreadRef, Why};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Arc, Weak};
use std::task::Waker;

/// No thread: the hub runs.
pub(super) const HUB: usize = usize::MAX;

/// After so many waits that did not block, a thread lets others run.
const RUN_MAX: u32 = 10_000;

/// After so many in a row the load is over: time stands still while anybody runs.
const SPIN_MAX: u32 = 1_000_000;

thread_local! {
    /// The load of this thread of the operating system; its address names the thread.
    static HERE: Cell<*const LoadPort> = const { Cell::new(std::ptr::null()) };
}

/// Calls `f` with the load that runs here.
pub(super) fn with_here<R>(f: impl FnOnce(&LoadPort) -> R) -> R {
    let port = HERE.get();
    assert!(!port.is_null(), "no load runs on this thread");
    // SAFETY: `Entered` keeps it alive while the pointer is there.
    f(unsafe { &*port })
}

/// Whether a load runs on this thread of the operating system.
pub(crate) fn inside() -> bool {
    !HERE.get().is_null()
}

/// While it lives, this is the load of this thread of the operating system. Afterwards the load is empty.
pub(super) struct Entered(Arc<LoadPort>);

impl Entered {
    pub(super) fn new(port: Arc<LoadPort>) -> Self {
        HERE.set(Arc::as_ptr(&port));
        Self(port)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.mode.set(Mode::Over);
        HERE.set(std::ptr::null());
        drop(self.0.state.take());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The thread `running` runs, or the hub between two.
    Running,
    /// The hub looks at a condition, or wakes a future: nobody can wait.
    Deciding,
    /// Idle daemons go home.
    Closing,
    /// Whoever still holds something of the load is refused.
    Over,
}

/// What a thread does next.
pub(super) enum Pending {
    /// It has not yet come to its first wait.
    First,
    /// A wait: the `wait`th of the load.
    Wait { ready: *const dyn Fn() -> bool, deadline: Deadline, why: Why, wait: u64 },
    /// It lets others run.
    Turn,
}

/// A thread that has not ended.
pub(super) struct Slot {
    pub(super) thread: ThreadRef,
    pub(super) daemon: bool,
    pub(super) pending: Pending,
    /// It stands in `runnable`.
    pub(super) queued: bool,
    pub(super) link: *const Link,
}

/// What happens at a time.
pub(super) enum What {
    /// A thread's deadline, if it is still in that wait.
    Thread { number: usize, wait: u64 },
    /// A future is to look.
    Wake(Waker),
}

pub(super) struct Due {
    pub(super) at_ns: u64,
    order: u64,
    pub(super) what: What,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ns, self.order).cmp(&(other.at_ns, other.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Due {}

/// What the hub and the threads share.
#[derive(Default)]
pub(super) struct State {
    /// The threads, by number; numbers of ended ones are given again.
    pub(super) slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    /// The number of each thread that there ever was, by its id.
    numbers: Vec<u32>,
    /// Those that may be able to run.
    pub(super) runnable: VecDeque<usize>,
    pub(super) due: BinaryHeap<Reverse<Due>>,
    /// Threads that have not run yet.
    pub(super) newborn: VecDeque<(usize, Box<dyn FnOnce()>)>,
    orders: u64,
    pub(super) threads_max: usize,
}

impl State {
    fn at(&mut self, at_ns: u64, what: What) {
        self.orders += 1;
        self.due.push(Reverse(Due { at_ns, order: self.orders, what }));
    }

    /// Has the hub look at a thread, once.
    pub(super) fn look_at(&mut self, number: usize) {
        if let Some(slot) = self.slots[number].as_mut()
            && !std::mem::replace(&mut slot.queued, true)
        {
            self.runnable.push_back(number);
        }
    }

    /// A thread has ended.
    pub(super) fn remove(&mut self, number: usize) -> Option<Slot> {
        self.free.push(number);
        self.slots[number].take()
    }
}

/// A load under way.
pub(super) struct LoadPort {
    owner: usize,
    this: Weak<LoadPort>,
    pub(super) now_ns: Cell<u64>,
    pub(super) mode: Cell<Mode>,
    /// The thread that runs.
    pub(super) running: Cell<usize>,
    /// Whether the condition of the wait held that the hub has let go on.
    pub(super) held: Cell<bool>,
    /// Waits in a row that did not block.
    futile: Cell<u32>,
    /// Threads that keep the load alive and have not ended.
    pub(super) alive: Cell<usize>,
    /// The name of a thread that panicked, and what it said.
    pub(super) panic: RefCell<Option<(String, String)>>,
    pub(super) spins: Cell<bool>,
    /// How often a thread was let go on.
    pub(super) switches: Cell<u64>,
    pool_threads: usize,
    pub(super) random: RefCell<Random>,
    pub(super) state: RefCell<State>,
}

// SAFETY: every method checks that it runs on the owning thread of the operating system before it touches a field, and
// `Entered` empties the load of all that belongs to that thread before it ends; what is left are numbers and strings.
unsafe impl Send for LoadPort {}
// SAFETY: as above.
unsafe impl Sync for LoadPort {}

impl LoadPort {
    pub(super) fn new(seed: u64, pool_threads: usize) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            owner: place(),
            this: this.clone(),
            now_ns: Cell::new(0),
            mode: Cell::new(Mode::Running),
            running: Cell::new(HUB),
            held: Cell::new(false),
            futile: Cell::new(0),
            alive: Cell::new(0),
            panic: RefCell::new(None),
            spins: Cell::new(false),
            switches: Cell::new(0),
            pool_threads,
            random: RefCell::new(Random::new(seed)),
            state: RefCell::default(),
        })
    }

    /// Adds a thread, which runs when the hub comes to it.
    pub(super) fn add(&self, spawn: Spawn, body: Box<dyn FnOnce()>) -> ThreadRef {
        let port = self.this.upgrade().expect("a load in use is alive");
        let daemon = spawn.daemon;
        self.alive.update(|alive| alive + usize::from(!daemon));
        let thread = Thread::new(spawn.name, port, false, spawn.process);
        let slot =
            Slot { thread: thread.clone(), daemon, pending: Pending::First, queued: false, link: std::ptr::null() };
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let number = state.free.pop().unwrap_or(state.slots.len());
        if number == state.slots.len() {
            state.slots.push(None);
        }
        state.slots[number] = Some(slot);
        let index = index(&thread);
        if state.numbers.len() <= index {
            state.numbers.resize(index + 1, u32::MAX);
        }
        state.numbers[index] = u32::try_from(number).expect("far fewer threads than that fit into memory");
        state.threads_max = state.threads_max.max(state.slots.len() - state.free.len());
        state.newborn.push_back((number, body));
        thread
    }

    /// Has a future look again at a time.
    pub(super) fn wake_at(&self, at_ns: u64, waker: &Waker) {
        self.here();
        self.state.borrow_mut().at(at_ns, What::Wake(waker.clone()));
    }

    /// The current thread's panic was caught at its root.
    pub(super) fn thread_panicked(&self, thread: &Thread, payload: &(dyn Any + Send)) {
        let message = panic_words(payload);
        self.panic.borrow_mut().get_or_insert_with(|| (thread.name().to_owned(), message));
    }

    fn here(&self) {
        assert!(
            self.owner == place() && self.mode.get() != Mode::Over,
            "something of a load is used outside it: on another thread, or after its end"
        );
    }

    /// Goes to the hub.
    fn pause(&self, pending: Pending) {
        let link = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let number = self.running.get();
            let slot = state.slots[number].as_mut().expect("a thread that runs has not ended");
            let link = slot.link;
            if let Pending::Wait { deadline, wait, .. } = &pending
                && let Some(at_ns) = deadline.ns()
            {
                state.at(at_ns, What::Thread { number, wait: *wait });
            }
            if matches!(pending, Pending::Turn) {
                state.look_at(number);
            }
            state.slots[number].as_mut().expect("as above").pending = pending;
            link
        };
        // SAFETY: the running fiber put the link there; it lives on that fiber's stack, which is the current one.
        unsafe { &*link }.suspend(Pause::Announced);
    }

    /// A wait that need not block, or cannot.
    fn at_once(&self, held: bool) -> bool {
        let futile = self.futile.get() + 1;
        self.futile.set(futile);
        if futile >= SPIN_MAX {
            self.spins.set(true);
        }
        if futile.is_multiple_of(RUN_MAX) {
            self.let_others_run();
        }
        held
    }

    fn let_others_run(&self) {
        if self.can_stop() {
            self.pause(Pending::Turn);
        }
    }

    fn can_stop(&self) -> bool {
        self.mode.get() == Mode::Running && self.running.get() != HUB && !std::thread::panicking()
    }
}

/// Names the current thread of the operating system.
fn place() -> usize {
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

/// Ids of threads are multiples of four.
fn index(thread: &Thread) -> usize {
    thread.id() as usize / 4
}

impl Port for LoadPort {
    fn now(&self) -> u64 {
        self.here();
        self.now_ns.get()
    }

    fn spawn(&self, spawn: Spawn, body: Box<dyn FnOnce() + Send>) -> ThreadRef {
        self.here();
        self.add(spawn, body)
    }

    fn block(&self, _on: &[Object], ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool {
        self.here();
        if ready() {
            return self.at_once(true);
        }
        if !self.can_stop() || deadline.ns().is_some_and(|at_ns| at_ns <= self.now_ns.get()) {
            if why == Why::Sleep {
                self.let_others_run();
            }
            return self.at_once(false);
        }
        self.futile.set(0);
        // SAFETY: only the lifetime changes. The hub calls it while this function waits, and never after it.
        let ready = unsafe { std::mem::transmute::<&dyn Fn() -> bool, *const (dyn Fn() -> bool + 'static)>(ready) };
        let wait = {
            let mut state = self.state.borrow_mut();
            state.orders += 1;
            state.orders
        };
        self.pause(Pending::Wait { ready, deadline, why, wait });
        self.held.get()
    }

    fn wake(&self, thread: &Thread) {
        self.here();
        let mut state = self.state.borrow_mut();
        let number = state.numbers.get(index(thread)).copied().unwrap_or(u32::MAX) as usize;
        let waits = |slot: &Slot| matches!(slot.pending, Pending::Wait { .. }) && std::ptr::eq(&*slot.thread, thread);
        if state.slots.get(number).and_then(Option::as_ref).is_some_and(waits) {
            state.look_at(number);
        }
    }

    fn visit(&self, _object: Object, _access: Access, _announce: Announce) {}

    fn choose(&self, n: usize) -> usize {
        if n <= 1 { 0 } else { self.random.borrow_mut().below(n) }
    }

    fn parallelism(&self) -> usize {
        self.pool_threads
    }
}
