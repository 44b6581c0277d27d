//! The reference count of an object, and the guard that keeps an object from being freed twice while it ends. Interface
//! proxies count with it, too.
//!
//! | value | meaning |
//! | --- | --- |
//! | 1 … `ENDING` - 1 | that many references |
//! | 0 | for an instant, between the last Release and `begin_end` |
//! | about `ENDING` | the last reference is gone; aggregated inner objects are being released, everything still works |
//! | about `CLOSED` | the value is being dropped; queries find nothing but IUnknown |
//!
//! The high values are bases, not flags: a destructor that takes and gives back references moves the count a little
//! around the base and never reaches zero again. Only the thread that took the count to zero writes the bases, and
//! nobody else has a reference then, so nothing races.

use crate::platform::sync::{AtomicU32, Ordering};

const ENDING: u32 = 0x4000_0000;
const CLOSED: u32 = 0x7000_0000;
/// Halfway between the two bases: no destructor takes that many references.
const SURELY_CLOSED: u32 = 0x6000_0000;
/// Beyond this the count has run away; what follows would be a use after free.
const OVERFLOW: u32 = 0xF000_0000;

/// A reference count that starts at one.
pub(crate) struct Count(AtomicU32);

impl Count {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(1))
    }

    /// Adds a reference; the new count. A new reference is made from one that exists, so nothing needs ordering.
    #[inline(always)]
    pub(crate) fn add(&self) -> u32 {
        let new = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if new > OVERFLOW {
            std::process::abort();
        }
        new
    }

    /// Adds a reference unless the last one is gone.
    pub(super) fn try_add(&self) -> bool {
        let mut seen = self.0.load(Ordering::Relaxed);
        while seen != 0 && seen < ENDING {
            // Acquires what former owners did: the reference does not come from one that the caller has.
            match self.0.compare_exchange_weak(seen, seen + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Gives a reference back; what remains. At 0 the caller owns the object alone and sees all that others did to it.
    #[inline(always)]
    #[must_use]
    pub(crate) fn release(&self) -> u32 {
        let remaining = self.0.fetch_sub(1, Ordering::Release).wrapping_sub(1);
        if remaining == 0 {
            // Not a fence, of which ThreadSanitizer knows nothing.
            self.0.load(Ordering::Acquire);
        }
        remaining
    }

    /// Whether the caller's reference is the only one; what former owners did is seen.
    pub(super) fn is_one(&self) -> bool {
        self.0.load(Ordering::Acquire) == 1
    }

    /// The last reference is gone: from here on references come and go without an end.
    pub(super) fn begin_end(&self) {
        self.0.store(ENDING, Ordering::Relaxed);
    }

    /// The value goes now.
    pub(super) fn close(&self) {
        self.0.store(CLOSED, Ordering::Relaxed);
    }

    /// Whether the value is being dropped.
    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= SURELY_CLOSED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_16_add_gives_the_new_count_and_release_what_remains() {
        let count = Count::new();
        assert_eq!((count.add(), count.add()), (2, 3));
        assert_eq!((count.release(), count.release(), count.is_one(), count.release()), (2, 1, true, 0));
    }

    #[test]
    fn an_object_whose_last_reference_is_gone_gives_none() {
        let count = Count::new();
        assert!(count.try_add());
        assert_eq!((count.release(), count.release()), (1, 0));
        assert!(!count.try_add());
        count.begin_end();
        assert!(!count.try_add());
    }

    #[test]
    fn references_during_the_end_never_bring_the_count_to_zero() {
        let count = Count::new();
        assert_eq!(count.release(), 0);
        count.begin_end();
        assert!(!count.is_closed());
        count.add();
        assert_ne!(count.release(), 0);
        assert_ne!(count.release(), 0);
        count.close();
        assert!(count.is_closed());
        assert_ne!(count.release(), 0);
        assert!(count.is_closed());
    }
}

/// loom's models of references. Each takes less than a second.
#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::kernel::loom_tests::{Data, bounded};
    use std::sync::Arc;

    /// One Release, and the end of the object if it was the last.
    fn release(count: &Count, object: &Data) {
        if count.release() == 0 {
            count.begin_end();
            object.add();
            count.close();
        }
    }

    /// Whoever releases last destroys, alone, and after whatever the others did with the object: no access of theirs is
    /// left, and it ends once.
    #[test]
    fn loom_the_last_release_comes_after_every_use() {
        bounded(3, |_| {
            let (count, object) = (Arc::new(Count::new()), Data::new());
            count.add();
            let (theirs, used) = (count.clone(), object.clone());
            let other = loom::thread::spawn(move || {
                used.get();
                release(&theirs, &used);
            });
            object.get();
            release(&count, &object);
            other.join().unwrap();
            assert_eq!(object.get(), 1);
        });
    }

    /// A weak reference gives a live object or none while the last reference goes: what it gives is whole until it is
    /// released, and the object ends once.
    #[test]
    fn loom_a_weak_reference_gives_a_live_object_or_none() {
        bounded(3, |_| {
            let (count, object) = (Arc::new(Count::new()), Data::new());
            let (theirs, used) = (count.clone(), object.clone());
            let other = loom::thread::spawn(move || {
                if theirs.try_add() {
                    assert_eq!(used.get(), 0);
                    release(&theirs, &used);
                }
            });
            release(&count, &object);
            other.join().unwrap();
            assert_eq!(object.get(), 1);
        });
    }
}
