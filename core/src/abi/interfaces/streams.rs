//! Streams of bytes. In vtable order.

use crate::abi::types::{LARGE_INTEGER, STATSTG};
use crate::interface;
use std::ffi::c_void;
use windows_core::{HRESULT, IUnknown};

/// Reads and writes bytes in order.
#[interface("0C733A30-2A1C-11CE-ADE5-00AA0044773D")]
pub unsafe trait ISequentialStream: IUnknown {
    /// Reads up to `cb` bytes; `S_FALSE` when there are fewer.
    fn Read(&self, pv: *mut c_void, cb: u32, pcbRead: *mut u32) -> HRESULT;
    /// Writes `cb` bytes.
    fn Write(&self, pv: *const c_void, cb: u32, pcbWritten: *mut u32) -> HRESULT;
}

/// A stream of bytes with a position (IID-29).
#[interface("0000000C-0000-0000-C000-000000000046")]
pub unsafe trait IStream: ISequentialStream {
    /// Moves the position.
    fn Seek(&self, dlibMove: LARGE_INTEGER, dwOrigin: u32, plibNewPosition: *mut u64) -> HRESULT;
    /// Sets the size.
    fn SetSize(&self, libNewSize: u64) -> HRESULT;
    /// Copies bytes to another stream.
    fn CopyTo(&self, pstm: *mut c_void, cb: u64, pcbRead: *mut u64, pcbWritten: *mut u64) -> HRESULT;
    /// Makes changes last; nothing to do in memory.
    fn Commit(&self, grfCommitFlags: u32) -> HRESULT;
    /// Takes changes back; nothing to do in memory.
    fn Revert(&self) -> HRESULT;
    /// Not supported: `STG_E_INVALIDFUNCTION`.
    fn LockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT;
    /// Not supported: `STG_E_INVALIDFUNCTION`.
    fn UnlockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT;
    /// What the stream is.
    fn Stat(&self, pstatstg: *mut STATSTG, grfStatFlag: u32) -> HRESULT;
    /// A second stream over the same bytes with a position of its own.
    fn Clone(&self, ppstm: *mut *mut c_void) -> HRESULT;
}
