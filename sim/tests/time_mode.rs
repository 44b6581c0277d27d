//! When waits give up: urgent, and any time. Plain depth-first search is the oracle of the reduced one.

mod common;
#[path = "common/explored.rs"]
mod explored;

use common::*;
use explored::*;
use oleander::kernel::Event;
use oleander::platform::{self, Deadline, Why};
use oleander_sim::{Builder, Strategy, TimeMode, world};
use std::collections::BTreeSet;

const MODES: [TimeMode; 2] = [TimeMode::Urgent, TimeMode::AnyTime];

/// What a scenario can come to, in plain search and in the reduced one, which must be the same.
#[track_caller]
fn endings<T: Ord + Clone + Send + std::fmt::Debug>(mode: TimeMode, scenario: impl Fn() -> T + Sync) -> BTreeSet<T> {
    let [plain, reduced] = [Strategy::Dfs, Strategy::Exhaustive]
        .map(|strategy| outcomes(&Builder::new().strategy(strategy).time(mode), &scenario));
    assert_eq!(plain, reduced, "{mode:?}");
    plain
}

/// A timed wait against a Signal.
fn timed_wait() -> (bool, u64) {
    let event = Event::manual();
    let other = event.clone();
    let server = world::spawn("server", move || other.set());
    let signalled = event.wait(Deadline::after_s(1), Why::Wait);
    let now = world::now_ns();
    server.join().unwrap();
    (signalled, now)
}

#[test]
fn a_timed_wait_gives_up_before_a_signal_only_at_any_time() {
    assert_eq!(endings(TimeMode::Urgent, timed_wait), [(true, 0)].into());
    assert_eq!(endings(TimeMode::AnyTime, timed_wait), [(false, 1_000_000_000), (true, 0)].into());
}

#[test]
fn a_later_deadline_never_comes_before_an_earlier_one() {
    let scenario = || {
        let order = Flag::new();
        let sleeper = |name, seconds, digit| {
            let order = order.clone();
            world::spawn(name, move || {
                platform::block(&[], &|| false, Deadline::after_s(seconds), Why::Sleep);
                order.write(order.read() * 10 + digit);
            })
        };
        [sleeper("late", 2, 2), sleeper("early", 1, 1)].into_iter().for_each(join);
        (order.read(), world::now_ns())
    };
    assert_eq!(endings(TimeMode::Urgent, scenario), [(12, 2_000_000_000)].into());
    // Between two of a thread's steps any time may pass, also the other's; and the late one may begin to wait last.
    let found = endings(TimeMode::AnyTime, scenario);
    assert!(found.contains(&(12, 2_000_000_000)) && found.len() > 1, "{found:?}");
    assert!(found.iter().all(|&(order, _)| [1, 2, 12, 21].contains(&order)), "{found:?}");
}

#[test]
fn waits_with_deadlines_end_as_in_plain_search() {
    let waiters = |seconds: [u32; 2], auto: bool| {
        move || {
            let event = if auto { Event::auto() } else { Event::manual() };
            let waiters = seconds.map(|seconds| {
                let event = event.clone();
                let result = Flag::new();
                let mine = result.clone();
                let thread = world::spawn("waiter", move || {
                    let held = event.wait(Deadline::after_s(seconds), Why::Wait);
                    let late = world::now_ns() / 1_000_000_000;
                    mine.write(u32::from(held) * 10 + late as u32);
                });
                (thread, result)
            });
            let other = event.clone();
            let setter = world::spawn("setter", move || {
                platform::block(&[], &|| false, Deadline::after_s(1), Why::Sleep);
                other.set();
            });
            join(setter);
            waiters.map(|(thread, result)| {
                join(thread);
                result.read()
            })
        }
    };
    for mode in MODES {
        for seconds in [[1, 1], [1, 2], [2, 3]] {
            for auto in [false, true] {
                let found = endings(mode, waiters(seconds, auto));
                assert!(mode == TimeMode::Urgent || found.len() > 1, "{seconds:?}, {auto}: {found:?}");
            }
        }
    }
}

#[test]
fn a_token_knows_its_mode() {
    let scenario = || assert!(timed_wait().0, "the wait gave up");
    assert!(Builder::new().run(scenario).failure.is_none());
    let token = failing(&Builder::new().time(TimeMode::AnyTime), scenario).token.to_string();
    assert!(token.ends_with(":any-time"), "{token}");
}
