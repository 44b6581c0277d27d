//! What COM knows of a thread. Touched by the thread itself only.

use crate::platform::Why;

/// The COM state of one thread.
pub(crate) struct ThreadState {}

impl ThreadState {
    pub(crate) fn new() -> Self {
        Self {}
    }

    /// A pool worker that blocks gives its place to another; the guard takes a place again.
    pub(crate) fn leave_pool_place(&self, _why: Why) {}
}
