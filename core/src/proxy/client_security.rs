//! IClientSecurity on proxies (MRSH-17): each interface proxy has a blanket of its own, and may be copied.

use super::manager::ProxyManager_Impl;
use crate::abi::hresult::{E_INVALIDARG, E_POINTER, S_OK};
use crate::abi::interfaces::IClientSecurity_Impl;
use crate::call::{Outs, Slot, Wanted, show};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::HRESULT;

impl ProxyManager_Impl {
    /// The blanket that is meant, in the proxy's apartment.
    fn meant(&self, proxy: *mut c_void) -> Result<Arc<Slot>, HRESULT> {
        self.home().check()?;
        self.blanket_of(proxy).ok_or(E_INVALIDARG)
    }
}

impl IClientSecurity_Impl for ProxyManager_Impl {
    unsafe fn QueryBlanket(
        &self,
        pProxy: *mut c_void,
        service: *mut u32,
        authorization: *mut u32,
        principal: *mut *mut u16,
        level: *mut u32,
        impersonation: *mut u32,
        info: *mut *mut c_void,
        capabilities: *mut u32,
    ) -> HRESULT {
        let outs = Outs { service, authorization, principal, level, impersonation, info, capabilities };
        // SAFETY: the caller's pointers.
        unsafe { outs.clear() };
        match self.meant(pProxy) {
            // SAFETY: as above.
            Ok(slot) => unsafe { show(slot.get().as_deref(), true, &outs) },
            Err(hr) => hr,
        }
    }

    unsafe fn SetBlanket(
        &self,
        pProxy: *mut c_void,
        service: u32,
        authorization: u32,
        principal: *mut u16,
        level: u32,
        impersonation: u32,
        info: *mut c_void,
        capabilities: u32,
    ) -> HRESULT {
        let wanted = Wanted { service, authorization, principal, level, impersonation, info, capabilities };
        match self.meant(pProxy) {
            // SAFETY: the caller's pointers.
            Ok(slot) => unsafe { slot.set(&wanted) },
            Err(hr) => hr,
        }
    }

    unsafe fn CopyProxy(&self, pProxy: *mut c_void, ppCopy: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid for writes.
        let Some(out) = (unsafe { ppCopy.as_mut() }) else { return E_POINTER };
        *out = std::ptr::null_mut();
        match self.home().check().and_then(|()| self.copy_of(pProxy)) {
            Ok(copy) => {
                *out = copy;
                S_OK
            }
            Err(hr) => hr,
        }
    }
}
