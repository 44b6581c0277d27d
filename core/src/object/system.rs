//! System classes: what `CoCreateInstance` knows without a registration, and what `auto(…)` of `#[com_class]` makes.
//!
//! Each class submits itself with `inventory::submit! { SystemClass { … } }` beside its code. The list is fixed when the
//! program is linked; nothing here changes, so nothing is shared that would need care.

use crate::abi::hresult::{E_POINTER, REGDB_E_CLASSNOTREG};
use crate::abi::types::CLSCTX_INPROC_SERVER;
use crate::backend;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// Makes an object of a class: controlling unknown or null, the interface asked for, where to put it.
pub type Create = unsafe fn(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;

/// A class that is always there.
pub struct SystemClass {
    /// Its id.
    pub clsid: GUID,
    /// Makes an object; refuses what it cannot aggregate.
    pub create: Create,
}

inventory::collect!(SystemClass);

/// The function that makes objects of a system class.
pub fn system_class(clsid: &GUID) -> Option<Create> {
    inventory::iter::<SystemClass>.into_iter().find(|class| class.clsid == *clsid).map(|class| class.create)
}

/// An object of a system class; `REGDB_E_CLASSNOTREG` where there is none.
///
/// # Safety
/// As for `CoCreateInstance`: `outer` is null or an IUnknown that outlives the object, `riid` may be read, `ppv` is null
/// or may be written.
pub unsafe fn create_system(clsid: &GUID, outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    if ppv.is_null() {
        return E_POINTER;
    }
    // SAFETY: not null, and the caller vouches for it.
    unsafe { *ppv = std::ptr::null_mut() };
    match system_class(clsid) {
        // SAFETY: the caller's promises are those of the class.
        Some(create) => unsafe { create(outer, riid, ppv) },
        None => REGDB_E_CLASSNOTREG,
    }
}

/// The inner object of a class that `auto(…)` of `#[com_class]` names: the system's own on a thread that has the system's COM,
/// where the system knows the class.
///
/// # Safety
/// As for [`create_system`].
pub(super) unsafe fn create_inner(clsid: &GUID, outer: *mut c_void, ppv: *mut *mut c_void) -> HRESULT {
    if backend::is_system() {
        // SAFETY: the caller's promises.
        let made = unsafe { super::CoCreateInstance(clsid, outer, CLSCTX_INPROC_SERVER, &IUnknown::IID, ppv) };
        if made != REGDB_E_CLASSNOTREG {
            return made;
        }
    }
    // SAFETY: the caller's promises.
    unsafe { create_system(clsid, outer, &IUnknown::IID, ppv) }
}
