//! The server's side of the channel: what a stub sees while it serves a call.

use super::steps::state_of;
use super::{Buffer, Failure, clear};
use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE, E_NOTIMPL, E_POINTER, RPC_E_SERVERFAULT, S_OK};
use crate::abi::interfaces::{
    IAgileObject, IRpcChannelBuffer, IRpcChannelBuffer_Vtbl, IRpcChannelBuffer2, IRpcChannelBuffer2_Vtbl,
    IRpcChannelBuffer3, IRpcChannelBuffer3_Vtbl,
};
use crate::abi::types::{MSHCTX_DIFFERENTMACHINE, MSHCTX_INPROC, MSHCTX_LOCAL, RPCOLEMESSAGE};
use crate::call::{CoGetCallContext, CoTestCancel};
use std::ffi::c_void;
use std::ptr::NonNull;
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface, InterfaceRef};

/// A request while it is served: its bytes, and the reply once the stub has asked for room.
pub(crate) struct Invocation {
    request: Buffer,
    reply: Option<Buffer>,
    method: u32,
}

impl Invocation {
    pub(crate) fn new(request: Buffer, method: u32) -> Self {
        Self { request, reply: None, method }
    }

    /// The message for the stub. It points into `self`, which must stay where it is while the message is used.
    pub(crate) fn message(&mut self) -> RPCOLEMESSAGE {
        RPCOLEMESSAGE {
            reserved1: std::ptr::from_mut(self).cast(),
            Buffer: self.request.as_mut_ptr(),
            cbBuffer: u32::try_from(self.request.len()).unwrap_or(u32::MAX),
            iMethod: self.method,
            ..RPCOLEMESSAGE::default()
        }
    }

    /// The reply as a stub that gave `hr` left it, or why there is none. One that succeeds without a reply is broken: every
    /// method replies with at least its HRESULT (RUL-154).
    pub(crate) fn finish(self, hr: HRESULT, message: &RPCOLEMESSAGE) -> Result<Buffer, Failure> {
        if hr.is_err() {
            return Err(Failure(hr));
        }
        let mut reply = self.reply.ok_or(Failure(RPC_E_SERVERFAULT))?;
        reply.truncate(message.cbBuffer as usize);
        Ok(reply)
    }
}

/// The channel that stubs see. It has no state but how far away the client is, everything else is in the message: so there
/// are three, for all processes, which are never made and never end.
#[repr(C)]
struct ServerChannel {
    vtable: &'static IRpcChannelBuffer3_Vtbl,
    context: u32,
}

static CHANNELS: [ServerChannel; 3] = [
    ServerChannel { vtable: &VTABLE, context: MSHCTX_INPROC },
    ServerChannel { vtable: &VTABLE, context: MSHCTX_LOCAL },
    ServerChannel { vtable: &VTABLE, context: MSHCTX_DIFFERENTMACHINE },
];

static VTABLE: IRpcChannelBuffer3_Vtbl = IRpcChannelBuffer3_Vtbl {
    base__: IRpcChannelBuffer2_Vtbl {
        base__: IRpcChannelBuffer_Vtbl {
            base__: IUnknown_Vtbl { QueryInterface: query, AddRef: count, Release: count },
            GetBuffer: get_buffer,
            SendReceive: send_receive,
            FreeBuffer: free_buffer,
            GetDestCtx: dest_ctx,
            IsConnected: is_connected,
        },
        GetProtocolVersion: protocol_version,
    },
    Send: send_receive,
    Receive: receive,
    Cancel: cancel,
    GetCallContext: call_context,
    GetDestCtxEx: dest_ctx_ex,
    GetState: state,
    RegisterAsync: register_async,
};

/// The channel for stubs whose client is so far away.
pub(crate) fn server_channel(context: u32) -> InterfaceRef<'static, IRpcChannelBuffer> {
    let channel = CHANNELS.iter().find(|channel| channel.context == context).unwrap_or(&CHANNELS[0]);
    // SAFETY: word 0 of the static is the address of a vtable of that interface, and it lives for ever.
    unsafe { InterfaceRef::from_raw(NonNull::from(channel).cast()) }
}

