//! The pointer that `Connect` gives and `Disconnect` takes away while calls may be running on other threads.
//!
//! | word | meaning |
//! | --- | --- |
//! | `CONNECTED` set | the pointer is there; the low bits count who uses it now |
//! | clear, users > 0 | taken away; the last user releases it |
//! | 0 | nothing there |
//! | `CONNECTING` | one thread stores the pointer |
//!
//! `pointer` is written only while `CONNECTING` is set, and read only by users, so it needs no ordering of its own. Users
//! do not touch the pointer's reference count, and no lock is held while it is used or released: nothing can deadlock.

use crate::object::raw;
use crate::platform::sync::{AtomicU32, Ordering, UnsafeCell};
use std::ffi::c_void;
use std::ptr;

const CONNECTED: u32 = 1 << 31;
const CONNECTING: u32 = 1 << 30;

/// A counted interface pointer that can be taken away. See the module.
pub(crate) struct Link {
    state: AtomicU32,
    pointer: UnsafeCell<*mut c_void>,
}

// SAFETY: `pointer` is guarded by `state` as the module says; what it points at is used as the proxy's or stub's own
// callers are allowed to.
unsafe impl Sync for Link {}
// SAFETY: as above.
unsafe impl Send for Link {}

/// One use of the pointer: it stays alive as long as this does.
pub(crate) struct Use<'a> {
    link: &'a Link,
    pointer: *mut c_void,
}

impl Link {
    /// Nothing there.
    pub(crate) fn new() -> Self {
        Self { state: AtomicU32::new(0), pointer: UnsafeCell::new(ptr::null_mut()) }
    }

    /// Takes a reference over; false, with the reference still the caller's, when something is there or still in use.
    pub(crate) fn connect(&self, pointer: *mut c_void) -> bool {
        if self.state.compare_exchange(0, CONNECTING, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        // SAFETY: `CONNECTING` keeps everybody else out.
        self.pointer.with_mut(|place| unsafe { *place = pointer });
        self.state.store(CONNECTED, Ordering::Release);
        true
    }

    /// Takes the pointer away: new uses fail, and it is released when the last use ends.
    pub(crate) fn disconnect(&self) {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & CONNECTED != 0 {
            // The one who disconnects counts as a user until it has looked.
            let next = (state & !CONNECTED) + 1;
            match self.state.compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return self.leave(),
                Err(now) => state = now,
            }
        }
    }

    /// Uses the pointer, if it is there.
    pub(crate) fn enter(&self) -> Option<Use<'_>> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & CONNECTED == 0 {
                return None;
            }
            match self.state.compare_exchange_weak(state, state + 1, Ordering::AcqRel, Ordering::Relaxed) {
                // SAFETY: nobody writes while there are users.
                Ok(_) => return Some(Use { link: self, pointer: self.pointer.with(|place| unsafe { *place }) }),
                Err(now) => state = now,
            }
        }
    }

    /// A use ends; the last one after a disconnection releases the pointer.
    fn leave(&self) {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let last = state == 1;
            // The last user keeps everybody out until the pointer is read.
            let next = if last { CONNECTING } else { state - 1 };
            match self.state.compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if last => break,
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
        // SAFETY: `CONNECTING` keeps everybody else out.
        let pointer = self.pointer.with_mut(|place| unsafe { ptr::replace(place, ptr::null_mut()) });
        self.state.store(0, Ordering::Release);
        // SAFETY: `connect` took the reference over; nobody uses it any more.
        unsafe { raw::release(pointer) };
    }

    /// Whether the pointer is there.
    pub(crate) fn is_connected(&self) -> bool {
        self.state.load(Ordering::Acquire) & CONNECTED != 0
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Use<'_> {
    /// The pointer; it lives as long as this use.
    pub(crate) fn pointer(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.link.leave();
    }
}

