//! A local method has what goes over the wire right behind it, and directions.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IAlone: IUnknown {
    #[idl(local)]
    fn A(&self, #[idl(in)] a: u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IOther: IUnknown {
    #[idl(local)]
    fn A(&self, #[idl(in)] a: u32) -> HRESULT;
    #[idl(call_as(B))]
    fn RemoteA(&self, #[idl(in)] a: u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait IBefore: IUnknown {
    #[idl(call_as(A))]
    fn RemoteA(&self, #[idl(in)] a: u32) -> HRESULT;
    #[idl(local)]
    fn A(&self, #[idl(in)] a: u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000004")]
unsafe trait IDirection: IUnknown {
    #[idl(local)]
    fn A(&self, a: u32);
    #[idl(call_as(A))]
    fn RemoteA(&self, #[idl(in)] a: u32) -> HRESULT;
}

fn main() {}
