//! The kernel handle of an event that an object owns: made when it is first asked for, or given to the object; closed with
//! the object (SYNC-07, SYNC-09).
//!
//! It is set once, under its lock, and never changes after; an event that was given is there before it. The lock is held for
//! moments only, and nothing is waited for or signalled under it.

use crate::abi::hresult::{E_HANDLE, E_INVALIDARG, E_OUTOFMEMORY, E_UNEXPECTED, S_OK};
use crate::abi::types::HANDLE;
use crate::kernel::{Event, KernelObject, Waitable};
use crate::platform::{self, Fact};
use crate::process::Process;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock, Weak};
use windows_core::HRESULT;

/// From the first question on, the handle of an object's event in the process that asked.
pub(crate) struct EventHandle(Mutex<Option<(HANDLE, Weak<Process>)>>);

impl EventHandle {
    /// No handle yet, for an object with this event.
    pub(crate) fn new(event: &Event) -> Self {
        platform::tell(|| Fact::Synchronizes(event.header().object()));
        Self(Mutex::new(None))
    }

    /// Takes a handle of an event over, and into `given` the event. `E_UNEXPECTED` when there is a handle already, given or
    /// handed out (SYNC-10); the handle stays the caller's then.
    pub(crate) fn set(&self, handle: HANDLE, given: &OnceLock<Arc<Event>>) -> HRESULT {
        let process = platform::with_current(|thread| thread.process().clone());
        let event = match process.handles.get(handle) {
            Some(KernelObject::Event(event)) => event,
            Some(_) => return E_INVALIDARG,
            None => return E_HANDLE,
        };
        let mut slot = self.0.lock();
        if slot.is_some() || given.set(event).is_err() {
            return E_UNEXPECTED;
        }
        *slot = Some((handle, Arc::downgrade(&process)));
        S_OK
    }

    /// The handle, which stays the object's own; at first one is made for its own event.
    pub(crate) fn get(&self, own: &Arc<Event>, out: &mut HANDLE) -> HRESULT {
        *out = HANDLE::NULL;
        let mut slot = self.0.lock();
        if slot.is_none() {
            let process = platform::with_current(|thread| thread.process().clone());
            match process.handles.insert(KernelObject::Event(own.clone())) {
                Some(handle) => *slot = Some((handle, Arc::downgrade(&process))),
                None => return E_OUTOFMEMORY,
            }
        }
        if let Some((handle, _)) = &*slot {
            *out = *handle;
        }
        S_OK
    }
}

impl Drop for EventHandle {
    fn drop(&mut self) {
        if let Some((handle, process)) = self.0.get_mut().take()
            && let Some(process) = process.upgrade()
        {
            drop(process.handles.close(handle));
        }
    }
}
