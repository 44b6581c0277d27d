//! What every waitable object begins with: its number for the port, one atomic word, and who waits for it.
//!
//! # The word
//!
//! | bits   | name      | an event             | a semaphore | a mutex                              | a message queue      |
//! |--------|-----------|----------------------|-------------|--------------------------------------|----------------------|
//! | 31     | `WAITERS` | someone waits        | the same    | the same                             | the same             |
//! | 30..=0 | the value | bit 0: it is signalled | the count | the owner's thread id; bit 0: abandoned | status bits of `queue` |
//!
//! | `WAITERS` | bit 0   | meaning of an event's word                                                                 |
//! |-----------|---------|--------------------------------------------------------------------------------------------|
//! | 0         | 0       | not signalled, nobody waits: every operation is one compare-exchange without a lock        |
//! | 0         | 1       | signalled, nobody waits: likewise                                                          |
//! | 1         | 0       | someone is registered; whoever changes the word holds the wait lock                        |
//! | 1         | 1       | likewise; whoever is still registered waits for more than this object, or wants to be told |
//!
//! An automatic event has no other bits. A manual one counts with them: its value is how often it was signalled and not
//! signalled by turns, odd while it is signalled, and begins again after 2,147,483,648 changes. So one look can tell from an
//! earlier one whether it has changed since (see `at_once`).
//!
//! # Who may touch what
//!
//! - `WAITERS` is set and cleared by holders of the wait lock only. While it is set, the value of an event, a semaphore
//!   or a mutex is changed by holders of the lock only (the object is *frozen*), so a thread that holds the lock and
//!   has frozen all objects of a wait sees all of them at one moment and takes from all of them at that moment. The
//!   bits of a message queue come and go outside the lock; nothing is taken from them, so they need no freezing.
//! - `list` is touched by holders of the wait lock only.
//! - An object's wait lock never changes: it is the lock of the process that the object was made in.
//!
//! # Why it cannot deadlock
//!
//! The wait lock is the last lock that anyone takes: its holder takes no other, calls nobody, and wakes nobody. What is
//! to be woken is collected in [`Wakes`] and woken when the lock is free again.

use super::record::{Waiter, Wakes};
use crate::platform::sync::{AtomicU32, Mutex, MutexGuard, Ordering, UnsafeCell};
use crate::platform::{self, Access, Object, ObjectKind, Port};
use crate::process::Process;
use smallvec::SmallVec;
use std::sync::{Arc, Weak};

/// The bit of the word that says that someone is registered.
pub(super) const WAITERS: u32 = 1 << 31;
/// The bit of an event's value that says that it is signalled.
pub(super) const SIGNALED: u32 = 1;

/// The lock that makes wait-any and wait-all atomic; one for each process.
///
/// What it guards of its own is the number of the next callback's registration. Beside it lies what else all threads of the
/// process write: away from what they only read.
pub(crate) struct WaitLock {
    next_registration: Mutex<u64>,
    next_object: std::sync::atomic::AtomicU64,
    /// The world of the process, if it is in one.
    world: Option<Weak<dyn Port>>,
}

impl WaitLock {
    pub(crate) fn new(first_object: u64, world: Option<Weak<dyn Port>>) -> Arc<Self> {
        Arc::new(Self { next_registration: Mutex::new(0), next_object: first_object.into(), world })
    }

    /// A number that no other object of the process has.
    pub(crate) fn next_object(&self) -> u64 {
        self.next_object.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// Proof that a thread holds a wait lock.
pub(super) struct Key<'a> {
    lock: &'a WaitLock,
    next: MutexGuard<'a, u64>,
}

impl Key<'_> {
    /// A number that no other registration has.
    pub(super) fn new_id(&mut self) -> u64 {
        *self.next += 1;
        *self.next
    }
}

/// The part that all waitable objects have in common.
pub struct Header {
    /// The object's number, and what it is.
    id: u64,
    kind: ObjectKind,
    /// Whether it is of a simulated world.
    in_world: bool,
    /// See the tables of the module.
    word: AtomicU32,
    lock: Arc<WaitLock>,
    list: UnsafeCell<SmallVec<[Waiter; 1]>>,
}

// SAFETY: `list` is reached through a `Key` of the object's own lock only (`with_list`), all else is atomic or constant.
unsafe impl Sync for Header {}
// SAFETY: the waiters in the list are pointers that their owners take out before they end, and `Send` callbacks.
unsafe impl Send for Header {}

impl Header {
    pub(super) fn new(process: &Process, kind: ObjectKind, value: u32) -> Self {
        let Object { id, kind } = process.new_object(kind);
        Self {
            id,
            kind,
            in_world: process.wait_lock.world.is_some(),
            word: AtomicU32::new(value),
            lock: process.wait_lock.clone(),
            list: UnsafeCell::new(SmallVec::new()),
        }
    }

    /// The object's number and kind, as the port knows it.
    pub fn object(&self) -> Object {
        Object { id: self.id, kind: self.kind }
    }

    /// Announces an operation.
    #[inline]
    pub(super) fn visit(&self, access: Access) {
        // For host threads and their objects this is all.
        if platform::is_simulated() || self.in_world {
            self.visit_world(access);
        }
    }

