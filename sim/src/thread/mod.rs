//! Threads for user code: in a simulated world the world's, elsewhere those of the standard library.
//!
//! One source serves both: the functions look at run time where they are called. In a world a thread is a fiber of the
//! process of whoever started it, a sleep takes virtual time, and [`park`] is one step. [`crate::thread_local!`] makes
//! values that each simulated thread has for itself; the standard library's belong to the thread of the operating system,
//! which all threads of a world share.

mod local;

pub use local::LocalKey;

use crate::world;
use oleander::platform::{self, Access, Deadline, Object, ObjectKind, ThreadRef, Why};
use oleander::process::Process;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread as machine;
use std::time::Duration;

/// Starts a thread, in a world in the process of the current one.
pub fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().spawn(body).expect("the operating system gives a thread")
}

/// How a thread is started.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// A thread without a name. A world's report calls it `thread`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it a name.
    #[must_use]
    pub fn name(self, name: String) -> Self {
        Self { name: Some(name) }
    }

    /// Starts it.
    ///
    /// # Errors
    /// The operating system's, outside a world.
    pub fn spawn<T: Send + 'static>(self, body: impl FnOnce() -> T + Send + 'static) -> std::io::Result<JoinHandle<T>> {
        if !platform::is_simulated() {
            let builder = self.name.into_iter().fold(std::thread::Builder::new(), std::thread::Builder::name);
            return builder.spawn(body).map(|thread| JoinHandle(Handle::Host(thread)));
        }
        let name = self.name.as_deref().unwrap_or("thread");
        let permit = Arc::new(Permit::new());
        let own = permit.clone();
        let handle = world::spawn(name, move || {
            OWN_PERMIT.with(|there| there.set(Some(own)));
            body()
        });
        Ok(JoinHandle(Handle::World(handle, permit)))
    }
}

enum Handle<T> {
    Host(std::thread::JoinHandle<T>),
    World(world::JoinHandle<T>, Arc<Permit>),
}

/// A thread that can be joined.
pub struct JoinHandle<T>(Handle<T>);

impl<T> JoinHandle<T> {
    /// Waits for the thread's end and gives what it returned.
    ///
    /// # Errors
    /// What the thread panicked with. In a world that ends the execution, unless [`crate::Limits::panic_ends`] is off.
    pub fn join(self) -> std::thread::Result<T> {
        match self.0 {
            Handle::Host(thread) => thread.join(),
            Handle::World(thread, _) => thread.join(),
        }
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            Handle::Host(thread) => thread.is_finished(),
            Handle::World(thread, _) => thread.is_finished(),
        }
    }

    /// The thread.
    pub fn thread(&self) -> Thread {
        match &self.0 {
            Handle::Host(thread) => Thread(Which::Host(thread.thread().clone())),
            Handle::World(thread, permit) => Thread(Which::World(thread.thread().clone(), permit.clone())),
        }
    }
}

#[derive(Clone)]
enum Which {
    Host(std::thread::Thread),
    World(ThreadRef, Arc<Permit>),
}

/// A thread, to ask who it is and to unpark it.
#[derive(Clone)]
pub struct Thread(Which);

impl Thread {
    /// Its name. In a world every thread has one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Which::Host(thread) => thread.name(),
            Which::World(thread, _) => Some(thread.name()),
        }
    }

    /// Lets its [`park`] return, the next one if it is not parked.
    pub fn unpark(&self) {
        match &self.0 {
            Which::Host(thread) => thread.unpark(),
            Which::World(_, permit) => permit.give(),
        }
    }
}

/// The current thread.
pub fn current() -> Thread {
    if !platform::is_simulated() {
        return Thread(Which::Host(std::thread::current()));
    }
    Thread(Which::World(platform::current().to_ref(), own_permit()))
}

/// Sleeps, in a world in virtual time.
pub fn sleep(time: Duration) {
    if platform::is_simulated() { world::sleep(time) } else { machine::sleep(time) }
}

/// Lets others run: in a world a step that touches nothing.
pub fn yield_now() {
    if !platform::is_simulated() {
        return std::thread::yield_now();
    }
    platform::visit(Process::current().new_object(ObjectKind::User), Access::Read);
}

/// Waits until somebody unparks this thread.
pub fn park() {
    if platform::is_simulated() { own_permit().take(Deadline::NEVER) } else { std::thread::park() }
}

/// As [`park`], but not for ever.
pub fn park_timeout(time: Duration) {
    if platform::is_simulated() { own_permit().take(deadline_after(time)) } else { std::thread::park_timeout(time) }
}

/// So much later, in the time of the current thread's world.
pub(crate) fn deadline_after(time: Duration) -> Deadline {
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    if ns == 0 { Deadline::NOW } else { Deadline::at_ns(platform::now_ns().saturating_add(ns)) }
}

/// Whether a thread of a world may go on: taken by parking, given by unparking.
struct Permit {
    object: Object,
    given: AtomicBool,
}

impl Permit {
    fn new() -> Self {
        Self { object: Process::current().new_object(ObjectKind::AutoEvent), given: AtomicBool::new(false) }
    }

    fn give(&self) {
        platform::visit(self.object, Access::Signal);
        self.given.store(true, Ordering::Relaxed);
    }

    fn take(&self, deadline: Deadline) {
        platform::block(&[self.object], &|| self.given.load(Ordering::Relaxed), deadline, Why::Wait);
        self.given.store(false, Ordering::Relaxed);
    }
}

crate::thread_local! {
    static OWN_PERMIT: Rc<PermitCell> = Rc::default();
}

#[derive(Default)]
struct PermitCell(Cell<Option<Arc<Permit>>>);

impl PermitCell {
    fn set(&self, permit: Option<Arc<Permit>>) {
        self.0.set(permit);
    }
}

/// The permit of a thread of a world, made at its first use where the library started the thread.
fn own_permit() -> Arc<Permit> {
    OWN_PERMIT.with(|there| {
        let permit = there.0.take().unwrap_or_else(|| Arc::new(Permit::new()));
        there.0.set(Some(permit.clone()));
        permit
    })
}
