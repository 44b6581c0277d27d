//! ID-20: what comes back comes back through a pointer.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IOut: IUnknown {
    fn A(&self, #[idl(in)] x: i32, #[idl(out)] y: i32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IConst: IUnknown {
    fn A(&self, #[idl(in, out)] y: *const i32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait INull: IUnknown {
    fn A(&self, #[idl(out, unique)] y: *mut i32) -> HRESULT;
}

fn main() {}
