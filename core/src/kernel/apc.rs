//! Asynchronous procedure calls: functions that other threads queue to a thread, and that run on it when it waits alertably
//! (WAIT-16).
//!
//! The value of the queue's word is 1 while a call waits. Word and list change together under `inner`'s lock, as those of a
//! message queue do; the wait lock is taken after it is released. Every thread posts; only the owner takes.
//!
//! A call is taken in the step of the wait that found it, or in one of its own, and runs with no lock held. It may wait
//! alertably itself: then the calls behind it run inside it.

use super::header::{Header, WAITERS};
use super::wait::{Mode, Waitable, sealed};
use crate::platform::sync::Mutex;
use crate::platform::{self, Access, ObjectKind};
use crate::process::Process;
use std::collections::VecDeque;

/// The bit of the word: a call waits.
const WAITING: u32 = 1;

/// A call.
pub(crate) type Apc = Box<dyn FnOnce() + Send>;

/// The calls queued to one thread.
pub(crate) struct ApcQueue {
    header: Header,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    calls: VecDeque<Apc>,
    closed: bool,
}

impl ApcQueue {
    pub(super) fn new(process: &Process) -> Self {
        Self { header: Header::new(process, ObjectKind::Apcs, 0), inner: Mutex::new(Inner::default()) }
    }

    /// Queues a call; gives it back when the thread has ended.
    pub(crate) fn post(&self, call: Apc) -> Result<(), Apc> {
        self.header.visit(Access::Post);
        let word = {
            let mut inner = self.inner.lock();
            if inner.closed {
                return Err(call);
            }
            inner.calls.push_back(call);
            self.header.set_bits(WAITING)
        };
        if word & WAITERS != 0 {
            self.header.notify();
        }
        Ok(())
    }

    /// Takes the first call. Part of a step; for the owner only.
    fn take(&self) -> Option<Apc> {
        let mut inner = self.inner.lock();
        let call = inner.calls.pop_front();
        if inner.calls.is_empty() {
            self.header.clear_bits(WAITING);
        }
        call
    }

    /// Runs calls until none is left, the first as part of the step of the wait that found it; whether there was one. For the
    /// owner only.
    pub(crate) fn run(&self) -> bool {
        let mut ran = false;
        while let Some(call) = self.take() {
            ran = true;
            call();
            self.header.visit(Access::Receive);
        }
        ran
    }

    /// [`ApcQueue::run`] outside a wait.
    pub(crate) fn run_waiting(&self) {
        self.header.visit(Access::Receive);
        self.run();
    }

    /// The thread ends: nothing is queued any more, and what waits is forgotten. Part of the thread's last step.
    pub(super) fn close(&self) {
        platform::note(self.header.object(), Access::Write);
        let left = {
            let mut inner = self.inner.lock();
            inner.closed = true;
            self.header.clear_bits(WAITING);
            std::mem::take(&mut inner.calls)
        };
        drop(left);
    }
}

impl sealed::Sealed for ApcQueue {}

impl Waitable for ApcQueue {
    fn header(&self) -> &Header {
        &self.header
    }
    fn mode(&self) -> Mode<'_> {
        Mode::Mask(WAITING)
    }
}
