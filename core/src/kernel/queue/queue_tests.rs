//! A message queue alone, used by its owner.

use super::*;
use crate::kernel::{Event, Hit, Need, Woken};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

const DDE: u32 = 0x3E1;

fn queue() -> Arc<MessageQueue> {
    let thread = platform::current();
    MessageQueue::new(thread.process(), thread.id())
}

fn post(queue: &MessageQueue, number: u32) {
    queue.post(message(HWND::NULL, number, 0, 0)).unwrap();
}

fn numbers(first: u32, last: u32) -> Filter {
    Filter { hwnd: None, first, last }
}

#[test]
fn wait_11_only_a_look_at_all_makes_all_old() {
    let queue = queue();
    post(&queue, 0x400);
    assert!(queue.next_message(&numbers(0x500, 0x500), false, Deadline::NOW).is_none());
    assert!(!queue.has(NEW_POSTED) && queue.has(NEW_ALL_POSTED));
    assert!(queue.next_message(&Filter::ALL, false, Deadline::NOW).is_some());
    assert!(!queue.has(NEW_ALL_POSTED) && queue.has(POSTED));
}

#[test]
fn msg_12_a_range_with_one_end_at_0_is_a_range() {
    let passes = |filter: Filter| [1, 0x400, 0x401, WM_QUIT].map(|number| filter.passes(HWND::NULL, number));
    assert_eq!(passes(numbers(0, 0)), [true; 4]);
    assert_eq!(passes(numbers(0, 0x400)), [true, true, false, true]);
    assert_eq!(passes(numbers(0x400, 0)), [false, false, false, true]);
}

#[test]
fn what_a_modal_wait_would_not_dispatch_is_discarded() {
    let queue = queue();
    for number in [0x400, DDE, WM_QUIT, 0x401] {
        post(&queue, number);
    }
    queue.discard_posted();
    assert!(!queue.has(NEW_POSTED | NEW_ALL_POSTED));
    let left = || Some(queue.take_posted(&Filter::ALL)?.message);
    assert_eq!([left(), left(), left()], [Some(DDE), Some(WM_QUIT), None]);
}

struct Nothing(AtomicUsize);

impl Task for Nothing {
    fn run(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn abandon(self: Arc<Self>) {}
}

#[test]
fn tasks_that_come_back_are_new_and_first_or_are_given_back_when_the_queue_takes_none() {
    let (queue, task) = (queue(), Arc::new(Nothing(AtomicUsize::new(0))));
    queue.post_task(task.clone()).ok().unwrap();
    let taken = queue.take_task().unwrap();
    queue.mark_seen();
    post(&queue, DDE);
    queue.mark_seen();
    assert!(queue.return_tasks(vec![taken]).is_empty());
    assert!(queue.has(NEW_POSTED) && queue.has(NEW_ALL_POSTED) && queue.has(TASKS));
    let left = queue.close_tasks();
    assert_eq!((left.len(), queue.return_tasks(left).len()), (1, 1), "an apartment has ended");
    assert!(!queue.has(TASKS) && queue.close().is_empty());
    assert_eq!(queue.return_tasks(vec![task.clone()]).len(), 1, "its thread has ended");
    queue.open_tasks();
    assert_eq!(queue.return_tasks(vec![task]).len(), 1, "and takes none again");
}

#[test]
fn a_wish_to_quit_is_new() {
    let queue = queue();
    queue.post_quit(3);
    assert!(queue.has(NEW_POSTED) && queue.has(NEW_ALL_POSTED) && queue.has(QUIT));
}

#[test]
fn a_queue_knows_whether_it_has_timers() {
    let queue = queue();
    assert!(!queue.has(HAS_TIMERS));
    let id = queue.set_timer(HWND::NULL, 0, 10_000, None);
    assert!(queue.has(HAS_TIMERS));
    assert!(queue.kill_timer(HWND::NULL, id) && !queue.has(HAS_TIMERS));
    queue.set_timer(HWND::NULL, 0, 10_000, None);
    assert!(queue.close().is_empty() && !queue.has(HAS_TIMERS), "its thread has ended");
    assert_eq!(queue.set_timer(HWND::NULL, 0, 10_000, None), 0);
}

/// A wait in which a timer of 10 ms comes due, and which gives `second` when it is done again.
fn ticks_in_a_wait(need: Need, second: Woken) -> (Woken, u32) {
    let (queue, waits) = (queue(), Cell::new(0));
    queue.set_timer(HWND::NULL, 0, 10, None);
    let wait = |deadline: Deadline| {
        waits.set(waits.get() + 1);
        if waits.get() > 1 {
            return second;
        }
        assert!(!Event::manual().wait(deadline, Why::Wait));
        Woken::TimedOut
    };
    let woken = queue.wait_with_timers((7, TIMER), need, Deadline::NEVER, wait);
    (woken, waits.get())
}

#[test]
fn a_tick_ends_a_wait_for_any_and_no_wait_for_all() {
    assert_eq!(ticks_in_a_wait(Need::Any, Woken::Apc), (Woken::Hit(Hit { index: 7, abandoned: false }), 1));
    assert_eq!(ticks_in_a_wait(Need::All, Woken::Apc), (Woken::Apc, 2));
}
