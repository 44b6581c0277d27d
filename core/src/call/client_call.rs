//! The client's call object (facts section 6): made by the proxy manager, aggregated under the client's own outer
//! object if it has one, with the asynchronous interface proxy as its inner object.
//!
//! It belongs to the apartment that made it (CALL-38) and says `RPC_E_WRONG_THREAD` elsewhere, except to Signal. The state of the
//! Begin_/Finish_ pair is the interface proxy's (`protocol::halves`); the fate of the call in flight is its own
//! (`protocol::call`); this object joins them and owns the event that others wait on.

use super::async_channel::{AsyncChannel, Pending};
use super::blanket::{Outs, Slot, Wanted, show};
use super::cancel_and_wait;
use super::completion::{IClientCall, IClientCall_Impl};
use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE, E_NOTIMPL, E_UNEXPECTED, RPC_E_CALL_COMPLETE, S_OK};
use crate::abi::interfaces::{
    IAsyncRpcChannelBuffer, ICallFactory, ICallFactory_Impl, ICancelMethodCalls, ICancelMethodCalls_Impl,
    IClientSecurity, IClientSecurity_Impl, IRpcProxyBuffer, ISynchronize, ISynchronize_Impl, ISynchronizeHandle,
    ISynchronizeHandle_Impl,
};
use crate::abi::types::HANDLE;
use crate::apartment;
use crate::channel::Target;
use crate::com_class;
use crate::object::{self, Inner, class};
use crate::platform::{self, Fact};
use crate::proxy::ProxyManager;
use crate::synchronize::EventHandle;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

/// A call object.
#[com_class(
    ISynchronize, ISynchronizeHandle, ICancelMethodCalls, ICallFactory, IClientSecurity, IClientCall, blind = inner
)]
pub(crate) struct ClientCall {
    pending: Arc<Pending>,
    handle: EventHandle,
    inner: Inner,
    proxy: std::sync::OnceLock<Connected>,
}

/// What a call object shares with an inner object that works on the proxy itself.
pub(crate) struct Parts {
    pub(crate) pending: Arc<Pending>,
    pub(crate) handed_out: Option<HandedOut>,
}

/// The reference on a call object that its outer object got and does not release itself (AIU-04).
#[derive(Clone, Copy)]
pub(crate) struct HandedOut(NonNull<ClientCall_Impl>);

impl HandedOut {
    /// Gives the reference back.
    ///
    /// # Safety
    /// Once, and the outer object does not.
    pub(crate) unsafe fn give_back(self) {
        // SAFETY: the caller's promise; the reference counts on slot 0.
        unsafe { class::release_own(self.0.as_ptr()) };
    }
}

struct Connected(IRpcProxyBuffer);
// SAFETY: connected and disconnected in the call object's apartment.
unsafe impl Send for Connected {}
// SAFETY: as above.
unsafe impl Sync for Connected {}

impl ClientCall {
    /// Makes a call object for the asynchronous twin that `factory`, an interface proxy's own, knows how to make.
    ///
    /// # Safety
    /// `outer` is null or the controlling unknown of an aggregate; `riid2` and `ppv` are valid.
    pub(crate) unsafe fn create(
        manager: ComObject<ProxyManager>,
        (factory, target, blanket): (&ICallFactory, Arc<Target>, Slot),
        async_iid: &GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        let value = ClientCall::new(manager, blanket);
        // SAFETY: the caller's.
        unsafe {
            object::create_aggregated_with(value, outer, riid2, ppv, |call| call.construct(factory, async_iid, target))
        }
    }

    /// Makes a call object for an asynchronous interface that the proxy manager answers itself. `make` makes its inner
    /// object: its own IUnknown, counted.
    ///
    /// # Safety
    /// As for [`Self::create`].
    pub(crate) unsafe fn create_own(
        manager: ComObject<ProxyManager>,
        make: MakeOwn,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        let handed_out = !outer.is_null() && !object::is_made_for_inner(outer);
        let value = ClientCall::new(manager, Slot::default());
        // SAFETY: the caller's.
        unsafe { object::create_aggregated_with(value, outer, riid2, ppv, |call| call.construct_own(make, handed_out)) }
    }

    fn new(manager: ComObject<ProxyManager>, blanket: Slot) -> Self {
        let pending = Pending::new(manager, blanket);
        let handle = EventHandle::new(&pending.event);
        Self { pending, handle, inner: Inner::new(), proxy: std::sync::OnceLock::new() }
    }

    fn check(&self) -> Result<(), HRESULT> {
        self.pending.home.check()
    }
}

/// Makes the inner object of a call object under a controlling unknown: its own IUnknown, counted.
pub(crate) type MakeOwn = unsafe fn(outer: *mut c_void, parts: Parts) -> *mut c_void;

impl ClientCall_Impl {
    fn know_own_sync(&self) {
        let own_sync = self.as_interface::<ISynchronize>().as_raw() as usize;
        self.pending.own_sync.store(own_sync, Ordering::Release);
    }

