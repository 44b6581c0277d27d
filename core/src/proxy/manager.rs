//! The proxy manager: what a client apartment holds of one object elsewhere.
//!
//! It is the identity of the object there (MRSH-17): each apartment has at most one for an object. It answers ICallFactory
//! and IMultiQI (`several.rs`) itself (CALL-01), hands out interface proxies that it has, and asks the server for others,
//! once each (MRSH-19). Its interface proxies delegate their IUnknown to it.
//!
//! Its last Release waits for the object's end, except where an asynchronous Release gave it: then calls stand in
//! `farewells`, which is shared with whoever gives the reference up, because the manager may end under his hands.
//!
//! An object may have a handler (`handler.rs`), which is aggregated here and asked before the server.
//!
//! State: `faces` only grows until the manager ends; `refs` are the references on the stub manager that the last release
//! gives back. Both under short locks; the server is asked, and proxies are made and let go, outside of them. A manager
//! whose apartment has ended is `dead`: its references are back already, calls through it fail (APT-22).

use super::handler::Back;
use super::{create_proxy, factory, own_call, registry};
use crate::abi::clsid::CLSID_StdMarshal;
use crate::abi::hresult::{
    CLASS_E_NOAGGREGATION, CO_E_OBJNOTCONNECTED, E_INVALIDARG, E_NOINTERFACE, RPC_E_DISCONNECTED, RPC_E_WRONG_THREAD,
    RPC_S_UNKNOWN_IF_HR, S_OK,
};
use crate::abi::interfaces::{
    ICallFactory, ICallFactory_Impl, IClientSecurity, IMarshal_Impl, IMarshal2, IMarshal2_Impl, IMultiQI,
    IRpcChannelBuffer3, IRpcProxyBuffer,
};
use crate::abi::types::MSHCTX_INPROC;
use crate::apartment::{self, Apartment};
use crate::call::{ClientCall, Slot};
use crate::channel::{Buffer, Call, ClientChannel, Target};
use crate::com_class;
use crate::interface;
use crate::marshal::{CoGetMarshalSizeMax, CoMarshalInterface, CoReleaseMarshalData, CoUnmarshalInterface};
use crate::object::{Inner, class, raw};
use crate::stub::StubManager;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

/// Known to this library only: tells a proxy of ours from every other object.
#[interface("0b5f9a3c-6f3e-4d0b-9d55-6f6c65616e64")]
pub(crate) unsafe trait IProxyManager: IUnknown {
    /// A counted pointer to the manager, or null where it has ended.
    fn Manager(&self) -> *mut c_void;
}

/// One interface that the server has shown.
struct Face {
    target: Arc<Target>,
    proxy: IRpcProxyBuffer,
    /// The typed pointer; its count is the manager's, so it is not counted here.
    typed: *mut c_void,
    blanket: Arc<Slot>,
}

// SAFETY: faces are used in the manager's apartment, or while it ends.
unsafe impl Send for Face {}

/// The references that a manager holds on the server's side.
struct Remote {
    refs: u64,
    faces: Vec<Face>,
    /// An IPID of the object, of whatever interface: enough to reach it.
    some_ipid: GUID,
    /// A packet said that nobody need ping for the object.
    no_ping: bool,
}

/// What a client apartment holds of one object elsewhere.
#[com_class(
    ICallFactory,
    IMultiQI,
    IMarshal2,
    IClientSecurity,
    IProxyManager,
    inner = handler,
    guard = may_query,
    first = ask_handler,
    fallback = query_remote
)]
pub(crate) struct ProxyManager {
    home: Arc<Apartment>,
    server: Weak<Apartment>,
    /// How far away it is (`MSHCTX_…`).
    context: u32,
    pub(crate) oxid: u64,
    pub(crate) oid: u64,
    remote: Mutex<Remote>,
    dead: AtomicBool,
    farewells: Farewells,
    /// That of IUnknown.
    blanket: Arc<Slot>,
    /// The object's handler, if it has one; the class is kept although there may be no such class here.
    pub(super) handler: Inner,
    pub(super) handler_class: OnceLock<GUID>,
    /// Leads the handler's inner object here, as long as there is somebody here.
    pub(super) back: Arc<Back>,
}

