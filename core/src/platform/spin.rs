//! A host thread that is about to park looks on for a moment first, where that pays.
//!
//! A thread that parks is woken by a call of the system, and its CPU out of its sleep; both cost more than a short call takes.
//! So whoever waits spins for [`SPIN_NS`] at most before it parks, and never longer than its wait may take, but only if
//! - it was last woken from **another CPU** than the one it runs on: on the same CPU the partner could not go on meanwhile.
//!   Where the system does not tell the CPU (and under loom and Miri) nobody spins;
//! - spinning has **paid** lately: see [`Habit`].
//!
//! Nothing rests on it: who has spun in vain parks as if it had not, and a waker wakes without knowing of it.
//!
//! | field   | who writes it | what |
//! |---------|---------------|------|
//! | `waker` | whoever wakes | the CPU it did so from, and 1; 0 is unknown. A guess for the next time: no order is needed |
//! | `habit` | the thread    | its [`Habit`], packed |

use super::Deadline;
use std::sync::atomic::{AtomicU32, Ordering};

/// About twice what it takes to be woken on a CPU that sleeps (45 µs on the README's machine). Two threads that call each other park
/// both or spin both; with less than one wake, those that park never fall into step: 20 µs left a call at 97 µs, this at 2.
const SPIN_NS: u64 = 100_000;
/// Looks between two looks at the clock.
const LOOKS: usize = 8;

/// Whether a thread should spin, by what came of it before. After a spin in vain it rests: for one wait, and for twice as
/// many after each further one, up to 1,024; a spin that paid takes one step back, and the next wait spins again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Habit {
    /// Spins in vain, less those that paid.
    vain: u16,
    /// How many waits still go without.
    rest: u16,
}

impl Habit {
    const VAIN_MAX: u16 = 10;

    /// What to do at this wait, and the habit after it.
    fn next(self) -> (bool, Self) {
        match self.rest.checked_sub(1) {
            None => (true, self),
            Some(rest) => (false, Self { rest, ..self }),
        }
    }

    fn after(self, paid: bool) -> Self {
        if paid {
            return Self { vain: self.vain.saturating_sub(1), rest: 0 };
        }
        Self { vain: (self.vain + 1).min(Self::VAIN_MAX), rest: 1 << self.vain.min(Self::VAIN_MAX) }
    }

    fn to_bits(self) -> u32 {
        u32::from(self.vain) << 16 | u32::from(self.rest)
    }

    fn from_bits(bits: u32) -> Self {
        Self { vain: (bits >> 16) as u16, rest: bits as u16 }
    }
}

/// What a thread knows about spinning.
#[derive(Default)]
pub(super) struct Spinner {
    waker: AtomicU32,
    habit: AtomicU32,
}

impl Spinner {
    /// The calling thread, on `cpu`, wakes the one whose spinner this is.
    pub(super) fn note_waker(&self, cpu: Option<u32>) {
        if let Some(cpu) = cpu {
            self.waker.store(cpu + 1, Ordering::Relaxed);
        }
    }

    /// Spins if that promises to pay; whether `ready` held. For the thread itself, which runs on `cpu`.
    pub(super) fn spin(
        &self,
        cpu: Option<u32>,
        ready: &dyn Fn() -> bool,
        deadline: Deadline,
        now: impl Fn() -> u64,
    ) -> bool {
        let waker = self.waker.load(Ordering::Relaxed);
        if waker == 0 || cpu.is_none_or(|cpu| cpu + 1 == waker) {
            return false;
        }
        let (spins, habit) = Habit::from_bits(self.habit.load(Ordering::Relaxed)).next();
        let paid = spins && spin_until(ready, deadline, now);
        let habit = if spins { habit.after(paid) } else { habit };
        self.habit.store(habit.to_bits(), Ordering::Relaxed);
        paid
    }
}

