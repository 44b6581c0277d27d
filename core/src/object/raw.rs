//! Raw interface pointers: the three functions that each of them has, called without a Rust type around them.

use crate::abi::hresult::E_NOINTERFACE;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

/// The IUnknown part of the vtable behind an interface pointer.
///
/// # Safety
/// `pointer` is a live interface pointer.
unsafe fn vtable<'a>(pointer: *mut c_void) -> &'a IUnknown_Vtbl {
    // SAFETY: COM's layout: the first word of an object is the address of a vtable that starts with IUnknown's.
    unsafe { &**pointer.cast::<*const IUnknown_Vtbl>() }
}

/// `AddRef`; the new count.
///
/// # Safety
/// `pointer` is a live interface pointer.
pub unsafe fn add_ref(pointer: *mut c_void) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { (vtable(pointer).AddRef)(pointer) }
}

/// `Release`; the count that remains.
///
/// # Safety
/// `pointer` is a live interface pointer, and the caller owns the reference that is given up.
pub unsafe fn release(pointer: *mut c_void) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { (vtable(pointer).Release)(pointer) }
}

/// `QueryInterface`.
///
/// # Safety
/// `pointer` is a live interface pointer, `iid` may be read and `ppv` written.
pub unsafe fn query(pointer: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's promise.
    unsafe { (vtable(pointer).QueryInterface)(pointer, iid, ppv) }
}

/// What somebody's function gave that gives a counted pointer: nobody follows the null of one that says it went well.
pub(crate) fn given(hr: HRESULT, pointer: *mut c_void) -> Result<*mut c_void, HRESULT> {
    match hr {
        hr if hr.is_err() => Err(hr),
        _ if pointer.is_null() => Err(E_NOINTERFACE),
        _ => Ok(pointer),
    }
}

/// An interface of an object: a counted pointer.
pub(crate) fn interface_of(object: &IUnknown, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    let mut found = std::ptr::null_mut();
    // SAFETY: a live object and valid arguments.
    let hr = unsafe { object.query(iid, &mut found) };
    given(hr, found)
}

/// [`interface_of`], as IUnknown.
pub(crate) fn typed(object: &IUnknown, iid: &GUID) -> Result<IUnknown, HRESULT> {
    // SAFETY: a counted pointer; every interface derives from IUnknown.
    interface_of(object, iid).map(|found| unsafe { IUnknown::from_raw(found) })
}
