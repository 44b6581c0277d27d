//! The asynchronous twin of IUnknown. In vtable order.

use crate::interface;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown};

/// IUnknown's methods as calls that are begun and finished: the call object that a proxy's call factory makes for this
/// interface works on the proxy itself (IID-02, AIU-02).
///
/// The reference that `Begin_Release` gives up is the one that the call object holds on its proxy. It is the last one when
/// the caller has let every other go before, the call factory's included; then the object is released where it lives
/// while the caller goes on. From then on the call object works on nothing: every further `Begin_` is `CO_E_RELEASED`.
///
/// The two halves that return a count cannot report an error: they return 0 where other halves would return a failure
/// (AIU-06; chosen).
#[interface("000E0000-0000-0000-C000-000000000046")]
pub unsafe trait AsyncIUnknown: IUnknown {
    /// Asks for an interface: the server where the proxy does not know it yet.
    fn Begin_QueryInterface(&self, riid: *const GUID) -> HRESULT;
    /// The interface, or `E_NOINTERFACE`.
    fn Finish_QueryInterface(&self, ppvObject: *mut *mut c_void) -> HRESULT;
    /// Adds a reference to the proxy, which is the caller's from then on.
    fn Begin_AddRef(&self) -> HRESULT;
    /// The proxy's count after that.
    fn Finish_AddRef(&self) -> u32;
    /// Gives up the reference that the call object holds on the proxy.
    fn Begin_Release(&self) -> HRESULT;
    /// The count that remained. It also gives back the reference on the call object that `CreateCall` gave to an outer
    /// object: the outer does not release it again, and nobody may hold a counted pointer to this interface any more
    /// (AIU-04). An outer that keeps its call object in an
    /// [`Inner`](crate::object::Inner) has nothing to do with that: there it is released with the outer.
    fn Finish_Release(&self) -> u32;
}
