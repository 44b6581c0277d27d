//! The kernel handle of an event that an object owns: made when it is first asked for, closed with the object (SYNC-07).

use crate::abi::hresult::{E_OUTOFMEMORY, S_OK};
use crate::abi::types::HANDLE;
use crate::kernel::{Event, KernelObject};
use crate::platform;
use crate::process::Process;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use windows_core::HRESULT;

/// An event and, from the first question on, its handle in the process that asked.
pub(crate) struct EventHandle {
    event: Arc<Event>,
    handle: Mutex<Option<(HANDLE, Weak<Process>)>>,
}

impl EventHandle {
    pub(crate) fn new(event: Arc<Event>) -> Self {
        Self { event, handle: Mutex::new(None) }
    }

    /// The handle, which stays the object's own.
    pub(crate) fn get(&self, out: &mut HANDLE) -> HRESULT {
        *out = HANDLE::NULL;
        let mut slot = self.handle.lock();
        if slot.is_none() {
            let process = platform::with_current(|thread| thread.process().clone());
            match process.handles.insert(KernelObject::Event(self.event.clone())) {
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
