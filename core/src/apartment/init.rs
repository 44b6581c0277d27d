//! Entering and leaving apartments (facts section 2). What the thread keeps of it is its own; the apartments are the
//! table's. How an apartment ends is [`super::end`]'s.

use super::end::{end_mta, leave, tear_down_thread};
use super::{Apartment, Home, current, hosts, spies};
use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOTINITIALIZED, E_INVALIDARG, RPC_E_CHANGED_MODE, S_FALSE, S_OK};
use crate::abi::types::{
    APTTYPE_CURRENT, APTTYPE_MAINSTA, APTTYPE_MTA, APTTYPE_NA, APTTYPE_STA, APTTYPEQUALIFIER_APPLICATION_STA,
    APTTYPEQUALIFIER_IMPLICIT_MTA, APTTYPEQUALIFIER_NA_ON_IMPLICIT_MTA, APTTYPEQUALIFIER_NA_ON_MAINSTA,
    APTTYPEQUALIFIER_NA_ON_MTA, APTTYPEQUALIFIER_NA_ON_STA, APTTYPEQUALIFIER_NONE, COINIT_APARTMENTTHREADED,
};
use crate::kernel;
use crate::platform::{self, Current};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::HRESULT;

/// Enters the MTA or a new STA with the calling thread.
fn initialize(thread: &Current, sta: bool) -> HRESULT {
    let com = thread.com();
    if let Some(here) = com.apartment()
        && matches!(here.base().home, Home::Neutral(_))
    {
        // (APT-26)
        return RPC_E_CHANGED_MODE;
    }
    if let Some(apartment) = com.own_apartment() {
        if apartment.is_sta() != sta {
            return RPC_E_CHANGED_MODE;
        }
        com.init_count.set(com.init_count.get() + 1);
        return S_FALSE;
    }
    let process = thread.process();
    let apartment = if sta { new_sta(thread, false) } else { process.apartments.enter_mta(process) };
    begin(thread, apartment);
    S_OK
}

/// A new STA for the thread.
pub(super) fn new_sta(thread: &Current, application: bool) -> Arc<Apartment> {
    let queue = kernel::queue();
    queue.open_tasks();
    thread.process().apartments.enter_sta(thread.process(), queue, application)
}

/// The thread is in an apartment from now on.
pub(super) fn begin(thread: &Current, apartment: Arc<Apartment>) {
    let com = thread.com();
    com.set_apartment(Some(apartment));
    com.init_count.set(1);
    // A thread that ends without CoUninitialize leaves all the same (APT-23).
    if !com.leaves_at_exit.replace(true) {
        thread.at_exit(Box::new(tear_down_thread));
    }
}

/// `CoInitializeEx`, with the thread's spies around it.
pub(super) fn enter(thread: &Current, flags: u32) -> HRESULT {
    spies::around_initialize(thread, flags, || initialize(thread, flags & COINIT_APARTMENTTHREADED != 0))
}

/// `CoUninitialize`, with the thread's spies around it.
pub(super) fn uninitialize(thread: &Current) {
    spies::around_uninitialize(thread, || leave_once(thread));
}

fn leave_once(thread: &Current) {
    let com = thread.com();
    match com.init_count.get() {
        // One too many is harmless: outside COM, on a worker of the pool, in a destructor while the apartment ends.
        0 => {}
        1 if com.place.borrow().is_some() || com.leaving.get() || com.is_visiting() => {}
        1 => leave(thread),
        count => com.init_count.set(count - 1),
    }
}

