//! The security of calls: what a client asks for, what a server learns of its client. In vtable order.

use crate::interface;
use std::ffi::c_void;
use windows_core::{BOOL, HRESULT, IUnknown};

/// The security of one interface proxy's calls, or of a call object's (IID-27, MRSH-17, CALL-41).
///
/// Every proxy and every call object answers it. `pProxy` is the interface pointer that is meant; `E_INVALIDARG` when it is
/// none of the object's. What is kept and handed on is what was asked for; within a process it changes nothing.
#[interface("0000013D-0000-0000-C000-000000000046")]
pub unsafe trait IClientSecurity: IUnknown {
    /// What is in force for a proxy. Each out pointer may be null. The principal's name is to be freed with
    /// `CoTaskMemFree`; it is null where none was set.
    fn QueryBlanket(
        &self,
        pProxy: *mut c_void,
        pAuthnSvc: *mut u32,
        pAuthzSvc: *mut u32,
        pServerPrincName: *mut *mut u16,
        pAuthnLevel: *mut u32,
        pImpLevel: *mut u32,
        pAuthInfo: *mut *mut c_void,
        pCapabilites: *mut u32,
    ) -> HRESULT;
    /// Sets it, for the calls from now on. The name is copied; `pAuthInfo` stays the caller's and must live on.
    fn SetBlanket(
        &self,
        pProxy: *mut c_void,
        AuthnSvc: u32,
        AuthzSvc: u32,
        pServerPrincName: *mut u16,
        AuthnLevel: u32,
        ImpLevel: u32,
        pAuthInfo: *mut c_void,
        Capabilities: u32,
    ) -> HRESULT;
    /// A second proxy for the same interface of the same object, with a blanket of its own. `E_INVALIDARG` for IUnknown
    /// and the proxy's own interfaces, `E_NOTIMPL` for a call object.
    fn CopyProxy(&self, pProxy: *mut c_void, ppCopy: *mut *mut c_void) -> HRESULT;
}

/// What a server asks about its client, and acts as (IID-27, CTX-06).
///
/// Call contexts and server call objects answer it. There is one identity in a process: to impersonate is a state of the
/// thread that `IsImpersonating` shows, and changes nothing else.
#[interface("0000013E-0000-0000-C000-000000000046")]
pub unsafe trait IServerSecurity: IUnknown {
    /// The client's blanket for this call. Each out pointer may be null. `RPC_E_CALL_COMPLETE` when the call is over.
    fn QueryBlanket(
        &self,
        pAuthnSvc: *mut u32,
        pAuthzSvc: *mut u32,
        pServerPrincName: *mut *mut u16,
        pAuthnLevel: *mut u32,
        pImpLevel: *mut u32,
        pPrivs: *mut *mut c_void,
        pCapabilities: *mut u32,
    ) -> HRESULT;
    /// The thread acts as the client. `RPC_E_CALL_COMPLETE` when the call is over: for an asynchronous server that is after
    /// Signal, inside `Begin_` too (SRV-18).
    fn ImpersonateClient(&self) -> HRESULT;
    /// The thread acts for itself again. Always `S_OK`.
    fn RevertToSelf(&self) -> HRESULT;
    /// Whether this thread acts as the client of this call.
    fn IsImpersonating(&self) -> BOOL;
}
