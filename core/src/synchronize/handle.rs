//! The kernel handle of an event that an object owns: made when it is first asked for, or given to the object; closed with
//! the object (SYNC-07, SYNC-09).
//!
//! `handle` is set once, under its lock, and never changes after; `given` is set before it, by the one who sets it. The
//! lock is held for moments only, and nothing is waited for or signalled under it.

use crate::abi::hresult::{E_HANDLE, E_INVALIDARG, E_OUTOFMEMORY, E_UNEXPECTED, S_OK};
use crate::abi::types::HANDLE;
use crate::kernel::{Event, KernelObject, Waitable};
use crate::platform::{self, Fact};
use crate::process::Process;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock, Weak};
use windows_core::HRESULT;

/// An event and, from the first question on, its handle in the process that asked.
pub(crate) struct EventHandle {
    own: Arc<Event>,
    given: OnceLock<Arc<Event>>,
    handle: Mutex<Option<(HANDLE, Weak<Process>)>>,
}

impl EventHandle {
    pub(crate) fn new(event: Arc<Event>) -> Self {
        platform::tell(|| Fact::Synchronizes(event.header().object()));
        Self { own: event, given: OnceLock::new(), handle: Mutex::new(None) }
    }

    /// The event: that of the handle that was given, else the object's own.
    pub(crate) fn event(&self) -> &Arc<Event> {
        self.given.get().unwrap_or(&self.own)
    }

    /// Takes a handle of an event over, and the event with it. `E_UNEXPECTED` when there is a handle already, given or
    /// handed out (SYNC-10); the handle stays the caller's then.
    pub(crate) fn set(&self, handle: HANDLE) -> HRESULT {
        let process = platform::with_current(|thread| thread.process().clone());
        let event = match process.handles.get(handle) {
            Some(KernelObject::Event(event)) => event,
            Some(_) => return E_INVALIDARG,
            None => return E_HANDLE,
        };
        let mut slot = self.handle.lock();
        if slot.is_some() || self.given.set(event).is_err() {
            return E_UNEXPECTED;
        }
        *slot = Some((handle, Arc::downgrade(&process)));
        S_OK
    }

    /// The handle, which stays the object's own.
    pub(crate) fn get(&self, out: &mut HANDLE) -> HRESULT {
        *out = HANDLE::NULL;
        let mut slot = self.handle.lock();
        if slot.is_none() {
            let process = platform::with_current(|thread| thread.process().clone());
            match process.handles.insert(KernelObject::Event(self.own.clone())) {
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
        if let Some((handle, process)) = self.handle.get_mut().take()
            && let Some(process) = process.upgrade()
        {
            drop(process.handles.close(handle));
        }
    }
}
