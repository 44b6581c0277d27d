//! The task allocator and the BSTR functions.
//!
//! Memory comes from C's `malloc`, without a header of ours: `realloc` works in place, blocks are aligned for every type,
//! and C and C++ programs that link with us see the same heap in their leak checkers. (A size header over Rust's
//! allocator would cost 16 bytes a block and gain nothing.)
//!
//! In a build that can reach the system's COM ([`crate::backend`]) both are the system's, so that either side can free what the
//! other has made.
//!
//! Layout of a BSTR block: four bytes unused, the length in bytes as a `u32`, the bytes, then zeros: at least a whole
//! UTF-16 NUL, also behind an odd number of bytes. The units are aligned to eight.

use super::exports::export;
use super::types::BSTR;
use std::ffi::c_void;
use std::ptr;
use windows_core::BOOL;

use heap::{allocate_bstr, free, free_bstr, malloc, realloc};

export! {
    /// Allocates `cb` bytes; null when there is no memory. Zero bytes are a block of their own, too.
    ///
    /// # Safety
    /// None; the block is freed with `CoTaskMemFree`.
    pub unsafe fn CoTaskMemAlloc(cb: usize) -> *mut c_void {
        // SAFETY: no rule to keep; never 0, for which C may give null.
        unsafe { malloc(cb.max(1)) }
    }

    /// Changes the size of a block and keeps its contents. A null block is an allocation; size 0 frees, and gives null.
    /// When there is no memory: null, and the block is as before.
    ///
    /// # Safety
    /// `pv` is null or a block of this allocator; it is not used again unless the result is null and `cb` is not 0.
    pub unsafe fn CoTaskMemRealloc(pv: *mut c_void, cb: usize) -> *mut c_void {
        if cb == 0 && !pv.is_null() {
            // SAFETY: the caller's promise.
            unsafe { free(pv) };
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { realloc(pv, cb.max(1)) }
    }

    /// Frees a block; null is nothing to do.
    ///
    /// # Safety
    /// `pv` is null or a block of this allocator that nobody uses any more.
    pub unsafe fn CoTaskMemFree(pv: *mut c_void) {
        // SAFETY: the caller's promise.
        unsafe { free(pv) }
    }

    /// A BSTR with a copy of a NUL-terminated string; null for null, and when there is no memory.
    ///
    /// # Safety
    /// `psz` is null or points at units that end with a NUL.
    pub unsafe fn SysAllocString(psz: *const u16) -> BSTR {
        if psz.is_null() {
            return BSTR::NULL;
        }
        // SAFETY: the caller's promise.
        unsafe { allocate(psz.cast(), units_of(psz) * 2) }
    }

    /// A BSTR of `ui` units, copied from `strIn`, or zeros when that is null.
    ///
    /// # Safety
    /// `strIn` is null or points at `ui` units.
    pub unsafe fn SysAllocStringLen(strIn: *const u16, ui: u32) -> BSTR {
        // SAFETY: the caller's promise.
        unsafe { allocate(strIn.cast(), ui as usize * 2) }
    }

    /// A BSTR of `len` bytes, copied from `psz`, or zeros when that is null. `len` may be odd.
    ///
    /// # Safety
    /// `psz` is null or points at `len` bytes.
    pub unsafe fn SysAllocStringByteLen(psz: *const u8, len: u32) -> BSTR {
        // SAFETY: the caller's promise.
        unsafe { allocate(psz, len as usize) }
    }

    /// Puts a new string, a copy of `psz`, in the place of the old one, which is freed. False when there is no memory.
    ///
    /// # Safety
    /// `pbstr` points at a BSTR or at null; `psz` as for `SysAllocString`. It may lie inside the old string.
    pub unsafe fn SysReAllocString(pbstr: *mut BSTR, psz: *const u16) -> BOOL {
        // SAFETY: the caller's promise.
        unsafe { replace(pbstr, psz.is_null(), || SysAllocString(psz)) }
    }

    /// As `SysReAllocString`, with a length.
    ///
    /// # Safety
    /// `pbstr` points at a BSTR or at null; `psz` as for `SysAllocStringLen`. It may lie inside the old string.
    pub unsafe fn SysReAllocStringLen(pbstr: *mut BSTR, psz: *const u16, len: u32) -> BOOL {
        // SAFETY: the caller's promise.
        unsafe { replace(pbstr, false, || SysAllocStringLen(psz, len)) }
    }

    /// Frees a BSTR; null is nothing to do.
    ///
    /// # Safety
    /// `bstrString` is null or a BSTR that nobody uses any more.
    pub unsafe fn SysFreeString(bstrString: BSTR) {
        if !bstrString.is_null() {
            // SAFETY: the caller's promise.
            unsafe { free_bstr(bstrString) }
        }
    }

    /// The length in units, without the NUL; 0 for null.
    ///
    /// # Safety
    /// `pbstr` is null or a BSTR.
    pub unsafe fn SysStringLen(pbstr: BSTR) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { SysStringByteLen(pbstr) / 2 }
    }

    /// The length in bytes, without the NUL; 0 for null.
    ///
    /// # Safety
    /// `bstr` is null or a BSTR.
    pub unsafe fn SysStringByteLen(bstr: BSTR) -> u32 {
        if bstr.is_null() {
            return 0;
        }
        // SAFETY: the length lies in the four bytes before the units.
        unsafe { bstr.0.cast::<u32>().sub(1).read_unaligned() }
    }
}