    /// Makes an inner object that needs no channel.
    fn construct_own(&self, make: MakeOwn, handed_out: bool) -> HRESULT {
        self.know_own_sync();
        let handed_out = handed_out.then(|| HandedOut(class::root(self)));
        let parts = Parts { pending: self.pending.clone(), handed_out };
        // SAFETY: what `make` makes lives under the controlling unknown.
        let made = unsafe {
            self.aggregate(&self.inner, |outer, _, ppv| {
                *ppv = make(outer, parts);
                S_OK
            })
        };
        made.map_or_else(|error| error.code(), |()| S_OK)
    }

    /// Makes the inner object and connects it.
    fn construct(&self, factory: &ICallFactory, async_iid: &GUID, target: Arc<Target>) -> HRESULT {
        self.know_own_sync();
        let mut connected = E_UNEXPECTED;
        // SAFETY: the factory aggregates what it makes under the controlling unknown.
        let made = unsafe {
            self.aggregate(&self.inner, |outer, iid, ppv| {
                let hr = factory.CreateCall(async_iid, outer, iid, ppv);
                if hr.is_ok() {
                    connected = self.connect(&*ppv, target);
                }
                hr
            })
        };
        match made {
            Ok(()) => connected,
            Err(error) => error.code(),
        }
    }

    /// Gives the inner object its channel.
    fn connect(&self, inner: &*mut c_void, target: Arc<Target>) -> HRESULT {
        // SAFETY: a live pointer that the caller keeps.
        let proxy = unsafe { IUnknown::from_raw_borrowed(inner) }.map(Interface::cast::<IRpcProxyBuffer>);
        let Some(Ok(proxy)) = proxy else { return E_NOINTERFACE };
        let channel: IAsyncRpcChannelBuffer = AsyncChannel { pending: self.pending.clone(), target }.into();
        // SAFETY: a fresh proxy and a live channel.
        let hr = unsafe { proxy.Connect(channel.as_raw()) };
        let _ = self.proxy.set(Connected(proxy));
        hr
    }
}

impl Drop for ClientCall {
    fn drop(&mut self) {
        self.pending.abandon();
        if let Some(Connected(proxy)) = self.proxy.take() {
            // SAFETY: the proxy was connected at creation and is not used any more.
            unsafe { proxy.Disconnect() };
        }
        // Here, and not where the last one who shares it ends: the proxy belongs to this apartment.
        drop(self.pending.take_proxy());
    }
}

impl ISynchronize_Impl for ClientCall_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        match self.check() {
            Ok(()) => apartment::co_wait(dwFlags, dwMilliseconds, &self.pending.event),
            Err(hr) => hr,
        }
    }

    unsafe fn Signal(&self) -> HRESULT {
        // On every thread: an agile outer object forwards its Signal from wherever the call was completed (AGG-05,
        // AGG-09; chosen). There is nothing but the event to touch.
        if let Some(call) = self.pending.call().filter(|_| platform::is_simulated()) {
            platform::tell(|| Fact::Signalled(call.object()));
        }
        self.pending.event.set();
        S_OK
    }

    unsafe fn Reset(&self) -> HRESULT {
        if let Err(hr) = self.check() {
            return hr;
        }
        self.pending.event.reset();
        S_OK
    }
}

impl ISynchronizeHandle_Impl for ClientCall_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        if let Err(hr) = self.check() {
            return hr;
        }
        // SAFETY: null or valid.
        match unsafe { ph.as_mut() } {
            Some(out) => self.handle.get(&self.pending.event, out),
            None => E_INVALIDARG,
        }
    }
}

impl ICancelMethodCalls_Impl for ClientCall_Impl {
    unsafe fn Cancel(&self, ulSeconds: u32) -> HRESULT {
        if let Err(hr) = self.check() {
            return hr;
        }
        match self.pending.call() {
            Some(call) => cancel_and_wait(&call, ulSeconds),
            None => RPC_E_CALL_COMPLETE,
        }
    }

    unsafe fn TestCancel(&self) -> HRESULT {
        if let Err(hr) = self.check() {
            return hr;
        }
        match self.pending.call() {
            Some(call) => call.test_by_client(),
            None => RPC_E_CALL_COMPLETE,
        }
    }
}

impl ClientCall_Impl {
    /// Whether a pointer is one of this call object's, in its apartment.
    ///
    /// # Safety
    /// `pointer` is null or a live interface pointer.
    unsafe fn check_own(&self, pointer: *mut c_void) -> Result<(), HRESULT> {
        self.check()?;
        // SAFETY: the caller's promise.
        let asked = unsafe { IUnknown::from_raw_borrowed(&pointer) }.ok_or(E_INVALIDARG)?.cast::<IUnknown>();
        if asked.is_ok_and(|asked| asked == self.to_interface()) { Ok(()) } else { Err(E_INVALIDARG) }
    }
}

