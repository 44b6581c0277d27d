//! Handles and the last error.

use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{DUPLICATE_CLOSE_SOURCE, ERROR_INVALID_HANDLE, HANDLE};
use crate::kernel::CURRENT_THREAD;
use crate::platform;
use windows_core::BOOL;

/// What `GetCurrentProcess` gives: a number that stands for the calling process, whichever it is.
const CURRENT_PROCESS: HANDLE = HANDLE(std::ptr::without_provenance_mut(usize::MAX));

export! {
    /// Closes a handle. What `GetCurrentProcess` and `GetCurrentThread` give need not be closed, and closing it does nothing.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn CloseHandle(hObject: HANDLE) -> BOOL {
        if hObject == CURRENT_PROCESS || hObject == CURRENT_THREAD {
            return TRUE;
        }
        let process = platform::with_current(|thread| thread.process().clone());
        match process.handles.close(hObject) {
            Some(_) => TRUE,
            None => fail(ERROR_INVALID_HANDLE, FALSE),
        }
    }

    /// Makes a second handle for the same object. Both processes are the current one. With `DUPLICATE_CLOSE_SOURCE` the
    /// first is closed, whatever else happens. What `GetCurrentThread` gives becomes a handle of the calling thread.
    ///
    /// # Safety
    /// `lpTargetHandle` is null or valid for writes; null duplicates nothing, which makes sense to close the source.
    pub unsafe fn DuplicateHandle(
        hSourceProcessHandle: HANDLE,
        hSourceHandle: HANDLE,
        hTargetProcessHandle: HANDLE,
        lpTargetHandle: *mut HANDLE,
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        dwOptions: u32,
    ) -> BOOL {
        let _ = (dwDesiredAccess, bInheritHandle);
        // SAFETY: the caller's promise.
        let target = unsafe { lpTargetHandle.as_mut() };
        if hSourceProcessHandle != CURRENT_PROCESS || hTargetProcessHandle != CURRENT_PROCESS {
            return fail(ERROR_INVALID_HANDLE, FALSE);
        }
        let process = platform::with_current(|thread| thread.process().clone());
        let closes = dwOptions & DUPLICATE_CLOSE_SOURCE != 0;
        let duplicate = match target {
            Some(target) => match process.handles.duplicate(hSourceHandle) {
                Some(handle) => {
                    *target = handle;
                    true
                }
                None => false,
            },
            None => closes,
        };
        let closed = !closes || hSourceHandle == CURRENT_THREAD || process.handles.close(hSourceHandle).is_some();
        if duplicate && closed { TRUE } else { fail(ERROR_INVALID_HANDLE, FALSE) }
    }

    /// The calling process, as `DuplicateHandle` wants it: a number, not to be closed.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetCurrentProcess() -> HANDLE {
        CURRENT_PROCESS
    }

    /// The last error of the calling thread.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetLastError() -> u32 {
        platform::with_current(|thread| thread.com().last_error.get())
    }

    /// Sets the last error of the calling thread.
    ///
    /// # Safety
    /// None.
    pub unsafe fn SetLastError(dwErrCode: u32) -> () {
        platform::with_current(|thread| thread.com().last_error.set(dwErrCode));
    }
}
