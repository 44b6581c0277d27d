//! Buffers of requests and replies, used again and again.
//!
//! Each thread keeps those that it lets go, for the next ones that it needs. That comes out even: a caller needs a request
//! and lets a reply go, a server the other way round.

use crate::platform;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;

/// How many buffers a thread keeps, and how many bytes in all.
const KEPT_MAX: usize = 256;
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// The buffers that a thread keeps. Touched by the thread itself only.
#[derive(Default)]
pub(crate) struct Buffers {
    kept: RefCell<Vec<Vec<u8>>>,
    bytes: Cell<usize>,
}

impl Buffers {
    fn take(&self) -> Option<Vec<u8>> {
        let bytes = self.kept.borrow_mut().pop()?;
        self.bytes.set(self.bytes.get() - bytes.capacity());
        Some(bytes)
    }

    /// Gives the buffer back when there are enough.
    fn keep(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let mut kept = self.kept.borrow_mut();
        let all = self.bytes.get() + bytes.capacity();
        if kept.len() >= KEPT_MAX || all > KEPT_BYTES_MAX {
            return Some(bytes);
        }
        self.bytes.set(all);
        kept.push(bytes);
        None
    }
}

/// The bytes of one request or reply.
#[derive(Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// A zeroed buffer.
    pub(crate) fn new(len: usize) -> Self {
        let mut bytes = platform::with_current(|thread| thread.com().buffers.take()).unwrap_or_default();
        bytes.clear();
        bytes.resize(len, 0);
        Self(bytes)
    }

    /// A buffer with these bytes.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
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
        if self.0.capacity() > 0 {
            let bytes = std::mem::take(&mut self.0);
            // A thread that is ending has no place for it.
            drop(platform::with_known(|thread| thread.com().buffers.keep(bytes)));
        }
    }
}
