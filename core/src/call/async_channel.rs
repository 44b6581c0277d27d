//! The channel of a call object: what the asynchronous interface proxy inside it sends and receives through.
//!
//! [`Pending`] is what the call object, its channel, and an inner object that works on the proxy itself share: the call in
//! flight, the call object's own event, its proxy and its blanket. `call` changes at Send, at Receive, and when the call object
//! goes; `proxy` is given up when the call object goes, in its apartment, or by an asynchronous Release. The locks are held for
//! the exchange only.

use super::blanket::Slot;
use crate::abi::hresult::{CO_E_RELEASED, E_INVALIDARG, E_POINTER, RPC_E_CALL_COMPLETE, RPC_S_CALLPENDING, S_OK};
use crate::abi::interfaces::{
    IAgileObject, IAsyncRpcChannelBuffer, IAsyncRpcChannelBuffer_Impl, IRpcChannelBuffer_Impl, IRpcChannelBuffer2_Impl,
    ISynchronize,
};
use crate::abi::types::RPCOLEMESSAGE;
use crate::apartment::{self, Apartment};
use crate::channel::{Call, Kind, Outer, Route, Target, client};
use crate::com_class;
use crate::kernel::Event;
use crate::platform::Deadline;
use crate::proxy::ProxyManager;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use windows_core::{ComObject, GUID, HRESULT, Interface};

/// What a call object and its channel share.
pub(crate) struct Pending {
    pub(crate) home: Arc<Apartment>,
    /// The call object's own event: manual-reset, set from completion or cancellation until the next Begin_ (CALL-28).
    pub(crate) event: Arc<Event>,
    /// The address of the call object's own ISynchronize: signalled directly, without a call.
    pub(crate) own_sync: AtomicUsize,
    call: Mutex<Option<Arc<Call>>>,
    /// Keeps the target alive while a call is pending (CALL-39).
    proxy: Mutex<Option<ComObject<ProxyManager>>>,
    /// The security of the calls that it makes: at first the proxy's (CALL-41).
    pub(crate) blanket: Slot,
}

impl Pending {
    pub(crate) fn new(proxy: ComObject<ProxyManager>, blanket: Slot) -> Arc<Self> {
        Arc::new(Self {
            home: proxy.home().clone(),
            event: Event::manual(),
            own_sync: AtomicUsize::new(0),
            call: Mutex::default(),
            proxy: Mutex::new(Some(proxy)),
            blanket,
        })
    }

    /// The proxy; `CO_E_RELEASED` when it was given up.
    pub(crate) fn proxy(&self) -> Result<ComObject<ProxyManager>, HRESULT> {
        self.proxy.lock().clone().ok_or(CO_E_RELEASED)
    }

    /// Gives the proxy up.
    pub(crate) fn take_proxy(&self) -> Option<ComObject<ProxyManager>> {
        self.proxy.lock().take()
    }

    /// The call in flight, from Begin_ until Finish_ has fetched its result.
    pub(crate) fn call(&self) -> Option<Arc<Call>> {
        self.call.lock().clone()
    }

    /// A call begins: it is the one in flight from now on, for whoever cancels it too. So it knows by then how its end will be
    /// told ([`Call::expect`]).
    pub(crate) fn adopt(&self, call: &Arc<Call>) {
        let before = self.call.lock().replace(call.clone());
        drop(before);
    }

    /// The call in flight, for the Finish_ that ends it; `RPC_S_CALLPENDING` when its fate is not decided.
    pub(crate) fn take_decided(&self) -> Result<Arc<Call>, HRESULT> {
        let mut place = self.call.lock();
        let call = place.take().ok_or(RPC_E_CALL_COMPLETE)?;
        if !call.is_decided() {
            *place = Some(call);
            return Err(RPC_S_CALLPENDING);
        }
        Ok(call)
    }

    /// The call object goes: the server finishes alone (CALL-30), and is asked to stop (CALL-32).
    pub(crate) fn abandon(&self) {
        let call = self.call.lock().take();
        if let Some(call) = call {
            call.abandon();
        }
    }

    /// How completion will be told to whoever `sync` is. It may be asked, and is the user's.
    pub(crate) fn route(&self, sync: Option<&ISynchronize>) -> Route {
        let Some(sync) = sync else { return Route::Wait };
        if sync.as_raw() as usize == self.own_sync.load(Ordering::Acquire) {
            return Route::Own(self.event.clone());
        }
        let agile = sync.cast::<IAgileObject>().is_ok();
        let home = (!agile).then(|| self.home.clone());
        Route::Outer(Box::new(Outer { sync: sync.clone(), home, place: 0, own: self.event.clone() }))
    }
}

