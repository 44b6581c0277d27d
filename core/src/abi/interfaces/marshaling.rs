//! Interface pointers on their way between apartments. In vtable order.

use crate::interface;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown};

/// Custom marshaling (IID-22).
#[interface("00000003-0000-0000-C000-000000000046")]
pub unsafe trait IMarshal: IUnknown {
    /// The class that unmarshals.
    fn GetUnmarshalClass(
        &self,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
        pCid: *mut GUID,
    ) -> HRESULT;
    /// An upper bound for the packet.
    fn GetMarshalSizeMax(
        &self,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
        pSize: *mut u32,
    ) -> HRESULT;
    /// Writes the packet.
    fn MarshalInterface(
        &self,
        pStm: *mut c_void,
        riid: *const GUID,
        pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT;
    /// Reads a packet.
    fn UnmarshalInterface(&self, pStm: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;
    /// Gives back what a packet holds.
    fn ReleaseMarshalData(&self, pStm: *mut c_void) -> HRESULT;
    /// Cuts all clients off.
    fn DisconnectObject(&self, dwReserved: u32) -> HRESULT;
}

/// The global interface table (IID-23).
#[interface("00000146-0000-0000-C000-000000000046")]
pub unsafe trait IGlobalInterfaceTable: IUnknown {
    /// Registers an interface for the whole process.
    fn RegisterInterfaceInGlobal(&self, pUnk: *mut c_void, riid: *const GUID, pdwCookie: *mut u32) -> HRESULT;
    /// Takes a registration back.
    fn RevokeInterfaceFromGlobal(&self, dwCookie: u32) -> HRESULT;
    /// A pointer for the calling apartment.
    fn GetInterfaceFromGlobal(&self, dwCookie: u32, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT;
}

/// Marker: the object may be used from every apartment (IID-26).
#[interface("94EA2B94-E9CC-49E0-C0FF-EE64CA8F5B90")]
pub unsafe trait IAgileObject: IUnknown {}
