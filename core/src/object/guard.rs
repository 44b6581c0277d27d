//! The guard around every method that is called through a vtable of ours: a panic becomes `RPC_E_SERVERFAULT`.
//!
//! Unwinding out of an `extern "system"` function would end the process, so the guard sits in the thunk itself.

use crate::abi::hresult::RPC_E_SERVERFAULT;
use crate::abi::types::{HANDLE, HINSTANCE, HWND};
use std::panic::{AssertUnwindSafe, catch_unwind};
use windows_core::{BOOL, HRESULT};

/// What a method gives when its body panicked: `RPC_E_SERVERFAULT`, or zero where there is no HRESULT.
pub trait Fault {
    /// The value.
    fn fault() -> Self;
}

impl Fault for HRESULT {
    fn fault() -> Self {
        RPC_E_SERVERFAULT
    }
}

macro_rules! zero {
    ($($ty:ty),*) => { $(impl Fault for $ty { fn fault() -> Self { Default::default() } })* };
}
zero!((), BOOL, u16, i32, u32, i64, u64, isize, usize, HANDLE, HINSTANCE, HWND);

impl<T> Fault for *mut T {
    fn fault() -> Self {
        std::ptr::null_mut()
    }
}

impl Fault for crate::abi::types::BSTR {
    fn fault() -> Self {
        Self::NULL
    }
}

/// Runs the body of a method; a panic becomes the fault value.
#[inline(always)]
pub fn call<R: Fault>(body: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            on_panic(payload);
            R::fault()
        }
    }
}

/// A panic of user code was caught: its payload may itself panic when dropped, so it is forgotten in that case.
#[cold]
pub(crate) fn on_panic(payload: Box<dyn std::any::Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}
