//! `OleInitialize` and its counterpart, as far as they count (APT-03): an STA and a count of its own for each thread. The
//! clipboard, drag and drop and what else OLE has are not here.

use super::init::{enter, uninitialize};
use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, S_FALSE, S_OK};
use crate::abi::types::COINIT_APARTMENTTHREADED;
use crate::platform;
use std::ffi::c_void;
use windows_core::HRESULT;

export! {
    /// Enters an STA, as `CoInitialize` does, and counts. `S_OK` the first time, also where COM was there before; then
    /// `S_FALSE`; `RPC_E_CHANGED_MODE` in the MTA, and nothing is owed then.
    ///
    /// # Safety
    /// `pvReserved` is null.
    pub unsafe fn OleInitialize(pvReserved: *mut c_void) -> HRESULT {
        if !pvReserved.is_null() {
            return E_INVALIDARG;
        }
        let thread = platform::current();
        let hr = enter(&thread, COINIT_APARTMENTTHREADED);
        if hr.is_err() {
            return hr;
        }
        let count = &thread.com().ole_count;
        count.set(count.get() + 1);
        if count.get() == 1 { S_OK } else { S_FALSE }
    }

    /// Undoes one `OleInitialize`; without one to undo it does nothing.
    ///
    /// # Safety
    /// As for `CoUninitialize`.
    pub unsafe fn OleUninitialize() {
        let thread = platform::current();
        let count = &thread.com().ole_count;
        if let Some(less) = count.get().checked_sub(1) {
            count.set(less);
            uninitialize(&thread);
        }
    }
}
