//! The server's side of security, and the functions (SRV-18, CTX-06, MRSH-17).
//!
//! Which client a thread acts as is the thread's own state: the number of a call. A dispatch begins with none and puts back
//! what was there, so an impersonation ends with Begin_ or the method at the latest. Whether a call may be impersonated is
//! the call's: until its Signal or its reply.

use super::blanket::{self, Outs};
use super::context::call_context;
use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, E_POINTER, RPC_E_CALL_COMPLETE, S_OK};
use crate::abi::interfaces::{IClientSecurity, IServerSecurity};
use crate::channel::Call;
use crate::platform;
use std::ffi::c_void;
use windows_core::{BOOL, HRESULT, IUnknown, Interface};

/// The blanket of a call's client.
///
/// # Safety
/// Each out pointer is null or valid for writes.
pub(super) unsafe fn query(call: Option<&Call>, outs: &Outs) -> HRESULT {
    match call {
        // SAFETY: the caller's promise.
        Some(call) => unsafe { blanket::show(call.caller.blanket.as_deref(), false, outs) },
        None => {
            // SAFETY: as above.
            unsafe { outs.clear() };
            RPC_E_CALL_COMPLETE
        }
    }
}

/// The thread acts as a call's client.
pub(super) fn impersonate(call: Option<&Call>) -> HRESULT {
    match call {
        Some(call) if call.may_be_impersonated() => {
            platform::with_current(|thread| thread.com().impersonates.set(call.number()));
            S_OK
        }
        _ => RPC_E_CALL_COMPLETE,
    }
}

/// The thread acts for itself.
pub(super) fn revert() -> HRESULT {
    platform::with_current(|thread| thread.com().impersonates.set(0));
    S_OK
}

/// Whether the thread acts as a call's client.
pub(super) fn is_impersonating(call: Option<&Call>) -> BOOL {
    let now = platform::with_current(|thread| thread.com().impersonates.get());
    call.is_some_and(|call| call.number() == now).into()
}

/// # Safety
/// `proxy` is null or a live interface pointer.
unsafe fn client_security(proxy: *mut c_void) -> Result<IClientSecurity, HRESULT> {
    // SAFETY: the caller's promise.
    let proxy = unsafe { IUnknown::from_raw_borrowed(&proxy) }.ok_or(E_INVALIDARG)?;
    proxy.cast().map_err(|error| error.code())
}

