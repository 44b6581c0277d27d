//! Events, semaphores, mutexes and their handles.

use super::{FALSE, TRUE, fail, name_at};
use crate::abi::exports::export;
use crate::abi::types::{
    DUPLICATE_CLOSE_SOURCE, ERROR_ALREADY_EXISTS, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_OWNER, ERROR_SUCCESS, ERROR_TOO_MANY_POSTS, HANDLE,
};
use crate::kernel::{Event, KernelObject, Mutex, Semaphore};
use crate::platform::{self, Access};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::BOOL;

/// What `GetCurrentProcess` gives: a number that stands for the calling process, whichever it is.
const CURRENT_PROCESS: HANDLE = HANDLE(std::ptr::without_provenance_mut(usize::MAX));

/// Gives an object a handle, or one to the object that has the name already.
///
/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn open_or_create(name: *const u16, make: impl FnOnce() -> Option<KernelObject>) -> HANDLE {
    let process = platform::with_current(|thread| thread.process().clone());
    let (object, existed) = if name.is_null() {
        (make(), false)
    } else {
        // SAFETY: the caller's promise.
        let Some(name) = (unsafe { name_at(name) }) else { return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL) };
        process.handles.named(name, make)
    };
    let Some(object) = object else { return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL) };
    match process.handles.insert(object) {
        Some(handle) => fail(if existed { ERROR_ALREADY_EXISTS } else { ERROR_SUCCESS }, handle),
        None => fail(ERROR_NOT_ENOUGH_MEMORY, HANDLE::NULL),
    }
}

/// Finds the object of a kind behind a handle, for an operation that is one step with the look-up.
macro_rules! object {
    ($handle:expr, $kind:ident, $access:ident) => {{
        let process = platform::with_current(|thread| thread.process().clone());
        match process.handles.get_to($handle, Access::$access) {
            Some(KernelObject::$kind(object)) => object,
            _ => return fail(ERROR_INVALID_HANDLE, FALSE),
        }
    }};
}

export! {
    /// Creates an event. A name makes it one of the process's named objects: if there is one already, this opens it and
    /// the last error is `ERROR_ALREADY_EXISTS`; if that is no event, it fails with `ERROR_INVALID_HANDLE`.
    ///
    /// # Safety
    /// `lpName` is null or points at a NUL-terminated string. `lpEventAttributes` is ignored.
    pub unsafe fn CreateEventW(
        lpEventAttributes: *const c_void,
        bManualReset: BOOL,
        bInitialState: BOOL,
        lpName: *const u16,
    ) -> HANDLE {
        let _ = lpEventAttributes;
        // SAFETY: the caller's promise.
        let handle = unsafe {
            open_or_create(lpName, || {
                let process = platform::with_current(|thread| thread.process().clone());
                let event = Event::new(&process, !bManualReset.as_bool(), bInitialState.as_bool());
                Some(KernelObject::Event(Arc::new(event)))
            })
        };
        of_kind(handle, |object| matches!(object, KernelObject::Event(_)))
    }

    /// Signals an event.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn SetEvent(hEvent: HANDLE) -> BOOL {
        object!(hEvent, Event, Signal).set_in_step();
        TRUE
    }

    /// Makes an event not signalled.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn ResetEvent(hEvent: HANDLE) -> BOOL {
        object!(hEvent, Event, Write).reset_in_step();
        TRUE
    }

    /// Creates a semaphore; names as for `CreateEventW`.
    ///
    /// # Safety
    /// `lpName` is null or points at a NUL-terminated string. `lpSemaphoreAttributes` is ignored.
    pub unsafe fn CreateSemaphoreW(
        lpSemaphoreAttributes: *const c_void,
        lInitialCount: i32,
        lMaximumCount: i32,
        lpName: *const u16,
    ) -> HANDLE {
        let _ = lpSemaphoreAttributes;
        // SAFETY: the caller's promise.
        let handle = unsafe {
            open_or_create(lpName, || {
                let process = platform::with_current(|thread| thread.process().clone());
                let (count, max) = (u32::try_from(lInitialCount).ok()?, u32::try_from(lMaximumCount).ok()?);
                Some(KernelObject::Semaphore(Arc::new(Semaphore::new(&process, count, max)?)))
            })
        };
        of_kind(handle, |object| matches!(object, KernelObject::Semaphore(_)))
    }

    /// Adds to a semaphore's count. Beyond the maximum it adds nothing and fails with `ERROR_TOO_MANY_POSTS`.
    ///
    /// # Safety
    /// `lpPreviousCount` is null or valid for writes.
    pub unsafe fn ReleaseSemaphore(hSemaphore: HANDLE, lReleaseCount: i32, lpPreviousCount: *mut i32) -> BOOL {
        let Some(count) = u32::try_from(lReleaseCount).ok().filter(|count| *count > 0) else {
            return fail(ERROR_INVALID_PARAMETER, FALSE);
        };
        let Some(before) = object!(hSemaphore, Semaphore, Write).release_in_step(count) else {
            return fail(ERROR_TOO_MANY_POSTS, FALSE);
        };
        // SAFETY: the caller's promise.
        if let Some(previous) = unsafe { lpPreviousCount.as_mut() } {
            // At most 2^31 - 1.
            *previous = before as i32;
        }
        TRUE
    }

    /// Creates a mutex; names as for `CreateEventW`. One that exists already is not taken.
    ///
    /// # Safety
    /// `lpName` is null or points at a NUL-terminated string. `lpMutexAttributes` is ignored.
    pub unsafe fn CreateMutexW(lpMutexAttributes: *const c_void, bInitialOwner: BOOL, lpName: *const u16) -> HANDLE {
        let _ = lpMutexAttributes;
        // SAFETY: the caller's promise.
        let handle = unsafe {
            open_or_create(lpName, || {
                let process = platform::with_current(|thread| thread.process().clone());
                Some(KernelObject::Mutex(Mutex::new(&process, bInitialOwner.as_bool())))
            })
        };
        of_kind(handle, |object| matches!(object, KernelObject::Mutex(_)))
    }

    /// Gives a mutex up once; `ERROR_NOT_OWNER` if the thread does not own it.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn ReleaseMutex(hMutex: HANDLE) -> BOOL {
        if object!(hMutex, Mutex, Write).release_in_step() { TRUE } else { fail(ERROR_NOT_OWNER, FALSE) }
    }

    /// Closes a handle. The handle of `GetCurrentProcess` need not be closed, and closing it does nothing.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn CloseHandle(hObject: HANDLE) -> BOOL {
        if hObject == CURRENT_PROCESS {
            return TRUE;
        }
        let process = platform::with_current(|thread| thread.process().clone());
        match process.handles.close(hObject) {
            Some(_) => TRUE,
            None => fail(ERROR_INVALID_HANDLE, FALSE),
        }
    }

    /// Makes a second handle for the same object. Both processes are the current one. With `DUPLICATE_CLOSE_SOURCE` the
    /// first is closed, whatever else happens.
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
        let closed = !closes || process.handles.close(hSourceHandle).is_some();
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

/// A handle that was just made, unless its name belongs to an object of another kind: then it is closed again.
fn of_kind(handle: HANDLE, is: impl FnOnce(&KernelObject) -> bool) -> HANDLE {
    if handle.is_null() {
        return handle;
    }
    let process = platform::with_current(|thread| thread.process().clone());
    if process.handles.get(handle).is_some_and(|object| is(&object)) {
        return handle;
    }
    drop(process.handles.close(handle));
    fail(ERROR_INVALID_HANDLE, HANDLE::NULL)
}
