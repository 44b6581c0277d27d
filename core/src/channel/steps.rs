//! IRpcChannelBuffer3: `SendReceive` in steps, for one message (CHN-06). No document says how they behave (CHN-04), so
//! they do what their names say with what is there: `Send` does not wait, `Receive` waits as `SendReceive` does, the state
//! and the end of the call are those of every other call. What belongs to `IAsyncManager`, which was replaced before it
//! shipped, is not implemented, and says so.
//!
//! State: none; the message keeps its call, which says whether it is sent and whether its reply was fetched.

use super::client::{ClientChannel_Impl, call_of, dest_ctx, free, may_call_out, peek, receive, wait_sent};
use super::{Call, Kind, Route};
use crate::abi::hresult::{E_INVALIDARG, E_NOTIMPL, RPC_E_CALL_CANCELED, RPC_E_CALL_COMPLETE, RPC_S_CALLPENDING, S_OK};
use crate::abi::interfaces::IRpcChannelBuffer3_Impl;
use crate::abi::types::{DCOM_CALL_CANCELED, DCOM_CALL_COMPLETE, DCOM_NONE, RPCOLEMESSAGE};
use crate::apartment::filter;
use crate::call::cancel_and_wait;
use crate::kernel::Event;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use windows_core::{GUID, HRESULT};

/// A state as `TestCancel` says it, in the words of `GetState`.
pub(super) fn state_of(tested: HRESULT) -> u32 {
    match tested {
        RPC_E_CALL_COMPLETE => DCOM_CALL_COMPLETE,
        RPC_E_CALL_CANCELED => DCOM_CALL_CANCELED,
        _ => DCOM_NONE,
    }
}

/// Writes a state or a code to where the caller wants it, if it does.
///
/// # Safety
/// The pointer is null or valid for writes.
unsafe fn say(out: *mut u32, value: u32) {
    // SAFETY: the caller's promise.
    if let Some(out) = unsafe { out.as_mut() } {
        *out = value;
    }
}

/// The message's call.
///
/// # Safety
/// The message is null, or one that GetBuffer prepared and whose call is in it until it is freed.
unsafe fn of<'a>(message: *mut RPCOLEMESSAGE) -> Result<(&'a mut RPCOLEMESSAGE, Arc<Call>), HRESULT> {
    // SAFETY: the caller's promise.
    unsafe {
        let message = message.as_mut().ok_or(E_INVALIDARG)?;
        let call = call_of(message).ok_or(E_INVALIDARG)?;
        Ok((message, call))
    }
}

/// Nobody receives a call that was sent: the server goes on alone, and is asked to stop (CALL-30, CALL-32).
///
/// # Safety
/// As for [`call_of`].
pub(super) unsafe fn abandon_if_sent(message: &RPCOLEMESSAGE) {
    // SAFETY: the caller's promise.
    if let Some(call) = unsafe { peek(message) }.filter(|call| call.is_in_flight()) {
        call.abandon();
    }
}

impl IRpcChannelBuffer3_Impl for ClientChannel_Impl {
    unsafe fn Send(&self, pMsg: *mut RPCOLEMESSAGE, pulStatus: *mut u32) -> HRESULT {
        // SAFETY: the caller's message; the status is null or valid.
        unsafe {
            let (message, call) = match of(pMsg) {
                Ok(both) => both,
                Err(hr) => return hr,
            };
            // A message that is sent is waited for (RUL-162).
            let is_sent = || if call.caller.kind == Kind::InputSynchronous { Err(E_NOTIMPL) } else { Ok(()) };
            let may = self.home.check().and_then(|()| may_call_out()).and_then(|()| is_sent());
            if !call.take_over(message) {
                return RPC_S_CALLPENDING;
            }
            // The request is the call's now.
            (message.Buffer, message.cbBuffer) = (ptr::null_mut(), 0);
            let hr = match may {
                Ok(()) => {
                    // Not by the route of a wait: an apartment that this thread may step into serves it elsewhere, too.
                    call.send(Route::Own(Event::manual()));
                    S_OK
                }
                Err(hr) => {
                    free(message);
                    hr
                }
            };
            say(pulStatus, hr.0 as u32);
            hr
        }
    }

    unsafe fn Receive(&self, pMsg: *mut RPCOLEMESSAGE, _ulSize: u32, pulStatus: *mut u32) -> HRESULT {
        // SAFETY: the caller's message; the status is null or valid.
        unsafe {
            let (message, call) = match of(pMsg) {
                Ok(both) => both,
                Err(hr) => return hr,
            };
            if let Err(hr) = self.home.check() {
                return hr;
            }
            if !call.is_in_flight() {
                return RPC_E_CALL_COMPLETE;
            }
            let last = wait_sent(call, filter::started_ns());
            free(message);
            let hr = receive(last, message);
            say(pulStatus, hr.0 as u32);
            hr
        }
    }

    unsafe fn Cancel(&self, pMsg: *mut RPCOLEMESSAGE) -> HRESULT {
        // SAFETY: the caller's message.
        match unsafe { of(pMsg) } {
            Ok((_, call)) if call.is_in_flight() => cancel_and_wait(&call, 0),
            Ok(_) => RPC_E_CALL_COMPLETE,
            Err(hr) => hr,
        }
    }

    unsafe fn GetCallContext(&self, _pMsg: *mut RPCOLEMESSAGE, _riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid for writes.
        if let Some(out) = unsafe { ppv.as_mut() } {
            *out = ptr::null_mut();
        }
        E_NOTIMPL
    }

    unsafe fn GetDestCtxEx(
        &self,
        _pMsg: *mut RPCOLEMESSAGE,
        pdwDestContext: *mut u32,
        ppvDestContext: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: out pointers are null or valid.
        unsafe { dest_ctx(self.target.context, pdwDestContext, ppvDestContext) }
    }

    unsafe fn GetState(&self, pMsg: *mut RPCOLEMESSAGE, pState: *mut u32) -> HRESULT {
        // SAFETY: the caller's message; the state is null or valid.
        unsafe {
            match of(pMsg) {
                Ok(_) if pState.is_null() => E_INVALIDARG,
                Ok((_, call)) => {
                    say(pState, state_of(call.test_by_client()));
                    S_OK
                }
                Err(hr) => hr,
            }
        }
    }

    unsafe fn RegisterAsync(&self, _pMsg: *mut RPCOLEMESSAGE, _pAsyncMgr: *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
}
