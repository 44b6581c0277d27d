//! The call object around a server's own (SRV-10) where the channel wants the reply before the stub returns: the system's. The
//! emulation's channel takes it later, and has `server_call.rs`.
//!
//! The stub's thread begins the call and waits for the reply; an STA serves other calls meanwhile. Signal turns into Finish_ on
//! the thread that signals, or on the one that returns from Begin_ when the Signal came first, as on the emulation. The object
//! belongs to the server's apartment: Signal or Reset from another one, unmarshaled, is `RPC_E_WRONG_THREAD` and has no effect
//! (SRV-13).
//!
//! Its progress is the machine `protocol::server_call`. `running` is set before Begin_ and taken by the stub's thread when it has
//! the reply, which whoever the machine told to finish puts there before it sets `replied`. Nothing is called or waited for
//! under its lock. Functions of the surface only: the same code runs on either backend.

use super::server_call::create_inner;
use crate::abi::hresult::{
    E_INVALIDARG, E_NOTIMPL, E_UNEXPECTED, RPC_E_CALL_COMPLETE, RPC_E_DISCONNECTED, RPC_S_CALLPENDING, S_OK,
};
use crate::abi::interfaces::{
    ICallFactory, ICancelMethodCalls, ICancelMethodCalls_Impl, IRpcChannelBuffer, ISynchronize, ISynchronize_Impl,
    ISynchronizeHandle, ISynchronizeHandle_Impl,
};
use crate::abi::types::{COWAIT_DEFAULT, HANDLE, INFINITE, MSHCTX_INPROC, RPCOLEMESSAGE};
use crate::apartment::SurfaceHome;
use crate::channel::{Buffer, Failure, Invocation, server_channel};
use crate::com_class;
use crate::object::{Inner, raw};
use crate::protocol::{Word, server_call as machine};
use crate::proxy::info::{AsyncInfo, Direction, InterfaceInfo, Kept};
use crate::synchronize::SurfaceEvent;
use parking_lot::Mutex;
use std::ffi::c_void;
use windows_core::{ComObject, HRESULT, IUnknownImpl, Interface};

/// One server call object, used for one call after another.
#[com_class(ISynchronize, ISynchronizeHandle, ICancelMethodCalls, blind = inner)]
pub(crate) struct WaitingCall {
    home: SurfaceHome,
    info: &'static InterfaceInfo,
    twin: &'static AsyncInfo,
    word: Word,
    /// The call object's own: from Signal to the next Begin_ or Reset.
    event: SurfaceEvent,
    /// The reply is there, or none will come.
    replied: SurfaceEvent,
    inner: Inner,
    running: Mutex<Option<Running>>,
}

/// The call that is being served.
struct Running {
    method: u32,
    context: u32,
    kept: Kept,
    reply: Option<Result<Buffer, Failure>>,
}

impl WaitingCall {
    /// Has the object make a call object, aggregated under one of ours. `None` when it cannot: the call is then served
    /// synchronously (SRV-03, RUL-18).
    pub(crate) fn create(factory: &ICallFactory, info: &'static InterfaceInfo) -> Option<ComObject<Self>> {
        let twin = info.twin.as_ref()?;
        let object = ComObject::new(WaitingCall {
            home: SurfaceHome::current().ok()?,
            info,
            twin,
            word: Word::new(machine::IDLE),
            event: SurfaceEvent::new(true).ok()?,
            replied: SurfaceEvent::new(false).ok()?,
            inner: Inner::new(),
            running: Mutex::default(),
        });
        // SAFETY: the object aggregates what it makes under the controlling unknown, and belongs to this apartment.
        let made =
            unsafe { object.aggregate(&object.inner, |outer, iid, ppv| create_inner(factory, twin, outer, iid, ppv)) };
        made.ok().map(|()| object)
    }
}

impl WaitingCall_Impl {
    /// Serves a call and writes the reply through the channel. In the apartment. `Err` when the object is of no further use.
    ///
    /// # Safety
    /// The message's buffer is what it says; `channel` is a live `IRpcChannelBuffer`.
    pub(crate) unsafe fn serve(&self, message: &mut RPCOLEMESSAGE, channel: *mut c_void) -> Result<HRESULT, HRESULT> {
        // SAFETY: the caller's promise.
        let channel = unsafe { IRpcChannelBuffer::from_raw_borrowed(&channel) }.ok_or(E_UNEXPECTED)?;
        if !self.word.apply(machine::begin) {
            return Err(E_UNEXPECTED);
        }
        self.event.reset();
        // Set, and not waited for, where the call before was signalled early.
        self.replied.reset();
        let running =
            Running { method: message.iMethod, context: context_of(channel), kept: Kept::default(), reply: None };
        *self.running.lock() = Some(running);
        if let Err(hr) = self.begin(message) {
            // Neither Signal nor Finish_ is awaited (SRV-09).
            self.reply();
            return if self.word.apply(machine::ended) { Ok(hr) } else { Err(hr) };
        }
        match self.word.apply(machine::begun) {
            machine::Next::Finish => self.finish(),
            machine::Next::Disconnected => return Err(RPC_E_DISCONNECTED),
            machine::Next::Nothing => {
                let waited = self.replied.wait(COWAIT_DEFAULT, INFINITE);
                if waited.is_err() {
                    // Whoever is in Finish_ replies to nobody.
                    let _ = self.word.apply(machine::die);
                    if let Some(Ok(reply)) = self.reply() {
                        self.info.discard_buffer(message.iMethod, reply, Direction::Reply);
                    }
                    return Err(waited);
                }
            }
        }
        let reply = self.reply();
        if !self.word.apply(machine::ended) {
            return Err(RPC_E_DISCONNECTED);
        }
        Ok(match reply {
            // SAFETY: the caller's promise.
            Some(Ok(reply)) => unsafe { self.send(message, channel, reply) },
            Some(Err(Failure(hr))) => hr,
            None => RPC_E_DISCONNECTED,
        })
    }

