//! An initialise spy: its methods log the count that they are told, and `PostInitialize` gives the code that it is told,
//! unless its lines `return` another.

use super::Player;
use oleander::windows_core::HRESULT;
use oleander::*;

/// The spy.
#[com_class(IInitializeSpy)]
pub struct Spy(pub Player);

impl IInitializeSpy_Impl for Spy_Impl {
    unsafe fn PreInitialize(&self, _: u32, count: u32) -> HRESULT {
        self.0.method("PreInitialize", Some(count)).hr()
    }
    unsafe fn PostInitialize(&self, hr: HRESULT, _: u32, count: u32) -> HRESULT {
        match self.0.method("PostInitialize", Some(count)) {
            said if said.returns.is_some() => said.hr(),
            _ => hr,
        }
    }
    unsafe fn PreUninitialize(&self, count: u32) -> HRESULT {
        self.0.method("PreUninitialize", Some(count)).hr()
    }
    unsafe fn PostUninitialize(&self, count: u32) -> HRESULT {
        self.0.method("PostUninitialize", Some(count)).hr()
    }
}