/// Asynchronous releases whose reference may be the manager's last: whose end they wait for.
type Farewells = Arc<Mutex<Vec<Arc<Call>>>>;

impl ProxyManager {
    pub(super) fn new(home: &Arc<Apartment>, server: Weak<Apartment>, oxid: u64, oid: u64) -> Self {
        Self {
            home: home.clone(),
            context: context_of(home, &server),
            server,
            oxid,
            oid,
            remote: Mutex::new(Remote { refs: 0, faces: Vec::new(), some_ipid: GUID::zeroed(), no_ping: false }),
            dead: AtomicBool::new(false),
            farewells: Farewells::default(),
            blanket: Arc::default(),
            handler: Inner::new(),
            handler_class: OnceLock::new(),
            back: Arc::default(),
        }
    }

    /// The apartment that the manager belongs to.
    pub(crate) fn home(&self) -> &Arc<Apartment> {
        &self.home
    }

    /// The server's apartment, while it lives.
    pub(crate) fn server(&self) -> Option<Arc<Apartment>> {
        self.server.upgrade()
    }

    /// Takes references over that a packet brought.
    pub(super) fn add_refs(&self, count: u64) {
        self.remote.lock().refs += count;
    }

    /// What a packet brought, for another manager of the same object.
    pub(super) fn yield_refs(&self) -> u64 {
        std::mem::take(&mut self.remote.lock().refs)
    }

    /// The IPID behind an interface that this manager has shown.
    pub(crate) fn ipid(&self, iid: &GUID) -> Option<GUID> {
        self.remote.lock().faces.iter().find(|face| face.target.iid == *iid).map(|face| face.target.ipid)
    }

    /// Remembers how the object was reached.
    pub(crate) fn note_ipid(&self, ipid: GUID, no_ping: bool) {
        let mut remote = self.remote.lock();
        remote.some_ipid = ipid;
        remote.no_ping |= no_ping;
    }

    /// An IPID of the object.
    pub(crate) fn any_ipid(&self) -> GUID {
        self.remote.lock().some_ipid
    }

    /// The apartment ends, or the last reference is gone: proxies are cut off, references given back.
    pub(super) fn disconnect(&self) {
        if self.cut_off() {
            self.give_back();
        }
    }

    /// Cuts the proxies off; false when they are already.
    fn cut_off(&self) -> bool {
        if self.dead.swap(true, Ordering::AcqRel) {
            return false;
        }
        let proxies: Vec<_> = self.remote.lock().faces.iter().map(|face| face.proxy.clone()).collect();
        for proxy in &proxies {
            // SAFETY: a live proxy of this apartment.
            unsafe { proxy.Disconnect() };
        }
        true
    }

    /// The references go back to the server.
    fn give_back(&self) {
        if let Some((stub, refs)) = self.take_refs() {
            stub.change(|held| held.release_proxy(refs));
        }
    }

    /// As [`Self::give_back`], without waiting for what the object does then: these calls hear of it.
    fn give_back_later(&self, calls: Vec<Arc<Call>>) {
        let calls = Arc::new(calls);
        let waiting = calls.clone();
        let told = move |_: Result<(), HRESULT>| waiting.iter().for_each(|call| call.complete(Ok(Buffer::default())));
        let left = self.take_refs().map(|(stub, refs)| stub.change_later(|held| held.release_proxy(refs), told));
        if !matches!(left, Some(Ok(()))) {
            calls.iter().for_each(|call| call.complete_later(Ok(Buffer::default())));
        }
    }

    /// How many references it holds on the server's side; it does not any more. Takes the lock of `remote` inside the one of
    /// the table of managers.
    pub(super) fn take_count(&self) -> u64 {
        std::mem::take(&mut self.remote.lock().refs)
    }

