//! Counters for tests: how many objects of ours are alive, how many handles are open.
//!
//! They are counted for each emulated process, so tests that run side by side in processes of their own do not see each
//! other. An object is counted in the process in which it was made, wherever it is released.

use crate::platform;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The count of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct LiveCount(Arc<AtomicUsize>);

/// How many objects made in the current thread's process are alive.
pub fn live_objects() -> usize {
    platform::current().process().live.0.load(Ordering::Acquire)
}

/// How many handles of the current thread's process are open.
pub fn open_handles() -> usize {
    platform::current().process().handles.len()
}

/// Counts one object as long as it exists.
pub(crate) struct Live(LiveCount);

impl Live {
    /// Counts an object in the current thread's process.
    pub(crate) fn new() -> Self {
        let count = platform::with_current(|thread| thread.process().live.clone());
        count.0.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Releases what the object did to whoever sees the count at zero.
        self.0.0.fetch_sub(1, Ordering::Release);
    }
}
