//! Making objects with or without an outer object, as class factories and `CreateCall` do.

use super::class::{Class, allocate, query_own, release_own};
use crate::abi::hresult::{CLASS_E_NOAGGREGATION, E_POINTER, S_OK};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use windows_core::{ComObjectInner, GUID, HRESULT, IUnknown, Interface};

/// Makes an object, aggregated under `outer` where that is not null.
///
/// With an outer object only IUnknown can be asked for (else `CLASS_E_NOAGGREGATION`, AGG-02), and what comes back is
/// the object's inner, non-delegating IUnknown, which the outer keeps.
///
/// # Safety
/// `outer` is null or the IUnknown of an object that outlives this one; `riid` is null or may be read, `ppv` null or
/// written.
pub unsafe fn create_aggregated<T: ComObjectInner<Outer: Class>>(
    value: T,
    outer: *mut c_void,
    riid: *const GUID,
    ppv: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: the caller's promises.
    unsafe { create_aggregated_with(value, outer, riid, ppv, |_| S_OK) }
}

/// Like [`create_aggregated`], with a last step of construction, for which the object already has its identity: the
/// place to aggregate inner objects. When the step fails, the object goes and its code comes back.
///
/// # Safety
/// As for [`create_aggregated`].
pub unsafe fn create_aggregated_with<T: ComObjectInner<Outer: Class>>(
    value: T,
    outer: *mut c_void,
    riid: *const GUID,
    ppv: *mut *mut c_void,
    construct: impl FnOnce(&T::Outer) -> HRESULT,
) -> HRESULT {
    if ppv.is_null() {
        return E_POINTER;
    }
    // SAFETY: not null, and the caller vouches for it.
    unsafe { *ppv = ptr::null_mut() };
    // SAFETY: as above.
    let Some(iid) = (unsafe { riid.as_ref() }) else {
        return E_POINTER;
    };
    if !outer.is_null() && *iid != IUnknown::IID {
        return CLASS_E_NOAGGREGATION;
    }
    // SAFETY: the caller vouches for the outer.
    let object = Own(unsafe { allocate::<T::Outer>(value, outer) });
    // SAFETY: `object` keeps it alive.
    let built = construct(unsafe { object.0.as_ref() });
    if built.is_err() {
        return built;
    }
    // SAFETY: the pointers were checked.
    unsafe { query_own(object.0.as_ptr(), riid, ppv) }
}

/// A reference that counts on slot 0.
struct Own<C: Class>(NonNull<C>);

impl<C: Class> Drop for Own<C> {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { release_own(self.0.as_ptr()) };
    }
}
