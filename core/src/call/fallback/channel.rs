//! The channel of the asynchronous proxy in a fallback call object.
//!
//! [`Shared`] is what the call object and its channel share. `flight` changes at Send, at Receive and when the call object
//! goes; its lock is held for the exchange only.

use super::factory::Origin;
use super::flight::{Flight, Packet, Told};
use crate::abi::hresult::{E_INVALIDARG, E_POINTER, RPC_E_CALL_COMPLETE, RPC_S_CALLPENDING, S_OK};
use crate::abi::interfaces::{
    IAsyncRpcChannelBuffer, IAsyncRpcChannelBuffer_Impl, IRpcChannelBuffer_Impl, IRpcChannelBuffer2_Impl, ISynchronize,
};
use crate::abi::types::{INFINITE, MSHCTX_INPROC, RPCOLEMESSAGE};
use crate::apartment::SurfaceHome;
use crate::channel::{Buffer, clear, client};
use crate::com_class;
use crate::proxy::info::{Direction, InterfaceInfo};
use crate::synchronize::SurfaceEvent as Event;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use windows_core::{GUID, HRESULT, Interface};

/// What a call object and its channel share.
pub(super) struct Shared {
    home: SurfaceHome,
    /// The call object's own event: from a call's end to the next Begin_ (CALL-28).
    pub(super) event: Arc<Event>,
    /// The address of the call object's own ISynchronize: set directly, without a call.
    pub(super) own_sync: AtomicUsize,
    flight: Mutex<Option<Arc<Flight>>>,
}

impl Shared {
    pub(super) fn new(home: SurfaceHome) -> Result<Arc<Self>, HRESULT> {
        let event = Arc::new(Event::new(true)?);
        Ok(Arc::new(Self { home, event, own_sync: AtomicUsize::new(0), flight: Mutex::default() }))
    }

    /// The call on its way, from Begin_ until Finish_ has fetched its result.
    pub(super) fn flight(&self) -> Option<Arc<Flight>> {
        self.flight.lock().clone()
    }

    fn replace(&self, flight: Option<Arc<Flight>>) {
        let before = std::mem::replace(&mut *self.flight.lock(), flight);
        drop(before);
    }

    /// The call object goes.
    pub(super) fn abandon(&self) {
        let flight = self.flight.lock().take();
        if let Some(flight) = flight {
            flight.abandon();
        }
    }

    /// Who is to be told through `sync`, an ISynchronize of the client's apartment.
    fn told(&self, sync: Option<&ISynchronize>) -> Result<Told, HRESULT> {
        let Some(sync) = sync.filter(|sync| sync.as_raw() as usize != self.own_sync.load(Ordering::Acquire)) else {
            return Ok(Told::Own(self.event.clone()));
        };
        Ok(Told::Outer(Packet::new(&ISynchronize::IID, sync)?, self.event.clone()))
    }
}

#[com_class(IAsyncRpcChannelBuffer)]
pub(super) struct Channel {
    pub(super) shared: Arc<Shared>,
    pub(super) origin: Arc<Origin>,
    pub(super) info: &'static InterfaceInfo,
}

/// Puts a buffer into a message, which owns it from then on.
fn put(message: &mut RPCOLEMESSAGE, buffer: Buffer) {
    let mut boxed = Box::new(buffer);
    message.Buffer = boxed.as_mut_ptr();
    message.cbBuffer = u32::try_from(boxed.len()).unwrap_or(u32::MAX);
    message.reserved1 = Box::into_raw(boxed).cast();
}

/// Takes the buffer out of a message.
///
/// # Safety
/// Nobody but [`put`] and [`clear`] wrote `reserved1`.
unsafe fn take(message: &mut RPCOLEMESSAGE) -> Option<Buffer> {
    let (raw, len) = (message.reserved1.cast::<Buffer>(), message.cbBuffer as usize);
    clear(message);
    // SAFETY: the caller's promise.
    let mut buffer = (!raw.is_null()).then(|| unsafe { *Box::from_raw(raw) })?;
    buffer.truncate(len);
    Some(buffer)
}

impl Channel {
    fn send(&self, message: &mut RPCOLEMESSAGE, sync: Option<&ISynchronize>) -> Result<(), HRESULT> {
        let slot = message.iMethod;
        // SAFETY: a message that GetBuffer filled.
        let request = unsafe { take(message) }.ok_or(E_INVALIDARG)?;
        let ready = || {
            let (flight, told) = (Flight::new(self.info, slot)?, self.shared.told(sync)?);
            Ok((flight, told, Packet::new(&self.info.iid, &self.origin.proxy)?))
        };
        let (flight, told, target) = match ready() {
            Ok(ready) => ready,
            Err(hr) => {
                self.info.discard_buffer(slot, request, Direction::Request);
                return Err(hr);
            }
        };
        self.shared.replace(Some(flight.clone()));
        let hr = flight.send(request, target, told);
        if hr.is_err() {
            self.shared.replace(None);
            return Err(hr);
        }
        Ok(())
    }

