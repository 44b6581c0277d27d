//! The message queue of a thread: posted messages, tasks (COM calls delivered to the thread), messages sent by other
//! threads, the wish to quit, and timers (see [`timers`]).
//!
//! # Status
//!
//! The value of the queue's word is a set of bits:
//!
//! | bit | meaning | set | cleared |
//! |-----|---------|-----|---------|
//! | [`TASKS`] | a task waits | by `post_task` | by the owner, when it takes the last |
//! | [`SENT`] | a message sent by another thread waits | by `send` | likewise |
//! | [`POSTED`] | a posted message waits, of whatever kind | by `post` | likewise |
//! | [`POSTED_DDE`] | one of those is in the DDE range | by `post` | likewise |
//! | [`QUIT`] | `PostQuitMessage` was called | by the owner | when `WM_QUIT` is taken |
//! | [`NEW_POSTED`], [`NEW_ALL_POSTED`] | a posted message or a task that the owner has not looked at | by `post`, `post_task` | when the owner looks |
//! | [`NEW_SENT`] | likewise, a sent message | by `send` | likewise |
//! | [`TIMER`] | the message of a timer can be retrieved | by the owner, when it looks | when the last of them is taken or killed |
//! | `HAS_TIMERS` | a timer is set, ready or not | by the owner | by the owner |
//! | [`NEW_TIMER`] | a timer became ready that the owner has not looked at | with `TIMER` | when the owner looks |
//! | `POKE` | something came since the owner began to look | by everyone | by the owner, before it looks |
//!
//! The lists, the first five bits, `TIMER` and `HAS_TIMERS` change together under `inner`'s lock; the rest are flags of their own.
//!
//! # Who may do what
//!
//! Every thread posts, sends and asks for readiness. Only the owner takes. `take_…` is part of the step of the wait (or
//! of the poll, which is a wait with [`Deadline::NOW`]) that found the queue ready: it announces nothing itself.
//!
//! # Why it cannot deadlock
//!
//! `inner` is held for a few moves of messages and nothing else; the wait lock is taken after it is released.

mod lists;
#[cfg(all(test, not(loom)))]
mod queue_tests;
mod timers;

pub(super) use lists::WM_TASK;
pub use lists::{Filter, message};
pub(crate) use timers::TimerProcedure;

use super::header::{Header, WAITERS};
use super::sent::SentMessage;
use super::wait::{self, Mode, Waitable, sealed};
use crate::abi::types::{HWND, MSG, WM_QUIT};
use crate::platform::sync::Mutex;
use crate::platform::{self, Access, Deadline, Object, ObjectKind, Why};
use crate::process::{OBJECT_BITS, Process};
use lists::{Found, Inner, is_dde};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// A task waits.
pub const TASKS: u32 = 1;
/// A message sent by another thread waits.
pub const SENT: u32 = 1 << 1;
/// A posted message waits.
pub const POSTED: u32 = 1 << 2;
/// A posted message of the DDE range waits: a modal wait of COM dispatches those (WAIT-09).
pub const POSTED_DDE: u32 = 1 << 3;
/// `PostQuitMessage` was called.
pub const QUIT: u32 = 1 << 4;
/// A posted message or a task came since the owner last looked, with or without a filter.
pub const NEW_POSTED: u32 = 1 << 5;
/// A posted message or a task came since the owner last looked without a filter.
pub const NEW_ALL_POSTED: u32 = 1 << 6;
/// A sent message came since the owner last looked.
pub const NEW_SENT: u32 = 1 << 7;
/// A timer's message can be retrieved.
pub const TIMER: u32 = 1 << 9;
/// A timer became ready since the owner last looked.
pub const NEW_TIMER: u32 = 1 << 10;
const POKE: u32 = 1 << 8;
const HAS_TIMERS: u32 = 1 << 11;
/// What is set with a message that is posted, a task and `WM_QUIT` among them.
const POST_CAME: u32 = NEW_POSTED | NEW_ALL_POSTED | POKE;
/// What is set with a sent message.
const SENT_CAME: u32 = NEW_SENT | POKE;
/// What is new of what a message loop looks at, whatever its filter.
const NEW_TO_ANY: u32 = NEW_POSTED | NEW_SENT | NEW_TIMER;
/// What is new of what was posted.
const NEW_POSTS: u32 = NEW_POSTED | NEW_ALL_POSTED;

