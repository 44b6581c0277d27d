//! The object that rows call, as a synchronous and as an asynchronous server.
//!
//! `Work(n)` gives twice `n`; what else happens inside is in the row's lines. `halves` says when the asynchronous server's call
//! object signals.

use super::Player;
use super::halves::Halves;
use oleander::object::{self, AutoInner};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;

/// Works.
#[async_interface(uuid = "5b0e6a10-3c1d-4a5e-9a77-6f6c65616f01", async_uuid = "5b0e6a10-3c1d-4a5e-9a77-6f6c65616f02")]
pub unsafe trait ISample: IUnknown {
    /// Gives twice `n`.
    fn Work(&self, #[idl(in)] n: u32, #[idl(out)] twice: *mut u32) -> HRESULT;
    /// Gives nothing.
    fn Note(&self, #[idl(in)] n: u32) -> HRESULT;
}

/// The methods of an object that is a [`Player`], which is its first field, and its end.
macro_rules! plays {
    ($object:ident, $made:ident) => {
        impl ISample_Impl for $made {
            unsafe fn Work(&self, n: u32, twice: *mut u32) -> HRESULT {
                // SAFETY: the caller's pointer is valid.
                unsafe { *twice = n.wrapping_mul(2) };
                self.0.method("Work", Some(n)).hr()
            }
            unsafe fn Note(&self, n: u32) -> HRESULT {
                self.0.method("Note", Some(n)).hr()
            }
        }

        impl Drop for $object {
            fn drop(&mut self) {
                self.0.dropped();
            }
        }
    };
}
pub(super) use plays;

/// Nothing could carry calls of this one: it has no proxy.
#[interface("5b0e6a10-3c1d-4a5e-9a77-6f6c65616f03")]
pub unsafe trait ILocal: IUnknown {
    /// Does nothing.
    fn Nothing(&self) -> HRESULT;
}

/// The id of monikers, without their methods: it has no proxy either.
#[interface("0000000F-0000-0000-C000-000000000046")]
pub unsafe trait IMoniker: IUnknown {}

/// Is called input-synchronously.
#[async_interface(uuid = "5b0e6a10-3c1d-4a5e-9a77-6f6c65616f04")]
pub unsafe trait IAtOnce: IUnknown {
    /// Gives twice `n`.
    #[idl(input_sync)]
    fn Ask(&self, #[idl(in)] n: u32, #[idl(out)] twice: *mut u32) -> HRESULT;
}

/// A synchronous server.
#[com_class(ISample, ILocal, IMoniker, IAtOnce)]
pub struct Sample(pub Player);

impl IAtOnce_Impl for Sample_Impl {
    unsafe fn Ask(&self, n: u32, twice: *mut u32) -> HRESULT {
        // SAFETY: the caller's pointer is valid.
        unsafe { *twice = n.wrapping_mul(2) };
        self.0.method("Ask", Some(n)).hr()
    }
}

impl IMoniker_Impl for Sample_Impl {}

plays!(Sample, Sample_Impl);

impl ILocal_Impl for Sample_Impl {
    unsafe fn Nothing(&self) -> HRESULT {
        S_OK
    }
}

/// An asynchronous server, and whether its call objects have ISynchronize: without it they are of no use.
#[com_class(ISample, ICallFactory)]
pub struct AsyncSample(pub Player, pub bool);

plays!(AsyncSample, AsyncSample_Impl);

impl ICallFactory_Impl for AsyncSample_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        // SAFETY: the caller's pointers are valid.
        unsafe {
            match Halves::asked(&self.0, &*riid, &[AsyncISample::IID]) {
                Ok(_) if !self.1 => object::create_aggregated(UnsignalledCall, outer, riid2, ppv),
                Ok(halves) => {
                    object::create_aggregated(SampleCall { halves, event: AutoInner::default() }, outer, riid2, ppv)
                }
                Err(hr) => hr,
            }
        }
    }
}

/// A call object that nobody can signal.
#[com_class(AsyncISample)]
pub struct UnsignalledCall;

impl AsyncISample_Impl for UnsignalledCall_Impl {
    unsafe fn Begin_Work(&self, _: u32) -> HRESULT {
        E_UNEXPECTED
    }
    unsafe fn Finish_Work(&self, _: *mut u32) -> HRESULT {
        E_UNEXPECTED
    }
    unsafe fn Begin_Note(&self, _: u32) -> HRESULT {
        E_UNEXPECTED
    }
    unsafe fn Finish_Note(&self) -> HRESULT {
        E_UNEXPECTED
    }
}

/// The asynchronous server's call object.
#[com_class(AsyncISample, auto(ISynchronize = event : CLSID_ManualResetEvent))]
pub struct SampleCall {
    halves: Halves,
    event: AutoInner,
}

impl SampleCall_Impl {
    fn begin(&self, method: &str, n: u32) -> HRESULT {
        self.halves.begin(self.query(), method, Some(n))
    }

    fn finish(&self, method: &str) -> (u32, HRESULT) {
        let (n, hr) = self.halves.finish(self.query(), method);
        (n.unwrap_or_default().wrapping_mul(2), hr)
    }
}

impl AsyncISample_Impl for SampleCall_Impl {
    unsafe fn Begin_Work(&self, n: u32) -> HRESULT {
        self.begin("Begin_Work", n)
    }
    unsafe fn Finish_Work(&self, twice: *mut u32) -> HRESULT {
        let (result, hr) = self.finish("Finish_Work");
        // SAFETY: the caller's pointer is valid.
        unsafe { *twice = result };
        hr
    }
    unsafe fn Begin_Note(&self, n: u32) -> HRESULT {
        self.begin("Begin_Note", n)
    }
    unsafe fn Finish_Note(&self) -> HRESULT {
        self.finish("Finish_Note").1
    }
}
