//! Kernel objects: events, semaphores, mutexes and their handles. A handle that a row makes is closed when the actor leaves,
//! unless the row closes it.

use super::{Call, Operation, give, op};
use crate::run::{Argument, Value};
use oleander::*;
use std::ptr::{null, null_mut};

fn close(value: &Value) {
    if let Some(handle) = HANDLE::of(value) {
        // SAFETY: a handle is a number.
        let _ = unsafe { CloseHandle(handle) };
    }
}

pub fn last_error() -> u32 {
    // SAFETY: no pointers.
    unsafe { GetLastError() }
}

/// A name as units that end with a NUL; null when the argument is not there.
pub struct Name(Option<Vec<u16>>);

impl Name {
    pub fn of(c: &Call<'_>, index: usize) -> Result<Self, String> {
        Ok(Self(c.optional::<String>(index)?.map(|name| name.encode_utf16().chain([0]).collect())))
    }

    pub fn as_ptr(&self) -> *const u16 {
        self.0.as_ref().map_or(null(), |units| units.as_ptr())
    }
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CreateEvent", "manual initial name:text?", "handle error:ERROR_", "a new event", |c| {
        let name = Name::of(c, 2)?;
        // SAFETY: the name is valid; there are no attributes.
        let handle = unsafe { CreateEventW(null_mut(), c.get(0)?, c.get(1)?, name.as_ptr()) };
        give![c.keep(handle, close), last_error()]
    }),
    op("SetEvent", "handle", "BOOL error:ERROR_", "sets an event", |c| {
        // SAFETY: a handle is a number.
        let done = unsafe { SetEvent(c.get(0)?) };
        give![done, last_error()]
    }),
    op("ResetEvent", "handle", "BOOL error:ERROR_", "resets an event", |c| {
        // SAFETY: a handle is a number.
        let done = unsafe { ResetEvent(c.get(0)?) };
        give![done, last_error()]
    }),
    op("CreateSemaphore", "initial maximum name:text?", "handle error:ERROR_", "a new semaphore", |c| {
        let name = Name::of(c, 2)?;
        // SAFETY: the name is valid; there are no attributes.
        let handle = unsafe { CreateSemaphoreW(null_mut(), c.get(0)?, c.get(1)?, name.as_ptr()) };
        give![c.keep(handle, close), last_error()]
    }),
    op("ReleaseSemaphore", "handle count", "BOOL previous error:ERROR_", "adds to a semaphore", |c| {
        let mut previous = -1;
        // SAFETY: a valid pointer.
        let done = unsafe { ReleaseSemaphore(c.get(0)?, c.get(1)?, &mut previous) };
        give![done, previous, last_error()]
    }),
    op("CreateMutex", "owned name:text?", "handle error:ERROR_", "a new mutex", |c| {
        let name = Name::of(c, 1)?;
        // SAFETY: the name is valid; there are no attributes.
        let handle = unsafe { CreateMutexW(null_mut(), c.get(0)?, name.as_ptr()) };
        give![c.keep(handle, close), last_error()]
    }),
    op("ReleaseMutex", "handle", "BOOL error:ERROR_", "gives a mutex up", |c| {
        // SAFETY: a handle is a number.
        let done = unsafe { ReleaseMutex(c.get(0)?) };
        give![done, last_error()]
    }),
    op("CloseHandle", "handle", "BOOL error:ERROR_", "closes a handle", |c| {
        let handle: HANDLE = c.get(0)?;
        c.let_go(handle);
        // SAFETY: a handle is a number.
        let done = unsafe { CloseHandle(handle) };
        give![done, last_error()]
    }),
    op("DuplicateHandle", "handle", "BOOL handle error:ERROR_", "a second handle of the same object", |c| {
        let mut second = HANDLE::NULL;
        // SAFETY: a valid pointer; handles are numbers.
        let done = unsafe {
            let process = GetCurrentProcess();
            DuplicateHandle(process, c.get(0)?, process, &mut second, 0, false.into(), DUPLICATE_SAME_ACCESS)
        };
        give![done, c.keep(second, close), last_error()]
    }),
];
