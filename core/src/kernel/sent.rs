//! Messages that one thread sends to a window of another, and waits until it is handled. A task can be sent in the same way:
//! an input-synchronous call (MSG-19).
//!
//! The sender owns one reference, the receiver's queue the other. `result` is written by the receiver before it sets
//! `done`, and read by the sender after it has waited for that. A sender that has given up (`SendMessageTimeout`), or that never
//! waited (`SendNotifyMessage`), has given its reference back: the message is handled all the same.
//!
//! `state` is changed by the thread that handles the message, and by the one that closes its queue.

use super::event::Event;
use super::queue::{MessageQueue, QueueWait, SENT, Task};
use super::{wait, window};
use crate::abi::types::{HWND, INFINITE, LPARAM, LRESULT, WPARAM};
use crate::platform::{self, Deadline, Why};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicU8, Ordering};

/// What is sent.
enum What {
    /// To a window's procedure.
    Message(HWND, u32, WPARAM, LPARAM),
    /// To nobody's.
    Task(Arc<dyn Task>),
}

/// A message on its way from one thread to a window of another.
pub struct SentMessage {
    what: What,
    /// Whether somebody waits for the answer.
    notify: bool,
    state: AtomicU8,
    result: AtomicIsize,
    done: Event,
}

const UNDER_WAY: u8 = 0;
const REPLIED: u8 = 1;
const FAILED: u8 = 2;

impl SentMessage {
    /// Calls the window procedure, or runs the task, on the receiving thread, and answers the sender, unless that was done
    /// meanwhile. While it runs, the thread is one that handles a sent message ([`in_sent_message`]).
    pub fn deliver(self: &Arc<Self>) {
        let thread = platform::current();
        thread.com().kernel.handling.borrow_mut().push(self.clone());
        let result = match &self.what {
            What::Message(hwnd, message, wparam, lparam) => {
                window::call(*hwnd, *message, *wparam, *lparam).unwrap_or(0)
            }
            What::Task(task) => {
                task.clone().run();
                0
            }
        };
        let handled = thread.com().kernel.handling.borrow_mut().pop();
        self.reply(result);
        drop(handled);
    }

    /// Answers the sender; whether this is the first answer.
    fn reply(&self, result: LRESULT) -> bool {
        if self.state.compare_exchange(UNDER_WAY, REPLIED, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        self.result.store(result, Ordering::Relaxed);
        self.done.set();
        true
    }

    /// Whether it is a task: the queue takes those as long as it takes tasks.
    pub(super) fn is_task(&self) -> bool {
        matches!(self.what, What::Task(_))
    }

    /// The receiving thread has ended, or takes no tasks any more: the sender gets 0.
    pub(super) fn fail(&self) {
        if let What::Task(task) = &self.what {
            task.clone().abandon();
        }
        self.state.store(FAILED, Ordering::Relaxed);
        self.done.set();
    }
}

/// As such it is among the tasks that a closing queue gives out.
impl Task for SentMessage {
    fn run(self: Arc<Self>) {
        self.deliver();
    }

    fn abandon(self: Arc<Self>) {
        self.fail();
    }
}

/// What the current thread knows of the sent message that it handles: whether somebody waits for it, and whether it was
/// answered already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handling {
    pub(crate) notify: bool,
    pub(crate) replied: bool,
}

/// The sent message that the current thread handles, the innermost.
pub(crate) fn handling() -> Option<Handling> {
    platform::with_current(|thread| {
        let handling = thread.com().kernel.handling.borrow();
        let sent = handling.last()?;
        Some(Handling { notify: sent.notify, replied: sent.state.load(Ordering::Relaxed) != UNDER_WAY })
    })
}

/// Whether a sender waits until the current thread has handled its message: it must not call out then (MSG-10).
pub fn in_sent_message() -> bool {
    handling() == Some(Handling { notify: false, replied: false })
}

/// Answers the sender of the message that the current thread handles, before it has handled it; `false` if there is none.
pub(crate) fn reply(result: LRESULT) -> bool {
    let sent = platform::with_current(|thread| thread.com().kernel.handling.borrow().last().cloned());
    sent.is_some_and(|sent| sent.reply(result))
}

/// How a message is sent to a window of another thread.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// After how many milliseconds the sender gives up; each window has them anew.
    pub(crate) ms: u32,
    /// Whether it handles meanwhile what others send to it (MSG-09).
    pub(crate) serves: bool,
    /// Whether it does not wait at all.
    pub(crate) notify: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was handled; or it is under way, if nobody waits for it.
    Handled(LRESULT),
    /// The deadline has passed. It will be handled all the same.
    TimedOut,
    /// The window's thread has ended, before or meanwhile.
    Ended,
}

/// Sends a message to a window of the thread that `to` belongs to.
pub(super) fn send(
    to: &MessageQueue,
    (hwnd, message, wparam, lparam): (HWND, u32, WPARAM, LPARAM),
    how: How,
) -> Answer {
    send_what(to, What::Message(hwnd, message, wparam, lparam), how)
}

/// Has a thread run a task as it handles messages that are sent, and waits for that, handling meanwhile what others send;
/// `false` if the thread has ended first.
pub(crate) fn send_task(to: &MessageQueue, task: Arc<dyn Task>) -> bool {
    let how = How { ms: INFINITE, serves: true, notify: false };
    matches!(send_what(to, What::Task(task), how), Answer::Handled(_))
}

fn send_what(to: &MessageQueue, what: What, how: How) -> Answer {
    let thread = platform::current();
    let sent = Arc::new(SentMessage {
        what,
        notify: how.notify,
        state: AtomicU8::new(UNDER_WAY),
        result: AtomicIsize::new(0),
        done: Event::new(thread.process(), false, false),
    });
    if !to.post_sent(sent.clone()) {
        return Answer::Ended;
    }
    if how.notify {
        return Answer::Handled(1);
    }
    let (mine, deadline) = (super::queue(), Deadline::after_ms(how.ms));
    let others = QueueWait { queue: &mine, mask: SENT };
    let both: [&dyn wait::Waitable; 2] = [&sent.done, &others];
    loop {
        match wait::wait_any(if how.serves { &both } else { &both[..1] }, deadline, Why::Wait) {
            None => return Answer::TimedOut,
            Some(0) if sent.state.load(Ordering::Relaxed) == FAILED => return Answer::Ended,
            Some(0) => return Answer::Handled(sent.result.load(Ordering::Relaxed)),
            Some(_) => {
                if let Some(other) = mine.take_sent() {
                    other.deliver();
                }
            }
        }
    }
}
