//! What `size_is` and `length_is` may name.

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait INothing: IUnknown {
    fn A(&self, #[idl(in)] n: u32, #[idl(in, size_is(m))] p: *const u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IPointer: IUnknown {
    fn A(&self, #[idl(in)] n: *const u32, #[idl(in, size_is(n))] p: *const u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait IValue: IUnknown {
    fn A(&self, #[idl(in)] n: u32, #[idl(in, size_is(*n))] p: *const u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000004")]
unsafe trait IMayBeNull: IUnknown {
    fn A(&self, #[idl(in, unique)] n: *const u32, #[idl(in, size_is(*n))] p: *const u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000005")]
unsafe trait INoNumber: IUnknown {
    fn A(&self, #[idl(in, string)] n: *const u16, #[idl(in, size_is(n))] p: *const u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000006")]
unsafe trait INoPointer: IUnknown {
    fn A(&self, #[idl(in)] n: u32, #[idl(in, size_is(n))] p: u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000007")]
unsafe trait IOperator: IUnknown {
    fn A(&self, #[idl(in)] n: u32, #[idl(in, size_is(n << 1))] p: *const u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000008")]
unsafe trait ILengthAlone: IUnknown {
    fn A(&self, #[idl(in)] n: u32, #[idl(in, length_is(n))] p: *const u8) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000009")]
unsafe trait IFloat: IUnknown {
    fn A(&self, #[idl(in)] n: f32, #[idl(in, size_is(n))] p: *const u8) -> HRESULT;
}

fn main() {}
