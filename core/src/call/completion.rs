//! What to wait for when a call object's completion is awaited: for `future`.
//!
//! Any interface of an aggregate may be asked. The outer object passes the question on if it delegates blindly (AGG-05);
//! the answer is the inner call object's.

use super::async_channel::Pending;
use crate::abi::interfaces::ISynchronize;
use crate::channel::Call;
use crate::interface;
use crate::kernel::{Header, Mode, Waitable, sealed};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use windows_core::{IUnknown, Interface};

/// Known to this library only: tells a call object of ours from every other object.
#[interface("6c9d1c52-0d4e-4a7c-8f0b-6f6c65616e64")]
pub(crate) unsafe trait IClientCall: IUnknown {
    /// A counted `Arc<Pending>`.
    fn Pending(&self) -> *mut c_void;
}

/// How to wait for a call object without blocking a thread.
pub(crate) enum Completion {
    /// Until this is set.
    Event(Arc<dyn Waitable>),
    /// There is no call in flight.
    Nothing,
    /// It is none of our call objects, or it cannot be reached through its outer object.
    Unknown,
}

/// What to wait for, for the call that is in flight now. Called in the call object's apartment.
pub(crate) fn completion(object: &IUnknown) -> Completion {
    let Ok(private) = object.cast::<IClientCall>() else { return Completion::Unknown };
    // SAFETY: only `ClientCall` answers that interface, with a counted pointer of this type.
    let pending = unsafe { Arc::from_raw(private.Pending().cast_const().cast::<Pending>()) };
    let Some(call) = pending.call() else { return Completion::Nothing };
    let own_sync = pending.own_sync.load(Ordering::Acquire);
    let own = object.cast::<ISynchronize>().is_ok_and(|sync| sync.as_raw() as usize == own_sync);
    Completion::Event(if own { pending.event.clone() } else { call })
}

impl sealed::Sealed for Call {}

/// A call is ready when its fate is decided.
impl Waitable for Call {
    fn header(&self) -> &Header {
        self.done.header()
    }
    fn mode(&self) -> Mode<'_> {
        self.done.mode()
    }
}
