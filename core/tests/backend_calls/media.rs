//! Media of data in the parameters of an interface of one's own: global memory belongs to the backend that the thread has, so the
//! proxy and the stub must ask that one for its bytes (RUL-78).

use super::rooms::*;
use oleander::windows_core::{HRESULT, IUnknown};
use oleander::*;
use std::ptr::null_mut;

/// Takes media.
#[async_interface(uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b005")]
pub unsafe trait ITaker: IUnknown {
    /// Adds up the bytes of global memory, and says where it was not.
    fn Sum(&self, #[idl(in)] medium: *const STGMEDIUM, #[idl(out)] sum: *mut u32) -> HRESULT;
}

#[com_class(ITaker)]
struct Taker;

impl ITaker_Impl for Taker_Impl {
    unsafe fn Sum(&self, medium: *const STGMEDIUM, sum: *mut u32) -> HRESULT {
        unsafe {
            let global = HANDLE((*medium).u);
            let size = GlobalSize(global);
            if size > 0 {
                let bytes = std::slice::from_raw_parts(GlobalLock(global).cast::<u8>(), size);
                *sum = bytes.iter().map(|byte| u32::from(*byte)).sum();
                let _ = GlobalUnlock(global);
            }
            if (*medium).tymed == TYMED_HGLOBAL { S_OK } else { S_FALSE }
        }
    }
}

fn sum(taker: &ITaker, tymed: u32, global: HANDLE) -> (HRESULT, u32) {
    let (medium, mut sum) = (STGMEDIUM { tymed, u: global.0, pUnkForRelease: null_mut() }, 0);
    (unsafe { taker.Sum(&medium, &mut sum) }, sum)
}

#[test]
fn rul_78_global_memory_crosses_by_value() {
    both(|world| {
        super::each_pair(world, |server, client| {
            let packet = server.run(|| pack(&ITaker::from(Taker)));
            client.run(move || unsafe {
                let taker = unpack::<ITaker>(packet);
                let global = GlobalAlloc(GMEM_MOVEABLE | GMEM_ZEROINIT, 1000);
                GlobalLock(global).cast::<[u8; 3]>().write([200, 100, 1]);
                let _ = GlobalUnlock(global);
                assert_eq!(sum(&taker, TYMED_HGLOBAL, global), (S_OK, 301));
                assert!(GlobalFree(global).is_null(), "still the caller's");
                assert_eq!(sum(&taker, TYMED_HGLOBAL, HANDLE::NULL), (S_OK, 0), "a medium without memory");
                assert_eq!(sum(&taker, TYMED_NULL, HANDLE::NULL), (S_FALSE, 0));
            });
        });
    });
}
