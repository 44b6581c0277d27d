//! Mutexes: owned by a thread, as often as it has waited for them; abandoned when it ends.
//!
//! The word's value is the owner's thread id, a multiple of four, or 0; bit 0 ([`LEFT`]) says that the last owner ended
//! without releasing it, and goes when the next one has taken it. `again` is changed by the owner, or under the wait
//! lock on behalf of an owner that is blocked.

use super::header::Header;
use super::wait::{Mode, Waitable, sealed};
use crate::platform::sync::{AtomicU32, Ordering};
use crate::platform::{self, Access, Fact, ObjectKind};
use crate::process::Process;
use std::sync::{Arc, Weak};

/// The bit of an abandoned mutex.
pub(super) const LEFT: u32 = 1;

/// A mutex that threads wait for like for any other object.
pub struct Mutex {
    header: Header,
    again: AtomicU32,
    me: Weak<Self>,
}

impl Mutex {
    /// A mutex of a process, that the current thread owns if it is to be `owned`.
    pub fn new(process: &Process, owned: bool) -> Arc<Self> {
        let owner = if owned { platform::current().id() } else { 0 };
        let made = Arc::new_cyclic(|me| Self {
            header: Header::new(process, ObjectKind::Mutex, owner),
            again: AtomicU32::new(0),
            me: me.clone(),
        });
        if owned {
            made.note_owned();
        }
        made
    }

    /// Gives it up once; `false` if the current thread does not own it.
    pub fn release(&self) -> bool {
        self.header.visit(Access::Write);
        self.release_in_step()
    }

    /// [`Mutex::release`] as part of a step that the caller has announced.
    pub(crate) fn release_in_step(&self) -> bool {
        let me = platform::current();
        if self.header.value() != me.id() {
            return false;
        }
        if self.again.load(Ordering::Relaxed) > 0 {
            self.again.fetch_sub(1, Ordering::Relaxed);
            return true;
        }
        platform::tell(|| Fact::GivesUp(self.header.object()));
        me.com().kernel.owned.borrow_mut().retain(|owned| !std::ptr::eq(owned.as_ptr(), self));
        self.header.change(|_| Some(0));
        true
    }

    /// The current thread has taken it (again): its end will give it up.
    fn note_owned(&self) {
        let me = platform::current();
        let mut owned = me.com().kernel.owned.borrow_mut();
        if owned.iter().any(|it| std::ptr::eq(it.as_ptr(), self)) {
            return;
        }
        if !me.com().kernel.abandons_at_exit.replace(true) {
            me.at_exit(Box::new(abandon_all));
        }
        owned.push(self.me.clone());
        drop(owned);
        platform::tell(|| Fact::Owns(self.header.object()));
    }
}

/// The thread ends: gives up what it still owns.
fn abandon_all() {
    let thread = platform::current();
    thread.com().kernel.abandons_at_exit.set(false);
    let owned = thread.com().kernel.owned.take();
    for mutex in owned.iter().filter_map(Weak::upgrade) {
        mutex.header.visit(Access::Write);
        mutex.again.store(0, Ordering::Relaxed);
        platform::tell(|| Fact::GivesUp(mutex.header.object()));
        mutex.header.change(|_| Some(LEFT));
    }
}

impl sealed::Sealed for Mutex {}

impl Waitable for Mutex {
    fn header(&self) -> &Header {
        &self.header
    }
    fn mode(&self) -> Mode<'_> {
        Mode::Owned(&self.again)
    }
    fn taken(&self) {
        self.note_owned();
    }
}
