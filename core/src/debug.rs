//! Counters for tests: how many objects of ours are alive, how many handles are open.
//!
//! They are counted for each emulated process, so tests that run side by side in processes of their own do not see each
//! other. An object is counted in the process in which it was made, wherever it is released.

use crate::platform::{self, Access, Fact, Object, ObjectKind, Port};
use crate::process::OBJECT_BITS;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// A bit that no other object's number has.
const LIVES: u64 = 1 << (OBJECT_BITS - 1);

/// The count of one process, and the number of the next object: for reports.
#[derive(Clone)]
pub(crate) struct LiveCount(Arc<Counts>);

struct Counts {
    alive: AtomicUsize,
    next: AtomicU64,
    /// The world of the process, if it is in one.
    world: Option<Weak<dyn Port>>,
}

impl LiveCount {
    /// Of a process that is in this world, or in none.
    pub(crate) fn new(world: Option<Weak<dyn Port>>) -> Self {
        Self(Arc::new(Counts { alive: AtomicUsize::new(0), next: AtomicU64::new(0), world }))
    }
}

/// How many objects made in the current thread's process are alive.
pub fn live_objects() -> usize {
    platform::current().process().live.0.alive.load(Ordering::Acquire)
}

/// How many handles of the current thread's process are open.
pub fn open_handles() -> usize {
    platform::current().process().handles.len()
}

/// Counts one object as long as it exists.
pub(crate) struct Live {
    count: LiveCount,
    /// Its number in a simulated world, 0 elsewhere.
    number: u64,
}

impl Live {
    /// Counts an object of a type in the current thread's process.
    pub(crate) fn new(what: &'static str) -> Self {
        let count = platform::with_current(|thread| thread.process().live.clone());
        count.0.alive.fetch_add(1, Ordering::Relaxed);
        let mut number = 0;
        platform::tell(|| {
            let process = platform::with_current(|thread| u64::from(thread.process().id()));
            number = process << 32 | (count.0.next.fetch_add(1, Ordering::Relaxed) + 1);
            Fact::Made { number, what }
        });
        Self { count, number }
    }

    /// The object's number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Tells a simulated world, as part of the current step, that the object is used (a read) or ends (a write): the order
    /// of the two matters.
    pub(crate) fn touched(&self, access: Access) {
        if self.number != 0 {
            self.seen_outside();
            let id = LIVES | self.number;
            platform::note(Object { id, kind: ObjectKind::User }, access);
        }
    }

    /// The object is of a world: a thread that is not says so.
    fn seen_outside(&self) {
        if !platform::is_simulated() {
            platform::used_outside(self.count.0.world.as_ref());
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Releases what the object did to whoever sees the count at zero.
        self.count.0.alive.fetch_sub(1, Ordering::Release);
        if self.number != 0 {
            self.seen_outside();
            platform::tell(|| Fact::Gone { number: self.number });
        }
    }
}
