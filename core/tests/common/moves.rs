//! When a wait is a hang: nothing has moved in the program for a minute. A loaded machine makes a test slow, and does not fail it.
//!
//! Whatever helps tests counts here what they do; who waits looks at the count now and then.

#![allow(dead_code, reason = "each test uses its part")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nothing moves for so long: a hang.
pub const STILL: Duration = Duration::from_secs(60);
/// How long a wait lasts between two looks.
pub const LOOK: Duration = Duration::from_millis(500);

static MOVES: AtomicU64 = AtomicU64::new(0);

/// Something was done.
pub fn moved() {
    MOVES.fetch_add(1, Ordering::Relaxed);
}

/// Grows while anything is done.
pub fn moves() -> u64 {
    MOVES.load(Ordering::Relaxed)
}

/// Lasts until a number has been the same for a minute.
pub struct Patience {
    last: u64,
    since: Instant,
}

impl Patience {
    pub fn new(now: u64) -> Self {
        Self { last: now, since: Instant::now() }
    }

    /// Whether it is at its end, the number being this.
    pub fn is_over(&mut self, now: u64) -> bool {
        if now != self.last {
            *self = Self::new(now);
        }
        self.since.elapsed() >= STILL
    }
}
