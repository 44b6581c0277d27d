//! ISequentialStream and IStream: callers may leave results out, which have their place on the wire all the same.

use super::*;
use oleander::windows_core::HRESULT;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;

/// A stream of one apartment over one in memory. Every result must have its place when a call comes through a stub.
#[com_class(IStream)]
struct Homely {
    inner: IStream,
    locked: Cell<(u64, u64, u32)>,
}

fn homely(inner: IStream) -> IStream {
    Homely { inner, locked: Cell::default() }.into()
}

fn memory() -> IStream {
    let mut raw = ptr::null_mut();
    // SAFETY: valid arguments; a counted pointer comes back.
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        IStream::from_raw(raw)
    }
}

impl ISequentialStream_Impl for Homely_Impl {
    unsafe fn Read(&self, pv: *mut c_void, cb: u32, pcbRead: *mut u32) -> HRESULT {
        assert!(!pcbRead.is_null());
        // SAFETY: the stub's memory.
        unsafe { self.inner.Read(pv, cb, pcbRead) }
    }
    unsafe fn Write(&self, pv: *const c_void, cb: u32, pcbWritten: *mut u32) -> HRESULT {
        assert!(!pcbWritten.is_null());
        // SAFETY: the stub's memory.
        unsafe { self.inner.Write(pv, cb, pcbWritten) }
    }
}

impl IStream_Impl for Homely_Impl {
    unsafe fn Seek(&self, dlibMove: i64, dwOrigin: u32, plibNewPosition: *mut u64) -> HRESULT {
        assert!(!plibNewPosition.is_null());
        // SAFETY: the stub's memory.
        unsafe { self.inner.Seek(dlibMove, dwOrigin, plibNewPosition) }
    }
    unsafe fn SetSize(&self, libNewSize: u64) -> HRESULT {
        // SAFETY: no pointers.
        unsafe { self.inner.SetSize(libNewSize) }
    }
    unsafe fn CopyTo(&self, pstm: *mut c_void, cb: u64, pcbRead: *mut u64, pcbWritten: *mut u64) -> HRESULT {
        assert!(!pcbRead.is_null() && !pcbWritten.is_null());
        // SAFETY: the stub's memory, and a stream that it holds.
        unsafe { self.inner.CopyTo(pstm, cb, pcbRead, pcbWritten) }
    }
    unsafe fn Commit(&self, grfCommitFlags: u32) -> HRESULT {
        HRESULT(grfCommitFlags as i32)
    }
    unsafe fn Revert(&self) -> HRESULT {
        E_ABORT
    }
    unsafe fn LockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT {
        self.locked.set((libOffset, cb, dwLockType));
        S_OK
    }
    unsafe fn UnlockRegion(&self, libOffset: u64, cb: u64, dwLockType: u32) -> HRESULT {
        if self.locked.get() == (libOffset, cb, dwLockType) { S_OK } else { E_INVALIDARG }
    }
    unsafe fn Stat(&self, pstatstg: *mut STATSTG, grfStatFlag: u32) -> HRESULT {
        // SAFETY: the stub's memory; the name is freed by the stub.
        unsafe {
            let hr = self.inner.Stat(pstatstg, grfStatFlag);
            let name = CoTaskMemAlloc(6).cast::<u16>();
            name.copy_from_nonoverlapping([u16::from(b'o'), u16::from(b'l'), 0].as_ptr(), 3);
            (*pstatstg).pwcsName = name;
            hr
        }
    }
    unsafe fn Clone(&self, ppstm: *mut *mut c_void) -> HRESULT {
        let mut raw = ptr::null_mut();
        // SAFETY: the stub's memory; what the inner stream gives is counted.
        unsafe {
            let hr = self.inner.Clone(&mut raw);
            *ppstm = homely(IStream::from_raw(raw)).into_raw();
            hr
        }
    }
}

fn text(stream: &IStream, wanted: u32) -> (HRESULT, String) {
    let (mut buffer, mut read) = (vec![0xFF_u8; wanted as usize], 99);
    // SAFETY: a valid buffer.
    let hr = unsafe { stream.Read(buffer.as_mut_ptr().cast(), wanted, &mut read) };
    assert!(buffer[read as usize..].iter().all(|byte| [0, 0xFF].contains(byte)));
    (hr, String::from_utf8_lossy(&buffer[..read as usize]).into_owned())
}

fn to(stream: &IStream, position: i64) {
    let mut reached = u64::MAX;
    // SAFETY: a valid pointer.
    assert_eq!(unsafe { stream.Seek(position, STREAM_SEEK_SET, &mut reached) }, S_OK);
    assert_eq!(reached, position as u64);
}

