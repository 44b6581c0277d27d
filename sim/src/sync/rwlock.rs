//! A lock for many readers or one writer. Taking it is one step, and giving it back is one.

use super::{HELD_OUTSIDE, LockResult, PoisonError, Sim, TryLockError};
use oleander::platform::{self, Access, Deadline, ObjectKind};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync;

/// Who has the lock.
#[derive(Default)]
struct Holders {
    readers: usize,
    writer: bool,
}

/// A readers-writer lock with the interface of the standard library's.
pub struct RwLock<T: ?Sized> {
    sim: Sim<Holders>,
    inner: sync::RwLock<T>,
}

/// A reader's lock, until it is dropped.
pub struct RwLockReadGuard<'a, T: ?Sized> {
    sim: &'a Sim<Holders>,
    inner: Option<sync::RwLockReadGuard<'a, T>>,
}

/// The writer's lock, until it is dropped.
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    sim: &'a Sim<Holders>,
    inner: Option<sync::RwLockWriteGuard<'a, T>>,
}

impl<T> RwLock<T> {
    /// A free lock around a value.
    pub const fn new(value: T) -> Self {
        Self { sim: Sim::new(ObjectKind::Mutex), inner: sync::RwLock::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    /// If a thread has panicked while it wrote.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes.
    ///
    /// # Errors
    /// If a thread has panicked while it wrote.
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let guard = |inner| RwLockReadGuard { sim: &self.sim, inner: Some(inner) };
        if !platform::is_simulated() {
            return self.inner.read().map(guard).map_err(|poisoned| PoisonError::new(guard(poisoned.into_inner())));
        }
        let free = self.sim.block(|holders| !holders.writer, Deadline::NEVER);
        assert!(free, "a lock is waited for while a panic unwinds, and another thread has it");
        self.sim.with(|_, holders| holders.readers += 1);
        match self.inner.try_read() {
            Ok(inner) => Ok(guard(inner)),
            Err(TryLockError::Poisoned(poisoned)) => Err(PoisonError::new(guard(poisoned.into_inner()))),
            Err(TryLockError::WouldBlock) => panic!("{HELD_OUTSIDE}"),
        }
    }

    /// Waits until nobody reads or writes.
    ///
    /// # Errors
    /// If a thread has panicked while it wrote.
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let guard = |inner| RwLockWriteGuard { sim: &self.sim, inner: Some(inner) };
        if !platform::is_simulated() {
            return self.inner.write().map(guard).map_err(|poisoned| PoisonError::new(guard(poisoned.into_inner())));
        }
        let free = self.sim.block(|holders| !holders.writer && holders.readers == 0, Deadline::NEVER);
        assert!(free, "a lock is waited for while a panic unwinds, and another thread has it");
        self.sim.with(|_, holders| holders.writer = true);
        match self.inner.try_write() {
            Ok(inner) => Ok(guard(inner)),
            Err(TryLockError::Poisoned(poisoned)) => Err(PoisonError::new(guard(poisoned.into_inner()))),
            Err(TryLockError::WouldBlock) => panic!("{HELD_OUTSIDE}"),
        }
    }

    /// The value, which nobody can have locked.
    ///
    /// # Errors
    /// If a thread has panicked while it wrote.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        if platform::is_simulated() {
            self.sim.visit(Access::Write);
            self.inner = None;
            self.sim.with(|_, holders| holders.readers -= 1);
        }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if platform::is_simulated() {
            self.sim.visit(Access::Write);
            self.inner = None;
            self.sim.with(|_, holders| holders.writer = false);
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard has the lock")
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard has the lock")
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard has the lock")
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
