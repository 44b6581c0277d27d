//! Activation: class objects and new objects, for whatever apartment asks (facts section 12). Looks where a class comes
//! from, runs its factory where the class lives, and brings what that makes over. Nothing is kept here.

use super::class_table::Found;
use super::in_process::InProcessClass;
use super::{raw, system};
use crate::abi::clsid::{CLSID_ManualResetEvent, CLSID_StdEvent};
use crate::abi::exports::export;
use crate::abi::hresult::{
    CLASS_E_NOAGGREGATION, CO_S_NOTALLINTERFACES, E_INVALIDARG, E_NOINTERFACE, E_POINTER, REGDB_E_CLASSNOTREG, S_OK,
};
use crate::abi::interfaces::IClassFactory;
use crate::abi::types::{CLSCTX_APPCONTAINER, CLSCTX_INPROC_SERVER, COSERVERINFO, MSHLFLAGS_NORMAL, MULTI_QI};
use crate::apartment::{self, Apartment};
use crate::marshal::packet;
use crate::process::Process;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// Where a class object comes from.
enum Source {
    Registered(Found),
    InProcess(InProcessClass),
    System(system::Create),
}

impl Source {
    /// What a client in `here` finds: what somebody has registered, then the process's classes, then the system's.
    fn find(clsid: &GUID, context: u32, here: &Arc<Apartment>) -> Result<Self, HRESULT> {
        let process = Process::current();
        if let Some(found) = process.classes.find(clsid, context, here) {
            return Ok(Self::Registered(found));
        }
        let in_process = process.in_process_classes.find(clsid).filter(|_| context & CLSCTX_INPROC_SERVER != 0);
        match in_process {
            Some(class) => Ok(Self::InProcess(class)),
            None => system_class(clsid, context).map(Self::System),
        }
    }

    /// Runs `job` with the class object where that lives, and gives what it makes to the calling apartment. The job gets
    /// `true` there if that is another one.
    fn with(
        self,
        clsid: &GUID,
        here: &Arc<Apartment>,
        iid: &GUID,
        job: impl FnOnce(&IUnknown, bool) -> Result<IUnknown, HRESULT> + Send + 'static,
    ) -> Result<*mut c_void, HRESULT> {
        match self {
            Self::Registered(Found::Here(object)) => raw::interface_of(&job(&object.0, false)?, iid),
            Self::System(create) => raw::interface_of(&job(&super::class_factory(create).into(), false)?, iid),
            Self::Registered(Found::There(there, cookie)) => bring(&there, *iid, move || {
                let object = Process::current().classes.object(cookie).ok_or(REGDB_E_CLASSNOTREG)?;
                job(&object.0, true)
            }),
            Self::InProcess(class) => {
                let (there, clsid) = (class.home(clsid, here), *clsid);
                if Arc::ptr_eq(&there, here) {
                    return raw::interface_of(&job(&class.class_object(&clsid)?, false)?, iid);
                }
                bring(&there, *iid, move || job(&class.class_object(&clsid)?, true))
            }
        }
    }
}

/// Runs `job` in another apartment and brings the pointer that it makes over here.
fn bring(
    there: &Arc<Apartment>,
    iid: GUID,
    job: impl FnOnce() -> Result<IUnknown, HRESULT> + Send + 'static,
) -> Result<*mut c_void, HRESULT> {
    // Activation elsewhere is a call like any other (MSG-10, MF-08).
    let bytes = apartment::call_in(there, true, move || {
        let made = job()?;
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
    let source = Source::find(clsid, context, &here)?;
    source.with(clsid, &here, iid, |class, _| Ok(class.clone()))
}

fn create(clsid: &GUID, outer: *mut c_void, context: u32, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    let here = apartment::require()?;
    let source = Source::find(clsid, context, &here)?;
    if let Source::System(make) = source {
        let mut raw = std::ptr::null_mut();
        // SAFETY: valid arguments; the caller of CoCreateInstance answers for `outer`. Each class says itself what it
        // thinks of an outer object (CLS-05).
        let hr = unsafe { make(outer, iid, &mut raw) };
        return if hr.is_err() { Err(hr) } else { Ok(raw) };
    }
    let (outer, wanted) = (Outer(outer), *iid);
    source.with(clsid, &here, iid, move |class, elsewhere| {
        let outer = outer.get();
        if elsewhere && !outer.is_null() {
            return Err(CLASS_E_NOAGGREGATION);
        }
        let factory: IClassFactory = class.cast().map_err(|error| error.code())?;
        // SAFETY: the counted pointer that the factory has made.
        Ok(unsafe { IUnknown::from_raw(instance(&factory, outer, &wanted)?) })
    })
}

/// A controlling unknown: followed in its own apartment only.
struct Outer(*mut c_void);
// SAFETY: elsewhere it is compared with null and no more.
unsafe impl Send for Outer {}

impl Outer {
    /// By a method, so that a closure takes the whole.
    fn get(&self) -> *mut c_void {
        self.0
    }
}

fn instance(factory: &IClassFactory, outer: *mut c_void, iid: &GUID) -> Result<*mut c_void, HRESULT> {
    let mut made = std::ptr::null_mut();
    // SAFETY: a factory of this apartment and valid arguments; the caller of CoCreateInstance answers for `outer`.
    let hr = unsafe { factory.CreateInstance(outer, iid, &mut made) };
    raw::given(hr, made)
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
                Some(iid) => give(raw::interface_of(&object, iid), &mut entry.pItf),
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
