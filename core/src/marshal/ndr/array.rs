//! Elements side by side: fixed arrays, and arrays whose size another parameter says.

use super::{BAD, Ndr, Reader, Result, Writer, memory};
use crate::abi::hresult::RPC_S_INVALID_BOUND_HR;

/// How many bytes an array may take in memory whose elements did not all come with it: \[out\] arrays, and those of which
/// only a part is filled. Bounds what a hostile request can make its server allocate: 256 megabytes.
pub const CLAIM_BYTES_MAX: u32 = 1 << 28;

/// Whether an array of that size may be asked for.
pub fn check_claim<T>(count: u32) -> Result {
    match bytes_of::<T>(count) {
        Ok(bytes) if bytes <= CLAIM_BYTES_MAX => Ok(()),
        _ => Err(RPC_S_INVALID_BOUND_HR),
    }
}

/// Writes the flat parts of `count` elements.
///
/// # Safety
/// `first` points at that many valid elements.
pub unsafe fn write_flat<T: Ndr>(first: *const T, count: u32, w: &mut Writer<'_>) -> Result {
    if count == 0 {
        return Ok(());
    }
    if T::PLAIN {
        w.align(T::ALIGN)?;
        // SAFETY: plain elements are initialised bytes (contract of `Ndr::PLAIN`).
        return unsafe { w.raw(first.cast(), bytes_of::<T>(count)?) };
    }
    for i in 0..count as usize {
        // SAFETY: within the array.
        unsafe { T::write(first.add(i), w)? };
    }
    Ok(())
}

/// Writes the tails of `count` elements.
///
/// # Safety
/// `first` points at that many valid elements.
pub unsafe fn write_tails<T: Ndr>(first: *const T, count: u32, w: &mut Writer<'_>) -> Result {
    if !T::PLAIN {
        for i in 0..count as usize {
            // SAFETY: within the array.
            unsafe { T::write_tail(first.add(i), w)? };
        }
    }
    Ok(())
}

/// Reads the flat parts of `count` elements.
///
/// # Safety
/// `first` points at that many zeroed elements.
pub unsafe fn read_flat<T: Ndr>(first: *mut T, count: u32, r: &mut Reader<'_>) -> Result {
    if count == 0 {
        return Ok(());
    }
    if T::PLAIN {
        r.align(T::ALIGN)?;
        let len = bytes_of::<T>(count)?;
        let from = r.take(len)?;
        // SAFETY: both sides have `len` bytes, and every combination of bytes is a value (contract of `Ndr::PLAIN`).
        unsafe { std::ptr::copy_nonoverlapping(from, first.cast::<u8>(), len as usize) };
        return Ok(());
    }
    for i in 0..count as usize {
        // SAFETY: within the array.
        unsafe { T::read(first.add(i), r)? };
    }
    Ok(())
}

/// Reads the tails of `count` elements.
///
/// # Safety
/// `first` points at that many elements of which the flat parts were read.
pub unsafe fn read_tails<T: Ndr>(first: *mut T, count: u32, r: &mut Reader<'_>) -> Result {
    if !T::PLAIN {
        for i in 0..count as usize {
            // SAFETY: within the array.
            unsafe { T::read_tail(first.add(i), r)? };
        }
    }
    Ok(())
}

/// Frees what `count` elements own.
///
/// # Safety
/// `first` points at that many elements that may be freed (contract of `Ndr::free`).
pub unsafe fn free_elements<T: Ndr>(first: *mut T, count: u32) {
    if !T::PLAIN {
        for i in 0..count as usize {
            // SAFETY: within the array.
            unsafe { T::free(first.add(i)) };
        }
    }
}

/// The size of `count` elements in memory.
pub fn bytes_of<T>(count: u32) -> Result<u32> {
    u32::try_from(u64::from(count) * size_of::<T>() as u64).map_err(|_| BAD)
}

/// Writes an array with its maximum, and its length where that is its own.
///
/// # Safety
/// `first` points at `length.unwrap_or(max)` valid elements.
pub unsafe fn write<T: Ndr>(first: *const T, max: u32, length: Option<u32>, w: &mut Writer<'_>) -> Result {
    let count = length.unwrap_or(max);
    if count > max {
        return Err(BAD);
    }
    w.word(max)?;
    if length.is_some() {
        w.word(0)?;
        w.word(count)?;
    }
    // SAFETY: the caller's promise.
    unsafe {
        write_flat(first, count, w)?;
        write_tails(first, count, w)
    }
}

/// What stands before the elements: the maximum and how many there are. No more than the remaining bytes can hold.
pub fn read_header<T: Ndr>(varying: bool, r: &mut Reader<'_>) -> Result<(u32, u32)> {
    if !varying {
        let max = r.count(T::SIZE_MIN)?;
        return Ok((max, max));
    }
    let (max, offset) = (r.word()?, r.word()?);
    let length = r.count(T::SIZE_MIN)?;
    if offset != 0 || length > max {
        return Err(BAD);
    }
    Ok((max, length))
}

/// Reads elements after their header into memory from `CoTaskMemAlloc`, for `room` of them.
///
/// The pointer is written at once, so that whoever owns it can free what was read when reading fails.
///
/// # Safety
/// `count <= room`; `into` may be written.
pub unsafe fn read_allocated<T: Ndr>(into: *mut *mut T, count: u32, room: u32, r: &mut Reader<'_>) -> Result {
    let memory = memory::alloc_array::<T>(room)?;
    // SAFETY: the caller's promise; the memory is zeroed and has room for `count` elements.
    unsafe {
        into.write(memory);
        read_flat(memory, count, r)?;
        read_tails(memory, count, r)
    }
}
