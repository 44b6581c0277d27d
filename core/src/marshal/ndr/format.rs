//! Formats of data, as notifications carry them: the layout of the system's own marshaler for the format's number, and a
//! unique pointer to the device that the data are made for.
//!
//! A device is a structure that says its own size, in bytes, and has offsets into itself: on the wire it is a conformant
//! structure, whose count (of bytes behind the offsets) comes first. The offsets are carried as they are: what reads them
//! checks them (RUL-160). `DVTARGETDEVICE` in memory is as large as its `tdSize` says, at least as large as the type.

use super::pointer::is_deferred;
use super::{BAD, Count, Ndr, Reader, Result, WORD, Writer, memory, pointer};
use crate::abi::types::{DVTARGETDEVICE, FORMATETC};
use std::mem::offset_of;

/// A number that means something in this process only; a registered format does.
const WDT_INPROC_CALL: u32 = 0x4874_6457;

/// The bytes of a device before `tdData`.
const HEAD: u32 = offset_of!(DVTARGETDEVICE, tdData) as u32;

// SAFETY: zero is a format without a device, and owns nothing; between the two steps the device is `DEFERRED`, which
// `free` knows.
unsafe impl Ndr for FORMATETC {
    type Itself = Self;
    const ALIGN: u32 = WORD;
    const SIZE_MIN: u32 = 5 * WORD;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let format = unsafe { *this };
        w.referent(false)?;
        w.referent(format.ptd.is_null())?;
        w.word(format.dwAspect)?;
        w.word(format.lindex as u32)?;
        w.word(format.tymed)
    }

    unsafe fn write_tail(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let format = unsafe { *this };
        w.word(WDT_INPROC_CALL)?;
        w.word(u32::from(format.cfFormat))?;
        if format.ptd.is_null() {
            return Ok(());
        }
        // SAFETY: the caller's promise reaches through pointers.
        w.deeper(|w| unsafe { write_device(format.ptd, w) })
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        if !r.referent()? {
            return Err(BAD);
        }
        // SAFETY: the caller's promise.
        unsafe {
            pointer::read_flat(&raw mut (*this).ptd, r)?;
            (*this).dwAspect = r.word()?;
            (*this).lindex = r.word()? as i32;
            (*this).tymed = r.word()?;
        }
        Ok(())
    }

    unsafe fn read_tail(this: *mut Self, r: &mut Reader<'_>) -> Result {
        if r.word()? != WDT_INPROC_CALL {
            return Err(BAD);
        }
        // SAFETY: the caller's promise.
        unsafe {
            (*this).cfFormat = u16::try_from(r.word()?).map_err(|_| BAD)?;
            if !(*this).ptd.is_null() {
                (*this).ptd = r.deeper(read_device)?;
            }
        }
        Ok(())
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise.
        let device = unsafe { (*this).ptd };
        if !is_deferred(device) {
            // SAFETY: null, or from `CoTaskMemAlloc`, by us or as COM asks of whoever returns one.
            unsafe { memory::free(device.cast()) };
        }
    }
}

/// Writes a device with its count; a size below that of the offsets is `RPC_S_INVALID_BOUND`.
///
/// # Safety
/// `device` points at as many bytes as it says, at least those of the size and the offsets.
unsafe fn write_device(device: *const DVTARGETDEVICE, w: &mut Writer<'_>) -> Result {
    // SAFETY: the caller's promise; the structure has no gaps.
    unsafe {
        let size = (*device).tdSize;
        w.word((Count::of(size) - Count::of(HEAD)).get()?)?;
        w.raw(device.cast(), size)
    }
}

/// Reads a device into memory from `CoTaskMemAlloc`.
fn read_device(r: &mut Reader<'_>) -> Result<*mut DVTARGETDEVICE> {
    let count = r.word()?;
    let size = count.checked_add(HEAD).ok_or(BAD)?;
    let from = r.take(size)?;
    let room = size.max(size_of::<DVTARGETDEVICE>() as u32);
    let device = memory::alloc_array::<u8>(room)?.cast::<DVTARGETDEVICE>();
    // SAFETY: so many bytes were taken, and there is room for them.
    unsafe {
        std::ptr::copy_nonoverlapping(from, device.cast::<u8>(), size as usize);
        if (*device).tdSize != size {
            memory::free(device.cast());
            return Err(BAD);
        }
    }
    Ok(device)
}
