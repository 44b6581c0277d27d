//! Windows and message queues.

use super::events::{Name, last_error};
use super::{Call, Operation, give, op};
use crate::objects::{Player, create_window};
use crate::run::{Argument, Value};
use oleander::*;
use std::ptr::{null, null_mut};

fn destroy(value: &Value) {
    if let Some(window) = HWND::of(value) {
        // SAFETY: a window is a number.
        let _ = unsafe { DestroyWindow(window) };
    }
}

/// A range of messages; all of them where the row gives none.
fn range(c: &Call<'_>, at: usize) -> Result<(u32, u32), String> {
    Ok((c.optional(at)?.unwrap_or(0), c.optional(at + 1)?.unwrap_or(0)))
}

/// A message as a value that `DispatchMessage` takes.
fn retrieved(message: &MSG) -> Value {
    Value::List(vec![message.hwnd.into(), message.message.into(), message.wParam.into(), message.lParam.into()])
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
    op(
        "PostMessage.many",
        "count window message:WM_",
        "posted error:ERROR_",
        "posts a message many times, until one is refused",
        |c| {
            let (count, window, message): (usize, HWND, u32) = (c.get(0)?, c.get(1)?, c.get(2)?);
            // SAFETY: a window is a number.
            let posted = (0..count).take_while(|_| unsafe { PostMessageW(window, message, 0, 0) }.as_bool()).count();
            give![posted, last_error()]
        },
    ),
    op(
        "PeekMessage",
        "window flags:PM_ first:WM_? last:WM_?",
        "BOOL message:WM_ wparam window retrieved",
        "the next message, if there is one; what it retrieves can be dispatched",
        |c| {
            let (mut message, range) = (MSG::default(), range(c, 2)?);
            // SAFETY: a valid message.
            let there = unsafe { PeekMessageW(&mut message, c.get(0)?, range.0, range.1, c.get(1)?) };
            give![there, message.message, message.wParam, message.hwnd, retrieved(&message)]
        },
    ),
    op(
        "GetMessage",
        "window first:WM_? last:WM_?",
        "BOOL message:WM_ wparam window retrieved",
        "waits for the next message",
        |c| {
            let (mut message, range) = (MSG::default(), range(c, 1)?);
            // SAFETY: a valid message.
            let there = unsafe { GetMessageW(&mut message, c.get(0)?, range.0, range.1) };
            give![there, message.message, message.wParam, message.hwnd, retrieved(&message)]
        },
    ),
    op("DispatchMessage", "retrieved", "result", "has a message handled that was retrieved", |c| {
        let Value::List(parts) = c.get::<Value>(0)? else { return Err("that is no message".to_owned()) };
        let part = |at: usize| parts.get(at).ok_or("that is no message");
        let mut message = MSG { hwnd: HWND::of(part(0)?).unwrap_or_default(), ..MSG::default() };
        message.message = u32::of(part(1)?).unwrap_or_default();
        message.wParam = usize::of(part(2)?).unwrap_or_default();
        message.lParam = isize::of(part(3)?).unwrap_or_default();
        // SAFETY: a valid message.
        give![unsafe { DispatchMessageW(&message) }]
    }),
    op("GetQueueStatus", "kinds:QS_", "there:QS_ new:QS_", "what input there is, and what of it is new", |c| {
        // SAFETY: no pointers.
        let status = unsafe { GetQueueStatus(c.get(0)?) };
        give![status >> 16, status & 0xFFFF]
    }),
    op("FindWindowEx", "class:text", "window error:ERROR_", "the first message-only window of a class", |c| {
        let class = Name::of(c, 0)?;
        // SAFETY: the name is valid.
        let window = unsafe { FindWindowExW(HWND_MESSAGE, HWND::NULL, class.as_ptr(), null()) };
        give![window, last_error()]
    }),
    op("GetWindowThreadProcessId", "window", "thread", "the thread that a window belongs to", |c| {
        // SAFETY: a window is a number.
        give![unsafe { GetWindowThreadProcessId(c.get(0)?, null_mut()) }]
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
