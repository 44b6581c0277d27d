//! Messages that one thread sends to a window of another, and waits until it is handled.
//!
//! The sender owns one reference, the receiver's queue the other. `result` is written by the receiver before it sets
//! `done`, and read by the sender after it has waited for that.

use super::event::Event;
use super::queue::{MessageQueue, QueueWait, SENT};
use super::{wait, window};
use crate::abi::types::{HWND, LPARAM, LRESULT, WPARAM};
use crate::platform::{self, Deadline, Why};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

/// A message on its way from one thread to a window of another.
pub struct SentMessage {
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    result: AtomicIsize,
    done: Event,
}

impl SentMessage {
    /// Calls the window procedure, on the window's thread, and answers the sender. While it runs, the thread is one
    /// that handles a sent message ([`in_sent_message`]).
    pub fn deliver(&self) {
        let thread = platform::current();
        let depth = &thread.com().in_sent_message;
        depth.set(depth.get() + 1);
        let result = window::call(self.hwnd, self.message, self.wparam, self.lparam).unwrap_or(0);
        depth.set(depth.get() - 1);
        self.result.store(result, Ordering::Relaxed);
        self.done.set();
    }

    /// The window's thread has ended: the sender gets 0.
    pub(super) fn fail(&self) {
        self.done.set();
    }
}

/// Whether the current thread handles a message that another thread has sent: it must not call out then (MSG-10).
pub fn in_sent_message() -> bool {
    platform::with_current(|thread| thread.com().in_sent_message.get() > 0)
}

/// Sends a message to a window of the thread that `to` belongs to, and waits for its answer; handles what other
/// threads send to this one meanwhile (MSG-09). `None` if that thread has ended.
pub(super) fn send(to: &MessageQueue, hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Option<LRESULT> {
    let thread = platform::current();
    let sent = Arc::new(SentMessage {
        hwnd,
        message,
        wparam,
        lparam,
        result: AtomicIsize::new(0),
        done: Event::new(thread.process(), false, false),
    });
    if !to.post_sent(sent.clone()) {
        return None;
    }
    let mine = super::queue();
    let others = QueueWait { queue: &mine, mask: SENT };
    while wait::wait_any(&[&sent.done, &others], Deadline::NEVER, Why::Wait) == Some(1) {
        if let Some(other) = mine.take_sent() {
            other.deliver();
        }
    }
    Some(sent.result.load(Ordering::Relaxed))
}
