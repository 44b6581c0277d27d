//! Events: signalled until reset, or until one wait has taken the signal.

use super::header::{Header, SIGNALED, WAITERS};
use super::wait::{self, Mode, Waitable, sealed};
use crate::platform::{self, Access, Deadline, ObjectKind, Why};
use crate::process::Process;
use std::sync::Arc;

/// An event. Four operations on one that nobody waits for are two compare-exchanges and two loads of its atomic word (see the
/// tables of `header`).
pub struct Event {
    header: Header,
}

impl Event {
    /// An event of a process: reset by hand, or by the wait that takes its signal (`auto`).
    pub fn new(process: &Process, auto: bool, signalled: bool) -> Self {
        let kind = if auto { ObjectKind::AutoEvent } else { ObjectKind::Event };
        Self { header: Header::new(process, kind, u32::from(signalled)) }
    }

    /// A manual-reset event, not signalled, that the port knows as a thread's end.
    pub(super) fn of_thread(process: &Process) -> Self {
        Self { header: Header::new(process, ObjectKind::Thread, 0) }
    }

    /// A manual-reset event of the current thread's process, not signalled.
    pub fn manual() -> Arc<Self> {
        Arc::new(Self::new(platform::current().process(), false, false))
    }

    /// An auto-reset event of the current thread's process, not signalled.
    pub fn auto() -> Arc<Self> {
        Arc::new(Self::new(platform::current().process(), true, false))
    }

    /// Whether a wait takes the signal.
    #[inline]
    pub fn is_auto(&self) -> bool {
        self.header.object().kind == ObjectKind::AutoEvent
    }

    /// Signals it: releases every wait on a manual event, one on an automatic one.
    #[inline]
    pub fn set(&self) {
        self.header.visit(Access::Signal);
        self.set_in_step();
    }

    /// [`Event::set`] as part of a step that the caller has announced.
    #[inline]
    pub(crate) fn set_in_step(&self) {
        self.header.change(|count| Some(count | SIGNALED));
    }

    /// Makes it not signalled.
    #[inline]
    pub fn reset(&self) {
        self.header.visit(Access::Write);
        self.reset_in_step();
    }

    /// [`Event::reset`] as part of a step that the caller has announced.
    #[inline]
    pub(crate) fn reset_in_step(&self) {
        // A manual event's count goes on to the next even number; an automatic one has none.
        let kept = if self.is_auto() { 0 } else { !(WAITERS | SIGNALED) };
        self.header.change(|count| Some((count + SIGNALED) & kept));
    }

    /// Whether it is signalled; takes nothing.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.header.visit(Access::Read);
        self.is_set_in_step()
    }

    /// [`Event::is_set`] as part of a step that the caller has announced.
    #[inline]
    pub(crate) fn is_set_in_step(&self) -> bool {
        Self::is_signalled_at(self.header.value())
    }

    /// How often a manual event was changed; `None` of an automatic one. Acquire, as [`Header::word`].
    #[inline]
    pub(super) fn count(&self) -> Option<u32> {
        if self.is_auto() { None } else { Some(self.header.value()) }
    }

    /// Whether an event is signalled that was changed so often.
    #[inline]
    pub(super) const fn is_signalled_at(count: u32) -> bool {
        count & SIGNALED != 0
    }

    /// Its number, which no other object of the process has.
    #[inline]
    pub(super) fn number(&self) -> u64 {
        self.header.object().id
    }

    /// Waits for it; `false` after the deadline.
    #[inline]
    pub fn wait(&self, deadline: Deadline, why: Why) -> bool {
        if !platform::is_simulated() {
            match self.take_at_once() {
                Some(true) => return true,
                Some(false) if deadline.is_now() => return false,
                _ => {}
            }
        }
        self.wait_at_length(deadline, why)
    }

    /// [`Event::poll`] on a host thread, as far as it goes without the lock; `None` if it does not.
    #[inline]
    pub(crate) fn take_at_once(&self) -> Option<bool> {
        wait::poll_fast(&self.header, self.is_auto())
    }

    #[cold]
    fn wait_at_length(&self, deadline: Deadline, why: Why) -> bool {
        wait::wait(&[self], false, deadline, why).is_some()
    }

    /// Takes the signal if it is there, without waiting.
    #[inline]
    pub fn poll(&self) -> bool {
        self.wait(Deadline::NOW, Why::Wait)
    }
}

impl sealed::Sealed for Event {}

impl Waitable for Event {
    fn header(&self) -> &Header {
        &self.header
    }
    fn mode(&self) -> Mode<'_> {
        if self.is_auto() { Mode::Counted } else { Mode::Sticky }
    }
}
