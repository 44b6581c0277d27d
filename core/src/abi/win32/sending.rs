//! Sending messages otherwise than by `SendMessage`, and what the receiver's thread knows of it.

use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    ERROR_INVALID_PARAMETER, ERROR_INVALID_WINDOW_HANDLE, ERROR_TIMEOUT, HWND, INFINITE, ISMEX_NOSEND, ISMEX_NOTIFY,
    ISMEX_REPLIED, ISMEX_SEND, LPARAM, LRESULT, SMTO_ABORTIFHUNG, SMTO_BLOCK, SMTO_ERRORONEXIT,
    SMTO_NOTIMEOUTIFNOTHUNG, WPARAM,
};
use crate::kernel::{self, Answer, How, window};
use std::ffi::c_void;
use windows_core::BOOL;

export! {
    /// `SendMessageW` that gives up after `uTimeout` milliseconds: 0 then, with `ERROR_TIMEOUT`, and the message is handled all
    /// the same; else not 0, and the answer in `lpdwResult`. With `SMTO_BLOCK` the thread handles nothing that is sent to it
    /// meanwhile; with `SMTO_NOTIMEOUTIFNOTHUNG` it waits without end, for no thread counts as hung. To a window of the calling
    /// thread the message is a call, and the time does not count. With `HWND_BROADCAST` each window has the whole time, and the
    /// result is 1 whatever comes of it.
    ///
    /// # Safety
    /// The parameters are what the message means them to be; `lpdwResult` is null or valid for writes.
    pub unsafe fn SendMessageTimeoutW(
        hWnd: HWND,
        Msg: u32,
        wParam: WPARAM,
        lParam: LPARAM,
        fuFlags: u32,
        uTimeout: u32,
        lpdwResult: *mut usize,
    ) -> LRESULT {
        if fuFlags & !(SMTO_BLOCK | SMTO_ABORTIFHUNG | SMTO_NOTIMEOUTIFNOTHUNG | SMTO_ERRORONEXIT) != 0 {
            return fail(ERROR_INVALID_PARAMETER, 0);
        }
        let endless = fuFlags & SMTO_NOTIMEOUTIFNOTHUNG != 0;
        let ms = if endless { INFINITE } else { uTimeout };
        let how = How { ms, serves: fuFlags & SMTO_BLOCK == 0, notify: false };
        match window::send(hWnd, Msg, wParam, lParam, how) {
            Answer::Handled(result) => {
                // SAFETY: the caller's promise.
                if let Some(out) = unsafe { lpdwResult.as_mut() } {
                    *out = result.cast_unsigned();
                }
                1
            }
            Answer::TimedOut => fail(ERROR_TIMEOUT, 0),
            Answer::Ended => fail(ERROR_INVALID_WINDOW_HANDLE, 0),
        }
    }

    /// `SendMessageTimeoutW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `SendMessageTimeoutW`.
    pub unsafe fn SendMessageTimeoutA(
        hWnd: HWND,
        Msg: u32,
        wParam: WPARAM,
        lParam: LPARAM,
        fuFlags: u32,
        uTimeout: u32,
        lpdwResult: *mut usize,
    ) -> LRESULT {
        // SAFETY: the caller's promise.
        unsafe { SendMessageTimeoutW(hWnd, Msg, wParam, lParam, fuFlags, uTimeout, lpdwResult) }
    }

    /// Sends a message to a window of another thread, before what is posted there, and does not wait; to one of the calling
    /// thread it is a call.
    ///
    /// # Safety
    /// The parameters are what the message means them to be.
    pub unsafe fn SendNotifyMessageW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL {
        let how = How { ms: 0, serves: false, notify: true };
        match window::send(hWnd, Msg, wParam, lParam, how) {
            Answer::Handled(_) => TRUE,
            Answer::TimedOut | Answer::Ended => fail(ERROR_INVALID_WINDOW_HANDLE, FALSE),
        }
    }

    /// `SendNotifyMessageW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `SendNotifyMessageW`.
    pub unsafe fn SendNotifyMessageA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL {
        // SAFETY: the caller's promise.
        unsafe { SendNotifyMessageW(hWnd, Msg, wParam, lParam) }
    }

    /// Answers the sender of the message that the calling thread handles now, which may go on then; `FALSE` if it handles none
    /// that another thread sent, or has answered already. What the procedure returns later is nobody's.
    ///
    /// # Safety
    /// None.
    pub unsafe fn ReplyMessage(lResult: LRESULT) -> BOOL {
        BOOL(i32::from(kernel::reply(lResult)))
    }

    /// Whether the calling thread handles a message that another thread sent.
    ///
    /// # Safety
    /// None.
    pub unsafe fn InSendMessage() -> BOOL {
        BOOL(i32::from(kernel::handling().is_some()))
    }

    /// How the message was sent that the calling thread handles: `ISMEX_NOSEND`, `ISMEX_SEND` or `ISMEX_NOTIFY`, and
    /// `ISMEX_REPLIED` once it was answered.
    ///
    /// # Safety
    /// None.
    pub unsafe fn InSendMessageEx(lpReserved: *mut c_void) -> u32 {
        let _ = lpReserved;
        match kernel::handling() {
            None => ISMEX_NOSEND,
            Some(it) if it.notify => ISMEX_NOTIFY,
            Some(it) if it.replied => ISMEX_SEND | ISMEX_REPLIED,
            Some(_) => ISMEX_SEND,
        }
    }
}
