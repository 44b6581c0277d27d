//! An apartment as the surface's functions tell it, for objects that are the same on either backend. What it is never changes.

use super::CoGetApartmentType;
use crate::abi::hresult::RPC_E_WRONG_THREAD;
use crate::abi::types::{APTTYPE_CURRENT, APTTYPE_MTA, APTTYPE_NA, APTTYPEQUALIFIER_NONE};
use crate::abi::win32::GetCurrentThreadId;
use windows_core::HRESULT;

/// Where an object belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SurfaceHome {
    /// An STA, by its thread.
    Sta(u32),
    /// The MTA of the process.
    Mta,
    /// The neutral apartment of the process.
    Neutral,
}

impl SurfaceHome {
    /// The calling thread's apartment; outside COM what `CoGetApartmentType` says: `CO_E_NOTINITIALIZED`.
    pub(crate) fn current() -> Result<Self, HRESULT> {
        let (mut kind, mut qualifier) = (APTTYPE_CURRENT, APTTYPEQUALIFIER_NONE);
        // SAFETY: both may be written.
        unsafe { CoGetApartmentType(&mut kind, &mut qualifier) }.ok().map_err(|error| error.code())?;
        Ok(match kind {
            APTTYPE_MTA => Self::Mta,
            APTTYPE_NA => Self::Neutral,
            // SAFETY: no pointers.
            _ => Self::Sta(unsafe { GetCurrentThreadId() }),
        })
    }

    /// What a pointer of this apartment says to the calling thread: nothing in the right place, else `RPC_E_WRONG_THREAD`, or
    /// `CO_E_NOTINITIALIZED` outside COM (MRSH-13, MRSH-14).
    pub(crate) fn check(self) -> Result<(), HRESULT> {
        if Self::current()? == self { Ok(()) } else { Err(RPC_E_WRONG_THREAD) }
    }
}
