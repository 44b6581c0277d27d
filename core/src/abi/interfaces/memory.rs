//! Memory. In vtable order.

use crate::interface;
use std::ffi::c_void;
use windows_core::IUnknown;

/// The task allocator as an object. Sizes in bytes; usable on every thread.
#[interface("00000002-0000-0000-C000-000000000046")]
pub unsafe trait IMalloc: IUnknown {
    /// As `CoTaskMemAlloc`.
    fn Alloc(&self, cb: usize) -> *mut c_void;
    /// As `CoTaskMemRealloc`.
    fn Realloc(&self, pv: *mut c_void, cb: usize) -> *mut c_void;
    /// As `CoTaskMemFree`.
    fn Free(&self, pv: *mut c_void);
    /// How many bytes a block has, at least as many as were asked for; the largest number for null.
    fn GetSize(&self, pv: *mut c_void) -> usize;
    /// Whether the block is this allocator's: -1, for it cannot tell.
    fn DidAlloc(&self, pv: *mut c_void) -> i32;
    /// Gives unused memory back to the system; nothing to do.
    fn HeapMinimize(&self);
}
