//! `CLSID_GlobalOptions`: options of the process as numbers (CLS-05). Every object of the class sees the same ones; they are
//! one atomic word each. They are remembered and change nothing here: panics of servers are always caught, and there is one
//! pool.

use super::SystemClass;
use crate::abi::clsid::CLSID_GlobalOptions;
use crate::abi::hresult::{E_INVALIDARG, S_OK};
use crate::abi::interfaces::{IGlobalOptions, IGlobalOptions_Impl};
use crate::abi::types::{
    COMGLOB_APPID, COMGLOB_EXCEPTION_DONOT_HANDLE_ANY, COMGLOB_EXCEPTION_HANDLING, COMGLOB_PROPERTIES_RESERVED3,
    COMGLOB_RO_SETTINGS, COMGLOB_RPC_THREADPOOL_SETTING, COMGLOB_RPC_THREADPOOL_SETTING_PRIVATE_POOL,
    COMGLOB_UNMARSHALING_POLICY, COMGLOB_UNMARSHALING_POLICY_HYBRID,
};
use crate::com_class;
use crate::platform;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use windows_core::{GUID, HRESULT};

/// The options of a process, by the number of their property.
#[derive(Clone, Default)]
pub(crate) struct GlobalOptions(Arc<[AtomicUsize; COMGLOB_PROPERTIES_RESERVED3 as usize]>);

impl GlobalOptions {
    fn slot(&self, property: u32) -> Option<&AtomicUsize> {
        self.0.get((property as usize).checked_sub(1)?)
    }
}

/// Whether a property may have this value; the reserved ones have none that anybody may set.
fn is_valid(property: u32, value: usize) -> bool {
    let up_to = |max: u32| value <= max as usize;
    match property {
        COMGLOB_EXCEPTION_HANDLING => up_to(COMGLOB_EXCEPTION_DONOT_HANDLE_ANY),
        COMGLOB_RPC_THREADPOOL_SETTING => up_to(COMGLOB_RPC_THREADPOOL_SETTING_PRIVATE_POOL),
        COMGLOB_UNMARSHALING_POLICY => up_to(COMGLOB_UNMARSHALING_POLICY_HYBRID),
        COMGLOB_APPID | COMGLOB_RO_SETTINGS => true,
        _ => false,
    }
}

#[com_class(IGlobalOptions)]
struct Options(GlobalOptions);

impl IGlobalOptions_Impl for Options_Impl {
    unsafe fn Set(&self, dwProperty: u32, dwValue: usize) -> HRESULT {
        match self.0.slot(dwProperty).filter(|_| is_valid(dwProperty, dwValue)) {
            Some(slot) => {
                slot.store(dwValue, Ordering::Release);
                S_OK
            }
            None => E_INVALIDARG,
        }
    }

    unsafe fn Query(&self, dwProperty: u32, pdwValue: *mut usize) -> HRESULT {
        // SAFETY: null or valid, as COM asks.
        match (unsafe { pdwValue.as_mut() }, self.0.slot(dwProperty)) {
            (Some(out), Some(slot)) => {
                *out = slot.load(Ordering::Acquire);
                S_OK
            }
            _ => E_INVALIDARG,
        }
    }
}

/// Refuses an outer object with a code of its own (CLS-05).
unsafe fn create(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    if !outer.is_null() {
        return E_INVALIDARG;
    }
    let options =
        platform::with_current(|thread| thread.process().global_options.get_or_init(GlobalOptions::default).clone());
    // SAFETY: the caller's.
    unsafe { super::create_aggregated(Options(options), outer, riid, ppv) }
}

inventory::submit! { SystemClass { clsid: CLSID_GlobalOptions, create } }