/// loom's model of a link. It takes less than a tenth of a second.
#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::kernel::loom_tests::{Data, bounded, start, thing};
    use std::sync::Arc;

    /// A pointer that is taken away while another thread uses it and a third gives the next one: it goes once, after
    /// everything that its user did, and the next one comes whole or not at all.
    #[test]
    fn loom_a_pointer_goes_after_its_last_use() {
        bounded(2, |process| {
            let (gone, next_gone, link) = (Data::new(), Data::new(), Arc::new(Link::new()));
            let (first, next) = (thing(&gone), thing(&next_gone));
            assert!(link.connect(first));
            let (used, theirs, first) = (link.clone(), gone.clone(), first as usize);
            let user = start(process, move || {
                if let Some(it) = used.enter() {
                    let of = if it.pointer() as usize == first { &theirs } else { &next_gone };
                    assert_eq!(of.get(), 0);
                }
                next_gone
            });
            let taken = link.clone();
            let taker = start(process, move || taken.disconnect());
            let is_given = link.connect(next);
            let next_gone = user.join().unwrap();
            taker.join().unwrap();
            link.disconnect();
            assert_eq!((gone.get(), next_gone.get()), (1, u32::from(is_given)));
            if !is_given {
                // SAFETY: it was not taken over.
                unsafe { raw::release(next) };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::interfaces::{IAgileObject, IAgileObject_Impl};
    use crate::com_class;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering as StdOrdering};
    use windows_core::{ComObject, Interface};

    /// Counts how often it went away.
    #[com_class(IAgileObject, agile)]
    struct Thing {
        gone: Arc<AtomicUsize>,
    }

    impl Drop for Thing {
        fn drop(&mut self) {
            self.gone.fetch_add(1, StdOrdering::SeqCst);
        }
    }

    impl IAgileObject_Impl for Thing_Impl {}

    fn thing(gone: &Arc<AtomicUsize>) -> *mut c_void {
        ComObject::new(Thing { gone: gone.clone() }).into_interface::<IAgileObject>().into_raw()
    }

    #[test]
    fn a_link_is_connected_once_and_released_once() {
        let gone = Arc::new(AtomicUsize::new(0));
        let link = Link::new();
        assert!(link.enter().is_none() && !link.is_connected());
        link.disconnect();
        assert!(link.connect(thing(&gone)) && link.is_connected());
        let other = thing(&gone);
        assert!(!link.connect(other), "something is there");
        link.disconnect();
        assert_eq!(gone.load(StdOrdering::SeqCst), 1);
        assert!(link.connect(other), "and again");
        drop(link);
        assert_eq!(gone.load(StdOrdering::SeqCst), 2);
    }

    #[test]
    fn what_is_in_use_outlives_its_disconnection() {
        let gone = Arc::new(AtomicUsize::new(0));
        let link = Link::new();
        assert!(link.connect(thing(&gone)));
        let (first, second) = (link.enter().expect("connected"), link.enter().expect("connected"));
        link.disconnect();
        link.disconnect();
        assert!(link.enter().is_none() && !link.is_connected());
        let waiting = thing(&gone);
        assert!(!link.connect(waiting), "the old pointer is still in use");
        drop(first);
        assert_eq!(gone.load(StdOrdering::SeqCst), 0);
        drop(second);
        assert_eq!(gone.load(StdOrdering::SeqCst), 1);
        assert!(link.connect(waiting));
    }

    #[test]
    fn threads_that_use_and_disconnect_release_it_once() {
        for _ in 0..if cfg!(miri) { 4 } else { 200 } {
            let gone = Arc::new(AtomicUsize::new(0));
            let link = Link::new();
            assert!(link.connect(thing(&gone)));
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while let Some(used) = link.enter() {
                            assert_eq!(gone.load(StdOrdering::SeqCst), 0);
                            drop(used);
                        }
                    });
                }
                scope.spawn(|| link.disconnect());
            });
            assert_eq!(gone.load(StdOrdering::SeqCst), 1);
        }
    }
}
