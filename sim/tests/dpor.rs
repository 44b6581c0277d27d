//! Reduced exploration of worlds: the calibration's numbers of complete executions, and the same endings as plain
//! depth-first search.

mod common;
#[path = "common/kernel.rs"]
mod programs;

use common::*;
use oleander::kernel::{Event, Filter, message, queue, queue_work_item, spawn, wait_any};
use oleander::platform::{Deadline, Why};
use oleander::*;
use oleander_sim::schedule::{Dfs, Dpor};
use oleander_sim::{Exploration, Limits, explore_with, world};
use programs::*;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Explores with reduction: what was found, and how many executions were not redundant.
fn reduce(scenario: impl Fn()) -> (Exploration, u64) {
    let mut dpor = Dpor::default();
    let found = explore_with(&mut dpor, &Limits::default(), scenario);
    assert!(found.complete, "{found}");
    let complete = found.schedules - dpor.redundant();
    (found, complete)
}

#[track_caller]
fn assert_complete(scenario: impl Fn(), executions: u64) {
    let (found, complete) = reduce(scenario);
    assert_eq!((complete, found.failures), (executions, 0), "{found}");
}

#[test]
fn events_and_flags_have_one_execution_for_each_trace() {
    assert_complete(setter_and_waiter, 1);
    assert_complete(setter_and_two_waiters, 1);
    assert_complete(two_independent_pairs, 1);
    assert_complete(call_with_canceller, 2);
}

#[test]
fn clients_on_one_sta_have_one_execution_for_each_order_of_posts() {
    for (k, executions) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
        assert_complete(|| clients_on_one_sta(k), executions);
    }
}

#[test]
fn the_kernels_queue_reduces_as_well() {
    for (k, executions) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
        assert_complete(|| drop(kernel_clients_on_one_sta(k)), executions);
    }
}

#[test]
fn clients_on_one_sta_are_served_in_the_orders_of_plain_search() {
    for (k, schedules, executions) in [(2, 26, 2), (3, 2_454, 6)] {
        assert_eq!(assert_parity(|| kernel_clients_on_one_sta(k)), (schedules, executions));
    }
}

/// A scenario's outcomes under plain and under reduced search are the same.
#[track_caller]
fn assert_parity<T: Ord + std::fmt::Debug>(scenario: impl Fn() -> T) -> (u64, u64) {
    let endings = RefCell::new(BTreeSet::new());
    let run = || {
        let ending = scenario();
        endings.borrow_mut().insert(ending);
    };
    let plain = explore_with(&mut Dfs::default(), &Limits::default(), run);
    assert!(plain.complete, "{plain}");
    let all = endings.take();
    let (reduced, complete) = reduce(run);
    assert_eq!(all, endings.take(), "{plain}\n{reduced}");
    assert_eq!(plain.failures > 0, reduced.failures > 0, "{plain}\n{reduced}");
    assert!(complete <= plain.schedules);
    (plain.schedules, complete)
}

#[test]
fn automatic_events_and_timeouts_end_as_in_plain_search() {
    assert_parity(|| {
        let event = Event::auto();
        let taken = Arc::new(AtomicU32::new(0));
        let waiters = [1, 2].map(|i| {
            let (event, taken) = (event.clone(), taken.clone());
            spawn("waiter", false, move || {
                if event.wait(Deadline::after_s(1), Why::Wait) {
                    taken.fetch_or(i, Ordering::Relaxed);
                }
            })
        });
        event.set();
        waiters.iter().for_each(|it| assert!(it.ended.wait(Deadline::NEVER, Why::Wait)));
        taken.load(Ordering::Relaxed)
    });
}

#[test]
fn polls_see_what_was_posted_before_them_and_what_was_not() {
    let (schedules, executions) = assert_parity(|| {
        let queue = queue();
        let posts = queue.clone();
        let poster = spawn("poster", false, move || {
            for i in 0..2 {
                posts.post(message(Default::default(), 0x400, i, 0)).expect("there is room");
            }
        });
        let polls = [(); 3].map(|()| queue.next_message(&Filter::ALL, true, Deadline::NOW).map(|msg| msg.wParam));
        assert!(poster.ended.wait(Deadline::NEVER, Why::Wait));
        polls
    });
    assert!(executions <= schedules);
}

#[test]
fn a_wait_for_what_is_new_is_explored_without_the_rule_for_queues() {
    let endings = assert_parity(|| {
        let queue = queue();
        let posts = queue.clone();
        let poster = spawn("poster", false, move || {
            for i in 0..2 {
                posts.post(message(Default::default(), 0x400, i, 0)).expect("there is room");
            }
        });
        let first = queue.next_message(&Filter::ALL, true, Deadline::NEVER).map(|msg| msg.wParam);
        // SAFETY: no handles.
        let new = unsafe { MsgWaitForMultipleObjectsEx(0, std::ptr::null(), 0, QS_ALLINPUT, 0) };
        assert!(poster.ended.wait(Deadline::NEVER, Why::Wait));
        (first, new)
    });
    assert!(endings.1 > 1);
}

#[test]
fn work_items_and_daemons_that_outlive_the_scenario_end_as_in_plain_search() {
    let (schedules, executions) = assert_parity(|| {
        let done = [Event::manual(), Event::manual()];
        let order = Arc::new(AtomicU32::new(0));
        for (i, event) in done.iter().enumerate() {
            let (event, order) = (event.clone(), order.clone());
            queue_work_item(move || {
                event.set();
                _ = order.compare_exchange(0, i as u32 + 1, Ordering::Relaxed, Ordering::Relaxed);
            });
        }
        let hit = wait_any(&[&*done[0], &*done[1]], Deadline::NEVER, Why::Wait);
        let both = done.each_ref().map(|event| event.is_set());
        (hit, both)
    });
    assert!(executions < schedules, "{executions} of {schedules}");
}

#[test]
fn a_panic_in_one_order_is_found_with_the_orders_that_are_well() {
    let limits = Limits { panic_ends: true, ..Limits::default() };
    let scenario = || {
        let event = Event::manual();
        let other = event.clone();
        let thread = world::spawn("setter", move || other.set());
        assert!(!event.is_set(), "too late");
        thread.join().expect("it does not panic");
    };
    let mut dpor = Dpor::default();
    let found = explore_with(&mut dpor, &limits, scenario);
    assert_eq!((found.schedules - dpor.redundant(), found.failures), (2, 1), "{found}");
}