    /// Whether the object ends when nobody pings for it: `MSHLFLAGS_NOPING` says no.
    pub(super) fn is_pinged(&self) -> bool {
        !self.remote.lock().no_ping
    }

    /// What to give back, to whom.
    fn take_refs(&self) -> Option<(Arc<StubManager>, u64)> {
        let refs = self.yield_refs();
        if refs == 0 {
            return None;
        }
        let server = self.server.upgrade()?;
        if server.reach().is_err() {
            // The server finds out by itself that nobody pings.
            if self.is_pinged()
                && let Some(process) = self.home.process.upgrade()
            {
                process.peers.owe(self.oxid, self.oid, refs);
            }
            return None;
        }
        Some((server.exports.by_oid(self.oid)?, refs))
    }

    /// Gives a reference on a manager up; the count that remains. `call` ends when that is done: where it was the last
    /// reference, with the object's release in its apartment (AIU-02), which nobody waits for.
    pub(super) fn release_later(manager: ComObject<Self>, call: &Arc<Call>, remaining: impl FnOnce(u32)) {
        let farewells = manager.farewells.clone();
        farewells.lock().push(call.clone());
        let unknown: IUnknown = manager.into_interface();
        // SAFETY: the reference is ours.
        let count = unsafe { raw::release(unknown.into_raw()) };
        if count == 0 {
            // The manager's end has taken the call.
            return;
        }
        let mine = {
            let mut calls = farewells.lock();
            let at = calls.iter().position(|there| Arc::ptr_eq(there, call));
            at.map(|at| calls.remove(at))
        };
        // Unless somebody else has let the last reference go meanwhile.
        if let Some(call) = mine {
            remaining(count);
            call.complete_later(Ok(Buffer::default()));
        }
    }

    fn target(&self, ipid: GUID, iid: GUID) -> Arc<Target> {
        Arc::new(Target { apartment: self.server.clone(), ipid, iid, context: self.context })
    }
}

impl Drop for ProxyManager {
    fn drop(&mut self) {
        self.back.cut();
        self.home.imports.forget(self);
        self.cut_off();
        let calls = std::mem::take(&mut *self.farewells.lock());
        // With what a packet brought while the apartment ended.
        if calls.is_empty() {
            self.give_back();
        } else {
            self.give_back_later(calls);
        }
        // The interface proxies go last; they delegate to this object no more.
        let faces = std::mem::take(&mut self.remote.lock().faces);
        drop(faces);
    }
}

impl ProxyManager_Impl {
    /// The typed pointer of an interface proxy that is there, counted.
    fn known(&self, iid: &GUID) -> Option<*mut c_void> {
        let typed = self.remote.lock().faces.iter().find(|face| face.target.iid == *iid).map(|face| face.typed)?;
        self.AddRef();
        Some(typed)
    }

    /// Away from its apartment a proxy shows nothing but what it has shown there (MRSH-14).
    pub(super) fn may_query(&self, iid: &GUID) -> HRESULT {
        let shown = *iid == IProxyManager::IID || self.ipid(iid).is_some();
        if shown || self.home.is_current() { S_OK } else { RPC_E_WRONG_THREAD }
    }

    /// Any interface that the manager does not answer itself.
    ///
    /// # Safety
    /// `ppv` is valid for writes.
    pub(super) unsafe fn query_remote(&self, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
        let found = match self.known(iid) {
            Some(typed) => Ok(typed),
            None => self.ask(iid),
        };
        // SAFETY: the caller's.
        unsafe {
            match found {
                Ok(typed) => {
                    *ppv = typed;
                    S_OK
                }
                Err(hr) => {
                    *ppv = std::ptr::null_mut();
                    hr
                }
            }
        }
    }

