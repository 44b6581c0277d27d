//! MIDL-12 (MIDL2372): a size is known before the call, and one expression does not need both halves.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(
    uuid = "00000000-0000-0000-0000-000000000001",
    async_uuid = "00000000-0000-0000-0000-000000000002"
)]
unsafe trait ISizeComesBack: IUnknown {
    fn A(&self, #[idl(out, size_is(*n))] p: *mut u8, #[idl(out)] n: *mut u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait ILengthComesBack: IUnknown {
    fn A(&self, #[idl(in)] m: u32, #[idl(in, size_is(m), length_is(*n))] p: *mut u8, #[idl(out)] n: *mut u32)
    -> HRESULT;
}

#[async_interface(
    uuid = "00000000-0000-0000-0000-000000000004",
    async_uuid = "00000000-0000-0000-0000-000000000005"
)]
unsafe trait IBothHalves: IUnknown {
    fn A(&self, #[idl(in)] m: u32, #[idl(out, size_is(m), length_is(m - *n))] p: *mut u8, #[idl(out)] n: *mut u32)
    -> HRESULT;
}

fn main() {}