    #[cold]
    fn visit_world(&self, access: Access) {
        if !platform::is_simulated() {
            // A thread that is none of the world's is here.
            platform::used_outside(self.lock.world.as_ref());
        }
        platform::visit(self.object(), access);
    }

    /// Value and `WAITERS` bit. Acquire: who sees an object signalled sees what came before the signal.
    #[inline]
    pub(super) fn word(&self) -> u32 {
        self.word.load(Ordering::Acquire)
    }

    /// The value without the `WAITERS` bit.
    #[inline]
    pub(super) fn value(&self) -> u32 {
        self.word() & !WAITERS
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn has_waiters(&self) -> bool {
        self.word() & WAITERS != 0
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn waiters(&self) -> usize {
        let mut key = self.lock();
        self.with_list(&mut key, |list| list.len())
    }

    /// Changes the value without the lock, by `change`, which says no with `None`. `Err` when someone is registered.
    ///
    /// Every change is acquire and release, and writes even what was there before: who sees the object signalled
    /// has seen all that was done before any of the signals so far.
    #[inline]
    pub(super) fn change_fast(&self, mut change: impl FnMut(u32) -> Option<u32>) -> Result<Option<u32>, Frozen> {
        let mut old = self.word.load(Ordering::Relaxed);
        loop {
            if old & WAITERS != 0 {
                return Err(Frozen);
            }
            let Some(new) = change(old) else { return Ok(None) };
            match self.word.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(Some(old)),
                Err(now) => old = now,
            }
        }
    }

    /// Changes the value under the lock and gives what became possible to the waiters.
    #[cold]
    pub(super) fn change_slow(&self, mut change: impl FnMut(u32) -> Option<u32>) -> Option<u32> {
        let mut wakes = Wakes::default();
        let old = {
            let mut key = self.lock();
            self.freeze(&mut key);
            let old = self.value();
            let new = change(old);
            if let Some(new) = new {
                self.put(&mut key, new);
                wakes.grant(self, &mut key);
            }
            self.thaw(&mut key);
            wakes.publish(&key);
            new.map(|_| old)
        };
        wakes.run();
        old
    }

    /// Changes the value by the fast way if possible, else by the slow one. Gives the old value, `None` for no.
    #[inline]
    pub(super) fn change(&self, mut change: impl FnMut(u32) -> Option<u32>) -> Option<u32> {
        match self.change_fast(&mut change) {
            Ok(old) => old,
            Err(Frozen) => self.change_slow(change),
        }
    }

    /// Sets and clears bits at any time, for objects from which nothing is taken; gives the word before.
    #[inline]
    pub(super) fn set_bits(&self, bits: u32) -> u32 {
        self.word.fetch_or(bits, Ordering::AcqRel)
    }

    /// See [`Header::set_bits`].
    #[inline]
    pub(super) fn clear_bits(&self, bits: u32) -> u32 {
        self.word.fetch_and(!bits, Ordering::AcqRel)
    }

    /// Lets those who are registered look at the object again.
    #[cold]
    pub(super) fn notify(&self) {
        let mut wakes = Wakes::default();
        {
            let mut key = self.lock();
            wakes.grant(self, &mut key);
            self.thaw(&mut key);
            wakes.publish(&key);
        }
        wakes.run();
    }

    pub(super) fn lock(&self) -> Key<'_> {
        Key { lock: &self.lock, next: self.lock.next_registration.lock() }
    }

    /// Whether the key is of this object's lock.
    pub(super) fn is_locked_by(&self, key: &Key<'_>) -> bool {
        std::ptr::eq(key.lock, &*self.lock)
    }

    /// From here to [`Header::thaw`] only holders of the lock change the value.
    pub(super) fn freeze(&self, key: &mut Key<'_>) {
        debug_assert!(self.is_locked_by(key));
        self.word.fetch_or(WAITERS, Ordering::AcqRel);
    }

    /// The end of [`Header::freeze`], unless someone is registered.
    pub(super) fn thaw(&self, key: &mut Key<'_>) {
        if self.with_list(key, |list| list.is_empty()) {
            self.word.fetch_and(!WAITERS, Ordering::AcqRel);
        }
    }

    /// Puts a value into the frozen word.
    pub(super) fn put(&self, key: &mut Key<'_>, value: u32) {
        debug_assert!(self.is_locked_by(key));
        // An exchange and not a store: it keeps the chain of releases unbroken for who reads it later.
        self.word.swap(value | WAITERS, Ordering::AcqRel);
    }

    /// The list of who is registered.
    pub(super) fn with_list<R>(&self, key: &mut Key<'_>, f: impl FnOnce(&mut SmallVec<[Waiter; 1]>) -> R) -> R {
        assert!(self.is_locked_by(key), "the objects of one wait belong to one process");
        self.list.with_mut(|list| {
            // SAFETY: the key proves that this thread holds the object's lock, and `f` cannot come here again, for it
            // would need the key that is borrowed mutably.
            f(unsafe { &mut *list })
        })
    }
}

/// Someone is registered: the fast way is closed.
pub(super) struct Frozen;
