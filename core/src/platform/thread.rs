//! A thread as the runtime sees it: its number, its process, its COM state, how to wake it, what to do when it ends.
//!
//! A pointer to the current thread's record lies in a thread-local of the operating system's thread. Host threads get
//! their record when they first need it (a thread that we did not start is adopted) and lose it when they end; the
//! simulator sets the pointer at each switch of fibers ([`enter`]). The thread-local is const-initialised and has no
//! destructor, so it can be read at any time, even while other thread-locals are being destroyed.
//!
//! Fields: `com` and `exits` belong to the thread itself and to nobody else; the rest never changes.

use super::host;
use super::port::Port;
use super::sync::slot;
use crate::apartment::ThreadState;
use crate::kernel::ThreadObject;
use crate::process::Process;
use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

/// A counted reference to a thread's record.
pub type ThreadRef = Arc<Thread>;

/// A thread of an emulated process.
pub struct Thread {
    id: u32,
    name: String,
    port: Arc<dyn Port>,
    simulated: bool,
    adopted: bool,
    process: Arc<Process>,
    object: Arc<ThreadObject>,
    pub(super) parker: host::Parker,
    com: ThreadState,
    exits: RefCell<Vec<Box<dyn FnOnce()>>>,
}

// SAFETY: `com` and `exits` are reached only through `Current`, which the thread itself alone can have (`current`), and
// through `run_exits` and `end`, which run on the thread itself. Everything else is immutable or made of atomics.
unsafe impl Sync for Thread {}
// SAFETY: as above; when the last reference is dropped elsewhere the exits have run and `com` is empty.
unsafe impl Send for Thread {}

impl Thread {
    /// A record for a new thread of a process. Its number is the process's next.
    pub fn new(name: String, port: Arc<dyn Port>, simulated: bool, process: Arc<Process>) -> ThreadRef {
        Arc::new(Self::record(name, port, simulated, process))
    }

    /// A record for a thread that the emulation did not start.
    pub(super) fn adopted(name: String, port: Arc<dyn Port>, process: Arc<Process>) -> ThreadRef {
        Arc::new(Self { adopted: true, ..Self::record(name, port, false, process) })
    }

    fn record(name: String, port: Arc<dyn Port>, simulated: bool, process: Arc<Process>) -> Self {
        let id = process.next_thread_id();
        Self {
            id,
            object: ThreadObject::new(&process, id),
            name,
            port,
            simulated,
            adopted: false,
            process,
            parker: host::Parker::new(),
            com: ThreadState::default(),
            exits: RefCell::new(Vec::new()),
        }
    }

    /// What `GetCurrentThreadId` says on that thread; never 0.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Its name, for reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The emulated process it belongs to.
    pub fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// The thread as a kernel object.
    pub fn object(&self) -> &Arc<ThreadObject> {
        &self.object
    }

    /// The platform it runs on.
    pub fn port(&self) -> &Arc<dyn Port> {
        &self.port
    }

    /// Whether it is a thread of a simulated world.
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// Makes it look again at what it waits for.
    pub fn wake(&self) {
        self.port.wake(self);
    }

    /// The thread's process has died, and the thread with it: tells those who wait for its end, as part of the current step.
    pub fn was_killed(&self) {
        self.object.was_killed();
    }

    /// Runs what was registered to run at the thread's end, on the thread itself, last registered first.
    pub(super) fn run_exits(&self) {
        loop {
            let next = self.exits.borrow_mut().pop();
            let Some(exit) = next else { break };
            exit();
        }
    }

    /// Runs what was registered and has not run; then tells those who wait for the thread's end, as part of its last step.
    pub fn end(&self) {
        self.run_exits();
        self.object.end();
    }
}

/// The current thread. Not `Send`: it gives access to what belongs to the thread alone.
#[derive(Clone)]
pub struct Current {
    thread: ThreadRef,
    _own: std::marker::PhantomData<*const ()>,
}

