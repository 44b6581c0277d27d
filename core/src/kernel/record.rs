//! Who waits: the record of a blocked thread, the callbacks, and the collection of those to wake.
//!
//! A blocked thread's [`Record`] lies on its own stack. It is registered in the list of each object of the wait, and
//! whoever changes one of them *grants* the wait under the lock as soon as it can be satisfied: takes what is to be
//! taken, takes the record out of all lists, and last of all writes the result into it ([`Wakes::publish`]). So a wait
//! that was satisfied once stays satisfied (a set event releases all who wait, even if it is reset at once), the first
//! to wait is the first to be served, and nobody is woken in vain.
//!
//! | `state`       | meaning                                    | who changes it                              |
//! |---------------|--------------------------------------------|---------------------------------------------|
//! | `PENDING`     | registered in every list of the wait       | the thread, to leave, under the lock        |
//! | anything else | satisfied; in no list; nobody will touch it | final; written by the granter under the lock |
//!
//! The thread may return, and its record and the objects may cease to be, as soon as the result is written. So the
//! granter is through with all objects and lists before it writes the first result, and touches no record after.
//!
//! In a simulated world no thread registers: there a blocked thread takes what it waits for in its own step. Callbacks
//! register everywhere.

use super::header::{Header, Key};
use super::wait::{self, Hit, Need, Waitable};
use crate::platform::ThreadRef;
use crate::platform::sync::{AtomicU32, Ordering};
use smallvec::SmallVec;
use std::sync::Arc;

/// What is called when an object becomes ready; see [`super::on_signal`].
pub type Callback = Arc<dyn Fn() + Send + Sync>;

const PENDING: u32 = u32::MAX;

/// A thread that waits.
pub(super) struct Record<'a> {
    pub(super) objects: &'a [&'a dyn Waitable],
    pub(super) need: Need,
    pub(super) thread: ThreadRef,
    state: AtomicU32,
}

impl<'a> Record<'a> {
    pub(super) fn new(objects: &'a [&'a dyn Waitable], need: Need, thread: ThreadRef) -> Self {
        Self { objects, need, thread, state: AtomicU32::new(PENDING) }
    }

    /// What the wait got, once it got it.
    pub(super) fn hit(&self) -> Option<Hit> {
        match self.state.load(Ordering::Acquire) {
            PENDING => None,
            bits => Some(Hit::from_bits(bits)),
        }
    }

    /// Enters the record in the list of each object.
    ///
    /// # Safety
    /// The record stays where it is until [`Record::leave`] has returned or [`Record::hit`] gave something.
    pub(super) unsafe fn enter(&self, key: &mut Key<'_>) {
        let raw = std::ptr::from_ref(self).cast::<Record<'static>>();
        for object in self.objects {
            object.header().with_list(key, |list| list.push(Waiter::Thread(raw)));
        }
    }

    /// Takes the record out of all lists.
    pub(super) fn leave(&self, key: &mut Key<'_>) {
        let raw = std::ptr::from_ref(self).cast::<Record<'static>>();
        for object in self.objects {
            let header = object.header();
            header.with_list(key, |list| list.retain(|waiter| !waiter.is(raw)));
            header.thaw(key);
        }
    }
}

/// An entry in an object's list.
pub(super) enum Waiter {
    /// A blocked thread: its record, which is alive as long as it is in a list.
    Thread(*const Record<'static>),
    /// Someone who wants to be told once. In a box: nearly all who wait are threads, and every object has room for one waiter.
    Callback(Box<Listener>),
}

/// Who is told by a callback.
pub(super) struct Listener {
    /// The registration's number.
    pub(super) id: u64,
    pub(super) want: Want,
    pub(super) callback: Callback,
}

/// When a callback is called.
#[derive(Clone, Copy)]
pub(super) enum Want {
    /// When one of these bits of the value is set.
    Some(u32),
    /// When none of these is.
    None(u32),
}

impl Want {
    pub(super) fn is_met(self, value: u32) -> bool {
        match self {
            Self::Some(bits) => value & bits != 0,
            Self::None(bits) => value & bits == 0,
        }
    }
}

impl Waiter {
    fn is(&self, raw: *const Record<'static>) -> bool {
        matches!(self, Self::Thread(mine) if std::ptr::eq(*mine, raw))
    }
}

/// Whom to tell when the lock is free again.
#[derive(Default)]
pub(super) struct Wakes {
    granted: SmallVec<[(*const Record<'static>, Hit); 4]>,
    threads: SmallVec<[ThreadRef; 4]>,
    listeners: SmallVec<[Box<Listener>; 2]>,
}

impl Wakes {
    /// Grants every wait on `header` that can be satisfied now, first come, first served.
    pub(super) fn grant(&mut self, header: &Header, key: &mut Key<'_>) {
        enum Next {
            End,
            Skip,
            Look(*const Record<'static>),
            Call,
        }
        let mut at = 0;
        loop {
            let next = header.with_list(key, |list| match list.get(at) {
                None => Next::End,
                Some(Waiter::Thread(record)) => Next::Look(*record),
                Some(Waiter::Callback(it)) if it.want.is_met(header.value()) => Next::Call,
                Some(Waiter::Callback(_)) => Next::Skip,
            });
            match next {
                Next::End => return,
                Next::Skip => at += 1,
                Next::Call => {
                    let waiter = header.with_list(key, |list| list.remove(at));
                    if let Waiter::Callback(listener) = waiter {
                        self.listeners.push(listener);
                    }
                }
                Next::Look(raw) => {
                    // SAFETY: a record in a list is alive (`Record::enter`), and it stays so at least until the lock
                    // is released or its result is written, neither of which happens here.
                    let record = unsafe { &*raw };
                    match wait::take_now(record.objects, record.need, record.thread.id(), key) {
                        None => at += 1,
                        Some(hit) => {
                            record.leave(key);
                            self.threads.push(record.thread.clone());
                            self.granted.push((raw, hit));
                        }
                    }
                }
            }
        }
    }

    /// Writes the results. The last thing under the lock: the objects may cease to be from here on.
    pub(super) fn publish(&mut self, _key: &Key<'_>) {
        for (record, hit) in self.granted.drain(..) {
            // SAFETY: its thread cannot leave before the state is written or the lock is free.
            unsafe { (*record).state.store(hit.to_bits(), Ordering::Release) };
        }
    }

    /// Wakes everybody. Called without a lock.
    pub(super) fn run(self) {
        for thread in self.threads {
            thread.wake();
        }
        for listener in self.listeners {
            (listener.callback)();
        }
    }
}
