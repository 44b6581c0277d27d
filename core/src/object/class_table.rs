//! Class objects: what a process has registered, and how objects are created from it (facts section 12).
//!
//! A registration belongs to the apartment that made it and ends with it. `CLSCTX_INPROC_SERVER` is seen by that apartment
//! alone, `CLSCTX_LOCAL_SERVER` by the others too, through a proxy (ACT-03, ACT-04). The system's own classes are there
//! without registration. The lock is held for look-ups only.

use super::system;
use crate::abi::clsid::{CLSID_ManualResetEvent, CLSID_StdEvent};
use crate::abi::exports::export;
use crate::abi::hresult::{
    CLASS_E_NOAGGREGATION, CO_E_NOTINITIALIZED, CO_E_OBJNOTREG, CO_S_NOTALLINTERFACES, E_INVALIDARG, E_NOINTERFACE,
    E_POINTER, REGDB_E_CLASSNOTREG, RPC_E_WRONG_THREAD, S_OK,
};
use crate::abi::interfaces::IClassFactory;
use crate::abi::types::{
    CLSCTX_APPCONTAINER, CLSCTX_INPROC_SERVER, CLSCTX_LOCAL_SERVER, COSERVERINFO, MSHLFLAGS_NORMAL, MULTI_QI,
    REGCLS_MULTI_SEPARATE, REGCLS_MULTIPLEUSE, REGCLS_SUSPENDED,
};
use crate::apartment::{self, Apartment};
use crate::marshal::packet;
use crate::process::Process;
use crate::stub::Home;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT, IUnknown, Interface};

struct Registration {
    cookie: u32,
    clsid: GUID,
    object: Arc<Home<IUnknown>>,
    oxid: u64,
    home: Weak<Apartment>,
    context: u32,
    flags: u32,
}

#[derive(Default)]
struct Inner {
    registrations: Vec<Registration>,
    last: u32,
}

/// The class objects of a process.
#[derive(Default)]
pub(crate) struct ClassTable {
    inner: Mutex<Inner>,
}

/// Where a class object was found.
enum Found {
    /// In the calling apartment.
    Here(Arc<Home<IUnknown>>),
    /// In another one, under this cookie.
    There(Arc<Apartment>, u32),
}

impl ClassTable {
    fn register(&self, clsid: GUID, object: IUnknown, home: &Arc<Apartment>, context: u32, flags: u32) -> u32 {
        let mut inner = self.inner.lock();
        inner.last = inner.last.wrapping_add(1).max(1);
        let cookie = inner.last;
        // A class for many uses as a server is one for its own process as well.
        let both = flags & REGCLS_MULTIPLEUSE != 0 && flags & REGCLS_MULTI_SEPARATE == 0;
        let context = if both && context & CLSCTX_LOCAL_SERVER != 0 { context | CLSCTX_INPROC_SERVER } else { context };
        let (oxid, home) = (home.oxid, Arc::downgrade(home));
        inner.registrations.push(Registration {
            cookie,
            clsid,
            object: Arc::new(Home(object)),
            oxid,
            home,
            context,
            flags,
        });
        cookie
    }

    /// Takes a registration out; only in its own apartment (ACT-05).
    fn revoke(&self, cookie: u32, here: u64) -> Result<Arc<Home<IUnknown>>, HRESULT> {
        let mut inner = self.inner.lock();
        let at = inner.registrations.iter().position(|it| it.cookie == cookie).ok_or(CO_E_OBJNOTREG)?;
        if inner.registrations[at].oxid != here {
            return Err(RPC_E_WRONG_THREAD);
        }
        Ok(inner.registrations.remove(at).object)
    }

    fn find(&self, clsid: &GUID, context: u32, here: u64) -> Option<Found> {
        let inner = self.inner.lock();
        let visible = |it: &&Registration| it.clsid == *clsid && it.flags & REGCLS_SUSPENDED == 0;
        let own = inner.registrations.iter().filter(visible).find(|it| it.oxid == here && it.context & context != 0);
        if let Some(own) = own {
            return Some(Found::Here(own.object.clone()));
        }
        if context & CLSCTX_LOCAL_SERVER == 0 {
            return None;
        }
        let other = inner.registrations.iter().filter(visible).find(|it| it.context & CLSCTX_LOCAL_SERVER != 0)?;
        Some(Found::There(other.home.upgrade()?, other.cookie))
    }

    /// The class object under a cookie. Only for its own apartment.
    fn object(&self, cookie: u32) -> Option<Arc<Home<IUnknown>>> {
        let inner = self.inner.lock();
        inner.registrations.iter().find(|it| it.cookie == cookie).map(|it| it.object.clone())
    }