/// The units before the NUL.
///
/// # Safety
/// `text` points at units that end with a NUL.
unsafe fn units_of(text: *const u16) -> usize {
    let mut units = 0;
    // SAFETY: not beyond the NUL.
    while unsafe { *text.add(units) } != 0 {
        units += 1;
    }
    units
}

/// A BSTR of so many bytes; null when they do not fit into the prefix or into memory.
///
/// # Safety
/// `from` is null or points at `bytes` bytes.
unsafe fn allocate(from: *const u8, bytes: usize) -> BSTR {
    match u32::try_from(bytes) {
        // SAFETY: the caller's promise.
        Ok(length) => unsafe { allocate_bstr(from, length) },
        Err(_) => BSTR::NULL,
    }
}

/// Makes the new string, then frees the old one: the new one may be made of the old one's units.
///
/// # Safety
/// `place` is null, or points at a BSTR or at null.
unsafe fn replace(place: *mut BSTR, null_is_meant: bool, make: impl FnOnce() -> BSTR) -> BOOL {
    if place.is_null() {
        return BOOL(0);
    }
    let new = make();
    if new.is_null() && !null_is_meant {
        return BOOL(0);
    }
    // SAFETY: the caller's promise.
    unsafe { SysFreeString(ptr::replace(place, new)) };
    BOOL(1)
}

/// Where the memory comes from.
#[cfg(all(windows, feature = "windows"))]
mod heap {
    pub(super) use crate::abi::system::{
        CoTaskMemAlloc as malloc, CoTaskMemFree as free, CoTaskMemRealloc as realloc,
        SysAllocStringByteLen as allocate_bstr, SysFreeString as free_bstr,
    };
}

/// Where the memory comes from.
#[cfg(not(all(windows, feature = "windows")))]
mod heap {
    use super::BSTR;
    use std::ffi::c_void;
    use std::ptr;

    unsafe extern "C" {
        pub(super) fn malloc(size: usize) -> *mut c_void;
        pub(super) fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
        pub(super) fn free(block: *mut c_void);
    }

    /// Bytes before the first unit of a BSTR.
    const PREFIX: usize = 8;
    /// Bytes behind the last: a NUL unit, and one byte that aligns it when the length is odd.
    const SUFFIX: usize = 3;

    /// A BSTR of so many bytes, null when there is no memory.
    ///
    /// # Safety
    /// `from` is null or points at `length` bytes.
    pub(super) unsafe fn allocate_bstr(from: *const u8, length: u32) -> BSTR {
        let bytes = length as usize;
        let Some(size) = bytes.checked_add(PREFIX + SUFFIX) else {
            return BSTR::NULL;
        };
        // SAFETY: no rule to keep.
        let block = unsafe { malloc(size) }.cast::<u8>();
        if block.is_null() {
            return BSTR::NULL;
        }
        // SAFETY: the block holds prefix, bytes and suffix.
        unsafe {
            let units = block.add(PREFIX);
            units.cast::<u32>().sub(1).write_unaligned(length);
            if from.is_null() {
                ptr::write_bytes(units, 0, bytes);
            } else {
                ptr::copy_nonoverlapping(from, units, bytes);
            }
            ptr::write_bytes(units.add(bytes), 0, SUFFIX);
            BSTR(units.cast())
        }
    }

