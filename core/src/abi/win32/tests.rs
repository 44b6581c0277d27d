//! The Win32 functions as user code calls them. Each test has a thread, and so a message queue, of its own.

use super::*;
use crate::abi::types::*;
use crate::kernel;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicIsize, AtomicU32, Ordering};

mod handles;
mod messages;
mod names;
mod threads;
mod timers;
mod windows;

const TIMEOUT: u32 = WAIT_TIMEOUT;

fn text(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn last_error() -> u32 {
    // SAFETY: nothing to keep.
    unsafe { GetLastError() }
}

fn event(manual: bool, set: bool) -> HANDLE {
    // SAFETY: no name.
    let handle = unsafe { CreateEventW(null(), BOOL(manual.into()), BOOL(set.into()), null()) };
    assert!(!handle.is_null() && handle != INVALID_HANDLE_VALUE);
    handle
}

fn poll(handle: HANDLE) -> u32 {
    // SAFETY: nothing to keep.
    unsafe { WaitForSingleObject(handle, 0) }
}

fn post(message: u32) {
    // SAFETY: nothing to keep.
    assert!(unsafe { PostMessageW(HWND::NULL, message, 0, 0) }.as_bool());
}

/// The number of the next message in a range, removed or not.
fn peek_in(first: u32, last: u32, flags: u32) -> Option<u32> {
    let mut msg = MSG::default();
    // SAFETY: a valid pointer.
    unsafe { PeekMessageW(&mut msg, HWND::NULL, first, last, flags) }.as_bool().then_some(msg.message)
}

fn next() -> Option<u32> {
    peek_in(0, 0, PM_REMOVE)
}

fn wait_for_input(mask: u32, flags: u32) -> u32 {
    // SAFETY: no handles.
    unsafe { MsgWaitForMultipleObjectsEx(0, null(), 0, mask, flags) }
}
