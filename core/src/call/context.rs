//! Call contexts: what a server asks about the call that is dispatched on its thread (facts section 10).

use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, E_NOTIMPL, E_POINTER, RPC_E_CALL_COMPLETE, S_OK};
use crate::abi::interfaces::{ICancelMethodCalls, ICancelMethodCalls_Impl, IServerSecurity};
use crate::apartment::Context;
use crate::channel::Call;
use crate::com_class;
use crate::platform;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// The context object of a call of the channel (CTX-06).
#[com_class(ICancelMethodCalls, IServerSecurity)]
pub(crate) struct CallContext {
    call: Arc<Call>,
}

impl CallContext_Impl {
    fn served(&self) -> Option<Arc<Call>> {
        Some(self.call.clone())
    }
}

super::security::server_security!(CallContext_Impl);

impl ICancelMethodCalls_Impl for CallContext_Impl {
    unsafe fn Cancel(&self, _ulSeconds: u32) -> HRESULT {
        // Cancelling is the client's business.
        E_NOTIMPL
    }

    unsafe fn TestCancel(&self) -> HRESULT {
        self.call.test_by_server()
    }
}

/// The current context as an object; `RPC_E_CALL_COMPLETE` when there is none (CTX-01).
fn current() -> Result<IUnknown, HRESULT> {
    let user = platform::with_current(|thread| thread.com().user_context.get());
    // SAFETY: null, or whoever switched to it keeps it alive until it switches back (CTX-03).
    if let Some(user) = unsafe { IUnknown::from_raw_borrowed(&user) } {
        return Ok(user.clone());
    }
    let context = platform::with_current(|thread| thread.com().context.borrow().clone());
    match context {
        Context::None => Err(RPC_E_CALL_COMPLETE),
        Context::Call(call) => Ok(CallContext { call }.into()),
    }
}

/// An interface of the current call context.
pub(super) fn call_context<I: Interface>() -> Result<I, HRESULT> {
    current()?.cast().map_err(|error| error.code())
}

export! {
    /// The context of the call that is being dispatched on this thread. `RPC_E_CALL_COMPLETE` outside any call,
    /// `E_NOINTERFACE` for what it does not offer (CTX-01, CTX-02).
    ///
    /// # Safety
    /// `riid` points at a GUID; `ppInterface` is null or valid for writes.
    pub unsafe fn CoGetCallContext(riid: *const GUID, ppInterface: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        unsafe {
            let Some(out) = ppInterface.as_mut() else { return E_POINTER };
            *out = std::ptr::null_mut();
            let Some(riid) = riid.as_ref() else { return E_INVALIDARG };
            match current() {
                Ok(context) => context.query(riid, out),
                Err(hr) => hr,
            }
        }
    }

    /// Puts another object in front of the call context, or takes it away again with null. Neither is counted (CTX-03). What
    /// comes back is the object that was there; the channel's own context, which is behind it, comes back as null and is in
    /// force again after a switch to null (chosen).
    ///
    /// # Safety
    /// `pNewObject` is null or an object that lives until the next switch; `ppOldObject` is null or valid for writes.
    pub unsafe fn CoSwitchCallContext(pNewObject: *mut c_void, ppOldObject: *mut *mut c_void) -> HRESULT {
        let old = platform::with_current(|thread| thread.com().user_context.replace(pNewObject));
        // SAFETY: the caller's.
        if let Some(out) = unsafe { ppOldObject.as_mut() } {
            *out = old;
        }
        S_OK
    }
}
