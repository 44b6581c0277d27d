//! BSTR: on the wire a unique pointer to a blob of words with two sizes.
//!
//! `{ maximum, bytes, words, the words }`: `bytes` is the length in bytes, all ones for a null string, whose pointer id
//! is not zero all the same (that is how the system writes it; a zero id is read as null too).

use super::pointer::{is_deferred, read_flat};
use super::{BAD, Ndr, Reader, Result, WORD, Writer};
use crate::abi::hresult::E_OUTOFMEMORY;
use crate::abi::memory::{SysAllocStringByteLen, SysFreeString, SysStringByteLen};
use crate::abi::types::BSTR;

/// The id that the system gives to such pointers: the letters "User".
const USER: u32 = u32::from_le_bytes(*b"User");
const NULL_BYTES: u32 = u32::MAX;

// SAFETY: null is zero; between the two steps the pointer is `DEFERRED`, which `free` knows.
unsafe impl Ndr for BSTR {
    type Itself = Self;
    const ALIGN: u32 = WORD;
    const SIZE_MIN: u32 = WORD;

    unsafe fn write(_this: *const Self, w: &mut Writer<'_>) -> Result {
        w.word(USER)
    }

    unsafe fn write_tail(this: *const Self, w: &mut Writer<'_>) -> Result {
        // SAFETY: the caller's promise.
        let string = unsafe { *this };
        if string.is_null() {
            w.word(0)?;
            w.word(NULL_BYTES)?;
            return w.word(0);
        }
        // SAFETY: a BSTR that is not null has its length before it.
        let bytes = unsafe { SysStringByteLen(string) };
        let words = bytes.div_ceil(2);
        w.word(words)?;
        w.word(bytes)?;
        w.word(words)?;
        // SAFETY: a BSTR ends with two bytes more than its length, so whole words are there.
        unsafe { w.raw(string.0.cast(), words * 2) }
    }

    unsafe fn read(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise; the type is transparent.
        unsafe { read_flat(this.cast::<*mut u16>(), r) }
    }

    unsafe fn read_tail(this: *mut Self, r: &mut Reader<'_>) -> Result {
        // SAFETY: the caller's promise.
        if unsafe { (*this).0.is_null() } {
            return Ok(());
        }
        let (max, bytes, words) = (r.word()?, r.word()?, r.word()?);
        let expected = if bytes == NULL_BYTES { 0 } else { bytes.div_ceil(2) };
        if max != words || words != expected {
            return Err(BAD);
        }
        let from = r.take(words.checked_mul(2).ok_or(BAD)?)?;
        let string = if bytes == NULL_BYTES {
            BSTR::NULL
        } else {
            // SAFETY: the bytes were taken.
            let string = unsafe { SysAllocStringByteLen(from, bytes) };
            if string.is_null() {
                r.fail(E_OUTOFMEMORY);
            }
            string
        };
        // SAFETY: the caller's promise.
        unsafe { *this = string };
        Ok(())
    }

    unsafe fn free(this: *mut Self) {
        // SAFETY: the caller's promise.
        let string = unsafe { *this };
        if !is_deferred(string.0) {
            // SAFETY: it came from `SysAllocString`, by us or as COM asks of whoever returns one.
            unsafe { SysFreeString(string) };
        }
    }
}
