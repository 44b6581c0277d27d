//! The client's side of the channel: what an interface proxy holds.
//!
//! It belongs to the apartment of its proxy and says so: `RPC_E_WRONG_THREAD` elsewhere (MRSH-13). The buffer that
//! `GetBuffer` makes is a [`Call`], counted in the message; `FreeBuffer`, or a failure of `SendReceive`, gives it back.

use super::steps::abandon_if_sent;
use super::{Buffer, Call, Caller, Failure, Hooked, Kind, Route, Target, clear};
use crate::abi::hresult::{
    E_INVALIDARG, E_OUTOFMEMORY, RPC_E_ATTEMPTED_MULTITHREAD, RPC_E_CALL_CANCELED, RPC_E_CALL_COMPLETE,
    RPC_E_CANTCALLOUT_INASYNCCALL, RPC_E_CANTCALLOUT_INEXTERNALCALL, RPC_E_CANTCALLOUT_ININPUTSYNCCALL,
    RPC_S_CALLPENDING, S_OK,
};
use crate::abi::interfaces::{IRpcChannelBuffer_Impl, IRpcChannelBuffer2_Impl, IRpcChannelBuffer3};
use crate::abi::types::{MSHCTX_INPROC, RPCFLG_ASYNCHRONOUS, RPCFLG_INPUT_SYNCHRONOUS, RPCOLEMESSAGE};
use crate::apartment::{self, Apartment, Context, Filter, filter};
use crate::call::{Blanket, CancelStack, PendingCall, Slot};
use crate::com_class;
use crate::kernel::{self, Event};
use crate::platform::{self, Deadline};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT};

/// The channel of one interface proxy.
#[com_class(IRpcChannelBuffer3)]
pub(crate) struct ClientChannel {
    pub(crate) home: Arc<Apartment>,
    pub(crate) target: Arc<Target>,
    pub(crate) blanket: Arc<Slot>,
}

/// Who calls from this thread.
pub(crate) fn caller(kind: Kind, blanket: Option<Arc<Blanket>>) -> Caller {
    let tid = apartment::caller_tid();
    platform::with_current(|thread| {
        let (logical, chain) = (thread.com().logical_thread(thread.id()), apartment::application::chain(thread));
        Caller { logical, kind, tid, blanket, chain, hooked: None, context: MSHCTX_INPROC }
    })
}

/// Makes a call with room for a request and ties it to the message.
pub(crate) fn prepare(
    home: &Arc<Apartment>,
    target: &Arc<Target>,
    message: &mut RPCOLEMESSAGE,
    kind: Kind,
    blanket: &Slot,
) -> Result<(), HRESULT> {
    home.check()?;
    let len = message.cbBuffer as usize;
    if !platform::with_current(|thread| thread.process().has_memory(len)) {
        return Err(E_OUTOFMEMORY);
    }
    let mut caller = caller(kind, blanket.get());
    caller.hooked = Hooked::of_request(caller.logical, target, message.iMethod);
    let mut request = Buffer::new(len);
    message.Buffer = request.as_mut_ptr();
    let call = Call::take(target.clone(), caller, request);
    message.dataRepresentation = 0x10;
    message.reserved1 = Arc::into_raw(call).cast_mut().cast();
    Ok(())
}

/// The call of a message, which the message keeps.
///
/// # Safety
/// `reserved1` is null or was set by [`prepare`] and not given back since.
pub(crate) unsafe fn call_of(message: &RPCOLEMESSAGE) -> Option<Arc<Call>> {
    let raw = message.reserved1.cast_const().cast::<Call>();
    if raw.is_null() {
        return None;
    }
    // SAFETY: the message holds a counted reference; this adds one.
    unsafe {
        Arc::increment_strong_count(raw);
        Some(Arc::from_raw(raw))
    }
}

/// The same, as long as the message keeps it: nobody else's count is touched.
///
/// # Safety
/// As for [`call_of`].
pub(super) unsafe fn peek(message: &RPCOLEMESSAGE) -> Option<&Call> {
    // SAFETY: the message holds a counted reference.
    unsafe { message.reserved1.cast_const().cast::<Call>().as_ref() }
}

/// Takes the call out of its message.
///
/// # Safety
/// As for [`call_of`].
unsafe fn take(message: &mut RPCOLEMESSAGE) -> Option<Arc<Call>> {
    let raw = message.reserved1.cast_const().cast::<Call>();
    clear(message);
    // SAFETY: the reference that `prepare` put there.
    (!raw.is_null()).then(|| unsafe { Arc::from_raw(raw) })
}

