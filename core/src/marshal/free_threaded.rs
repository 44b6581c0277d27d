//! The free-threaded marshaler: for the same process the packet is the pointer itself (MRSH-23).
//!
//! | at | 28 bytes |
//! | --- | --- |
//! | 0 | marshal flags |
//! | 4 | the pointer |
//! | 12 | a GUID that only this process writes, so that no other follows the pointer |

use super::packet;
use super::stream::{read_exact, write_all};
use crate::abi::clsid::{CLSID_InProcFreeMarshaler, CLSID_StdMarshal};
use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, E_POINTER, RPC_E_INVALID_OBJREF, S_OK};
use crate::abi::interfaces::{IMarshal_Impl, IMarshal2, IMarshal2_Impl, IStream};
use crate::abi::types::{MSHCTX_INPROC, MSHLFLAGS_NORMAL, MSHLFLAGS_TABLESTRONG, MSHLFLAGS_TABLEWEAK};
use crate::com_class;
use crate::object::{self, SystemClass, raw};
use crate::process::Process;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

const PACKET: usize = 28;

/// The marshaler, aggregated by an object that may be used from every apartment.
#[com_class(IMarshal2)]
struct FreeThreadedMarshaler;

/// What the process puts into its packets: its own address, which no other living process of the program has.
fn secret() -> [u8; 16] {
    let process = Process::current();
    let mut bytes = *b"oleander--------";
    bytes[8..].copy_from_slice(&(Arc::as_ptr(&process) as u64).to_le_bytes());
    bytes
}

/// Reads a packet: the flags and the pointer.
fn read(stream: *mut c_void) -> Result<(u32, *mut c_void), HRESULT> {
    // SAFETY: null or a stream, as the interface asks.
    let stream = unsafe { IStream::from_raw_borrowed(&stream) }.ok_or(E_INVALIDARG)?;
    let mut bytes = [0; PACKET];
    read_exact(stream, &mut bytes).ok().map_err(|error| error.code())?;
    let [a, b, c, d, rest @ ..] = bytes;
    let (pointer, guid) = rest.split_at(8);
    if guid != secret() {
        return Err(RPC_E_INVALID_OBJREF);
    }
    let pointer: [u8; 8] = pointer.try_into().map_err(|_| RPC_E_INVALID_OBJREF)?;
    let pointer = std::ptr::with_exposed_provenance_mut(u64::from_le_bytes(pointer) as usize);
    Ok((u32::from_le_bytes([a, b, c, d]), pointer))
}

/// For every other destination the packet is the standard marshaler's.
fn marshal_standard(stream: &IStream, object: &IUnknown, iid: &GUID, to: &packet::Destination) -> HRESULT {
    let mut bytes = Vec::new();
    match packet::marshal_standard(object, iid, to, &mut bytes) {
        Ok(()) => packet::deliver(stream, &bytes),
        Err(hr) => hr,
    }
}

impl IMarshal2_Impl for FreeThreadedMarshaler_Impl {}

impl IMarshal_Impl for FreeThreadedMarshaler_Impl {
    unsafe fn GetUnmarshalClass(
        &self,
        _riid: *const GUID,
        _pv: *mut c_void,
        dwDestContext: u32,
        _pvDestContext: *mut c_void,
        _mshlflags: u32,
        pCid: *mut GUID,
    ) -> HRESULT {
        // SAFETY: null or valid.
        let Some(clsid) = (unsafe { pCid.as_mut() }) else { return E_POINTER };
        *clsid = if dwDestContext == MSHCTX_INPROC { CLSID_InProcFreeMarshaler } else { CLSID_StdMarshal };
        S_OK
    }

