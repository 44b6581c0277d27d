//! A field of a structure that points at as many values as other fields say: a unique pointer to an array.
//!
//! Its flat part is that of any pointer. The fields that say the size are read by the time the tail is.

use super::pointer::is_deferred;
use super::{BAD, Ndr, Reader, Result, Writer, array, memory};

/// Writes the array.
///
/// # Safety
/// `first` is null or points at that many valid values.
pub unsafe fn write_tail<T: Ndr>(first: *const T, size: Result<u32>, w: &mut Writer<'_>) -> Result {
    if first.is_null() {
        return Ok(());
    }
    let size = size?;
    // SAFETY: the caller's promise.
    w.deeper(|w| unsafe { array::write(first, size, None, w) })
}

/// Reads the array.
///
/// # Safety
/// `place` is a pointer of which the flat part was read.
pub unsafe fn read_tail<T: Ndr>(place: *mut *mut T, size: Result<u32>, r: &mut Reader<'_>) -> Result {
    // SAFETY: the caller's promise.
    if unsafe { (*place).is_null() } {
        return Ok(());
    }
    r.deeper(|r| {
        let (max, length) = array::read_header::<T>(false, r)?;
        if size != Ok(max) {
            return Err(BAD);
        }
        // SAFETY: the caller's promise.
        unsafe { array::read_allocated(place, length, max, r) }
    })
}

/// Frees the array and what its values own.
///
/// # Safety
/// `first` is null, was read in part or whole, or came from `CoTaskMemAlloc` with that many values.
pub unsafe fn free<T: Ndr>(first: *mut T, size: Result<u32>) {
    if first.is_null() || is_deferred(first) {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if let Ok(size) = size {
            array::free_elements(first, size);
        }
        memory::free(first.cast());
    }
}
