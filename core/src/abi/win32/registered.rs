//! Waits that call back.

use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, HANDLE, INVALID_HANDLE_VALUE,
    WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE,
};
use crate::kernel::{KernelObject, RegisteredWait, WaitOptions};
use crate::platform;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::BOOL;

/// What a registered wait calls: with its context, and whether the time was over (1) or the object signalled (0).
pub type WAITORTIMERCALLBACK = Option<unsafe extern "system" fn(parameter: *mut c_void, timer_or_wait_fired: u8)>;

struct Argument(*mut c_void);
// SAFETY: whoever registers a wait means its context for another thread.
unsafe impl Send for Argument {}
// SAFETY: as above.
unsafe impl Sync for Argument {}

impl Argument {
    fn get(&self) -> *mut c_void {
        self.0
    }
}

export! {
    /// Has a callback run on a thread of no apartment each time an object is signalled, or `dwMilliseconds` are over; once with
    /// `WT_EXECUTEONLYONCE`. `phNewWaitObject` gets what `UnregisterWait` wants, which is no handle to be closed, before
    /// the first callback runs.
    ///
    /// # Safety
    /// `phNewWaitObject` is null or valid for writes; `Callback` may be called with `Context` on other threads, until the wait is
    /// unregistered and no callback runs.
    pub unsafe fn RegisterWaitForSingleObject(
        phNewWaitObject: *mut HANDLE,
        hObject: HANDLE,
        Callback: WAITORTIMERCALLBACK,
        Context: *mut c_void,
        dwMilliseconds: u32,
        dwFlags: u32,
    ) -> BOOL {
        // SAFETY: the caller's promise.
        let (Some(out), Some(callback)) = (unsafe { phNewWaitObject.as_mut() }, Callback) else {
            return fail(ERROR_INVALID_PARAMETER, FALSE);
        };
        let process = platform::with_current(|thread| thread.process().clone());
        let Some(object) = process.handles.get(hObject) else { return fail(ERROR_INVALID_HANDLE, FALSE) };
        let context = Argument(Context);
        // SAFETY: the caller's promise.
        let call = move |timed_out: bool| unsafe { callback(context.get(), u8::from(timed_out)) };
        let options = WaitOptions {
            ms: dwMilliseconds,
            once: dwFlags & WT_EXECUTEONLYONCE != 0,
            in_wait_thread: dwFlags & WT_EXECUTEINWAITTHREAD != 0,
        };
        let wait = RegisteredWait::new(&process);
        // First: the callback may run at once, and end the wait.
        *out = HANDLE(std::ptr::without_provenance_mut(process.waits.insert(wait.clone())));
        wait.start(object, Arc::new(call), options);
        TRUE
    }

    /// Ends a registered wait: no callback begins any more. If one runs still, `FALSE` with `ERROR_IO_PENDING`.
    ///
    /// # Safety
    /// None: a stale wait is an error.
    pub unsafe fn UnregisterWait(WaitHandle: HANDLE) -> BOOL {
        // SAFETY: no event.
        unsafe { UnregisterWaitEx(WaitHandle, HANDLE::NULL) }
    }

    /// `UnregisterWait`. An event is set when no callback runs any more; `INVALID_HANDLE_VALUE` waits for that, and so must not
    /// be given by the callback itself.
    ///
    /// # Safety
    /// None: a stale wait is an error.
    pub unsafe fn UnregisterWaitEx(WaitHandle: HANDLE, CompletionEvent: HANDLE) -> BOOL {
        let process = platform::with_current(|thread| thread.process().clone());
        let waits = CompletionEvent == INVALID_HANDLE_VALUE;
        let tell = if waits || CompletionEvent.is_null() {
            None
        } else {
            match process.handles.get(CompletionEvent) {
                Some(KernelObject::Event(event)) => Some(event),
                _ => return fail(ERROR_INVALID_HANDLE, FALSE),
            }
        };
        let Some(wait) = process.waits.remove(WaitHandle.0.addr()) else { return fail(ERROR_INVALID_HANDLE, FALSE) };
        let pending = wait.end(tell);
        if waits {
            wait.wait_until_done();
            return TRUE;
        }
        if pending { fail(ERROR_IO_PENDING, FALSE) } else { TRUE }
    }
}
