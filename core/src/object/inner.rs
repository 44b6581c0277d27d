//! Inner objects that an outer object aggregates: [`Inner`], set once, and [`AutoInner`], which makes a system class
//! when its interface is first asked for.
//!
//! State of an [`Inner`]: `unknown` goes from null to the inner object's non-delegating IUnknown once, and back to null
//! when the outer ends. `outer` and `guarded` are written before it, always with the same values. `cached` is a list
//! that only grows until the end. Nothing is locked; each step is one compare-and-swap, so nothing can deadlock.
//!
//! Who counts what: `unknown` is counted on the inner object. The interfaces in `cached` are not counted: a query for
//! one counts on the outer, which would then hold itself (AGG-12), so that reference is given back at once. At the end
//! it is taken again before the interface is released, as COM asks of outer objects. That needs an outer whose count may
//! move while it ends: objects of `#[com_class]` are `guarded` so, those of windows-rs' `#[implement]` would be freed
//! twice. Under these, and under whatever controls an outer that is itself aggregated, the interface is let go without
//! a release: the same for all interfaces that delegate to the outer, which is all but tear-offs with a count of their
//! own (such a one leaks).

use super::class::{self, Class};
use super::{raw, system};
use crate::abi::hresult::{E_NOINTERFACE, E_UNEXPECTED, S_OK};
use crate::platform;
use crate::platform::sync::{AtomicBool, AtomicPtr, Ordering, const_fn};
use std::ffi::c_void;
use std::fmt;
use std::ptr::{self, NonNull};
use windows_core::{GUID, HRESULT, IUnknown, Interface, InterfaceRef};

/// An inner object that an outer object holds. See the module.
#[derive(Default)]
pub struct Inner {
    unknown: AtomicPtr<c_void>,
    outer: AtomicPtr<c_void>,
    guarded: AtomicBool,
    cached: AtomicPtr<Cached>,
}

/// One interface of the inner object that the outer uses.
struct Cached {
    iid: GUID,
    interface: NonNull<c_void>,
    next: *mut Cached,
}

impl Inner {
    const_fn! {
        /// No inner object yet.
        pub fn new() -> Self {
            Self {
                unknown: AtomicPtr::new(ptr::null_mut()),
                outer: AtomicPtr::new(ptr::null_mut()),
                guarded: AtomicBool::new(false),
                cached: AtomicPtr::new(ptr::null_mut()),
            }
        }
    }

