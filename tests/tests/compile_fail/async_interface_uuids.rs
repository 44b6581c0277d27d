//! MIDL2270 and ID-14: two ids, well formed, each once, and nothing else.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(
    uuid = "ABCDEF00-0000-0000-0000-000000000001",
    async_uuid = "abcdef00-0000-0000-0000-000000000001"
)]
unsafe trait ISame: IUnknown {
    fn A(&self) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001", async_uuid = "not-a-uuid")]
unsafe trait IBad: IUnknown {
    fn A(&self) -> HRESULT;
}

#[async_interface(async_uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IMissing: IUnknown {
    fn A(&self) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001", uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait ITwice: IUnknown {
    fn A(&self) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001", version = "1.0")]
unsafe trait IVersion: IUnknown {
    fn A(&self) -> HRESULT;
}

fn main() {}
