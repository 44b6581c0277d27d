//! Which proxy/stub factory serves an interface: those of `#[async_interface]`, which every process starts with, and what
//! `CoRegisterPSClsid` put in their place.

use super::factory;
use super::info::AsyncInfo;
use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOTINITIALIZED, E_INVALIDARG, E_NOINTERFACE, REGDB_E_IIDNOTREG, S_OK};
use crate::abi::interfaces::{IPSFactoryBuffer, IRpcProxyBuffer, IRpcStubBuffer};
use crate::abi::types::CLSCTX_INPROC_SERVER;
use crate::apartment;
use crate::object::{CoGetClassObject, raw};
use crate::platform;
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// The overrides of a process: interface to class (MRSH-30), and interfaces whose proxies and stubs know no calls by halves.
#[derive(Default)]
pub(crate) struct PsClsids {
    by_iid: Mutex<BTreeMap<u128, GUID>>,
    synchronous: Mutex<BTreeSet<u128>>,
}

impl PsClsids {
    fn find(&self, iid: &GUID) -> Option<GUID> {
        self.by_iid.lock().get(&iid.to_u128()).copied()
    }

    fn is_synchronous(&self, iid: &GUID) -> bool {
        self.synchronous.lock().contains(&iid.to_u128())
    }

    /// COM has left the process. What its code is like stays.
    pub(crate) fn clear(&self) {
        self.by_iid.lock().clear();
    }
}

/// Whether anything could carry calls to an interface.
pub(crate) fn is_known(iid: &GUID) -> bool {
    factory::find(iid).is_some_and(|info| info.iid == *iid) || Process::current().ps_clsids.find(iid).is_some()
}

/// The asynchronous twin of an interface in this process; none where its proxies and stubs were made without `async_uuid`
/// (RUL-122).
pub(crate) fn twin_of(iid: &GUID) -> Option<&'static AsyncInfo> {
    let info = factory::find(iid).filter(|info| info.iid == *iid)?;
    let synchronous = platform::with_current(|thread| thread.process().ps_clsids.is_synchronous(iid));
    if synchronous { None } else { info.twin.as_ref() }
}

impl Process {
    /// From now on the process is one whose proxies and stubs for an interface were made without `async_uuid`, by an IDL
    /// compiler of before Windows 2000 or from an older IDL file: clients in it get no call objects, and its stubs call the
    /// synchronous methods whatever a server offers. Such a peer and one with the twin call each other all the same.
    ///
    /// Say it before the process has proxies and stubs for the interface.
    pub fn set_without_async(&self, iid: &GUID) {
        self.ps_clsids.synchronous.lock().insert(iid.to_u128());
    }
}

/// The factory for an interface; `E_NOINTERFACE` when there is none (MRSH-02).
fn factory_for(iid: &GUID) -> Result<IPSFactoryBuffer, HRESULT> {
    let Some(clsid) = Process::current().ps_clsids.find(iid) else {
        let info = factory::find(iid).filter(|info| info.iid == *iid).ok_or(E_NOINTERFACE)?;
        return Ok(factory::builtin_factory(info));
    };
    let mut found = std::ptr::null_mut();
    // SAFETY: valid arguments; on success a counted pointer of the interface asked for.
    unsafe {
        let none = std::ptr::null_mut();
        let hr = CoGetClassObject(&clsid, CLSCTX_INPROC_SERVER, none, &IPSFactoryBuffer::IID, &mut found);
        Ok(IPSFactoryBuffer::from_raw(raw::given(hr, found)?))
    }
}

/// An interface proxy under a proxy manager, and its typed pointer, which counts on the manager.
pub(crate) fn create_proxy(iid: &GUID, outer: &IUnknown) -> Result<(IRpcProxyBuffer, *mut c_void), HRESULT> {
    let factory = factory_for(iid)?;
    let (mut proxy, mut typed) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: valid arguments; on success two counted pointers.
    unsafe {
        let hr = factory.CreateProxy(outer.as_raw(), iid, &mut proxy, &mut typed);
        let proxy = IRpcProxyBuffer::from_raw(raw::given(hr, proxy)?);
        Ok((proxy, raw::given(hr, typed)?))
    }
}

/// An interface stub, connected to its server.
pub(crate) fn create_stub(iid: &GUID, server: &IUnknown) -> Result<IRpcStubBuffer, HRESULT> {
    let factory = factory_for(iid)?;
    let mut stub = std::ptr::null_mut();
    // SAFETY: valid arguments; on success a counted pointer.
    unsafe {
        let hr = factory.CreateStub(iid, server.as_raw(), &mut stub);
        Ok(IRpcStubBuffer::from_raw(raw::given(hr, stub)?))
    }
}

export! {
    /// Puts a class in the place of the proxy/stub factory of an interface, for the whole process, until COM leaves it
    /// (MRSH-30).
    ///
    /// # Safety
    /// The pointers are null or point at GUIDs.
    pub unsafe fn CoRegisterPSClsid(riid: *const GUID, rclsid: *const GUID) -> HRESULT {
        // SAFETY: the caller's.
        let (Some(iid), Some(clsid)) = (unsafe { (riid.as_ref(), rclsid.as_ref()) }) else { return E_INVALIDARG };
        if apartment::current().is_none() {
            return CO_E_NOTINITIALIZED;
        }
        Process::current().ps_clsids.by_iid.lock().insert(iid.to_u128(), *clsid);
        S_OK
    }

    /// The class of the proxy/stub factory of an interface; `REGDB_E_IIDNOTREG` when there is none. The class id of a
    /// factory made by `#[async_interface]` is the interface's own id (chosen; it is what IDL compilers do).
    ///
    /// # Safety
    /// The pointers are null or valid.
    pub unsafe fn CoGetPSClsid(riid: *const GUID, pClsid: *mut GUID) -> HRESULT {
        // SAFETY: the caller's.
        let (Some(iid), Some(out)) = (unsafe { (riid.as_ref(), pClsid.as_mut()) }) else { return E_INVALIDARG };
        if apartment::current().is_none() {
            return CO_E_NOTINITIALIZED;
        }
        let builtin = || factory::find(iid).filter(|info| info.iid == *iid).map(|info| info.iid);
        match Process::current().ps_clsids.find(iid).or_else(builtin) {
            Some(clsid) => {
                *out = clsid;
                S_OK
            }
            None => REGDB_E_IIDNOTREG,
        }
    }
}
