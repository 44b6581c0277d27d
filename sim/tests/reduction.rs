//! The calibration's table of reduction, with objects at port level: how many plain schedules each program has, and how
//! many Mazurkiewicz traces they are.

mod common;
#[path = "common/explored.rs"]
mod explored;

use common::*;
use explored::*;
use oleander_sim::explore;

#[test]
fn one_setter_and_one_waiter_are_one_trace() {
    assert_counts(&explore(setter_and_waiter), 1, 1);
}

#[test]
fn a_setter_and_two_waiters_are_3_schedules_and_1_trace() {
    assert_counts(&explore(setter_and_two_waiters), 3, 1);
}

#[test]
fn two_independent_pairs_are_3_schedules_and_1_trace() {
    assert_counts(&explore(two_independent_pairs), 3, 1);
}

#[test]
fn a_call_with_a_canceller_is_7_schedules_and_2_traces() {
    assert_counts(&explore(call_with_canceller), 7, 2);
}

#[test]
fn two_clients_on_one_sta_are_26_schedules_and_4_traces() {
    assert_counts(&explore(|| clients_on_one_sta(2)), 26, 4);
}

#[test]
fn three_clients_on_one_sta_are_2454_schedules_and_30_traces() {
    assert_counts(&explore(|| clients_on_one_sta(3)), 2454, 30);
}

#[test]
fn four_clients_on_one_sta_are_516792_schedules_and_336_traces() {
    assert_counts(&explore(|| clients_on_one_sta(4)), 516_792, 336);
}

#[test]
fn two_philosophers_deadlock_in_2_of_6_schedules_first_in_the_third() {
    let found = explore(|| philosophers(2));
    let first = found.first_failure.as_ref().map(|failure| failure.schedule);
    assert_eq!((found.schedules, found.failures, first), (6, 2, Some(3)), "{found}");
}

#[test]
fn three_philosophers_deadlock_in_6_of_168_schedules_first_in_the_50th() {
    let found = explore(|| philosophers(3));
    let first = found.first_failure.as_ref().map(|failure| failure.schedule);
    assert_eq!((found.schedules, found.failures, first), (168, 6, Some(50)), "{found}");
}