impl Current {
    /// A counted reference that others may hold, to wake this thread.
    pub fn to_ref(&self) -> ThreadRef {
        self.thread.clone()
    }

    /// The thread's COM state.
    pub(crate) fn com(&self) -> &ThreadState {
        &self.thread.com
    }

    /// Registers something to run on this thread when it ends.
    pub fn at_exit(&self, exit: Box<dyn FnOnce()>) {
        self.thread.exits.borrow_mut().push(exit);
    }
}

impl Deref for Current {
    type Target = Thread;
    fn deref(&self) -> &Thread {
        &self.thread
    }
}

/// The pointer to the current thread's record, which lives as long as code of the thread runs.
#[inline]
fn known_or_adopted() -> *const Thread {
    let raw = slot::get();
    if raw.is_null() { adopted() } else { raw }
}

#[cold]
fn adopted() -> *const Thread {
    host::adopt();
    slot::get()
}

/// The current thread; a host thread without a record is adopted into the default process.
pub fn current() -> Current {
    let raw = known_or_adopted();
    // SAFETY: whoever put the pointer there (`enter`) keeps the record alive until it is replaced; this adds a
    // reference of our own.
    let thread = unsafe {
        Arc::increment_strong_count(raw);
        Arc::from_raw(raw)
    };
    Current { thread, _own: std::marker::PhantomData }
}

/// Makes `thread` the current one on this thread of the operating system and returns the one before.
///
/// # Safety
/// `thread` is null, or points at a record made by [`Thread::new`] that stays alive until it is replaced here.
pub unsafe fn enter(thread: *const Thread) -> *const Thread {
    slot::replace(thread)
}

/// Whether the current thread is one of a simulated world. Adopts nobody.
#[inline]
pub(super) fn is_simulated() -> bool {
    let raw = slot::get();
    // SAFETY: as in `with_simulated`.
    !raw.is_null() && unsafe { (*raw).simulated }
}

/// Whether the emulation itself started the current thread. Adopts nobody.
#[inline]
pub(super) fn is_own() -> bool {
    let raw = slot::get();
    // SAFETY: as in `with_simulated`.
    !raw.is_null() && unsafe { !(*raw).adopted }
}

/// Calls `f` with the port if the current thread is one of a simulated world.
#[inline]
pub(crate) fn with_simulated(f: impl FnOnce(&dyn Port)) {
    let raw = slot::get();
    if raw.is_null() {
        return;
    }
    // SAFETY: as in `current`; the thread itself is running here, so its record lives.
    let thread = unsafe { &*raw };
    if thread.simulated {
        f(&*thread.port);
    }
}

/// [`with_current`] for a host thread that has a record; adopts nobody.
#[inline]
pub(crate) fn with_host<R>(f: impl FnOnce(&Current) -> R) -> Option<R> {
    let raw = slot::get();
    // SAFETY: as in `with_simulated`.
    if raw.is_null() || unsafe { (*raw).simulated } {
        return None;
    }
    // SAFETY: it is not null.
    Some(unsafe { with_record(raw, f) })
}

/// [`with_current`] for a thread that has a record; adopts nobody.
pub(crate) fn with_known<R>(f: impl FnOnce(&Current) -> R) -> Option<R> {
    if slot::get().is_null() { None } else { Some(with_current(f)) }
}

/// Calls `f` with the current thread, without counting a reference.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(&Current) -> R) -> R {
    // SAFETY: whoever is adopted has a record.
    unsafe { with_record(known_or_adopted(), f) }
}

/// [`with_current`] with the record.
///
/// # Safety
/// It is what [`slot::get`] gives, and not null.
#[inline]
unsafe fn with_record<R>(raw: *const Thread, f: impl FnOnce(&Current) -> R) -> R {
    // SAFETY: the record lives while code of its thread runs (`enter`), so it outlives this call; the reference that
    // is made up here is not given back.
    let thread = unsafe { Arc::from_raw(raw) };
    let current = std::mem::ManuallyDrop::new(Current { thread, _own: std::marker::PhantomData });
    f(&current)
}
