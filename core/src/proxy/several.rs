//! IMultiQI on a proxy (IID-12): several interfaces in one query, with one round trip for those that the proxy does not know.
//!
//! What the proxy knows it answers as a query does. The rest is asked in the server's apartment in one task, each interface
//! once however often it stands in the list, and the proxies are made here. Nothing is locked while the server is asked.

use super::manager::ProxyManager_Impl;
use crate::abi::hresult::{E_NOINTERFACE, E_POINTER, S_FALSE, S_OK};
use crate::abi::interfaces::IMultiQI_Impl;
use crate::abi::types::MULTI_QI;
use crate::apartment;
use std::ptr;
use windows_core::{GUID, HRESULT, IUnknownImpl};

/// The answers of one trip, in the order of `iids`.
fn ask(manager: &ProxyManager_Impl, iids: &[GUID]) -> Vec<Result<GUID, HRESULT>> {
    let Some(first) = iids.first() else { return Vec::new() };
    let asked = manager
        .whom_to_ask(first)
        .and_then(|server| apartment::run_in(&server, manager.questions(&server, iids.to_vec())));
    asked.unwrap_or_else(|hr| vec![Err(hr); iids.len()])
}

/// The interfaces of a list that only the server knows, each once.
fn unknown_here(manager: &ProxyManager_Impl, entries: &[MULTI_QI]) -> Vec<GUID> {
    let mut iids = Vec::new();
    for entry in entries {
        // SAFETY: an entry names an interface, or is null.
        let Some(iid) = (unsafe { entry.pIID.as_ref() }) else { continue };
        if manager.has_to_ask(iid) && !iids.contains(iid) {
            iids.push(*iid);
        }
    }
    iids
}

/// What the whole query returns.
fn overall(entries: &[MULTI_QI]) -> HRESULT {
    match entries.iter().filter(|entry| entry.hr.is_ok()).count() {
        0 => E_NOINTERFACE,
        found if found == entries.len() => S_OK,
        _ => S_FALSE,
    }
}

impl IMultiQI_Impl for ProxyManager_Impl {
    unsafe fn QueryMultipleInterfaces(&self, cMQIs: u32, pMQIs: *mut MULTI_QI) -> HRESULT {
        if pMQIs.is_null() {
            return E_POINTER;
        }
        // SAFETY: the caller passes that many entries.
        let entries = unsafe { std::slice::from_raw_parts_mut(pMQIs, cMQIs as usize) };
        let iids = unknown_here(self, entries);
        let answers = ask(self, &iids);
        for entry in &mut *entries {
            // SAFETY: as above.
            let asked = unsafe { entry.pIID.as_ref() }.and_then(|iid| iids.iter().position(|known| known == iid));
            let found = asked.map(|at| answers[at].and_then(|ipid| self.connect(&iids[at], ipid)));
            (entry.pItf, entry.hr) = match found {
                Some(Ok(typed)) => (typed, S_OK),
                Some(Err(hr)) => (ptr::null_mut(), hr),
                None => {
                    // SAFETY: the entry is the caller's; the query goes through this object's own identity.
                    let hr = unsafe { self.QueryInterface(entry.pIID, &mut entry.pItf) };
                    (if hr.is_ok() { entry.pItf } else { ptr::null_mut() }, hr)
                }
            };
        }
        overall(entries)
    }
}
