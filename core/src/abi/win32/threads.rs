//! Threads and the calls that are queued to them, time, work items, and the one module.
//!
//! `ExitThread` is missing: it would have to unwind frames of callers that cannot be unwound, or leave what they hold for ever.
//! `SuspendThread` is, because no thread of a host can be stopped from outside: only one that was created suspended waits.

use super::text::{Unit, name_at};
use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    CREATE_SUSPENDED, ERROR_GEN_FAILURE, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_MOD_NOT_FOUND,
    ERROR_NOT_ENOUGH_MEMORY, HANDLE, HINSTANCE, LARGE_INTEGER, STACK_SIZE_PARAM_IS_A_RESERVATION, WAIT_IO_COMPLETION,
};
use crate::kernel::{self, CURRENT_THREAD, Gate, KernelObject, ThreadObject, Woken};
use crate::platform::{self, Deadline, Why};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::BOOL;

/// What a thread or a work item runs; it gives the thread's exit code.
pub type LPTHREAD_START_ROUTINE = Option<unsafe extern "system" fn(context: *mut c_void) -> u32>;

/// What `QueueUserAPC` queues.
pub type PAPCFUNC = Option<unsafe extern "system" fn(parameter: usize)>;

/// The one module of an emulated process. Nobody looks at what is there.
const MODULE: HINSTANCE = HINSTANCE(std::ptr::without_provenance_mut(0x0040_0000));

struct Argument(*mut c_void);
// SAFETY: whoever starts a thread or queues a work item means its context for that.
unsafe impl Send for Argument {}

impl Argument {
    /// By value, so that a closure captures the whole and not the pointer in it.
    fn into_inner(self) -> *mut c_void {
        self.0
    }
}

/// The thread behind a handle.
fn thread_at(handle: HANDLE) -> Option<Arc<ThreadObject>> {
    match platform::with_current(|thread| thread.process().handles.get(handle)) {
        Some(KernelObject::Thread(thread)) => Some(thread),
        _ => None,
    }
}

/// Ticks of the performance counter in a second, as on today's Windows.
const TICKS_PER_S: i64 = 10_000_000;

