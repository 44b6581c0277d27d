//! The object of these tests: says where it runs, does what its maker wants, takes and gives interface pointers.

#![allow(dead_code, reason = "each test uses its part")]

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface, OutRef, Ref};
use oleander::*;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Says, does, takes and gives.
#[async_interface(uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b001", async_uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b002")]
pub unsafe trait IProbe: IUnknown {
    /// The thread that it runs on.
    fn Thread(&self, #[idl(out)] id: *mut u32) -> HRESULT;
    /// What the maker says.
    fn Do(&self, #[idl(in)] what: u32) -> HRESULT;
    /// Keeps a pointer, or lets the kept one go.
    fn Keep(&self, #[idl(in)] object: Ref<'_, IUnknown>) -> HRESULT;
    /// The kept pointer.
    fn Kept(&self, #[idl(out)] object: OutRef<'_, IUnknown>) -> HRESULT;
    /// The kept pointer, as some interface.
    fn KeptAs(&self, #[idl(in)] iid: *const GUID, #[idl(out, iid_is(iid))] object: *mut *mut c_void) -> HRESULT;
    /// Calls `Do` of another probe.
    fn Forward(&self, #[idl(in)] to: Ref<'_, IProbe>, #[idl(in)] what: u32) -> HRESULT;
    /// `Forward` with an interface that is said at run time.
    fn ForwardAs(
        &self,
        #[idl(in)] iid: *const GUID,
        #[idl(in, iid_is(iid))] to: *mut c_void,
        #[idl(in)] what: u32,
    ) -> HRESULT;
}

/// A second interface of some objects, and never of a [`Probe`].
#[async_interface(uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b003")]
pub unsafe trait IOther: IUnknown {
    /// Nothing.
    fn Nothing(&self) -> HRESULT;
}

/// An interface without proxy and stub.
#[interface("5a1e7c90-3b41-4c0f-8d59-1f0c66c6b004")]
pub unsafe trait ILocal: IUnknown {
    /// Nothing.
    fn Local(&self) -> HRESULT;
}

/// What `Do` does.
pub type Action = Box<dyn Fn(u32) -> HRESULT>;

/// Counts what is alive of a test's objects.
#[derive(Clone, Default)]
pub struct Lives(Arc<AtomicUsize>);

impl Lives {
    /// How many.
    pub fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

struct Life(Lives);

impl Life {
    fn new(lives: &Lives) -> Self {
        lives.0.fetch_add(1, Ordering::SeqCst);
        Self(lives.clone())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[com_class(IProbe, ILocal)]
pub struct Probe {
    action: Action,
    kept: std::cell::RefCell<Option<IUnknown>>,
    _life: Life,
}

/// A probe whose `Do` says `S_OK`.
pub fn probe(lives: &Lives) -> IProbe {
    probe_that(lives, |_| S_OK)
}

/// A probe whose `Do` does something.
pub fn probe_that(lives: &Lives, action: impl Fn(u32) -> HRESULT + 'static) -> IProbe {
    Probe { action: Box::new(action), kept: None.into(), _life: Life::new(lives) }.into()
}

impl ILocal_Impl for Probe_Impl {
    unsafe fn Local(&self) -> HRESULT {
        S_OK
    }
}

impl IProbe_Impl for Probe_Impl {
    unsafe fn Thread(&self, id: *mut u32) -> HRESULT {
        unsafe { *id = GetCurrentThreadId() };
        S_OK
    }
    unsafe fn Do(&self, what: u32) -> HRESULT {
        (self.action)(what)
    }
    unsafe fn Keep(&self, object: Ref<'_, IUnknown>) -> HRESULT {
        let before = self.kept.replace(object.cloned());
        drop(before);
        S_OK
    }
    unsafe fn Kept(&self, object: OutRef<'_, IUnknown>) -> HRESULT {
        let kept = self.kept.borrow().clone();
        object.write(kept).map_or_else(|error| error.code(), |()| S_OK)
    }
    unsafe fn KeptAs(&self, iid: *const GUID, object: *mut *mut c_void) -> HRESULT {
        let kept = self.kept.borrow().clone();
        unsafe {
            *object = std::ptr::null_mut();
            kept.map_or(S_OK, |kept| kept.query(iid, object))
        }
    }
    unsafe fn Forward(&self, to: Ref<'_, IProbe>, what: u32) -> HRESULT {
        to.as_ref().map_or(E_POINTER, |to| unsafe { to.Do(what) })
    }
    unsafe fn ForwardAs(&self, iid: *const GUID, to: *mut c_void, what: u32) -> HRESULT {
        assert_eq!(unsafe { *iid }, IProbe::IID);
        unsafe { IProbe::from_raw_borrowed(&to) }.map_or(E_POINTER, |to| unsafe { to.Do(what) })
    }
}

/// The thread that a probe runs on.
pub fn thread_of(probe: &IProbe) -> u32 {
    let mut id = 0;
    assert_eq!(unsafe { probe.Thread(&mut id) }, S_OK);
    id
}
