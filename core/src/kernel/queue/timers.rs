//! The timers of a thread: `SetTimer`, `KillTimer`, and the `WM_TIMER` that a message loop finds when nothing else is there.
//!
//! # States of a timer
//!
//! | state | meaning | left by |
//! |-------|---------|---------|
//! | waiting | its tick is to come | its tick is due when the owner looks: *ready* |
//! | ready | its message can be retrieved; further ticks add nothing | its message is taken: *waiting* for the first tick to come |
//!
//! Ticks are a period apart, from the moment when the timer was set; a message that is taken late moves none of them.
//!
//! # Who may do what
//!
//! Timers belong to the owner of the queue alone: no other thread sets, kills or looks at them, so nothing here is
//! announced. They are in the queue's `inner`, because a message loop looks at all of it at one moment. A timer becomes
//! ready when the owner looks ([`MessageQueue::fire_timers`]), and a wait that wants timers ends no later than the next tick:
//! so nobody has to wake anyone, there is no thread behind a timer, and a wait stays one step of the port.

use super::lists::{Filter, message};
use super::{HAS_TIMERS, MessageQueue, NEW_TIMER, TIMER};
use crate::abi::types::{HWND, MSG, USER_TIMER_MAXIMUM, USER_TIMER_MINIMUM, WM_TIMER};
use crate::kernel::wait::{Hit, Need, Woken};
use crate::platform::{self, Deadline};

/// What a timer's message calls when it is dispatched: the window, `WM_TIMER`, the timer's number, the tick count.
pub(crate) type TimerProcedure = unsafe extern "system" fn(HWND, u32, usize, u32);

/// The bits of a wait's mask with which it wants timers.
const OF_TIMERS: u32 = TIMER | NEW_TIMER;

struct Timer {
    hwnd: HWND,
    id: usize,
    period_ns: u64,
    /// The next tick.
    due_ns: u64,
    /// The tick whose message can be retrieved.
    ready_ns: Option<u64>,
    procedure: Option<TimerProcedure>,
}

impl Timer {
    fn passes(&self, filter: &Filter) -> bool {
        filter.passes(self.hwnd, WM_TIMER)
    }
}

/// Timers in the order in which they were set.
#[derive(Default)]
pub(super) struct Timers {
    timers: Vec<Timer>,
    last_id: usize,
}

impl Timers {
    /// Sets a timer and gives its number: one that the window has already is replaced; without a window a number that
    /// stands for no timer is ignored, and a new one given.
    fn set(&mut self, hwnd: HWND, id: usize, ms: u32, procedure: Option<TimerProcedure>, now_ns: u64) -> usize {
        let known = self.timers.iter().position(|timer| (timer.hwnd, timer.id) == (hwnd, id));
        let id = if hwnd.is_null() && known.is_none() { self.new_id() } else { id };
        let period_ns = u64::from(ms.clamp(USER_TIMER_MINIMUM, USER_TIMER_MAXIMUM)) * 1_000_000;
        if let Some(at) = known {
            self.timers.remove(at);
        }
        self.timers.push(Timer { hwnd, id, period_ns, due_ns: now_ns + period_ns, ready_ns: None, procedure });
        id
    }

    /// A number that no timer without a window has had.
    fn new_id(&mut self) -> usize {
        self.last_id += 1;
        self.last_id
    }

    fn kill(&mut self, hwnd: HWND, id: usize) -> bool {
        let before = self.timers.len();
        self.timers.retain(|timer| (timer.hwnd, timer.id) != (hwnd, id));
        self.timers.len() < before
    }

    pub(super) fn forget_window(&mut self, hwnd: HWND) {
        self.timers.retain(|timer| timer.hwnd != hwnd);
    }

    pub(super) fn clear(&mut self) {
        self.timers = Vec::new();
    }

    /// Makes timers ready whose tick is due; whether one has become so that was not.
    fn fire(&mut self, now_ns: u64) -> bool {
        let mut fired = false;
        for timer in self.timers.iter_mut().filter(|timer| timer.due_ns <= now_ns) {
            if timer.ready_ns.is_none() {
                timer.ready_ns = Some(timer.due_ns);
                fired = true;
            }
            // Ticks that nobody has looked for are one.
            let missed = (now_ns - timer.due_ns) / timer.period_ns;
            timer.due_ns += (missed + 1) * timer.period_ns;
        }
        fired
    }