    /// Asks the server for an interface and makes a proxy for it.
    fn ask(&self, iid: &GUID) -> Result<*mut c_void, HRESULT> {
        let server = self.whom_to_ask(iid)?;
        let ipid = apartment::run_in(&server, self.question(&server, *iid))??;
        self.connect(iid, ipid)
    }

    /// The apartment that knows whether the object has an interface, where that has to be asked and may be.
    pub(super) fn whom_to_ask(&self, iid: &GUID) -> Result<Arc<Apartment>, HRESULT> {
        self.home.check().map_err(|_| RPC_E_WRONG_THREAD)?;
        if !registry::is_known(iid) {
            // Nothing could carry calls to it, so there is no need to ask (MRSH-02).
            return Err(E_NOINTERFACE);
        }
        if self.dead.load(Ordering::Acquire) {
            return Err(CO_E_OBJNOTCONNECTED);
        }
        crate::channel::client::may_call_out()?;
        self.server.upgrade().ok_or(RPC_S_UNKNOWN_IF_HR)
    }

    /// What is asked there: the interface's IPID.
    pub(super) fn question(
        &self,
        server: &Arc<Apartment>,
        iid: GUID,
    ) -> impl FnOnce() -> Result<GUID, HRESULT> + Send + 'static {
        let (there, oid) = (server.clone(), self.oid);
        move || {
            let stub = there.exports.by_oid(oid).ok_or(RPC_E_DISCONNECTED)?;
            Ok(stub.entry(&there.exports, &iid)?.ipid)
        }
    }

    /// The same for several interfaces: one trip.
    pub(super) fn questions(
        &self,
        server: &Arc<Apartment>,
        iids: Vec<GUID>,
    ) -> impl FnOnce() -> Vec<Result<GUID, HRESULT>> + Send + 'static {
        let (there, oid) = (server.clone(), self.oid);
        move || {
            let Some(stub) = there.exports.by_oid(oid) else { return vec![Err(RPC_E_DISCONNECTED); iids.len()] };
            iids.iter().map(|iid| stub.entry(&there.exports, iid).map(|entry| entry.ipid)).collect()
        }
    }

    /// Whether only the server knows if the object has an interface.
    pub(super) fn has_to_ask(&self, iid: &GUID) -> bool {
        !self.answers_itself(iid) && registry::is_known(iid)
    }

    /// Whether a query is answered here, without the server.
    pub(super) fn answers_itself(&self, iid: &GUID) -> bool {
        let own = *iid == IUnknown::IID || <Self as class::Class>::slot_of(iid).is_some();
        own || self.handler.is_set() || self.ipid(iid).is_some()
    }

    /// The IPID of an interface of the object, whoever answers queries for it here. The server is asked if need be.
    pub(crate) fn reach(&self, iid: &GUID) -> Result<GUID, HRESULT> {
        if self.ipid(iid).is_none() {
            if <Self as class::Class>::slot_of(iid).is_some() {
                return Err(E_NOINTERFACE);
            }
            // SAFETY: the count that came with the pointer.
            unsafe { drop(IUnknown::from_raw(self.ask(iid)?)) };
        }
        self.ipid(iid).ok_or(E_NOINTERFACE)
    }

    /// A proxy for an interface whose IPID is known; the typed pointer is counted.
    pub(crate) fn connect(&self, iid: &GUID, ipid: GUID) -> Result<*mut c_void, HRESULT> {
        if let Some(typed) = self.known(iid) {
            return Ok(typed);
        }
        let face = self.new_face(self.target(ipid, *iid), Slot::default())?;
        let typed = face.typed;
        let surplus = {
            let mut remote = self.remote.lock();
            if !remote.faces.iter().any(|there| there.target.iid == *iid) {
                // The typed pointer came with a count on this manager, which is the caller's.
                remote.faces.push(face);
                return Ok(typed);
            }
            face
        };
        // SAFETY: the count that came with the pointer.
        unsafe { drop(IUnknown::from_raw(typed)) };
        drop(surplus);
        self.known(iid).ok_or(E_NOINTERFACE)
    }

    /// An interface proxy, connected; its typed pointer is counted.
    fn new_face(&self, target: Arc<Target>, blanket: Slot) -> Result<Face, HRESULT> {
        let (proxy, typed) = create_proxy(&target.iid, &self.controlling_unknown())?;
        let (home, blanket) = (self.home.clone(), Arc::new(blanket));
        let channel: IRpcChannelBuffer3 =
            ClientChannel { home, target: target.clone(), blanket: blanket.clone() }.into();
        // SAFETY: a fresh proxy and a live channel.
        let hr = unsafe { proxy.Connect(channel.as_raw()) };
        if hr.is_err() {
            // SAFETY: the count that came with the pointer.
            unsafe { drop(IUnknown::from_raw(typed)) };
            return Err(hr);
        }
        Ok(Face { target, proxy, typed, blanket })
    }

    /// The blanket of a pointer to this object: of an interface proxy, or of IUnknown.
    pub(super) fn blanket_of(&self, pointer: *mut c_void) -> Option<Arc<Slot>> {
        if pointer == self.controlling_unknown().as_raw() {
            return Some(self.blanket.clone());
        }
        self.remote.lock().faces.iter().find(|face| face.typed == pointer).map(|face| face.blanket.clone())
    }

    /// A second interface proxy like the one behind a pointer, with the blanket that this has now. Queries never find it; it
    /// lives as long as the manager.
    pub(super) fn copy_of(&self, pointer: *mut c_void) -> Result<*mut c_void, HRESULT> {
        let original = {
            let remote = self.remote.lock();
            let face = remote.faces.iter().find(|face| face.typed == pointer);
            face.map(|face| (face.target.clone(), face.blanket.clone()))
        };
        let (target, blanket) = original.ok_or(E_INVALIDARG)?;
        if self.dead.load(Ordering::Acquire) {
            return Err(CO_E_OBJNOTCONNECTED);
        }
        let face = self.new_face(target, Slot::like(&blanket))?;
        let typed = face.typed;
        self.remote.lock().faces.push(face);
        Ok(typed)
    }

    /// The interface proxy's own call factory, and where its calls go (CHN-02, CALL-08).
    fn inner_factory(&self, async_iid: &GUID) -> Result<(ICallFactory, Arc<Target>, Slot), HRESULT> {
        let info = factory::find(async_iid).filter(|info| info.iid != *async_iid).ok_or(E_NOINTERFACE)?;
        // The process's proxies may not know the twin.
        registry::twin_of(&info.iid).ok_or(E_NOINTERFACE)?;
        // The synchronous interface must be there: the server is asked for it, once.
        let typed = match self.known(&info.iid) {
            Some(typed) => typed,
            None => self.ask(&info.iid)?,
        };
        // SAFETY: the count that came with the pointer.
        unsafe { drop(IUnknown::from_raw(typed)) };
        let (proxy, target, blanket) = {
            let remote = self.remote.lock();
            let face = remote.faces.iter().find(|face| face.target.iid == info.iid).ok_or(E_NOINTERFACE)?;
            (face.proxy.clone(), face.target.clone(), face.blanket.clone())
        };
        let factory = proxy.cast::<ICallFactory>().map_err(|_| E_NOINTERFACE)?;
        Ok((factory, target, Slot::like(&blanket)))
    }
}

