//! The asynchronous server: an object that makes call objects, and call objects that leave the work to another thread.
//!
//! A call takes this way: the stub asks the object for a call object (once) and calls its `Begin_CountPrimes`, which queues
//! a work item and returns; the worker counts, leaves the result in the [`Job`], and signals the call object; that has the
//! stub call `Finish_CountPrimes`, and what comes from there is the client's.
//!
//! The stub aggregates the call object with one of its own, which is the one to signal and the one to ask about
//! cancellation. Both are found with a query on the whole object (`self.query()`).

use super::{Settings, count};
use crate::com::{Apartment, Kind, Packet, name};
use crate::interface::{AsyncISieve, AsyncISieve_Impl, ISieve, ISieve_Impl};
use crate::timeline::say;
use oleander::object::{AutoInner, create_aggregated};
use oleander::windows_core::{GUID, HRESULT, Interface, Result};
use oleander::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The object: ICallFactory tells the stub that its calls are processed asynchronously.
#[com_class(ISieve, ICallFactory)]
pub struct AsyncSieve {
    settings: Settings,
}

impl AsyncSieve {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl ISieve_Impl for AsyncSieve_Impl {
    /// Never called as long as CreateCall succeeds, not even for a client that makes a synchronous call.
    unsafe fn CountPrimes(&self, _lMax: u32, _plResult: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
}

impl ICallFactory_Impl for AsyncSieve_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller passes an interface id, a controlling unknown or null, and a place for the pointer.
        unsafe {
            if *riid != AsyncISieve::IID {
                *ppv = std::ptr::null_mut();
                return E_NOINTERFACE;
            }
            let hr = create_aggregated(SieveCall::new(self.settings.clone()), pCtrlUnk, riid2, ppv);
            say!("CreateCall(AsyncISieve), on the server → {}", name(hr));
            hr
        }
    }
}

/// A call object. Its ISynchronize is the system's manual-reset event, used only where the stub's object is not around
/// this one: when a client of the same apartment calls without a proxy.
#[com_class(AsyncISieve, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct SieveCall {
    settings: Settings,
    event: AutoInner,
    /// From Begin_ to Finish_: one call at a time.
    busy: AtomicBool,
    result: Arc<Mutex<Result<u32>>>,
}

/// What the worker gets: nothing that belongs to an apartment, except in packets.
struct Job {
    max: u32,
    settings: Settings,
    result: Arc<Mutex<Result<u32>>>,
    synchronize: Packet<ISynchronize>,
    cancel: Option<Packet<ICancelMethodCalls>>,
}

impl SieveCall {
    fn new(settings: Settings) -> Self {
        let result = Arc::new(Mutex::new(Err(E_UNEXPECTED.into())));
        Self { settings, event: AutoInner::new(), busy: AtomicBool::new(false), result }
    }
}

impl SieveCall_Impl {
    /// Queues the work. ISynchronize and ICancelMethodCalls of the call object belong to its apartment, and the worker is in
    /// the MTA: they travel in packets. In the MTA itself the worker gets the very same pointers; from an STA it gets
    /// proxies. A Signal without a proxy, from another apartment, would leave the client waiting for ever.
    fn queue(&self, max: u32) -> Result<()> {
        let synchronize: ISynchronize = self.query()?;
        // SAFETY: a pointer of this apartment.
        unsafe { synchronize.Reset() }.ok()?;
        // Not there for a client of the same apartment.
        let cancel: Option<ICancelMethodCalls> = if self.settings.honour_cancel { self.query().ok() } else { None };
        let job = Job {
            max,
            settings: self.settings.clone(),
            result: self.result.clone(),
            synchronize: Packet::new(&synchronize)?,
            cancel: cancel.map(|cancel| Packet::new(&cancel)).transpose()?,
        };
        let job = Box::into_raw(Box::new(job));
        // SAFETY: the function gets the box that it expects.
        if !unsafe { QueueUserWorkItem(Some(work), job.cast(), 0) }.as_bool() {
            // SAFETY: nobody else has the box.
            drop(unsafe { Box::from_raw(job) });
            return Err(E_FAIL.into());
        }
        Ok(())
    }
}

impl AsyncISieve_Impl for SieveCall_Impl {
    unsafe fn Begin_CountPrimes(&self, lMax: u32) -> HRESULT {
        if self.busy.swap(true, Ordering::AcqRel) {
            return RPC_S_CALLPENDING;
        }
        say!("Begin_CountPrimes({lMax}), on the server: queues the work");
        if let Err(error) = self.queue(lMax) {
            say!("Begin_CountPrimes, on the server → {}", name(error.code()));
            self.busy.store(false, Ordering::Release);
            return error.code();
        }
        S_OK
    }

    unsafe fn Finish_CountPrimes(&self, plResult: *mut u32) -> HRESULT {
        if !self.busy.load(Ordering::Acquire) {
            return RPC_E_CALL_COMPLETE;
        }
        // The stub calls when the worker has signalled; a client of the same apartment may be early.
        let waited = self.query::<ISynchronize>().and_then(|synchronize| {
            // SAFETY: a pointer of this apartment.
            unsafe { synchronize.Wait(COWAIT_DEFAULT, INFINITE) }.ok()
        });
        if let Err(error) = waited {
            return error.code();
        }
        let result = self.result.lock().expect("nobody panics with the lock").clone();
        self.busy.store(false, Ordering::Release);
        let (primes, hr) = match result {
            Ok(primes) => (primes, S_OK),
            Err(error) => (0, error.code()),
        };
        // SAFETY: the caller's pointer.
        unsafe { *plResult = primes };
        say!("Finish_CountPrimes, on the server → {}", name(hr));
        hr
    }
}

/// The worker, on a thread of the pool.
unsafe extern "system" fn work(context: *mut c_void) -> u32 {
    // SAFETY: `queue` gave the box away.
    let job = unsafe { Box::from_raw(context.cast::<Job>()) };
    let finished = job.settings.finished.clone();
    if let Err(error) = run(*job) {
        say!("the worker fails: {}", name(error.code()));
    }
    // Nobody listens only if the main thread is gone.
    let _ = finished.send(());
    0
}

fn run(job: Job) -> Result<()> {
    let apartment = Apartment::enter(Kind::Mta, "MTA worker")?;
    let synchronize = job.synchronize.open()?;
    let cancel = job.cancel.and_then(|cancel| cancel.open().ok());
    say!("takes the work: CountPrimes({})", job.max);
    let counted = count(job.max, cancel.as_ref());
    *job.result.lock().expect("nobody panics with the lock") = counted.ok_or(RPC_E_CALL_CANCELED.into());
    say!("Signal, on the server");
    // SAFETY: a pointer of this apartment.
    unsafe { synchronize.Signal() }.ok()?;
    drop((synchronize, cancel));
    drop(apartment);
    Ok(())
}
