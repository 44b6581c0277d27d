//! Posting, sending, retrieving and dispatching messages.

use super::text::{Unit, name_at};
use super::{FALSE, TRUE, fail};
use crate::abi::exports::export;
use crate::abi::types::{
    ERROR_INVALID_PARAMETER, ERROR_INVALID_THREAD_ID, ERROR_INVALID_WINDOW_HANDLE, ERROR_NOT_ENOUGH_MEMORY,
    ERROR_NOT_ENOUGH_QUOTA, HWND, INFINITE, LPARAM, LRESULT, MSG, PM_REMOVE, WM_QUIT, WPARAM,
};
use crate::kernel::{self, Answer, Filter, How, MessageQueue, PostError, window};
use crate::platform::{self, Deadline};
use windows_core::BOOL;

/// In the place of a window: messages of no window.
const NO_WINDOW: HWND = HWND(std::ptr::without_provenance_mut(usize::MAX));

/// `WM_KEYDOWN`, `WM_KEYUP`, `WM_SYSKEYDOWN`, `WM_SYSKEYUP`.
const KEYS: [u32; 4] = [0x100, 0x101, 0x104, 0x105];

/// What `GetMessage` and `PeekMessage` are asked for; `None` if the window is none of the calling thread's.
fn filter(hwnd: HWND, first: u32, last: u32) -> Option<Filter> {
    let hwnd = match hwnd {
        HWND::NULL => None,
        NO_WINDOW => Some(HWND::NULL),
        hwnd => {
            platform::with_current(|thread| {
                let window = thread.process().windows.get(hwnd)?;
                (window.thread == thread.id()).then_some(())
            })?;
            Some(hwnd)
        }
    };
    Some(Filter { hwnd, first, last })
}

fn post_to(queue: &MessageQueue, message: u32, wparam: WPARAM, lparam: LPARAM) -> BOOL {
    match queue.post(kernel::message(HWND::NULL, message, wparam, lparam)) {
        Ok(()) => TRUE,
        Err(PostError::Full) => fail(ERROR_NOT_ENOUGH_QUOTA, FALSE),
        Err(PostError::Ended) => fail(ERROR_INVALID_THREAD_ID, FALSE),
    }
}

