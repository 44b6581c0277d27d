//! A stream of bytes in memory: what `CreateStreamOnHGlobal` makes, and what packets are written to.
//!
//! A stream has a position of its own and shares its [`Bytes`] with its clones. Both lie under a lock each, taken in the
//! order position, bytes, and never while another stream (or anything else of the user's) is called; so nothing can
//! deadlock. Streams are agile: each operation is atomic.

mod bytes;

use crate::abi::exports::export;
use crate::abi::hresult::{
    E_INVALIDARG, E_OUTOFMEMORY, S_FALSE, S_OK, STG_E_INVALIDFUNCTION, STG_E_INVALIDPOINTER, STG_E_READFAULT,
};
use crate::abi::interfaces::{ISequentialStream_Impl, IStream, IStream_Impl};
use crate::abi::types::{HANDLE, LARGE_INTEGER, STATSTG, STREAM_SEEK_CUR, STREAM_SEEK_END, STREAM_SEEK_SET};
use crate::com_class;
use bytes::Bytes;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use windows_core::{BOOL, GUID, HRESULT, Interface};

/// `STGTY_STREAM`.
const STGTY_STREAM: u32 = 2;
/// `STGM_READWRITE`.
const STGM_READWRITE: u32 = 2;

#[com_class(IStream, agile)]
struct MemoryStream {
    position: Mutex<u64>,
    bytes: Arc<Bytes>,
}

/// A stream over these bytes, at position 0.
pub fn memory_stream(bytes: Vec<u8>) -> IStream {
    stream_over(Bytes::new(bytes, true))
}

fn stream_over(bytes: Bytes) -> IStream {
    MemoryStream { position: Mutex::new(0), bytes: Arc::new(bytes) }.into()
}

/// Reads exactly as many bytes as fit; `STG_E_READFAULT` when the stream ends before.
pub fn read_exact(stream: &IStream, mut into: &mut [u8]) -> HRESULT {
    while !into.is_empty() {
        let wanted = u32::try_from(into.len()).unwrap_or(u32::MAX);
        let mut read = 0;
        // SAFETY: so many bytes may be written.
        let hr = unsafe { stream.Read(into.as_mut_ptr().cast(), wanted, &mut read) };
        if hr.is_err() {
            return hr;
        }
        if read == 0 || read > wanted {
            return STG_E_READFAULT;
        }
        into = &mut into[read as usize..];
    }
    S_OK
}

/// Writes all the bytes; `E_OUTOFMEMORY` when the stream takes no more.
pub fn write_all(stream: &IStream, mut from: &[u8]) -> HRESULT {
    while !from.is_empty() {
        let given = u32::try_from(from.len()).unwrap_or(u32::MAX);
        let mut written = 0;
        // SAFETY: so many bytes may be read.
        let hr = unsafe { stream.Write(from.as_ptr().cast(), given, &mut written) };
        if hr.is_err() {
            return hr;
        }
        if written == 0 || written > given {
            return E_OUTOFMEMORY;
        }
        from = &from[written as usize..];
    }
    S_OK
}

export! {
    /// A stream over global memory, from its start to its end, or over new memory when `hGlobal` is null. With
    /// `fDeleteOnRelease` the memory goes with the last stream over it; else it is the caller's, who asks
    /// `GetHGlobalFromStream` where it is. `E_INVALIDARG` for what is no handle and for a null `ppstm`.
    ///
    /// Moveable memory that is not locked grows with the stream; other memory does not: `E_OUTOFMEMORY`.
    ///
    /// # Safety
    /// `ppstm` is null or may be written.
    pub unsafe fn CreateStreamOnHGlobal(
        hGlobal: HANDLE,
        fDeleteOnRelease: BOOL,
        ppstm: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { ppstm.as_mut() }) else { return E_INVALIDARG };
        *out = ptr::null_mut();
        let delete = fDeleteOnRelease.as_bool();
        let bytes = if hGlobal.is_null() {
            Bytes::new(Vec::new(), delete)
        } else {
            match Bytes::of_global(hGlobal, delete) {
                Some(bytes) => bytes,
                None => return E_INVALIDARG,
            }
        };
        *out = stream_over(bytes).into_raw();
        S_OK
    }

    /// The global memory of a stream in memory, as long as it is: the stream's size is `Stat`'s, the memory may be
    /// larger. It stays the stream's, or the caller's, as `CreateStreamOnHGlobal` was told.
    ///
    /// `E_INVALIDARG` for null pointers and for streams that were not made here, `E_OUTOFMEMORY` without memory.
    ///
    /// # Safety
    /// The pointers are null or valid.
    pub unsafe fn GetHGlobalFromStream(pstm: *mut c_void, phglobal: *mut HANDLE) -> HRESULT {
        // SAFETY: the caller's.
        let (stream, out) = unsafe { (IStream::from_raw_borrowed(&pstm), phglobal.as_mut()) };
        let Some(out) = out else { return E_INVALIDARG };
        *out = HANDLE::NULL;
        let Some(Ok(stream)) = stream.map(|stream| stream.cast_object_ref::<MemoryStream>()) else {
            return E_INVALIDARG;
        };
        match stream.bytes.global() {
            Some(handle) => {
                *out = handle;
                S_OK
            }
            None => E_OUTOFMEMORY,
        }
    }
}

impl MemoryStream {
    /// Copies up to `count` bytes from the position on out of the stream and moves the position.
    fn take(&self, count: u64) -> Vec<u8> {
        let mut position = self.position.lock();
        let from = index(*position);
        let mut taken = vec![0; self.bytes.len().saturating_sub(from).min(index(count))];
        // SAFETY: room for so many bytes.
        let read = unsafe { self.bytes.read(from, taken.as_mut_ptr(), taken.len()) };
        taken.truncate(read);
        *position += read as u64;
        taken
    }
}

