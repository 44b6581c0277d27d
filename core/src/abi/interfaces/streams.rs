//! Streams of bytes. In vtable order; what goes over the wire in the place of a method stands behind it, and the functions
//! between the two are in `streams/call_as.rs`.

mod call_as;

use crate::abi::types::{LARGE_INTEGER, STATSTG};
use crate::async_interface;
use call_as::*;
use std::ffi::c_void;
use windows_core::{HRESULT, IUnknown, Interface};

/// Reads and writes bytes in order.
#[async_interface(uuid = "0C733A30-2A1C-11CE-ADE5-00AA0044773D")]
pub unsafe trait ISequentialStream: IUnknown {
    /// Reads up to `cb` bytes; `S_FALSE` when there are fewer. `pcbRead` may be null.
    #[idl(local)]
    fn Read(&self, #[idl(out)] pv: *mut c_void, #[idl(in)] cb: u32, #[idl(out)] pcbRead: *mut u32) -> HRESULT;
    #[idl(call_as(Read))]
    fn RemoteRead(
        &self,
        #[idl(out, size_is(cb), length_is(*pcbRead))] pv: *mut u8,
        #[idl(in)] cb: u32,
        #[idl(out)] pcbRead: *mut u32,
    ) -> HRESULT;
    /// Writes `cb` bytes. `pcbWritten` may be null.
    #[idl(local)]
    fn Write(&self, #[idl(in)] pv: *const c_void, #[idl(in)] cb: u32, #[idl(out)] pcbWritten: *mut u32) -> HRESULT;
    #[idl(call_as(Write))]
    fn RemoteWrite(
        &self,
        #[idl(in, size_is(cb))] pv: *const u8,
        #[idl(in)] cb: u32,
        #[idl(out)] pcbWritten: *mut u32,
    ) -> HRESULT;
}

/// A stream of bytes with a position (IID-29).
#[async_interface(uuid = "0000000C-0000-0000-C000-000000000046")]
pub unsafe trait IStream: ISequentialStream {
    /// Moves the position. `plibNewPosition` may be null.
    #[idl(local)]
    fn Seek(
        &self,
        #[idl(in)] dlibMove: LARGE_INTEGER,
        #[idl(in)] dwOrigin: u32,
        #[idl(out)] plibNewPosition: *mut u64,
    ) -> HRESULT;
    #[idl(call_as(Seek))]
    fn RemoteSeek(
        &self,
        #[idl(in)] dlibMove: LARGE_INTEGER,
        #[idl(in)] dwOrigin: u32,
        #[idl(out)] plibNewPosition: *mut u64,
    ) -> HRESULT;
    /// Sets the size.
    fn SetSize(&self, #[idl(in)] libNewSize: u64) -> HRESULT;
    /// Copies bytes to another stream. The two counts may be null.
    #[idl(local)]
    fn CopyTo(
        &self,
        #[idl(in)] pstm: *mut c_void,
        #[idl(in)] cb: u64,
        #[idl(out)] pcbRead: *mut u64,
        #[idl(out)] pcbWritten: *mut u64,
    ) -> HRESULT;
    #[idl(call_as(CopyTo))]
    fn RemoteCopyTo(
        &self,
        #[idl(in, iid_is(IStream::IID))] pstm: *mut c_void,
        #[idl(in)] cb: u64,
        #[idl(out)] pcbRead: *mut u64,
        #[idl(out)] pcbWritten: *mut u64,
    ) -> HRESULT;
    /// Makes changes last; nothing to do in memory.
    fn Commit(&self, #[idl(in)] grfCommitFlags: u32) -> HRESULT;
    /// Takes changes back; nothing to do in memory.
    fn Revert(&self) -> HRESULT;
    /// Not supported: `STG_E_INVALIDFUNCTION`.
    fn LockRegion(&self, #[idl(in)] libOffset: u64, #[idl(in)] cb: u64, #[idl(in)] dwLockType: u32) -> HRESULT;
    /// Not supported: `STG_E_INVALIDFUNCTION`.
    fn UnlockRegion(&self, #[idl(in)] libOffset: u64, #[idl(in)] cb: u64, #[idl(in)] dwLockType: u32) -> HRESULT;
    /// What the stream is.
    fn Stat(&self, #[idl(out)] pstatstg: *mut STATSTG, #[idl(in)] grfStatFlag: u32) -> HRESULT;
    /// A second stream over the same bytes with a position of its own.
    fn Clone(&self, #[idl(out, iid_is(IStream::IID))] ppstm: *mut *mut c_void) -> HRESULT;
}
