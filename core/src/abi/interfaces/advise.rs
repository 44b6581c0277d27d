//! Notifications: nothing comes back, not even a code; on the wire there is one. In vtable order; the functions between the
//! two are in `advise/call_as.rs` (IID-13).
//!
//! The five of IAdviseSink are notifications of the old kind, for which the caller does not wait (MSG-19); that of
//! IAdviseSink2 is a call.

mod call_as;

use crate::abi::types::{FORMATETC, STGMEDIUM};
use crate::async_interface;
use call_as::*;
use std::ffi::c_void;
use windows_core::{GUID, IUnknown};

/// Monikers marshal themselves, where there are any: there is no proxy for them (RUL-161).
const IID_IMONIKER: GUID = GUID::from_u128(0x0000000F_0000_0000_C000_000000000046);

/// Is told of changes (IID-13).
#[async_interface(uuid = "0000010F-0000-0000-C000-000000000046", async_uuid = "00000150-0000-0000-C000-000000000046")]
pub unsafe trait IAdviseSink: IUnknown {
    /// The data have changed; here they are, or null.
    #[idl(local)]
    fn OnDataChange(&self, #[idl(in)] pFormatetc: *const FORMATETC, #[idl(in)] pStgmed: *const STGMEDIUM);
    #[idl(call_as(OnDataChange), notification)]
    fn RemoteOnDataChange(
        &self,
        #[idl(in, unique)] pFormatetc: *const FORMATETC,
        #[idl(in, unique)] pStgmed: *const STGMEDIUM,
    ) -> HRESULT;
    /// The view has changed.
    #[idl(local)]
    fn OnViewChange(&self, #[idl(in)] dwAspect: u32, #[idl(in)] lindex: i32);
    #[idl(call_as(OnViewChange), notification)]
    fn RemoteOnViewChange(&self, #[idl(in)] dwAspect: u32, #[idl(in)] lindex: i32) -> HRESULT;
    /// The object has a new name.
    #[idl(local)]
    fn OnRename(&self, #[idl(in)] pmk: *mut c_void);
    #[idl(call_as(OnRename), notification)]
    fn RemoteOnRename(&self, #[idl(in, iid_is(self::IID_IMONIKER))] pmk: *mut c_void) -> HRESULT;
    /// The object was saved.
    #[idl(local)]
    fn OnSave(&self);
    #[idl(call_as(OnSave), notification)]
    fn RemoteOnSave(&self) -> HRESULT;
    /// The object is closed.
    #[idl(local)]
    fn OnClose(&self);
    #[idl(call_as(OnClose), notification)]
    fn RemoteOnClose(&self) -> HRESULT;
}

/// Is told of changes of links, too (IID-13).
#[async_interface(uuid = "00000125-0000-0000-C000-000000000046", async_uuid = "00000151-0000-0000-C000-000000000046")]
pub unsafe trait IAdviseSink2: IAdviseSink {
    /// The source of a link has changed.
    #[idl(local)]
    fn OnLinkSrcChange(&self, #[idl(in)] pmk: *mut c_void);
    #[idl(call_as(OnLinkSrcChange))]
    fn RemoteOnLinkSrcChange(&self, #[idl(in, iid_is(self::IID_IMONIKER))] pmk: *mut c_void) -> HRESULT;
}
