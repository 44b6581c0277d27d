//! Entering and leaving apartments (facts section 2).
//!
//! An apartment ends in this order: it becomes unreachable; calls that were queued and not started fail; methods that
//! run finish (the MTA waits for them, an STA has only its own stack); asynchronous calls that are with a worker fail;
//! stubs let their objects go; proxies are disconnected; calls in flight let outer objects go; classes are revoked. The thread stays in the apartment until
//! all that is done, because it runs code of objects that live there.

use super::{Apartment, Filter, Home, current, wait_reply};
use crate::abi::exports::export;
use crate::abi::hresult::{CO_E_NOTINITIALIZED, E_INVALIDARG, RPC_E_CHANGED_MODE, S_FALSE, S_OK};
use crate::abi::types::{
    APTTYPE_CURRENT, APTTYPE_MAINSTA, APTTYPE_MTA, APTTYPE_STA, APTTYPEQUALIFIER_IMPLICIT_MTA, APTTYPEQUALIFIER_NONE,
    COINIT_APARTMENTTHREADED,
};
use crate::kernel::{self, Event};
use crate::platform::{self, Current, Spawn};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::HRESULT;

/// Enters the MTA or a new STA with the calling thread.
fn initialize(thread: &Current, sta: bool) -> HRESULT {
    let com = thread.com();
    if let Some(apartment) = com.apartment() {
        if apartment.is_sta() != sta {
            return RPC_E_CHANGED_MODE;
        }
        com.init_count.set(com.init_count.get() + 1);
        return S_FALSE;
    }
    let process = thread.process();
    let apartment = if sta {
        let queue = kernel::queue();
        queue.open_tasks();
        process.apartments.enter_sta(process, queue)
    } else {
        process.apartments.enter_mta(process)
    };
    com.set_apartment(Some(apartment));
    com.init_count.set(1);
    // A thread that ends without CoUninitialize leaves all the same (APT-23).
    if !com.leaves_at_exit.replace(true) {
        thread.at_exit(Box::new(tear_down_thread));
    }
    S_OK
}

fn uninitialize(thread: &Current) {
    let com = thread.com();
    match com.init_count.get() {
        // One too many is harmless: outside COM, on a worker of the pool, in a destructor while the apartment ends.
        0 => {}
        1 if com.place.borrow().is_some() || com.leaving.get() => {}
        1 => leave(thread),
        count => com.init_count.set(count - 1),
    }
}

/// The thread leaves its apartment for good; the last one ends it.
fn leave(thread: &Current) {
    let com = thread.com();
    let Some(apartment) = com.apartment() else { return };
    com.leaving.set(true);
    let ending = if apartment.is_sta() {
        let filter = com.filter.borrow_mut().take();
        drop(filter);
        Some(apartment)
    } else {
        thread.process().apartments.leave_mta()
    };
    if let Some(apartment) = ending {
        end(thread, &apartment);
    }
    com.init_count.set(0);
    com.set_apartment(None);
    com.leaving.set(false);
}

/// Leaves whatever the current thread is still in. Runs when the thread ends.
pub(crate) fn tear_down_thread() {
    let thread = platform::current();
    if thread.com().init_count.get() > 0 {
        leave(&thread);
    }
}

/// Ends the MTA from a thread that has not entered it. The end runs code of the MTA's objects, so whoever does it is in
/// the MTA meanwhile. An STA has a thread of its own do it, and serves calls until that is done: methods that still run in
/// the MTA may be calling it.
fn end_mta(thread: &Current, mta: Arc<Apartment>) {
    if thread.com().apartment().is_none_or(|mine| !mine.is_sta()) {
        let before = thread.com().set_apartment(Some(mta.clone()));
        end(thread, &mta);
        thread.com().set_apartment(before);
        return;
    }
    let process = thread.process();
    let done = Arc::new(Event::new(process, false, false));
    let ended = done.clone();
    let spawn = Spawn { name: "end of the MTA".to_owned(), process: process.clone(), daemon: true };
    let body = move || {
        end_mta(&platform::current(), mta);
        ended.set();
    };
    process.port().spawn(spawn, Box::new(body));
    let _ = wait_reply(&done, Filter::Ignore);
}

fn end(thread: &Current, apartment: &Arc<Apartment>) {
    let process = thread.process();
    process.apartments.remove(apartment.oxid);
    let left: Vec<_> = match &apartment.home {
        Home::Sta { queue, .. } => queue.close_tasks(),
        Home::Mta(pool) => pool.close().into(),
    };
    for task in left {
        task.abandon();
    }
    if let Home::Mta(pool) = &apartment.home {
        pool.drain();
    }
    apartment.exports.disconnect_all();
    apartment.imports.disconnect_all();
    apartment.outers.let_go();
    process.classes.apartment_ends(apartment.oxid);
    // What ended above ran code of users, which may have marshaled something once more.
    apartment.exports.disconnect_all();
    if process.apartments.is_empty() {
        process.ps_clsids.clear();
        process.interface_table.clear();
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
        initialize(&platform::current(), dwCoInit & COINIT_APARTMENTTHREADED != 0)
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
        S_OK
    }
}

fn apartment_type(thread: &Current) -> (i32, i32, HRESULT) {
    match (thread.com().apartment(), current()) {
        (Some(mine), _) if mine.is_sta() => {
            let main = thread.process().apartments.is_main(&mine);
            (if main { APTTYPE_MAINSTA } else { APTTYPE_STA }, APTTYPEQUALIFIER_NONE, S_OK)
        }
        (Some(_), _) => (APTTYPE_MTA, APTTYPEQUALIFIER_NONE, S_OK),
        (None, Some(_)) => (APTTYPE_MTA, APTTYPEQUALIFIER_IMPLICIT_MTA, S_OK),
        (None, None) => (APTTYPE_CURRENT, APTTYPEQUALIFIER_NONE, CO_E_NOTINITIALIZED),
    }
}
