//! MIDL-10: not for IDispatch.

#![allow(unused_imports)]

use oleander::async_interface;
use oleander::windows_core::HRESULT;

#[async_interface(
    uuid = "00000000-0000-0000-0000-000000000001",
    async_uuid = "00000000-0000-0000-0000-000000000002"
)]
unsafe trait IDual: IDispatch {
    fn A(&self) -> HRESULT;
}

fn main() {}