export! {
    /// Starts a thread and gives a handle of it. With `CREATE_SUSPENDED` it waits for `ResumeThread` first. Calls that were
    /// queued to it before it runs are the first that it does (WAIT-16). Attributes and stack size are ignored.
    ///
    /// # Safety
    /// `lpStartAddress` may be called once with `lpParameter`, on another thread; `lpThreadId` is null or valid for writes.
    pub unsafe fn CreateThread(
        lpThreadAttributes: *const c_void,
        dwStackSize: usize,
        lpStartAddress: LPTHREAD_START_ROUTINE,
        lpParameter: *mut c_void,
        dwCreationFlags: u32,
        lpThreadId: *mut u32,
    ) -> HANDLE {
        let _ = (lpThreadAttributes, dwStackSize);
        let Some(start) = lpStartAddress else { return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL) };
        if dwCreationFlags & !(CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION) != 0 {
            return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL);
        }
        let process = platform::with_current(|thread| thread.process().clone());
        let gate = (dwCreationFlags & CREATE_SUSPENDED != 0).then(|| Gate::new(&process));
        let (parameter, waits_at) = (Argument(lpParameter), gate.clone());
        let spawned = kernel::spawn("CreateThread", false, move || {
            if let Some(gate) = waits_at {
                gate.pass();
            }
            let me = platform::current();
            me.object().apcs.run_waiting();
            // SAFETY: the caller's promise.
            let code = unsafe { start(parameter.into_inner()) };
            me.object().set_exit_code(code);
        });
        let object = spawned.thread.object();
        // It waits at the gate whether the object knows it or not.
        if let Some(gate) = gate {
            object.suspend_at(gate);
        }
        // SAFETY: the caller's promise.
        if let Some(id) = unsafe { lpThreadId.as_mut() } {
            *id = object.id();
        }
        match process.handles.insert(KernelObject::Thread(object.clone())) {
            Some(handle) => handle,
            None => fail(ERROR_NOT_ENOUGH_MEMORY, HANDLE::NULL),
        }
    }

    /// Lets a thread run that was created suspended; gives how often it was suspended before, 1 or 0, and `u32::MAX` for an
    /// error.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn ResumeThread(hThread: HANDLE) -> u32 {
        match thread_at(hThread) {
            Some(thread) => thread.resume(),
            None => fail(ERROR_INVALID_HANDLE, u32::MAX),
        }
    }

    /// What a thread returned when it ended; `STILL_ACTIVE` (259) before. A thread that was not started by `CreateThread`
    /// ends with 0.
    ///
    /// # Safety
    /// `lpExitCode` is null or valid for writes.
    pub unsafe fn GetExitCodeThread(hThread: HANDLE, lpExitCode: *mut u32) -> BOOL {
        // SAFETY: the caller's promise.
        let Some(code) = (unsafe { lpExitCode.as_mut() }) else { return fail(ERROR_INVALID_PARAMETER, FALSE) };
        let Some(thread) = thread_at(hThread) else { return fail(ERROR_INVALID_HANDLE, FALSE) };
        *code = thread.exit_code();
        TRUE
    }

    /// The calling thread, as `DuplicateHandle` and `QueueUserAPC` want it: a number, not to be closed, which stands for
    /// another thread on each.
    ///
    /// # Safety
    /// None.
    pub unsafe fn GetCurrentThread() -> HANDLE {
        CURRENT_THREAD
    }

    /// A handle of the thread with a number; `ERROR_INVALID_PARAMETER` if there is none. The access is ignored.
    ///
    /// # Safety
    /// None.
    pub unsafe fn OpenThread(dwDesiredAccess: u32, bInheritHandle: BOOL, dwThreadId: u32) -> HANDLE {
        let _ = (dwDesiredAccess, bInheritHandle);
        let process = platform::with_current(|thread| thread.process().clone());
        let Some(thread) = process.threads.get(dwThreadId) else { return fail(ERROR_INVALID_PARAMETER, HANDLE::NULL) };
        match process.handles.insert(KernelObject::Thread(thread)) {
            Some(handle) => handle,
            None => fail(ERROR_NOT_ENOUGH_MEMORY, HANDLE::NULL),
        }
    }

    /// The number of a thread; 0 for an error.
    ///
    /// # Safety
    /// None: a stale handle is an error.
    pub unsafe fn GetThreadId(Thread: HANDLE) -> u32 {
        match thread_at(Thread) {
            Some(thread) => thread.id(),
            None => fail(ERROR_INVALID_HANDLE, 0),
        }
    }

    /// Queues a call to a thread, which runs it in its next alertable wait, or before its first instruction. 0 for an error:
    /// `ERROR_GEN_FAILURE` if the thread has ended.
    ///
    /// # Safety
    /// `pfnAPC` may be called once with `dwData`, on that thread.
    pub unsafe fn QueueUserAPC(pfnAPC: PAPCFUNC, hThread: HANDLE, dwData: usize) -> u32 {
        let Some(function) = pfnAPC else { return fail(ERROR_INVALID_PARAMETER, 0) };
        let Some(thread) = thread_at(hThread) else { return fail(ERROR_INVALID_HANDLE, 0) };
        // SAFETY: the caller's promise.
        let call = move || unsafe { function(dwData) };
        if thread.apcs.post(Box::new(call)).is_ok() { 1 } else { fail(ERROR_GEN_FAILURE, 0) }
    }

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

    /// `Sleep`; alertable, it ends with `WAIT_IO_COMPLETION` (192) when calls have run that were queued to the thread.
    ///
    /// # Safety
    /// None.
    pub unsafe fn SleepEx(dwMilliseconds: u32, bAlertable: BOOL) -> u32 {
        let deadline = Deadline::after_ms(dwMilliseconds);
        if bAlertable.as_bool() && kernel::wait_alertable(&[], false, deadline, Why::Sleep) == Woken::Apc {
            return WAIT_IO_COMPLETION;
        }
        if !bAlertable.as_bool() {
            platform::block(&[], &|| false, deadline, Why::Sleep);
        }
        0
    }

    /// Ticks since the beginning, ten million a second; virtual time in a simulated world.
    ///
    /// # Safety
    /// `lpPerformanceCount` is null or valid for writes.
    pub unsafe fn QueryPerformanceCounter(lpPerformanceCount: *mut LARGE_INTEGER) -> BOOL {
        // SAFETY: the caller's promise.
        let Some(count) = (unsafe { lpPerformanceCount.as_mut() }) else { return fail(ERROR_INVALID_PARAMETER, FALSE) };
        *count = (platform::now_ns() / (1_000_000_000 / TICKS_PER_S as u64)) as i64;
        TRUE
    }

    /// How many ticks `QueryPerformanceCounter` counts in a second.
    ///
    /// # Safety
    /// `lpFrequency` is null or valid for writes.
    pub unsafe fn QueryPerformanceFrequency(lpFrequency: *mut LARGE_INTEGER) -> BOOL {
        // SAFETY: the caller's promise.
        let Some(frequency) = (unsafe { lpFrequency.as_mut() }) else { return fail(ERROR_INVALID_PARAMETER, FALSE) };
        *frequency = TICKS_PER_S;
        TRUE
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
        unsafe { module(lpModuleName) }
    }

    /// `GetModuleHandleW` with a name in bytes.
    ///
    /// # Safety
    /// As for `GetModuleHandleW`.
    pub unsafe fn GetModuleHandleA(lpModuleName: *const u8) -> HINSTANCE {
        // SAFETY: the caller's promise.
        unsafe { module(lpModuleName) }
    }
}

/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn module<U: Unit>(name: *const U) -> HINSTANCE {
    // SAFETY: the caller's promise.
    match unsafe { name_at(name) } {
        None if name.is_null() => MODULE,
        _ => fail(ERROR_MOD_NOT_FOUND, HINSTANCE::NULL),
    }
}
