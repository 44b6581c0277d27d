//! Work that the machinery itself does in another apartment: queries, final releases, activation.

use super::application::{self, Chain, Gate};
use super::{Apartment, Filter, Scope, Stay, is_leaving, wait_reply};
use crate::abi::hresult::{RO_E_BLOCKED_CROSS_ASTA_CALL, RPC_E_DISCONNECTED, RPC_E_SERVERFAULT, RPC_S_UNKNOWN_IF_HR};
use crate::channel::{Caller, Kind, client};
use crate::kernel::{self, Event, Task};
use crate::network;
use crate::object::guard;
use crate::platform;
use crate::process::Process;
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT};

type Job<R> = Box<dyn FnOnce() -> R + Send>;

struct Remote<R> {
    place: Weak<Apartment>,
    /// Who calls, and whether its own chain is let in, when it is a user's call.
    caller: Option<(Caller, bool)>,
    job: Mutex<Option<Job<R>>>,
    result: Mutex<Option<R>>,
    failure: Mutex<HRESULT>,
    done: Event,
}

impl<R: Send + 'static> Task for Remote<R> {
    fn run(self: Arc<Self>) {
        if is_leaving() {
            return self.abandon();
        }
        if let Some((caller, reenters)) = &self.caller {
            match application::gate(caller, *reenters) {
                Gate::Open => {}
                Gate::Held => return application::hold(self),
                Gate::Blocked => {
                    *self.failure.lock() = RO_E_BLOCKED_CROSS_ASTA_CALL;
                    return self.abandon();
                }
            }
        }
        let job = self.job.lock().take();
        if let Some(job) = job {
            let stay = Stay::for_task(|| self.place.upgrade());
            let scope = Scope::of_machinery();
            match guarded(job) {
                Ok(result) => *self.result.lock() = Some(result),
                Err(hr) => *self.failure.lock() = hr,
            }
            drop(scope);
            drop(stay);
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
struct Posted<R, T> {
    place: Weak<Apartment>,
    work: Mutex<Option<(Job<R>, T)>>,
}

impl<R, T: FnOnce(Result<R, HRESULT>) + Send> Posted<R, T> {
    fn take(&self) -> Option<(Job<R>, T)> {
        self.work.lock().take()
    }
}

impl<R: Send, T: FnOnce(Result<R, HRESULT>) + Send> Task for Posted<R, T> {
    fn run(self: Arc<Self>) {
        if is_leaving() {
            return self.abandon();
        }
        let Some((job, then)) = self.take() else { return };
        let stay = Stay::for_task(|| self.place.upgrade());
        let scope = Scope::of_machinery();
        then(guarded(job));
        drop(scope);
        drop(stay);
    }

    fn abandon(self: Arc<Self>) {
        let Some((job, then)) = self.take() else { return };
        drop(job);
        then(Err(RPC_E_DISCONNECTED));
    }
}

/// Has `job` run in an apartment, and `then` hear of its end there: its result, `RPC_E_SERVERFAULT` when it panicked,
/// `RPC_E_DISCONNECTED` when the apartment ended first. Waits for nothing. Gives `then` back when the apartment has ended
/// already. For an apartment of another process `then` runs on a thread of this one's pool.
pub(crate) fn post_to<R, T>(
    apartment: &Arc<Apartment>,
    job: impl FnOnce() -> R + Send + 'static,
    then: T,
) -> Result<(), T>
where
    R: Send + 'static,
    T: FnOnce(Result<R, HRESULT>) + Send + 'static,
{
    if !apartment.is_foreign() {
        return post_here(apartment, job, then);
    }
    let process = Process::current();
    // In a place from which it comes back where nothing is sent.
    let then = Arc::new(Mutex::new(Some(then)));
    let told = then.clone();
    let aside = move |result| {
        let then = told.lock().take();
        if let Some(then) = then {
            kernel::queue_work_item_in(&process, move || then(result));
        }
    };
    match network::ask(apartment, job, aside) {
        Ok(()) => Ok(()),
        Err(_) => {
            let then = then.lock().take();
            then.map_or(Ok(()), Err)
        }
    }
}

/// [`post_to`] for whoever stands for the apartment's own process.
pub(crate) fn post_here<R, T>(
    apartment: &Arc<Apartment>,
    job: impl FnOnce() -> R + Send + 'static,
    then: T,
) -> Result<(), T>
where
    R: Send + 'static,
    T: FnOnce(Result<R, HRESULT>) + Send + 'static,
{
    let work = Mutex::new(Some((Box::new(job) as Job<R>, then)));
    let posted = Arc::new(Posted { place: Arc::downgrade(apartment), work });
    if apartment.deliver(posted.clone()).is_ok() {
        return Ok(());
    }
    // Nobody else has it.
    posted.take().map_or(Ok(()), |(_, then)| Err(then))
}

fn guarded<R>(job: impl FnOnce() -> R) -> Result<R, HRESULT> {
    catch_unwind(AssertUnwindSafe(job)).map_err(|payload| {
        guard::on_panic(payload);
        RPC_E_SERVERFAULT
    })
}

/// Runs `job` in an apartment and waits for it, dispatching as an STA does while it waits for a reply. Fails with
/// `RPC_E_DISCONNECTED` when the apartment ends first, with 0x800706B5 when it has ended already. In the apartment itself,
/// and where the thread may step in, the job runs at once.
pub(crate) fn run_in<R: Send + 'static>(
    apartment: &Arc<Apartment>,
    job: impl FnOnce() -> R + Send + 'static,
) -> Result<R, HRESULT> {
    run_for(None, apartment, job)
}

fn run_for<R: Send + 'static>(
    caller: Option<(Caller, bool)>,
    apartment: &Arc<Apartment>,
    job: impl FnOnce() -> R + Send + 'static,
) -> Result<R, HRESULT> {
    if apartment.is_current() {
        return Ok(job());
    }
    if apartment.is_foreign() {
        return run_away(apartment, job);
    }
    if apartment.is_within_reach() {
        if apartment.has_ended() {
            return Err(RPC_S_UNKNOWN_IF_HR);
        }
        let stay = Stay::enter(apartment);
        let result = guarded(job);
        drop(stay);
        return result;
    }
    let process = Process::current();
    let remote = Arc::new(Remote {
        place: Arc::downgrade(apartment),
        caller,
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

/// [`run_in`] for an apartment of another process.
fn run_away<R: Send + 'static>(
    apartment: &Arc<Apartment>,
    job: impl FnOnce() -> R + Send + 'static,
) -> Result<R, HRESULT> {
    let done = Arc::new(Event::new(&Process::current(), false, false));
    let (result, told) = (Arc::new(Mutex::new(None)), done.clone());
    let to = result.clone();
    let then = move |answer| {
        *to.lock() = Some(answer);
        told.set();
    };
    network::ask(apartment, job, then).map_err(|(hr, _)| hr)?;
    let _ = wait_reply(&done, Filter::Ignore);
    let answer = result.lock().take();
    answer.unwrap_or(Err(RPC_E_DISCONNECTED))
}

/// [`run_in`] for what is a user's call: not from where calls are forbidden (MSG-10, MF-08), and into an application STA as
/// calls are, without its own chain if not `reenters` (MSG-17). The logical thread goes along.
pub(crate) fn call_in<R: Send + 'static>(
    apartment: &Arc<Apartment>,
    reenters: bool,
    job: impl FnOnce() -> R + Send + 'static,
) -> Result<R, HRESULT> {
    if apartment.is_current() {
        return Ok(job());
    }
    client::may_call_out()?;
    let caller = client::caller(Kind::Synchronous, None);
    let (logical, chain) = (caller.logical, caller.chain);
    run_for(Some((caller, reenters)), apartment, move || {
        let behalf = Behalf::of(logical, chain);
        let result = job();
        drop(behalf);
        result
    })
}

/// The thread works on behalf of a caller until this is dropped, which a job that panics does, too.
struct Behalf {
    logical: GUID,
    chain: Chain,
}

impl Behalf {
    fn of(logical: GUID, chain: Chain) -> Self {
        platform::with_current(|thread| {
            let com = thread.com();
            Self { logical: com.logical.replace(logical), chain: com.application.chain.replace(chain) }
        })
    }
}

impl Drop for Behalf {
    fn drop(&mut self) {
        platform::with_current(|thread| {
            thread.com().logical.set(self.logical);
            thread.com().application.chain.set(self.chain);
        });
    }
}
