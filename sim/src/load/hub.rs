//! The hub under a load: it switches fibers and moves the clock, always on the stack that the load was started on.

use super::measure::Sampler;
use super::port::{Entered, HUB, LoadPort, Mode, Pending, What};
use crate::fiber::{Fiber, Link};
use crate::report::{Blocked, End};
use oleander::platform::{self, Spawn, Thread, ThreadRef, Why, enter};
use oleander::process::Process;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The record of the thread that the hub runs on. It is the current one whenever no fiber runs, also after a panic.
struct Outside(ThreadRef);

impl Outside {
    fn enter(&self) {
        // SAFETY: `self.0` keeps it alive for as long as the load runs, and whoever put it there first, after that.
        unsafe { enter(Arc::as_ptr(&self.0)) };
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.enter();
    }
}

/// What came of it.
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) virtual_ns: u64,
    pub(super) threads_max: usize,
    pub(super) switches: u64,
    pub(super) abandoned: usize,
}

struct Hub<'a> {
    port: &'a Arc<LoadPort>,
    outside: &'a Outside,
    sampler: &'a Sampler,
    fibers: Vec<Option<Fiber>>,
    /// Conditions and wakers run on behalf of it.
    first: ThreadRef,
    /// Where the clock must not go.
    limit_ns: u64,
}

/// Runs the scenario's threads to their end.
pub(super) fn run(port: &Arc<LoadPort>, sampler: &Sampler, limit_ns: u64, scenario: impl FnOnce()) -> Ended {
    let outside = Outside(platform::current().to_ref());
    let entered = Entered::new(port.clone());
    let process = Process::new(port.clone());
    let body: Box<dyn FnOnce() + '_> = Box::new(scenario);
    // SAFETY: only the lifetime changes. The body runs on a fiber that this function resumes and nobody after it: a fiber
    // that has not ended by then is forgotten with all that it borrows, like a value that is forgotten.
    let body = unsafe { std::mem::transmute::<Box<dyn FnOnce() + '_>, Box<dyn FnOnce() + 'static>>(body) };
    let first = port.add(Spawn { name: "main".to_owned(), process, daemon: false }, body);
    let mut hub = Hub { port, outside: &outside, sampler, fibers: Vec::new(), first, limit_ns };
    let mut end = hub.drive();
    if end == End::Completed {
        hub.close();
        end = hub.panicked().unwrap_or(end);
    }
    let abandoned = hub.fibers.drain(..).filter(Option::is_some).count();
    let ended = Ended {
        end,
        virtual_ns: port.now_ns.get(),
        threads_max: port.state.borrow().threads_max,
        switches: port.switches.get(),
        abandoned,
    };
    drop(hub);
    drop(entered);
    ended
}