    fn receive(&self, message: &mut RPCOLEMESSAGE) -> Result<(), HRESULT> {
        self.shared.home.check()?;
        let flight = self.shared.flight().ok_or(RPC_E_CALL_COMPLETE)?;
        if !flight.is_decided() {
            return Err(RPC_S_CALLPENDING);
        }
        self.shared.replace(None);
        clear(message);
        put(message, flight.take()?);
        Ok(())
    }
}

impl IRpcChannelBuffer_Impl for Channel_Impl {
    unsafe fn GetBuffer(&self, pMessage: *mut RPCOLEMESSAGE, _riid: *const GUID) -> HRESULT {
        // SAFETY: null or a valid message, as the interface asks.
        let Some(message) = (unsafe { pMessage.as_mut() }) else { return E_INVALIDARG };
        if let Err(hr) = self.shared.home.check() {
            return hr;
        }
        put(message, Buffer::new(message.cbBuffer as usize));
        S_OK
    }

    unsafe fn SendReceive(&self, pMessage: *mut RPCOLEMESSAGE, pStatus: *mut u32) -> HRESULT {
        // SAFETY: the caller's; a null ISynchronize is the call object's own.
        unsafe {
            let hr = self.Send(pMessage, std::ptr::null_mut(), pStatus);
            if hr.is_err() {
                return hr;
            }
            let hr = self.shared.event.wait(0, INFINITE);
            if hr.is_err() { hr } else { self.Receive(pMessage, pStatus) }
        }
    }

    unsafe fn FreeBuffer(&self, pMessage: *mut RPCOLEMESSAGE) -> HRESULT {
        // SAFETY: a message that GetBuffer or Receive filled, or one that was freed before.
        drop(unsafe { pMessage.as_mut().and_then(|message| take(message)) });
        S_OK
    }

    unsafe fn GetDestCtx(&self, pdwDestContext: *mut u32, ppvDestContext: *mut *mut c_void) -> HRESULT {
        // SAFETY: out pointers are null or valid. What is far is the worker's business.
        unsafe { client::dest_ctx(MSHCTX_INPROC, pdwDestContext, ppvDestContext) }
    }

    unsafe fn IsConnected(&self) -> HRESULT {
        S_OK
    }
}

impl IRpcChannelBuffer2_Impl for Channel_Impl {
    unsafe fn GetProtocolVersion(&self, pdwVersion: *mut u32) -> HRESULT {
        // SAFETY: null or valid.
        unsafe { client::protocol_version(pdwVersion) }
    }
}

impl IAsyncRpcChannelBuffer_Impl for Channel_Impl {
    unsafe fn Send(&self, pMessage: *mut RPCOLEMESSAGE, pSync: *mut c_void, pulStatus: *mut u32) -> HRESULT {
        // SAFETY: a message that GetBuffer filled; `pSync` is null or an ISynchronize; the status is null or valid.
        unsafe {
            let Some(message) = pMessage.as_mut() else { return E_INVALIDARG };
            let hr = self.send(message, ISynchronize::from_raw_borrowed(&pSync)).err().unwrap_or(S_OK);
            if let Some(status) = pulStatus.as_mut() {
                *status = hr.0 as u32;
            }
            hr
        }
    }

    unsafe fn Receive(&self, pMessage: *mut RPCOLEMESSAGE, pulStatus: *mut u32) -> HRESULT {
        // SAFETY: null or a valid message; the status is null or valid.
        unsafe {
            let Some(message) = pMessage.as_mut() else { return E_POINTER };
            let pending = self.shared.flight().is_some_and(|flight| !flight.is_decided());
            let hr = self.receive(message).err().unwrap_or(S_OK);
            if let Some(out) = pulStatus.as_mut() {
                // Tells a call that goes on from one that ended with this very code.
                *out = if hr == RPC_S_CALLPENDING && !pending { RPC_E_CALL_COMPLETE.0 } else { hr.0 } as u32;
            }
            hr
        }
    }

    unsafe fn GetDestCtxEx(
        &self,
        _pMsg: *mut RPCOLEMESSAGE,
        pdwDestContext: *mut u32,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: out pointers are null or valid.
        unsafe { client::dest_ctx(MSHCTX_INPROC, pdwDestContext, ppv) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::flight::Cancelled;
    use super::super::flight::tests::{flight, in_the_mta};
    use super::*;

    #[test]
    fn call_30_a_call_object_that_goes_lets_its_call_go() {
        in_the_mta(|| {
            let shared = Shared::new(SurfaceHome::current().expect("the MTA")).expect("an event");
            let flight = flight();
            shared.replace(Some(flight.clone()));
            shared.abandon();
            assert!(shared.flight().is_none());
            assert!(matches!(flight.cancel(0), Cancelled::No(_)), "nobody waits for it");
        });
    }
}
