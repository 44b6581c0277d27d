//! IPersist, and the interfaces of synchronisation objects.

use super::*;
use oleander::windows_core::{GUID, HRESULT};

const CLASS: GUID = GUID::from_u128(0x7bc1f6a0_0100_4000_8000_000000000001);

#[com_class(IPersist)]
struct Saved;

impl IPersist_Impl for Saved_Impl {
    unsafe fn GetClassID(&self, pClassID: *mut GUID) -> HRESULT {
        // SAFETY: the stub vouches for the pointer.
        unsafe { *pClassID = CLASS };
        S_OK
    }
}

#[test]
fn ipersist_through_a_proxy() {
    through_a_proxy(
        || IPersist::from(Saved),
        |proxy| {
            let mut clsid = GUID::zeroed();
            // SAFETY: a valid pointer.
            assert_eq!(unsafe { proxy.GetClassID(&mut clsid) }, S_OK);
            assert_eq!(clsid, CLASS);
        },
    );
}

/// The system's own event goes to every apartment as it is, so the test has one of its own.
#[com_class(ISynchronize, ISynchronizeHandle, ICancelMethodCalls)]
struct Plain;

impl ISynchronize_Impl for Plain_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        if (dwFlags, dwMilliseconds) == (COWAIT_ALERTABLE, 7) { RPC_S_CALLPENDING } else { E_INVALIDARG }
    }
    unsafe fn Signal(&self) -> HRESULT {
        S_FALSE
    }
    unsafe fn Reset(&self) -> HRESULT {
        E_ABORT
    }
}

impl ISynchronizeHandle_Impl for Plain_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        // SAFETY: the stub vouches for the pointer.
        unsafe { *ph = INVALID_HANDLE_VALUE };
        S_OK
    }
}

impl ICancelMethodCalls_Impl for Plain_Impl {
    unsafe fn Cancel(&self, ulSeconds: u32) -> HRESULT {
        HRESULT(ulSeconds as i32)
    }
    unsafe fn TestCancel(&self) -> HRESULT {
        RPC_E_CALL_CANCELED
    }
}

#[test]
fn isynchronize_isynchronizehandle_icancelmethodcalls_through_a_proxy() {
    through_a_proxy(
        || ISynchronize::from(Plain),
        |sync| {
            let handle: ISynchronizeHandle = sync.cast().unwrap();
            let cancel: ICancelMethodCalls = sync.cast().unwrap();
            let mut value = HANDLE::NULL;
            // SAFETY: a valid pointer.
            unsafe {
                assert_eq!(sync.Wait(COWAIT_ALERTABLE, 7), RPC_S_CALLPENDING);
                assert_eq!((sync.Signal(), sync.Reset()), (S_FALSE, E_ABORT));
                assert_eq!((handle.GetHandle(&mut value), value), (S_OK, INVALID_HANDLE_VALUE));
                assert_eq!((cancel.Cancel(3), cancel.TestCancel()), (HRESULT(3), RPC_E_CALL_CANCELED));
            }
        },
    );
}
