//! The system's own functions, each under its name and with the emulation's types: the other side of the dispatcher in
//! `exports.rs`, with the feature `windows` on Windows.
//!
//! That the two signatures are the same type is checked where `export!` defines the function, for every one of them.
//!
//! A function that is missing in its library keeps a whole program from starting (or, under Wine, ends it when it is called).
//! So what an old or incomplete system may lack is looked up when it is first called, and says `E_NOTIMPL` where it is not
//! there: the list is [`late`]'s. Functions of this library that no system has say the same: [`OleanderRegisterInProcessClass`]
//! and [`OleanderRevokeInProcessClass`], for the system's registry is not ours to write to.
//!
//! Nothing here has state but the addresses of functions that were looked up: each is written once, with the same value by
//! whoever comes first, and says nothing of other memory.

mod com;
mod entries;
mod kernel;
mod user;

pub(crate) use com::*;
pub(crate) use entries::*;
pub(crate) use kernel::*;
pub(crate) use user::*;

use super::hresult::E_NOTIMPL;
use super::types::{HANDLE, HINSTANCE, LPFNGETCLASSOBJECT};
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use windows_core::{GUID, HRESULT};

/// Functions of a library, which the loader binds when the program starts.
macro_rules! import {
    ($library:literal $(fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?;)*) => { $(
        windows_link::link!($library "system" fn $name($($arg: $ty),*) $(-> $ret)?);
    )* };
}
use import;

/// Functions of ole32 that are looked up when they are first called; `E_NOTIMPL` where they are not there.
macro_rules! late {
    ($(fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> HRESULT;)*) => { $(
        pub(crate) unsafe extern "system" fn $name($($arg: $ty),*) -> HRESULT {
            static ADDRESS: Address = Address::new();
            let Some(address) = ADDRESS.get(concat!(stringify!($name), "\0")) else {
                return E_NOTIMPL;
            };
            // SAFETY: ole32 has a function of this name with this signature (the metadata's comparison).
            let function: unsafe extern "system" fn($($ty),*) -> HRESULT = unsafe { std::mem::transmute(address) };
            // SAFETY: the caller's promises are that function's.
            unsafe { function($($arg),*) }
        }
    )* };
}

// Wine 8 has none of these: its combase has places for them, which end the process.
late! {
    fn CoCancelCall(dwThreadId: u32, ulTimeout: u32) -> HRESULT;
    fn CoDisconnectContext(dwTimeout: u32) -> HRESULT;
    fn CoGetCancelObject(dwThreadId: u32, iid: *const GUID, ppUnk: *mut *mut c_void) -> HRESULT;
    fn CoGetStdMarshalEx(pUnkOuter: *mut c_void, smexflags: u32, ppUnkInner: *mut *mut c_void) -> HRESULT;
    fn CoSetCancelObject(pUnk: *mut c_void) -> HRESULT;
    fn CoTestCancel() -> HRESULT;
    fn CoWaitForMultipleObjects(
        dwFlags: u32, dwTimeout: u32, cHandles: u32, pHandles: *const HANDLE, lpdwindex: *mut u32,
    ) -> HRESULT;
}

/// No system has it.
pub(crate) unsafe extern "system" fn OleanderRegisterInProcessClass(
    _rclsid: *const GUID,
    _pfnGetClassObject: LPFNGETCLASSOBJECT,
    _dwThreadingModel: u32,
    _dwFlags: u32,
) -> HRESULT {
    E_NOTIMPL
}

/// No system has it.
pub(crate) unsafe extern "system" fn OleanderRevokeInProcessClass(_rclsid: *const GUID) -> HRESULT {
    E_NOTIMPL
}

windows_link::link!("kernel32.dll" "system" fn GetProcAddress(hModule: HINSTANCE, lpProcName: *const u8) -> *const c_void);

/// Where a function of ole32 lies, once somebody has looked.
struct Address(AtomicUsize);

/// Nobody has looked yet; null is "not there".
const UNKNOWN: usize = usize::MAX;

impl Address {
    const fn new() -> Self {
        Self(AtomicUsize::new(UNKNOWN))
    }

    /// The address of the function with this name, which ends with a NUL.
    fn get(&self, name: &'static str) -> Option<*const c_void> {
        let mut address = self.0.load(Ordering::Relaxed);
        if address == UNKNOWN {
            // SAFETY: both texts end with a NUL; the library is there, because functions of it are bound when the program
            // starts.
            let found = unsafe { GetProcAddress(GetModuleHandleA(c"ole32.dll".as_ptr().cast()), name.as_ptr()) };
            address = found.expose_provenance();
            self.0.store(address, Ordering::Relaxed);
        }
        (address != 0).then(|| std::ptr::with_exposed_provenance(address))
    }
}
