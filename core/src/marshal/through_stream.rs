//! Object references by the functions on streams: how a thread that has the system's COM makes and reads those in the
//! parameters of its calls.

use super::packet;
use super::stream::memory_stream;
use super::{CoGetMarshalSizeMax, CoMarshalInterface, CoReleaseMarshalData, CoUnmarshalInterface};
use crate::abi::hresult::S_OK;
use crate::abi::types::MSHLFLAGS_NORMAL;
use std::ffi::c_void;
use std::ptr;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// Appends an object reference for an interface pointer.
pub(super) fn marshal(iid: &GUID, unknown: &IUnknown, context: u32, out: &mut Vec<u8>) -> HRESULT {
    let stream = memory_stream(Vec::new());
    let object = unknown.as_raw();
    // SAFETY: an object of this apartment and valid arguments.
    let hr = unsafe { CoMarshalInterface(stream.as_raw(), iid, object, context, ptr::null_mut(), MSHLFLAGS_NORMAL) };
    if hr.is_err() {
        return hr;
    }
    match packet::contents(&stream) {
        Ok(bytes) => {
            out.extend(bytes);
            S_OK
        }
        Err(hr) => hr,
    }
}

/// An upper bound for what [`marshal`] appends; 0 when it would fail.
pub(super) fn size_max(iid: &GUID, unknown: &IUnknown, context: u32) -> u32 {
    let mut size = 0;
    // SAFETY: as in `marshal`.
    let hr =
        unsafe { CoGetMarshalSizeMax(&mut size, iid, unknown.as_raw(), context, ptr::null_mut(), MSHLFLAGS_NORMAL) };
    if hr.is_ok() { size } else { 0 }
}

/// Makes an interface pointer of an object reference and consumes what the reference holds.
///
/// # Safety
/// `ppv` may be written.
pub(super) unsafe fn unmarshal(bytes: &[u8], iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
    let stream = memory_stream(bytes.to_vec());
    // SAFETY: a stream of ours; the caller's.
    unsafe { CoUnmarshalInterface(stream.as_raw(), iid, ppv) }
}

/// Gives back what an object reference holds that nobody will unmarshal.
pub(super) fn release(bytes: &[u8]) -> HRESULT {
    let stream = memory_stream(bytes.to_vec());
    // SAFETY: a stream of ours.
    unsafe { CoReleaseMarshalData(stream.as_raw()) }
}

#[cfg(all(test, not(loom)))]
mod tests;
