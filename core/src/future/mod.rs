//! Awaiting calls and handles, on every executor.
//!
//! - [`begun`] resolves when a call that `Begin_` has started is complete; the caller then calls `Finish_`.
//!   Dropping it before that cancels the call.
//! - [`resume_on_signal`], or `.await` on a [`HANDLE`](crate::HANDLE), resolves when a kernel object is signalled.
//! - [`timeout`] bounds any future, [`sleep`] waits for a time, both on the runtime's clock.
//! - [`block_on`] runs a future on the current thread and serves an STA meanwhile.
//!
//! ```
//! use oleander::future::{block_on, resume_on_signal, timeout};
//! use oleander::*;
//!
//! # fn main() -> windows_core::Result<()> {
//! let event = unsafe { CreateEventW(std::ptr::null(), true.into(), false.into(), std::ptr::null()) };
//! let late = block_on(timeout(1, resume_on_signal(event)));
//! assert!(late.is_err());
//! unsafe { SetEvent(event).ok()? };
//! block_on(event)?;
//! # unsafe { CloseHandle(event).ok()? };
//! # Ok(())
//! # }
//! ```
//!
//! # Executors
//!
//! Futures here know no executor. Whoever signals the object calls the waker, on the signalling thread and with no lock
//! held, so they work on tokio, on smol and in a loop around `poll`. What an executor does with the *thread* is its
//! own affair, and matters in an STA: **a foreign executor that parks the thread of an STA does not dispatch the calls
//! that come in for it.** Whoever waits for such a call waits for ever: a callback into the STA, a `Signal` of an outer
//! object that lives there. [`block_on`] dispatches them while it waits.
//!
//! # Who may touch what
//!
//! A future that waits for an object owns one registration with it ([`kernel::on_signal`](crate::kernel::on_signal)) and
//! shares a slot with the callback: the waker, and whether it was called. The slot's lock is held for an exchange of the
//! two, never while a waker is called, cloned by user code or dropped.

mod begun;
mod block_on;
#[cfg(all(test, loom))]
mod loom_tests;
mod registered;
mod signal;
mod timer;

pub use begun::{Begun, begun};
pub use block_on::block_on;
pub use signal::{OnSignal, resume_on_signal};
pub use timer::{Sleep, TimedOut, Timeout, sleep, timeout};

pub(crate) use block_on::Driving;
pub(crate) use timer::Timers;

use crate::object::guard;
use std::task::Waker;

/// Wakes a task. What its executor does then is user code: a panic ends here, for others are to be told as well.
fn wake(waker: Waker) {
    guard::call(|| waker.wake());
}
