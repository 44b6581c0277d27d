//! The Win32 functions under COM's asynchronous calls: events, waits, message queues, windows, timers, threads. Each has its
//! documented name, signature and meaning; what is left out is what an emulated process has not got (security, input,
//! painting, other processes' objects).
//!
//! Pointers that are null where they must not be give `ERROR_INVALID_PARAMETER`, never a crash.

mod handles;
mod messages;
mod objects;
mod registered;
mod sending;
mod text;
mod threads;
mod timers;
mod waits;
mod windows;

pub use handles::*;
pub use messages::*;
pub use objects::*;
pub use registered::*;
pub use sending::*;
pub use threads::*;
pub use timers::*;
pub use waits::*;
pub use windows::*;

use crate::platform;
use windows_core::BOOL;

const TRUE: BOOL = BOOL(1);
const FALSE: BOOL = BOOL(0);

/// Sets the thread's last error and gives the function's word for failure.
fn fail<R>(error: u32, failed: R) -> R {
    platform::with_current(|thread| thread.com().last_error.set(error));
    failed
}

#[cfg(test)]
mod tests;
