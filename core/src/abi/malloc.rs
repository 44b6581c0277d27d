//! The task allocator as an object: `CoGetMalloc`.
//!
//! There is one, the same for ever: a static without state, so it does not count its references, and it is no object of a
//! process. It can be used on every thread.

use super::exports::export;
use super::hresult::{E_INVALIDARG, E_NOINTERFACE, E_POINTER, S_OK};
use super::interfaces::{IAgileObject, IMalloc, IMalloc_Vtbl};
use super::memory::{CoTaskMemAlloc, CoTaskMemFree, CoTaskMemRealloc};
use super::types::MEMCTX_TASK;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

#[repr(C)]
struct Allocator {
    vtable: &'static IMalloc_Vtbl,
}

static ALLOCATOR: Allocator = Allocator {
    vtable: &IMalloc_Vtbl {
        base__: IUnknown_Vtbl { QueryInterface: query, AddRef: one, Release: one },
        Alloc: allocate,
        Realloc: reallocate,
        Free: free,
        GetSize: size,
        DidAlloc: did_allocate,
        HeapMinimize: minimize,
    },
};

unsafe extern "system" fn query(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: null or valid, as COM asks.
    let (Some(iid), Some(out)) = (unsafe { (iid.as_ref(), ppv.as_mut()) }) else { return E_POINTER };
    let known = [IUnknown::IID, IMalloc::IID, IAgileObject::IID].contains(iid);
    *out = if known { this } else { std::ptr::null_mut() };
    if known { S_OK } else { E_NOINTERFACE }
}

unsafe extern "system" fn one(_this: *mut c_void) -> u32 {
    1
}

unsafe extern "system" fn allocate(_this: *mut c_void, cb: usize) -> *mut c_void {
    // SAFETY: no rule to keep.
    unsafe { CoTaskMemAlloc(cb) }
}

unsafe extern "system" fn reallocate(_this: *mut c_void, pv: *mut c_void, cb: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { CoTaskMemRealloc(pv, cb) }
}

unsafe extern "system" fn free(_this: *mut c_void, pv: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { CoTaskMemFree(pv) }
}

unsafe extern "system" fn size(_this: *mut c_void, pv: *mut c_void) -> usize {
    // What C's allocator calls the size of a block.
    unsafe extern "C" {
        #[cfg_attr(target_vendor = "apple", link_name = "malloc_size")]
        #[cfg_attr(windows, link_name = "_msize")]
        fn malloc_usable_size(block: *mut c_void) -> usize;
    }
    if pv.is_null() {
        return usize::MAX;
    }
    // SAFETY: a live block, as the caller says.
    unsafe { malloc_usable_size(pv) }
}

unsafe extern "system" fn did_allocate(_this: *mut c_void, _pv: *mut c_void) -> i32 {
    -1
}

unsafe extern "system" fn minimize(_this: *mut c_void) {}

export! {
    /// The task allocator as an [`IMalloc`]. `dwMemContext` is `MEMCTX_TASK`, else `E_INVALIDARG` and null.
    ///
    /// # Safety
    /// `ppMalloc` is null or may be written.
    pub unsafe fn CoGetMalloc(dwMemContext: u32, ppMalloc: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { ppMalloc.as_mut() }) else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        if dwMemContext != MEMCTX_TASK {
            return E_INVALIDARG;
        }
        *out = (&raw const ALLOCATOR).cast_mut().cast();
        S_OK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malloc() -> IMalloc {
        let mut raw = std::ptr::null_mut();
        // SAFETY: a valid pointer; a counted pointer comes back.
        unsafe {
            assert_eq!(CoGetMalloc(MEMCTX_TASK, &mut raw), S_OK);
            IMalloc::from_raw(raw)
        }
    }

    #[test]
    fn there_is_one_allocator_and_it_needs_no_apartment() {
        assert_eq!(malloc(), malloc());
        let unknown: IUnknown = malloc().into();
        assert_eq!(unknown.cast::<IMalloc>().expect("the same object"), malloc());
        let mut raw = std::ptr::dangling_mut::<u8>().cast();
        // SAFETY: a valid pointer, or null.
        unsafe {
            assert_eq!(CoGetMalloc(2, &mut raw), E_INVALIDARG);
            assert!(raw.is_null());
            assert_eq!(CoGetMalloc(MEMCTX_TASK, std::ptr::null_mut()), E_INVALIDARG);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "C's sizes of blocks are not known to Miri")]
    fn its_blocks_are_those_of_the_task_allocator() {
        let malloc = malloc();
        // SAFETY: blocks of the allocator, within their sizes.
        unsafe {
            let block = malloc.Alloc(10);
            assert!(malloc.GetSize(block) >= 10);
            let block = malloc.Realloc(CoTaskMemRealloc(block, 100), 1000);
            assert!(malloc.GetSize(block) >= 1000);
            assert_eq!(malloc.DidAlloc(block), -1);
            CoTaskMemFree(block);
            malloc.Free(CoTaskMemAlloc(1));
            malloc.Free(std::ptr::null_mut());
            assert_eq!((malloc.GetSize(std::ptr::null_mut()), malloc.DidAlloc(std::ptr::null_mut())), (usize::MAX, -1));
            malloc.HeapMinimize();
        }
    }
}
