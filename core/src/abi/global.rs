//! Global memory: `GlobalAlloc` and what belongs to it, for streams that show their bytes (`CreateStreamOnHGlobal`).
//!
//! A handle of fixed memory is its address; one of moveable memory is a number that is no address, and the memory may
//! move while it is not locked. The table of a process knows all handles, so a wrong one is an error and nothing else.
//! Its lock is held while blocks are looked up, moved and copied; nobody else is called under it.
//!
//! A moveable block of size 0 is *discarded*: a handle without memory.

use super::exports::export;
use super::memory::{CoTaskMemAlloc, CoTaskMemFree, CoTaskMemRealloc};
use super::types::{
    ERROR_DISCARDED, ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_LOCKED, ERROR_SUCCESS, GMEM_MODIFY,
    GMEM_MOVEABLE, GMEM_ZEROINIT, HANDLE,
};
use crate::platform;
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use windows_core::BOOL;

struct Block {
    /// Null when discarded.
    memory: *mut c_void,
    size: usize,
    locks: u32,
    moveable: bool,
}

// SAFETY: plain memory; whoever shares it between threads sees to that.
unsafe impl Send for Block {}

#[derive(Default)]
struct Inner {
    blocks: BTreeMap<usize, Block>,
    last: usize,
}

/// The global memory of a process.
#[derive(Default)]
pub(crate) struct GlobalTable {
    inner: Mutex<Inner>,
}

/// A Win32 error.
type Error = u32;

impl GlobalTable {
    /// A block; with zeros where `GMEM_ZEROINIT` asks for them.
    pub(crate) fn allocate(&self, flags: u32, size: usize) -> Result<HANDLE, Error> {
        let moveable = flags & GMEM_MOVEABLE != 0;
        let memory = if moveable && size == 0 { ptr::null_mut() } else { obtain(size)? };
        if flags & GMEM_ZEROINIT != 0 {
            // SAFETY: fresh memory of that size, which is null for size 0 only.
            unsafe { fill(memory, 0, size) };
        }
        let mut inner = self.inner.lock();
        let key = if moveable {
            // Small and odd: no address of a block.
            inner.last += 4;
            inner.last + 3
        } else {
            memory.expose_provenance()
        };
        inner.blocks.insert(key, Block { memory, size, locks: 0, moveable });
        Ok(handle(key))
    }

    pub(crate) fn free(&self, handle: HANDLE) -> Result<(), Error> {
        let block = self.inner.lock().blocks.remove(&handle.0.addr()).ok_or(ERROR_INVALID_HANDLE)?;
        // SAFETY: the table's own block.
        unsafe { CoTaskMemFree(block.memory) };
        Ok(())
    }

    pub(crate) fn size(&self, handle: HANDLE) -> Result<usize, Error> {
        self.with(handle, |block| block.size)
    }

    /// Changes the size. Fixed memory, and locked memory, moves only with `GMEM_MOVEABLE`.
    pub(crate) fn resize(&self, old: HANDLE, size: usize, flags: u32) -> Result<HANDLE, Error> {
        let mut inner = self.inner.lock();
        let block = inner.blocks.get_mut(&old.0.addr()).ok_or(ERROR_INVALID_HANDLE)?;
        if flags & GMEM_MODIFY != 0 {
            // The attributes that could change are of no consequence here.
            return Ok(old);
        }
        let may_move = flags & GMEM_MOVEABLE != 0 || (block.moveable && block.locks == 0);
        if size > block.size && !may_move {
            return Err(ERROR_NOT_ENOUGH_MEMORY);
        }
        let before = std::mem::replace(&mut block.size, size);
        if !may_move {
            return Ok(old);
        }
        let discards = block.moveable && size == 0;
        // SAFETY: the table's own block, in whose place the new one comes.
        let moved = unsafe { if discards { CoTaskMemRealloc(block.memory, 0) } else { grow(block.memory, size) } };
        if moved.is_null() && !discards {
            block.size = before;
            return Err(ERROR_NOT_ENOUGH_MEMORY);
        }
        block.memory = moved;
        if flags & GMEM_ZEROINIT != 0 && size > before {
            // SAFETY: there is room for `size` bytes.
            unsafe { fill(moved, before, size) };
        }
        if block.moveable || moved.addr() == old.0.addr() {
            return Ok(old);
        }
        let Some(block) = inner.blocks.remove(&old.0.addr()) else { return Err(ERROR_INVALID_HANDLE) };
        let key = block.memory.expose_provenance();
        inner.blocks.insert(key, block);
        Ok(handle(key))
    }

    /// Adds a lock to moveable memory: where it is.
    fn lock(&self, handle: HANDLE) -> Result<*mut c_void, Error> {
        self.with(handle, |block| {
            if block.memory.is_null() {
                return Err(ERROR_DISCARDED);
            }
            block.locks += u32::from(block.moveable);
            Ok(block.memory)
        })?
    }

    /// Takes a lock back: whether there are more.
    fn unlock(&self, handle: HANDLE) -> Result<bool, Error> {
        self.with(handle, |block| {
            if !block.moveable {
                return Ok(true);
            }
            block.locks = block.locks.checked_sub(1).ok_or(ERROR_NOT_LOCKED)?;
            Ok(block.locks > 0)
        })?
    }

    /// Copies up to `count` bytes from `at` on out of a block: how many.
    ///
    /// # Safety
    /// `to` has room for `count` bytes, outside of every block.
    pub(crate) unsafe fn read(&self, handle: HANDLE, at: usize, to: *mut u8, count: usize) -> Result<usize, Error> {
        self.with(handle, |block| {
            let count = block.size.saturating_sub(at).min(count);
            if count > 0 {
                // SAFETY: inside the block, and the caller's promise.
                unsafe { ptr::copy_nonoverlapping(block.memory.cast::<u8>().add(at), to, count) };
            }
            count
        })
    }