/// What a modal wait of an STA dispatches.
pub const PUMPED: u32 = TASKS | SENT | POSTED_DDE;
/// What is new.
pub const ANY_NEW: u32 = NEW_POSTED | NEW_ALL_POSTED | NEW_SENT | NEW_TIMER;
/// What is there, seen or not.
pub const ANY_INPUT: u32 = TASKS | SENT | POSTED | QUIT | TIMER;

/// How many posted messages a queue holds (MSG-14).
pub const POSTED_MAX: usize = 10_000;

/// The numbers of messages as objects begin here.
const MESSAGES: u64 = 1 << 63;

/// Work that another thread delivers to a thread with a message loop: a COM call, or the end of one.
pub trait Task: Send + Sync {
    /// Does it, on the queue's thread, with no lock held.
    fn run(self: Arc<Self>);
    /// The thread's apartment ended first. Called on the thread that closes the queue, with no lock held.
    fn abandon(self: Arc<Self>);
}

/// Why nothing was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostError {
    /// The queue holds all it can (MSG-14).
    Full,
    /// The queue's thread has ended.
    Ended,
}

/// What a modal wait dispatches.
pub enum Pumped {
    /// A message sent by another thread: `deliver` it.
    Sent(Arc<SentMessage>),
    /// `run` it.
    Task(Arc<dyn Task>),
    /// A posted message of the DDE range: dispatch it.
    Posted(MSG),
}

/// The message queue of one thread.
pub struct MessageQueue {
    header: Header,
    thread: u32,
    com_window: OnceLock<HWND>,
    inner: Mutex<Inner>,
}

impl MessageQueue {
    /// The queue of a thread. Threads get theirs through [`super::queue`].
    pub(super) fn new(process: &Process, thread: u32) -> Arc<Self> {
        Arc::new(Self {
            header: Header::new(process, ObjectKind::Queue, 0),
            thread,
            com_window: OnceLock::new(),
            inner: Mutex::new(Inner::default()),
        })
    }

    /// The owner's thread id.
    pub fn thread_id(&self) -> u32 {
        self.thread
    }

    /// Whether one of the bits of `mask` is set, without a step of its own.
    pub fn has(&self, mask: u32) -> bool {
        self.header.value() & mask != 0
    }

    /// What is there has been looked at, and is no longer new (WAIT-11). Part of the step of a wait.
    pub fn mark_seen(&self) {
        self.fire_timers();
        self.mark_seen_bits(ANY_NEW);
    }

    /// Says, as part of a wait's step, that the wait has looked at the queue and taken nothing: at what is there, or only
    /// at what is new. A queue whose owner waits for what is new is no plain queue: what is new depends on whether a post
    /// came before or after the last look, even when the look took another message.
    pub fn note_looked(&self, at_all: bool) {
        platform::note(self.header.object(), if at_all { Access::Read } else { Access::Write });
    }

    /// [`MessageQueue::mark_seen`] for some kinds of input: bits of [`ANY_NEW`].
    pub fn mark_seen_bits(&self, new: u32) {
        self.header.clear_bits(new & ANY_NEW);
    }

    /// Announces a look at what is new, which makes it seen.
    pub(crate) fn visit_status(&self) {
        self.header.visit(Access::Write);
    }

    /// The status bits that are set; part of a step.
    pub(crate) fn status(&self) -> u32 {
        self.header.value()
    }

    /// How much a modal wait could dispatch now. Part of the step of a wait.
    pub fn pumped_len(&self) -> usize {
        platform::note(self.header.object(), Access::Read);
        let inner = self.inner.lock();
        inner.sent.len() + inner.tasks.len() + inner.dde
    }

