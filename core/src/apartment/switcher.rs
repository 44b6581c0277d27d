//! Contexts of their own inside an apartment, made by `CLSID_ContextSwitcher`: objects in one are reached through proxies
//! from everywhere else, the rest of their apartment included, on the threads of that apartment. `CoDisconnectContext` cuts
//! such a context's objects off (MRSH-22).
//!
//! `calls` counts the calls that are inside, under a lock of its own; `quiet` is set while there are none, after the lock
//! is free. A context ends with its apartment.

use super::context::ObjectContext;
use super::{Apartment, Context, Stay, co_wait_until, current};
use crate::abi::clsid::CLSID_ContextSwitcher;
use crate::abi::exports::export;
use crate::abi::hresult::{
    CLASS_E_NOAGGREGATION, CO_E_NOT_SUPPORTED, CO_E_NOTINITIALIZED, CONTEXT_E_WOULD_DEADLOCK, RPC_E_TIMEOUT, S_OK,
};
use crate::apartment::Home;
use crate::kernel::{Event, Task};
use crate::object::SystemClass;
use crate::platform::{self, Deadline};
use crate::process::Process;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT};

/// What makes an apartment a context inside another one.
pub(crate) struct PrivateContext {
    pub(super) parent: Arc<Apartment>,
    /// The configured class whose objects live here.
    class: Option<GUID>,
    calls: Mutex<u32>,
    quiet: Event,
}

impl PrivateContext {
    pub(super) fn new(process: &Process, parent: Arc<Apartment>) -> Self {
        Self { parent, class: None, calls: Mutex::default(), quiet: Event::new(process, false, true) }
    }

    /// A context for the objects of a configured class.
    pub(super) fn configured(process: &Process, parent: Arc<Apartment>, clsid: GUID) -> Self {
        Self { class: Some(clsid), ..Self::new(process, parent) }
    }

    /// Whether it is the context of this configured class.
    pub(super) fn is_for(&self, clsid: &GUID) -> bool {
        self.class == Some(*clsid)
    }

    /// Hands work to the apartment around, whose thread steps in for it.
    pub(super) fn deliver(&self, own: &Arc<Apartment>, task: Arc<dyn Task>) -> Result<(), Arc<dyn Task>> {
        if own.has_ended() {
            return Err(task);
        }
        self.parent.deliver(Arc::new(StepIn { place: own.clone(), task }))
    }
}

impl Apartment {
    /// Whether its objects are of a configured class: those have no asynchronous calls (CALL-40).
    pub(crate) fn is_configured(&self) -> bool {
        matches!(&self.home, Home::Context(context) if context.class.is_some())
    }
}

/// A task on its way into a context.
struct StepIn {
    place: Arc<Apartment>,
    task: Arc<dyn Task>,
}

impl Task for StepIn {
    fn run(self: Arc<Self>) {
        if self.place.has_ended() {
            return self.abandon();
        }
        let stay = Stay::enter(&self.place);
        self.task.clone().run();
        drop(stay);
    }

    fn abandon(self: Arc<Self>) {
        self.task.clone().abandon();
    }
}

/// A call is inside its context while this lives.
pub(crate) struct Inside(Option<Arc<Apartment>>);

impl Inside {
    /// The calling thread begins to serve a call, and is where its object lives.
    pub(crate) fn enter() -> Self {
        let here =
            platform::with_current(|thread| if thread.com().is_visiting() { thread.com().apartment() } else { None });
        let Some(place) = here else { return Self(None) };
        let Home::Context(context) = &place.home else { return Self(None) };
        let first = {
            let mut calls = context.calls.lock();
            *calls += 1;
            *calls == 1
        };
        if first {
            context.quiet.reset();
        }
        Self(Some(place))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let Some(Home::Context(context)) = self.0.as_ref().map(|place| &place.home) else { return };
        let last = {
            let mut calls = context.calls.lock();
            *calls -= 1;
            *calls == 0
        };
        if last {
            context.quiet.set();
        }
    }
}

/// Whether the thread is in a call of an object that lives in `place`.
fn serves_in(place: &Arc<Apartment>) -> bool {
    platform::with_current(|thread| match &*thread.com().context.borrow() {
        Context::Call(call) => call.target.apartment.upgrade().is_some_and(|there| Arc::ptr_eq(&there, place)),
        Context::None => false,
    })
}

unsafe fn create(outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    if !outer.is_null() {
        return CLASS_E_NOAGGREGATION;
    }
    let Some(here) = current() else { return CO_E_NOTINITIALIZED };
    let process = Process::current();
    let context = process.apartments.new_context(&process, &here);
    // SAFETY: the caller's pointers; the apartment keeps its context.
    unsafe { ObjectContext::query(Arc::as_ptr(ObjectContext::of(&context)), riid, ppv) }
}

inventory::submit! { SystemClass { clsid: CLSID_ContextSwitcher, create } }

export! {
    /// Cuts off the clients of all objects in the calling thread's context, and waits up to `dwTimeout` milliseconds for the
    /// calls that run there. `S_OK`; `RPC_E_TIMEOUT` when calls still run (call it again); `CO_E_NOT_SUPPORTED` in the
    /// context that an apartment begins with; `CONTEXT_E_WOULD_DEADLOCK` from a method of an object that lives in the
    /// context (MRSH-22). Asynchronous calls that a server has begun are not waited for (SRV-19).
    ///
    /// # Safety
    /// None beyond COM's own.
    pub unsafe fn CoDisconnectContext(dwTimeout: u32) -> HRESULT {
        let Some(here) = current() else { return CO_E_NOTINITIALIZED };
        let Home::Context(context) = &here.home else { return CO_E_NOT_SUPPORTED };
        if serves_in(&here) {
            return CONTEXT_E_WOULD_DEADLOCK;
        }
        here.exports.disconnect_all();
        if co_wait_until(&context.quiet, Deadline::after_ms(dwTimeout)) { S_OK } else { RPC_E_TIMEOUT }
    }
}
