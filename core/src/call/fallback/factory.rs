//! The fallback's ICallFactory.
//!
//! Everything is immutable. The proxy belongs to the apartment of whoever made the factory, and so do the factory and its call
//! objects; the last of them to go releases it there.

use super::object;
use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE};
use crate::abi::interfaces::{ICallFactory, ICallFactory_Impl};
use crate::apartment::{CoDecrementMTAUsage, CoIncrementMTAUsage};
use crate::com_class;
use crate::proxy::factory as interfaces;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown};

/// What calls go to.
pub(super) struct Origin {
    pub(super) proxy: IUnknown,
    /// Keeps the MTA there, so that a worker does not make and end one for each call.
    usage: *mut c_void,
}

impl Drop for Origin {
    fn drop(&mut self) {
        // SAFETY: it came from CoIncrementMTAUsage. There is nobody to tell of a failure.
        let _ = unsafe { CoDecrementMTAUsage(self.usage) };
    }
}

#[com_class(ICallFactory)]
struct Factory {
    origin: Arc<Origin>,
}

/// A factory for calls to a proxy.
pub(super) fn create(proxy: IUnknown) -> Result<ICallFactory, HRESULT> {
    let mut usage = ptr::null_mut();
    // SAFETY: it may be written.
    unsafe { CoIncrementMTAUsage(&mut usage) }.ok().map_err(|error| error.code())?;
    // Not shared with other threads: the count is what is wanted.
    #[allow(clippy::arc_with_non_send_sync)]
    Ok(Factory { origin: Arc::new(Origin { proxy, usage }) }.into())
}

impl ICallFactory_Impl for Factory_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's pointers, which may be null.
        unsafe { make(&self.origin, riid, pCtrlUnk, riid2, ppv) }
    }
}

/// Makes a call object: for the factory, and for call objects, which make further ones (CALL-11).
///
/// # Safety
/// The pointers are null or valid; `outer` is null or a controlling unknown.
pub(super) unsafe fn make(
    origin: &Arc<Origin>,
    riid: *const GUID,
    outer: *mut c_void,
    riid2: *const GUID,
    ppv: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: the caller's.
    let Some(out) = (unsafe { ppv.as_mut() }) else { return E_INVALIDARG };
    *out = ptr::null_mut();
    // SAFETY: the caller's.
    let (Some(iid), Some(_)) = (unsafe { (riid.as_ref(), riid2.as_ref()) }) else { return E_INVALIDARG };
    let Some(info) = interfaces::find(iid).filter(|info| info.is_twin(iid)) else { return E_NOINTERFACE };
    // SAFETY: checked above.
    unsafe { object::create(origin.clone(), info, outer, riid2, ppv) }
}
