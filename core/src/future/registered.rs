//! Waiting for a handle by a registered wait: how a thread that has the system's COM awaits one.
//!
//! The future has a handle of its own and, from the first poll that found the object not ready, one registration that is called
//! once. The callback's reference to [`Shared`] is its own: the callback gives it back, or the future does where the registration
//! ended without one. The lock is held for an exchange of the two fields, never while a waker is called or dropped.

use crate::abi::hresult::{E_HANDLE, E_OUTOFMEMORY};
use crate::abi::types::{DUPLICATE_SAME_ACCESS, HANDLE, INFINITE, WAIT_OBJECT_0, WAIT_TIMEOUT, WT_EXECUTEONLYONCE};
use crate::abi::win32::{
    CloseHandle, DuplicateHandle, GetCurrentProcess, RegisterWaitForSingleObject, UnregisterWait, WaitForSingleObject,
};
use crate::platform::sync::Mutex;
use std::ffi::c_void;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use windows_core::{BOOL, HRESULT};

#[derive(Default)]
struct State {
    waker: Option<Waker>,
    /// The callback was called: the object was ready, and what a wait takes from it is taken.
    called: bool,
}

type Shared = Mutex<State>;

/// A handle that is awaited.
pub(super) struct Registered {
    handle: HANDLE,
    told: Option<(HANDLE, Arc<Shared>)>,
}

unsafe extern "system" fn called(context: *mut c_void, _timed_out: u8) {
    crate::object::guard::call(|| {
        // SAFETY: the reference that `register` gave away.
        let shared = unsafe { Arc::from_raw(context.cast_const().cast::<Shared>()) };
        let waker = {
            let mut state = shared.lock();
            state.called = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    });
}

impl Registered {
    /// Takes a handle of its own; `E_HANDLE` for what is none.
    pub(super) fn new(handle: HANDLE) -> Result<Self, HRESULT> {
        let mut own = HANDLE::NULL;
        // SAFETY: a place of our own; what is no handle is an error.
        let done = unsafe {
            let process = GetCurrentProcess();
            DuplicateHandle(process, handle, process, &mut own, 0, BOOL(0), DUPLICATE_SAME_ACCESS)
        };
        if done.as_bool() { Ok(Self { handle: own, told: None }) } else { Err(E_HANDLE) }
    }

    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(), HRESULT>> {
        let Some((_, shared)) = &self.told else { return self.register(cx) };
        let new = cx.waker().clone();
        let (called, old) = {
            let mut state = shared.lock();
            (state.called, state.waker.replace(new))
        };
        drop(old);
        if called { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Looks, and registers.
    fn register(&mut self, cx: &Context<'_>) -> Poll<Result<(), HRESULT>> {
        // SAFETY: a handle of our own.
        match unsafe { WaitForSingleObject(self.handle, 0) } {
            WAIT_OBJECT_0 => return Poll::Ready(Ok(())),
            WAIT_TIMEOUT => {}
            _ => return Poll::Ready(Err(E_HANDLE)),
        }
        let shared = Arc::new(Shared::new(State { waker: Some(cx.waker().clone()), called: false }));
        let mut wait = HANDLE::NULL;
        let context = Arc::into_raw(shared.clone()).cast_mut().cast::<c_void>();
        // SAFETY: a place of our own; the callback may run on any thread.
        let registered = unsafe {
            RegisterWaitForSingleObject(&mut wait, self.handle, Some(called), context, INFINITE, WT_EXECUTEONLYONCE)
        };
        if !registered.as_bool() {
            // SAFETY: nobody else has the reference.
            drop(unsafe { Arc::from_raw(context.cast_const().cast::<Shared>()) });
            return Poll::Ready(Err(E_OUTOFMEMORY));
        }
        self.told = Some((wait, shared));
        Poll::Pending
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some((wait, shared)) = self.told.take() {
            // SAFETY: a registration of our own.
            let ended = unsafe { UnregisterWait(wait) }.as_bool();
            // Where it has not ended, the callback runs just now.
            if ended && !shared.lock().called {
                // SAFETY: no callback ran, and none will.
                drop(unsafe { Arc::from_raw(Arc::as_ptr(&shared)) });
            }
        }
        // SAFETY: a handle of our own, which nobody uses any more.
        let _ = unsafe { CloseHandle(self.handle) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