/// Takes the call with its whole request out of the message, to be sent. `E_INVALIDARG` where there is none,
/// `RPC_S_CALLPENDING` where it was sent before: the message keeps it then.
///
/// # Safety
/// As for [`call_of`].
pub(crate) unsafe fn take_whole(message: &mut RPCOLEMESSAGE) -> Result<Arc<Call>, HRESULT> {
    // SAFETY: the caller's promise.
    unsafe {
        if !peek(message).ok_or(E_INVALIDARG)?.take_over(message) {
            return Err(RPC_S_CALLPENDING);
        }
        take(message).ok_or(E_INVALIDARG)
    }
}

/// Gives the message's call back.
///
/// # Safety
/// As for [`call_of`].
pub(crate) unsafe fn free(message: &mut RPCOLEMESSAGE) {
    // SAFETY: the caller's promise.
    if let Some(call) = unsafe { take(message) } {
        call.give_back();
    }
}

/// Puts a decided call with its reply into a message that holds none, or gives the call back and says why there is none.
pub(crate) fn receive(call: Arc<Call>, message: &mut RPCOLEMESSAGE) -> HRESULT {
    let reply = call.reply();
    if let Some(hooked) = &call.caller.hooked {
        let fault = reply.as_ref().map_or_else(|Failure(hr)| *hr, |_| S_OK);
        hooked.client_notify(fault, call.test_by_client() == RPC_E_CALL_COMPLETE);
    }
    match reply {
        Ok((buffer, len)) => {
            message.Buffer = buffer;
            message.cbBuffer = u32::try_from(len).unwrap_or(u32::MAX);
            message.reserved1 = Arc::into_raw(call).cast_mut().cast();
            S_OK
        }
        Err(Failure(hr)) => {
            clear(message);
            call.give_back();
            hr
        }
    }
}

/// Whether this thread may make a call now and wait for it: not for a notification, whose sender does not wait (ERR-08),
/// nor where it may send none.
pub(crate) fn may_call_out() -> Result<(), HRESULT> {
    may_send()?;
    platform::with_current(|thread| match &*thread.com().context.borrow() {
        Context::Call(call) if call.caller.kind == Kind::Notification => Err(RPC_E_CANTCALLOUT_INASYNCCALL),
        _ => Ok(()),
    })
}

/// Whether this thread may send calls at all now (MSG-10, MF-08).
pub(crate) fn may_send() -> Result<(), HRESULT> {
    platform::with_current(|thread| {
        let com = thread.com();
        if com.in_filter.get() > 0 {
            Err(RPC_E_CANTCALLOUT_INEXTERNALCALL)
        } else if kernel::in_sent_message() {
            Err(RPC_E_CANTCALLOUT_ININPUTSYNCCALL)
        } else {
            Ok(())
        }
    })
}

/// The destination of a channel, and no data (MRSH-29).
///
/// # Safety
/// The pointers are null or valid for writes.
pub(crate) unsafe fn dest_ctx(context: u32, pdw: *mut u32, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's.
    unsafe {
        if let Some(out) = pdw.as_mut() {
            *out = context;
        }
        if let Some(out) = ppv.as_mut() {
            *out = std::ptr::null_mut();
        }
    }
    S_OK
}

/// Version 5.7 of the object protocol, as today's Windows says.
///
/// # Safety
/// The pointer is null or valid for writes.
pub(crate) unsafe fn protocol_version(out: *mut u32) -> HRESULT {
    // SAFETY: the caller's.
    match unsafe { out.as_mut() } {
        Some(version) => {
            *version = 0x0007_0005;
            S_OK
        }
        None => E_INVALIDARG,
    }
}

/// Sends a synchronous call and waits for its reply.
fn send_and_wait(call: Arc<Call>) -> Arc<Call> {
    if call.caller.kind == Kind::InputSynchronous {
        call.send_as_message();
        // Decided, unless the server has answered the message before it was through (`ReplyMessage`).
        let _ = apartment::wait_reply(&call.done, Filter::Ignore);
        return call;
    }
    let started = filter::started_ns();
    let pending = CancelStack::push_call(&call);
    call.send(Route::Wait);
    wait_for(call, pending, started)
}

/// Waits for the reply to a call that is sent.
pub(super) fn wait_sent(call: Arc<Call>, started: Option<u64>) -> Arc<Call> {
    let pending = CancelStack::push_call(&call);
    wait_for(call, pending, started)
}

