//! The fallback's call object. It belongs to the apartment that made it, as every call object does (CALL-38): in another one
//! all that can be done is to signal it (RUL-10).
//!
//! Its fields are set when it is made and never change; what changes is in [`Shared`].

use super::channel::{Channel, Shared};
use super::factory::{self, Origin};
use super::flight::Cancelled;
use crate::abi::hresult::{E_INVALIDARG, E_UNEXPECTED, RPC_E_CALL_COMPLETE, S_OK};
use crate::abi::interfaces::{
    IAsyncRpcChannelBuffer, ICallFactory, ICallFactory_Impl, ICancelMethodCalls, ICancelMethodCalls_Impl,
    IRpcProxyBuffer, ISynchronize, ISynchronize_Impl, ISynchronizeHandle, ISynchronizeHandle_Impl,
};
use crate::abi::types::HANDLE;
use crate::apartment::SurfaceHome;
use crate::com_class;
use crate::object::{self, Inner, class};
use crate::proxy::async_proxy;
use crate::proxy::info::InterfaceInfo;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use windows_core::{GUID, HRESULT, IUnknownImpl, Interface, InterfaceRef};

#[com_class(ISynchronize, ISynchronizeHandle, ICancelMethodCalls, ICallFactory, blind = inner)]
struct CallObject {
    home: SurfaceHome,
    shared: Arc<Shared>,
    origin: Arc<Origin>,
    inner: Inner,
    proxy: OnceLock<IRpcProxyBuffer>,
}

/// Makes a call object for an interface's twin; `E_NOINTERFACE` when the object behind the proxy has not that interface.
///
/// # Safety
/// `outer` is null or the controlling unknown of an aggregate; `riid2` and `ppv` are valid.
pub(super) unsafe fn create(
    origin: Arc<Origin>,
    info: &'static InterfaceInfo,
    outer: *mut c_void,
    riid2: *const GUID,
    ppv: *mut *mut c_void,
) -> HRESULT {
    if let Err(hr) = object::raw::typed(&origin.proxy, &info.iid) {
        return hr;
    }
    let (home, shared) = match SurfaceHome::current().and_then(|home| Ok((home, Shared::new(home)?))) {
        Ok(made) => made,
        Err(hr) => return hr,
    };
    let value = CallObject { home, shared, origin, inner: Inner::new(), proxy: OnceLock::new() };
    // SAFETY: the caller's.
    unsafe { object::create_aggregated_with(value, outer, riid2, ppv, |call| call.construct(info)) }
}

impl CallObject_Impl {
    /// Makes the asynchronous proxy under the controlling unknown, and gives it its channel.
    fn construct(&self, info: &'static InterfaceInfo) -> HRESULT {
        let own_sync = self.as_interface::<ISynchronize>().as_raw() as usize;
        self.shared.own_sync.store(own_sync, Ordering::Release);
        let mut connected = E_UNEXPECTED;
        // SAFETY: what is made lives under the controlling unknown.
        let made = unsafe {
            self.aggregate(&self.inner, |outer, _, ppv| {
                *ppv = async_proxy::create(info, outer);
                connected = self.connect(*ppv, info);
                S_OK
            })
        };
        made.map_or_else(|error| error.code(), |()| connected)
    }

    /// # Safety
    /// `proxy` is the IRpcProxyBuffer of a live proxy.
    unsafe fn connect(&self, proxy: *mut c_void, info: &'static InterfaceInfo) -> HRESULT {
        let Some(proxy) = NonNull::new(proxy) else { return E_UNEXPECTED };
        let channel = Channel { shared: self.shared.clone(), origin: self.origin.clone(), info };
        let channel: IAsyncRpcChannelBuffer = channel.into();
        // SAFETY: the caller's promise, and a live channel.
        unsafe {
            let proxy = InterfaceRef::<IRpcProxyBuffer>::from_raw(proxy);
            let _ = self.proxy.set((*proxy).clone());
            proxy.Connect(channel.as_raw())
        }
    }
}

impl Drop for CallObject {
    fn drop(&mut self) {
        self.shared.abandon();
        if let Some(proxy) = self.proxy.take() {
            // SAFETY: the proxy was connected when the call object was made, and is not used any more.
            unsafe { proxy.Disconnect() };
        }
    }
}

impl ISynchronize_Impl for CallObject_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        match self.home.check() {
            Ok(()) => self.shared.event.wait(dwFlags, dwMilliseconds),
            Err(hr) => hr,
        }
    }

    /// On every thread, as an agile outer object forwards its own (RUL-10).
    unsafe fn Signal(&self) -> HRESULT {
        self.shared.event.set();
        S_OK
    }

    unsafe fn Reset(&self) -> HRESULT {
        if let Err(hr) = self.home.check() {
            return hr;
        }
        self.shared.event.reset();
        S_OK
    }
}

impl ISynchronizeHandle_Impl for CallObject_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        if let Err(hr) = self.home.check() {
            return hr;
        }
        // SAFETY: null or valid.
        match unsafe { ph.as_mut() } {
            Some(out) => {
                *out = self.shared.event.handle();
                S_OK
            }
            None => E_INVALIDARG,
        }
    }
}

impl ICancelMethodCalls_Impl for CallObject_Impl {
    unsafe fn Cancel(&self, ulSeconds: u32) -> HRESULT {
        if let Err(hr) = self.home.check() {
            return hr;
        }
        let Some(flight) = self.shared.flight() else { return RPC_E_CALL_COMPLETE };
        match flight.cancel(ulSeconds) {
            Cancelled::No(hr) => hr,
            // Through the controlling unknown, which may override it (AGG-03).
            Cancelled::Won => {
                if let Ok(sync) = class::controlling(self).cast::<ISynchronize>() {
                    // SAFETY: a live pointer. There is nobody to tell of a failure.
                    let _ = unsafe { sync.Signal() };
                }
                S_OK
            }
        }
    }

    unsafe fn TestCancel(&self) -> HRESULT {
        if let Err(hr) = self.home.check() {
            return hr;
        }
        self.shared.flight().map_or(RPC_E_CALL_COMPLETE, |flight| flight.test_cancel())
    }
}

impl ICallFactory_Impl for CallObject_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        if let Err(hr) = self.home.check() {
            return hr;
        }
        // SAFETY: the caller's pointers, which may be null.
        unsafe { factory::make(&self.origin, riid, pCtrlUnk, riid2, ppv) }
    }
}
