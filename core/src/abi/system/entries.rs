//! The functions that enter an apartment: each has the system do it, then makes the apartment know our proxies and stubs.

use crate::proxy::on_system;
use std::ffi::c_void;
use windows_core::HRESULT;

macro_rules! entries {
    ($($library:literal $name:literal fn $raw:ident as $wrapper:ident($($arg:ident: $ty:ty),*);)*) => { $(
        windows_link::link!($library "system" $name fn $raw($($arg: $ty),*) -> HRESULT);

        pub(crate) unsafe extern "system" fn $wrapper($($arg: $ty),*) -> HRESULT {
            // SAFETY: the caller's promises are the system's.
            let entered = unsafe { $raw($($arg),*) };
            if entered.is_ok() {
                on_system::enter();
            }
            entered
        }
    )* };
}

entries! {
    "ole32.dll" "CoInitialize" fn co_initialize as CoInitialize(pvReserved: *mut c_void);
    "ole32.dll" "CoInitializeEx" fn co_initialize_ex as CoInitializeEx(pvReserved: *mut c_void, dwCoInit: u32);
    "ole32.dll" "OleInitialize" fn ole_initialize as OleInitialize(pvReserved: *mut c_void);
    "ole32.dll" "CoIncrementMTAUsage" fn increment_mta_usage as CoIncrementMTAUsage(pCookie: *mut *mut c_void);
}
