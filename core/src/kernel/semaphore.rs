//! Semaphores: a count that waits take from.

use super::header::Header;
use super::wait::{Mode, Waitable, sealed};
use crate::platform::{Access, ObjectKind};
use crate::process::Process;

/// The greatest maximum, 2^31 - 1.
pub const SEMAPHORE_COUNT_MAX: u32 = i32::MAX as u32;

/// A semaphore.
pub struct Semaphore {
    header: Header,
    count_max: u32,
}

impl Semaphore {
    /// A semaphore of a process. `None` unless 0 <= `count` <= `count_max`, 0 < `count_max` <= 2^31 - 1.
    pub fn new(process: &Process, count: u32, count_max: u32) -> Option<Self> {
        if count > count_max || count_max == 0 || count_max > SEMAPHORE_COUNT_MAX {
            return None;
        }
        Some(Self { header: Header::new(process, ObjectKind::Semaphore, count), count_max })
    }

    /// Adds to the count and gives the count before; `None`, and nothing is added, beyond the maximum.
    pub fn release(&self, n: u32) -> Option<u32> {
        self.header.visit(Access::Write);
        self.release_in_step(n)
    }

    /// [`Semaphore::release`] as part of a step that the caller has announced.
    pub(crate) fn release_in_step(&self, n: u32) -> Option<u32> {
        self.header.change(|count| count.checked_add(n).filter(|sum| *sum <= self.count_max))
    }
}

impl sealed::Sealed for Semaphore {}

impl Waitable for Semaphore {
    fn header(&self) -> &Header {
        &self.header
    }
    fn mode(&self) -> Mode<'_> {
        Mode::Counted
    }
}
