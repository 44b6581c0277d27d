//! Awaiting a call that `Begin_` has started.
//!
//! What is waited for is settled when the future is made:
//! - a call object of this library whose `ISynchronize` is its own: its event;
//! - one whose outer object answers `ISynchronize` itself (AGG-03): the call in flight. The outer's `Signal` may come
//!   later, and its handle, if it shows one, may be another's; `Finish_` waits for the outer in any case;
//! - any other call object (a server's own, called without a proxy): the handle that its `ISynchronizeHandle` shows.
//!
//! Looking takes nothing: an automatic-reset event keeps its signal for `Finish_`.

use super::signal::Watch;
use crate::abi::hresult::E_NOINTERFACE;
use crate::abi::interfaces::{ICancelMethodCalls, ISynchronizeHandle};
use crate::abi::types::HANDLE;
use crate::call::{self, Completion};
use crate::kernel::{self, KernelObject};
use crate::platform;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use windows_core::{HRESULT, IUnknown, Interface};

/// Resolves when a call is complete, and gives the call object's interface, for `Finish_`. Made by [`begun`].
///
/// Dropped before that it cancels the call (`ICancelMethodCalls::Cancel(0)`): the server is asked to stop and the call
/// object's next step is `Finish_`, as after every cancellation (CXL-08). [`Begun::keep`] leaves the call alone instead.
///
/// It is not `Send`: a call object belongs to its apartment. To wait on another thread, await the call object's handle
/// ([`super::resume_on_signal`]) there.
#[must_use = "dropping it cancels the call"]
pub struct Begun<I: Interface> {
    call: I,
    state: State,
    cancels: bool,
}

enum State {
    Waiting(Watch),
    /// No call is in flight; `Finish_` will say so.
    Nothing,
    Failed(HRESULT),
    Resolved,
}

/// A future for the call that was begun on `call`, a call object or any interface of one.
///
/// Its output is an error only where the call object offers no way to wait for it without blocking a thread:
/// `E_NOINTERFACE` when it has no `ISynchronizeHandle`, or what `GetHandle` said.
pub fn begun<I: Interface>(call: &I) -> Begun<I> {
    let state = settle(call).unwrap_or_else(State::Failed);
    Begun { call: call.clone(), state, cancels: true }
}

fn settle(call: &impl Interface) -> Result<State, HRESULT> {
    let call = call.cast::<IUnknown>().map_err(|error| error.code())?;
    match call::completion(&call) {
        Completion::Event(event) => Ok(State::Waiting(Watch::new(event))),
        Completion::Nothing => Ok(State::Nothing),
        Completion::Unknown => {
            let handles = call.cast::<ISynchronizeHandle>().map_err(|_| E_NOINTERFACE)?;
            let mut handle = HANDLE::NULL;
            // SAFETY: a live interface and a place of our own.
            unsafe { handles.GetHandle(&mut handle) }.ok().map_err(|error| error.code())?;
            let object = platform::with_current(|thread| thread.process().handles.get(handle));
            object.map(|object: KernelObject| State::Waiting(Watch::new(object.to_waitable()))).ok_or(E_NOINTERFACE)
        }
    }
}

impl<I: Interface> Begun<I> {
    /// The same future, but dropping it leaves the call alone.
    pub fn keep(mut self) -> Self {
        self.cancels = false;
        self
    }

    /// Stops waiting and gives the call object back; the call goes on.
    pub fn detach(self) -> I {
        self.keep().call.clone()
    }
}

impl<I: Interface> Unpin for Begun<I> {}

impl<I: Interface> Future for Begun<I> {
    type Output = windows_core::Result<I>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let failure = match &mut this.state {
            State::Waiting(watch) => match watch.poll(cx, kernel::is_ready) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => None,
            },
            State::Nothing | State::Resolved => None,
            State::Failed(hr) => Some(*hr),
        };
        this.state = State::Resolved;
        Poll::Ready(match failure {
            None => Ok(this.call.clone()),
            Some(hr) => Err(hr.into()),
        })
    }
}

impl<I: Interface> Drop for Begun<I> {
    fn drop(&mut self) {
        if let State::Waiting(_) = self.state
            && self.cancels
            && let Ok(cancel) = self.call.cast::<ICancelMethodCalls>()
        {
            // SAFETY: a live interface, in the call object's apartment. A call that is complete says so, which is fine.
            let _ = unsafe { cancel.Cancel(0) };
        }
    }
}

impl<I: Interface> fmt::Debug for Begun<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("cancels", &self.cancels).finish_non_exhaustive()
    }
}
