//! A host thread that is about to park looks on for a moment first, where that pays.
//!
//! A thread that parks is woken by a call of the system, and its CPU out of its sleep; both cost more than a short call takes.
//! So whoever waits spins for [`SPIN_NS`] at most before it parks, and never longer than its wait may take, but only if
//! - it was last woken from **another CPU** than the one it runs on: on the same CPU the partner could not go on meanwhile.
//!   Where the system does not tell the CPU (and under loom and Miri) nobody spins;
//! - no thread **wants the CPU** that it runs on: one that parked there, has been woken, and has not run since ([`Wanted`]). A
//!   spin gives way to such a thread; that it was in vain says nothing about the next one, so no habit comes of it;
//! - spinning has **paid** lately: see [`Habit`].
//!
//! Nothing rests on it: who has spun in vain parks as if it had not, and a waker wakes without knowing of it.
//!
//! | field   | who writes it | what |
//! |---------|---------------|------|
//! | `waker` | whoever wakes | the CPU it did so from, and 1; 0 is unknown. A guess for the next time: no order is needed |
//! | `habit` | the thread    | its [`Habit`], packed |
//! | [`Wanted`] | whoever wakes, and the thread when it runs | a count for each CPU |

use super::Deadline;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

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

/// Where a thread is parked: 1 and its CPU; 0 is nowhere.
pub(super) type Place = u32;

/// Nowhere: it is not parked.
pub(super) const NOWHERE: Place = 0;
/// On a CPU that the system does not tell.
const SOMEWHERE: Place = u32::MAX;

/// Where a thread parks that runs on `cpu`.
pub(super) fn place(cpu: Option<u32>) -> Place {
    cpu.map_or(SOMEWHERE, |cpu| cpu + 1)
}

/// A count with a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Count(AtomicI32);

/// How many threads have been woken and have not run since, by the place where they parked, which is where the system is likely to
/// run them. Places that are 64 apart share a count. It may be below zero, where a thread runs before its waker has counted it.
pub(super) struct Wanted([Count; 64]);

impl Wanted {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Count::default()))
    }

    fn at(&self, place: Place) -> &AtomicI32 {
        &self.0[place as usize % self.0.len()].0
    }

    /// A thread that is parked there is woken.
    pub(super) fn woken(&self, place: Place) {
        self.at(place).fetch_add(1, Ordering::Relaxed);
    }

    /// A thread that was woken there runs.
    pub(super) fn runs(&self, place: Place) {
        self.at(place).fetch_sub(1, Ordering::Relaxed);
    }

    fn is_wanted(&self, place: Place) -> bool {
        self.at(place).load(Ordering::Relaxed) > 0
    }

    /// Whether everybody who was woken has run, and nobody else.
    #[cfg(all(test, not(loom)))]
    pub(super) fn is_even(&self) -> bool {
        self.0.iter().all(|count| count.0.load(Ordering::Relaxed) == 0)
    }
}

/// How a spin ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Paid,
    InVain,
    GaveWay,
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
        wanted: &Wanted,
        ready: &dyn Fn() -> bool,
        deadline: Deadline,
        now: impl Fn() -> u64,
    ) -> bool {
        let waker = self.waker.load(Ordering::Relaxed);
        if waker == 0 || cpu.is_none_or(|cpu| cpu + 1 == waker) {
            return false;
        }
        let is_wanted = || wanted.is_wanted(place(cpu));
        if is_wanted() {
            return false;
        }
        let (spins, habit) = Habit::from_bits(self.habit.load(Ordering::Relaxed)).next();
        let end = if spins { spin_until(ready, is_wanted, deadline, now) } else { End::GaveWay };
        let habit = if end == End::GaveWay { habit } else { habit.after(end == End::Paid) };
        self.habit.store(habit.to_bits(), Ordering::Relaxed);
        end == End::Paid
    }
}

fn spin_until(
    ready: &dyn Fn() -> bool,
    is_wanted: impl Fn() -> bool,
    deadline: Deadline,
    now: impl Fn() -> u64,
) -> End {
    let longest = now() + SPIN_NS;
    let end = deadline.ns().map_or(longest, |at| at.min(longest));
    loop {
        for _ in 0..LOOKS {
            if ready() {
                return End::Paid;
            }
            std::hint::spin_loop();
        }
        if is_wanted() {
            return End::GaveWay;
        }
        if now() >= end {
            return End::InVain;
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
        assert!(!spinner.spin(cpu, &Wanted::new(), &never, deadline, || clock.replace(clock.get() + 40_000)));
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
        assert!(spinner.spin(Some(1), &Wanted::new(), &third, Deadline::NEVER, || 0));
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
    /// How often a wait on CPU 1 looks, where a thread that parked on `place` is woken before the first look, or at the `at`-th.
    fn looks_beside(spinner: &Spinner, place: Place, at: usize) -> usize {
        let (looks, clock, wanted) = (Cell::new(0), Cell::new(0), Wanted::new());
        let wake = || {
            if looks.get() == at {
                wanted.woken(place)
            }
        };
        let never = || {
            looks.set(looks.get() + 1);
            wake();
            false
        };
        wake();
        assert!(!spinner.spin(Some(1), &wanted, &never, Deadline::NEVER, || clock.replace(clock.get() + 40_000)));
        looks.get()
    }

    #[test]
    fn a_spin_gives_way_to_who_is_woken_on_its_cpu() {
        let own = place(Some(1));
        assert_eq!(looks_beside(&woken_from(Some(0)), own, 0), 0);
        assert_eq!(looks_beside(&woken_from(Some(0)), own, LOOKS), LOOKS);
        assert_eq!(looks_beside(&woken_from(Some(0)), own, LOOKS + 1), 2 * LOOKS);
        for other in [place(Some(0)), place(Some(2)), place(None)] {
            assert_eq!(looks_beside(&woken_from(Some(0)), other, 0), 3 * LOOKS);
            assert_eq!(looks_beside(&woken_from(Some(0)), other, LOOKS), 3 * LOOKS);
        }
    }

    #[test]
    fn a_spin_that_gave_way_is_followed_by_no_rest() {
        let spinner = woken_from(Some(0));
        for _ in 0..3 {
            assert_eq!(looks_beside(&spinner, place(Some(1)), LOOKS), LOOKS);
        }
        assert_eq!(looks(&spinner, Some(1), Deadline::NEVER), 3 * LOOKS);
    }

    #[test]
    fn a_cpu_is_wanted_until_who_was_woken_runs() {
        let wanted = Wanted::new();
        wanted.woken(1);
        wanted.woken(1);
        wanted.runs(1);
        assert!(wanted.is_wanted(1) && !wanted.is_wanted(2));
        wanted.runs(1);
        assert!(!wanted.is_wanted(1));
        // It runs before its waker has counted it.
        wanted.runs(1);
        assert!(!wanted.is_wanted(1));
        wanted.woken(1);
        assert!(!wanted.is_wanted(1));
    }
}
