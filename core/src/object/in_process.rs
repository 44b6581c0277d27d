//! Classes of the process with a threading model: what a registry says of a DLL's classes on Windows, said by the program
//! here, once for all apartments (ACT-09).
//!
//! An object is made in an apartment that its model allows. Where that is not the creator's, the creator gets a proxy. The
//! table is locked for look-ups only; class objects are made where they are used, and nothing of them is kept.

use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, S_OK};
use crate::abi::interfaces::IClassFactory;
use crate::abi::types::{LPFNGETCLASSOBJECT, OLEANDER_CLASS_CONFIGURED};
use crate::apartment::{self, Apartment};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// What a class says of the threads on which its objects run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ThreadingModel {
    /// No model: all objects live in the main STA.
    Main = 0,
    /// In any STA.
    Apartment = 1,
    /// In the MTA.
    Free = 2,
    /// Wherever the creator is.
    Both = 3,
    /// In the neutral apartment (APT-12).
    Neutral = 4,
}

impl ThreadingModel {
    fn from_number(number: u32) -> Option<Self> {
        [Self::Main, Self::Apartment, Self::Free, Self::Both, Self::Neutral].get(number as usize).copied()
    }

    /// The apartment for an object that a thread in `here` creates.
    fn home(self, process: &Arc<Process>, here: &Arc<Apartment>) -> Arc<Apartment> {
        let own_sta = || apartment::own().filter(|own| own.is_sta());
        let home = match self {
            Self::Both => return here.clone(),
            Self::Main => apartment::hosts::sta(process, true),
            Self::Apartment => own_sta().unwrap_or_else(|| apartment::hosts::sta(process, false)),
            Self::Free => apartment::hosts::mta(process),
            Self::Neutral => process.apartments.neutral(process),
        };
        // A context in the right apartment is as good as the apartment.
        if Arc::ptr_eq(here.base(), &home) { here.clone() } else { home }
    }
}

/// Makes the class object: the class, the interface asked for, where to put it.
type GetClassObject = Arc<dyn Fn(&GUID, &GUID, *mut *mut c_void) -> HRESULT + Send + Sync>;

/// One class.
#[derive(Clone)]
pub(crate) struct InProcessClass {
    get: GetClassObject,
    model: ThreadingModel,
    configured: bool,
}

impl InProcessClass {
    /// Where an object that the calling thread creates lives.
    pub(super) fn home(&self, clsid: &GUID, here: &Arc<Apartment>) -> Arc<Apartment> {
        let process = Process::current();
        let home = self.model.home(&process, here);
        if self.configured { process.apartments.configured_context(&process, &home, clsid) } else { home }
    }

    /// The class object, in the calling apartment.
    pub(super) fn class_object(&self, clsid: &GUID) -> Result<IUnknown, HRESULT> {
        let mut raw = std::ptr::null_mut();
        let hr = (self.get)(clsid, &IUnknown::IID, &mut raw);
        if hr.is_err() || raw.is_null() {
            return Err(if hr.is_err() { hr } else { crate::abi::hresult::CLASS_E_CLASSNOTAVAILABLE });
        }
        // SAFETY: the counted pointer that the function has made.
        Ok(unsafe { IUnknown::from_raw(raw) })
    }
}

/// The in-process classes of a process.
#[derive(Default)]
pub(crate) struct InProcessClasses(Mutex<BTreeMap<u128, InProcessClass>>);

impl InProcessClasses {
    pub(super) fn find(&self, clsid: &GUID) -> Option<InProcessClass> {
        self.0.lock().get(&clsid.to_u128()).cloned()
    }

    fn put(&self, clsid: &GUID, class: Option<InProcessClass>) -> Option<InProcessClass> {
        let mut all = self.0.lock();
        match class {
            Some(class) => all.insert(clsid.to_u128(), class),
            None => all.remove(&clsid.to_u128()),
        }
    }
}

/// Registers a class for the whole process, as a DLL's entry in the registry does on Windows. `make` makes the class object
/// and runs in whatever apartment needs one. `flags` are `OLEANDER_CLASS_…`: a *configured* class is one of COM+, whose
/// objects live in contexts of their own and refuse asynchronous calls (CALL-40). A class that is there is replaced.
pub fn register_in_process_class(
    clsid: &GUID,
    make: impl Fn() -> IClassFactory + Send + Sync + 'static,
    model: ThreadingModel,
    flags: u32,
) {
    // SAFETY: the caller of the function passes valid pointers: this module does.
    let get = move |_: &GUID, iid: &GUID, ppv: *mut *mut c_void| unsafe { make().query(iid, ppv) };
    register(clsid, Arc::new(get), model, flags);
}

/// Takes back what [`register_in_process_class`] did; objects that are there stay.
pub fn revoke_in_process_class(clsid: &GUID) -> bool {
    let gone = Process::current().in_process_classes.put(clsid, None);
    gone.is_some()
}

fn register(clsid: &GUID, get: GetClassObject, model: ThreadingModel, flags: u32) {
    let configured = flags & OLEANDER_CLASS_CONFIGURED != 0;
    let before = Process::current().in_process_classes.put(clsid, Some(InProcessClass { get, model, configured }));
    drop(before);
}

export! {
    /// [`register_in_process_class`] for C: the function is a DLL's `DllGetClassObject`, the model one of
    /// `OLEANDER_THREADING_…`. `E_INVALIDARG` for null pointers, other models, other flags.
    ///
    /// # Safety
    /// `rclsid` is null or points at a GUID; the function may be called on any thread, for as long as the class is
    /// registered.
    pub unsafe fn OleanderRegisterInProcessClass(
        rclsid: *const GUID,
        pfnGetClassObject: LPFNGETCLASSOBJECT,
        dwThreadingModel: u32,
        dwFlags: u32,
    ) -> HRESULT {
        // SAFETY: the caller's.
        let clsid = unsafe { rclsid.as_ref() };
        let model = ThreadingModel::from_number(dwThreadingModel);
        let (Some(clsid), Some(get), Some(model)) = (clsid, pfnGetClassObject, model) else { return E_INVALIDARG };
        if dwFlags & !OLEANDER_CLASS_CONFIGURED != 0 {
            return E_INVALIDARG;
        }
        // SAFETY: the caller vouches for the function.
        let get = move |clsid: &GUID, iid: &GUID, ppv: *mut *mut c_void| unsafe { get(clsid, iid, ppv) };
        register(clsid, Arc::new(get), model, dwFlags);
        S_OK
    }

    /// [`revoke_in_process_class`] for C: `S_OK`, or `REGDB_E_CLASSNOTREG`.
    ///
    /// # Safety
    /// `rclsid` is null or points at a GUID.
    pub unsafe fn OleanderRevokeInProcessClass(rclsid: *const GUID) -> HRESULT {
        // SAFETY: the caller's.
        match unsafe { rclsid.as_ref() } {
            None => E_INVALIDARG,
            Some(clsid) if revoke_in_process_class(clsid) => S_OK,
            Some(_) => crate::abi::hresult::REGDB_E_CLASSNOTREG,
        }
    }
}
