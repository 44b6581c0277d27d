//! Class factories: `IClassFactory` around a function that makes objects.
//!
//! A factory is not agile: an object belongs to the apartment whose factory makes it, so a factory that is reached from
//! elsewhere is reached through a proxy. It has no state but the locks, which are one atomic word of its process.

use super::system::Create;
use crate::abi::hresult::{CLASS_E_NOAGGREGATION, E_POINTER, S_OK};
use crate::abi::interfaces::{IClassFactory, IClassFactory_Impl};
use crate::com_class;
use crate::platform;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use windows_core::{BOOL, GUID, HRESULT, IUnknown, Interface};

/// How many locks the factories of a process hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerLocks(Arc<AtomicU32>);

/// How often `LockServer(TRUE)` was called in the current thread's process and not taken back.
pub fn server_locks() -> u32 {
    platform::current().process().server_locks.0.load(Ordering::Acquire)
}

/// What makes the objects.
type Make = Box<dyn Fn(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT + Send + Sync>;

#[com_class(IClassFactory)]
struct ClassFactory {
    make: Make,
    locks: ServerLocks,
}

/// A class factory around a function. The function gets an outer object only together with a query for IUnknown.
pub fn class_factory(create: Create) -> IClassFactory {
    // SAFETY: `CreateInstance` promises what `Create` asks for.
    class_factory_with(move |outer, riid, ppv| unsafe { create(outer, riid, ppv) })
}

/// A class factory around a closure: controlling unknown or null, the interface asked for, where to put it (never null).
///
/// The usual body is `unsafe { create_aggregated(Foo { … }, outer, riid, ppv) }`.
pub fn class_factory_with(
    make: impl Fn(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT + Send + Sync + 'static,
) -> IClassFactory {
    let locks = platform::current().process().server_locks.clone();
    ClassFactory { make: Box::new(make), locks }.into()
}

impl IClassFactory_Impl for ClassFactory_Impl {
    unsafe fn CreateInstance(&self, pUnkOuter: *mut c_void, riid: *const GUID, ppvObject: *mut *mut c_void) -> HRESULT {
        if ppvObject.is_null() {
            return E_POINTER;
        }
        // SAFETY: not null, and the caller vouches for it.
        unsafe { *ppvObject = ptr::null_mut() };
        // SAFETY: as above.
        let Some(iid) = (unsafe { riid.as_ref() }) else {
            return E_POINTER;
        };
        if !pUnkOuter.is_null() && *iid != IUnknown::IID {
            return CLASS_E_NOAGGREGATION;
        }
        let made = (self.make)(pUnkOuter, riid, ppvObject);
        if made.is_err() {
            // SAFETY: as above.
            unsafe { *ppvObject = ptr::null_mut() };
        }
        made
    }

    unsafe fn LockServer(&self, fLock: BOOL) -> HRESULT {
        let locks = &self.locks.0;
        if fLock.as_bool() {
            locks.fetch_add(1, Ordering::AcqRel);
        } else {
            // A lock that was never taken cannot be given back; nothing to report, COM has no code for it.
            let _ = locks.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |count| count.checked_sub(1));
        }
        S_OK
    }
}
