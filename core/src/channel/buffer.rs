//! Buffers of requests and replies, used again and again.

use crossbeam::queue::ArrayQueue;
use std::ffi::c_void;
use std::sync::LazyLock;

/// Buffers that are kept for the next call, and the size above which one is not kept.
const KEPT_MAX: usize = 256;
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// Plain memory without any tie to a process, so one pool serves all.
static KEPT: LazyLock<ArrayQueue<Vec<u8>>> = LazyLock::new(|| ArrayQueue::new(KEPT_MAX));

/// The bytes of one request or reply.
#[derive(Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// A zeroed buffer.
    pub(crate) fn new(len: usize) -> Self {
        let mut bytes = KEPT.pop().unwrap_or_default();
        bytes.resize(len, 0);
        Self(bytes)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut c_void {
        self.0.as_mut_ptr().cast()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets what lies behind `len`: an interface proxy may ask for more than it needs.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        if (1..=KEPT_BYTES_MAX).contains(&bytes.capacity()) {
            bytes.clear();
            // A full pool means that enough are kept.
            drop(KEPT.push(bytes));
        }
    }
}
