//! Timers of windows and threads.
//!
//! A timer belongs to the thread that sets it. Its `WM_TIMER` is not posted: a message loop finds it when its time has come and
//! nothing else is there, once, however many ticks have passed (MSG-12).

use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_INVALID_THREAD_ID, ERROR_INVALID_WINDOW_HANDLE, HWND,
};
use crate::kernel::{self, TimerProcedure};
use crate::platform;
use windows_core::BOOL;

/// What a timer's message calls when it is dispatched, in the place of a window's procedure: the window, `WM_TIMER`, the timer's
/// number, the tick count in milliseconds.
pub type TIMERPROC = Option<unsafe extern "system" fn(hwnd: HWND, message: u32, id_timer: usize, time: u32)>;

/// Whether the calling thread may have timers of the window: its own windows, and none.
fn check_window(hwnd: HWND) -> Result<(), u32> {
    platform::with_current(|thread| {
        if hwnd.is_null() {
            return Ok(());
        }
        let window = thread.process().windows.get(hwnd).ok_or(ERROR_INVALID_WINDOW_HANDLE)?;
        // (RUL-95)
        if window.thread == thread.id() { Ok(()) } else { Err(ERROR_ACCESS_DENIED) }
    })
}

export! {
    /// Has a `WM_TIMER` come each `uElapse` milliseconds (10 at least, `USER_TIMER_MAXIMUM` at most), to a window of the calling
    /// thread or, with the null window, to the thread; its `wParam` is the timer's number, its `lParam` the procedure, which
    /// `DispatchMessage` calls. A timer of the same window and number is replaced, and its time begins anew.
    ///
    /// Without a window a number that stands for no timer of the thread is ignored. Gives the timer's number then, else a number
    /// that is not 0; 0 for an error: `ERROR_INVALID_WINDOW_HANDLE`, or `ERROR_ACCESS_DENIED` for a window of another thread.
    ///
    /// # Safety
    /// `lpTimerFunc` is null or may be called on this thread until the timer is killed.
    pub unsafe fn SetTimer(hWnd: HWND, nIDEvent: usize, uElapse: u32, lpTimerFunc: TIMERPROC) -> usize {
        if let Err(error) = check_window(hWnd) {
            return fail(error, 0);
        }
        let procedure: Option<TimerProcedure> = lpTimerFunc;
        match kernel::queue().set_timer(hWnd, nIDEvent, uElapse, procedure) {
            0 => fail(ERROR_INVALID_THREAD_ID, 0),
            id => id,
        }
    }

    /// Kills a timer of the calling thread: its message comes no more. `ERROR_INVALID_PARAMETER` if there is none, and the errors
    /// of `SetTimer`.
    ///
    /// # Safety
    /// None.
    pub unsafe fn KillTimer(hWnd: HWND, uIDEvent: usize) -> BOOL {
        if let Err(error) = check_window(hWnd) {
            return fail(error, FALSE);
        }
        if kernel::queue().kill_timer(hWnd, uIDEvent) { TRUE } else { fail(ERROR_INVALID_PARAMETER, FALSE) }
    }
}