impl IClientSecurity_Impl for ClientCall_Impl {
    unsafe fn QueryBlanket(
        &self,
        pProxy: *mut c_void,
        service: *mut u32,
        authorization: *mut u32,
        principal: *mut *mut u16,
        level: *mut u32,
        impersonation: *mut u32,
        info: *mut *mut c_void,
        capabilities: *mut u32,
    ) -> HRESULT {
        let outs = Outs { service, authorization, principal, level, impersonation, info, capabilities };
        // SAFETY: the caller's pointers.
        unsafe {
            outs.clear();
            match self.check_own(pProxy) {
                Ok(()) => show(self.pending.blanket.get().as_deref(), true, &outs),
                Err(hr) => hr,
            }
        }
    }

    unsafe fn SetBlanket(
        &self,
        pProxy: *mut c_void,
        service: u32,
        authorization: u32,
        principal: *mut u16,
        level: u32,
        impersonation: u32,
        info: *mut c_void,
        capabilities: u32,
    ) -> HRESULT {
        let wanted = Wanted { service, authorization, principal, level, impersonation, info, capabilities };
        // SAFETY: the caller's pointers.
        unsafe {
            match self.check_own(pProxy) {
                Ok(()) => self.pending.blanket.set(&wanted),
                Err(hr) => hr,
            }
        }
    }

    unsafe fn CopyProxy(&self, _pProxy: *mut c_void, ppCopy: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid for writes.
        if let Some(out) = unsafe { ppCopy.as_mut() } {
            *out = std::ptr::null_mut();
        }
        // A call object is for one call at a time: who wants another makes another (chosen).
        E_NOTIMPL
    }
}

impl IClientCall_Impl for ClientCall_Impl {
    unsafe fn Pending(&self) -> *mut c_void {
        Arc::into_raw(self.pending.clone()).cast_mut().cast()
    }
}

impl ICallFactory_Impl for ClientCall_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // A call object makes further ones for the same target (CALL-11).
        // SAFETY: the caller's arguments, passed on; the out pointer is null or valid for writes.
        unsafe {
            match self.pending.proxy() {
                Ok(manager) => manager.to_interface::<ICallFactory>().CreateCall(riid, pCtrlUnk, riid2, ppv),
                Err(hr) => {
                    if let Some(out) = ppv.as_mut() {
                        *out = std::ptr::null_mut();
                    }
                    hr
                }
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::abi::clsid::CLSID_ManualResetEvent;
    use crate::abi::hresult::CO_E_RELEASED;
    use crate::abi::interfaces::AsyncIUnknown;
    use crate::abi::types::{CLSCTX_INPROC_SERVER, COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED};
    use crate::apartment::{CoInitializeEx, CoUninitialize};
    use crate::kernel;
    use crate::marshal::{CoGetInterfaceAndReleaseStream, CoMarshalInterThreadInterfaceInStream};
    use crate::object::CoCreateInstance;
    use crate::platform::Deadline;
    use std::ptr::null_mut;
    use std::sync::mpsc;

    /// Makes a call object on a proxy and lets it go; whether what it shared still had the proxy then.
    fn kept_behind_its_end(proxy: &ISynchronize) -> bool {
        let factory: ICallFactory = proxy.cast().unwrap();
        let mut raw = null_mut();
        // SAFETY: valid arguments; the interfaces' own pointers.
        let (call, pending) = unsafe {
            assert_eq!(factory.CreateCall(&AsyncIUnknown::IID, null_mut(), &AsyncIUnknown::IID, &mut raw), S_OK);
            let call = AsyncIUnknown::from_raw(raw);
            let private: IClientCall = call.cast().unwrap();
            (call, Arc::from_raw(private.Pending().cast_const().cast::<Pending>()))
        };
        assert!(pending.proxy().is_ok());
        drop(call);
        pending.proxy().err() != Some(CO_E_RELEASED)
    }

    /// The proxy belongs to the apartment, and so does its release: a channel may be kept longer, and elsewhere.
    #[test]
    fn call_39_the_proxy_goes_with_the_call_object_whoever_keeps_what_it_shared() {
        struct Stream(*mut c_void);
        // SAFETY: a stream of that kind is for another thread.
        unsafe impl Send for Stream {}

        // SAFETY: valid arguments.
        unsafe {
            assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
            let (mut raw, mut stream) = (null_mut(), Stream(null_mut()));
            let clsid = &CLSID_ManualResetEvent;
            assert_eq!(CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, &ISynchronize::IID, &mut raw), S_OK);
            let event = ISynchronize::from_raw(raw);
            let hr = CoMarshalInterThreadInterfaceInStream(&ISynchronize::IID, event.as_raw(), &mut stream.0);
            assert_eq!(hr, S_OK);
            let (tell, told) = mpsc::channel();
            let client = kernel::spawn("client", false, move || {
                let stream = stream;
                assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
                let mut raw = null_mut();
                assert_eq!(CoGetInterfaceAndReleaseStream(stream.0, &ISynchronize::IID, &mut raw), S_OK);
                tell.send(kept_behind_its_end(&ISynchronize::from_raw(raw))).unwrap();
                CoUninitialize();
            });
            assert!(apartment::co_wait_until(&*client.ended, Deadline::NEVER));
            assert_eq!(told.try_recv(), Ok(false));
            drop(event);
            CoUninitialize();
        }
    }
}
