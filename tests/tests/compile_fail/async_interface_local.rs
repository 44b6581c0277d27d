//! An outer object stays in its apartment: `local` is for [in] pointers of synchronous interfaces, and for nothing else.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{GUID, HRESULT, IUnknown};
use std::ffi::c_void;

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IOut: IUnknown {
    fn A(&self, #[idl(out, local)] a: *mut c_void) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IValue: IUnknown {
    fn A(&self, #[idl(in, local)] a: u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait ITwoKinds: IUnknown {
    fn A(&self, #[idl(in)] iid: *const GUID, #[idl(in, local, iid_is(iid))] a: *mut c_void) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000004", async_uuid = "00000000-0000-0000-0000-000000000005")]
unsafe trait ITwin: IUnknown {
    fn A(&self, #[idl(in, local)] outer: *mut c_void) -> HRESULT;
}

fn main() {}
