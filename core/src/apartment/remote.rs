//! Work that the machinery itself does in another apartment: queries, final releases, activation.

use super::{Apartment, Filter, wait_reply};
use crate::abi::hresult::{RPC_E_DISCONNECTED, RPC_E_SERVERFAULT, RPC_S_UNKNOWN_IF_HR};
use crate::kernel::{Event, Task};
use crate::object::guard;
use crate::process::Process;
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use windows_core::HRESULT;

type Job<R> = Box<dyn FnOnce() -> R + Send>;

struct Remote<R> {
    job: Mutex<Option<Job<R>>>,
    result: Mutex<Option<R>>,
    failure: Mutex<HRESULT>,
    done: Event,
}

impl<R: Send + 'static> Task for Remote<R> {
    fn run(self: Arc<Self>) {
        let job = self.job.lock().take();
        if let Some(job) = job {
            match catch_unwind(AssertUnwindSafe(job)) {
                Ok(result) => *self.result.lock() = Some(result),
                Err(payload) => {
                    guard::on_panic(payload);
                    *self.failure.lock() = RPC_E_SERVERFAULT;
                }
            }
        }
        self.done.set();
    }

    fn abandon(self: Arc<Self>) {
        let job = self.job.lock().take();
        drop(job);
        self.done.set();
    }
}

/// A job, and who hears what became of it.
struct Posted<R, T>(Mutex<Option<(Job<R>, T)>>);

impl<R, T: FnOnce(Result<R, HRESULT>) + Send> Posted<R, T> {
    fn take(&self) -> Option<(Job<R>, T)> {
        self.0.lock().take()
    }
}

impl<R: Send, T: FnOnce(Result<R, HRESULT>) + Send> Task for Posted<R, T> {
    fn run(self: Arc<Self>) {
        let Some((job, then)) = self.take() else { return };
        let result = catch_unwind(AssertUnwindSafe(job)).map_err(|payload| {
            guard::on_panic(payload);
            RPC_E_SERVERFAULT
        });
        then(result);
    }

    fn abandon(self: Arc<Self>) {
        let Some((job, then)) = self.take() else { return };
        drop(job);
        then(Err(RPC_E_DISCONNECTED));
    }
}

/// Has `job` run in an apartment, and `then` hear of its end there: its result, `RPC_E_SERVERFAULT` when it panicked,
/// `RPC_E_DISCONNECTED` when the apartment ended first. Waits for nothing. Gives `then` back when the apartment has ended
/// already.
pub(crate) fn post_to<R, T>(apartment: &Apartment, job: impl FnOnce() -> R + Send + 'static, then: T) -> Result<(), T>
where
    R: Send + 'static,
    T: FnOnce(Result<R, HRESULT>) + Send + 'static,
{
    let posted = Arc::new(Posted(Mutex::new(Some((Box::new(job) as Job<R>, then)))));
    if apartment.deliver(posted.clone()).is_ok() {
        return Ok(());
    }
    // Nobody else has it.
    posted.take().map_or(Ok(()), |(_, then)| Err(then))
}

/// Runs `job` in an apartment and waits for it, dispatching as an STA does while it waits for a reply. Fails with
/// `RPC_E_DISCONNECTED` when the apartment ends first, with 0x800706B5 when it has ended already. In the apartment itself the job runs at once.
pub(crate) fn run_in<R: Send + 'static>(
    apartment: &Arc<Apartment>,
    job: impl FnOnce() -> R + Send + 'static,
) -> Result<R, HRESULT> {
    if apartment.is_current() {
        return Ok(job());
    }
    let process = Process::current();
    let remote = Arc::new(Remote {
        job: Mutex::new(Some(Box::new(job))),
        result: Mutex::new(None),
        failure: Mutex::new(RPC_E_DISCONNECTED),
        done: Event::new(&process, false, false),
    });
    if let Err(task) = apartment.deliver(remote.clone()) {
        *remote.failure.lock() = RPC_S_UNKNOWN_IF_HR;
        task.abandon();
    }
    // The message filter sees the calls of users only (MF-07), so nothing can cancel this wait.
    let _ = wait_reply(&remote.done, Filter::Ignore);
    let result = remote.result.lock().take();
    result.ok_or_else(|| *remote.failure.lock())
}
