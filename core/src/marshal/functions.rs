//! The functions that put interface pointers into streams and get them back.

use super::packet;
use super::stream::{memory_stream, read_exact, write_all};
use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOTINITIALIZED, E_INVALIDARG, S_OK};
use crate::abi::interfaces::IStream;
use crate::abi::types::{MSHCTX_INPROC, MSHLFLAGS_NORMAL};
use crate::apartment;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

export! {
    /// Writes a packet for an interface into a stream.
    ///
    /// `E_INVALIDARG` for null pointers (MRSH-01), contexts and flags that are none, `CO_E_NOTINITIALIZED` outside COM, `E_NOINTERFACE` for an interface
    /// that the object lacks or that has no proxy and stub (MRSH-02), `CO_E_NOT_SUPPORTED` for an object with
    /// `INoMarshal`.
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnk` belongs to the calling apartment.
    pub unsafe fn CoMarshalInterface(
        pStm: *mut c_void,
        riid: *const GUID,
        pUnk: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (stream, iid, unknown) = unsafe {
            (IStream::from_raw_borrowed(&pStm), riid.as_ref(), IUnknown::from_raw_borrowed(&pUnk))
        };
        let (Some(stream), Some(iid), Some(unknown)) = (stream, iid, unknown) else { return E_INVALIDARG };
        let to = packet::Destination { context: dwDestContext, data: pvDestContext, flags: mshlflags };
        let mut bytes = Vec::new();
        match to.check().and_then(|()| packet::marshal(unknown, iid, &to, &mut bytes)) {
            Ok(()) => packet::deliver(stream, &bytes),
            Err(hr) => hr,
        }
    }

    /// Makes a pointer for the calling apartment of the packet at the stream's position.
    ///
    /// `E_INVALIDARG` for null pointers, `CO_E_NOTINITIALIZED` outside COM, `STG_E_READFAULT` at the stream's end
    /// (MRSH-10); `CO_E_OBJNOTCONNECTED` for a normal packet that was used up (MRSH-06), `CO_E_OBJNOTREG` for a table
    /// packet that was released (MRSH-09).
    ///
    /// # Safety
    /// The pointers are null or valid.
    pub unsafe fn CoUnmarshalInterface(pStm: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let (stream, iid, out) = unsafe { (IStream::from_raw_borrowed(&pStm), riid.as_ref(), ppv.as_mut()) };
        let Some(out) = out else { return E_INVALIDARG };
        let Some(stream) = stream else {
            *out = std::ptr::null_mut();
            return E_INVALIDARG;
        };
        let Some(iid) = iid else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        if apartment::current().is_none() {
            return CO_E_NOTINITIALIZED;
        }
        let found = packet::read(stream).and_then(|(objref, data)| {
            // The nil IID asks for what the packet is of.
            let iid = if *iid == GUID::zeroed() { objref.iid } else { *iid };
            packet::unmarshal(&objref, &data, &iid)
        });
        match found {
            Ok(raw) => {
                *out = raw;
                S_OK
            }
            Err(hr) => hr,
        }
    }

    /// Gives back what the packet at the stream's position holds (MRSH-04).
    ///
    /// # Safety
    /// `pStm` is null or a stream.
    pub unsafe fn CoReleaseMarshalData(pStm: *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let Some(stream) = (unsafe { IStream::from_raw_borrowed(&pStm) }) else { return E_INVALIDARG };
        let released = packet::read(stream).and_then(|(objref, data)| packet::release(&objref, &data));
        released.err().unwrap_or(S_OK)
    }

    /// An upper bound for the size of a packet, in bytes. Fails as `CoMarshalInterface` does, but for what only the
    /// marshaling finds out.
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnk` belongs to the calling apartment.
    pub unsafe fn CoGetMarshalSizeMax(
        pulSize: *mut u32,
        riid: *const GUID,
        pUnk: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (size, iid, unknown) = unsafe { (pulSize.as_mut(), riid.as_ref(), IUnknown::from_raw_borrowed(&pUnk)) };
        let (Some(size), Some(iid), Some(unknown)) = (size, iid, unknown) else { return E_INVALIDARG };
        if apartment::current().is_none() {
            return CO_E_NOTINITIALIZED;
        }
        let to = packet::Destination { context: dwDestContext, data: pvDestContext, flags: mshlflags };
        match to.check().and_then(|()| packet::size_max(unknown, iid, &to)) {
            Ok(found) => {
                *size = found;
                S_OK
            }
            Err(hr) => hr,
        }
    }

    /// A stream with a normal packet for another thread of the process, rewound (MRSH-11).
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnk` belongs to the calling apartment.
    pub unsafe fn CoMarshalInterThreadInterfaceInStream(
        riid: *const GUID,
        pUnk: *mut c_void,
        ppStm: *mut *mut c_void,
    ) -> HRESULT {
        let Some(out) = ppv_mut(ppStm) else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        let stream = memory_stream(Vec::new());
        // SAFETY: the caller's arguments, passed on with a stream of our own.
        let hr = unsafe {
            let none = std::ptr::null_mut();
            CoMarshalInterface(stream.as_raw(), riid, pUnk, MSHCTX_INPROC, none, MSHLFLAGS_NORMAL)
        };
        if hr.is_err() {
            return hr;
        }
        let hr = packet::rewind(&stream);
        if hr.is_ok() {
            *out = stream.into_raw();
        }
        hr
    }

    /// Unmarshals from a stream and releases it, even when that fails (MRSH-12).
    ///
    /// # Safety
    /// `pStm` is null or a counted stream, which is used up; the other pointers are null or valid.
    pub unsafe fn CoGetInterfaceAndReleaseStream(
        pStm: *mut c_void,
        iid: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        if pStm.is_null() {
            return E_INVALIDARG;
        }
        // SAFETY: the caller gives its reference up.
        unsafe {
            let stream = IStream::from_raw(pStm);
            CoUnmarshalInterface(stream.as_raw(), iid, ppv)
        }
    }

    /// Writes an HRESULT into a stream: its four bytes (MA-43).
    ///
    /// # Safety
    /// `pstm` is null or a stream.
    pub unsafe fn CoMarshalHresult(pstm: *mut c_void, hresult: HRESULT) -> HRESULT {
        // SAFETY: the caller's.
        match unsafe { IStream::from_raw_borrowed(&pstm) } {
            Some(stream) => write_all(stream, &hresult.0.to_le_bytes()),
            None => E_INVALIDARG,
        }
    }

    /// Reads an HRESULT from a stream.
    ///
    /// # Safety
    /// `pstm` is null or a stream; `phresult` is null or valid for writes.
    pub unsafe fn CoUnmarshalHresult(pstm: *mut c_void, phresult: *mut HRESULT) -> HRESULT {
        // SAFETY: the caller's.
        let (stream, out) = unsafe { (IStream::from_raw_borrowed(&pstm), phresult.as_mut()) };
        let (Some(stream), Some(out)) = (stream, out) else { return E_INVALIDARG };
        let mut bytes = [0; 4];
        let hr = read_exact(stream, &mut bytes);
        if hr.is_ok() {
            *out = HRESULT(i32::from_le_bytes(bytes));
        }
        hr
    }
}

/// An out pointer that may be null.
fn ppv_mut<'a>(ppv: *mut *mut c_void) -> Option<&'a mut *mut c_void> {
    // SAFETY: null or valid, as COM asks of out pointers.
    unsafe { ppv.as_mut() }
}
