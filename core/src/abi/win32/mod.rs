//! The Win32 functions under COM's asynchronous calls: events, waits, message queues, windows, threads. Each has its
//! documented name, signature and meaning; what is left out is what an emulated process has not got (security, input,
//! painting, other processes' objects).
//!
//! Pointers that are null where they must not be give `ERROR_INVALID_PARAMETER`, never a crash.

mod handles;
mod messages;
mod threads;
mod waits;
mod windows;

pub use handles::*;
pub use messages::*;
pub use threads::*;
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

/// Longest name of an object or a class, in units.
const NAME_MAX: usize = 260;

/// The units of a string before its NUL; `None` for null, or when it is longer than any name.
///
/// # Safety
/// `text` is null or points at units that end with a NUL.
unsafe fn name_at(text: *const u16) -> Option<Vec<u16>> {
    if text.is_null() {
        return None;
    }
    let mut units = Vec::new();
    loop {
        // SAFETY: not beyond the NUL.
        match unsafe { *text.add(units.len()) } {
            0 => return Some(units),
            _ if units.len() == NAME_MAX => return None,
            unit => units.push(unit),
        }
    }
}

#[cfg(test)]
mod tests;
