//! A doubler in the MTA that serves asynchronously: `Begin_` leaves the work to the process's pool, which signals the call.

use crate::server::{AsyncIDoubler, AsyncIDoubler_Impl, IDoubler, IDoubler_Impl};
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknownImpl, Interface};
use oleander::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};

#[com_class(IDoubler, ICallFactory)]
struct PooledDoubler;

impl IDoubler_Impl for PooledDoubler_Impl {
    unsafe fn Double(&self, _number: u32, _doubled: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
}

impl ICallFactory_Impl for PooledDoubler_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's promise (ICallFactory).
        if unsafe { *riid } != AsyncIDoubler::IID {
            return E_NOINTERFACE;
        }
        let call = Call { event: Default::default(), doubled: AtomicU32::new(0) };
        // SAFETY: the caller's promise (ICallFactory).
        unsafe { object::create_aggregated(call, pCtrlUnk, riid2, ppv) }
    }
}

#[com_class(AsyncIDoubler, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct Call {
    event: object::AutoInner,
    doubled: AtomicU32,
}

/// A call on its way through the pool.
struct Work(ComObject<Call>, u32);
// SAFETY: server and pool are all in the MTA, so the object is used in its own apartment.
unsafe impl Send for Work {}

impl Work {
    fn double(self) {
        self.0.doubled.store(self.1 * 2, Ordering::Relaxed);
        let signal: ISynchronize = self.0.query().expect("the outer has it");
        // SAFETY: a live interface.
        assert_eq!(unsafe { signal.Signal() }, S_OK);
    }
}

impl AsyncIDoubler_Impl for Call_Impl {
    unsafe fn Begin_Double(&self, number: u32) -> HRESULT {
        let work = Work(self.to_object(), number);
        kernel::queue_work_item(move || work.double());
        S_OK
    }

    unsafe fn Finish_Double(&self, doubled: *mut u32) -> HRESULT {
        let signal: ISynchronize = self.query().expect("the outer has it");
        // SAFETY: a live interface, and the stub passes room for the result.
        unsafe {
            assert_eq!(signal.Wait(COWAIT_DEFAULT, INFINITE), S_OK);
            *doubled = self.doubled.load(Ordering::Relaxed);
        }
        S_OK
    }
}

/// An object, in the calling thread's apartment.
pub fn doubler() -> IDoubler {
    PooledDoubler.into()
}
