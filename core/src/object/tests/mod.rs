//! Tests of objects: identity, counts, aggregation, ends.

mod aggregation;
mod factory;
mod foreign;
mod graphs;
mod identity;
mod inners;

use crate::abi::hresult::*;
use crate::abi::interfaces::*;
use crate::debug::live_objects;
use crate::platform::{self, Thread, enter};
use crate::process::Process;
use crate::{com_class, interface};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};

/// Runs a test in a process of its own and sees that it leaves no object behind.
fn in_process(test: impl FnOnce()) {
    let process = Process::new(platform::host());
    let thread = Thread::new("test".into(), platform::host(), false, process);
    // SAFETY: the record lives until the one before is back.
    let before = unsafe { enter(Arc::as_ptr(&thread)) };
    let back = Back(before);
    test();
    assert_eq!(live_objects(), 0, "objects left behind");
    drop(back);
}

struct Back(*const Thread);

impl Drop for Back {
    fn drop(&mut self) {
        // SAFETY: the record that was current before.
        unsafe { enter(self.0) };
    }
}

/// Counts how often it was dropped.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicU32>);

impl Drops {
    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

struct CountsDrop(Drops);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The article's sieve, in small.
#[interface("8A9E2F10-6E3B-4F0C-9E58-0C1B5D1A0001")]
unsafe trait ISieve: IUnknown {
    fn CountPrimes(&self, max: u32, primes: *mut u32) -> HRESULT;
}

/// An interface with a base of ours.
#[interface("8A9E2F10-6E3B-4F0C-9E58-0C1B5D1A0002")]
unsafe trait ISieve2: ISieve {
    fn Tag(&self) -> u32;
}

/// An object without options.
#[com_class(ISieve2, ISynchronizeHandle)]
struct Sieve {
    tag: u32,
    _drops: CountsDrop,
}

impl Sieve {
    fn new(tag: u32, drops: &Drops) -> Self {
        Self { tag, _drops: CountsDrop(drops.clone()) }
    }
}

impl ISieve_Impl for Sieve_Impl {
    unsafe fn CountPrimes(&self, max: u32, primes: *mut u32) -> HRESULT {
        let found = (2..=max).filter(|n| (2..*n).all(|d| n % d != 0)).count();
        // SAFETY: the caller vouches for the pointer, unless it is null.
        match unsafe { primes.as_mut() } {
            Some(primes) => *primes = found as u32,
            None => return E_POINTER,
        }
        S_OK
    }
}

impl ISieve2_Impl for Sieve_Impl {
    unsafe fn Tag(&self) -> u32 {
        self.tag
    }
}

impl ISynchronizeHandle_Impl for Sieve_Impl {
    unsafe fn GetHandle(&self, _ph: *mut crate::abi::types::HANDLE) -> HRESULT {
        panic!("this object has no handle, and says so rudely")
    }
}

/// Adds a reference and takes it back; what remains.
fn references(pointer: *mut c_void) -> u32 {
    // SAFETY: tests pass live pointers.
    unsafe {
        super::raw::add_ref(pointer);
        super::raw::release(pointer)
    }
}

/// A raw query.
fn query(pointer: *mut c_void, iid: &GUID) -> (HRESULT, *mut c_void) {
    let mut found = ptr::dangling_mut();
    // SAFETY: tests pass live pointers.
    let hr = unsafe { super::raw::query(pointer, iid, &mut found) };
    (hr, found)
}

/// The identity of an object, as an address.
fn identity(pointer: *mut c_void) -> *mut c_void {
    let (hr, unknown) = query(pointer, &IUnknown::IID);
    assert_eq!(hr, S_OK);
    // SAFETY: the reference that the query gave.
    unsafe { super::raw::release(unknown) };
    unknown
}
