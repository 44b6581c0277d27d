//! Objects: classes, several interfaces at once. In vtable order.

use crate::abi::types::MULTI_QI;
use crate::{async_interface, interface};
use std::ffi::c_void;
use windows_core::{BOOL, GUID, HRESULT, IUnknown};

/// Several interfaces in one query (IID-12).
#[interface("00000020-0000-0000-C000-000000000046")]
pub unsafe trait IMultiQI: IUnknown {
    /// Fills in each entry; `S_OK`, `S_FALSE` when some are missing, `E_NOINTERFACE` when all are.
    fn QueryMultipleInterfaces(&self, cMQIs: u32, pMQIs: *mut MULTI_QI) -> HRESULT;
}

/// The same as a call that is begun and finished (IID-12): a proxy's call factory makes it, and its one round trip is under
/// way while the caller goes on. Interfaces that the proxy knows are not asked for.
#[interface("000E0020-0000-0000-C000-000000000046")]
pub unsafe trait AsyncIMultiQI: IUnknown {
    /// Asks for the interfaces in the entries. The entries are read only, and before this returns.
    fn Begin_QueryMultipleInterfaces(&self, cMQIs: u32, pMQIs: *mut MULTI_QI) -> HRESULT;
    /// Fills in as many entries as were asked for, in their order, whatever `pIID` they have; results as of `IMultiQI`. Where
    /// there is no reply (a cancelled call), its code is in each entry, too.
    fn Finish_QueryMultipleInterfaces(&self, pMQIs: *mut MULTI_QI) -> HRESULT;
}

/// Makes objects of a class (IID-29).
#[async_interface(uuid = "00000001-0000-0000-C000-000000000046")]
pub unsafe trait IClassFactory: IUnknown {
    /// A new object, aggregated under `pUnkOuter` where that is not null. A factory in another apartment refuses an
    /// outer object without being asked (PX-19).
    fn CreateInstance(
        &self,
        #[idl(in, local)] pUnkOuter: *mut c_void,
        #[idl(in)] riid: *const GUID,
        #[idl(out, iid_is(riid))] ppvObject: *mut *mut c_void,
    ) -> HRESULT;
    /// Keeps the server alive.
    fn LockServer(&self, #[idl(in)] fLock: BOOL) -> HRESULT;
}
