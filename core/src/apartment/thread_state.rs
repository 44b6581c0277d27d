//! What COM knows of a thread. Touched by the thread itself only.

use crate::kernel::{MessageQueue, ThreadKernel};
use crate::platform::Why;
use std::cell::{Cell, OnceCell};
use std::sync::Arc;

/// The COM state of one thread.
pub(crate) struct ThreadState {
    /// What `GetLastError` says.
    pub(crate) last_error: Cell<u32>,
    /// Its message queue; use [`crate::kernel::queue`].
    pub(crate) queue: OnceCell<Arc<MessageQueue>>,
    /// What the kernel objects keep for it.
    pub(crate) kernel: ThreadKernel,
}

impl ThreadState {
    pub(crate) fn new() -> Self {
        Self { last_error: Cell::new(0), queue: OnceCell::new(), kernel: ThreadKernel::default() }
    }

    /// A pool worker that blocks gives its place to another; the guard takes a place again.
    pub(crate) fn leave_pool_place(&self, _why: Why) {}
}