/// The channel of one call object.
#[com_class(IAsyncRpcChannelBuffer)]
pub(crate) struct AsyncChannel {
    pub(crate) pending: Arc<Pending>,
    pub(crate) target: Arc<Target>,
}

impl IRpcChannelBuffer_Impl for AsyncChannel_Impl {
    unsafe fn GetBuffer(&self, pMessage: *mut RPCOLEMESSAGE, _riid: *const GUID) -> HRESULT {
        // SAFETY: null or a valid message, as the interface asks.
        let Some(message) = (unsafe { pMessage.as_mut() }) else { return E_INVALIDARG };
        let Pending { home, blanket, .. } = &*self.pending;
        client::prepare(home, &self.target, message, Kind::Begun, blanket).err().unwrap_or(S_OK)
    }

    unsafe fn SendReceive(&self, pMessage: *mut RPCOLEMESSAGE, pStatus: *mut u32) -> HRESULT {
        // SAFETY: the caller's; a null ISynchronize sends without telling anybody.
        unsafe {
            let hr = self.Send(pMessage, std::ptr::null_mut(), pStatus);
            if hr.is_err() {
                return hr;
            }
            if let Some(call) = self.pending.call() {
                apartment::co_wait_until(&call.done, Deadline::NEVER);
            }
            self.Receive(pMessage, pStatus)
        }
    }

    unsafe fn FreeBuffer(&self, pMessage: *mut RPCOLEMESSAGE) -> HRESULT {
        // SAFETY: a message that GetBuffer or Receive filled, or one that was freed before.
        unsafe {
            if let Some(message) = pMessage.as_mut() {
                client::free(message);
            }
        }
        S_OK
    }

    unsafe fn GetDestCtx(&self, pdwDestContext: *mut u32, ppvDestContext: *mut *mut c_void) -> HRESULT {
        // SAFETY: out pointers are null or valid.
        unsafe { client::dest_ctx(self.target.context, pdwDestContext, ppvDestContext) }
    }

    unsafe fn IsConnected(&self) -> HRESULT {
        S_OK
    }
}

impl IRpcChannelBuffer2_Impl for AsyncChannel_Impl {
    unsafe fn GetProtocolVersion(&self, pdwVersion: *mut u32) -> HRESULT {
        // SAFETY: null or valid.
        unsafe { client::protocol_version(pdwVersion) }
    }
}

impl IAsyncRpcChannelBuffer_Impl for AsyncChannel_Impl {
    unsafe fn Send(&self, pMessage: *mut RPCOLEMESSAGE, pSync: *mut c_void, pulStatus: *mut u32) -> HRESULT {
        // SAFETY: a message that GetBuffer filled; `pSync` is null or an ISynchronize; the status is null or valid.
        unsafe {
            let Some(message) = pMessage.as_mut() else { return E_INVALIDARG };
            let call = match client::take_whole(message) {
                Ok(call) => call,
                Err(hr) => return hr,
            };
            let hr = client::may_send().err().unwrap_or(S_OK);
            if let Some(status) = pulStatus.as_mut() {
                *status = hr.0 as u32;
            }
            if hr.is_err() {
                return hr;
            }
            let route = self.pending.route(ISynchronize::from_raw_borrowed(&pSync));
            call.send_known(route, || self.pending.adopt(&call));
            S_OK
        }
    }

    unsafe fn Receive(&self, pMessage: *mut RPCOLEMESSAGE, pulStatus: *mut u32) -> HRESULT {
        // SAFETY: null or a valid message; the status is null or valid.
        unsafe {
            let Some(message) = pMessage.as_mut() else { return E_POINTER };
            // An outer whose Wait says too early that the call is complete: the call goes on (chosen). The status tells
            // that from a call that ended with this very code.
            let (hr, status) = match self.pending.take_decided() {
                Ok(call) => {
                    let hr = client::receive(call, message);
                    (hr, if hr == RPC_S_CALLPENDING { RPC_E_CALL_COMPLETE } else { hr })
                }
                Err(RPC_S_CALLPENDING) => (RPC_S_CALLPENDING, RPC_S_CALLPENDING),
                Err(hr) => return hr,
            };
            if let Some(out) = pulStatus.as_mut() {
                *out = status.0 as u32;
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
        unsafe { client::dest_ctx(self.target.context, pdwDestContext, ppv) }
    }
}