    /// When the next timer becomes ready that passes a filter.
    fn next_ns(&self, filter: &Filter) -> Option<u64> {
        let waiting = self.timers.iter().filter(|timer| timer.ready_ns.is_none() && timer.passes(filter));
        waiting.map(|timer| timer.due_ns).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.timers.iter().any(|timer| timer.ready_ns.is_some())
    }

    /// The timer that passes the filter and has been ready for longest.
    pub(super) fn find(&self, filter: &Filter) -> Option<usize> {
        let ready = self.timers.iter().enumerate().filter(|(_, timer)| timer.passes(filter));
        ready.filter_map(|(at, timer)| Some((timer.ready_ns?, at))).min().map(|(_, at)| at)
    }

    /// The message of a ready timer, which is ready no longer if the message is taken.
    pub(super) fn message(&mut self, at: usize, remove: bool) -> MSG {
        let timer = &mut self.timers[at];
        if remove {
            timer.ready_ns = None;
        }
        let procedure = timer.procedure.map_or(0, |procedure| procedure as usize as isize);
        message(timer.hwnd, WM_TIMER, timer.id, procedure)
    }

    fn procedure(&self, lparam: isize) -> Option<TimerProcedure> {
        let procedures = self.timers.iter().filter_map(|timer| timer.procedure);
        procedures.into_iter().find(|procedure| *procedure as usize as isize == lparam)
    }
}

impl MessageQueue {
    /// Sets a timer of the thread; 0 when the thread has ended. For the owner only, as is all that follows.
    pub(crate) fn set_timer(&self, hwnd: HWND, id: usize, ms: u32, procedure: Option<TimerProcedure>) -> usize {
        let now_ns = platform::now_ns();
        let set = |inner: &mut super::Inner| {
            if inner.closed { None } else { Some(inner.timers.set(hwnd, id, ms, procedure, now_ns)) }
        };
        // The number of a window's timer may be 0, which says to the caller that there is none.
        self.change(0, set).map_or(0, |id| id.max(1))
    }

    /// Kills a timer; `false` if there is none.
    pub(crate) fn kill_timer(&self, hwnd: HWND, id: usize) -> bool {
        self.change(0, |inner| Some(inner.timers.kill(hwnd, id))).unwrap_or_default()
    }

    /// The procedure that a retrieved `WM_TIMER` names, if it is that of a timer that is set still.
    pub(crate) fn timer_procedure(&self, lparam: isize) -> Option<TimerProcedure> {
        self.inner.lock().timers.procedure(lparam)
    }

    /// Looks for timers that are due, as part of a step of the owner's; whether one has become ready.
    pub(crate) fn fire_timers(&self) -> bool {
        if !self.has(HAS_TIMERS) {
            return false;
        }
        let now_ns = platform::now_ns();
        let fired = self.change(0, |inner| Some(inner.timers.fire(now_ns))).unwrap_or_default();
        if fired {
            self.header.set_bits(NEW_TIMER);
        }
        fired
    }

    /// A wait's deadline, or the next tick of a timer that passes the filter if that comes first.
    pub(super) fn bounded(&self, deadline: Deadline, filter: &Filter) -> Deadline {
        if !self.has(HAS_TIMERS) {
            return deadline;
        }
        match (deadline.ns(), self.inner.lock().timers.next_ns(filter)) {
            (Some(ns), Some(next_ns)) => Deadline::at_ns(ns.min(next_ns)),
            (None, Some(next_ns)) => Deadline::at_ns(next_ns),
            (_, None) => deadline,
        }
    }

    /// Takes the message of the timer that has been ready for longest.
    pub fn take_timer(&self) -> Option<MSG> {
        self.change(0, |inner| {
            let at = inner.timers.find(&Filter::ALL)?;
            Some(inner.timers.message(at, true))
        })
    }

