//! Threads, time, work items, and the one module.

use super::{FALSE, TRUE, fail, name_at};
use crate::abi::exports::export;
use crate::abi::types::{ERROR_INVALID_PARAMETER, ERROR_MOD_NOT_FOUND, HINSTANCE};
use crate::kernel;
use crate::platform::{self, Deadline, Why};
use std::ffi::c_void;
use windows_core::BOOL;

/// What a work item runs (`LPTHREAD_START_ROUTINE`).
pub type LPTHREAD_START_ROUTINE = Option<unsafe extern "system" fn(context: *mut c_void) -> u32>;

/// The one module of an emulated process. Nobody looks at what is there.
const MODULE: HINSTANCE = HINSTANCE(std::ptr::without_provenance_mut(0x0040_0000));

struct Argument(*mut c_void);
// SAFETY: whoever queues a work item means its context for another thread.
unsafe impl Send for Argument {}

impl Argument {
    /// By value, so that a closure captures the whole and not the pointer in it.
    fn into_inner(self) -> *mut c_void {
        self.0
    }
}

export! {
    /// The number of the calling thread: a multiple of four, never 0.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetCurrentThreadId() -> u32 {
        platform::with_current(|thread| thread.id())
    }

    /// The number of the calling process.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetCurrentProcessId() -> u32 {
        platform::with_current(|thread| thread.process().id())
    }

    /// Waits for so many milliseconds; 0 lets others run. An STA dispatches nothing meanwhile.
    ///
    /// # Safety
    /// None.
    pub unsafe fn Sleep(dwMilliseconds: u32) -> () {
        platform::block(&[], &|| false, Deadline::after_ms(dwMilliseconds), Why::Sleep);
    }

    /// Milliseconds since the beginning, which in a simulated world is the world's.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetTickCount64() -> u64 {
        platform::now_ns() / 1_000_000
    }

    /// `GetTickCount64` in 32 bits, which wrap after 49 days.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetTickCount() -> u32 {
        (platform::now_ns() / 1_000_000) as u32
    }

    /// Has a function run on a thread of the process's pool, which has not initialised COM (MSG-18). The flags, which
    /// choose among kinds of threads, are ignored: there is one kind.
    ///
    /// # Safety
    /// `Function` may be called once with `Context`, on another thread.
    pub unsafe fn QueueUserWorkItem(Function: LPTHREAD_START_ROUTINE, Context: *mut c_void, Flags: u32) -> BOOL {
        let _ = Flags;
        let Some(function) = Function else { return fail(ERROR_INVALID_PARAMETER, FALSE) };
        let context = Argument(Context);
        kernel::queue_work_item(move || {
            // SAFETY: the caller's promise.
            unsafe { function(context.into_inner()) };
        });
        TRUE
    }

    /// The module of the process, for null; there is no other.
    ///
    /// # Safety
    /// `lpModuleName` is null or points at a NUL-terminated string.
    pub unsafe fn GetModuleHandleW(lpModuleName: *const u16) -> HINSTANCE {
        // SAFETY: the caller's promise.
        match unsafe { name_at(lpModuleName) } {
            None if lpModuleName.is_null() => MODULE,
            _ => fail(ERROR_MOD_NOT_FOUND, HINSTANCE::NULL),
        }
    }
}
