//! `CLSID_SynchronizeContainer`: waits for any of several synchronisation objects (SYNC-20 to SYNC-28).
//!
//! A member is known by its kernel handle, which stays its own and lives as long as it does. The lock is held to look at the
//! list; the wait works on a copy, so members may come and go meanwhile. What satisfied a wait leaves the container (SYNC-27).

use crate::abi::clsid::CLSID_SynchronizeContainer;
use crate::abi::hresult::{E_INVALIDARG, RPC_E_NO_SYNC, RPC_E_OUT_OF_RESOURCES, S_OK};
use crate::abi::interfaces::{ISynchronize, ISynchronizeContainer, ISynchronizeContainer_Impl, ISynchronizeHandle};
use crate::abi::types::{COWAIT_WAITALL, HANDLE};
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

#[com_class(ISynchronizeContainer)]
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

impl ISynchronizeContainer_Impl for Container_Impl {
    unsafe fn AddSynchronize(&self, pSync: *mut c_void) -> HRESULT {
        // SAFETY: null or an object, as the interface asks.
        let Some(object) = (unsafe { IUnknown::from_raw_borrowed(&pSync) }) else { return E_INVALIDARG };
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

    unsafe fn WaitMultiple(&self, dwFlags: u32, dwTimeOut: u32, ppSync: *mut *mut c_void) -> HRESULT {
        // SAFETY: null or valid.
        let Some(out) = (unsafe { ppSync.as_mut() }) else { return E_INVALIDARG };
        *out = std::ptr::null_mut();
        if dwFlags & COWAIT_WAITALL != 0 {
            return E_INVALIDARG;
        }
        let members = self.members.lock().clone();
        if members.is_empty() {
            return RPC_E_NO_SYNC;
        }
        let handles: Vec<HANDLE> = members.iter().map(|member| member.handle).collect();
        let mut index = 0;
        // SAFETY: so many handles, and a place for the index.
        let hr =
            unsafe { CoWaitForMultipleHandles(dwFlags, dwTimeOut, handles.len() as u32, handles.as_ptr(), &mut index) };
        let Some(ready) = members.get(index as usize).filter(|_| hr == S_OK) else { return hr };
        let left = {
            let mut now = self.members.lock();
            now.iter().position(|member| Arc::ptr_eq(member, ready)).map(|at| now.remove(at))
        };
        drop(left);
        *out = ready.sync.clone().into_raw();
        S_OK
    }
}

unsafe fn create(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's.
    unsafe { object::create_aggregated(Container { members: Mutex::default() }, outer, riid, ppv) }
}

inventory::submit! { SystemClass { clsid: CLSID_SynchronizeContainer, create } }