/// A position as an index; what does not fit is beyond every end.
fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// Writes a result that the caller may not want.
///
/// # Safety
/// `place` is null or may be written.
unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { place.write(value) };
    }
}

impl ISequentialStream_Impl for MemoryStream_Impl {
    unsafe fn Read(&self, pv: *mut c_void, cb: u32, pcbRead: *mut u32) -> HRESULT {
        // SAFETY: null or writable, as the caller says.
        unsafe { put(pcbRead, 0) };
        if pv.is_null() {
            return STG_E_INVALIDPOINTER;
        }
        let mut position = self.position.lock();
        // SAFETY: the caller gives room for `cb` bytes.
        let count = unsafe { self.bytes.read(index(*position), pv.cast(), cb as usize) };
        // SAFETY: as above.
        unsafe { put(pcbRead, count as u32) };
        *position += count as u64;
        if count == cb as usize { S_OK } else { S_FALSE }
    }

    unsafe fn Write(&self, pv: *const c_void, cb: u32, pcbWritten: *mut u32) -> HRESULT {
        // SAFETY: null or writable, as the caller says.
        unsafe { put(pcbWritten, 0) };
        if pv.is_null() {
            return STG_E_INVALIDPOINTER;
        }
        let mut position = self.position.lock();
        let Some(end) = position.checked_add(u64::from(cb)) else { return E_OUTOFMEMORY };
        // SAFETY: the caller gives `cb` bytes.
        if !unsafe { self.bytes.write(index(*position), pv.cast(), cb as usize) } {
            return E_OUTOFMEMORY;
        }
        *position = end;
        // SAFETY: as above.
        unsafe { put(pcbWritten, cb) };
        S_OK
    }
}

impl IStream_Impl for MemoryStream_Impl {
    unsafe fn Seek(&self, dlibMove: LARGE_INTEGER, dwOrigin: u32, plibNewPosition: *mut u64) -> HRESULT {
        let mut position = self.position.lock();
        let base = match dwOrigin {
            STREAM_SEEK_SET => 0,
            STREAM_SEEK_CUR => *position,
            STREAM_SEEK_END => self.bytes.len() as u64,
            _ => return STG_E_INVALIDFUNCTION,
        };
        let Some(new) = base.checked_add_signed(dlibMove) else {
            return STG_E_INVALIDFUNCTION;
        };
        *position = new;
        // SAFETY: null or writable, as the caller says.
        unsafe { put(plibNewPosition, new) };
        S_OK
    }

    unsafe fn SetSize(&self, libNewSize: u64) -> HRESULT {
        if self.bytes.resize(index(libNewSize)) { S_OK } else { E_OUTOFMEMORY }
    }

    unsafe fn CopyTo(&self, pstm: *mut c_void, cb: u64, pcbRead: *mut u64, pcbWritten: *mut u64) -> HRESULT {
        // SAFETY: null or writable, as the caller says.
        unsafe {
            put(pcbRead, 0);
            put(pcbWritten, 0);
        }
        // SAFETY: null or a live stream, as the caller says.
        let Some(target) = (unsafe { IStream::from_raw_borrowed(&pstm) }) else {
            return STG_E_INVALIDPOINTER;
        };
        // A copy, so that no lock is held while the other stream is called: it may be this one, or a clone.
        let taken = self.take(cb);
        let hr = write_all(target, &taken);
        // SAFETY: as above.
        unsafe {
            put(pcbRead, taken.len() as u64);
            put(pcbWritten, if hr.is_ok() { taken.len() as u64 } else { 0 });
        }
        hr
    }

    unsafe fn Commit(&self, _grfCommitFlags: u32) -> HRESULT {
        S_OK
    }

    unsafe fn Revert(&self) -> HRESULT {
        S_OK
    }

    unsafe fn LockRegion(&self, _libOffset: u64, _cb: u64, _dwLockType: u32) -> HRESULT {
        STG_E_INVALIDFUNCTION
    }

    unsafe fn UnlockRegion(&self, _libOffset: u64, _cb: u64, _dwLockType: u32) -> HRESULT {
        STG_E_INVALIDFUNCTION
    }

    unsafe fn Stat(&self, pstatstg: *mut STATSTG, _grfStatFlag: u32) -> HRESULT {
        if pstatstg.is_null() {
            return STG_E_INVALIDPOINTER;
        }
        let stat = STATSTG {
            pwcsName: ptr::null_mut(),
            r#type: STGTY_STREAM,
            cbSize: self.bytes.len() as u64,
            times: [0; 3],
            grfMode: STGM_READWRITE,
            grfLocksSupported: 0,
            clsid: GUID::zeroed(),
            grfStateBits: 0,
            reserved: 0,
        };
        // SAFETY: not null, and the caller vouches for it.
        unsafe { pstatstg.write(stat) };
        S_OK
    }

    unsafe fn Clone(&self, ppstm: *mut *mut c_void) -> HRESULT {
        if ppstm.is_null() {
            return STG_E_INVALIDPOINTER;
        }
        let clone = MemoryStream { position: Mutex::new(*self.position.lock()), bytes: self.bytes.clone() };
        // SAFETY: not null, and the caller vouches for it.
        unsafe { *ppstm = IStream::from(clone).into_raw() };
        S_OK
    }
}

#[cfg(test)]
mod tests;