unsafe extern "system" fn query(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller vouches for the pointers, which may be null.
    let (Some(iid), Some(ppv)) = (unsafe { (iid.as_ref(), ppv.as_mut()) }) else { return E_POINTER };
    let known =
        [IUnknown::IID, IRpcChannelBuffer::IID, IRpcChannelBuffer2::IID, IRpcChannelBuffer3::IID, IAgileObject::IID]
            .contains(iid);
    *ppv = if known { this } else { std::ptr::null_mut() };
    if known { S_OK } else { E_NOINTERFACE }
}

/// It lives for ever, however many hold it.
unsafe extern "system" fn count(_this: *mut c_void) -> u32 {
    1
}

unsafe extern "system" fn get_buffer(_: *mut c_void, message: *mut RPCOLEMESSAGE, _riid: *const GUID) -> HRESULT {
    // SAFETY: the stub passes the message that `dispatch` gave it, whose `reserved1` is the invocation on the
    // dispatching stack.
    let (message, invocation) = unsafe {
        let Some(message) = message.as_mut() else { return E_INVALIDARG };
        let Some(invocation) = message.reserved1.cast::<Invocation>().as_mut() else { return E_INVALIDARG };
        (message, invocation)
    };
    let mut reply = Buffer::new(message.cbBuffer as usize);
    message.Buffer = reply.as_mut_ptr();
    invocation.reply = Some(reply);
    S_OK
}

unsafe extern "system" fn send_receive(_: *mut c_void, _message: *mut RPCOLEMESSAGE, _status: *mut u32) -> HRESULT {
    E_NOTIMPL
}

unsafe extern "system" fn free_buffer(_: *mut c_void, message: *mut RPCOLEMESSAGE) -> HRESULT {
    // SAFETY: as in `get_buffer`.
    unsafe {
        if let Some(message) = message.as_mut() {
            if let Some(invocation) = message.reserved1.cast::<Invocation>().as_mut() {
                invocation.reply = None;
            }
            let frame = message.reserved1;
            clear(message);
            message.reserved1 = frame;
        }
    }
    S_OK
}

unsafe extern "system" fn dest_ctx(this: *mut c_void, context: *mut u32, destination: *mut *mut c_void) -> HRESULT {
    // SAFETY: `this` is one of the statics, whose first word it points at; out pointers are null or valid.
    unsafe { super::client::dest_ctx((*this.cast::<ServerChannel>()).context, context, destination) }
}

unsafe extern "system" fn is_connected(_: *mut c_void) -> HRESULT {
    S_OK
}

unsafe extern "system" fn protocol_version(_: *mut c_void, version: *mut u32) -> HRESULT {
    // SAFETY: null or valid.
    unsafe { super::client::protocol_version(version) }
}

unsafe extern "system" fn receive(_: *mut c_void, _: *mut RPCOLEMESSAGE, _size: u32, _status: *mut u32) -> HRESULT {
    E_NOTIMPL
}

unsafe extern "system" fn cancel(_: *mut c_void, _: *mut RPCOLEMESSAGE) -> HRESULT {
    // Cancelling is the client's business.
    E_NOTIMPL
}

/// The call that is dispatched on this thread is the message's.
unsafe extern "system" fn call_context(
    _: *mut c_void,
    _: *mut RPCOLEMESSAGE,
    riid: *const GUID,
    out: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: the caller's pointers.
    unsafe { CoGetCallContext(riid, out) }
}

unsafe extern "system" fn dest_ctx_ex(
    this: *mut c_void,
    _: *mut RPCOLEMESSAGE,
    context: *mut u32,
    destination: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: out pointers are null or valid.
    unsafe { dest_ctx(this, context, destination) }
}

unsafe extern "system" fn state(_: *mut c_void, _: *mut RPCOLEMESSAGE, out: *mut u32) -> HRESULT {
    // SAFETY: null or valid; the context of this thread.
    match unsafe { out.as_mut() } {
        Some(out) => {
            // SAFETY: the context of this thread.
            *out = state_of(unsafe { CoTestCancel() });
            S_OK
        }
        None => E_INVALIDARG,
    }
}

unsafe extern "system" fn register_async(_: *mut c_void, _: *mut RPCOLEMESSAGE, _manager: *mut c_void) -> HRESULT {
    E_NOTIMPL
}