    /// # Safety
    /// `bstr` is a BSTR of this module that nobody uses any more.
    pub(super) unsafe fn free_bstr(bstr: BSTR) {
        // SAFETY: the block begins before the units.
        unsafe { free(bstr.0.cast::<u8>().cast_mut().sub(PREFIX).cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a BSTR with `more` bytes behind them.
    fn bytes(bstr: BSTR, more: usize) -> Vec<u8> {
        // SAFETY: a live BSTR, and not beyond its suffix.
        unsafe { std::slice::from_raw_parts(bstr.0.cast(), SysStringByteLen(bstr) as usize + more).to_vec() }
    }

    #[test]
    fn task_memory_is_kept_through_a_change_of_size() {
        // SAFETY: blocks of the allocator, within their sizes.
        unsafe {
            let block = CoTaskMemAlloc(4).cast::<u8>();
            ptr::copy_nonoverlapping(b"work".as_ptr(), block, 4);
            let block = CoTaskMemRealloc(block.cast(), 4096).cast::<u8>();
            assert_eq!(std::slice::from_raw_parts(block, 4), b"work");
            assert!(CoTaskMemRealloc(block.cast(), 0).is_null(), "size 0 frees");
            let fresh = CoTaskMemRealloc(ptr::null_mut(), 8);
            assert!(!fresh.is_null(), "no block is an allocation");
            CoTaskMemFree(fresh);
        }
    }

    #[test]
    fn task_memory_of_no_bytes_is_a_block_and_too_much_is_null() {
        // SAFETY: blocks of the allocator.
        unsafe {
            let (first, second) = (CoTaskMemAlloc(0), CoTaskMemRealloc(ptr::null_mut(), 0));
            assert!(!first.is_null() && !second.is_null() && first != second);
            CoTaskMemFree(first);
            CoTaskMemFree(second);
            CoTaskMemFree(ptr::null_mut());
            // Miri's allocator ends the program instead.
            #[cfg(not(miri))]
            assert!(CoTaskMemAlloc(std::hint::black_box(usize::MAX / 2)).is_null());
        }
    }

    #[test]
    fn a_bstr_has_its_length_before_it_and_a_nul_behind_it() {
        let text: Vec<u16> = "Öl\0Baum".encode_utf16().chain([0]).collect();
        // SAFETY: NUL-terminated, or of the given length.
        unsafe {
            let short = SysAllocString(text.as_ptr());
            assert_eq!((SysStringLen(short), SysStringByteLen(short)), (2, 4));
            let whole = SysAllocStringLen(text.as_ptr(), 7);
            assert_eq!((SysStringLen(whole), SysStringByteLen(whole)), (7, 14));
            assert_eq!(bytes(whole, 2)[14..], [0, 0]);
            assert_eq!(*whole.0.cast::<u32>().sub(1), 14);
            assert_eq!(whole.0.addr() % 8, 0);
            let zeros = SysAllocStringLen(ptr::null(), 3);
            assert_eq!(bytes(zeros, 2), [0; 8]);
            [short, whole, zeros].into_iter().for_each(|bstr| SysFreeString(bstr));
        }
    }

    #[test]
    fn a_bstr_of_bytes_may_have_an_odd_length() {
        // SAFETY: five bytes.
        unsafe {
            let odd = SysAllocStringByteLen(b"12345".as_ptr(), 5);
            assert_eq!((SysStringByteLen(odd), SysStringLen(odd)), (5, 2));
            assert_eq!(bytes(odd, 3), b"12345\0\0\0", "a whole NUL unit, aligned or not");
            SysFreeString(odd);
            let empty = SysAllocStringByteLen(ptr::null(), 0);
            assert!(!empty.is_null());
            assert_eq!(bytes(empty, 2), [0, 0]);
            SysFreeString(empty);
        }
    }

    #[test]
    fn null_is_the_empty_bstr() {
        // SAFETY: null is allowed everywhere here.
        unsafe {
            assert_eq!((SysStringLen(BSTR::NULL), SysStringByteLen(BSTR::NULL)), (0, 0));
            assert!(SysAllocString(ptr::null()).is_null());
            SysFreeString(BSTR::NULL);
            assert!(SysAllocStringLen(ptr::null(), u32::MAX).is_null(), "its bytes cannot be counted");
        }
    }

    #[test]
    fn a_bstr_can_be_replaced_by_a_part_of_itself() {
        let text: Vec<u16> = "asynchronous".encode_utf16().chain([0]).collect();
        // SAFETY: live strings.
        unsafe {
            let mut bstr = SysAllocString(text.as_ptr());
            assert!(SysReAllocString(&mut bstr, bstr.0.add(1)).as_bool());
            assert_eq!(SysStringLen(bstr), 11);
            assert!(SysReAllocStringLen(&mut bstr, bstr.0, 4).as_bool());
            assert_eq!(String::from_utf16_lossy(std::slice::from_raw_parts(bstr.0, 4)), "sync");
            assert!(!SysReAllocStringLen(&mut bstr, ptr::null(), u32::MAX).as_bool());
            assert_eq!(SysStringLen(bstr), 4, "as before");
            assert!(SysReAllocString(&mut bstr, ptr::null()).as_bool());
            assert!(bstr.is_null());
        }
    }
}