#[test]
fn a_stream_through_a_proxy() {
    through_a_proxy(
        || homely(memory()),
        |stream| {
            // SAFETY: valid buffers, or null where that is allowed.
            unsafe {
                assert_eq!(stream.Write(b"oleander".as_ptr().cast(), 8, ptr::null_mut()), S_OK);
                let mut position = 0;
                assert_eq!(stream.Seek(-4, STREAM_SEEK_END, &mut position), S_OK);
                assert_eq!((position, text(&stream, 3)), (4, (S_OK, "nde".to_owned())));
                let last = text(&stream, 9);
                assert_eq!(last.1, "r", "no more than there is");
                assert_eq!(stream.Seek(0, STREAM_SEEK_SET, ptr::null_mut()), S_OK);
                let mut byte = 0_u8;
                assert_eq!(stream.Read((&raw mut byte).cast(), 1, ptr::null_mut()), S_OK);
                assert_eq!(byte, b'o');
                assert_eq!(stream.Read(ptr::null_mut(), 1, ptr::null_mut()), STG_E_INVALIDPOINTER);
                assert_eq!(stream.Write(ptr::null(), 1, ptr::null_mut()), STG_E_INVALIDPOINTER);
                assert_eq!(stream.Commit(5), HRESULT(5));
                assert_eq!(stream.Revert(), E_ABORT);
                assert_eq!(stream.LockRegion(1 << 40, 7, 2), S_OK);
                assert_eq!(stream.UnlockRegion(1 << 40, 7, 2), S_OK);
                assert_eq!(stream.SetSize(5), S_OK);
                let mut stat = std::mem::zeroed::<STATSTG>();
                assert_eq!(stream.Stat(&mut stat, 0), S_OK);
                assert_eq!((stat.cbSize, stat.r#type), (5, 2));
                assert_eq!(std::slice::from_raw_parts(stat.pwcsName, 3), [u16::from(b'o'), u16::from(b'l'), 0]);
                CoTaskMemFree(stat.pwcsName.cast());
            }
        },
    );
}

#[test]
fn a_stream_is_cloned_and_copied_between_apartments() {
    through_a_proxy(
        || homely(memory()),
        |stream| {
            let mut raw = ptr::null_mut();
            // SAFETY: valid buffers; what comes back is counted.
            unsafe {
                assert_eq!(stream.Write(b"shrub".as_ptr().cast(), 5, ptr::null_mut()), S_OK);
                assert_eq!(stream.Clone(&mut raw), S_OK);
                let clone = IStream::from_raw(raw);
                to(&clone, 0);
                assert_eq!(text(&clone, 5).1, "shrub");
                to(&clone, 1);
                // The target is an object of this apartment: the server writes into it through a proxy of its own.
                let target = homely(memory());
                let (mut read, mut written) = (0, 0);
                assert_eq!(clone.CopyTo(target.as_raw(), 3, &mut read, &mut written), S_OK);
                assert_eq!((read, written), (3, 3));
                assert_eq!(clone.CopyTo(target.as_raw(), u64::MAX, ptr::null_mut(), ptr::null_mut()), S_OK);
                to(&target, 0);
                assert_eq!(text(&target, 4).1, "hrub");
            }
        },
    );
}

/// Nothing but the base of a stream: what it reads is what was written last.
#[com_class(ISequentialStream)]
#[derive(Default)]
struct Last(RefCell<Vec<u8>>);

impl ISequentialStream_Impl for Last_Impl {
    unsafe fn Read(&self, pv: *mut c_void, cb: u32, pcbRead: *mut u32) -> HRESULT {
        let last = self.0.borrow();
        let count = last.len().min(cb as usize);
        // SAFETY: the stub's memory.
        unsafe {
            pv.cast::<u8>().copy_from_nonoverlapping(last.as_ptr(), count);
            *pcbRead = count as u32;
        }
        if count < cb as usize { S_FALSE } else { S_OK }
    }
    unsafe fn Write(&self, pv: *const c_void, cb: u32, pcbWritten: *mut u32) -> HRESULT {
        // SAFETY: the stub's memory.
        let bytes = unsafe { std::slice::from_raw_parts(pv.cast::<u8>(), cb as usize) };
        self.0.replace(bytes.to_vec());
        // SAFETY: the stub's memory.
        unsafe { *pcbWritten = cb };
        S_OK
    }
}

#[test]
fn isequentialstream_through_a_proxy() {
    through_a_proxy(
        || ISequentialStream::from(Last::default()),
        |stream| {
            let (mut buffer, mut count) = ([0xFF_u8; 6], 99);
            assert!(stream.cast::<IStream>().is_err(), "it is no more than that");
            // SAFETY: valid buffers, or null where that is allowed.
            unsafe {
                assert_eq!(stream.Write(b"olea".as_ptr().cast(), 4, &mut count), S_OK);
                assert_eq!(count, 4);
                assert_eq!(stream.Read(buffer.as_mut_ptr().cast(), 6, &mut count), S_FALSE);
                assert_eq!((count, &buffer[..4]), (4, &b"olea"[..]), "no more than there is");
                assert_eq!(stream.Write(b"shru".as_ptr().cast(), 4, ptr::null_mut()), S_OK);
                assert_eq!(stream.Read(buffer.as_mut_ptr().cast(), 3, ptr::null_mut()), S_OK);
                assert_eq!(&buffer[..4], b"shra", "not beyond what was asked for");
                assert_eq!(stream.Read(ptr::null_mut(), 1, &mut count), STG_E_INVALIDPOINTER);
            }
        },
    );
}