/// A refusal is tried again as long as the message filter says so.
fn wait_for(mut call: Arc<Call>, mut pending: PendingCall, started: Option<u64>) -> Arc<Call> {
    loop {
        if apartment::wait_reply(&call.done, Filter::Ask) == apartment::ReplyWait::CancelledByFilter {
            // A reply that is faster wins (CXL-44).
            let _ = call.cancel();
            let _ = call.give_up(RPC_E_CALL_CANCELED);
        }
        drop(pending);
        let Some(refusal) = call.refusal() else { return call };
        match filter::retry(refusal, started) {
            filter::Retry::No(hr) => {
                call.set_refusal(hr);
                return call;
            }
            filter::Retry::After(ms) => {
                if ms > 0 {
                    let never = Event::manual();
                    apartment::co_wait_until(&*never, Deadline::after_ms(ms));
                }
                call = call.again();
                pending = CancelStack::push_call(&call);
                call.send(Route::Wait);
            }
        }
    }
}

impl ClientChannel {
    /// What a message is: between STAs of a process a notification can lie in the queue; anywhere else it is a call (MSG-20,
    /// RUL-152). An input-synchronous call is a message that is sent, to another process and an application STA a call, and
    /// nothing for an MTA (MSG-20, RUL-162).
    fn kind(&self, message: &RPCOLEMESSAGE) -> Result<Kind, HRESULT> {
        let flags = message.rpcFlags & (RPCFLG_ASYNCHRONOUS | RPCFLG_INPUT_SYNCHRONOUS);
        let there = if flags == 0 { None } else { self.target.apartment.upgrade() };
        let Some(there) = there else { return Ok(Kind::Synchronous) };
        let between_stas = self.home.is_sta() && there.is_sta();
        let here = between_stas && !there.is_foreign();
        match flags {
            RPCFLG_ASYNCHRONOUS if here => Ok(Kind::Notification),
            RPCFLG_ASYNCHRONOUS => Ok(Kind::Synchronous),
            _ if !between_stas => Err(RPC_E_ATTEMPTED_MULTITHREAD),
            _ if here && self.home.takes_sent() && there.takes_sent() => Ok(Kind::InputSynchronous),
            _ => Ok(Kind::Synchronous),
        }
    }
}

impl IRpcChannelBuffer_Impl for ClientChannel_Impl {
    unsafe fn GetBuffer(&self, pMessage: *mut RPCOLEMESSAGE, _riid: *const GUID) -> HRESULT {
        // SAFETY: null or a valid message, as the interface asks.
        let Some(message) = (unsafe { pMessage.as_mut() }) else { return E_INVALIDARG };
        let prepared = self.kind(message);
        let prepared = prepared.and_then(|kind| prepare(&self.home, &self.target, message, kind, &self.blanket));
        prepared.err().unwrap_or(S_OK)
    }

    unsafe fn SendReceive(&self, pMessage: *mut RPCOLEMESSAGE, pStatus: *mut u32) -> HRESULT {
        // SAFETY: a message that GetBuffer prepared; the status pointer is null or valid.
        unsafe {
            let Some(message) = pMessage.as_mut() else { return E_INVALIDARG };
            let call = match take_whole(message) {
                Ok(call) => call,
                Err(hr) => return hr,
            };
            let notifies = call.caller.kind == Kind::Notification;
            let allowed = if notifies { may_send() } else { may_call_out() };
            let hr = match allowed {
                Ok(()) if notifies => {
                    // (MSG-19)
                    call.send(Route::Wait);
                    S_OK
                }
                Ok(()) => receive(send_and_wait(call), message),
                Err(hr) => hr,
            };
            if let Some(status) = pStatus.as_mut() {
                *status = hr.0 as u32;
            }
            hr
        }
    }

    unsafe fn FreeBuffer(&self, pMessage: *mut RPCOLEMESSAGE) -> HRESULT {
        // SAFETY: a message that GetBuffer prepared, or one that was freed before.
        unsafe {
            if let Some(message) = pMessage.as_mut() {
                abandon_if_sent(message);
                free(message);
            }
        }
        S_OK
    }

    unsafe fn GetDestCtx(&self, pdwDestContext: *mut u32, ppvDestContext: *mut *mut c_void) -> HRESULT {
        // SAFETY: out pointers are null or valid.
        unsafe { dest_ctx(self.target.context, pdwDestContext, ppvDestContext) }
    }

    unsafe fn IsConnected(&self) -> HRESULT {
        S_OK
    }
}

impl IRpcChannelBuffer2_Impl for ClientChannel_Impl {
    unsafe fn GetProtocolVersion(&self, pdwVersion: *mut u32) -> HRESULT {
        // SAFETY: null or valid.
        unsafe { protocol_version(pdwVersion) }
    }
}
