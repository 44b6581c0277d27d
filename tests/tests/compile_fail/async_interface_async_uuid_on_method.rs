//! ID-17: an id belongs to the interface.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IMethod: IUnknown {
    #[async_uuid("00000000-0000-0000-0000-000000000002")]
    fn A(&self) -> HRESULT;
}

fn main() {}
