//! Enumerators. In vtable order; what goes over the wire in the place of a method stands behind it, and the functions
//! between the two are in `enumerators/call_as.rs`.

mod call_as;

use crate::async_interface;
use call_as::*;
use std::ffi::c_void;
use windows_core::{HRESULT, IUnknown, Interface};

/// Objects, one after the other.
#[async_interface(uuid = "00000100-0000-0000-C000-000000000046")]
pub unsafe trait IEnumUnknown: IUnknown {
    /// The next `celt` objects; `S_FALSE` when there are fewer. `pceltFetched` may be null when `celt` is 1.
    #[idl(local)]
    fn Next(
        &self,
        #[idl(in)] celt: u32,
        #[idl(out)] rgelt: *mut *mut c_void,
        #[idl(out)] pceltFetched: *mut u32,
    ) -> HRESULT;
    #[idl(call_as(Next))]
    fn RemoteNext(
        &self,
        #[idl(in)] celt: u32,
        #[idl(out, size_is(celt), length_is(*pceltFetched))] rgelt: *mut Option<IUnknown>,
        #[idl(out)] pceltFetched: *mut u32,
    ) -> HRESULT;
    /// Leaves `celt` objects out; `S_FALSE` when there are fewer.
    fn Skip(&self, #[idl(in)] celt: u32) -> HRESULT;
    /// Goes back to the first.
    fn Reset(&self) -> HRESULT;
    /// A second enumerator at the same place.
    fn Clone(&self, #[idl(out, iid_is(IEnumUnknown::IID))] ppenum: *mut *mut c_void) -> HRESULT;
}