    /// An apartment ends: its registrations go (ACT-06).
    pub(crate) fn apartment_ends(&self, oxid: u64) {
        loop {
            let gone = {
                let mut inner = self.inner.lock();
                let at = inner.registrations.iter().position(|it| it.oxid == oxid);
                at.map(|at| inner.registrations.remove(at))
            };
            if gone.is_none() {
                break;
            }
        }
    }

    fn resume(&self, oxid: u64, suspend: bool) {
        for it in &mut self.inner.lock().registrations {
            if it.oxid == oxid {
                it.flags = if suspend { it.flags | REGCLS_SUSPENDED } else { it.flags & !REGCLS_SUSPENDED };
            }
        }
    }
}

fn query(object: &IUnknown, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    let mut raw = std::ptr::null_mut();
    // SAFETY: valid arguments.
    match unsafe { object.query(iid, &mut raw) } {
        hr if hr.is_err() => Err(hr),
        _ if raw.is_null() => Err(E_NOINTERFACE),
        _ => Ok(raw),
    }
}

/// Runs `job` with the class object in its own apartment and brings the pointer that it makes over here.
fn bring(
    there: &Arc<Apartment>,
    cookie: u32,
    iid: GUID,
    job: impl FnOnce(&IUnknown) -> Result<IUnknown, HRESULT> + Send + 'static,
) -> Result<*mut c_void, HRESULT> {
    // Activation elsewhere is a call like any other (MSG-10, MF-08).
    crate::channel::client::may_call_out()?;
    let bytes = apartment::run_in(there, move || {
        let object = Process::current().classes.object(cookie).ok_or(REGDB_E_CLASSNOTREG)?;
        let made = job(&object.0)?;
        let mut bytes = Vec::new();
        packet::marshal(&made, &iid, &packet::Destination::inproc(MSHLFLAGS_NORMAL), &mut bytes)?;
        Ok::<_, HRESULT>(bytes)
    })??;
    let mut raw = std::ptr::null_mut();
    // SAFETY: a valid place.
    match unsafe { crate::marshal::unmarshal_from(&bytes, &iid, &mut raw) } {
        hr if hr.is_err() => Err(hr),
        _ => Ok(raw),
    }
}

/// A class of the system; programs in an app container do not get its events (SYNC-18).
fn system_class(clsid: &GUID, context: u32) -> Result<system::Create, HRESULT> {
    let contained = context & CLSCTX_APPCONTAINER != 0 && matches!(*clsid, CLSID_ManualResetEvent | CLSID_StdEvent);
    system::system_class(clsid).filter(|_| !contained).ok_or(REGDB_E_CLASSNOTREG)
}

fn class_object(clsid: &GUID, context: u32, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    let here = apartment::require()?;
    match Process::current().classes.find(clsid, context, here.oxid) {
        Some(Found::Here(object)) => query(&object.0, iid),
        Some(Found::There(there, cookie)) => bring(&there, cookie, *iid, |object| Ok(object.clone())),
        None => {
            let create = system_class(clsid, context)?;
            query(&super::class_factory(create).into(), iid)
        }
    }
}

fn create(clsid: &GUID, outer: *mut c_void, context: u32, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    let here = apartment::require()?;
    let found = Process::current().classes.find(clsid, context, here.oxid);
    if let Some(Found::There(there, cookie)) = found {
        if !outer.is_null() {
            return Err(CLASS_E_NOAGGREGATION);
        }
        let wanted = *iid;
        return bring(&there, cookie, wanted, move |object| {
            let factory: IClassFactory = object.cast().map_err(|error| error.code())?;
            // SAFETY: the counted pointer that the factory has made.
            Ok(unsafe { IUnknown::from_raw(instance(&factory, std::ptr::null_mut(), &wanted)?) })
        });
    }
    let factory: IClassFactory = match found {
        Some(Found::Here(object)) => object.0.cast().map_err(|error| error.code())?,
        _ => super::class_factory(system_class(clsid, context)?),
    };
    instance(&factory, outer, iid)
}

fn instance(factory: &IClassFactory, outer: *mut c_void, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    let mut raw = std::ptr::null_mut();
    // SAFETY: a factory of this apartment and valid arguments; the caller of CoCreateInstance answers for `outer`.
    match unsafe { factory.CreateInstance(outer, iid, &mut raw) } {
        hr if hr.is_err() => Err(hr),
        _ if raw.is_null() => Err(E_NOINTERFACE),
        _ => Ok(raw),
    }
}

/// Puts a result where the caller wants it.
fn give(found: Result<*mut c_void, HRESULT>, out: &mut *mut c_void) -> HRESULT {
    match found {
        Ok(raw) => {
            *out = raw;
            S_OK
        }
        Err(hr) => {
            *out = std::ptr::null_mut();
            hr
        }
    }
}

