//! IMultiQI on a proxy (IID-12): several interfaces in one query, with one round trip for those that the proxy does not know.
//!
//! What the proxy knows it answers as a query does. The rest is asked in the server's apartment in one task, each interface
//! once however often it stands in the list, and the proxies are made here. Nothing is locked while the server is asked.
//! `async_several.rs` does the same without waiting.

use super::manager::ProxyManager_Impl;
use crate::abi::hresult::{E_NOINTERFACE, E_POINTER, S_FALSE, S_OK};
use crate::abi::interfaces::IMultiQI_Impl;
use crate::abi::types::MULTI_QI;
use crate::apartment;
use std::ptr;
use windows_core::{GUID, HRESULT, IUnknownImpl};

/// What the server says of an interface: its IPID.
pub(super) type Answer = Result<GUID, HRESULT>;

/// What a list of entries asks for; nothing, where an entry names no interface.
pub(super) fn wanted(entries: &[MULTI_QI]) -> Vec<Option<GUID>> {
    // SAFETY: an entry names an interface, or is null.
    entries.iter().map(|entry| unsafe { entry.pIID.as_ref() }.copied()).collect()
}

/// The interfaces of a list that only the server knows, each once.
pub(super) fn unknown_here(manager: &ProxyManager_Impl, wanted: &[Option<GUID>]) -> Vec<GUID> {
    let mut iids = Vec::new();
    for iid in wanted.iter().flatten() {
        if manager.has_to_ask(iid) && !iids.contains(iid) {
            iids.push(*iid);
        }
    }
    iids
}

/// The answers of one trip, in the order of `iids`.
fn ask(manager: &ProxyManager_Impl, iids: &[GUID]) -> Vec<Answer> {
    let Some(first) = iids.first() else { return Vec::new() };
    let asked = manager
        .whom_to_ask(first)
        .and_then(|server| apartment::run_in(&server, manager.questions(&server, iids.to_vec())));
    asked.unwrap_or_else(|hr| vec![Err(hr); iids.len()])
}

/// Fills the entries in, `iids` being those that were asked for and `answers` what came of it; what the whole query returns.
pub(super) fn fill(
    manager: &ProxyManager_Impl,
    entries: &mut [MULTI_QI],
    wanted: &[Option<GUID>],
    (iids, answers): (&[GUID], &[Answer]),
) -> HRESULT {
    let mut count = 0;
    for (entry, iid) in entries.iter_mut().zip(wanted) {
        let asked = iid.and_then(|iid| iids.iter().position(|known| *known == iid));
        let found = match asked {
            Some(at) => answers[at].and_then(|ipid| manager.connect(&iids[at], ipid)),
            None => here(manager, iid.as_ref()),
        };
        count += usize::from(found.is_ok());
        (entry.pItf, entry.hr) = found.map_or_else(|hr| (ptr::null_mut(), hr), |typed| (typed, S_OK));
    }
    match count {
        0 => E_NOINTERFACE,
        _ if count == wanted.len() => S_OK,
        _ => S_FALSE,
    }
}

/// What a query gives that nobody has to ask for.
fn here(manager: &ProxyManager_Impl, iid: Option<&GUID>) -> Result<*mut std::ffi::c_void, HRESULT> {
    let mut found = ptr::null_mut();
    // SAFETY: null or a valid id; the query goes through the manager's own identity.
    let hr = unsafe { manager.QueryInterface(iid.map_or(ptr::null(), ptr::from_ref), &mut found) };
    hr.ok().map(|()| found).map_err(|error| error.code())
}

impl IMultiQI_Impl for ProxyManager_Impl {
    unsafe fn QueryMultipleInterfaces(&self, cMQIs: u32, pMQIs: *mut MULTI_QI) -> HRESULT {
        if pMQIs.is_null() {
            return E_POINTER;
        }
        // SAFETY: the caller passes that many entries.
        let entries = unsafe { std::slice::from_raw_parts_mut(pMQIs, cMQIs as usize) };
        let wanted = wanted(entries);
        let iids = unknown_here(self, &wanted);
        let answers = ask(self, &iids);
        fill(self, entries, &wanted, (&iids, &answers))
    }
}
