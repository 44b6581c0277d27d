//! Points in time at which a wait gives up.

use super::now_ns;

/// When a wait gives up: never, or at a time of the port's clock in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Option<u64>);

impl Deadline {
    /// Never.
    pub const NEVER: Self = Self(None);
    /// At once: the wait polls.
    pub const NOW: Self = Self(Some(0));

    /// A time of the port's clock.
    pub const fn at_ns(ns: u64) -> Self {
        Self(Some(ns))
    }

    /// So many milliseconds from now; `INFINITE` (0xFFFFFFFF) is never, 0 is a poll.
    pub fn after_ms(ms: u32) -> Self {
        match ms {
            u32::MAX => Self::NEVER,
            0 => Self::NOW,
            ms => Self(Some(now_ns().saturating_add(u64::from(ms) * 1_000_000))),
        }
    }

    /// So many seconds from now; -1 (`RPC_C_CANCEL_INFINITE_TIMEOUT`) is never.
    pub fn after_s(s: u32) -> Self {
        match s {
            u32::MAX => Self::NEVER,
            0 => Self::NOW,
            s => Self(Some(now_ns().saturating_add(u64::from(s) * 1_000_000_000))),
        }
    }

    /// The time in nanoseconds, or `None` for never.
    pub const fn ns(self) -> Option<u64> {
        self.0
    }

    /// The milliseconds that are left, rounded up; `INFINITE` (0xFFFFFFFF) for never.
    pub(crate) fn ms_left(self) -> u32 {
        let Some(at) = self.0 else { return u32::MAX };
        u32::try_from(at.saturating_sub(now_ns()).div_ceil(1_000_000)).unwrap_or(u32::MAX).min(u32::MAX - 1)
    }

    /// Whether this is a poll.
    pub const fn is_now(self) -> bool {
        matches!(self.0, Some(0))
    }

    /// Whether the time has come.
    pub fn passed(self) -> bool {
        match self.0 {
            None => false,
            Some(0) => true,
            Some(ns) => now_ns() >= ns,
        }
    }
}
