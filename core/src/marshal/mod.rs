//! Marshaling: interface pointers as object references ([`packet`], [`objref`]), parameters as NDR ([`ndr`]), the streams and
//! tables that carry pointers between apartments.

mod agile;
mod free_threaded;
mod functions;
mod interface_table;
pub mod ndr;
mod objref;
pub(crate) mod packet;
mod standard;
pub mod stream;
mod table_packet;
mod through_stream;

pub use agile::RoGetAgileReference;
pub use free_threaded::CoCreateFreeThreadedMarshaler;
pub use functions::{
    CoGetInterfaceAndReleaseStream, CoGetMarshalSizeMax, CoMarshalHresult, CoMarshalInterThreadInterfaceInStream,
    CoMarshalInterface, CoReleaseMarshalData, CoUnmarshalHresult, CoUnmarshalInterface,
};
pub(crate) use interface_table::InterfaceTable;
pub use standard::{CoGetStandardMarshal, CoGetStdMarshalEx};

use crate::abi::hresult::{E_INVALIDARG, RPC_E_INVALID_OBJREF, S_OK};
use crate::abi::types::MSHLFLAGS_NORMAL;
use crate::backend;
use objref::{CUSTOM_TAIL, HEAD, ObjRef, Tail};
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// Where the interface pointers in a call's parameters go.
fn to(context: u32) -> packet::Destination {
    packet::Destination { context, data: std::ptr::null_mut(), flags: MSHLFLAGS_NORMAL }
}

/// Appends an object reference for an interface pointer.
///
/// # Safety
/// `unknown` is a live interface pointer of the calling apartment.
pub(crate) unsafe fn marshal_to(iid: &GUID, unknown: *mut c_void, dest_ctx: u32, out: &mut Vec<u8>) -> HRESULT {
    // SAFETY: the caller's.
    let Some(unknown) = (unsafe { IUnknown::from_raw_borrowed(&unknown) }) else { return E_INVALIDARG };
    if backend::is_system() {
        return through_stream::marshal(iid, unknown, dest_ctx, out);
    }
    packet::marshal(unknown, iid, &to(dest_ctx), out).err().unwrap_or(S_OK)
}

/// An upper bound for what [`marshal_to`] appends; 0 when it would fail.
pub(crate) fn marshal_size_max(iid: &GUID, unknown: *mut c_void, dest_ctx: u32) -> u32 {
    // SAFETY: NDR asks for pointers that it is about to marshal.
    match unsafe { IUnknown::from_raw_borrowed(&unknown) } {
        Some(unknown) if backend::is_system() => through_stream::size_max(iid, unknown, dest_ctx),
        Some(unknown) => packet::size_max(unknown, iid, &to(dest_ctx)).unwrap_or(0),
        None => 0,
    }
}

/// Makes an interface pointer of an object reference and consumes what the reference holds.
///
/// # Safety
/// `ppv` may be written.
pub(crate) unsafe fn unmarshal_from(bytes: &[u8], iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
    if backend::is_system() {
        // SAFETY: the caller's.
        return unsafe { through_stream::unmarshal(bytes, iid, ppv) };
    }
    let found = split(bytes).and_then(|(objref, data)| packet::unmarshal(&objref, data, iid));
    let (raw, hr) = match found {
        Ok(raw) => (raw, S_OK),
        Err(hr) => (std::ptr::null_mut(), hr),
    };
    // SAFETY: the caller's.
    unsafe { *ppv = raw };
    hr
}

/// Gives back what an object reference holds that nobody will unmarshal.
pub(crate) fn release_packet(bytes: &[u8]) -> HRESULT {
    if backend::is_system() {
        return through_stream::release(bytes);
    }
    split(bytes).and_then(|(objref, data)| packet::release(&objref, data)).err().unwrap_or(S_OK)
}

/// The fixed part and the custom data of an object reference.
fn split(bytes: &[u8]) -> Result<(ObjRef, &[u8]), HRESULT> {
    let objref = ObjRef::parse(bytes).map_err(|_| RPC_E_INVALID_OBJREF)?;
    let data = match objref.tail {
        Tail::Standard(..) => &[][..],
        Tail::Custom(_, size) => {
            let rest = bytes.get(HEAD + CUSTOM_TAIL..).unwrap_or_default();
            rest.get(..size as usize).ok_or(RPC_E_INVALID_OBJREF)?
        }
    };
    Ok((objref, data))
}