export! {
    /// The security of calls through a proxy: see [`IClientSecurity::QueryBlanket`]. `E_NOINTERFACE` for an object that is
    /// no proxy.
    ///
    /// # Safety
    /// `pProxy` is null or an interface pointer; each out pointer is null or valid for writes.
    pub unsafe fn CoQueryProxyBlanket(
        pProxy: *mut c_void,
        pwAuthnSvc: *mut u32,
        pAuthzSvc: *mut u32,
        pServerPrincName: *mut *mut u16,
        pAuthnLevel: *mut u32,
        pImpLevel: *mut u32,
        pAuthInfo: *mut *mut c_void,
        pCapabilites: *mut u32,
    ) -> HRESULT {
        let outs = Outs {
            service: pwAuthnSvc,
            authorization: pAuthzSvc,
            principal: pServerPrincName,
            level: pAuthnLevel,
            impersonation: pImpLevel,
            info: pAuthInfo,
            capabilities: pCapabilites,
        };
        // SAFETY: the caller's.
        unsafe {
            outs.clear();
            match client_security(pProxy) {
                Ok(security) => security.QueryBlanket(
                    pProxy, pwAuthnSvc, pAuthzSvc, pServerPrincName, pAuthnLevel, pImpLevel, pAuthInfo, pCapabilites,
                ),
                Err(hr) => hr,
            }
        }
    }

    /// Sets the security of calls through a proxy: see [`IClientSecurity::SetBlanket`].
    ///
    /// # Safety
    /// `pProxy` is null or an interface pointer; the name is null, `COLE_DEFAULT_PRINCIPAL` or a string with a zero at its
    /// end; `pAuthInfo` lives as long as the proxy.
    pub unsafe fn CoSetProxyBlanket(
        pProxy: *mut c_void,
        dwAuthnSvc: u32,
        dwAuthzSvc: u32,
        pServerPrincName: *mut u16,
        dwAuthnLevel: u32,
        dwImpLevel: u32,
        pAuthInfo: *mut c_void,
        dwCapabilities: u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        unsafe {
            match client_security(pProxy) {
                Ok(security) => security.SetBlanket(
                    pProxy, dwAuthnSvc, dwAuthzSvc, pServerPrincName, dwAuthnLevel, dwImpLevel, pAuthInfo,
                    dwCapabilities,
                ),
                Err(hr) => hr,
            }
        }
    }

    /// A copy of an interface proxy: see [`IClientSecurity::CopyProxy`].
    ///
    /// # Safety
    /// `pProxy` is null or an interface pointer; `ppCopy` is null or valid for writes.
    pub unsafe fn CoCopyProxy(pProxy: *mut c_void, ppCopy: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        unsafe {
            let Some(out) = ppCopy.as_mut() else { return E_POINTER };
            *out = std::ptr::null_mut();
            match client_security(pProxy) {
                Ok(security) => security.CopyProxy(pProxy, ppCopy),
                Err(hr) => hr,
            }
        }
    }

    /// The blanket of the client whose call is dispatched on this thread; `RPC_E_CALL_COMPLETE` outside any call.
    ///
    /// # Safety
    /// Each out pointer is null or valid for writes.
    pub unsafe fn CoQueryClientBlanket(
        pAuthnSvc: *mut u32,
        pAuthzSvc: *mut u32,
        pServerPrincName: *mut *mut u16,
        pAuthnLevel: *mut u32,
        pImpLevel: *mut u32,
        pPrivs: *mut *mut c_void,
        pCapabilities: *mut u32,
    ) -> HRESULT {
        let outs = Outs {
            service: pAuthnSvc,
            authorization: pAuthzSvc,
            principal: pServerPrincName,
            level: pAuthnLevel,
            impersonation: pImpLevel,
            info: pPrivs,
            capabilities: pCapabilities,
        };
        // SAFETY: the caller's.
        unsafe { outs.clear() };
        match call_context::<IServerSecurity>() {
            // SAFETY: the caller's.
            Ok(security) => unsafe {
                security.QueryBlanket(
                    pAuthnSvc, pAuthzSvc, pServerPrincName, pAuthnLevel, pImpLevel, pPrivs, pCapabilities,
                )
            },
            Err(hr) => hr,
        }
    }

    /// The thread acts as the client whose call is dispatched on it; `RPC_E_CALL_COMPLETE` outside any call.
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoImpersonateClient() -> HRESULT {
        match call_context::<IServerSecurity>() {
            // SAFETY: the context of this thread.
            Ok(security) => unsafe { security.ImpersonateClient() },
            Err(hr) => hr,
        }
    }

    /// Takes `CoImpersonateClient` back; `RPC_E_CALL_COMPLETE` outside any call.
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoRevertToSelf() -> HRESULT {
        match call_context::<IServerSecurity>() {
            // SAFETY: the context of this thread.
            Ok(security) => unsafe { security.RevertToSelf() },
            Err(hr) => hr,
        }
    }
}

/// Implements `IServerSecurity` for an object whose method `served` knows its call.
macro_rules! server_security {
    ($class:ident) => {
        impl crate::abi::interfaces::IServerSecurity_Impl for $class {
            unsafe fn QueryBlanket(
                &self,
                service: *mut u32,
                authorization: *mut u32,
                principal: *mut *mut u16,
                level: *mut u32,
                impersonation: *mut u32,
                info: *mut *mut std::ffi::c_void,
                capabilities: *mut u32,
            ) -> HRESULT {
                let outs = $crate::call::blanket::Outs {
                    service,
                    authorization,
                    principal,
                    level,
                    impersonation,
                    info,
                    capabilities,
                };
                // SAFETY: the caller's pointers.
                unsafe { $crate::call::security::query(self.served().as_deref(), &outs) }
            }
            unsafe fn ImpersonateClient(&self) -> HRESULT {
                $crate::call::security::impersonate(self.served().as_deref())
            }
            unsafe fn RevertToSelf(&self) -> HRESULT {
                $crate::call::security::revert()
            }
            unsafe fn IsImpersonating(&self) -> windows_core::BOOL {
                $crate::call::security::is_impersonating(self.served().as_deref())
            }
        }
    };
}
pub(super) use server_security;
