//! MIDL-08: an asynchronous interface derives from IUnknown or from one that has `async_uuid` too.

use oleander::async_interface;
use oleander::windows_core::{HRESULT, IUnknown};

#[async_interface(uuid = "00000000-0000-0000-0000-000000000001")]
unsafe trait IBase: IUnknown {
    fn Base(&self) -> HRESULT;
}

#[async_interface(
    uuid = "00000000-0000-0000-0000-000000000002",
    async_uuid = "00000000-0000-0000-0000-000000000003"
)]
unsafe trait IDerived: IBase {
    fn Derived(&self) -> HRESULT;
}

fn main() {}
