//! `CoLockObjectExternal` and `CoDisconnectObject`: the server's own say in how long its clients reach an object.

use super::End;
use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, S_OK};
use crate::abi::interfaces::IMarshal;
use crate::apartment;
use std::ffi::c_void;
use windows_core::{BOOL, HRESULT, IUnknown, Interface};

fn lock(object: &IUnknown, lock: bool, closes: bool) -> Result<(), HRESULT> {
    let home = apartment::require()?;
    if lock {
        home.exports.manager(&home, object)?.change(|refs| refs.lock());
    } else if let Some(stub) = home.exports.known(object)? {
        stub.change(|refs| refs.unlock(closes));
    }
    Ok(())
}

/// Cuts the clients of an object off. Nothing to do for one that nobody can reach.
pub(crate) fn disconnect(object: &IUnknown) -> Result<(), HRESULT> {
    let home = apartment::require()?;
    if let Some(stub) = home.exports.known(object)? {
        stub.disconnect(&home.exports, End::Disconnected);
    }
    Ok(())
}

export! {
    /// Adds an external lock to an object, or takes one back (MRSH-21): as long as there is one, the object lives, even
    /// if it was never marshaled. A lock taken back that was never taken is `S_OK` and no effect.
    ///
    /// `fLastUnlockReleases` counts for the last external reference: true lets the object go although table-weak packets
    /// lead to it (MA-27). `E_INVALIDARG` for null, `CO_E_NOTINITIALIZED` outside COM.
    ///
    /// # Safety
    /// `pUnk` is null or belongs to the calling apartment.
    pub unsafe fn CoLockObjectExternal(pUnk: *mut c_void, fLock: BOOL, fLastUnlockReleases: BOOL) -> HRESULT {
        // SAFETY: the caller's.
        let Some(object) = (unsafe { IUnknown::from_raw_borrowed(&pUnk) }) else { return E_INVALIDARG };
        lock(object, fLock.as_bool(), fLastUnlockReleases.as_bool()).err().unwrap_or(S_OK)
    }

    /// Cuts all clients of an object off and drops its locks (MRSH-20): calls that run finish, new ones give
    /// `RPC_E_DISCONNECTED`. An object that marshals itself does it itself, through `IMarshal::DisconnectObject`.
    ///
    /// `S_OK` also when nobody could reach it; `E_INVALIDARG` for null or a `dwReserved` that is not 0,
    /// `CO_E_NOTINITIALIZED` outside COM.
    ///
    /// # Safety
    /// `pUnk` is null or belongs to the calling apartment.
    pub unsafe fn CoDisconnectObject(pUnk: *mut c_void, dwReserved: u32) -> HRESULT {
        // SAFETY: the caller's.
        let Some(object) = (unsafe { IUnknown::from_raw_borrowed(&pUnk) }) else { return E_INVALIDARG };
        if dwReserved != 0 {
            return E_INVALIDARG;
        }
        if let Err(hr) = apartment::require() {
            return hr;
        }
        match object.cast::<IMarshal>() {
            // SAFETY: the object is of this apartment.
            Ok(marshal) => unsafe { marshal.DisconnectObject(dwReserved) },
            Err(_) => disconnect(object).err().unwrap_or(S_OK),
        }
    }
}