impl IMarshal2_Impl for ProxyManager_Impl {}

impl IProxyManager_Impl for ProxyManager_Impl {
    unsafe fn Manager(&self) -> *mut c_void {
        let object = self.to_object();
        // SAFETY: a counted pointer of the very type that `of` makes of it again.
        unsafe { std::mem::transmute::<ComObject<ProxyManager>, *mut c_void>(object) }
    }
}

/// How far away from one apartment another one is (`MSHCTX_…`).
fn context_of(home: &Apartment, server: &Weak<Apartment>) -> u32 {
    let there = server.upgrade().and_then(|server| server.process.upgrade());
    let here = home.process.upgrade();
    here.zip(there).map_or(MSHCTX_INPROC, |(here, there)| here.context_of(&there))
}

/// The proxy manager behind a pointer, if it is a proxy of ours.
pub(crate) fn manager_of(unknown: &IUnknown) -> Option<ComObject<ProxyManager>> {
    let private: IProxyManager = unknown.cast().ok()?;
    // SAFETY: only this room answers that interface, with a counted pointer of this type or null.
    unsafe { std::mem::transmute::<*mut c_void, Option<ComObject<ProxyManager>>>(private.Manager()) }
}

impl ICallFactory_Impl for ProxyManager_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the pointers are null or valid, as COM asks.
        unsafe {
            let Some(out) = ppv.as_mut() else { return E_INVALIDARG };
            *out = std::ptr::null_mut();
            let (Some(async_iid), Some(wanted)) = (riid.as_ref(), riid2.as_ref()) else { return E_INVALIDARG };
            if !pCtrlUnk.is_null() && *wanted != IUnknown::IID {
                return CLASS_E_NOAGGREGATION;
            }
            if let Err(hr) = self.home.check() {
                return hr;
            }
            if let Some(make) = own_call::find(async_iid) {
                return ClientCall::create_own(self.to_object(), make, pCtrlUnk, riid2, ppv);
            }
            if self.server.upgrade().is_some_and(|server| server.is_configured()) {
                return E_NOINTERFACE;
            }
            match self.inner_factory(async_iid) {
                Ok((factory, target, blanket)) => {
                    let parts = (&factory, target, blanket);
                    ClientCall::create(self.to_object(), parts, async_iid, pCtrlUnk, riid2, ppv)
                }
                Err(hr) => hr,
            }
        }
    }
}

