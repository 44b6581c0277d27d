//! The bytes of a stream, which its clones share: memory of its own, or global memory that others see under its handle.
//!
//! The lock is held while bytes are copied; below it only that of the process's global memory is taken. What was asked
//! for its handle once lies in global memory from then on.

use crate::abi::types::{GMEM_MOVEABLE, GMEM_ZEROINIT, HANDLE};
use crate::process::Process;
use parking_lot::Mutex;
use std::ptr;
use std::sync::Arc;

enum Place {
    Own(Vec<u8>),
    /// The first `len` bytes of a block.
    Global {
        handle: HANDLE,
        len: usize,
        process: Arc<Process>,
    },
}

// SAFETY: a handle is a number, good on every thread.
unsafe impl Send for Place {}

/// The bytes of a stream.
pub(super) struct Bytes {
    place: Mutex<Place>,
    /// Global memory goes with the last stream.
    delete: bool,
}

impl Bytes {
    /// Memory of its own, which no handle shows yet.
    pub(super) fn new(bytes: Vec<u8>, delete: bool) -> Self {
        Self { place: Mutex::new(Place::Own(bytes)), delete }
    }

    /// All of a block of the current process; none when the handle is none.
    pub(super) fn of_global(handle: HANDLE, delete: bool) -> Option<Self> {
        let process = Process::current();
        let len = process.globals.size(handle).ok()?;
        Some(Self { place: Mutex::new(Place::Global { handle, len, process }), delete })
    }

    /// The handle of the block; the bytes move into one if need be. None when there is no memory.
    pub(super) fn global(&self) -> Option<HANDLE> {
        let mut place = self.place.lock();
        let bytes = match &*place {
            Place::Global { handle, .. } => return Some(*handle),
            Place::Own(bytes) => bytes,
        };
        let process = Process::current();
        let handle = process.globals.allocate(GMEM_MOVEABLE, bytes.len()).ok()?;
        // SAFETY: so many bytes are there.
        unsafe { process.globals.write(handle, 0, bytes.as_ptr(), bytes.len()).ok()? };
        let len = bytes.len();
        *place = Place::Global { handle, len, process };
        Some(handle)
    }

    pub(super) fn len(&self) -> usize {
        match &*self.place.lock() {
            Place::Own(bytes) => bytes.len(),
            Place::Global { len, .. } => *len,
        }
    }

    /// Makes the bytes `size` long, with zeros where they are new; false when there is no memory, or it may not move.
    pub(super) fn resize(&self, size: usize) -> bool {
        self.place.lock().resize(size)
    }

    /// Copies up to `count` bytes from a position on: how many.
    ///
    /// # Safety
    /// `to` has room for `count` bytes.
    pub(super) unsafe fn read(&self, at: usize, to: *mut u8, count: usize) -> usize {
        match &*self.place.lock() {
            Place::Own(bytes) => {
                let from = bytes.get(at..).unwrap_or_default();
                let count = from.len().min(count);
                // SAFETY: the caller's promise. It is not our memory.
                unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to, count) };
                count
            }
            Place::Global { handle, len, process } => {
                let count = len.saturating_sub(at).min(count);
                // SAFETY: the caller's promise. What somebody freed has no bytes.
                unsafe { process.globals.read(*handle, at, to, count).unwrap_or(0) }
            }
        }
    }

    /// Copies bytes to a position, with zeros before it where there was nothing; false when there is no memory.
    ///
    /// # Safety
    /// `from` holds `count` bytes.
    pub(super) unsafe fn write(&self, at: usize, from: *const u8, count: usize) -> bool {
        if count == 0 {
            return true;
        }
        let Some(end) = at.checked_add(count) else { return false };
        let mut place = self.place.lock();
        if end > place.len() && !place.resize(end) {
            return false;
        }
        match &mut *place {
            Place::Own(bytes) => {
                // SAFETY: the caller's promise, and there is room.
                unsafe { ptr::copy_nonoverlapping(from, bytes[at..end].as_mut_ptr(), count) };
                true
            }
            // SAFETY: the caller's promise.
            Place::Global { handle, process, .. } => unsafe {
                process.globals.write(*handle, at, from, count).unwrap_or(false)
            },
        }
    }
}

impl Place {
    fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Global { len, .. } => *len,
        }
    }

    fn resize(&mut self, size: usize) -> bool {
        match self {
            Self::Own(bytes) => {
                let more = size.saturating_sub(bytes.len());
                let there_is_room = bytes.try_reserve(more).is_ok();
                if there_is_room {
                    bytes.resize(size, 0);
                }
                there_is_room
            }
            Self::Global { handle, len, process } => {
                let globals = &process.globals;
                let Ok(room) = globals.size(*handle) else { return false };
                if size != room && globals.resize(*handle, size, GMEM_ZEROINIT).is_err() {
                    return false;
                }
                let stale = room.min(size).saturating_sub(*len);
                if stale > 0 {
                    // A block of the user's may be larger than the stream was, with something in it.
                    let zeros = vec![0; stale];
                    // SAFETY: so many zeros.
                    if !unsafe { globals.write(*handle, *len, zeros.as_ptr(), zeros.len()) }.unwrap_or(false) {
                        return false;
                    }
                }
                *len = size;
                true
            }
        }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if let Place::Global { handle, process, .. } = self.place.get_mut()
            && self.delete
        {
            // Somebody may have freed it before.
            let _ = process.globals.free(*handle);
        }
    }
}
