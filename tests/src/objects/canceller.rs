//! A cancel object of the caller's own, for any thread: what its lines `return` is what `Cancel` gives.

use super::Player;
use oleander::windows_core::HRESULT;
use oleander::*;

/// The cancel object.
#[com_class(ICancelMethodCalls, agile)]
pub struct Canceller(pub Player);

impl ICancelMethodCalls_Impl for Canceller_Impl {
    unsafe fn Cancel(&self, seconds: u32) -> HRESULT {
        self.0.method("Cancel", Some(seconds)).hr()
    }
    unsafe fn TestCancel(&self) -> HRESULT {
        match self.0.method("TestCancel", None) {
            said if said.returns.is_some() => said.hr(),
            _ => RPC_S_CALLPENDING,
        }
    }
}
