//! Call objects: made by a call factory, cancelled, seen by a message filter. In vtable order.

use crate::abi::types::{HANDLE, INTERFACEINFO};
use crate::{async_interface, interface};
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown};

/// Makes call objects (IID-03).
#[async_interface(uuid = "1C733A30-2A1C-11CE-ADE5-00AA0044773D")]
pub unsafe trait ICallFactory: IUnknown {
    /// A call object for the asynchronous interface `riid`, aggregated under `pCtrlUnk` where that is not null.
    fn CreateCall(
        &self,
        #[idl(in)] riid: *const GUID,
        #[idl(in, local)] pCtrlUnk: *mut c_void,
        #[idl(in)] riid2: *const GUID,
        #[idl(out, iid_is(riid2))] ppv: *mut *mut c_void,
    ) -> HRESULT;
}

/// Cancels a pending call, or asks whether one was cancelled (IID-10).
#[async_interface(uuid = "00000029-0000-0000-C000-000000000046")]
pub unsafe trait ICancelMethodCalls: IUnknown {
    /// Asks for cancellation and waits up to `ulSeconds` **seconds** for the call's end.
    fn Cancel(&self, #[idl(in)] ulSeconds: u32) -> HRESULT;
    /// `RPC_S_CALLPENDING`, `RPC_E_CALL_CANCELED` or `RPC_E_CALL_COMPLETE`; never `S_OK`.
    fn TestCancel(&self) -> HRESULT;
}

/// Sees the calls into and out of an STA (IID-24).
#[interface("00000016-0000-0000-C000-000000000046")]
pub unsafe trait IMessageFilter: IUnknown {
    /// `SERVERCALL_…` for an incoming call.
    fn HandleInComingCall(
        &self,
        dwCallType: u32,
        htaskCaller: HANDLE,
        dwTickCount: u32,
        lpInterfaceInfo: *const INTERFACEINFO,
    ) -> u32;
    /// -1 to give a rejected call up, else milliseconds to wait before the next try (under 100: at once).
    fn RetryRejectedCall(&self, htaskCallee: HANDLE, dwTickCount: u32, dwRejectType: u32) -> u32;
    /// `PENDINGMSG_…` for a window message that comes during an outgoing call.
    fn MessagePending(&self, htaskCallee: HANDLE, dwTickCount: u32, dwPendingType: u32) -> u32;
}
