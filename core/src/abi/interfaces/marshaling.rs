//! Interface pointers on their way between apartments. In vtable order.

use crate::abi::types::RPCOLEMESSAGE;
use crate::interface;
use std::ffi::c_void;
use windows_core::{BOOL, GUID, HRESULT, IUnknown};

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

/// [`IMarshal`], for objects that are marshaled to processes of another bitness too (IID-22).
#[interface("000001CF-0000-0000-C000-000000000046")]
pub unsafe trait IMarshal2: IMarshal {}

/// Names the handler that clients in other processes get (flags 2 of OB-02).
#[interface("00000018-0000-0000-C000-000000000046")]
pub unsafe trait IStdMarshalInfo: IUnknown {
    /// The class of the handler.
    fn GetClassForHandler(&self, dwDestContext: u32, pvDestContext: *mut c_void, pClsid: *mut GUID) -> HRESULT;
}

/// Marker: the object is not marshaled at all (IID-26).
#[interface("ECC8691B-C1DB-4DC0-855E-65F6C551AF49")]
pub unsafe trait INoMarshal: IUnknown {}

/// Tells an object of its external connections: references of other apartments, table packets and locks (MA-02 to MA-31).
#[interface("00000019-0000-0000-C000-000000000046")]
pub unsafe trait IExternalConnection: IUnknown {
    /// The first connection has come; `extconn` is `EXTCONN_STRONG`. What it returns is for debugging.
    fn AddConnection(&self, extconn: u32, reserved: u32) -> u32;
    /// The last connection has gone; `fLastReleaseCloses` says whether the object shall close.
    fn ReleaseConnection(&self, extconn: u32, reserved: u32, fLastReleaseCloses: BOOL) -> u32;
}

/// A reference to an object that every apartment can resolve (IID-26).
#[interface("C03F6A43-65A4-9818-987E-E0B810D2A6F2")]
pub unsafe trait IAgileReference: IUnknown {
    /// A pointer for the calling apartment.
    fn Resolve(&self, riid: *const GUID, ppvObjectReference: *mut *mut c_void) -> HRESULT;
}

/// Gives back what the interface pointers in a message hold (IID-29).
#[interface("EB0CB9E8-7996-11D2-872E-0000F8080859")]
pub unsafe trait IReleaseMarshalBuffers: IUnknown {
    /// Gives back what a request (`dwFlags` 0) or a reply (1) holds.
    fn ReleaseMarshalBuffer(&self, pMsg: *mut RPCOLEMESSAGE, dwFlags: u32, pChnl: *mut c_void) -> HRESULT;
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
