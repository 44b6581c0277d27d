//! An event by the surface's functions: of whatever backend the thread has.

use crate::abi::hresult::{E_OUTOFMEMORY, RPC_S_CALLPENDING, S_OK};
use crate::abi::types::{HANDLE, WAIT_OBJECT_0};
use crate::abi::win32::{CloseHandle, CreateEventW, ResetEvent, SetEvent, WaitForSingleObject};
use crate::apartment::CoWaitForMultipleHandles;
use std::ptr;
use windows_core::{BOOL, HRESULT};

/// The event. It is used and dropped on threads of the backend that it was made on.
pub(crate) struct SurfaceEvent(HANDLE);

impl SurfaceEvent {
    /// An event that is not set.
    pub(crate) fn new(manual: bool) -> Result<Self, HRESULT> {
        // SAFETY: no attributes, no name.
        let handle = unsafe { CreateEventW(ptr::null(), manual.into(), BOOL(0), ptr::null()) };
        if handle.is_null() { Err(E_OUTOFMEMORY) } else { Ok(Self(handle)) }
    }

    /// Its handle, which stays its own.
    pub(crate) fn handle(&self) -> HANDLE {
        self.0
    }

    pub(crate) fn set(&self) {
        // SAFETY: a handle of our own.
        let _ = unsafe { SetEvent(self.0) };
    }

    pub(crate) fn reset(&self) {
        // SAFETY: a handle of our own.
        let _ = unsafe { ResetEvent(self.0) };
    }

    /// Waits as COM does: an STA serves calls meanwhile.
    pub(crate) fn wait(&self, flags: u32, ms: u32) -> HRESULT {
        let mut index = 0;
        // SAFETY: one handle, and a place for its index.
        unsafe { CoWaitForMultipleHandles(flags, ms, 1, &self.0, &mut index) }
    }

    /// The same on a thread that may be outside COM; whether it was set.
    pub(crate) fn wait_anywhere(&self, ms: u32) -> bool {
        match self.wait(0, ms) {
            S_OK => true,
            RPC_S_CALLPENDING => false,
            // SAFETY: a handle of our own.
            _ => unsafe { WaitForSingleObject(self.0, ms) == WAIT_OBJECT_0 },
        }
    }
}

impl Drop for SurfaceEvent {
    fn drop(&mut self) {
        // SAFETY: a handle of our own, which nobody uses any more.
        let _ = unsafe { CloseHandle(self.0) };
    }
}
