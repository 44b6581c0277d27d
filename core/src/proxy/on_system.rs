//! Our proxies and stubs on the system's own channel: the system's proxy and stub managers get them from one factory.
//!
//! `CoRegisterPSClsid` says for the whole process which class makes the proxies and stubs of an interface; the class itself
//! must be registered in every apartment that makes one, else `REGDB_E_CLASSNOTREG`. So whoever enters an apartment through
//! this library ([`enter`], called by the four functions in `abi/system/` that do) registers it there, once: whether it is
//! there is asked of the apartment itself, which forgets it when it ends. Two threads that enter the MTA at once may both
//! register it, which changes nothing.
//!
//! The class has an id of its own in every copy of this library, so that two of them in one process do not get each other's
//! interfaces. An interface for which the system has proxies already keeps those: they may know more, a twin above all.
//! ICallFactory is left out: a proxy manager answers it itself, or the fallback takes its place (`call/fallback`); the server's
//! own, at the end of a proxy, is neither.
//!
//! State: the class's id and the list of interfaces, each written once by whoever comes first. The factory is immutable
//! and lives for ever, so it does not count.

use super::factory;
use super::info::Registration;
use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE, E_POINTER, S_OK};
use crate::abi::interfaces::{IAgileObject, ICallFactory, IPSFactoryBuffer, IPSFactoryBuffer_Vtbl};
use crate::abi::system;
use crate::abi::types::{CLSCTX_INPROC_SERVER, REGCLS_MULTIPLEUSE};
use crate::object::{guard, raw};
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

/// What this copy of the library serves.
struct Served {
    class: GUID,
    interfaces: Vec<GUID>,
}

/// The thread has entered an apartment of the system's.
pub(crate) fn enter() {
    static SERVED: OnceLock<Served> = OnceLock::new();
    let served = SERVED.get_or_init(|| {
        let mut class = GUID::zeroed();
        // SAFETY: it may be written. Where there is no id to be had, nothing is registered.
        let made = unsafe { system::CoCreateGuid(&mut class) };
        let all = inventory::iter::<Registration>.into_iter().map(|registration| registration.0.iid);
        let all = all.filter(|iid| *iid != ICallFactory::IID);
        Served {
            class,
            interfaces: if made.is_ok() { all.filter(|iid| server_of(iid).is_none()).collect() } else { Vec::new() },
        }
    });
    if served.is_registered_here() {
        return;
    }
    let mut cookie = 0;
    // SAFETY: the factory lives for ever, and is called on any thread. The apartment forgets it when it ends.
    let registered = unsafe {
        system::CoRegisterClassObject(&served.class, factory(), CLSCTX_INPROC_SERVER, REGCLS_MULTIPLEUSE, &mut cookie)
    };
    // COM may have left the process meanwhile, and with it what was said of the interfaces.
    if registered.is_ok() && served.interfaces.first().is_some_and(|iid| server_of(iid) != Some(served.class)) {
        for iid in &served.interfaces {
            // SAFETY: both are valid. An interface that is refused has no proxies: whoever marshals it hears that.
            let _ = unsafe { system::CoRegisterPSClsid(iid, &served.class) };
        }
    }
}

/// The class that makes the proxies of an interface, as the system knows it.
fn server_of(iid: &GUID) -> Option<GUID> {
    let mut class = GUID::zeroed();
    // SAFETY: both are valid.
    unsafe { system::CoGetPSClsid(iid, &mut class) }.is_ok().then_some(class)
}

impl Served {
    fn is_registered_here(&self) -> bool {
        let mut found = ptr::null_mut();
        // SAFETY: valid arguments; on success a counted pointer.
        unsafe {
            let none = ptr::null_mut();
            let hr =
                system::CoGetClassObject(&self.class, CLSCTX_INPROC_SERVER, none, &IPSFactoryBuffer::IID, &mut found);
            hr.is_ok() && {
                raw::release(found);
                true
            }
        }
    }
}

#[repr(C)]
struct Factory {
    vtable: &'static IPSFactoryBuffer_Vtbl,
}

static FACTORY: Factory = Factory {
    vtable: &IPSFactoryBuffer_Vtbl {
        base__: IUnknown_Vtbl { QueryInterface: query, AddRef: one, Release: one },
        CreateProxy: create_proxy,
        CreateStub: create_stub,
    },
};

fn factory() -> *mut c_void {
    (&raw const FACTORY).cast_mut().cast()
}

unsafe extern "system" fn query(this: *mut c_void, iid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: null or valid, as COM asks.
    let (Some(iid), Some(out)) = (unsafe { (iid.as_ref(), ppv.as_mut()) }) else { return E_INVALIDARG };
    let known = [IUnknown::IID, IPSFactoryBuffer::IID, IAgileObject::IID].contains(iid);
    *out = if known { this } else { ptr::null_mut() };
    if known { S_OK } else { E_NOINTERFACE }
}

unsafe extern "system" fn one(_this: *mut c_void) -> u32 {
    1
}

unsafe extern "system" fn create_proxy(
    _this: *mut c_void,
    outer: *mut c_void,
    riid: *const GUID,
    proxy: *mut *mut c_void,
    ppv: *mut *mut c_void,
) -> HRESULT {
    guard::call(|| match factory_of(riid) {
        // SAFETY: the caller's promises.
        Ok(factory) => unsafe { factory.CreateProxy(outer, riid, proxy, ppv) },
        Err(hr) => hr,
    })
}

unsafe extern "system" fn create_stub(
    _this: *mut c_void,
    riid: *const GUID,
    server: *mut c_void,
    stub: *mut *mut c_void,
) -> HRESULT {
    guard::call(|| match factory_of(riid) {
        // SAFETY: the caller's promises.
        Ok(factory) => unsafe { factory.CreateStub(riid, server, stub) },
        Err(hr) => hr,
    })
}

/// The factory of one interface, which looks at the other arguments.
fn factory_of(riid: *const GUID) -> Result<IPSFactoryBuffer, HRESULT> {
    // SAFETY: null or valid, as COM asks.
    let iid = unsafe { riid.as_ref() }.ok_or(E_POINTER)?;
    factory::find(iid).map(factory::builtin_factory).ok_or(E_NOINTERFACE)
}
