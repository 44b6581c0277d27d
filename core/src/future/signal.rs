//! Waiting for kernel objects.

use super::registered::Registered;
use crate::abi::hresult::{E_HANDLE, E_INVALIDARG};
use crate::abi::types::HANDLE;
use crate::backend;
use crate::kernel::{self, Callback, KernelObject, Registration, Waitable};
use crate::platform::sync::Mutex;
use crate::platform::{self, Deadline, Why};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use windows_core::HRESULT;

/// What a future and its callback share.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waker: Option<Waker>,
    /// The callback was called: the next poll registers anew.
    called: bool,
}

impl Slot {
    /// Wakes who waits.
    fn call(&self) {
        let waker = {
            let mut state = self.state.lock();
            state.called = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            super::wake(waker);
        }
    }

    /// Has the callback wake `waker` from now on; `false` if the callback was called already.
    fn rewire(&self, waker: &Waker) -> bool {
        if self.state.lock().waker.as_ref().is_some_and(|mine| mine.will_wake(waker)) {
            return true;
        }
        self.put(waker, |state| !state.called)
    }

    fn put(&self, waker: &Waker, allowed: impl FnOnce(&mut State) -> bool) -> bool {
        let new = waker.clone();
        let (kept, old) = {
            let mut state = self.state.lock();
            if allowed(&mut state) { (true, state.waker.replace(new)) } else { (false, Some(new)) }
        };
        drop(old);
        kept
    }
}

/// Wakes a task when an object is ready.
pub(super) struct Watch {
    object: Arc<dyn Waitable>,
    /// The registration, once there is one, and what its callback shares with us.
    told: Option<(Registration, Arc<Slot>, Callback)>,
}

impl Watch {
    pub(super) fn new(object: Arc<dyn Waitable>) -> Self {
        Self { object, told: None }
    }

    /// Ready when `look` says so; else the task is woken when the object is ready.
    pub(super) fn poll(&mut self, cx: &Context<'_>, look: impl FnOnce(&dyn Waitable) -> bool) -> Poll<()> {
        if look(&*self.object) {
            self.told = None;
            return Poll::Ready(());
        }
        if let Some((_, slot, _)) = &self.told
            && slot.rewire(cx.waker())
        {
            return Poll::Pending;
        }
        self.register(cx.waker());
        Poll::Pending
    }

    /// Registers, for the first time or once more: another was faster to take what made the object ready.
    fn register(&mut self, waker: &Waker) {
        let (slot, callback) = match self.told.take() {
            Some((_called, slot, callback)) => (slot, callback),
            None => {
                let slot = Arc::new(Slot::default());
                let shared = slot.clone();
                (slot, Arc::new(move || shared.call()) as Callback)
            }
        };
        slot.put(waker, |state| {
            state.called = false;
            true
        });
        // An object that has become ready since the look calls at once, so no signal is missed.
        let registration = kernel::on_signal(self.object.clone(), callback.clone());
        self.told = Some((registration, slot, callback));
    }
}

/// Resolves when a kernel object is signalled; what a wait takes from the object is taken then. Made by
/// [`resume_on_signal`] and by `.await` on a handle.
///
/// It is `Send`: a handle belongs to no apartment.
#[must_use = "futures do nothing unless polled"]
pub struct OnSignal(Result<Source, HRESULT>);

enum Source {
    Own(Watch),
    System(Registered),
}

/// A future that resolves when `handle`'s object is signalled.
///
/// It refers to the object and not to the handle, which may be closed meanwhile. An automatic-reset event, or a semaphore,
/// gives its signal to one waiter: the future takes it when it resolves. A stale handle gives `E_HANDLE`. A mutex gives
/// `E_INVALIDARG`: it belongs to a thread, and a future to none. On the system's COM a mutex is not told apart, and must not be
/// awaited; and a future that is dropped just when its object is signalled may have taken the signal.
pub fn resume_on_signal(handle: HANDLE) -> OnSignal {
    if backend::is_system() {
        return OnSignal(Registered::new(handle).map(Source::System));
    }
    let object = platform::with_current(|thread| thread.process().handles.get(handle));
    OnSignal(match object {
        None => Err(E_HANDLE),
        Some(KernelObject::Mutex(_)) => Err(E_INVALIDARG),
        Some(object) => Ok(Source::Own(Watch::new(object.to_waitable()))),
    })
}

impl Future for OnSignal {
    type Output = windows_core::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(Source::Own(watch)) => watch.poll(cx, take).map(Ok),
            Ok(Source::System(wait)) => wait.poll(cx).map_err(Into::into),
            Err(hr) => Poll::Ready(Err((*hr).into())),
        }
    }
}

fn take(object: &dyn Waitable) -> bool {
    kernel::wait_any(&[object], Deadline::NOW, Why::Wait).is_some()
}

impl IntoFuture for HANDLE {
    type Output = windows_core::Result<()>;
    type IntoFuture = OnSignal;

    /// [`resume_on_signal`].
    fn into_future(self) -> OnSignal {
        resume_on_signal(self)
    }
}

impl fmt::Debug for OnSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnSignal").finish_non_exhaustive()
    }
}