    /// Changes the lists, unless `f` says no with `None`, brings the status up to date with the bits of `new` set, and
    /// tells who waits.
    fn change<R>(&self, new: u32, f: impl FnOnce(&mut Inner) -> Option<R>) -> Option<R> {
        const PRESENT: u32 = TASKS | SENT | POSTED | POSTED_DDE | QUIT | TIMER | HAS_TIMERS;
        let (result, word) = {
            let mut inner = self.inner.lock();
            let result = f(&mut inner)?;
            let status = inner.status();
            let before = self.header.value() & PRESENT;
            let came = (status & !before) | new;
            let word = if came != 0 { self.header.set_bits(came) } else { 0 };
            if before & !status != 0 {
                self.header.clear_bits(before & !status);
            }
            (result, word)
        };
        if word & WAITERS != 0 {
            self.header.notify();
        }
        Some(result)
    }

    /// Says that a message was put in or taken out in this step. For the simulator it is an object of its own: a take
    /// depends on the post whose message it takes, and on no other.
    fn note_message(&self, seq: u64) {
        if platform::is_simulated() {
            let queue = self.header.object().id;
            let id = MESSAGES | queue >> OBJECT_BITS << 56 | (queue & 0xFF_FFFF) << 32 | seq;
            platform::note(Object { id, kind: ObjectKind::Message }, Access::Write);
        }
    }

    /// Says what a look into the lists came to: a message that was found, or that none of those posted so far was.
    fn note_found(&self, seq: Option<u64>) {
        match seq {
            Some(seq) => self.note_message(seq),
            None => platform::note(self.header.object(), Access::Read),
        }
    }

    /// Puts a message at the end; fails when the queue is full, or its thread has ended.
    pub fn post(&self, msg: MSG) -> Result<(), PostError> {
        self.header.visit(Access::Post);
        let mut refusal = PostError::Full;
        let posted = self.change(POST_CAME, |inner| {
            if inner.closed {
                refusal = PostError::Ended;
                return None;
            }
            if inner.posted.len() >= POSTED_MAX {
                return None;
            }
            let seq = inner.seq();
            inner.dde += usize::from(is_dde(msg.message));
            inner.posted.push_back((seq, msg));
            Some(seq)
        });
        self.note_found(posted);
        posted.map(drop).ok_or(refusal)
    }

    /// Delivers a task; gives it back when the queue takes none.
    pub fn post_task(&self, task: Arc<dyn Task>) -> Result<(), Arc<dyn Task>> {
        self.header.visit(Access::Post);
        let mut task = Some(task);
        let posted = self.change(POST_CAME, |inner| {
            if inner.closed || inner.tasks_closed {
                return None;
            }
            let seq = inner.seq();
            inner.tasks.push_back((seq, task.take()?));
            Some(seq)
        });
        self.note_found(posted);
        task.map_or(Ok(()), Err)
    }

    /// Puts tasks that were taken back to the head, in their order; gives them back when the queue takes none. For the
    /// owner only.
    pub fn return_tasks(&self, tasks: Vec<Arc<dyn Task>>) -> Vec<Arc<dyn Task>> {
        self.header.visit(Access::Post);
        let mut tasks = tasks;
        self.change(POST_CAME, |inner| {
            if inner.closed || inner.tasks_closed {
                return None;
            }
            for task in tasks.drain(..).rev() {
                let seq = inner.seq();
                inner.tasks.push_front((seq, task));
            }
            Some(())
        });
        tasks
    }

    /// Delivers a message from another thread; `false` when the queue's thread has ended, or it is a task and the queue takes
    /// none.
    pub(super) fn post_sent(&self, sent: Arc<SentMessage>) -> bool {
        // Not a post: it overtakes the messages that wait.
        self.header.visit(Access::Write);
        self.change(SENT_CAME, |inner| {
            if inner.closed || (inner.tasks_closed && sent.is_task()) {
                return None;
            }
            inner.sent.push_back(sent);
            Some(())
        })
        .is_some()
    }

    /// What `PostQuitMessage` does: `WM_QUIT` comes when no posted message is left.
    pub fn post_quit(&self, code: i32) {
        self.header.visit(Access::Post);
        self.change(POST_CAME, |inner| {
            inner.quit = Some(code);
            Some(())
        });
    }

