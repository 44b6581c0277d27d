//! The server's side of the channel: what a stub sees while it serves a call.

use super::{Buffer, Failure, clear};
use crate::abi::hresult::{E_INVALIDARG, E_NOTIMPL, S_OK};
use crate::abi::interfaces::{IRpcChannelBuffer, IRpcChannelBuffer_Impl};
use crate::abi::types::{MSHCTX_INPROC, RPCOLEMESSAGE};
use crate::com_class;
use std::ffi::c_void;
use windows_core::{GUID, HRESULT};

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

    /// The reply as the stub left it.
    pub(crate) fn finish(self, message: &RPCOLEMESSAGE) -> Result<Buffer, Failure> {
        let mut reply = self.reply.unwrap_or_default();
        reply.truncate(message.cbBuffer as usize);
        Ok(reply)
    }

    pub(crate) fn has_reply(&self) -> bool {
        self.reply.is_some()
    }
}

/// The channel that stubs see. It has no state: everything is in the message.
#[com_class(IRpcChannelBuffer, agile)]
pub(crate) struct ServerChannel;

impl IRpcChannelBuffer_Impl for ServerChannel_Impl {
    unsafe fn GetBuffer(&self, pMessage: *mut RPCOLEMESSAGE, _riid: *const GUID) -> HRESULT {
        // SAFETY: the stub passes the message that `dispatch` gave it, whose `reserved1` is the invocation on the
        // dispatching stack.
        let (message, invocation) = unsafe {
            let Some(message) = pMessage.as_mut() else { return E_INVALIDARG };
            let Some(invocation) = message.reserved1.cast::<Invocation>().as_mut() else { return E_INVALIDARG };
            (message, invocation)
        };
        let mut reply = Buffer::new(message.cbBuffer as usize);
        message.Buffer = reply.as_mut_ptr();
        invocation.reply = Some(reply);
        S_OK
    }

    unsafe fn SendReceive(&self, _pMessage: *mut RPCOLEMESSAGE, _pStatus: *mut u32) -> HRESULT {
        E_NOTIMPL
    }

    unsafe fn FreeBuffer(&self, pMessage: *mut RPCOLEMESSAGE) -> HRESULT {
        // SAFETY: as in GetBuffer.
        unsafe {
            if let Some(message) = pMessage.as_mut() {
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

    unsafe fn GetDestCtx(&self, pdwDestContext: *mut u32, ppvDestContext: *mut *mut c_void) -> HRESULT {
        // SAFETY: out pointers are null or valid.
        unsafe { super::client::dest_ctx(MSHCTX_INPROC, pdwDestContext, ppvDestContext) }
    }

    unsafe fn IsConnected(&self) -> HRESULT {
        S_OK
    }
}
