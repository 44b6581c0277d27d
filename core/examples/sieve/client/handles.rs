//! Modes `first-of-two` and `duplicate-handle`: the kernel's event inside a call object.

use super::Outcome;
use super::call::Call;
use crate::com::{Event, name, wait_for_any};
use crate::interface::ISieve;
use crate::timeline::{name_thread, say};
use oleander::windows_core::{Error, Result};
use oleander::*;

/// Two calls at once, each with a call object of its own; the result of whichever is done first is looked at first.
pub(super) fn first_of_two(sieve: &ISieve, max: u32) -> Result<Outcome> {
    let calls = [Call::create(sieve)?, Call::create(sieve)?];
    let small = max / 10;
    calls[0].begin(max)?;
    calls[1].begin(small)?;
    let handles = [calls[0].raw_handle()?, calls[1].raw_handle()?];
    let first = wait_for_any(&handles, INFINITE)?;
    say!("CoWaitForMultipleHandles → call {} is done first", first + 1);
    // The one that is done is fetched at once; the other is waited for.
    let other = 1 - first;
    let mut primes = [0; 2];
    primes[first] = calls[first].finish()?;
    let _ = calls[other].wait(0);
    primes[other] = calls[other].finish()?;
    say!("call 1: {} primes up to {max}; call 2: {} primes up to {small}", primes[0], primes[1]);
    Ok(Outcome::Primes(primes[0]))
}

/// A second thread waits for the call's end with a handle of its own, which still works when the call object is gone.
pub(super) fn duplicate_handle(sieve: &ISieve, max: u32) -> Result<Outcome> {
    let call = Call::create(sieve)?;
    call.begin(max)?;
    let raw = call.raw_handle()?;
    let duplicate = Event::from_handle(duplicate(raw)?);
    let watcher = std::thread::spawn(move || {
        name_thread("watcher");
        let set = duplicate.wait(INFINITE);
        say!("the duplicate of the handle is set: {set}");
        duplicate
    });
    let finished = call.finish();
    drop(call);
    say!("releases the call object");
    let duplicate = watcher.join().map_err(|_| Error::from_hresult(E_UNEXPECTED))?;
    say!("the duplicate is still set: {}", duplicate.wait(0));
    match wait_for_any(&[raw], 0) {
        Ok(_) => say!("the call object's own handle is still open"),
        Err(error) => say!("the call object's own handle is closed: {}", name(error.code())),
    }
    super::outcome(finished)
}

fn duplicate(handle: HANDLE) -> Result<HANDLE> {
    let mut duplicate = HANDLE::NULL;
    // SAFETY: an open handle and a place of our own.
    let done = unsafe {
        let process = GetCurrentProcess();
        DuplicateHandle(process, handle, process, &mut duplicate, 0, false.into(), DUPLICATE_SAME_ACCESS)
    };
    say!("DuplicateHandle → {}", done.as_bool());
    if done.as_bool() { Ok(duplicate) } else { Err(Error::from_hresult(E_FAIL)) }
}
