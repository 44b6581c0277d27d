//! Events, semaphores, mutexes: made, opened by name, signalled.
//!
//! Names are compared with case; `Local\` before one changes nothing. They live in the process, and with their objects.

use super::text::{Unit, name_at};
use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET, ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_OWNER, ERROR_PATH_NOT_FOUND,
    ERROR_SUCCESS, ERROR_TOO_MANY_POSTS, HANDLE,
};
use crate::kernel::{Event, KernelObject, Mutex, Semaphore};
use crate::platform::{self, Access};
use crate::process::Process;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::BOOL;

/// Which kind an object is to be of.
type Kind = fn(&KernelObject) -> bool;
const EVENT: Kind = |object| matches!(object, KernelObject::Event(_));
const SEMAPHORE: Kind = |object| matches!(object, KernelObject::Semaphore(_));
const MUTEX: Kind = |object| matches!(object, KernelObject::Mutex(_));

/// The name of an object as it is looked up; an empty one is none.
///
/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn object_name<U: Unit>(name: *const U) -> Result<Option<Vec<u16>>, u32> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let mut name = unsafe { name_at(name) }.ok_or(ERROR_INVALID_PARAMETER)?;
    let prefix = |word: &str| word.encode_utf16().chain([u16::from(b'\\')]).collect::<Vec<_>>();
    let (local, global) = (prefix("Local"), prefix("Global"));
    if name.starts_with(&local) {
        name.drain(..local.len());
    }
    let rest = if name.starts_with(&global) { &name[global.len()..] } else { &name[..] };
    if rest.contains(&u16::from(b'\\')) {
        return Err(ERROR_PATH_NOT_FOUND);
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// Gives an object a handle, or one to the object of the kind that has the name already.
///
/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn open_or_create<U: Unit>(
    name: *const U,
    kind: Kind,
    make: impl FnOnce(&Process) -> Option<KernelObject>,
) -> HANDLE {
    let process = platform::with_current(|thread| thread.process().clone());
    // SAFETY: the caller's promise.
    let (object, existed) = match unsafe { object_name(name) } {
        Ok(None) => (make(&process), false),
        Ok(Some(name)) => process.handles.named(name, || make(&process)),
        Err(error) => return fail(error, HANDLE::NULL),
    };
    let Some(object) = object else { return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL) };
    new_handle(&process, object, kind, if existed { ERROR_ALREADY_EXISTS } else { ERROR_SUCCESS })
}

/// Opens the object of the kind that has the name.
///
/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn open<U: Unit>(name: *const U, kind: Kind) -> HANDLE {
    let process = platform::with_current(|thread| thread.process().clone());
    if name.is_null() {
        return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL);
    }
    // SAFETY: the caller's promise.
    match unsafe { object_name(name) } {
        Ok(name) => match name.and_then(|name| process.handles.find(&name)) {
            Some(object) => {
                let last_error = platform::with_current(|thread| thread.com().last_error.get());
                new_handle(&process, object, kind, last_error)
            }
            None => fail(ERROR_FILE_NOT_FOUND, HANDLE::NULL),
        },
        Err(error) => fail(error, HANDLE::NULL),
    }
}

/// A handle for an object of the kind; its name may belong to an object of another.
fn new_handle(process: &Process, object: KernelObject, kind: Kind, last_error: u32) -> HANDLE {
    if !kind(&object) {
        return fail(ERROR_INVALID_HANDLE, HANDLE::NULL);
    }
    match process.handles.insert(object) {
        Some(handle) => fail(last_error, handle),
        None => fail(ERROR_NOT_ENOUGH_MEMORY, HANDLE::NULL),
    }
}

fn new_event(process: &Process, manual: bool, signalled: bool) -> Option<KernelObject> {
    Some(KernelObject::Event(Arc::new(Event::new(process, !manual, signalled))))
}

