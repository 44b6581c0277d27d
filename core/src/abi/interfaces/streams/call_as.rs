//! Streams between callers and the wire: on the wire every result has its place, callers may leave some out.
//!
//! These run on the caller's thread in the proxy's apartment, or on the server's in the stub's; they hold nothing.

use super::{
    ISequentialStream, ISequentialStream_RemoteRead_Proxy, ISequentialStream_RemoteWrite_Proxy, IStream,
    IStream_RemoteCopyTo_Proxy, IStream_RemoteSeek_Proxy,
};
use crate::abi::hresult::STG_E_INVALIDPOINTER;
use crate::abi::types::LARGE_INTEGER;
use std::ffi::c_void;
use windows_core::HRESULT;

/// The caller's place, or the other one where the caller has none.
fn place<T>(callers: *mut T, other: &mut T) -> *mut T {
    if callers.is_null() { other } else { callers }
}

pub(super) unsafe fn ISequentialStream_Read_Proxy(
    this: &ISequentialStream,
    pv: *mut c_void,
    cb: u32,
    pcbRead: *mut u32,
) -> HRESULT {
    if pv.is_null() {
        return STG_E_INVALIDPOINTER;
    }
    // SAFETY: the caller's promises; the count has a place.
    unsafe { ISequentialStream_RemoteRead_Proxy(this, pv.cast(), cb, place(pcbRead, &mut 0)) }
}

pub(super) unsafe fn ISequentialStream_Read_Stub(
    this: &ISequentialStream,
    pv: *mut u8,
    cb: u32,
    pcbRead: *mut u32,
) -> HRESULT {
    // SAFETY: the stub's memory.
    unsafe { this.Read(pv.cast(), cb, pcbRead) }
}

pub(super) unsafe fn ISequentialStream_Write_Proxy(
    this: &ISequentialStream,
    pv: *const c_void,
    cb: u32,
    pcbWritten: *mut u32,
) -> HRESULT {
    if pv.is_null() {
        return STG_E_INVALIDPOINTER;
    }
    // SAFETY: the caller's promises; the count has a place.
    unsafe { ISequentialStream_RemoteWrite_Proxy(this, pv.cast(), cb, place(pcbWritten, &mut 0)) }
}

pub(super) unsafe fn ISequentialStream_Write_Stub(
    this: &ISequentialStream,
    pv: *const u8,
    cb: u32,
    pcbWritten: *mut u32,
) -> HRESULT {
    // SAFETY: the stub's memory.
    unsafe { this.Write(pv.cast(), cb, pcbWritten) }
}

pub(super) unsafe fn IStream_Seek_Proxy(
    this: &IStream,
    dlibMove: LARGE_INTEGER,
    dwOrigin: u32,
    plibNewPosition: *mut u64,
) -> HRESULT {
    // SAFETY: the caller's promises; the position has a place.
    unsafe { IStream_RemoteSeek_Proxy(this, dlibMove, dwOrigin, place(plibNewPosition, &mut 0)) }
}

pub(super) unsafe fn IStream_Seek_Stub(
    this: &IStream,
    dlibMove: LARGE_INTEGER,
    dwOrigin: u32,
    plibNewPosition: *mut u64,
) -> HRESULT {
    // SAFETY: the stub's memory.
    unsafe { this.Seek(dlibMove, dwOrigin, plibNewPosition) }
}

pub(super) unsafe fn IStream_CopyTo_Proxy(
    this: &IStream,
    pstm: *mut c_void,
    cb: u64,
    pcbRead: *mut u64,
    pcbWritten: *mut u64,
) -> HRESULT {
    let (read, written) = (&mut 0, &mut 0);
    // SAFETY: the caller's promises; both counts have a place.
    unsafe { IStream_RemoteCopyTo_Proxy(this, pstm, cb, place(pcbRead, read), place(pcbWritten, written)) }
}

pub(super) unsafe fn IStream_CopyTo_Stub(
    this: &IStream,
    pstm: *mut c_void,
    cb: u64,
    pcbRead: *mut u64,
    pcbWritten: *mut u64,
) -> HRESULT {
    // SAFETY: the stub's memory, and a stream that the stub holds.
    unsafe { this.CopyTo(pstm, cb, pcbRead, pcbWritten) }
}
