//! Who the calling thread is, and who calls it: numbers of threads and of logical threads. All of it is the thread's own.

use super::{Context, Home};
use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, E_OUTOFMEMORY, S_FALSE, S_OK};
use crate::abi::types::MSHCTX_INPROC;
use crate::platform;
use windows_core::{GUID, HRESULT};

/// What a caller in the neutral apartment is to its server (APT-34).
const NEUTRAL_TID: u32 = u32::MAX;

/// What the server learns of the calling thread: its id in an STA, 0 in the MTA, -1 in the neutral apartment (APT-34).
pub(crate) fn caller_tid() -> u32 {
    platform::with_current(|thread| {
        thread.com().with_apartment(|mine| match mine.map(|mine| &mine.base().home) {
            Some(Home::Sta { .. }) => thread.id(),
            Some(Home::Neutral(_)) => NEUTRAL_TID,
            _ => 0,
        })
    })
}

/// The logical thread of the calling thread (APT-33).
pub(super) fn logical_thread() -> GUID {
    platform::with_current(|thread| thread.com().logical_thread(thread.id()))
}

export! {
    /// A number of the calling thread that no other thread has, and that is no thread's or process's id (APT-35).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoGetCurrentProcess() -> u32 {
        // Ids of threads and processes are multiples of four.
        platform::with_current(|thread| thread.id() | 1)
    }

    /// The logical thread: the caller's while a call is dispatched (APT-32, APT-33). `E_INVALIDARG` for null.
    ///
    /// # Safety
    /// `pguid` is null or valid for writes.
    pub unsafe fn CoGetCurrentLogicalThreadId(pguid: *mut GUID) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { pguid.as_mut() }) else { return E_INVALIDARG };
        *out = logical_thread();
        S_OK
    }

    /// Who called: the thread id of a caller in an STA, 0 for the MTA, 0xFFFFFFFF for the neutral apartment. `S_OK` for a
    /// caller of this process, `S_FALSE` for one of another; `E_OUTOFMEMORY` where no call is dispatched (APT-34).
    ///
    /// # Safety
    /// `lpdwTID` is null or valid for writes.
    pub unsafe fn CoGetCallerTID(lpdwTID: *mut u32) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { lpdwTID.as_mut() }) else { return E_INVALIDARG };
        *out = 0;
        let tid = platform::with_current(|thread| match &*thread.com().context.borrow() {
            Context::None => None,
            Context::Call(call) => Some((call.caller.tid, call.caller.context)),
        });
        match tid {
            Some((tid, context)) => {
                *out = tid;
                if context == MSHCTX_INPROC { S_OK } else { S_FALSE }
            }
            None => E_OUTOFMEMORY,
        }
    }
}