    /// A wait in which this queue is the object `at`, with this mask: `wait` does it until the deadline it is given, and
    /// does it again when a timer has come due meanwhile and the wait needs more than that.
    pub fn wait_with_timers(
        &self,
        (at, mask): (usize, u32),
        need: Need,
        deadline: Deadline,
        wait: impl Fn(Deadline) -> Woken,
    ) -> Woken {
        if mask & OF_TIMERS == 0 {
            return wait(deadline);
        }
        self.fire_timers();
        loop {
            let woken = wait(self.bounded(deadline, &Filter::ALL));
            // The tick that has ended the wait is part of its step.
            if woken != Woken::TimedOut || !self.fire_timers() {
                return woken;
            }
            if need == Need::Any {
                return Woken::Hit(Hit { index: at, abandoned: false });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const WINDOW: HWND = HWND(std::ptr::without_provenance_mut(2));

    fn take(timers: &mut Timers) -> Option<usize> {
        let at = timers.find(&Filter::ALL)?;
        Some(timers.message(at, true).wParam)
    }

    #[test]
    fn ticks_that_nobody_looks_for_are_one_and_the_next_keeps_time() {
        let mut timers = Timers::default();
        let id = timers.set(HWND::NULL, 0, 20, None, 5 * MS);
        assert!(!timers.fire(25 * MS - 1) && timers.find(&Filter::ALL).is_none());
        assert!(timers.fire(25 * MS) && !timers.fire(91 * MS), "ready once");
        assert_eq!((take(&mut timers), take(&mut timers)), (Some(id), None));
        assert_eq!(timers.next_ns(&Filter::ALL), Some(105 * MS), "20 ms apart, from 5 ms on");
    }

    #[test]
    fn periods_are_held_within_their_bounds() {
        let mut timers = Timers::default();
        timers.set(WINDOW, 1, 0, None, 0);
        assert_eq!(timers.next_ns(&Filter::ALL), Some(10 * MS));
        timers.set(WINDOW, 1, u32::MAX, None, 0);
        assert_eq!(timers.next_ns(&Filter::ALL), Some(0x7FFF_FFFF * MS), "replaced");
    }

    #[test]
    fn the_one_that_was_due_first_comes_first() {
        let mut timers = Timers::default();
        timers.set(WINDOW, 1, 30, None, 0);
        timers.set(WINDOW, 2, 20, None, 0);
        assert!(timers.fire(100 * MS));
        assert_eq!([take(&mut timers), take(&mut timers), take(&mut timers)], [Some(2), Some(1), None]);
    }

    #[test]
    fn numbers_of_timers_without_a_window_are_new() {
        let mut timers = Timers::default();
        let first = timers.set(HWND::NULL, 77, 10, None, 0);
        assert_ne!(first, 77, "there is none to replace");
        assert_eq!(timers.set(HWND::NULL, first, 10, None, 0), first, "replaced");
        assert!(timers.kill(HWND::NULL, first) && !timers.kill(HWND::NULL, first));
        assert_ne!(timers.set(HWND::NULL, 0, 10, None, 0), first, "a number is not used again");
    }

    #[test]
    fn a_wait_ends_with_the_next_tick_that_makes_one_ready_and_passes_the_filter() {
        let mut timers = Timers::default();
        timers.set(WINDOW, 1, 10, None, 0);
        timers.set(HWND::NULL, 0, 30, None, 0);
        let nobodys = Filter { hwnd: Some(HWND::NULL), ..Filter::ALL };
        assert_eq!([timers.next_ns(&Filter::ALL), timers.next_ns(&nobodys)], [Some(10 * MS), Some(30 * MS)]);
        assert!(timers.fire(10 * MS));
        assert_eq!(timers.next_ns(&Filter::ALL), Some(30 * MS), "the other is ready already");
    }

    #[test]
    fn a_window_takes_its_timers_with_it_and_no_others() {
        let mut timers = Timers::default();
        timers.set(WINDOW, 1, 10, None, 0);
        let other = timers.set(HWND::NULL, 0, 10, None, 0);
        timers.forget_window(WINDOW);
        assert!(!timers.kill(WINDOW, 1) && timers.kill(HWND::NULL, other));
        assert!(timers.is_empty());
    }
}