export! {
    /// Puts a message for a window into its thread's queue; for the null window, into the calling thread's own.
    /// `ERROR_NOT_ENOUGH_QUOTA` when 10,000 are there already (MSG-14). `HWND_BROADCAST` is every window without a parent that is
    /// not message-only; queues that are full miss the message.
    ///
    /// # Safety
    /// None: a stale window is an error.
    pub unsafe fn PostMessageW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL {
        if hWnd.is_null() {
            return post_to(&kernel::queue(), Msg, wParam, lParam);
        }
        match window::post(hWnd, Msg, wParam, lParam) {
            Ok(()) => TRUE,
            Err(PostError::Full) => fail(ERROR_NOT_ENOUGH_QUOTA, FALSE),
            Err(PostError::Ended) => fail(ERROR_INVALID_WINDOW_HANDLE, FALSE),
        }
    }

    /// `PostMessageW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `PostMessageW`.
    pub unsafe fn PostMessageA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL {
        // SAFETY: the caller's promise.
        unsafe { PostMessageW(hWnd, Msg, wParam, lParam) }
    }

    /// Puts a message of no window into a thread's queue. `ERROR_INVALID_THREAD_ID` if there is no such thread, or it
    /// has no queue yet.
    ///
    /// # Safety
    /// None.
    pub unsafe fn PostThreadMessageW(idThread: u32, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL {
        match kernel::queue_of(idThread) {
            Some(queue) => post_to(&queue, Msg, wParam, lParam),
            None => fail(ERROR_INVALID_THREAD_ID, FALSE),
        }
    }

    /// `PostThreadMessageW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `PostThreadMessageW`.
    pub unsafe fn PostThreadMessageA(idThread: u32, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> BOOL {
        // SAFETY: the caller's promise.
        unsafe { PostThreadMessageW(idThread, Msg, wParam, lParam) }
    }

    /// Has `WM_QUIT` come when the calling thread's queue has no posted message left.
    ///
    /// # Safety
    /// None.
    pub unsafe fn PostQuitMessage(nExitCode: i32) -> () {
        kernel::queue().post_quit(nExitCode);
    }

    /// Has a window handle a message: calls its procedure on the window's own thread, else sends it there and waits,
    /// and handles meanwhile what other threads send to this one (MSG-09). `HWND_BROADCAST` is one after the other every window
    /// without a parent that is not message-only; then the result is 1.
    ///
    /// # Safety
    /// The parameters are what the message means them to be.
    pub unsafe fn SendMessageW(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT {
        let how = How { ms: INFINITE, serves: true, notify: false };
        match window::send(hWnd, Msg, wParam, lParam, how) {
            Answer::Handled(result) => result,
            Answer::TimedOut | Answer::Ended => fail(ERROR_INVALID_WINDOW_HANDLE, 0),
        }
    }

    /// `SendMessageW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `SendMessageW`.
    pub unsafe fn SendMessageA(hWnd: HWND, Msg: u32, wParam: WPARAM, lParam: LPARAM) -> LRESULT {
        // SAFETY: the caller's promise.
        unsafe { SendMessageW(hWnd, Msg, wParam, lParam) }
    }

    /// Waits for the next message; delivers what other threads send meanwhile. 0 for `WM_QUIT`, -1 for an error.
    ///
    /// # Safety
    /// `lpMsg` is null or valid for writes.
    pub unsafe fn GetMessageW(lpMsg: *mut MSG, hWnd: HWND, wMsgFilterMin: u32, wMsgFilterMax: u32) -> BOOL {
        // SAFETY: the caller's promise.
        let Some(out) = (unsafe { lpMsg.as_mut() }) else { return fail(ERROR_INVALID_PARAMETER, BOOL(-1)) };
        let Some(filter) = filter(hWnd, wMsgFilterMin, wMsgFilterMax) else {
            return fail(ERROR_INVALID_WINDOW_HANDLE, BOOL(-1));
        };
        match kernel::queue().next_message(&filter, true, Deadline::NEVER) {
            Some(msg) => {
                *out = msg;
                BOOL(i32::from(msg.message != WM_QUIT))
            }
            // A wait without a deadline ends without a message only where a world is being taken down.
            None => BOOL(-1),
        }
    }

    /// `GetMessageW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `GetMessageW`.
    pub unsafe fn GetMessageA(lpMsg: *mut MSG, hWnd: HWND, wMsgFilterMin: u32, wMsgFilterMax: u32) -> BOOL {
        // SAFETY: the caller's promise.
        unsafe { GetMessageW(lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax) }
    }

    /// Looks for a message, delivering first what other threads have sent; takes it with `PM_REMOVE` (MSG-12, MSG-13).
    ///
    /// # Safety
    /// `lpMsg` is null or valid for writes.
    pub unsafe fn PeekMessageW(
        lpMsg: *mut MSG,
        hWnd: HWND,
        wMsgFilterMin: u32,
        wMsgFilterMax: u32,
        wRemoveMsg: u32,
    ) -> BOOL {
        // SAFETY: the caller's promise.
        let Some(out) = (unsafe { lpMsg.as_mut() }) else { return fail(ERROR_INVALID_PARAMETER, FALSE) };
        let Some(filter) = filter(hWnd, wMsgFilterMin, wMsgFilterMax) else {
            return fail(ERROR_INVALID_WINDOW_HANDLE, FALSE);
        };
        match kernel::queue().next_message(&filter, wRemoveMsg & PM_REMOVE != 0, Deadline::NOW) {
            Some(msg) => {
                *out = msg;
                TRUE
            }
            None => FALSE,
        }
    }

    /// `PeekMessageW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `PeekMessageW`.
    pub unsafe fn PeekMessageA(
        lpMsg: *mut MSG,
        hWnd: HWND,
        wMsgFilterMin: u32,
        wMsgFilterMax: u32,
        wRemoveMsg: u32,
    ) -> BOOL {
        // SAFETY: the caller's promise.
        unsafe { PeekMessageW(lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax, wRemoveMsg) }
    }

    /// Has the window of a retrieved message handle it. A message to the thread's hidden COM window is a COM call, and
    /// runs here. Messages of no window, and of windows of other threads, are dropped.
    ///
    /// # Safety
    /// `lpMsg` is null or points at a message.
    pub unsafe fn DispatchMessageW(lpMsg: *const MSG) -> LRESULT {
        // SAFETY: the caller's promise.
        match unsafe { lpMsg.as_ref() } {
            Some(msg) => kernel::dispatch(&{ *msg }),
            None => fail(ERROR_INVALID_PARAMETER, 0),
        }
    }

    /// `DispatchMessageW` by its other name: no message carries text that would differ.
    ///
    /// # Safety
    /// As for `DispatchMessageW`.
    pub unsafe fn DispatchMessageA(lpMsg: *const MSG) -> LRESULT {
        // SAFETY: the caller's promise.
        unsafe { DispatchMessageW(lpMsg) }
    }

    /// The number that a message with a name has in the process: from 0xC000 on, the same for the same name, whatever its case.
    /// 0 for an error: `ERROR_INVALID_PARAMETER` for no name.
    ///
    /// # Safety
    /// `lpString` is null or points at a NUL-terminated string.
    pub unsafe fn RegisterWindowMessageW(lpString: *const u16) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { register_message(lpString) }
    }

    /// `RegisterWindowMessageW` with a name in bytes.
    ///
    /// # Safety
    /// As for `RegisterWindowMessageW`.
    pub unsafe fn RegisterWindowMessageA(lpString: *const u8) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { register_message(lpString) }
    }

    /// Whether it is a message of a key. There is no keyboard: no character is made of it (RUL-163).
    ///
    /// # Safety
    /// `lpMsg` is null or points at a message.
    pub unsafe fn TranslateMessage(lpMsg: *const MSG) -> BOOL {
        // SAFETY: the caller's promise.
        BOOL::from(unsafe { lpMsg.as_ref() }.is_some_and(|msg| KEYS.contains(&msg.message)))
    }
}

/// # Safety
/// `name` is null or points at units that end with a NUL.
unsafe fn register_message<U: Unit>(name: *const U) -> u32 {
    // SAFETY: the caller's promise.
    let Some(name) = (unsafe { name_at(name) }).filter(|name| !name.is_empty()) else {
        return fail(ERROR_INVALID_PARAMETER, 0);
    };
    let number = platform::with_current(|thread| thread.process().windows.message_named(&name));
    number.unwrap_or_else(|| fail(ERROR_NOT_ENOUGH_MEMORY, 0))
}