export! {
    /// Registers a class object for the calling apartment (`CLSCTX_INPROC_SERVER`) or for all (`CLSCTX_LOCAL_SERVER`).
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnk` belongs to the calling apartment.
    pub unsafe fn CoRegisterClassObject(
        rclsid: *const GUID,
        pUnk: *mut c_void,
        dwClsContext: u32,
        flags: u32,
        lpdwRegister: *mut u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (clsid, object, out) =
            unsafe { (rclsid.as_ref(), IUnknown::from_raw_borrowed(&pUnk), lpdwRegister.as_mut()) };
        let (Some(clsid), Some(object), Some(out)) = (clsid, object, out) else { return E_INVALIDARG };
        *out = 0;
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        *out = Process::current().classes.register(*clsid, object.clone(), &here, dwClsContext, flags);
        S_OK
    }

    /// Takes a registration back; `RPC_E_WRONG_THREAD` outside its apartment (ACT-05).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoRevokeClassObject(dwRegister: u32) -> HRESULT {
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        match Process::current().classes.revoke(dwRegister, here.oxid) {
            Ok(object) => {
                drop(object);
                S_OK
            }
            Err(hr) => hr,
        }
    }

    /// Makes the apartment's suspended classes visible (ACT-07).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoResumeClassObjects() -> HRESULT {
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        Process::current().classes.resume(here.oxid, false);
        S_OK
    }

    /// Hides the apartment's classes until they are resumed.
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoSuspendClassObjects() -> HRESULT {
        let Some(here) = apartment::current() else { return CO_E_NOTINITIALIZED };
        Process::current().classes.resume(here.oxid, true);
        S_OK
    }

    /// The class object of a class (ACT-02 to ACT-04).
    ///
    /// # Safety
    /// The pointers are null or valid.
    pub unsafe fn CoGetClassObject(
        rclsid: *const GUID,
        dwClsContext: u32,
        _pvReserved: *mut c_void,
        riid: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (clsid, iid, out) = unsafe { (rclsid.as_ref(), riid.as_ref(), ppv.as_mut()) };
        let Some(out) = out else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        let (Some(clsid), Some(iid)) = (clsid, iid) else { return E_INVALIDARG };
        give(class_object(clsid, dwClsContext, iid), out)
    }

    /// Creates an object of a class (ACT-01).
    ///
    /// # Safety
    /// The pointers are null or valid; `pUnkOuter` is null or the controlling unknown of an aggregate.
    pub unsafe fn CoCreateInstance(
        rclsid: *const GUID,
        pUnkOuter: *mut c_void,
        dwClsContext: u32,
        riid: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let (clsid, iid, out) = unsafe { (rclsid.as_ref(), riid.as_ref(), ppv.as_mut()) };
        let Some(out) = out else { return E_POINTER };
        *out = std::ptr::null_mut();
        let (Some(clsid), Some(iid)) = (clsid, iid) else { return E_INVALIDARG };
        give(create(clsid, pUnkOuter, dwClsContext, iid), out)
    }

    /// Creates an object and asks it for several interfaces at once (ACT-08).
    ///
    /// # Safety
    /// `pResults` points at `dwCount` entries, each with an IID; the other pointers are null or valid.
    pub unsafe fn CoCreateInstanceEx(
        Clsid: *const GUID,
        punkOuter: *mut c_void,
        dwClsCtx: u32,
        _pServerInfo: *const COSERVERINFO,
        dwCount: u32,
        pResults: *mut MULTI_QI,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let Some(clsid) = (unsafe { Clsid.as_ref() }) else { return E_INVALIDARG };
        if pResults.is_null() || dwCount == 0 {
            return E_INVALIDARG;
        }
        // SAFETY: the caller's.
        let results = unsafe { std::slice::from_raw_parts_mut(pResults, dwCount as usize) };
        for entry in &mut *results {
            entry.pItf = std::ptr::null_mut();
            entry.hr = E_NOINTERFACE;
        }
        let object = match create(clsid, punkOuter, dwClsCtx, &IUnknown::IID) {
            // SAFETY: the counted pointer that was made.
            Ok(raw) => unsafe { IUnknown::from_raw(raw) },
            Err(hr) => return hr,
        };
        let mut found = 0;
        for entry in &mut *results {
            // SAFETY: the entry names an interface or null.
            entry.hr = match unsafe { entry.pIID.as_ref() } {
                Some(iid) => give(query(&object, iid), &mut entry.pItf),
                None => E_INVALIDARG,
            };
            found += usize::from(entry.hr.is_ok());
        }
        match found {
            0 => E_NOINTERFACE,
            n if n == results.len() => S_OK,
            _ => CO_S_NOTALLINTERFACES,
        }
    }
}
