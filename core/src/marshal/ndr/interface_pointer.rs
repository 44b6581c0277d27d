//! Interface pointers: on the wire a unique pointer to an object reference with its size, twice.
//!
//! The object references themselves are the business of [`crate::marshal`]. Unit tests put a table in its place, so that
//! they need no apartments.

use super::pointer::{is_deferred, read_flat};
use super::{Ndr, Reader, Result, WORD, Writer};
use crate::abi::hresult::E_NOINTERFACE;
use crate::object::raw;
use std::ffi::c_void;
use windows_core::{GUID, Interface};

/// An upper bound for the object reference of an interface pointer.
pub(crate) fn size_max(iid: &GUID, pointer: *mut c_void, destination: u32) -> u32 {
    #[cfg(test)]
    if let Some(size) = super::tests::table::size_max() {
        return size;
    }
    crate::marshal::marshal_size_max(iid, pointer, destination)
}

/// Appends the object reference of an interface pointer.
///
/// # Safety
/// `pointer` is a live interface pointer of type `iid`.
pub(crate) unsafe fn marshal(iid: &GUID, pointer: *mut c_void, destination: u32, packet: &mut Vec<u8>) -> Result {
    #[cfg(test)]
    // SAFETY: the caller's promise.
    if let Some(result) = unsafe { super::tests::table::marshal(iid, pointer, packet) } {
        return result;
    }
    // SAFETY: the caller's promise.
    let hr = unsafe { crate::marshal::marshal_to(iid, pointer, destination, packet) };
    if hr.is_err() { Err(hr) } else { Ok(()) }
}

/// Makes an interface pointer of an object reference, which is consumed.
pub(crate) fn unmarshal(packet: &[u8], iid: &GUID) -> Result<*mut c_void> {
    #[cfg(test)]
    if let Some(result) = super::tests::table::unmarshal(packet, iid) {
        return result;
    }
    let mut pointer = std::ptr::null_mut();
    // SAFETY: the out pointer is ours.
    let hr = unsafe { crate::marshal::unmarshal_from(packet, iid, &mut pointer) };
    match hr {
        hr if hr.is_err() => Err(hr),
        _ if pointer.is_null() => Err(E_NOINTERFACE),
        _ => Ok(pointer),
    }
}

/// Gives back what an object reference holds. What is no object reference holds nothing.
pub(crate) fn release(packet: &[u8]) {
    #[cfg(test)]
    if super::tests::table::release(packet) {
        return;
    }
    // Whoever calls this is cleaning up: there is nobody to tell.
    let _ = crate::marshal::release_packet(packet);
}

/// Writes a nullable interface pointer of an interface that is known at run time.
///
/// # Safety
/// `pointer` is null or a live interface pointer of type `iid`.
pub unsafe fn write(iid: &GUID, pointer: *mut c_void, w: &mut Writer<'_>) -> Result {
    w.referent(pointer.is_null())?;
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    unsafe { w.interface(iid, pointer) }
}

/// Reads a nullable interface pointer of an interface that is known at run time.
pub fn read(iid: &GUID, r: &mut Reader<'_>) -> Result<*mut c_void> {
    if r.referent()? { r.interface(iid) } else { Ok(std::ptr::null_mut()) }
}

/// Skips a nullable interface pointer and gives back what it holds.
pub fn discard(r: &mut Reader<'_>) -> Result {
    if r.referent()? {
        release(r.packet()?);
    }
    Ok(())
}

// SAFETY: null is zero; between the two steps the pointer is `DEFERRED`, which `free` knows.
unsafe impl<I: Interface> Ndr for Option<I> {
    type Itself = Self;
    const ALIGN: u32 = WORD;
    const SIZE_MIN: u32 = WORD;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise; an interface type is one pointer, null for `None`.
        w.referent(unsafe { (*this.cast::<*mut c_void>()).is_null() })
    }

    unsafe fn write_tail(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: as above.
        let pointer = unsafe { *this.cast::<*mut c_void>() };
        if pointer.is_null() {
            return Ok(());
        }
        // SAFETY: a pointer of this type.
        unsafe { w.interface(&I::IID, pointer) }
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        unsafe { read_flat(this.cast::<*mut c_void>(), r) }
    }

    unsafe fn read_tail(this: *mut Self, r: &mut Reader<'_>) -> Result {
        let this = this.cast::<*mut c_void>();
        // SAFETY: the caller's promise.
        unsafe {
            if !(*this).is_null() {
                *this = r.interface(&I::IID)?;
            }
        }
        Ok(())
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise.
        let pointer = unsafe { *this.cast::<*mut c_void>() };
        if !pointer.is_null() && !is_deferred(pointer) {
            // SAFETY: the value owns its reference.
            unsafe { raw::release(pointer) };
        }
    }
}
