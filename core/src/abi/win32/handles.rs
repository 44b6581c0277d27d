//! Handles and the last error.

use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{DUPLICATE_CLOSE_SOURCE, ERROR_INVALID_HANDLE, HANDLE};
use crate::kernel::{CURRENT_PROCESS, CURRENT_THREAD, HandleTable, KernelObject};
use crate::platform;
use windows_core::BOOL;

/// Whether a handle stands for the calling process.
fn is_own_process(handles: &HandleTable, handle: HANDLE) -> bool {
    matches!(handles.get_or_process(handle), Some(KernelObject::Process(_)))
}

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
    /// first is closed, whatever else happens; the target process may be null then, and nothing is duplicated. What
    /// `GetCurrentThread` gives becomes a handle of the calling thread, and what `GetCurrentProcess` gives one of the process.
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
        let process = platform::with_current(|thread| thread.process().clone());
        let own = |handle| is_own_process(&process.handles, handle);
        let closes = dwOptions & DUPLICATE_CLOSE_SOURCE != 0;
        let nowhere = closes && hTargetProcessHandle.is_null();
        if !own(hSourceProcessHandle) || !(nowhere || own(hTargetProcessHandle)) {
            return fail(ERROR_INVALID_HANDLE, FALSE);
        }
        let duplicate = match target.filter(|_| !nowhere) {
            Some(target) => match process.handles.duplicate(hSourceHandle) {
                Some(handle) => {
                    *target = handle;
                    true
                }
                None => false,
            },
            None => closes,
        };
        let is_number = hSourceHandle == CURRENT_THREAD || hSourceHandle == CURRENT_PROCESS;
        let closed = !closes || is_number || process.handles.close(hSourceHandle).is_some();
        if duplicate && closed { TRUE } else { fail(ERROR_INVALID_HANDLE, FALSE) }
    }

    /// The calling process, as `DuplicateHandle` and `WaitForSingleObject` want it: a number, not to be closed. Among other
    /// handles, and to COM's waits, it is none (RUL-99).
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
