//! Registered waits: a callback on a thread of nobody's, which logs `w.Run(0)`, or `w.Run(1)` when the time was over.
//!
//! A wait is the list of what unregisters it and the address of its [`Player`], which is freed when no callback runs any more.

use super::{Operation, give, op};
use crate::objects::Player;
use crate::run::{Argument, Value};
use oleander::*;
use std::ffi::c_void;

/// # Safety
/// `data` is the address of a player that lives until the wait is unregistered.
unsafe extern "system" fn run(data: *mut c_void, timed_out: u8) {
    // SAFETY: the caller's promise.
    let player = unsafe { &*data.cast::<Player>() };
    player.method("Run", Some(timed_out.into()));
}

/// Unregisters a wait, and frees its player.
fn unregister(wait: &Value) {
    let Value::List(parts) = wait else { return };
    let (Some(handle), Some(address)) = (HANDLE::of(&parts[0]), usize::of(&parts[1])) else { return };
    // SAFETY: no callback runs any more after it; the box is this wait's own.
    unsafe {
        let _ = UnregisterWaitEx(handle, INVALID_HANDLE_VALUE);
        drop(Box::from_raw(std::ptr::with_exposed_provenance_mut::<Player>(address)));
    }
}

/// The table.
pub const OPERATIONS: &[Operation] = &[op(
    "RegisterWaitForSingleObject",
    "handle ms",
    "BOOL wait",
    "has a callback run, once, that logs `w.Run(0)`",
    |c| {
        let (raw, mut handle) = (Box::into_raw(Box::new(Player::of(c))), HANDLE::NULL);
        let (object, ms) = (c.get(0)?, c.get(1)?);
        // SAFETY: valid pointers; the player lives until the wait is unregistered.
        let done =
            unsafe { RegisterWaitForSingleObject(&mut handle, object, Some(run), raw.cast(), ms, WT_EXECUTEONLYONCE) };
        let wait = Value::List(vec![handle.into(), raw.expose_provenance().into()]);
        if !done.as_bool() {
            // SAFETY: nobody has it.
            drop(unsafe { Box::from_raw(raw) });
            return give![done, Value::Null];
        }
        give![done, c.keep(wait, unregister)]
    },
)];
