//! Every parameter says which way it goes, in words that exist.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait INone: IUnknown {
    fn A(&self, #[idl(in)] a: u32, b: u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IWord: IUnknown {
    fn A(&self, #[idl(inn)] a: u32) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000003")]
unsafe trait IMethodAttribute: IUnknown {
    #[idl(in)]
    fn A(&self) -> HRESULT;
}

fn main() {}