impl Hub<'_> {
    /// Steps until every thread that counts has ended, or none can run, or something is wrong.
    fn drive(&mut self) -> End {
        loop {
            self.start_newborn();
            if let Some(end) = self.panicked() {
                return end;
            }
            if self.port.alive.get() == 0 && self.port.state.borrow().runnable.is_empty() {
                return End::Completed;
            }
            if self.port.spins.get() {
                return End::StepLimit { circling: Vec::new() };
            }
            let next = self.port.state.borrow_mut().runnable.pop_front();
            match next {
                Some(number) => self.look_at(number),
                None if self.advance() => {}
                None => return self.deadlock(),
            }
        }
    }

    fn start_newborn(&mut self) {
        loop {
            let newborn = self.port.state.borrow_mut().newborn.pop_front();
            let Some((number, body)) = newborn else { return };
            let port = Arc::as_ptr(self.port);
            if self.fibers.len() <= number {
                self.fibers.resize_with(number + 1, || None);
            }
            self.fibers[number] = Some(Fiber::new(move |link| {
                // SAFETY: fibers run only while their load is entered, and that keeps it alive.
                run_thread(unsafe { &*port }, number, link, body);
            }));
            self.resume(number);
        }
    }

    /// Lets a thread go on if it can.
    fn look_at(&mut self, number: usize) {
        let (record, ready, deadline) = {
            let mut state = self.port.state.borrow_mut();
            let Some(slot) = state.slots[number].as_mut() else { return };
            slot.queued = false;
            match slot.pending {
                Pending::Wait { ready, deadline, .. } => (Arc::as_ptr(&slot.thread), ready, deadline),
                Pending::Turn => {
                    drop(state);
                    return self.resume(number);
                }
                Pending::First => return,
            }
        };
        self.port.mode.set(Mode::Deciding);
        // SAFETY: the slot keeps the record alive; ours is put back below.
        unsafe { enter(record) };
        // SAFETY: the thread is inside `block`, which keeps the condition alive.
        let held = unsafe { (*ready)() };
        self.outside.enter();
        self.port.mode.set(Mode::Running);
        if held || deadline.ns().is_some_and(|at_ns| at_ns <= self.port.now_ns.get()) {
            self.port.held.set(held);
            self.resume(number);
        }
    }

    /// Runs a thread to its next wait.
    fn resume(&mut self, number: usize) {
        let record: *const Thread = {
            let mut state = self.port.state.borrow_mut();
            let slot = state.slots[number].as_mut().expect("a thread that is resumed has not ended");
            slot.pending = Pending::First;
            Arc::as_ptr(&slot.thread)
        };
        // SAFETY: the slot keeps the record alive until the thread has ended, and ours is put back below.
        unsafe { enter(record) };
        self.port.running.set(number);
        self.port.switches.update(|switches| switches + 1);
        let fiber = self.fibers[number].as_mut().expect("a thread that has not ended has a fiber");
        let paused = fiber.resume(0);
        self.port.running.set(HUB);
        self.outside.enter();
        if paused.is_none() {
            self.fibers[number] = None;
            let gone = self.port.state.borrow_mut().remove(number);
            if gone.as_ref().is_some_and(|slot| !slot.daemon) {
                self.port.alive.update(|alive| alive - 1);
            }
            drop(gone);
        }
    }

    /// Moves the clock to what comes next; says whether anything does.
    fn advance(&mut self) -> bool {
        let due = self.port.state.borrow_mut().due.pop();
        let Some(std::cmp::Reverse(due)) = due else { return false };
        if due.at_ns > self.limit_ns {
            return false;
        }
        if due.at_ns > self.port.now_ns.get() {
            self.sampler.until(due.at_ns);
            self.port.now_ns.set(due.at_ns);
        }
        match due.what {
            What::Thread { number, wait } => {
                let mut state = self.port.state.borrow_mut();
                let there = state.slots[number].as_ref();
                if there.is_some_and(|slot| matches!(slot.pending, Pending::Wait { wait: now, .. } if now == wait)) {
                    state.look_at(number);
                }
            }
            What::Wake(waker) => {
                self.port.mode.set(Mode::Deciding);
                // SAFETY: `self.first` keeps the record alive; ours is put back below.
                unsafe { enter(Arc::as_ptr(&self.first)) };
                waker.wake();
                self.outside.enter();
                self.port.mode.set(Mode::Running);
            }
        }
        true
    }

    fn deadlock(&self) -> End {
        let state = self.port.state.borrow();
        let blocked = state.slots.iter().flatten().filter_map(|slot| match slot.pending {
            Pending::Wait { why, .. } => Some(Blocked {
                thread: slot.thread.name().to_owned(),
                why,
                on: Vec::new(),
                daemon: slot.daemon,
                words: String::new(),
            }),
            _ => None,
        });
        End::Deadlock { blocked: blocked.collect(), limits: self.first.process().limits_reached() }
    }

    /// Sends idle daemons home: their waits return, and their bodies with them.
    fn close(&mut self) {
        self.port.mode.set(Mode::Closing);
        self.port.held.set(false);
        for number in 0..self.fibers.len() {
            let idle = self.port.state.borrow().slots[number]
                .as_ref()
                .is_some_and(|slot| slot.daemon && matches!(slot.pending, Pending::Wait { why: Why::Idle, .. }));
            if idle {
                self.resume(number);
            }
        }
    }

    fn panicked(&self) -> Option<End> {
        let panic = self.port.panic.borrow();
        panic.as_ref().map(|(thread, message)| End::Panicked { thread: thread.clone(), message: message.clone() })
    }
}

/// The root of a fiber: runs the thread's body, and what it registered for its end.
fn run_thread(port: &LoadPort, number: usize, link: &Link, body: Box<dyn FnOnce()>) {
    let thread = {
        let mut state = port.state.borrow_mut();
        let slot = state.slots[number].as_mut().expect("a thread that starts has not ended");
        slot.link = link;
        slot.thread.clone()
    };
    for part in [body, Box::new(|| platform::current().end())] {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(part)) {
            port.thread_panicked(&thread, payload.as_ref());
            return;
        }
    }
}
