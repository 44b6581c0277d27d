//! A call object and what it answers. Each step leaves its line in the timeline.

use crate::com::{name, out};
use crate::interface::{AsyncISieve, ISieve};
use crate::timeline::say;
use oleander::windows_core::{HRESULT, Interface, Result};
use oleander::*;
use std::ptr::null_mut;

/// A call object: one call at a time. It is used on the thread that made it.
pub struct Call {
    sieve: AsyncISieve,
}

/// The proxy's call factory, or on a system whose proxies have none the one that stands in for it.
pub fn factory_of(sieve: &ISieve) -> Result<CallFactory> {
    let factory = call_factory(sieve)?;
    if factory.is_fallback() {
        say!("the system has no call objects for this proxy: a pool makes its calls");
    }
    Ok(factory)
}

impl Call {
    /// Asks the proxy for its call factory, and that for a call object.
    pub fn create(sieve: &ISieve) -> Result<Self> {
        let factory = factory_of(sieve)?;
        // SAFETY: valid arguments; no outer object.
        let created = out(|iid, ppv| unsafe { factory.CreateCall(&AsyncISieve::IID, null_mut(), iid, ppv) });
        say!("CreateCall(AsyncISieve) → {}", name(created.as_ref().err().map_or(S_OK, |error| error.code())));
        Ok(Self { sieve: created? })
    }

    /// The call object behind an outer object.
    pub fn of(outer: &impl Interface) -> Result<Self> {
        Ok(Self { sieve: outer.cast()? })
    }

    /// Sends the call and returns at once. Success only says that it was sent.
    pub fn begin(&self, max: u32) -> Result<()> {
        say!("Begin_CountPrimes({max})");
        // SAFETY: a pointer of this apartment.
        let hr = unsafe { self.sieve.Begin_CountPrimes(max) };
        say!("Begin_CountPrimes → {}", name(hr));
        hr.ok()
    }

    /// Waits for the call's end if need be and fetches the result, which is the server's own.
    pub fn finish(&self) -> Result<u32> {
        let mut primes = 0;
        say!("Finish_CountPrimes");
        // SAFETY: a pointer of this apartment, a place of our own.
        let hr = unsafe { self.sieve.Finish_CountPrimes(&mut primes) };
        say!("Finish_CountPrimes → {}", name(hr));
        if hr.is_ok() { Ok(primes) } else { Err(hr.into()) }
    }

    /// `S_OK` when the call is complete or cancelled, `RPC_S_CALLPENDING` when it is not after so many milliseconds.
    pub fn wait(&self, ms: u32) -> HRESULT {
        // SAFETY: a pointer of this apartment.
        let hr = match self.sieve.cast::<ISynchronize>() {
            // SAFETY: as above.
            Ok(synchronize) => unsafe { synchronize.Wait(COWAIT_DEFAULT, ms) },
            Err(error) => error.code(),
        };
        say!("Wait({ms} ms) → {}", name(hr));
        hr
    }

    /// Asks the server to stop and completes the call at once. That a call is complete already is no failure.
    pub fn cancel(&self) -> Result<()> {
        let cancel: ICancelMethodCalls = self.sieve.cast()?;
        // SAFETY: a pointer of this apartment. The 0 are seconds.
        let hr = unsafe { cancel.Cancel(0) };
        say!("Cancel(0) → {}", name(hr));
        if hr == RPC_E_CALL_COMPLETE { Ok(()) } else { hr.ok() }
    }

    /// The event inside the call object: set when the call is complete. It stays the call object's own.
    pub fn raw_handle(&self) -> Result<HANDLE> {
        let mut handle = HANDLE::NULL;
        let synchronize: ISynchronizeHandle = self.sieve.cast()?;
        // SAFETY: a pointer of this apartment, a place of our own.
        unsafe { synchronize.GetHandle(&mut handle) }.ok()?;
        Ok(handle)
    }
}
