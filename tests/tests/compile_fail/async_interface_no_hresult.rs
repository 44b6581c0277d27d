//! MIDL-11: every method returns HRESULT.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait INumber: IUnknown {
    fn Good(&self) -> HRESULT;
    fn Number(&self) -> u32;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait INothing: IUnknown {
    fn Nothing(&self);
}

fn main() {}