/// A proxy marshals as the object that it stands for (MRSH-17, MRSH-18); its packets are standard ones.
impl IMarshal_Impl for ProxyManager_Impl {
    unsafe fn GetUnmarshalClass(
        &self,
        _riid: *const GUID,
        _pv: *mut c_void,
        _dwDestContext: u32,
        _pvDestContext: *mut c_void,
        _mshlflags: u32,
        pCid: *mut GUID,
    ) -> HRESULT {
        // SAFETY: null or valid for writes.
        let Some(clsid) = (unsafe { pCid.as_mut() }) else { return E_INVALIDARG };
        *clsid = CLSID_StdMarshal;
        S_OK
    }

    unsafe fn GetMarshalSizeMax(
        &self,
        riid: *const GUID,
        _pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
        pSize: *mut u32,
    ) -> HRESULT {
        let own = self.controlling_unknown();
        // SAFETY: this proxy, and the caller's pointers.
        unsafe { CoGetMarshalSizeMax(pSize, riid, own.as_raw(), dwDestContext, pvDestContext, mshlflags) }
    }

    unsafe fn MarshalInterface(
        &self,
        pStm: *mut c_void,
        riid: *const GUID,
        _pv: *mut c_void,
        dwDestContext: u32,
        pvDestContext: *mut c_void,
        mshlflags: u32,
    ) -> HRESULT {
        let own = self.controlling_unknown();
        // SAFETY: this proxy, and the caller's pointers.
        unsafe { CoMarshalInterface(pStm, riid, own.as_raw(), dwDestContext, pvDestContext, mshlflags) }
    }

    unsafe fn UnmarshalInterface(&self, pStm: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's pointers.
        unsafe { CoUnmarshalInterface(pStm, riid, ppv) }
    }

    unsafe fn ReleaseMarshalData(&self, pStm: *mut c_void) -> HRESULT {
        // SAFETY: the caller's pointer.
        unsafe { CoReleaseMarshalData(pStm) }
    }

    unsafe fn DisconnectObject(&self, _dwReserved: u32) -> HRESULT {
        S_OK
    }
}
