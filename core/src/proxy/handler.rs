//! Handlers: what a class puts between a client and the proxies of its object (RUL-49).
//!
//! The packet of an object with a handler names the handler's class. The client's apartment makes it under the proxy
//! manager, which is the identity: the handler is an inner object of it, and is asked first for all but IUnknown, IMarshal
//! and what only this library knows. What the handler does not answer is not there, except what every proxy has
//! (ICallFactory, IMultiQI, IClientSecurity). The handler reaches the proxies through the object that
//! `CoGetStdMarshalEx(SMEXF_HANDLER)` gives it: a query there goes past the handler, and its result counts on the identity.
//!
//! That object does not hold the manager, which holds the handler, which holds it: [`Back`] leads from it to the manager
//! until this ends. Its lock is held for taking a reference only. The handler is made before anybody else sees the
//! manager, and no lock is held meanwhile; where two threads of the MTA make one each, the later one goes.

use super::manager::{IProxyManager, IProxyManager_Impl, ProxyManager, ProxyManager_Impl, manager_of};
use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, E_INVALIDARG, REGDB_E_CLASSNOTREG, S_OK};
use crate::abi::interfaces::{IMarshal, IMarshal2};
use crate::abi::types::{CLSCTX_INPROC_HANDLER, CLSCTX_INPROC_SERVER};
use crate::com_class;
use crate::object::CoCreateInstance;
use crate::object::class::{self, Class};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

struct Address(NonNull<ProxyManager_Impl>);
// SAFETY: an address; it is followed under the lock only.
unsafe impl Send for Address {}

/// The way to a manager that may have ended.
#[derive(Default)]
pub(super) struct Back(Mutex<Option<Address>>);

impl Back {
    /// The manager ends: nobody follows the address any more.
    pub(super) fn cut(&self) {
        *self.0.lock() = None;
    }

    fn manager(&self) -> Option<ComObject<ProxyManager>> {
        let there = self.0.lock();
        // SAFETY: the manager takes its address out, under this lock, before its memory goes; nobody aggregates it.
        there.as_ref().and_then(|there| unsafe { class::try_to_object(there.0) })
    }
}

/// Gives a new manager the handler that its packet names. Without such a class the client has the proxies alone; what
/// another failure says is said to who unmarshals.
pub(crate) fn equip(manager: &ComObject<ProxyManager>, class: Option<GUID>) -> Result<(), HRESULT> {
    let Some(clsid) = class else { return Ok(()) };
    let _ = manager.handler_class.set(clsid);
    let context = CLSCTX_INPROC_HANDLER | CLSCTX_INPROC_SERVER;
    // SAFETY: the class makes an object under the identity, or none; both are used in this apartment.
    let made = unsafe {
        let make = |outer, iid, ppv| CoCreateInstance(&clsid, outer, context, iid, ppv);
        manager.handler.aggregate_under(&**manager, make)
    };
    match made.map_err(|error| error.code()) {
        Err(REGDB_E_CLASSNOTREG) => Ok(()),
        made => made,
    }
}

/// The proxies behind an identity of the calling apartment, for its handler (`SMEXF_HANDLER`).
pub(crate) fn proxies_of(identity: &IUnknown) -> Result<IUnknown, HRESULT> {
    let manager = manager_of(identity).ok_or(E_INVALIDARG)?;
    manager.home().check()?;
    *manager.back.0.lock() = Some(Address(class::root(&*manager)));
    Ok(Proxies { back: manager.back.clone() }.into())
}

impl ProxyManager {
    /// The class of the object's handler, as its packet named it.
    pub(crate) fn handler_class(&self) -> Option<GUID> {
        self.handler_class.get().copied()
    }
}

impl ProxyManager_Impl {
    /// What the handler says of a query; nothing, where it is not asked.
    ///
    /// # Safety
    /// `ppv` may be written.
    pub(super) unsafe fn ask_handler(&self, iid: &GUID, ppv: *mut *mut c_void) -> Option<HRESULT> {
        // It marshals as the object that it stands for, whatever the handler thinks (MRSH-18).
        let own = [IMarshal::IID, IMarshal2::IID, IProxyManager::IID].contains(iid);
        if own || !self.handler.is_set() {
            return None;
        }
        // SAFETY: the caller's.
        let hr = unsafe { self.handler.query_raw(iid, ppv) };
        if hr.is_ok() || <Self as Class>::slot_of(iid).is_none() {
            return Some(hr);
        }
        // SAFETY: as above.
        unsafe { *ppv = ptr::null_mut() };
        None
    }

    /// A query of the handler's: its own answers do not count.
    ///
    /// # Safety
    /// `ppv` may be written.
    unsafe fn query_past_handler(&self, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
        let allowed = self.may_query(iid);
        let slot = <Self as Class>::slot_of(iid);
        // SAFETY: the caller's; IUnknown is a base of the interface in every slot.
        unsafe {
            *ppv = ptr::null_mut();
            match slot {
                _ if allowed.is_err() => allowed,
                Some(slot) => {
                    self.AddRef();
                    *ppv = class::slot::<Self, IUnknown>(self, slot).as_raw();
                    S_OK
                }
                None => self.query_remote(iid, ppv),
            }
        }
    }
}

/// The proxies of an object, for its handler.
#[com_class(IProxyManager, fallback = query_manager)]
struct Proxies {
    back: Arc<Back>,
}

impl Proxies_Impl {
    /// # Safety
    /// `ppv` may be written.
    unsafe fn query_manager(&self, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
        match self.back.manager() {
            // SAFETY: the caller's.
            Some(manager) => unsafe { manager.query_past_handler(iid, ppv) },
            None => CO_E_OBJNOTCONNECTED,
        }
    }
}

impl IProxyManager_Impl for Proxies_Impl {
    unsafe fn Manager(&self) -> *mut c_void {
        // SAFETY: a counted pointer, or null.
        unsafe { std::mem::transmute::<Option<ComObject<ProxyManager>>, *mut c_void>(self.back.manager()) }
    }
}
