//! The message filter of an STA (facts section 13): asked about incoming calls, refused outgoing ones, and window messages
//! that come during a call.
//!
//! While it is asked, the thread cannot call out (MF-08).

use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOT_SUPPORTED, RPC_E_CALL_REJECTED, RPC_E_SERVERCALL_RETRYLATER, S_OK};
use crate::abi::interfaces::IMessageFilter;
use crate::abi::types::{
    CALLTYPE_ASYNC, CALLTYPE_ASYNC_CALLPENDING, CALLTYPE_NESTED, CALLTYPE_TOPLEVEL, CALLTYPE_TOPLEVEL_CALLPENDING,
    HANDLE, INTERFACEINFO, SERVERCALL_REJECTED, SERVERCALL_RETRYLATER,
};
use crate::channel::Call;
use crate::platform;
use crate::stub::StubEntry;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{HRESULT, Interface};

fn current() -> Option<IMessageFilter> {
    platform::with_current(|thread| thread.com().filter.borrow().clone())
}

pub(super) fn is_registered() -> bool {
    platform::with_current(|thread| thread.com().filter.borrow().is_some())
}

/// Calls the filter with the thread marked as being in it.
fn ask<R>(question: impl FnOnce(&IMessageFilter) -> R) -> Option<R> {
    let filter = current()?;
    let mark = |by: i32| {
        platform::with_current(|thread| {
            let depth = &thread.com().in_filter;
            depth.set(depth.get().wrapping_add_signed(by));
        });
    };
    mark(1);
    let answer = question(&filter);
    mark(-1);
    Some(answer)
}

fn elapsed_ms(since_ns: u64) -> u32 {
    u32::try_from((platform::now_ns() - since_ns) / 1_000_000).unwrap_or(u32::MAX)
}

/// `MessagePending`: what to do about a window message.
pub(super) fn message_pending(kind: u32, started_ns: u64) -> u32 {
    // SAFETY: the filter is this thread's, and called on it.
    ask(|filter| unsafe { filter.MessagePending(HANDLE::NULL, elapsed_ms(started_ns), kind) }).unwrap_or(u32::MAX)
}

/// Whether the filter of the current thread lets a call in.
pub(crate) fn ask_filter(call: &Arc<Call>, entry: &StubEntry) -> Result<(), HRESULT> {
    if !is_registered() || platform::with_current(|thread| thread.com().is_visiting()) {
        // What the thread does elsewhere with its own stack is no call that comes in.
        return Ok(());
    }
    let kind = call_type(call);
    let server = entry.server();
    let info = INTERFACEINFO {
        pUnk: server.as_ref().map_or(std::ptr::null_mut(), Interface::as_raw),
        iid: entry.iid,
        wMethod: u16::try_from(call.method()).unwrap_or(u16::MAX),
    };
    // SAFETY: the filter is this thread's, and called on it; the structure lives for the call.
    let answer = ask(|filter| unsafe { filter.HandleInComingCall(kind, HANDLE::NULL, 0, &info) });
    if !call.caller.kind.is_refusable() {
        // Asynchronous and input-synchronous calls are dispatched whatever the filter says (MF-05).
        return Ok(());
    }
    match answer {
        Some(SERVERCALL_REJECTED) => Err(RPC_E_CALL_REJECTED),
        Some(SERVERCALL_RETRYLATER) => Err(RPC_E_SERVERCALL_RETRYLATER),
        _ => Ok(()),
    }
}

/// What kind of call comes in: it is nested when it belongs to the thread's own pending call.
fn call_type(call: &Call) -> u32 {
    platform::with_current(|thread| {
        let com = thread.com();
        let pending = com.outgoing.get().is_some_and(|stack| stack.depth() > 0);
        match (pending, call.caller.kind.is_asynchronous()) {
            (false, false) => CALLTYPE_TOPLEVEL,
            (false, true) => CALLTYPE_ASYNC,
            (true, _) if call.caller.logical == com.logical_thread(thread.id()) => CALLTYPE_NESTED,
            (true, false) => CALLTYPE_TOPLEVEL_CALLPENDING,
            (true, true) => CALLTYPE_ASYNC_CALLPENDING,
        }
    })
}

/// When a call begins, for a filter that may be asked about it; without one nobody looks at the clock.
pub(crate) fn started_ns() -> Option<u64> {
    is_registered().then(platform::now_ns)
}

/// What to do about a call that the callee refused.
pub(crate) enum Retry {
    /// Give up with this code.
    No(HRESULT),
    /// Try again after so many milliseconds.
    After(u32),
}

/// `RetryRejectedCall`; without a filter the refusal stands (MF-02, MF-03).
pub(crate) fn retry(refusal: HRESULT, started_ns: Option<u64>) -> Retry {
    let kind = if refusal == RPC_E_SERVERCALL_RETRYLATER { SERVERCALL_RETRYLATER } else { SERVERCALL_REJECTED };
    // SAFETY: the filter is this thread's, and called on it.
    let answer =
        ask(|filter| unsafe { filter.RetryRejectedCall(HANDLE::NULL, started_ns.map_or(0, elapsed_ms), kind) });
    match answer {
        None => Retry::No(refusal),
        Some(u32::MAX) => Retry::No(RPC_E_CALL_REJECTED),
        Some(0..100) => Retry::After(0),
        Some(ms) => Retry::After(ms),
    }
}

export! {
    /// Sets the message filter of the calling STA and hands back the one before. `CO_E_NOT_SUPPORTED` outside an STA
    /// (MF-01).
    ///
    /// # Safety
    /// `lpMessageFilter` is null or an IMessageFilter of this apartment; `lplpMessageFilter` is null or valid for writes.
    pub unsafe fn CoRegisterMessageFilter(
        lpMessageFilter: *mut c_void,
        lplpMessageFilter: *mut *mut c_void,
    ) -> HRESULT {
        let thread = platform::current();
        if !thread.com().own_apartment().is_some_and(|mine| mine.is_sta()) {
            return CO_E_NOT_SUPPORTED;
        }
        // SAFETY: the caller's.
        unsafe {
            let new = IMessageFilter::from_raw_borrowed(&lpMessageFilter).cloned();
            let old = thread.com().filter.replace(new);
            match lplpMessageFilter.as_mut() {
                Some(out) => *out = old.map_or(std::ptr::null_mut(), Interface::into_raw),
                None => drop(old),
            }
        }
        S_OK
    }
}
