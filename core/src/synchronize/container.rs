//! `CLSID_SynchronizeContainer`: waits for any of several synchronisation objects (SYNC-20 to SYNC-28).
//!
//! A member is known by its kernel handle, which stays its own and lives as long as it does. The lock is held to look at the
//! list; the wait works on a copy, so members may come and go meanwhile. What satisfied a wait leaves the container (SYNC-27). `IWaitMultiple` is its other face (SYNC-29).

use crate::abi::clsid::CLSID_SynchronizeContainer;
use crate::abi::hresult::{E_INVALIDARG, RPC_E_NO_SYNC, RPC_E_OUT_OF_RESOURCES, RPC_S_CALLPENDING, S_OK};
use crate::abi::interfaces::{
    ISynchronize, ISynchronizeContainer, ISynchronizeContainer_Impl, ISynchronizeHandle, IWaitMultiple,
    IWaitMultiple_Impl,
};
use crate::abi::types::{COWAIT_DEFAULT, COWAIT_WAITALL, HANDLE, WAIT_ABANDONED_0};
use crate::apartment::CoWaitForMultipleHandles;
use crate::com_class;
use crate::object::{self, SystemClass};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// As many members as a wait has handles.
const MEMBERS_MAX: usize = 63;

struct Member {
    sync: ISynchronize,
    handle: HANDLE,
}

// SAFETY: the object belongs to whoever added it; the container only counts it and gives it back.
unsafe impl Send for Member {}
// SAFETY: as above.
unsafe impl Sync for Member {}

#[com_class(ISynchronizeContainer, IWaitMultiple)]
struct Container {
    members: Mutex<Vec<Arc<Member>>>,
}

/// The member behind a pointer; it must show a handle (SYNC-28).
fn member(object: &IUnknown) -> Result<Member, HRESULT> {
    let code = |error: windows_core::Error| error.code();
    let sync: ISynchronize = object.cast().map_err(code)?;
    let shows: ISynchronizeHandle = object.cast().map_err(code)?;
    let mut handle = HANDLE::NULL;
    // SAFETY: an object of the caller's apartment and a valid place.
    unsafe { shows.GetHandle(&mut handle).ok().map_err(code)? };
    Ok(Member { sync, handle })
}

impl Container {
    /// # Safety
    /// `sync` is null or an object.
    unsafe fn add(&self, sync: *mut c_void) -> HRESULT {
        // SAFETY: the caller's promise.
        let Some(object) = (unsafe { IUnknown::from_raw_borrowed(&sync) }) else { return E_INVALIDARG };
        let added = match member(object) {
            Ok(member) => Arc::new(member),
            Err(hr) => return hr,
        };
        let mut members = self.members.lock();
        if members.len() < MEMBERS_MAX {
            members.push(added);
            return S_OK;
        }
        drop(members);
        drop(added);
        RPC_E_OUT_OF_RESOURCES
    }

    /// # Safety
    /// `out` is null or valid for writes.
    unsafe fn wait(&self, flags: u32, ms: u32, out: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller's promise.
        let Some(out) = (unsafe { out.as_mut() }) else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        if flags & COWAIT_WAITALL != 0 {
            return E_INVALIDARG;
        }
        let members = self.members.lock().clone();
        if members.is_empty() {
            return RPC_E_NO_SYNC;
        }
        let handles: Vec<HANDLE> = members.iter().map(|member| member.handle).collect();
        let mut index = 0;
        // SAFETY: so many handles, and a place for the index.
        let hr = unsafe { CoWaitForMultipleHandles(flags, ms, handles.len() as u32, handles.as_ptr(), &mut index) };
        if hr != S_OK {
            return hr;
        }
        // There are fewer members than lie between the two: an abandoned mutex is one, too.
        let at = if index >= WAIT_ABANDONED_0 { index - WAIT_ABANDONED_0 } else { index };
        // Calls that were queued to the thread have ended the wait (WAIT-16): no member is signalled, and S_OK without one
        // would be a trap.
        let Some(ready) = members.get(at as usize) else { return RPC_S_CALLPENDING };
        let left = {
            let mut now = self.members.lock();
            now.iter().position(|member| Arc::ptr_eq(member, ready)).map(|at| now.remove(at))
        };
        drop(left);
        *out = ready.sync.clone().into_raw();
        S_OK
    }
}

impl ISynchronizeContainer_Impl for Container_Impl {
    unsafe fn AddSynchronize(&self, pSync: *mut c_void) -> HRESULT {
        // SAFETY: null or an object, as the interface asks.
        unsafe { self.add(pSync) }
    }

    unsafe fn WaitMultiple(&self, dwFlags: u32, dwTimeOut: u32, ppSync: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid.
        unsafe { self.wait(dwFlags, dwTimeOut, ppSync) }
    }
}

impl IWaitMultiple_Impl for Container_Impl {
    unsafe fn WaitMultiple(&self, timeout: u32, pSync: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid.
        unsafe { self.wait(COWAIT_DEFAULT, timeout, pSync) }
    }

    unsafe fn AddSynchronize(&self, pSync: *mut c_void) -> HRESULT {
        // SAFETY: null or an object, as the interface asks.
        unsafe { self.add(pSync) }
    }
}

unsafe fn create(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's.
    unsafe { object::create_aggregated(Container { members: Mutex::default() }, outer, riid, ppv) }
}

inventory::submit! { SystemClass { clsid: CLSID_SynchronizeContainer, create } }
