//! What a platform offers, and the words in which it is told what happens.

use super::{Deadline, Fact, Grave, Thread, ThreadRef};
use crate::process::Process;
use std::ffi::c_void;
use std::sync::Arc;

/// What kind of thing an operation touches. The simulator's notion of independence and the words of its reports rest
/// on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A manual-reset event: waiting for it takes nothing.
    Event,
    /// An automatic-reset event: a wait takes its signal.
    AutoEvent,
    /// A semaphore.
    Semaphore,
    /// A mutex.
    Mutex,
    /// The message queue of a thread.
    Queue,
    /// A thread: its end.
    Thread,
    /// A call in flight.
    Call,
    /// The queue of the MTA's pool.
    Pool,
    /// A table of the process: classes, stubs, proxies, interfaces.
    Table,
    /// The asynchronous procedure calls that are queued to a thread.
    Apcs,
    /// A message on its way through a queue: put in once, taken out once.
    Message,
    /// Something that user code names.
    User,
}

/// A shared object as the port sees it: a number that is unique in its process, and its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    /// Counted up from 1 in each process.
    pub id: u64,
    /// What it is.
    pub kind: ObjectKind,
}

/// How an operation touches an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Looks only.
    Read,
    /// Changes.
    Write,
    /// Sets an event: two of them commute.
    Signal,
    /// Puts a message into a queue.
    Post,
    /// Takes a message from a queue.
    Receive,
}

/// How an operation is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announce {
    /// It comes next and is a step of its own.
    Step,
    /// It is part of the current step, beside what that announced.
    Within,
}

/// Why a thread blocks, for the words of a deadlock report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// A plain wait that dispatches nothing.
    Wait,
    /// A wait of an STA that dispatches incoming calls.
    PumpingWait,
    /// A caller waits for the reply to a synchronous call.
    Reply,
    /// A message loop waits for a message.
    MessageLoop,
    /// A pool worker has nothing to do: no reason to keep a world alive, and no deadlock.
    Idle,
    /// An apartment ends and waits for the methods that still run in it.
    Teardown,
    /// A sleep.
    Sleep,
}

/// What a new thread is.
pub struct Spawn {
    /// Its name, for reports.
    pub name: String,
    /// The emulated process it belongs to.
    pub process: Arc<Process>,
    /// A daemon does not keep a simulated world alive.
    pub daemon: bool,
}

/// The platform under the kernel objects.
pub trait Port: Send + Sync {
    /// The clock, in nanoseconds since the port's beginning.
    fn now(&self) -> u64;

    /// Starts a thread. The body's panic is caught and kept as the thread's end.
    fn spawn(&self, spawn: Spawn, body: Box<dyn FnOnce() + Send>) -> ThreadRef;

    /// Blocks the current thread until `ready` holds or the deadline passes; says whether `ready` holds.
    ///
    /// In a simulated world this is one step: the thread is enabled when `ready` holds or its deadline fires. `ready`
    /// looks and nothing else: it neither announces nor blocks, and it may be called on behalf of this thread at any
    /// time until this returns. `on` holds everything that `ready` looks at.
    ///
    /// A simulated world says `false` before the deadline in two cases, and then the caller gives up and does not
    /// block again: the world is over and the wait was [`Why::Idle`] (the worker returns from its body), and the
    /// thread is unwinding a panic, when it must not be switched.
    fn block(&self, on: &[Object], ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool;

    /// Makes a blocked thread look at `ready` again. A wake-up of a thread that is not blocked is remembered once.
    fn wake(&self, thread: &Thread);

    /// Announces an operation on a shared object. Called in simulated worlds only.
    fn visit(&self, object: Object, access: Access, announce: Announce);

    /// Chooses one of `n` ways to go on; 0 on host threads.
    fn choose(&self, n: usize) -> usize;

    /// Hears a fact, for reports. Called in simulated worlds only, also while objects are dropped at the world's end.
    fn tell(&self, _fact: Fact) {}

    /// Whether it keeps the memory of objects that have gone: only then is a [`Grave`] made. Called in simulated worlds only.
    fn buries(&self) -> bool {
        false
    }

    /// Takes the memory of an object that has gone, to keep it until nobody can have a pointer to it. Called where
    /// [`buries`](Self::buries) has just said so.
    fn bury(&self, grave: Grave) {
        drop(grave);
    }

    /// The current thread has called a method through an interface pointer into a [`Grave`]. Does not return where the
    /// thread can be stopped. Called in simulated worlds only.
    fn used_after_end(&self, _this: *mut c_void, _method: usize) {}

    /// Whether it is a simulated world, all of whose threads are its own.
    fn is_world(&self) -> bool {
        false
    }

    /// A thread that is not simulated uses an object of this world: its own, between executions, or one that has no business
    /// there. Called on any thread, also while objects are dropped.
    fn used_outside(&self) {}

    /// How many threads can run at once: the bound for running workers of the MTA's pool.
    fn parallelism(&self) -> usize;
}
