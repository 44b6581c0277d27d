//! Events over one word and the system's futex.

use std::sync::atomic::{AtomicU32, Ordering};

const RESET: u32 = 0;
const SET: u32 = 1;
/// Reset, and somebody sleeps.
const AWAITED: u32 = 2;

/// Sleeps while the word has this value, or for no reason less long.
fn sleep(word: &AtomicU32, value: u32) {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is borrowed; there is no time limit.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, std::ptr::null::<libc::timespec>()) };
}

/// Wakes one that sleeps there.
fn wake(word: &AtomicU32) {
    // SAFETY: the word is borrowed.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
}

/// A manual-reset event that is polled: a set that finds nobody waiting, and a look at it, touch the word alone.
#[derive(Debug, Default)]
pub struct Manual(AtomicU32);

impl Manual {
    /// Sets it.
    pub fn set(&self) {
        if self.0.swap(SET, Ordering::AcqRel) == AWAITED {
            wake(&self.0);
        }
    }

    /// Resets it.
    pub fn reset(&self) {
        let _ = self.0.compare_exchange(SET, RESET, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire) == SET
    }
}

/// An auto-reset event for one waiter.
#[derive(Debug, Default)]
pub struct Auto(AtomicU32);

impl Auto {
    /// Sets it.
    pub fn set(&self) {
        if self.0.swap(SET, Ordering::AcqRel) == AWAITED {
            wake(&self.0);
        }
    }

    /// Waits for it and resets it.
    pub fn wait(&self) {
        while self.0.compare_exchange(SET, RESET, Ordering::AcqRel, Ordering::Acquire).is_err() {
            if self.0.compare_exchange(RESET, AWAITED, Ordering::AcqRel, Ordering::Acquire) != Err(SET) {
                sleep(&self.0, AWAITED);
            }
        }
    }
}
