//! Mode `sync-cancel`: a blocking call, which only another thread can cancel.

use super::{Outcome, count_primes, outcome};
use crate::com::{Event, name, out};
use crate::interface::ISieve;
use crate::timeline::{name_thread, say};
use oleander::windows_core::{HRESULT, Result};
use oleander::*;
use std::ptr::null_mut;

/// Blocks in CountPrimes while a second thread loses patience.
pub(super) fn sync_cancel(sieve: &ISieve, max: u32, after_ms: u32) -> Result<Outcome> {
    // Calls can be cancelled only where the thread that makes them has said so before.
    // SAFETY: the argument is reserved.
    let hr = unsafe { CoEnableCallCancellation(null_mut()) };
    say!("CoEnableCallCancellation → {}", name(hr));
    hr.ok()?;
    // SAFETY: may be called by every thread.
    let client = unsafe { GetCurrentThreadId() };
    let returned = Event::new();
    let finished = std::thread::scope(|scope| {
        scope.spawn(|| cancel_call_of(client, &returned, after_ms));
        let finished = count_primes(sieve, max);
        returned.set();
        finished
    });
    // SAFETY: as above.
    unsafe { CoDisableCallCancellation(null_mut()) }.ok()?;
    outcome(finished)
}

/// Cancels the call that a thread is blocked in, unless it has returned before the time is over.
fn cancel_call_of(thread: u32, returned: &Event, after_ms: u32) {
    name_thread("canceller");
    let mut ms = after_ms;
    while !returned.wait(ms) {
        // SAFETY: valid arguments.
        match out::<ICancelMethodCalls>(|iid, ppv| unsafe { CoGetCancelObject(thread, iid, ppv) }) {
            Ok(call) => {
                say!("CoGetCancelObject(thread {thread}) → S_OK");
                // SAFETY: a cancel object may be used on every thread. The 0 are seconds.
                let hr: HRESULT = unsafe { call.Cancel(0) };
                return say!("Cancel(0) → {}", name(hr));
            }
            // The client has not called yet: a moment later, then.
            Err(error) if error.code() == E_NOINTERFACE => ms = 1,
            Err(error) => return say!("CoGetCancelObject → {}", name(error.code())),
        }
    }
    say!("the call has returned: nothing to cancel");
}