    /// Copies bytes into a block; false when it is too small.
    ///
    /// # Safety
    /// `from` holds `count` bytes.
    pub(crate) unsafe fn write(&self, handle: HANDLE, at: usize, from: *const u8, count: usize) -> Result<bool, Error> {
        self.with(handle, |block| {
            let fits = at.checked_add(count).is_some_and(|end| end <= block.size);
            if fits && count > 0 {
                // SAFETY: inside the block, and the caller's promise. Overlap is allowed.
                unsafe { ptr::copy(from, block.memory.cast::<u8>().add(at), count) };
            }
            fits
        })
    }

    fn with<R>(&self, handle: HANDLE, look: impl FnOnce(&mut Block) -> R) -> Result<R, Error> {
        self.inner.lock().blocks.get_mut(&handle.0.addr()).map(look).ok_or(ERROR_INVALID_HANDLE)
    }
}

impl Drop for GlobalTable {
    fn drop(&mut self) {
        for block in std::mem::take(&mut self.inner.get_mut().blocks).into_values() {
            // SAFETY: the table's own block; the process has ended.
            unsafe { CoTaskMemFree(block.memory) };
        }
    }
}

fn handle(key: usize) -> HANDLE {
    HANDLE(ptr::with_exposed_provenance_mut(key))
}

fn obtain(size: usize) -> Result<*mut c_void, Error> {
    // SAFETY: no rule to keep.
    let memory = unsafe { CoTaskMemAlloc(size) };
    if memory.is_null() { Err(ERROR_NOT_ENOUGH_MEMORY) } else { Ok(memory) }
}

/// # Safety
/// As for `CoTaskMemRealloc`.
unsafe fn grow(memory: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's. Never size 0, which would free.
    unsafe { CoTaskMemRealloc(memory, size.max(1)) }
}

/// Zeros from one place to another.
///
/// # Safety
/// The memory has `to` bytes.
unsafe fn fill(memory: *mut c_void, from: usize, to: usize) {
    if to > from {
        // SAFETY: the caller's.
        unsafe { ptr::write_bytes(memory.cast::<u8>().add(from), 0, to - from) };
    }
}

/// A result, or a value that says that it failed, with the reason for `GetLastError`.
fn or_error<T>(result: Result<T, Error>, failed: T) -> T {
    result.unwrap_or_else(|error| {
        set_last_error(error);
        failed
    })
}

fn set_last_error(error: Error) {
    platform::with_current(|thread| thread.com().last_error.set(error));
}

export! {
    /// Allocates global memory: fixed, where the handle is the address, or moveable with `GMEM_MOVEABLE`. Null when there
    /// is none (`ERROR_NOT_ENOUGH_MEMORY`).
    ///
    /// # Safety
    /// None; the memory is freed with `GlobalFree`, or with the process.
    pub unsafe fn GlobalAlloc(uFlags: u32, dwBytes: usize) -> HANDLE {
        or_error(Process::current().globals.allocate(uFlags, dwBytes), HANDLE::NULL)
    }

    /// Changes the size of global memory, in bytes, and gives its handle. Fixed and locked memory grows only with
    /// `GMEM_MOVEABLE`; moveable memory of size 0 is discarded. `GMEM_MODIFY` changes nothing. On failure null, and the
    /// memory is as before: `ERROR_INVALID_HANDLE`, `ERROR_NOT_ENOUGH_MEMORY`.
    ///
    /// # Safety
    /// Nobody uses addresses inside the memory after it may have moved.
    pub unsafe fn GlobalReAlloc(hMem: HANDLE, dwBytes: usize, uFlags: u32) -> HANDLE {
        or_error(Process::current().globals.resize(hMem, dwBytes, uFlags), HANDLE::NULL)
    }

    /// Frees global memory and gives null; the handle itself when it is none (`ERROR_INVALID_HANDLE`).
    ///
    /// # Safety
    /// Nobody uses the memory any more.
    pub unsafe fn GlobalFree(hMem: HANDLE) -> HANDLE {
        if hMem.is_null() {
            return hMem;
        }
        or_error(Process::current().globals.free(hMem).map(|()| HANDLE::NULL), hMem)
    }

    /// Where global memory is; it stays there until as many `GlobalUnlock`. Null for what is no handle
    /// (`ERROR_INVALID_HANDLE`) and for discarded memory (`ERROR_DISCARDED`).
    ///
    /// # Safety
    /// None.
    pub unsafe fn GlobalLock(hMem: HANDLE) -> *mut c_void {
        or_error(Process::current().globals.lock(hMem), ptr::null_mut())
    }

    /// Takes a lock back: true while there are more, and for fixed memory. False with `ERROR_SUCCESS` for the last one,
    /// with `ERROR_NOT_LOCKED` when there was none, with `ERROR_INVALID_HANDLE` for what is no handle.
    ///
    /// # Safety
    /// Nobody uses addresses inside the memory after the last lock.
    pub unsafe fn GlobalUnlock(hMem: HANDLE) -> BOOL {
        let more = match Process::current().globals.unlock(hMem) {
            Ok(true) => return true.into(),
            Ok(false) => Err(ERROR_SUCCESS),
            Err(error) => Err(error),
        };
        or_error(more, false.into())
    }

    /// The size of global memory in bytes; 0 for what is no handle (`ERROR_INVALID_HANDLE`) and for discarded memory.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GlobalSize(hMem: HANDLE) -> usize {
        or_error(Process::current().globals.size(hMem), 0)
    }
}

#[cfg(test)]
mod tests;
