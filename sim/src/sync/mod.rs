//! Locks, conditions and channels for user code: steps of a simulated world on its threads, elsewhere the standard
//! library's.
//!
//! A primitive of the standard library that blocks inside a world stops all of it, because all threads of a world are
//! fibers on one thread of the machine. These do not: taking a lock is one step, waiting for a condition is one with what
//! it takes, and both are announced, so the search knows what depends on what. Where a type has a value inside the standard
//! library's lock, that lock is taken too, at a moment when it is free: so it is the one that poisons.
//!
//! State: what the simulated side of a primitive knows is in atomics and short locks of its own, touched by one fiber at a
//! time. A primitive that outlives its world (a `static`) is a new object in the next one.

mod condvar;
pub mod mpsc;
mod mutex;
mod once;
mod rwlock;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceLock};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};

use crate::world;
use oleander::platform::{self, Access, Deadline, Object, ObjectKind, Why};
use oleander::process::Process;
use std::sync::Mutex as StdMutex;

/// A primitive as a world sees it: an object of that world and some state, both new in each world.
struct Sim<S> {
    kind: ObjectKind,
    inner: StdMutex<Option<Inner<S>>>,
}

struct Inner<S> {
    world: u64,
    object: Object,
    state: S,
}

impl<S: Default> Sim<S> {
    const fn new(kind: ObjectKind) -> Self {
        Self { kind, inner: StdMutex::new(None) }
    }

    /// Calls `f` with the object and the state in the current thread's world.
    fn with<R>(&self, f: impl FnOnce(Object, &mut S) -> R) -> R {
        let world = world::with_here(world::World::serial);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.as_ref().is_none_or(|inner| inner.world != world) {
            let object = Process::current().new_object(self.kind);
            *inner = Some(Inner { world, object, state: S::default() });
        }
        let inner = inner.as_mut().expect("it has just been made");
        f(inner.object, &mut inner.state)
    }

    fn object(&self) -> Object {
        self.with(|object, _| object)
    }

    /// Announces an operation.
    fn visit(&self, access: Access) {
        platform::visit(self.object(), access);
    }

    /// Waits until `ready` holds; false when the deadline has passed, or while a panic unwinds.
    fn block(&self, ready: impl Fn(&S) -> bool, deadline: Deadline) -> bool {
        let ready = || self.with(|_, state| ready(state));
        platform::block(&[self.object()], &ready, deadline, Why::Wait)
    }
}

/// What to say when the standard library's lock is not free although no thread of the world has it.
const HELD_OUTSIDE: &str =
    "a lock of oleander_sim::sync is held by a thread outside the simulated world, or was while its world ended";