    /// Signal and Reset are for the call object's own apartment (SRV-13), and for nobody when the call was given up.
    fn check(&self) -> Result<(), HRESULT> {
        if self.word.load() == machine::DEAD { Err(RPC_E_DISCONNECTED) } else { self.home.check() }
    }

    fn begin(&self, message: &RPCOLEMESSAGE) -> Result<(), HRESULT> {
        let mut kept = Kept::default();
        let target = raw::typed(&self.to_object().to_interface(), &self.twin.iid)?;
        // SAFETY: the pointer is the asynchronous interface of the inner object, and this is its apartment.
        unsafe { (self.twin.begin)(target.as_raw(), message, &mut kept) }.ok().map_err(|error| error.code())?;
        if let Some(running) = self.running.lock().as_mut() {
            running.kept = kept;
        }
        Ok(())
    }

    /// Finish_, whose reply the stub's thread sends.
    fn finish(&self) {
        let running = self.running.lock().as_mut().map(|it| (it.method, it.context, std::mem::take(&mut it.kept)));
        let Some((method, context, kept)) = running else { return };
        let mut invocation = Invocation::new(Buffer::default(), method);
        let mut message = invocation.message();
        let channel = server_channel(context);
        let hr = match raw::typed(&self.to_object().to_interface(), &self.twin.iid) {
            // SAFETY: as in `begin`; message and channel are valid for the call.
            Ok(target) => unsafe { (self.twin.finish)(target.as_raw(), &mut message, channel.as_raw(), &kept) },
            Err(hr) => hr,
        };
        let reply = invocation.finish(hr, &message);
        let unread = match self.running.lock().as_mut() {
            Some(running) => running.reply.replace(reply),
            None => Some(reply),
        };
        if let Some(Ok(reply)) = unread {
            self.info.discard_buffer(method, reply, Direction::Reply);
        }
        self.replied.set();
    }

    /// The call has ended: its reply.
    fn reply(&self) -> Option<Result<Buffer, Failure>> {
        let over = self.running.lock().take();
        over.and_then(|running| running.reply)
    }

    /// # Safety
    /// The message is the one that came over the channel.
    unsafe fn send(&self, message: &mut RPCOLEMESSAGE, channel: &IRpcChannelBuffer, mut reply: Buffer) -> HRESULT {
        message.cbBuffer = u32::try_from(reply.len()).unwrap_or(u32::MAX);
        // SAFETY: the caller's promise; the channel gives room for as much as was asked.
        unsafe {
            let hr = channel.GetBuffer(message, &self.info.iid);
            if hr.is_err() {
                self.info.discard_buffer(message.iMethod, reply, Direction::Reply);
                return hr;
            }
            message.Buffer.cast::<u8>().copy_from_nonoverlapping(reply.as_mut_ptr().cast(), reply.len());
        }
        S_OK
    }
}

/// How far away the client is.
fn context_of(channel: &IRpcChannelBuffer) -> u32 {
    let (mut context, mut data) = (MSHCTX_INPROC, std::ptr::null_mut());
    // SAFETY: both may be written. A channel that does not know is taken for one within the process.
    let hr = unsafe { channel.GetDestCtx(&mut context, &mut data) };
    if hr.is_ok() { context } else { MSHCTX_INPROC }
}

impl ISynchronize_Impl for WaitingCall_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        match self.check() {
            Ok(()) => self.event.wait(dwFlags, dwMilliseconds),
            Err(hr) => hr,
        }
    }

    unsafe fn Signal(&self) -> HRESULT {
        if let Err(hr) = self.check() {
            return hr;
        }
        // Finish_ may let the last other reference go.
        let this = self.to_object();
        // First: the call may be over, and the next one begun, as soon as the machine knows.
        self.event.set();
        match self.word.apply(machine::signal) {
            // Begin_ is running, and its thread will see to Finish_ (SRV-07).
            machine::Next::Nothing => S_OK,
            machine::Next::Disconnected => RPC_E_DISCONNECTED,
            machine::Next::Finish => {
                self.finish();
                drop(this);
                S_OK
            }
        }
    }

    unsafe fn Reset(&self) -> HRESULT {
        if let Err(hr) = self.check() {
            return hr;
        }
        self.event.reset();
        S_OK
    }
}

impl ISynchronizeHandle_Impl for WaitingCall_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        // SAFETY: null or valid.
        match unsafe { ph.as_mut() } {
            Some(out) => {
                *out = self.event.handle();
                S_OK
            }
            None => E_INVALIDARG,
        }
    }
}

impl ICancelMethodCalls_Impl for WaitingCall_Impl {
    unsafe fn Cancel(&self, _ulSeconds: u32) -> HRESULT {
        // Cancelling is the client's business.
        E_NOTIMPL
    }

    /// The channel does not say that a client has given up.
    unsafe fn TestCancel(&self) -> HRESULT {
        if self.running.lock().is_some() { RPC_S_CALLPENDING } else { RPC_E_CALL_COMPLETE }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::abi::types::{MSHCTX_DIFFERENTMACHINE, MSHCTX_LOCAL};

    #[test]
    fn the_channel_says_how_far_away_the_client_is() {
        for context in [MSHCTX_INPROC, MSHCTX_LOCAL, MSHCTX_DIFFERENTMACHINE] {
            assert_eq!(context_of(&server_channel(context)), context);
        }
    }
}