fn new_semaphore(process: &Process, count: i32, max: i32) -> Option<KernelObject> {
    let (count, max) = (u32::try_from(count).ok()?, u32::try_from(max).ok()?);
    Some(KernelObject::Semaphore(Arc::new(Semaphore::new(process, count, max)?)))
}

fn new_mutex(process: &Process, owned: bool) -> Option<KernelObject> {
    Some(KernelObject::Mutex(Mutex::new(process, owned)))
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

/// What `SignalObjectAndWait` does first: sets an event, adds one to a semaphore, gives a mutex up once; or the error.
pub(super) fn signal(handle: HANDLE) -> Result<(), u32> {
    let process = platform::with_current(|thread| thread.process().clone());
    let access = match process.handles.get(handle) {
        Some(KernelObject::Event(_)) => Access::Signal,
        _ => Access::Write,
    };
    match process.handles.get_to(handle, access) {
        Some(KernelObject::Event(event)) => event.set_in_step(),
        Some(KernelObject::Semaphore(semaphore)) => drop(semaphore.release_in_step(1).ok_or(ERROR_TOO_MANY_POSTS)?),
        Some(KernelObject::Mutex(mutex)) => mutex.release_in_step().then_some(()).ok_or(ERROR_NOT_OWNER)?,
        Some(KernelObject::Thread(_) | KernelObject::Process(_)) | None => return Err(ERROR_INVALID_HANDLE),
    }
    Ok(())
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
        let (manual, set) = (bManualReset.as_bool(), bInitialState.as_bool());
        // SAFETY: the caller's promise.
        unsafe { open_or_create(lpName, EVENT, |process| new_event(process, manual, set)) }
    }

    /// `CreateEventW` with a name in bytes.
    ///
    /// # Safety
    /// As for `CreateEventW`.
    pub unsafe fn CreateEventA(
        lpEventAttributes: *const c_void,
        bManualReset: BOOL,
        bInitialState: BOOL,
        lpName: *const u8,
    ) -> HANDLE {
        let _ = lpEventAttributes;
        let (manual, set) = (bManualReset.as_bool(), bInitialState.as_bool());
        // SAFETY: the caller's promise.
        unsafe { open_or_create(lpName, EVENT, |process| new_event(process, manual, set)) }
    }

    /// `CreateEventW` with its choices as flags: `CREATE_EVENT_MANUAL_RESET`, `CREATE_EVENT_INITIAL_SET`. Others are
    /// `ERROR_INVALID_PARAMETER`.
    ///
    /// # Safety
    /// As for `CreateEventW`. `dwDesiredAccess` is ignored: a handle may do everything.
    pub unsafe fn CreateEventExW(
        lpEventAttributes: *const c_void,
        lpName: *const u16,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE {
        let _ = (lpEventAttributes, dwDesiredAccess);
        // SAFETY: the caller's promise.
        unsafe { create_event_ex(lpName, dwFlags) }
    }

    /// `CreateEventExW` with a name in bytes.
    ///
    /// # Safety
    /// As for `CreateEventExW`.
    pub unsafe fn CreateEventExA(
        lpEventAttributes: *const c_void,
        lpName: *const u8,
        dwFlags: u32,
        dwDesiredAccess: u32,
    ) -> HANDLE {
        let _ = (lpEventAttributes, dwDesiredAccess);
        // SAFETY: the caller's promise.
        unsafe { create_event_ex(lpName, dwFlags) }
    }

    /// Opens a named event. `ERROR_FILE_NOT_FOUND` if nothing has the name, `ERROR_INVALID_HANDLE` if no event has it,
    /// `ERROR_INVALID_PARAMETER` for no name.
    ///
    /// # Safety
    /// `lpName` is null or points at a NUL-terminated string. The access is ignored: a handle may do everything.
    pub unsafe fn OpenEventW(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u16) -> HANDLE {
        let _ = (dwDesiredAccess, bInheritHandle);
        // SAFETY: the caller's promise.
        unsafe { open(lpName, EVENT) }
    }

    /// `OpenEventW` with a name in bytes.
    ///
    /// # Safety
    /// As for `OpenEventW`.
    pub unsafe fn OpenEventA(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u8) -> HANDLE {
        let _ = (dwDesiredAccess, bInheritHandle);
        // SAFETY: the caller's promise.
        unsafe { open(lpName, EVENT) }
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
        unsafe { open_or_create(lpName, SEMAPHORE, |process| new_semaphore(process, lInitialCount, lMaximumCount)) }
    }

    /// `CreateSemaphoreW` with a name in bytes.
    ///
    /// # Safety
    /// As for `CreateSemaphoreW`.
    pub unsafe fn CreateSemaphoreA(
        lpSemaphoreAttributes: *const c_void,
        lInitialCount: i32,
        lMaximumCount: i32,
        lpName: *const u8,
    ) -> HANDLE {
        let _ = lpSemaphoreAttributes;
        // SAFETY: the caller's promise.
        unsafe { open_or_create(lpName, SEMAPHORE, |process| new_semaphore(process, lInitialCount, lMaximumCount)) }
    }

    /// Opens a named semaphore; errors as for `OpenEventW`.
    ///
    /// # Safety
    /// As for `OpenEventW`.
    pub unsafe fn OpenSemaphoreW(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u16) -> HANDLE {
        let _ = (dwDesiredAccess, bInheritHandle);
        // SAFETY: the caller's promise.
        unsafe { open(lpName, SEMAPHORE) }
    }

    /// `OpenSemaphoreW` with a name in bytes.
    ///
    /// # Safety
    /// As for `OpenEventW`.
    pub unsafe fn OpenSemaphoreA(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u8) -> HANDLE {
        let _ = (dwDesiredAccess, bInheritHandle);
        // SAFETY: the caller's promise.
        unsafe { open(lpName, SEMAPHORE) }
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
        unsafe { open_or_create(lpName, MUTEX, |process| new_mutex(process, bInitialOwner.as_bool())) }
    }

    /// `CreateMutexW` with a name in bytes.
    ///
    /// # Safety
    /// As for `CreateMutexW`.
    pub unsafe fn CreateMutexA(lpMutexAttributes: *const c_void, bInitialOwner: BOOL, lpName: *const u8) -> HANDLE {
        let _ = lpMutexAttributes;
        // SAFETY: the caller's promise.
        unsafe { open_or_create(lpName, MUTEX, |process| new_mutex(process, bInitialOwner.as_bool())) }
    }

    /// Opens a named mutex; errors as for `OpenEventW`.
    ///
    /// # Safety
    /// As for `OpenEventW`.
    pub unsafe fn OpenMutexW(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u16) -> HANDLE {
        let _ = (dwDesiredAccess, bInheritHandle);
        // SAFETY: the caller's promise.
        unsafe { open(lpName, MUTEX) }
    }

    /// `OpenMutexW` with a name in bytes.
    ///
    /// # Safety
    /// As for `OpenEventW`.
    pub unsafe fn OpenMutexA(dwDesiredAccess: u32, bInheritHandle: BOOL, lpName: *const u8) -> HANDLE {
        let _ = (dwDesiredAccess, bInheritHandle);
        // SAFETY: the caller's promise.
        unsafe { open(lpName, MUTEX) }
    }

    /// Gives a mutex up once; `ERROR_NOT_OWNER` if the thread does not own it.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn ReleaseMutex(hMutex: HANDLE) -> BOOL {
        if object!(hMutex, Mutex, Write).release_in_step() { TRUE } else { fail(ERROR_NOT_OWNER, FALSE) }
    }
}

/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn create_event_ex<U: Unit>(name: *const U, flags: u32) -> HANDLE {
    if flags & !(CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET) != 0 {
        return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL);
    }
    let (manual, set) = (flags & CREATE_EVENT_MANUAL_RESET != 0, flags & CREATE_EVENT_INITIAL_SET != 0);
    // SAFETY: the caller's promise.
    unsafe { open_or_create(name, EVENT, |process| new_event(process, manual, set)) }
}
