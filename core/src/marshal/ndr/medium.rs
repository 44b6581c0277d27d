//! Media of data, as notifications carry them: the layout of the system's own marshaler for them.
//!
//! A medium crosses by value, for the caller's may be gone when the notification is read (RUL-78): global memory as its
//! bytes (a flagged blob), a file as its name, a stream and a storage as object references. Media of graphics (GDI objects,
//! metafiles) are not here: `DV_E_TYMED` (RUL-160).
//!
//! What was read is the reader's own and is freed with the medium, whatever `pUnkForRelease` says: that is about the
//! sender's. A file is the sender's, too: its name is freed, and the file left alone.

use super::{BAD, Ndr, Reader, Result, WORD, Writer, memory, string};
use crate::abi::global::{GlobalAlloc, GlobalFree, GlobalLock, GlobalSize, GlobalUnlock};
use crate::abi::hresult::{DV_E_TYMED, E_HANDLE, E_OUTOFMEMORY};
use crate::abi::interfaces::IStream;
use crate::abi::types::{
    ERROR_INVALID_HANDLE, ERROR_SUCCESS, GMEM_MOVEABLE, HANDLE, STGMEDIUM, TYMED_FILE, TYMED_HGLOBAL, TYMED_ISTORAGE,
    TYMED_ISTREAM, TYMED_NULL,
};
use crate::abi::win32::{GetLastError, SetLastError};
use crate::object::raw;
use std::ffi::c_void;
use windows_core::{GUID, IUnknown, Interface};

/// There is no proxy for it: a storage goes to another apartment if it marshals itself.
const IID_ISTORAGE: GUID = GUID::from_u128(0x0000000B_0000_0000_C000_000000000046);

/// The bytes themselves.
const WDT_REMOTE_CALL: u32 = 0x5274_6457;

// SAFETY: zero is no medium, and owns nothing; what `read` leaves is owned by whoever frees it.
unsafe impl Ndr for STGMEDIUM {
    type Itself = Self;
    const ALIGN: u32 = WORD;
    const SIZE_MIN: u32 = 2 * WORD;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let medium = unsafe { *this };
        w.word(medium.tymed)?;
        if medium.tymed != TYMED_NULL {
            w.referent(medium.u.is_null())?;
        }
        w.referent(medium.pUnkForRelease.is_null())?;
        match medium.tymed {
            TYMED_NULL => {}
            TYMED_HGLOBAL | TYMED_FILE | TYMED_ISTREAM | TYMED_ISTORAGE if medium.u.is_null() => {}
            TYMED_HGLOBAL => write_global(HANDLE(medium.u), w)?,
            // SAFETY: the medium says that it is a file's name, which ends.
            TYMED_FILE => unsafe { string::write::<u16>(medium.u.cast(), w)? },
            // SAFETY: the medium says that it is a stream.
            TYMED_ISTREAM => unsafe { w.interface(&IStream::IID, medium.u)? },
            // SAFETY: the medium says that it is a storage.
            TYMED_ISTORAGE => unsafe { w.interface(&IID_ISTORAGE, medium.u)? },
            _ => return Err(DV_E_TYMED),
        }
        if !medium.pUnkForRelease.is_null() {
            // SAFETY: a live object, as the caller of the method says.
            unsafe { w.interface(&IUnknown::IID, medium.pUnkForRelease)? };
        }
        Ok(())
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        let medium = unsafe { &mut *this };
        medium.tymed = r.word()?;
        let is_there = medium.tymed != TYMED_NULL && r.referent()?;
        let is_freed_by = r.referent()?;
        medium.u = match medium.tymed {
            _ if !is_there => std::ptr::null_mut(),
            TYMED_HGLOBAL => read_global(r)?,
            TYMED_FILE => string::read_allocated::<u16>(r)?.cast(),
            TYMED_ISTREAM => r.interface(&IStream::IID)?,
            TYMED_ISTORAGE => r.interface(&IID_ISTORAGE)?,
            _ => return Err(DV_E_TYMED),
        };
        if is_freed_by {
            medium.pUnkForRelease = r.interface(&IUnknown::IID)?;
        }
        Ok(())
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise: the copy and the references are the reader's own.
        unsafe {
            let medium = *this;
            match medium.tymed {
                _ if medium.u.is_null() => {}
                TYMED_HGLOBAL => drop(GlobalFree(HANDLE(medium.u))),
                TYMED_FILE => memory::free(medium.u),
                TYMED_ISTREAM | TYMED_ISTORAGE => drop(raw::release(medium.u)),
                _ => {}
            }
            if !medium.pUnkForRelease.is_null() {
                raw::release(medium.pUnkForRelease);
            }
        }
    }
}

/// The bytes of global memory, of the backend that the thread has.
fn write_global(global: HANDLE, w: &mut Writer<'_>) -> Result {
    // SAFETY: handles are numbers, and no is an answer.
    let bytes = unsafe { GlobalLock(global) };
    if bytes.is_null() {
        // SAFETY: no bytes.
        return if is_discarded(global) { unsafe { write_blob(std::ptr::null(), 0, w) } } else { Err(E_HANDLE) };
    }
    // SAFETY: the memory stays where it is, and as large, until it is unlocked.
    unsafe {
        let size = u32::try_from(GlobalSize(global)).map_err(|_| E_OUTOFMEMORY);
        let written = size.and_then(|size| write_blob(bytes.cast(), size, w));
        let _ = GlobalUnlock(global);
        written
    }
}

/// Whether it is a block without bytes, which cannot be locked.
fn is_discarded(global: HANDLE) -> bool {
    // SAFETY: as above.
    unsafe {
        SetLastError(ERROR_SUCCESS);
        GlobalSize(global) == 0 && GetLastError() != ERROR_INVALID_HANDLE
    }
}

/// The flagged blob of some bytes.
///
/// # Safety
/// So many may be read there.
unsafe fn write_blob(bytes: *const u8, size: u32, w: &mut Writer<'_>) -> Result {
    w.word(WDT_REMOTE_CALL)?;
    w.referent(false)?;
    w.word(size)?;
    w.word(0)?;
    w.word(size)?;
    if size == 0 {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    unsafe { w.raw(bytes, size) }
}

/// Global memory of the reader's own.
fn read_global(r: &mut Reader<'_>) -> Result<*mut c_void> {
    if r.word()? != WDT_REMOTE_CALL || !r.referent()? {
        return Err(BAD);
    }
    let (max, _flags) = (r.word()?, r.word()?);
    let size = r.count(1)?;
    if size != max {
        return Err(BAD);
    }
    let bytes = r.take(size)?;
    // SAFETY: so many bytes were taken, and the block is as large; nobody else has it.
    unsafe {
        let global = GlobalAlloc(GMEM_MOVEABLE, size as usize);
        if global.is_null() {
            return Err(E_OUTOFMEMORY);
        }
        if size > 0 {
            let place = GlobalLock(global).cast::<u8>();
            if place.is_null() {
                GlobalFree(global);
                return Err(E_OUTOFMEMORY);
            }
            place.copy_from_nonoverlapping(bytes, size as usize);
            let _ = GlobalUnlock(global);
        }
        Ok(global.0)
    }
}
