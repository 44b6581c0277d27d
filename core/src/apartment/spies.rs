//! Initialisation spies: who watches one thread enter and leave COM (`IInitializeSpy`).
//!
//! A thread's spies are its own and called on it. They are called from a copy of the list, so a spy may revoke itself, or
//! register others, which are called from the next time on. The newest is called first.

use crate::abi::exports::export;
use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE, S_OK};
use crate::abi::interfaces::IInitializeSpy;
use crate::platform::{self, Current};
use std::ffi::c_void;
use windows_core::{HRESULT, IUnknown, Interface};

/// The spies of one thread, oldest first.
#[derive(Default)]
pub(crate) struct Spies {
    last: u32,
    all: Vec<(u32, IInitializeSpy)>,
}

/// Calls every spy, newest first.
fn tell(thread: &Current, mut call: impl FnMut(&IInitializeSpy)) {
    if thread.com().spies.borrow().all.is_empty() {
        return;
    }
    let spies: Vec<_> = thread.com().spies.borrow().all.iter().rev().map(|(_, spy)| spy.clone()).collect();
    spies.iter().for_each(&mut call);
}

/// Runs `enter` between its spies; the last word about its result is theirs.
pub(super) fn around_initialize(thread: &Current, flags: u32, enter: impl FnOnce() -> HRESULT) -> HRESULT {
    let count = || thread.com().init_count.get();
    tell(thread, |spy| {
        // SAFETY: the spies are this thread's, and called on it.
        let _ = unsafe { spy.PreInitialize(flags, count()) };
    });
    let mut hr = enter();
    // SAFETY: as above.
    tell(thread, |spy| hr = unsafe { spy.PostInitialize(hr, flags, count()) });
    hr
}

/// Runs `leave` between its spies.
pub(super) fn around_uninitialize(thread: &Current, leave: impl FnOnce()) {
    let count = || thread.com().init_count.get();
    tell(thread, |spy| {
        // SAFETY: the spies are this thread's, and called on it.
        let _ = unsafe { spy.PreUninitialize(count()) };
    });
    leave();
    tell(thread, |spy| {
        // SAFETY: the spies are this thread's, and called on it.
        let _ = unsafe { spy.PostUninitialize(count()) };
    });
}

/// The thread ends, and its spies with it. One that is registered even later is the first again, with an exit of its own.
fn forget_all() {
    let spies = std::mem::take(&mut *platform::current().com().spies.borrow_mut());
    drop(spies);
}

export! {
    /// Has `pSpy` watch the calling thread. The cookie is good on this thread only: its high half is the thread's id.
    /// `E_INVALIDARG` for null pointers, `E_NOINTERFACE` for what is no spy.
    ///
    /// # Safety
    /// `pSpy` is null or an object; `puliCookie` is null or valid for writes.
    pub unsafe fn CoRegisterInitializeSpy(pSpy: *mut c_void, puliCookie: *mut u64) -> HRESULT {
        // SAFETY: the caller's.
        let (spy, cookie) = unsafe { (IUnknown::from_raw_borrowed(&pSpy), puliCookie.as_mut()) };
        let (Some(spy), Some(cookie)) = (spy, cookie) else { return E_INVALIDARG };
        let Ok(spy) = spy.cast::<IInitializeSpy>() else { return E_NOINTERFACE };
        let thread = platform::current();
        let (first, number) = {
            let mut spies = thread.com().spies.borrow_mut();
            spies.last += 1;
            let number = spies.last;
            spies.all.push((number, spy));
            (number == 1, number)
        };
        if first {
            thread.at_exit(Box::new(forget_all));
        }
        *cookie = u64::from(thread.id()) << 32 | u64::from(number);
        S_OK
    }

    /// Ends what `CoRegisterInitializeSpy` began; `E_INVALIDARG` for a cookie that is not out, or another thread's.
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoRevokeInitializeSpy(uliCookie: u64) -> HRESULT {
        let thread = platform::current();
        let gone = {
            let mut spies = thread.com().spies.borrow_mut();
            let here = uliCookie >> 32 == u64::from(thread.id());
            let at = spies.all.iter().position(|(number, _)| here && u64::from(*number) == uliCookie & 0xFFFF_FFFF);
            at.map(|at| spies.all.remove(at))
        };
        if gone.is_some() { S_OK } else { E_INVALIDARG }
    }
}
