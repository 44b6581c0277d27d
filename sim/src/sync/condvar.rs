//! A condition variable. Giving the mutex back and beginning to wait is one step; being told and having the mutex again is
//! one. Nobody wakes without a reason: what a program does about that is seen by who is told when several wait, which the
//! schedule chooses.

use super::{LockResult, MutexGuard, PoisonError, Sim};
use crate::thread::deadline_after;
use oleander::platform::{self, Access, Deadline, ObjectKind, Why};
use std::fmt;
use std::sync;
use std::time::Duration;

/// A condition variable with the interface of the standard library's.
#[derive(Default)]
pub struct Condvar {
    sim: SimOf,
    inner: sync::Condvar,
}

struct SimOf(Sim<Waiters>);

impl Default for SimOf {
    fn default() -> Self {
        Self(Sim::new(ObjectKind::User))
    }
}

/// Who waits, in the order in which they began, and whether they have been told.
#[derive(Default)]
struct Waiters {
    next: u64,
    waiting: Vec<(u64, bool)>,
}

impl Waiters {
    fn is_told(&self, number: u64) -> bool {
        self.waiting.iter().any(|(there, told)| *there == number && *told)
    }
}

/// Whether a wait ended because its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether it did.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// One that nobody waits for.
    pub const fn new() -> Self {
        Self { sim: SimOf(Sim::new(ObjectKind::User)), inner: sync::Condvar::new() }
    }

    /// Gives the mutex back, waits to be told, and takes the mutex again.
    ///
    /// # Errors
    /// If a thread has panicked with the mutex.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        if platform::is_simulated() {
            let (locked, _) = self.wait_in_world(guard, Deadline::NEVER);
            return locked;
        }
        let mutex = guard.mutex();
        match self.inner.wait(guard.into_inner()) {
            Ok(inner) => Ok(MutexGuard::of(mutex, inner)),
            Err(poisoned) => Err(PoisonError::new(MutexGuard::of(mutex, poisoned.into_inner()))),
        }
    }

    /// As [`Self::wait`], until `condition` is false.
    ///
    /// # Errors
    /// If a thread has panicked with the mutex.
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As [`Self::wait`], but not for ever.
    ///
    /// # Errors
    /// If a thread has panicked with the mutex.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        if platform::is_simulated() {
            let (locked, told) = self.wait_in_world(guard, deadline_after(time));
            let over = WaitTimeoutResult(!told);
            return match locked {
                Ok(guard) => Ok((guard, over)),
                Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), over))),
            };
        }
        let mutex = guard.mutex();
        match self.inner.wait_timeout(guard.into_inner(), time) {
            Ok((inner, over)) => Ok((MutexGuard::of(mutex, inner), WaitTimeoutResult(over.timed_out()))),
            Err(poisoned) => {
                let (inner, over) = poisoned.into_inner();
                Err(PoisonError::new((MutexGuard::of(mutex, inner), WaitTimeoutResult(over.timed_out()))))
            }
        }
    }

    /// Tells one that waits; which one is a choice of the schedule.
    pub fn notify_one(&self) {
        if !platform::is_simulated() {
            return self.inner.notify_one();
        }
        self.sim.0.visit(Access::Write);
        let open = |waiters: &Waiters| waiters.waiting.iter().filter(|(_, told)| !told).count();
        let n = self.sim.0.with(|_, waiters| open(waiters));
        let chosen = platform::current().port().choose(n);
        self.sim.0.with(|_, waiters| {
            if let Some((_, told)) = waiters.waiting.iter_mut().filter(|(_, told)| !told).nth(chosen) {
                *told = true;
            }
        });
    }

    /// Tells all that wait.
    pub fn notify_all(&self) {
        if !platform::is_simulated() {
            return self.inner.notify_all();
        }
        self.sim.0.visit(Access::Write);
        self.sim.0.with(|_, waiters| waiters.waiting.iter_mut().for_each(|(_, told)| *told = true));
    }

    /// Waits in a world; says whether it was told.
    fn wait_in_world<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Deadline,
    ) -> (LockResult<MutexGuard<'a, T>>, bool) {
        let (condition, mutex) = (&self.sim.0, guard.mutex());
        condition.visit(Access::Write);
        platform::note(mutex.sim.object(), Access::Write);
        let number = condition.with(|_, waiters| {
            waiters.next += 1;
            waiters.waiting.push((waiters.next, false));
            waiters.next
        });
        guard.release();
        let told = || condition.with(|_, waiters| waiters.is_told(number));
        let ready = || told() && !mutex.sim.with(|_, held| *held);
        let on = [condition.object(), mutex.sim.object()];
        let held = platform::block(&on, &ready, deadline, Why::Wait);
        // Told in time, but the mutex was not to be had: that is no timeout.
        let told = told();
        condition.with(|_, waiters| waiters.waiting.retain(|(there, _)| *there != number));
        (if held { mutex.take() } else { mutex.lock() }, told)
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
