//! Nothing comes back from a notification, and only what goes over the wire can be one.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IAnswer: IUnknown {
    #[idl(local)]
    fn A(&self, #[idl(in)] a: u32, #[idl(out)] b: *mut u32);
    #[idl(call_as(A), notification)]
    fn RemoteA(&self, #[idl(in)] a: u32, #[idl(out)] b: *mut u32) -> HRESULT;
}

#[async_interface(
    uuid = "00000000-0000-0000-0000-000000000002",
    async_uuid = "00000000-0000-0000-0000-000000000003"
)]
unsafe trait IBoth: IUnknown {
    #[idl(local)]
    fn A(&self, #[idl(in, out)] a: *mut u32);
    #[idl(call_as(A), notification)]
    fn RemoteA(&self, #[idl(in, out)] a: *mut u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000004")]
unsafe trait IPlain: IUnknown {
    #[idl(notification)]
    fn A(&self, #[idl(in)] a: u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000005")]
unsafe trait IMisspelt: IUnknown {
    #[idl(local)]
    fn A(&self, #[idl(in)] a: u32);
    #[idl(call_as(A), notify)]
    fn RemoteA(&self, #[idl(in)] a: u32) -> HRESULT;
}

fn main() {}
