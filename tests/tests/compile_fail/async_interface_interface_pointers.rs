//! Interface pointers say their interface, and are borrowed when passed in.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{GUID, HRESULT, IUnknown, OutRef};
use std::ffi::c_void;

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IRaw: IUnknown {
    fn A(&self, #[idl(in)] p: *mut c_void) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IRawOut: IUnknown {
    fn A(&self, #[idl(out)] p: *mut *mut c_void) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait IOwned: IUnknown {
    fn A(&self, #[idl(in)] p: Option<IUnknown>) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000004")]
unsafe trait INoIid: IUnknown {
    fn A(&self, #[idl(in)] riid: *const GUID, #[idl(out, iid_is(iid))] p: *mut *mut c_void) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000005")]
unsafe trait IIidComesBack: IUnknown {
    fn A(&self, #[idl(out)] riid: *mut GUID, #[idl(out, iid_is(riid))] p: *mut *mut c_void) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000006")]
unsafe trait INotRaw: IUnknown {
    fn A(&self, #[idl(in)] riid: *const GUID, #[idl(in, iid_is(riid))] p: *mut u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000007")]
unsafe trait IInOut: IUnknown {
    fn A(&self, #[idl(in, out)] p: OutRef<'_, IUnknown>) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000008")]
unsafe trait IReference: IUnknown {
    fn A(&self, #[idl(in)] p: &u32) -> HRESULT;
}

fn main() {}
