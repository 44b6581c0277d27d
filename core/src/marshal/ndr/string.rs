//! Strings that end with a zero: conformant varying arrays whose length is what is there.

use super::pointer::{is_deferred, read_flat};
use super::{BAD, Ndr, Reader, Result, WORD, Writer, array, memory};

/// A character of a string: a byte or a UTF-16 unit.
pub trait Character: Ndr + Copy + Eq {
    /// The end of a string.
    const ZERO: Self;
}

impl Character for u8 {
    const ZERO: Self = 0;
}

impl Character for u16 {
    const ZERO: Self = 0;
}

/// A nullable pointer to a string, as it lies in structures and \[out\] parameters.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Str<C>(pub *mut C);

/// How many characters a string has, with its zero.
///
/// # Safety
/// `string` points at a string that ends.
pub unsafe fn length<C: Character>(string: *const C) -> Result<u32> {
    let mut len: u32 = 1;
    let mut at = string;
    // SAFETY: characters up to the zero may be read.
    unsafe {
        while *at != C::ZERO {
            at = at.add(1);
            len = len.checked_add(1).ok_or(BAD)?;
        }
    }
    Ok(len)
}

/// Writes the characters of a string with their counts.
///
/// # Safety
/// `string` points at a string that ends.
pub unsafe fn write<C: Character>(string: *const C, w: &mut Writer<'_>) -> Result {
    // SAFETY: the caller's promise.
    unsafe {
        let len = length(string)?;
        array::write(string, len, Some(len), w)
    }
}

/// Reads the counts of a string and says where its characters are in the buffer and how many.
pub fn read_in_place<C: Character>(r: &mut Reader<'_>) -> Result<(*const C, u32)> {
    let (_, len) = array::read_header::<C>(true, r)?;
    if len == 0 {
        return Err(BAD);
    }
    r.align(C::ALIGN)?;
    let at = r.take(array::bytes_of::<C>(len)?)?.cast::<C>();
    // SAFETY: within the bytes that were taken.
    if unsafe { at.add(len as usize - 1).read_unaligned() } != C::ZERO {
        return Err(BAD);
    }
    Ok((at, len))
}

/// Reads a string into memory from `CoTaskMemAlloc`.
pub fn read_allocated<C: Character>(r: &mut Reader<'_>) -> Result<*mut C> {
    let (from, len) = read_in_place::<C>(r)?;
    let memory = memory::alloc_array::<C>(len)?;
    // SAFETY: both sides have room for `len` characters.
    unsafe {
        std::ptr::copy_nonoverlapping(from.cast::<u8>(), memory.cast::<u8>(), len as usize * size_of::<C>());
    }
    Ok(memory)
}

// SAFETY: null is zero; between the two steps the pointer is `DEFERRED`, which `free` knows.
unsafe impl<C: Character> Ndr for Str<C> {
    type Itself = Self;
    const ALIGN: u32 = WORD;
    const SIZE_MIN: u32 = WORD;

    unsafe fn write(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        w.referent(unsafe { (*this).0.is_null() })
    }

    unsafe fn write_tail(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let string = unsafe { (*this).0 };
        if string.is_null() {
            return Ok(());
        }
        // SAFETY: a string that is not null ends.
        unsafe { write(string, w) }
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise; the type is transparent.
        unsafe { read_flat(this.cast::<*mut C>(), r) }
    }

    unsafe fn read_tail(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        unsafe {
            if !(*this).0.is_null() {
                (*this).0 = read_allocated(r)?;
            }
        }
        Ok(())
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise.
        let string = unsafe { (*this).0 };
        if !string.is_null() && !is_deferred(string) {
            // SAFETY: it came from `CoTaskMemAlloc`, by us or as COM asks of whoever returns one.
            unsafe { memory::free(string.cast()) };
        }
    }
}