    /// Takes the first message that another thread has sent. Part of the step of a wait; for the owner only.
    pub fn take_sent(&self) -> Option<Arc<SentMessage>> {
        if !self.has(SENT) {
            return None;
        }
        self.change(0, |inner| inner.sent.pop_front())
    }

    /// Takes the first task. Part of the step of a wait; for the owner only.
    pub fn take_task(&self) -> Option<Arc<dyn Task>> {
        if !self.has(TASKS) {
            return None;
        }
        let (seq, task) = self.change(0, |inner| inner.tasks.pop_front())?;
        self.note_message(seq);
        Some(task)
    }

    /// Takes the first posted message that passes the filter. Part of the step of a wait; for the owner only.
    pub fn take_posted(&self, filter: &Filter) -> Option<MSG> {
        let taken = self.change(0, |inner| {
            let at = inner.posted.iter().position(|(_, msg)| filter.passes(msg.hwnd, msg.message))?;
            Some(inner.remove_posted(at))
        });
        self.note_found(taken.map(|(seq, _)| seq));
        taken.map(|(_, msg)| msg)
    }

    /// Takes what a modal wait dispatches next: sent messages first, then tasks and messages of the DDE range as they
    /// came (WAIT-09, WAIT-10). Part of the step of a wait for [`PUMPED`]; for the owner only.
    pub fn take_pumped(&self) -> Option<Pumped> {
        if let Some(sent) = self.take_sent() {
            return Some(Pumped::Sent(sent));
        }
        let taken = self.change(0, |inner| {
            let dde = if inner.dde == 0 { None } else { inner.posted.iter().position(|(_, msg)| is_dde(msg.message)) };
            match (dde, inner.tasks.front()) {
                (Some(at), Some((seq, _))) if *seq < inner.posted[at].0 => {}
                (Some(at), _) => {
                    let (seq, msg) = inner.remove_posted(at);
                    return Some((seq, Pumped::Posted(msg)));
                }
                (None, None) => return None,
                (None, Some(_)) => {}
            }
            inner.tasks.pop_front().map(|(seq, task)| (seq, Pumped::Task(task)))
        });
        self.note_found(taken.as_ref().map(|(seq, _)| *seq));
        taken.map(|(_, pumped)| pumped)
    }

