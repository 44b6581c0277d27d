//! A mutex. Taking it is one step, and giving it back is one.

use super::{HELD_OUTSIDE, LockResult, PoisonError, Sim, TryLockError, TryLockResult};
use oleander::platform::{self, Access, Deadline, Fact, ObjectKind};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync;

/// A mutex with the interface of the standard library's.
pub struct Mutex<T: ?Sized> {
    pub(super) sim: Sim<bool>,
    inner: sync::Mutex<T>,
}

/// The lock, until it is dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    lock: &'a Mutex<T>,
    inner: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// A free mutex around a value.
    pub const fn new(value: T) -> Self {
        Self { sim: Sim::new(ObjectKind::Mutex), inner: sync::Mutex::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    /// If a thread has panicked with the lock.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// # Errors
    /// If a thread has panicked with the lock.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        if !platform::is_simulated() {
            return self.guard(self.inner.lock());
        }
        let free = self.sim.block(|held| !held, Deadline::NEVER);
        assert!(free, "a mutex is waited for while a panic unwinds, and another thread has it");
        self.take()
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// If it is not, or if a thread has panicked with it.
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if platform::is_simulated() {
            self.sim.visit(Access::Write);
            if self.sim.with(|_, held| *held) {
                return Err(TryLockError::WouldBlock);
            }
            return self.take().map_err(TryLockError::Poisoned);
        }
        match self.inner.try_lock() {
            Ok(inner) => Ok(MutexGuard { lock: self, inner: Some(inner) }),
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            Err(TryLockError::Poisoned(poisoned)) => self.guard(Err(poisoned)).map_err(TryLockError::Poisoned),
        }
    }

    /// Whether a thread has panicked with the lock.
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// The value, which nobody can have locked.
    ///
    /// # Errors
    /// If a thread has panicked with the lock.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }

    /// Takes the lock that the current step has found free.
    pub(super) fn take(&self) -> LockResult<MutexGuard<'_, T>> {
        let object = self.sim.with(|object, held| {
            *held = true;
            object
        });
        platform::tell(|| Fact::Owns(object));
        match self.inner.try_lock() {
            Ok(inner) => Ok(MutexGuard { lock: self, inner: Some(inner) }),
            Err(TryLockError::Poisoned(poisoned)) => self.guard(Err(poisoned)),
            Err(TryLockError::WouldBlock) => panic!("{HELD_OUTSIDE}"),
        }
    }

    /// Nobody has the lock from here on; part of the current step.
    fn free(&self) {
        let object = self.sim.with(|object, held| {
            *held = false;
            object
        });
        platform::tell(|| Fact::GivesUp(object));
    }

    fn guard<'a>(&'a self, locked: LockResult<sync::MutexGuard<'a, T>>) -> LockResult<MutexGuard<'a, T>> {
        match locked {
            Ok(inner) => Ok(MutexGuard { lock: self, inner: Some(inner) }),
            Err(poisoned) => Err(PoisonError::new(MutexGuard { lock: self, inner: Some(poisoned.into_inner()) })),
        }
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.lock
    }

    /// Gives the lock back as part of the current step.
    pub(super) fn release(mut self) {
        self.inner = None;
        self.lock.free();
    }

    /// The guard of the standard library, for its condition variable.
    pub(super) fn into_inner(mut self) -> sync::MutexGuard<'a, T> {
        self.inner.take().expect("a guard has the lock")
    }

    pub(super) fn of(lock: &'a Mutex<T>, inner: sync::MutexGuard<'a, T>) -> Self {
        Self { lock, inner: Some(inner) }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if self.inner.is_none() {
            return;
        }
        if platform::is_simulated() {
            self.lock.sim.visit(Access::Write);
            self.inner = None;
            self.lock.free();
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard has the lock")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard has the lock")
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
