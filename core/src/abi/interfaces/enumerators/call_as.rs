//! Enumerators between callers and the wire: how many were fetched has its place there, and says how many cross.

use super::{IEnumUnknown, IEnumUnknown_RemoteNext_Proxy};
use crate::abi::hresult::{E_INVALIDARG, S_OK};
use std::ffi::c_void;
use windows_core::{HRESULT, IUnknown};

pub(super) unsafe fn IEnumUnknown_Next_Proxy(
    this: &IEnumUnknown,
    celt: u32,
    rgelt: *mut *mut c_void,
    pceltFetched: *mut u32,
) -> HRESULT {
    let mut fetched = 0;
    let place = match (pceltFetched.is_null(), celt) {
        (false, _) => pceltFetched,
        (true, 1) => &raw mut fetched,
        (true, _) => return E_INVALIDARG,
    };
    // SAFETY: the caller's promises; an interface pointer is an optional interface.
    unsafe { IEnumUnknown_RemoteNext_Proxy(this, celt, rgelt.cast(), place) }
}

pub(super) unsafe fn IEnumUnknown_Next_Stub(
    this: &IEnumUnknown,
    celt: u32,
    rgelt: *mut Option<IUnknown>,
    pceltFetched: *mut u32,
) -> HRESULT {
    // SAFETY: the stub's memory, which is zero.
    unsafe {
        let hr = this.Next(celt, rgelt.cast(), pceltFetched);
        if hr == S_OK {
            // Success means all of them, also where an enumerator does not count a single one.
            *pceltFetched = celt;
        }
        hr
    }
}
