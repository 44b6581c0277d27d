//! The synchronous server: CountPrimes computes on the thread that the call comes in on.

use super::{Settings, count};
use crate::com::out;
use crate::interface::{ISieve, ISieve_Impl};
use crate::timeline::say;
use oleander::windows_core::HRESULT;
use oleander::*;

/// An object without ICallFactory: every call goes to its CountPrimes, however the client makes it.
#[com_class(ISieve)]
pub struct SyncSieve {
    settings: Settings,
}

impl SyncSieve {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl ISieve_Impl for SyncSieve_Impl {
    unsafe fn CountPrimes(&self, lMax: u32, plResult: *mut u32) -> HRESULT {
        say!("CountPrimes({lMax}) begins");
        // The call that this thread is serving. Figure 7 of the article is the same without this line.
        let cancel = self.settings.honour_cancel.then(call_context).flatten();
        let counted = count(lMax, cancel.as_ref());
        // Nobody listens only if the main thread is gone.
        let _ = self.settings.finished.send(());
        let Some(primes) = counted else { return RPC_E_CALL_CANCELED };
        // SAFETY: the caller's pointer.
        unsafe { *plResult = primes };
        S_OK
    }
}

/// How a method asks about the call that it is serving; nothing where it was called without a proxy.
fn call_context() -> Option<ICancelMethodCalls> {
    // SAFETY: valid arguments.
    out(|iid, ppv| unsafe { CoGetCallContext(iid, ppv) }).ok()
}