fn spin_until(ready: &dyn Fn() -> bool, deadline: Deadline, now: impl Fn() -> u64) -> bool {
    let longest = now() + SPIN_NS;
    let end = deadline.ns().map_or(longest, |at| at.min(longest));
    loop {
        for _ in 0..LOOKS {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        if now() >= end {
            return false;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How many of `waits` spin, when each spin ends as `paid` says.
    fn spins(habit: &mut Habit, waits: usize, paid: bool) -> usize {
        let mut count = 0;
        for _ in 0..waits {
            let (spins, next) = habit.next();
            *habit = if spins { next.after(paid) } else { next };
            count += usize::from(spins);
        }
        count
    }

    #[test]
    fn who_spins_in_vain_rests_twice_as_long_each_time() {
        let mut habit = Habit::default();
        for rest in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024] {
            assert_eq!(spins(&mut habit, 1, false), 1);
            assert_eq!(habit.rest, rest);
            assert_eq!(spins(&mut habit, usize::from(rest), false), 0);
        }
    }

    #[test]
    fn who_is_paid_spins_at_every_wait_and_forgets_step_by_step() {
        let mut habit = Habit { vain: 3, rest: 0 };
        assert_eq!(spins(&mut habit, 2, true), 2);
        assert_eq!(habit, Habit { vain: 1, rest: 0 });
        assert_eq!(spins(&mut habit, 100, true), 100);
        assert_eq!(habit, Habit::default());
    }

    #[test]
    fn a_habit_survives_its_packing() {
        for habit in [Habit::default(), Habit { vain: 10, rest: 1024 }, Habit { vain: 1, rest: 0 }] {
            assert_eq!(Habit::from_bits(habit.to_bits()), habit);
        }
    }

    /// How often a wait on `cpu` looks whether it is over, where that never holds and 40 µs pass between two looks at the clock.
    fn looks(spinner: &Spinner, cpu: Option<u32>, deadline: Deadline) -> usize {
        let (looks, clock) = (Cell::new(0), Cell::new(0));
        let never = || {
            looks.set(looks.get() + 1);
            false
        };
        assert!(!spinner.spin(cpu, &never, deadline, || clock.replace(clock.get() + 40_000)));
        looks.get()
    }

    fn woken_from(cpu: Option<u32>) -> Spinner {
        let spinner = Spinner::default();
        spinner.note_waker(cpu);
        spinner
    }

    #[test]
    fn a_wait_spins_only_on_another_cpu_than_its_waker() {
        assert_eq!(looks(&woken_from(Some(0)), Some(1), Deadline::NEVER), 3 * LOOKS);
        assert_eq!(looks(&woken_from(Some(1)), Some(0), Deadline::NEVER), 3 * LOOKS);
        for (waker, own) in [(Some(0), Some(0)), (Some(1), Some(1)), (Some(0), None), (None, Some(0)), (None, None)] {
            assert_eq!(looks(&woken_from(waker), own, Deadline::NEVER), 0, "{waker:?} {own:?}");
        }
    }

    #[test]
    fn a_thread_that_nobody_has_woken_does_not_spin() {
        assert_eq!(looks(&Spinner::default(), Some(0), Deadline::NEVER), 0);
    }

    #[test]
    fn a_spin_in_vain_and_each_rest_are_counted() {
        let spinner = woken_from(Some(0));
        let spun: Vec<_> = (0..7).map(|_| looks(&spinner, Some(1), Deadline::NEVER) > 0).collect();
        assert_eq!(spun, [true, false, true, false, false, true, false]);
    }

    #[test]
    fn a_wait_on_its_wakers_cpu_is_no_rest() {
        let spinner = woken_from(Some(0));
        assert!(looks(&spinner, Some(1), Deadline::NEVER) > 0);
        assert_eq!(looks(&spinner, Some(0), Deadline::NEVER), 0);
        assert_eq!(looks(&spinner, Some(1), Deadline::NEVER), 0);
        assert!(looks(&spinner, Some(1), Deadline::NEVER) > 0);
    }

    #[test]
    fn a_spin_that_pays_ends_the_wait() {
        let spinner = woken_from(Some(0));
        let looks = Cell::new(0);
        let third = || {
            looks.set(looks.get() + 1);
            looks.get() == 3
        };
        assert!(spinner.spin(Some(1), &third, Deadline::NEVER, || 0));
        assert_eq!(looks.get(), 3);
    }

    #[test]
    fn a_spin_ends_with_its_time_or_with_the_deadline() {
        let looks_before = |deadline| looks(&woken_from(Some(0)), Some(1), deadline);
        assert_eq!(looks_before(Deadline::NEVER), 3 * LOOKS);
        assert_eq!(looks_before(Deadline::at_ns(1_000_000)), 3 * LOOKS);
        assert_eq!(looks_before(Deadline::at_ns(80_000)), 2 * LOOKS);
        assert_eq!(looks_before(Deadline::at_ns(1)), LOOKS);
    }
}
