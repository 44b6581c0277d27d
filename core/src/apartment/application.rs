//! The application STA (MSG-17): an STA that is not re-entered. While it is in a call, or in a wait that dispatches no calls
//! (WAIT-19), ordinary calls that arrive are held back; calls of its own chain are let in while it waits for that chain;
//! what the machinery does (queries, releases) always is.
//!
//! All of it is the thread's own state: `waiting` counts the replies that it waits for, `quiet` the waits without calls,
//! `held` are the calls held back. When both are over and no call is being served, these go back to the head of the queue.

use super::{Apartment, Context, Home};
use crate::abi::hresult::{RPC_E_CHANGED_MODE, S_FALSE, S_OK};
use crate::channel::Caller;
use crate::kernel::Task;
use crate::platform::{self, Current};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use windows_core::HRESULT;

/// The application STAs that a chain of calls has passed: two tell all that is asked. 0 is none.
pub(crate) type Chain = [u64; 2];

/// What a thread keeps for its application STA.
#[derive(Default)]
pub(crate) struct Application {
    /// Its OXID; 0 in every other thread.
    own: Cell<u64>,
    /// What the call that is served has passed before.
    pub(crate) chain: Cell<Chain>,
    waiting: Cell<u32>,
    quiet: Cell<u32>,
    held: RefCell<Vec<Arc<dyn Task>>>,
}

/// What to do about a call that arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Serve it.
    Open,
    /// It waits until the thread is free.
    Held,
    /// Its chain has passed another application STA: `RO_E_BLOCKED_CROSS_ASTA_CALL`.
    Blocked,
}

impl Application {
    fn is_busy(&self) -> bool {
        let serves = || platform::with_current(|thread| matches!(&*thread.com().context.borrow(), Context::Call(_)));
        self.waiting.get() > 0 || self.quiet.get() > 0 || serves()
    }
}

/// What a call from this thread has passed.
pub(crate) fn chain(thread: &Current) -> Chain {
    let application = &thread.com().application;
    let (own, [first, second]) = (application.own.get(), application.chain.get());
    match (own, first, second) {
        (0, ..) => [first, second],
        (_, 0, _) => [own, 0],
        (_, _, 0) if first != own => [first, own],
        _ => [first, second],
    }
}

/// Whether a call may be served on this thread now; `reenters` is whether its own chain would be let in.
pub(crate) fn gate(caller: &Caller, reenters: bool) -> Gate {
    platform::with_current(|thread| {
        let application = &thread.com().application;
        let own = application.own.get();
        if own == 0 || !application.is_busy() {
            return Gate::Open;
        }
        if application.waiting.get() == 0 || caller.logical != thread.com().logical_thread(thread.id()) {
            return Gate::Held;
        }
        let others = caller.chain.iter().any(|passed| ![0, own].contains(passed));
        if others || !reenters { Gate::Blocked } else { Gate::Open }
    })
}

/// Keeps a task until the thread is free.
pub(crate) fn hold(task: Arc<dyn Task>) {
    platform::with_current(|thread| thread.com().application.held.borrow_mut().push(task));
}

/// The thread may be free now: what was held back is next.
pub(crate) fn release_held() {
    let free = platform::with_current(|thread| {
        let application = &thread.com().application;
        application.own.get() != 0 && !application.held.borrow().is_empty() && !application.is_busy()
    });
    if !free {
        return;
    }
    for task in take_held() {
        task.abandon();
    }
}

/// Gives held calls back to the queue; what that does not take any more is the caller's.
fn take_held() -> Vec<Arc<dyn Task>> {
    let (held, own) = platform::with_current(|thread| {
        let held = std::mem::take(&mut *thread.com().application.held.borrow_mut());
        (held, thread.com().own_apartment())
    });
    match own.as_ref().map(|own| &own.home) {
        Some(Home::Sta { queue, .. }) => queue.return_tasks(held),
        _ => held,
    }
}

/// The apartment ends: calls that were held back are among those that were not started.
pub(super) fn forget_held() -> Vec<Arc<dyn Task>> {
    platform::with_current(|thread| std::mem::take(&mut *thread.com().application.held.borrow_mut()))
}

/// The thread waits until this is dropped.
pub(super) struct Wait {
    for_reply: bool,
    counts: bool,
}

impl Wait {
    /// For a reply: the chain of calls may come back.
    pub(super) fn for_reply() -> Self {
        Self::begin(true, true)
    }

    /// For something else; `calls` is whether it dispatches them.
    pub(super) fn plain(calls: bool) -> Self {
        Self::begin(false, !calls)
    }

    fn begin(for_reply: bool, counts: bool) -> Self {
        let counts = counts && is_application_sta();
        let wait = Self { for_reply, counts };
        wait.count(1);
        wait
    }

    fn count(&self, by: i32) {
        if self.counts {
            platform::with_current(|thread| {
                let application = &thread.com().application;
                let count = if self.for_reply { &application.waiting } else { &application.quiet };
                count.set(count.get().wrapping_add_signed(by));
            });
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.counts {
            self.count(-1);
            release_held();
        }
    }
}

/// Whether the calling thread has entered an application STA.
pub(super) fn is_application_sta() -> bool {
    platform::with_current(|thread| thread.com().application.own.get() != 0)
}

/// The thread has left.
pub(super) fn forget(thread: &Current) {
    thread.com().application.own.set(0);
}

impl Apartment {
    /// Whether it is an application STA.
    pub(super) fn is_application(&self) -> bool {
        matches!(self.home, Home::Sta { application: true, .. })
    }
}

/// Enters an application STA, as the thread of a view does on Windows, where only the system makes them (MSG-17). Leave it
/// with `CoUninitialize`.
///
/// `S_OK` the first time, `S_FALSE` on a thread that is in one already, `RPC_E_CHANGED_MODE` on a thread that is in
/// another apartment. `CoInitializeEx` for an STA is `S_FALSE` there, as in any STA.
pub fn enter_application_sta() -> HRESULT {
    let thread = platform::current();
    let com = thread.com();
    match com.own_apartment() {
        Some(mine) if mine.is_application() && !com.is_visiting() => {
            com.init_count.set(com.init_count.get() + 1);
            S_FALSE
        }
        Some(_) => RPC_E_CHANGED_MODE,
        None if com.is_visiting() => RPC_E_CHANGED_MODE,
        None => {
            let apartment = super::init::new_sta(&thread, true);
            com.application.own.set(apartment.oxid);
            super::init::begin(&thread, apartment);
            S_OK
        }
    }
}
