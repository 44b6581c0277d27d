//! SieveClient: one function for each mode. They read like the article's and the post's own examples.

mod call;
mod handles;
mod notify;
mod sync_cancel;

use crate::cli::{Mode, Options};
use crate::com::{Apartment, Kind, name, out};
use crate::interface::{CLSID_Sieve, ISieve};
use crate::timeline::say;
use call::Call;
use oleander::future::{block_on, resume_on_signal};
use oleander::windows_core::{Error, HRESULT, Result};
use oleander::*;
use std::ptr::null_mut;

/// How a mode ended that went as told.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call came back with the count.
    Primes(u32),
    /// The call was cancelled.
    Cancelled,
    /// Nobody waited for the result.
    Abandoned,
}

/// Creates a sieve object and calls it as the options say. The client's apartment ends with this function.
pub fn run(options: &Options) -> Result<Outcome> {
    let apartment = Apartment::enter(Kind::Sta, "client STA")?;
    // SAFETY: the class id and the place are valid.
    let sieve: ISieve =
        out(|iid, ppv| unsafe { CoCreateInstance(&CLSID_Sieve, null_mut(), CLSCTX_LOCAL_SERVER, iid, ppv) })?;
    say!("CoCreateInstance(CLSID_Sieve): a proxy of ISieve");
    let max = options.max;
    let outcome = match options.mode {
        Mode::Sync => synchronous(&sieve, max),
        Mode::Async => asynchronous(&sieve, max),
        Mode::Poll => poll(&sieve, max),
        Mode::Notify => notify::notify(&sieve, max),
        Mode::Cancel => cancel(&sieve, max, options.cancel_after_ms),
        Mode::Abandon => abandon(&sieve, max, options.cancel_after_ms),
        Mode::FirstOfTwo => handles::first_of_two(&sieve, max),
        Mode::DuplicateHandle => handles::duplicate_handle(&sieve, max),
        Mode::Await => block_on(awaited(&sieve, max)),
        Mode::SyncCancel => sync_cancel::sync_cancel(&sieve, max, options.cancel_after_ms),
    };
    drop(sieve);
    drop(apartment);
    outcome
}

/// What a finished call means: the count, or that the call was cancelled; anything else is a failure.
fn outcome(finished: Result<u32>) -> Result<Outcome> {
    match finished {
        Ok(primes) => Ok(Outcome::Primes(primes)),
        Err(error) if error.code() == RPC_S_CALL_CANCELLED_HR => Ok(Outcome::Cancelled),
        Err(error) => Err(error),
    }
}

/// The blocking call, with its line in the timeline.
fn count_primes(sieve: &ISieve, max: u32) -> Result<u32> {
    let mut primes = 0;
    say!("CountPrimes({max}): blocks");
    // SAFETY: a pointer of this apartment, a place of our own.
    let hr = unsafe { sieve.CountPrimes(max, &mut primes) };
    say!("CountPrimes → {}", name(hr));
    if hr.is_ok() { Ok(primes) } else { Err(Error::from_hresult(hr)) }
}

fn synchronous(sieve: &ISieve, max: u32) -> Result<Outcome> {
    outcome(count_primes(sieve, max))
}

fn asynchronous(sieve: &ISieve, max: u32) -> Result<Outcome> {
    let call = Call::create(sieve)?;
    call.begin(max)?;
    say!("is free to do something else");
    outcome(call.finish())
}

/// Asks from time to time, each time with twice the patience.
fn poll(sieve: &ISieve, max: u32) -> Result<Outcome> {
    let call = Call::create(sieve)?;
    call.begin(max)?;
    let mut ms = 0;
    while is_pending(call.wait(ms))? {
        ms = (2 * ms).max(1);
    }
    outcome(call.finish())
}

/// Loses patience: asks the server to stop, and is free at once, whatever the server does.
fn cancel(sieve: &ISieve, max: u32, after_ms: u32) -> Result<Outcome> {
    let call = Call::create(sieve)?;
    call.begin(max)?;
    if is_pending(call.wait(after_ms))? {
        call.cancel()?;
    }
    // To be used again, or to be rid of the call properly, the call object wants its Finish_ even so.
    outcome(call.finish())
}

/// Loses patience and walks away. No Finish_ is needed; the call object is gone with its last reference.
fn abandon(sieve: &ISieve, max: u32, after_ms: u32) -> Result<Outcome> {
    let call = Call::create(sieve)?;
    call.begin(max)?;
    if !is_pending(call.wait(after_ms))? {
        return outcome(call.finish());
    }
    drop(call);
    say!("releases the call object with the call pending");
    Ok(Outcome::Abandoned)
}

/// The future's thread is the client's, and `block_on` serves its apartment as long as there is nothing to resume.
async fn awaited(sieve: &ISieve, max: u32) -> Result<Outcome> {
    let call = Call::create(sieve)?;
    call.begin(max)?;
    say!("resume_on_signal(handle).await: is suspended");
    resume_on_signal(call.raw_handle()?).await?;
    say!("is resumed");
    outcome(call.finish())
}

/// What ISynchronize::Wait says of a call: `RPC_S_CALLPENDING` is an answer, not a failure.
fn is_pending(hr: HRESULT) -> Result<bool> {
    match hr {
        S_OK => Ok(false),
        RPC_S_CALLPENDING => Ok(true),
        hr => Err(hr.into()),
    }
}
