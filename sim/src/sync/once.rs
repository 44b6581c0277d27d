//! Something that is done once, and a value that is made once.
//!
//! In a world each has two parts: who does it, and that it is done. Whoever comes meanwhile waits, in one step. What is done
//! stays done when the world ends, as the value does.

use super::Sim;
use oleander::platform::{self, Access, Deadline, ObjectKind};
use std::fmt;
use std::sync;

/// Whether somebody is at it.
type Busy = bool;

/// Something that is done once, with the interface of the standard library's.
pub struct Once(OnceLock<()>);

impl Once {
    /// Not done yet.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Does it, unless it is done; waits for whoever is at it.
    pub fn call_once(&self, f: impl FnOnce()) {
        self.0.get_or_init(f);
    }

    /// Whether it is done.
    pub fn is_completed(&self) -> bool {
        self.0.get().is_some()
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

/// A value that is made once, with the interface of the standard library's.
pub struct OnceLock<T> {
    sim: Sim<Busy>,
    value: sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// Without a value.
    pub const fn new() -> Self {
        Self { sim: Sim::new(ObjectKind::Mutex), value: sync::OnceLock::new() }
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        if platform::is_simulated() {
            self.sim.visit(Access::Read);
        }
        self.value.get()
    }

    /// Sets the value.
    ///
    /// # Errors
    /// The value given, if there is one already.
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("it is taken once"));
        value.map_or(Ok(()), Err)
    }

    /// The value; the first who asks makes it, others wait for it.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if !platform::is_simulated() {
            return self.value.get_or_init(make);
        }
        let free = self.sim.block(|busy| !busy, Deadline::NEVER);
        assert!(free, "a value is waited for while a panic unwinds, and another thread makes it");
        if let Some(value) = self.value.get() {
            return value;
        }
        self.sim.with(|_, busy| *busy = true);
        let turn = Turn(&self.sim);
        let value = make();
        drop(turn);
        self.value.get_or_init(|| value)
    }
}

/// The turn of whoever makes the value, also when that panics.
struct Turn<'a>(&'a Sim<Busy>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.visit(Access::Write);
        self.0.with(|_, busy| *busy = false);
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