export! {
    /// Enters an apartment: an STA with `COINIT_APARTMENTTHREADED`, else the MTA.
    ///
    /// `S_OK` the first time, `S_FALSE` when the thread is in an apartment of that kind already (balance that call,
    /// too), `RPC_E_CHANGED_MODE` when it is in one of the other kind. (APT-01 to APT-05)
    ///
    /// # Safety
    /// `pvReserved` is null.
    pub unsafe fn CoInitializeEx(pvReserved: *mut c_void, dwCoInit: u32) -> HRESULT {
        if !pvReserved.is_null() {
            return E_INVALIDARG;
        }
        enter(&platform::current(), dwCoInit)
    }

    /// Enters an STA: `CoInitializeEx` with `COINIT_APARTMENTTHREADED`.
    ///
    /// # Safety
    /// `pvReserved` is null.
    pub unsafe fn CoInitialize(pvReserved: *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        unsafe { CoInitializeEx(pvReserved, COINIT_APARTMENTTHREADED) }
    }

    /// Undoes one `CoInitializeEx`; the last one of an apartment ends it: its objects are released, its proxies
    /// disconnected, calls that wait for it fail. (APT-21, APT-22)
    ///
    /// In an STA where work of COM's waits in the queue, Signals are delivered first, messages that were sent are answered
    /// and messages of the DDE range dispatched; all other posted messages but `WM_QUIT` are thrown away. (APT-24, RUL-153)
    ///
    /// # Safety
    /// No pointer of the apartment is used after the last call.
    pub unsafe fn CoUninitialize() {
        uninitialize(&platform::current());
    }

    /// What kind of apartment the calling thread is in: `APTTYPE_…` and `APTTYPEQUALIFIER_…` (APT-06 to APT-11).
    ///
    /// # Safety
    /// The pointers are null or valid for writes.
    pub unsafe fn CoGetApartmentType(pAptType: *mut i32, pAptQualifier: *mut i32) -> HRESULT {
        if pAptType.is_null() || pAptQualifier.is_null() {
            return E_INVALIDARG;
        }
        let (kind, qualifier, hr) = apartment_type(&platform::current());
        // SAFETY: not null, and valid by the caller's word.
        unsafe {
            *pAptType = kind;
            *pAptQualifier = qualifier;
        }
        hr
    }

    /// Keeps the MTA alive until the cookie is given back (APT-13).
    ///
    /// # Safety
    /// `pCookie` is null or valid for writes.
    pub unsafe fn CoIncrementMTAUsage(pCookie: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's.
        let Some(cookie) = (unsafe { pCookie.as_mut() }) else { return E_INVALIDARG };
        let thread = platform::current();
        let process = thread.process();
        *cookie = std::ptr::without_provenance_mut(process.apartments.add_usage(process));
        S_OK
    }

    /// Gives a cookie of `CoIncrementMTAUsage` back, on any thread; `E_INVALIDARG` for one that is not out (APT-15).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoDecrementMTAUsage(Cookie: *mut c_void) -> HRESULT {
        let thread = platform::current();
        match thread.process().apartments.drop_usage(Cookie.addr()) {
            Err(()) => return E_INVALIDARG,
            Ok(None) => {}
            Ok(Some(mta)) => end_mta(&thread, mta),
        }
        hosts::end_if_unused(&thread);
        S_OK
    }
}

/// What `CoGetApartmentType` says: type, qualifier, code.
pub(super) fn apartment_type(thread: &Current) -> (i32, i32, HRESULT) {
    let own = thread.com().own_apartment();
    let neutral = thread.com().with_apartment(|here| here.is_some_and(|it| matches!(it.base().home, Home::Neutral(_))));
    let sta = own.as_ref().filter(|own| own.is_sta()).map(|own| thread.process().apartments.is_main(own));
    if neutral {
        // (APT-12)
        let on = match (sta, own) {
            (Some(true), _) => APTTYPEQUALIFIER_NA_ON_MAINSTA,
            (Some(false), _) => APTTYPEQUALIFIER_NA_ON_STA,
            (None, Some(_)) => APTTYPEQUALIFIER_NA_ON_MTA,
            (None, None) => APTTYPEQUALIFIER_NA_ON_IMPLICIT_MTA,
        };
        return (APTTYPE_NA, on, S_OK);
    }
    match (sta, own) {
        (Some(main), own) => {
            let application = own.is_some_and(|own| own.is_application());
            let qualifier = if application { APTTYPEQUALIFIER_APPLICATION_STA } else { APTTYPEQUALIFIER_NONE };
            (if main { APTTYPE_MAINSTA } else { APTTYPE_STA }, qualifier, S_OK)
        }
        (None, Some(_)) => (APTTYPE_MTA, APTTYPEQUALIFIER_NONE, S_OK),
        (None, None) if current().is_some() => (APTTYPE_MTA, APTTYPEQUALIFIER_IMPLICIT_MTA, S_OK),
        (None, None) => (APTTYPE_CURRENT, APTTYPEQUALIFIER_NONE, CO_E_NOTINITIALIZED),
    }
}
