//! Tests of global memory.

use super::*;
use crate::abi::types::{GHND, GMEM_FIXED, GPTR};

fn last_error() -> u32 {
    platform::with_current(|thread| thread.com().last_error.get())
}

#[test]
fn fixed_memory_is_its_own_handle() {
    // SAFETY: the memory is this test's.
    unsafe {
        let fixed = GlobalAlloc(GPTR, 16);
        assert_eq!(GlobalLock(fixed), fixed.0);
        assert_eq!(*fixed.0.cast::<[u8; 16]>(), [0; 16]);
        assert_eq!(GlobalSize(fixed), 16);
        assert!(GlobalUnlock(fixed).as_bool() && GlobalUnlock(fixed).as_bool(), "nothing to unlock");
        fixed.0.cast::<u8>().write(7);
        assert_eq!(GlobalReAlloc(fixed, 1 << 20, GMEM_FIXED), HANDLE::NULL, "it may not move");
        assert_eq!((last_error(), GlobalSize(fixed)), (ERROR_NOT_ENOUGH_MEMORY, 16));
        assert_eq!(GlobalReAlloc(fixed, 8, GMEM_FIXED), fixed);
        let moved = GlobalReAlloc(fixed, 1 << 20, GMEM_MOVEABLE | GMEM_ZEROINIT);
        assert_eq!((*moved.0.cast::<u8>(), GlobalSize(moved)), (7, 1 << 20));
        assert_eq!(*moved.0.cast::<u8>().add(1000), 0);
        assert_eq!(GlobalFree(moved), HANDLE::NULL);
        assert_eq!(GlobalFree(moved), moved, "no more");
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    }
}

#[test]
fn moveable_memory_stays_where_it_is_while_locked() {
    // SAFETY: the memory is this test's.
    unsafe {
        let handle = GlobalAlloc(GHND, 4);
        let place = GlobalLock(handle);
        assert_ne!(place, handle.0);
        assert_eq!(GlobalLock(handle), place);
        place.cast::<u32>().write_unaligned(0x01020304);
        assert_eq!(GlobalReAlloc(handle, 1 << 20, GMEM_ZEROINIT), HANDLE::NULL, "locked");
        assert_eq!(last_error(), ERROR_NOT_ENOUGH_MEMORY);
        assert!(GlobalUnlock(handle).as_bool());
        assert_eq!((GlobalUnlock(handle).as_bool(), last_error()), (false, ERROR_SUCCESS));
        assert_eq!((GlobalUnlock(handle).as_bool(), last_error()), (false, ERROR_NOT_LOCKED));
        assert_eq!(GlobalReAlloc(handle, 1 << 20, GMEM_ZEROINIT), handle);
        assert_eq!(GlobalReAlloc(handle, 0, GMEM_MODIFY), handle);
        let place = GlobalLock(handle).cast::<u32>();
        assert_eq!((place.read_unaligned(), place.add(1).read_unaligned()), (0x01020304, 0));
        assert!(!GlobalUnlock(handle).as_bool());
        assert_eq!(GlobalReAlloc(handle, 0, 0), handle);
        assert_eq!((GlobalLock(handle), last_error()), (ptr::null_mut(), ERROR_DISCARDED));
        assert_eq!(GlobalSize(handle), 0);
        assert_eq!(GlobalReAlloc(handle, 3, GMEM_ZEROINIT), handle);
        assert_eq!(*GlobalLock(handle).cast::<[u8; 3]>(), [0; 3]);
        assert_eq!(GlobalFree(handle), HANDLE::NULL, "locked or not");
    }
}

#[test]
fn what_is_no_handle() {
    // SAFETY: no handle is followed that the table does not know.
    unsafe {
        let wrong = HANDLE(ptr::without_provenance_mut(0x1001));
        for (given, wanted) in [(HANDLE::NULL, HANDLE::NULL), (wrong, wrong)] {
            assert_eq!(GlobalFree(given), wanted);
            assert_eq!((GlobalLock(given), last_error()), (ptr::null_mut(), ERROR_INVALID_HANDLE));
            assert_eq!((GlobalSize(given), last_error()), (0, ERROR_INVALID_HANDLE));
            assert!(!GlobalUnlock(given).as_bool());
            assert_eq!(last_error(), ERROR_INVALID_HANDLE);
            assert_eq!(GlobalReAlloc(given, 1, GMEM_MOVEABLE), HANDLE::NULL);
        }
        assert_eq!((GlobalAlloc(GMEM_FIXED, usize::MAX), last_error()), (HANDLE::NULL, ERROR_NOT_ENOUGH_MEMORY));
        let empty = GlobalAlloc(GMEM_FIXED, 0);
        assert!(!empty.is_null());
        assert_eq!(GlobalFree(empty), HANDLE::NULL);
    }
}

#[test]
fn the_end_of_a_process_frees_what_is_left() {
    // Miri and the leak checkers look at this one.
    let table = GlobalTable::default();
    assert!(table.allocate(GHND, 100).is_ok());
    assert!(table.allocate(GPTR, 100).is_ok());
    drop(table);
}
