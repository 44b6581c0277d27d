//! What cannot cross, and strings that are none.

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

struct Plain(u32);

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IPlain: IUnknown {
    fn A(&self, #[idl(in)] p: *const Plain) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait ISize: IUnknown {
    fn A(&self, #[idl(out)] p: *mut usize) -> HRESULT;
}

#[repr(C)]
#[derive(oleander::Ndr)]
struct Moved {
    x: u32,
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003", async_uuid = "00000000-0000-0000-0000-000000000004")]
unsafe trait IMoved: IUnknown {
    fn A(&self, #[idl(in)] p: Moved) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000005")]
unsafe trait IElements: IUnknown {
    fn A(&self, #[idl(in)] n: u32, #[idl(out, size_is(n))] p: *mut char) -> HRESULT;
}

fn main() {}