    /// The owner's wait for what only a look into the lists can tell: until `ready`, one step.
    pub fn wait_for(&self, ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool {
        if platform::is_simulated() {
            return platform::block(&[self.header.object()], ready, deadline, why);
        }
        let poked = QueueWait { queue: self, mask: POKE };
        loop {
            // Whatever comes after this sets it again, so nothing is missed between the look and the wait.
            self.header.clear_bits(POKE);
            if ready() {
                return true;
            }
            if deadline.is_now() || wait::wait(&[&poked], false, deadline, why).is_none() {
                return ready();
            }
        }
    }

    /// What `GetMessage` and `PeekMessage` do: delivers what other threads have sent, and gives the next message that
    /// passes the filter, `None` after the deadline. Tasks come as messages to the thread's COM window, in order with
    /// the posted ones; [`MessageQueue::dispatch_task`] runs them. Timers come last (MSG-12).
    pub fn next_message(&self, filter: &Filter, remove: bool, deadline: Deadline) -> Option<MSG> {
        loop {
            // Tasks come to threads in apartments. For others the window is made when one has come nevertheless.
            let needs_window = self.has(TASKS) || platform::with_current(|thread| thread.com().is_in_com());
            let com_window = if needs_window { self.com_window() } else { HWND::NULL };
            let wanted = || !matches!(self.inner.lock().find(filter, com_window), Found::Nothing);
            // A timer is nobody's but the thread's own, so that it comes due is part of the wait's step.
            self.fire_timers();
            let bounded = self.bounded(deadline, filter);
            let came = self.wait_for(&|| self.has(SENT) || wanted(), bounded, Why::MessageLoop);
            self.fire_timers();
            if let Some(sent) = self.take_sent() {
                sent.deliver();
                continue;
            }
            if !needs_window && self.has(TASKS) {
                continue;
            }
            let msg = self.look(filter, remove, com_window);
            if msg.is_some() || !came {
                return msg;
            }
        }
    }

    fn look(&self, filter: &Filter, remove: bool, com_window: HWND) -> Option<MSG> {
        let (mut message, mut seq) = (None, None);
        self.change(0, |inner| {
            // What is new becomes so under this lock, so nothing that is not looked at here is marked.
            self.header.clear_bits(if filter.is_all() { ANY_NEW } else { NEW_TO_ANY });
            (message, seq) = inner.next(filter, remove, com_window).unzip();
            Some(())
        });
        self.note_found(seq.flatten());
        message
    }

    /// Runs the task that a message loop has retrieved as a message with this lParam. For the owner only.
    pub fn dispatch_task(&self, lparam: isize) {
        let task = self.change(0, |inner| {
            let at = inner.retrieved.iter().position(|(key, _)| *key == lparam)?;
            Some(inner.retrieved.remove(at).1)
        });
        if let Some(task) = task {
            task.run();
        }
    }

    /// The thread's hidden COM window, to which its tasks are messages (MSG-01). Made when its owner first asks for it.
    pub fn com_window(&self) -> HWND {
        *self.com_window.get_or_init(super::window::new_com_window)
    }

    /// An apartment of the thread begins: from here on the queue takes tasks, as a new queue does.
    pub fn open_tasks(&self) {
        self.header.visit(Access::Write);
        self.inner.lock().tasks_closed = false;
    }

    /// The apartment ends: the queue takes no more tasks; those left over are the caller's, to run or to abandon.
    pub fn close_tasks(&self) -> Vec<Arc<dyn Task>> {
        self.header.visit(Access::Write);
        self.change(0, |inner| {
            inner.tasks_closed = true;
            Some(inner.drain_tasks())
        })
        .unwrap_or_default()
    }

    /// The thread ends: nothing can be posted any more, who has sent a message gets 0, and the tasks left over are the
    /// caller's.
    pub fn close(&self) -> Vec<Arc<dyn Task>> {
        self.header.visit(Access::Write);
        let (sent, tasks) = self
            .change(0, |inner| {
                inner.closed = true;
                inner.posted = VecDeque::new();
                inner.dde = 0;
                inner.timers.clear();
                Some((std::mem::take(&mut inner.sent), inner.drain_tasks()))
            })
            .unwrap_or_default();
        for message in sent {
            message.fail();
        }
        tasks
    }

    /// Throws away the posted messages that a modal wait would not dispatch, but for `WM_QUIT`. For the owner only.
    pub(crate) fn discard_posted(&self) {
        self.header.visit(Access::Write);
        self.change(0, |inner| {
            inner.posted.retain(|(_, msg)| is_dde(msg.message) || msg.message == WM_QUIT);
            self.header.clear_bits(NEW_POSTS);
            Some(())
        });
    }

    /// A window ended: its posted messages and its timers go with it.
    pub(super) fn forget_window(&self, hwnd: HWND) {
        self.header.visit(Access::Write);
        self.change(0, |inner| {
            inner.timers.forget_window(hwnd);
            inner.posted.retain(|(_, msg)| msg.hwnd != hwnd);
            inner.dde = inner.posted.iter().filter(|(_, msg)| is_dde(msg.message)).count();
            Some(())
        });
    }
}

/// Runs what a modal wait has taken, on the queue's thread, with no lock held.
pub fn run_pumped(pumped: Pumped) {
    match pumped {
        Pumped::Sent(message) => message.deliver(),
        Pumped::Task(task) => task.run(),
        Pumped::Posted(msg) => drop(super::dispatch(&msg)),
    }
}

/// Waits for a message queue: ready when one of the bits of `mask` is set. For the owner of the queue.
pub struct QueueWait<'a> {
    /// The queue.
    pub queue: &'a MessageQueue,
    /// What makes it ready.
    pub mask: u32,
}

impl sealed::Sealed for QueueWait<'_> {}

impl Waitable for QueueWait<'_> {
    fn header(&self) -> &Header {
        &self.queue.header
    }
    fn mode(&self) -> Mode<'_> {
        Mode::Mask(self.mask)
    }
}
