//! Raw interface pointers: the three functions that each of them has, called without a Rust type around them.

use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown_Vtbl};

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
