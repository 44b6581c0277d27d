//! Strings are made of `u16` or `u8` and end with a zero.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait INumbers: IUnknown {
    fn A(&self, #[idl(in, string)] p: *const u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IInPlace: IUnknown {
    fn A(&self, #[idl(out, string)] p: *mut u16) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait IBoth: IUnknown {
    fn A(&self, #[idl(in)] n: u32, #[idl(in, string, size_is(n))] p: *const u16) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000004")]
unsafe trait INoPointer: IUnknown {
    fn A(&self, #[idl(in, unique)] p: u32) -> HRESULT;
}

fn main() {}
