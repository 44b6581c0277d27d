//! Whoever looks for the cancel object of a call meets it before it is made, while it waits, and when it has ended
//! (CXL-36, CXL-37): a thread's pending calls are shared with all who look.

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::*;
use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use oleander_sim::Builder;
use std::collections::BTreeSet;
use support::probe::*;
use support::*;

/// What a look at a calling thread may say, and what the call says then.
fn looks(look: impl Fn(u32) -> HRESULT + Sync) -> BTreeSet<(i32, i32)> {
    outcomes(&Builder::new(), || {
        let host = Server::start(Kind::Sta, Flavour::Sync);
        let (apt, packet) = (Apt::start(Kind::Sta), host.packet());
        let calling = apt.begin(move || {
            let probe = packet.unpack();
            // SAFETY: null, as it must be.
            assert_eq!(unsafe { CoEnableCallCancellation(std::ptr::null_mut()) }, S_OK);
            let said = double(&probe, 3).0;
            drop(probe);
            said
        });
        let seen = look(apt.thread_id);
        let said = calling.join();
        host.stop();
        apt.stop();
        assert_eq!(debug::live_objects(), 0);
        (seen.0, said.0)
    })
}

#[test]
fn cxl_36_cxl_37_a_look_comes_before_a_call_and_while_it_waits() {
    let found = looks(|thread| {
        let mut raw = std::ptr::null_mut();
        // SAFETY: valid pointers; what comes out is ours.
        unsafe {
            let hr = CoGetCancelObject(thread, &ICancelMethodCalls::IID, &mut raw);
            if hr == S_OK {
                drop(ICancelMethodCalls::from_raw(raw));
            }
            hr
        }
    });
    assert_eq!(found, [(E_NOINTERFACE.0, S_OK.0), (S_OK.0, S_OK.0)].into());
}

#[test]
fn cxl_37_cxl_39_cxl_40_a_cancellation_comes_too_early_in_time_and_too_late() {
    // SAFETY: no pointers.
    let found = looks(|thread| unsafe { CoCancelCall(thread, 0) });
    let (none, complete) = (E_NOINTERFACE.0, RPC_E_CALL_COMPLETE.0);
    assert_eq!(found, [(none, S_OK.0), (complete, S_OK.0), (S_OK.0, RPC_S_CALL_CANCELLED_HR.0)].into());
}
