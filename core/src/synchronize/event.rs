//! `CLSID_ManualResetEvent` and `CLSID_StdEvent`: an event as an object that can be aggregated (SYNC-17), and that takes a
//! handle in the place of its own (SYNC-10).
//!
//! The object is used from any apartment: it holds nothing that belongs to one. It does not say that it is agile, because
//! Windows' own does not either; pointers to it are marshaled as any other.

use super::EventHandle;
use crate::abi::clsid::{CLSID_ManualResetEvent, CLSID_StdEvent};
use crate::abi::hresult::{E_INVALIDARG, S_OK};
use crate::abi::interfaces::{
    ISynchronize, ISynchronize_Impl, ISynchronizeEvent, ISynchronizeEvent_Impl, ISynchronizeHandle_Impl,
};
use crate::abi::types::HANDLE;
use crate::apartment;
use crate::com_class;
use crate::kernel::Event;
use crate::object::{self, SystemClass};
use crate::platform;
use std::ffi::c_void;
use std::sync::{Arc, OnceLock};
use windows_core::{GUID, HRESULT};

/// An event object.
#[com_class(ISynchronize, ISynchronizeEvent)]
struct EventObject {
    own: Arc<Event>,
    /// The event of a handle that was given to the object.
    given: OnceLock<Arc<Event>>,
    handle: EventHandle,
}

impl EventObject {
    /// # Safety
    /// As for `IClassFactory::CreateInstance`.
    unsafe fn create(auto: bool, outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
        let process = platform::with_current(|thread| thread.process().clone());
        let own = Arc::new(Event::new(&process, auto, false));
        let value = EventObject { handle: EventHandle::new(&own), own, given: OnceLock::new() };
        // SAFETY: the caller's.
        unsafe { object::create_aggregated(value, outer, riid, ppv) }
    }

    /// The event: that of the handle that was given, else the object's own.
    fn event(&self) -> &Arc<Event> {
        self.given.get().unwrap_or(&self.own)
    }
}

impl ISynchronize_Impl for EventObject_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        apartment::co_wait(dwFlags, dwMilliseconds, self.event())
    }

    unsafe fn Signal(&self) -> HRESULT {
        self.event().set();
        S_OK
    }

    unsafe fn Reset(&self) -> HRESULT {
        self.event().reset();
        S_OK
    }
}

impl ISynchronizeHandle_Impl for EventObject_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        // SAFETY: null or valid.
        match unsafe { ph.as_mut() } {
            Some(out) => self.handle.get(&self.own, out),
            None => E_INVALIDARG,
        }
    }
}

impl ISynchronizeEvent_Impl for EventObject_Impl {
    unsafe fn SetEventHandle(&self, ph: *mut HANDLE) -> HRESULT {
        // SAFETY: null or valid.
        match unsafe { ph.as_ref() } {
            Some(handle) => self.handle.set(*handle, &self.given),
            None => E_INVALIDARG,
        }
    }
}

unsafe fn create_manual(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's.
    unsafe { EventObject::create(false, outer, riid, ppv) }
}

unsafe fn create_auto(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    // SAFETY: the caller's.
    unsafe { EventObject::create(true, outer, riid, ppv) }
}

inventory::submit! { SystemClass { clsid: CLSID_ManualResetEvent, create: create_manual } }
inventory::submit! { SystemClass { clsid: CLSID_StdEvent, create: create_auto } }
