//! Memory that crosses in \[out\] parameters: from `CoTaskMemAlloc`, zeroed.

use super::Result;
use crate::abi::hresult::{E_OUTOFMEMORY, RPC_S_INVALID_BOUND_HR};
use crate::abi::memory::{CoTaskMemAlloc, CoTaskMemFree};
use std::ffi::c_void;

/// Zeroed memory for `count` elements; not null, also for none.
pub fn alloc_array<T>(count: u32) -> Result<*mut T> {
    const { assert!(align_of::<T>() <= 8, "CoTaskMemAlloc aligns to 8 bytes") };
    let bytes = (count as usize).checked_mul(size_of::<T>()).ok_or(RPC_S_INVALID_BOUND_HR)?;
    // C aligns a block for what fits into it: an empty array, too, has an address that is one of its elements.
    // SAFETY: no rule to keep.
    let memory = unsafe { CoTaskMemAlloc(bytes.max(align_of::<T>())) };
    if memory.is_null() {
        return Err(E_OUTOFMEMORY);
    }
    // SAFETY: fresh memory of that size.
    unsafe { memory.cast::<u8>().write_bytes(0, bytes) };
    Ok(memory.cast())
}

/// Gives memory back; null is allowed.
///
/// # Safety
/// `memory` is null or came from `CoTaskMemAlloc` and nobody uses it any more.
pub unsafe fn free(memory: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { CoTaskMemFree(memory) };
}
