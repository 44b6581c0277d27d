//! The base of an interface with proxy and stub has proxy and stub.

use oleander::windows_core::{HRESULT, IUnknown};
use oleander::{async_interface, interface};

#[interface("00000000-0000-0000-0000-000000000001")]
unsafe trait IBase: IUnknown {
    fn Base(&self) -> HRESULT;
}

#[async_interface(uuid = "00000000-0000-0000-0000-000000000002")]
unsafe trait IDerived: IBase {
    fn Derived(&self) -> HRESULT;
}

fn main() {}
