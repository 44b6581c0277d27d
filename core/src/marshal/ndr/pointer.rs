//! Unique pointers: null or not, the pointee after the construct that holds the pointer.

use super::{Ndr, Reader, Result, WORD, Writer, memory};

static ADDRESS: u8 = 0;

/// Stands in a pointer between its flat part and its tail: it is not null, and there is nothing to free yet.
pub const DEFERRED: *mut u8 = (&raw const ADDRESS).cast_mut();

/// Whether a pointer still waits for its tail.
pub(super) fn is_deferred<T>(pointer: *const T) -> bool {
    std::ptr::addr_eq(pointer, DEFERRED)
}

/// Reads the flat part of any pointer: null, or [`DEFERRED`].
///
/// # Safety
/// `this` may be written.
pub(super) unsafe fn read_flat<T>(this: *mut *mut T, r: &mut Reader<'_>) -> Result {
    let pointer = if r.referent()? { DEFERRED.cast() } else { std::ptr::null_mut() };
    // SAFETY: the caller's promise.
    unsafe { this.write(pointer) };
    Ok(())
}

// SAFETY: null is zero; between the two steps the pointer is `DEFERRED`, which `free` knows.
unsafe impl<T: Ndr> Ndr for *mut T {
    type Itself = Self;
    const ALIGN: u32 = WORD;
    const SIZE_MIN: u32 = WORD;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        w.referent(unsafe { (*this).is_null() })
    }

    unsafe fn write_tail(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let pointee = unsafe { *this };
        if pointee.is_null() {
            return Ok(());
        }
        // SAFETY: the caller's promise reaches through pointers.
        w.deeper(|w| unsafe { super::write(pointee, w) })
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        unsafe { read_flat(this, r) }
    }

    unsafe fn read_tail(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        if unsafe { (*this).is_null() } {
            return Ok(());
        }
        r.deeper(|r| {
            if r.remaining() < T::SIZE_MIN {
                return Err(super::BAD);
            }
            let pointee = memory::alloc_array::<T>(1)?;
            // SAFETY: fresh zeroed memory, owned by the pointer from here on.
            unsafe {
                this.write(pointee);
                super::read(pointee, r)
            }
        })
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise.
        let pointee = unsafe { *this };
        if pointee.is_null() || is_deferred(pointee) {
            return;
        }
        // SAFETY: the pointee came from `CoTaskMemAlloc`, by us or as COM asks of whoever returns one.
        unsafe {
            T::free(pointee);
            memory::free(pointee.cast());
        }
    }
}

// SAFETY: the same representation as `*mut T`.
unsafe impl<T: Ndr> Ndr for *const T {
    type Itself = Self;
    const ALIGN: u32 = WORD;
    const SIZE_MIN: u32 = WORD;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: as for `*mut T`.
        unsafe { <*mut T as Ndr>::write(this.cast(), w) }
    }

    unsafe fn write_tail(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: as for `*mut T`.
        unsafe { <*mut T as Ndr>::write_tail(this.cast(), w) }
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: as for `*mut T`.
        unsafe { <*mut T as Ndr>::read(this.cast(), r) }
    }

    unsafe fn read_tail(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: as for `*mut T`.
        unsafe { <*mut T as Ndr>::read_tail(this.cast(), r) }
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: as for `*mut T`.
        unsafe { <*mut T as Ndr>::free(this.cast()) };
    }
}