    unsafe fn GetMarshalSizeMax(
        &self,
        _riid: *const GUID,
        _pv: *mut c_void,
        dwDestContext: u32,
        _pvDestContext: *mut c_void,
        _mshlflags: u32,
        pSize: *mut u32,
    ) -> HRESULT {
        // SAFETY: null or valid.
        let Some(size) = (unsafe { pSize.as_mut() }) else { return E_POINTER };
        *size = if dwDestContext == MSHCTX_INPROC { PACKET as u32 } else { packet::STANDARD_SIZE };
        S_OK
    }

    unsafe fn MarshalInterface(
        &self,
        pStm: *mut c_void,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT {
        // SAFETY: the pointers are null or valid.
        unsafe {
            let (Some(stream), Some(object)) = (IStream::from_raw_borrowed(&pStm), IUnknown::from_raw_borrowed(&pv))
            else {
                return E_INVALIDARG;
            };
            let Some(iid) = riid.as_ref() else { return E_INVALIDARG };
            if dwDestContext != MSHCTX_INPROC {
                let to = packet::Destination { context: dwDestContext, data: pvDestContext, flags: mshlflags };
                return marshal_standard(stream, object, iid, &to);
            }
            let counted = match raw::typed(object, iid) {
                Ok(counted) => counted,
                Err(hr) => return hr,
            };
            let mut bytes = Vec::with_capacity(PACKET);
            bytes.extend(mshlflags.to_le_bytes());
            bytes.extend((counted.as_raw().expose_provenance() as u64).to_le_bytes());
            bytes.extend(secret());
            let hr = write_all(stream, &bytes);
            // The packet holds a reference, whatever its kind; a table's is given back by ReleaseMarshalData only.
            if hr.is_ok() {
                std::mem::forget(counted);
            }
            hr
        }
    }

    unsafe fn UnmarshalInterface(&self, pStm: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid.
        let Some(out) = (unsafe { ppv.as_mut() }) else { return E_POINTER };
        *out = std::ptr::null_mut();
        // SAFETY: as above.
        let Some(iid) = (unsafe { riid.as_ref() }) else { return E_INVALIDARG };
        let (flags, pointer) = match read(pStm) {
            Ok(packet) => packet,
            Err(hr) => return hr,
        };
        // SAFETY: a packet of this process holds a reference on the pointer in it.
        unsafe {
            let Some(object) = IUnknown::from_raw_borrowed(&pointer) else { return RPC_E_INVALID_OBJREF };
            let found = raw::interface_of(object, iid);
            if flags & (MSHLFLAGS_TABLESTRONG | MSHLFLAGS_TABLEWEAK) == MSHLFLAGS_NORMAL {
                drop(IUnknown::from_raw(pointer));
            }
            match found {
                Ok(found) => {
                    *out = found;
                    S_OK
                }
                Err(hr) => hr,
            }
        }
    }

    unsafe fn ReleaseMarshalData(&self, pStm: *mut c_void) -> HRESULT {
        match read(pStm) {
            Ok((_, pointer)) => {
                // SAFETY: as above: the packet's reference.
                unsafe { drop(IUnknown::from_raw(pointer)) };
                S_OK
            }
            Err(hr) => hr,
        }
    }

    unsafe fn DisconnectObject(&self, _dwReserved: u32) -> HRESULT {
        S_OK
    }
}

unsafe fn create(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's.
    unsafe { object::create_aggregated(FreeThreadedMarshaler, outer, riid, ppv) }
}

inventory::submit! { SystemClass { clsid: CLSID_InProcFreeMarshaler, create } }

export! {
    /// A free-threaded marshaler to aggregate under an object that may be used from every apartment.
    ///
    /// # Safety
    /// `punkOuter` is null or the controlling unknown; `ppunkMarshal` is null or valid for writes.
    pub unsafe fn CoCreateFreeThreadedMarshaler(punkOuter: *mut c_void, ppunkMarshal: *mut *mut c_void) -> HRESULT {
        if ppunkMarshal.is_null() {
            return E_POINTER;
        }
        // SAFETY: the caller's.
        unsafe { create(punkOuter, &IUnknown::IID, ppunkMarshal) }
    }
}