    /// Makes the inner object: `create` gets the controlling unknown, `IID_IUnknown` and where to put the non-delegating
    /// IUnknown. `E_UNEXPECTED` when there is an inner object already.
    ///
    /// This is for outer objects that `#[com_class]` did not make; its own have a method `aggregate`.
    ///
    /// # Safety
    /// `outer` is the controlling unknown of the object that this field is part of. On success `create` has given the
    /// counted non-delegating IUnknown of an object aggregated under it, which may be called on every thread on which
    /// the outer object is.
    pub unsafe fn aggregate(
        &self,
        outer: *mut c_void,
        create: impl FnOnce(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT,
    ) -> windows_core::Result<()> {
        // SAFETY: the caller's promises.
        unsafe { self.make(outer, false, create) }
    }

    /// [`Self::aggregate`] for an object of `#[com_class]`.
    ///
    /// # Safety
    /// As there; this field is part of `object`.
    pub unsafe fn aggregate_under<C: Class>(
        &self,
        object: &C,
        create: impl FnOnce(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT,
    ) -> windows_core::Result<()> {
        // What controls an aggregated object may be anything.
        let guarded = !class::is_aggregated(object);
        // SAFETY: the caller's promises.
        unsafe { self.make(class::controlling(object).as_raw(), guarded, create) }
    }

    /// # Safety
    /// As for [`Self::aggregate`]; `guarded` only where the controlling unknown is an object of `#[com_class]`.
    unsafe fn make(
        &self,
        outer: *mut c_void,
        guarded: bool,
        create: impl FnOnce(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT,
    ) -> windows_core::Result<()> {
        if self.is_set() {
            return Err(E_UNEXPECTED.into());
        }
        let mut unknown = ptr::null_mut();
        let before = platform::with_current(|thread| thread.com().aggregating.replace(outer));
        let created = create(outer, &IUnknown::IID, &mut unknown);
        platform::with_current(|thread| thread.com().aggregating.set(before));
        created.ok()?;
        let made = NonNull::new(unknown).ok_or(E_UNEXPECTED)?;
        // SAFETY: the caller's promises.
        if unsafe { self.set(outer, guarded, made) } { Ok(()) } else { Err(E_UNEXPECTED.into()) }
    }

    /// Takes over the reference; false, with the reference released, when there is an inner object already.
    ///
    /// # Safety
    /// As for [`Self::make`].
    unsafe fn set(&self, outer: *mut c_void, guarded: bool, unknown: NonNull<c_void>) -> bool {
        self.outer.store(outer, Ordering::Relaxed);
        self.guarded.store(guarded, Ordering::Relaxed);
        let swapped = self.unknown.compare_exchange(
            ptr::null_mut(),
            unknown.as_ptr(),
            // Releases the outer's address and the inner object to whoever sees the pointer.
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if swapped.is_err() {
            // SAFETY: the reference is ours and nobody has seen the object.
            unsafe { raw::release(unknown.as_ptr()) };
        }
        swapped.is_ok()
    }

    /// Whether there is an inner object.
    pub fn is_set(&self) -> bool {
        !self.unknown.load(Ordering::Acquire).is_null()
    }

    /// Asks the inner object itself, not its outer; the reference that comes back counts on the outer, except for
    /// IUnknown. `E_NOINTERFACE` when there is no inner object.
    ///
    /// # Safety
    /// `ppv` may be written.
    pub unsafe fn query_raw(&self, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
        let unknown = self.unknown.load(Ordering::Acquire);
        if unknown.is_null() {
            // SAFETY: the caller's promise.
            unsafe { *ppv = ptr::null_mut() };
            return E_NOINTERFACE;
        }
        // SAFETY: it is held until the outer ends, and the caller is a method of the outer.
        unsafe { raw::query(unknown, iid, ppv) }
    }

    /// An interface of the inner object, for the outer's own use: asked for once, held without a count (AGG-12).
    ///
    /// The borrow ends with the outer object, so it cannot outlive what it points at.
    pub fn cached<I: Interface>(&self) -> windows_core::Result<InterfaceRef<'_, I>> {
        let mut at = self.cached.load(Ordering::Acquire);
        // SAFETY: entries are published whole, never change, and live until the outer ends.
        while let Some(entry) = unsafe { at.as_ref() } {
            if entry.iid == I::IID {
                // SAFETY: it was asked for under this id and lives until the outer ends.
                return Ok(unsafe { InterfaceRef::from_raw(entry.interface) });
            }
            at = entry.next;
        }
        self.cache::<I>()
    }

    #[cold]
    fn cache<I: Interface>(&self) -> windows_core::Result<InterfaceRef<'_, I>> {
        let mut found = ptr::null_mut();
        // SAFETY: a place of our own.
        unsafe { self.query_raw(&I::IID, &mut found) }.ok()?;
        let interface = NonNull::new(found).ok_or(E_NOINTERFACE)?;
        // SAFETY: COM's rule for outer objects: give back on the outer what the query counted there. The outer lives:
        // one of its methods is running.
        unsafe { raw::release(self.outer.load(Ordering::Relaxed)) };
        let entry = Box::into_raw(Box::new(Cached { iid: I::IID, interface, next: ptr::null_mut() }));
        let mut head = self.cached.load(Ordering::Relaxed);
        loop {
            // SAFETY: not published yet.
            unsafe { (*entry).next = head };
            match self.cached.compare_exchange_weak(head, entry, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                // Two threads may cache the same interface: both entries are right, and both are released.
                Err(now) => head = now,
            }
        }
        // SAFETY: as in `cached`.
        Ok(unsafe { InterfaceRef::from_raw(interface) })
    }

    /// Releases the cached interfaces, then the inner object. Called when the outer ends, while it can still be asked.
    pub fn release(&self) {
        let outer = self.outer.load(Ordering::Relaxed);
        let guarded = self.guarded.load(Ordering::Relaxed);
        let mut at = self.cached.swap(ptr::null_mut(), Ordering::AcqRel);
        while !at.is_null() {
            // SAFETY: the list was taken out, so it is ours.
            let entry = unsafe { Box::from_raw(at) };
            at = entry.next;
            if guarded {
                // SAFETY: the reverse of `cache`: the interface's release takes one from the outer.
                unsafe {
                    raw::add_ref(outer);
                    raw::release(entry.interface.as_ptr());
                }
            }
        }
        let unknown = self.unknown.swap(ptr::null_mut(), Ordering::AcqRel);
        if !unknown.is_null() {
            // SAFETY: the reference is ours.
            unsafe { raw::release(unknown) };
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("is_set", &self.is_set()).finish_non_exhaustive()
    }
}

/// Whether an [`Inner`] of this thread has its object made under this controlling unknown just now, and so will release it.
pub(crate) fn is_made_for_inner(outer: *mut c_void) -> bool {
    platform::with_current(|thread| thread.com().aggregating.get()) == outer
}

/// An inner object of a system class that is made when its interface is first asked for.
#[derive(Debug, Default)]
pub struct AutoInner(Inner);

impl AutoInner {
    const_fn! {
        /// Nothing made yet.
        pub fn new() -> Self {
            Self(Inner::new())
        }
    }

    /// Whether the inner object was made.
    pub fn is_set(&self) -> bool {
        self.0.is_set()
    }

    /// Makes the object if need be and asks it. When two threads make it at once, one of the two objects stays.
    ///
    /// # Safety
    /// `outer` is the controlling unknown of the object of `#[com_class]` that this field is part of; `ppv` may be
    /// written.
    pub unsafe fn query_raw(&self, outer: *mut c_void, clsid: &GUID, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's promises.
        unsafe {
            let made = self.make(outer, clsid);
            if made.is_err() {
                *ppv = ptr::null_mut();
                return made;
            }
            self.0.query_raw(iid, ppv)
        }
    }

    /// # Safety
    /// As for [`Self::query_raw`].
    unsafe fn make(&self, outer: *mut c_void, clsid: &GUID) -> HRESULT {
        if self.is_set() {
            return S_OK;
        }
        let mut unknown = ptr::null_mut();
        // SAFETY: the caller vouches for the outer.
        let made = unsafe { system::create_inner(clsid, outer, &mut unknown) };
        if made.is_err() {
            return made;
        }
        let Some(unknown) = NonNull::new(unknown) else {
            return E_UNEXPECTED;
        };
        // SAFETY: system classes may be called on every thread. Who loses the race uses the winner's object.
        unsafe { self.0.set(outer, false, unknown) };
        S_OK
    }

    /// As [`Inner::release`].
    pub fn release(&self) {
        self.0.release();
    }
}

/// loom's model of inner objects. It takes less than a tenth of a second.
#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::kernel::loom_tests::{Data, bounded, start, thing};
    use std::sync::Arc;

    /// Gives an inner object that controls itself: what a query counts is given back where it was counted.
    fn give(inner: &Inner, object: *mut c_void) -> bool {
        // SAFETY: the caller gives its reference, and may be called anywhere.
        unsafe { inner.set(object, true, NonNull::new(object).expect("it was made")) }
    }

    /// Of two threads that give an inner object one is heard, and the other's object is released at once; whoever finds the
    /// object sees what was done before it was given.
    #[test]
    fn loom_of_two_inner_objects_one_stays() {
        bounded(2, |process| {
            let (inner, written) = (Arc::new(Inner::new()), Data::new());
            let (mine, theirs) = (Data::new(), Data::new());
            let (there, before, object) = (inner.clone(), written.clone(), thing(&theirs));
            let other = start(process, move || {
                before.add();
                give(&there, object)
            });
            if inner.is_set() {
                assert_eq!(written.get(), 1);
            }
            let is_mine = give(&inner, thing(&mine));
            assert_eq!(other.join().unwrap(), !is_mine);
            assert_eq!((mine.get(), theirs.get()), (u32::from(!is_mine), u32::from(is_mine)));
            drop(inner);
            assert_eq!((mine.get(), theirs.get()), (1, 1));
        });
    }
}
