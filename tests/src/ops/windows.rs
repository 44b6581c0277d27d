//! Windows and message queues.

use super::events::last_error;
use super::{Operation, give, op};
use crate::objects::{Player, create_window};
use crate::run::{Argument, Value};
use oleander::*;

fn destroy(value: &Value) {
    if let Some(window) = HWND::of(value) {
        // SAFETY: a window is a number.
        let _ = unsafe { DestroyWindow(window) };
    }
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("CreateWindow", "", "window", "a message-only window that logs its messages", |c| {
        let window = create_window(Player::of(c));
        give![c.keep(window, destroy)]
    }),
    op("DestroyWindow", "window", "BOOL error:ERROR_", "destroys a window", |c| {
        let window: HWND = c.get(0)?;
        c.let_go(window);
        // SAFETY: a window is a number.
        let done = unsafe { DestroyWindow(window) };
        give![done, last_error()]
    }),
    op("PostMessage", "window message:WM_ wparam?", "BOOL error:ERROR_", "posts a message to a window", |c| {
        // SAFETY: a window is a number.
        let done = unsafe { PostMessageW(c.get(0)?, c.get(1)?, c.optional(2)?.unwrap_or(0), 0) };
        give![done, last_error()]
    }),
    op("PostThreadMessage", "thread message:WM_ wparam?", "BOOL error:ERROR_", "posts a message to a thread", |c| {
        // SAFETY: no pointers.
        let done = unsafe { PostThreadMessageW(c.get(0)?, c.get(1)?, c.optional(2)?.unwrap_or(0), 0) };
        give![done, last_error()]
    }),
    op("PostQuitMessage", "code", "", "asks the thread's message loop to end", |c| {
        // SAFETY: no pointers.
        unsafe { PostQuitMessage(c.get(0)?) };
        give![]
    }),
    op("SendMessage", "window message:WM_ wparam?", "result", "sends a message to a window", |c| {
        // SAFETY: a window is a number; the window is the rows' own, which follow no pointers.
        let result = unsafe { SendMessageW(c.get(0)?, c.get(1)?, c.optional(2)?.unwrap_or(0), 0) };
        give![result]
    }),
    op("PeekMessage", "window flags:PM_", "BOOL message:WM_ wparam", "the next message, if there is one", |c| {
        let mut message = MSG::default();
        // SAFETY: a valid message.
        let there = unsafe { PeekMessageW(&mut message, c.get(0)?, 0, 0, c.get(1)?) };
        give![there, message.message, message.wParam]
    }),
    op("GetMessage", "window", "BOOL message:WM_ wparam", "waits for the next message", |c| {
        let mut message = MSG::default();
        // SAFETY: a valid message.
        let there = unsafe { GetMessageW(&mut message, c.get(0)?, 0, 0) };
        give![there, message.message, message.wParam]
    }),
    op("SetTimer", "window id ms", "timer error:ERROR_", "sets a timer without a procedure", |c| {
        // SAFETY: a window is a number.
        let timer = unsafe { SetTimer(c.get(0)?, c.get(1)?, c.get(2)?, None) };
        give![timer, last_error()]
    }),
    op("KillTimer", "window timer", "BOOL error:ERROR_", "kills a timer", |c| {
        // SAFETY: a window is a number.
        let done = unsafe { KillTimer(c.get(0)?, c.get(1)?) };
        give![done, last_error()]
    }),
    op("left", "", "messages:WM_", "takes every posted message that is there, undispatched", |_| {
        let (mut message, mut messages) = (MSG::default(), Vec::new());
        // SAFETY: a valid message.
        while unsafe { PeekMessageW(&mut message, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
            messages.push(Value::from(message.message));
        }
        give![Value::List(messages)]
    }),
    op("dispatch", "", "count", "takes and dispatches every message that is there", |_| {
        let (mut message, mut count) = (MSG::default(), 0);
        // SAFETY: a valid message.
        while unsafe { PeekMessageW(&mut message, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
            // SAFETY: as above.
            unsafe { DispatchMessageW(&message) };
            count += 1;
        }
        give![count]
    }),
];
