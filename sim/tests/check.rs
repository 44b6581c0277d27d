//! Checking, shrinking, replaying.

mod common;
#[path = "common/explored.rs"]
mod explored;

use common::*;
use explored::failing;
use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander_sim::{Builder, Checked, End, REPLAY_VARIABLE, Strategy, TokenError, check, replay, try_replay, world};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Two threads read, then write: one addition may be lost. Two more threads disturb.
fn lost_update() {
    let counter = Flag::new();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let counter = counter.clone();
            world::spawn("adder", move || counter.write(counter.read() + 1))
        })
        .collect();
    let noise = Flag::new();
    let others: Vec<_> = (0..2)
        .map(|_| {
            let noise = noise.clone();
            world::spawn("noise", move || noise.write(noise.read() + 1))
        })
        .collect();
    threads.into_iter().chain(others).for_each(join);
    assert_eq!(counter.read(), 2, "an addition is lost");
}

fn failure(checked: &Checked) -> &oleander_sim::Counterexample {
    checked.failure.as_ref().unwrap_or_else(|| panic!("no failure: {checked}"))
}

#[test]
fn a_good_scenario_completes_and_says_how_many_executions_that_were() {
    let checked = Builder::new().run(|| clients_on_one_sta(3));
    assert!(checked.failure.is_none() && checked.complete, "{checked}");
    assert_eq!((checked.executions, checked.steps_max), (6, 12));
    let words = checked.to_string();
    assert!(words.starts_with("explored 6 executions (complete), 0 failures, deepest 12 steps, "), "{words}");
    check(|| clients_on_one_sta(2));
}

#[test]
fn every_strategy_finds_the_lost_update() {
    for strategy in [
        Strategy::Exhaustive,
        Strategy::Dfs,
        Strategy::PreemptionBound(1),
        Strategy::DelayBound(2),
        Strategy::Random,
        Strategy::Pct(2),
        Strategy::Portfolio,
    ] {
        let checked = Builder::new().strategy(strategy).seed(1).run(lost_update);
        let failure = failure(&checked);
        assert!(failure.report.to_string().contains("an addition is lost"), "{strategy:?}: {checked}");
        // Where the threads begin, one switch away from a thread that could go on, and hardly more is left of it.
        let deviations = failure.token.to_string().matches('+').count();
        assert!(deviations <= 3, "{strategy:?}: {failure}");
        assert!(failure.timeline.contains("adder") && failure.timeline.contains("changes event"), "{failure}");
    }
}

#[test]
fn what_no_schedule_reaches_is_not_reported() {
    let checked = Builder::new().strategy(Strategy::PreemptionBound(0)).run(lost_update);
    assert!(checked.failure.is_none() && checked.complete, "{checked}");
    let checked = Builder::new().strategy(Strategy::Random).executions_max(3).run(|| clients_on_one_sta(2));
    assert_eq!((checked.executions, checked.complete), (3, false), "{checked}");
}

#[test]
fn the_token_replays_the_failure_and_nothing_else() {
    let failure = failing(&Builder::new(), lost_update);
    let token = failure.token.to_string();
    let words = *catch_unwind(|| replay(&token, lost_update)).unwrap_err().downcast::<String>().expect("words");
    assert!(words.contains("an addition is lost"), "{words}");
    let other = try_replay(&token, || clients_on_one_sta(2)).unwrap_err();
    assert!(matches!(other, TokenError::OtherScenario { .. }), "{other}");
    let words = failure.to_string();
    assert!(words.contains(&format!("replay: oleander_sim::replay(\"{token}\", scenario)")), "{words}");
    assert!(words.contains(&format!("OLEANDER_REPLAY='{token}' cargo test")), "{words}");
}

#[test]
fn the_variable_replays_one_execution() {
    let counted = || {
        eprintln!("one execution");
        lost_update();
    };
    if std::env::var_os(REPLAY_VARIABLE).is_some() {
        return check(counted);
    }
    let token = failure(&Builder::new().run(lost_update)).token.to_string();
    let run = |token: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.args(["the_variable_replays_one_execution", "--exact", "--nocapture"]);
        let output = command.env(REPLAY_VARIABLE, token).output().expect("the test runs once more");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let words = run(&token);
    assert!(words.contains("an addition is lost"), "{words}");
    // The default schedule, by whose trace the scenario is known, and the one that was asked for.
    assert_eq!(words.matches("one execution").count(), 2, "{words}");
    let words = run("olx1:nonsense");
    assert!(words.contains("OLEANDER_REPLAY: ") && !words.contains("an addition is lost"), "{words}");
}

#[test]
fn a_check_that_has_no_time_left_is_not_complete() {
    let scenario = || clients_on_one_sta(5);
    let checked = Builder::new().workers(1).seconds_max(0).run(scenario);
    assert!(checked.failure.is_none() && !checked.complete && checked.executions < 120, "{checked}");
    let checked = Builder::new().workers(1).seconds_max(100_000).run(scenario);
    assert_eq!((checked.complete, checked.executions), (true, 120), "{checked}");
}

#[test]
fn a_failing_check_panics_with_the_line_that_replays_it() {
    let words = catch_unwind(AssertUnwindSafe(|| check(lost_update))).unwrap_err();
    let words = words.downcast::<String>().expect("words");
    assert!(words.contains("1 failures") && words.contains("replay: oleander_sim::replay(\"olx1:"), "{words}");
}

#[test]
fn random_strategies_are_functions_of_their_seed() {
    let tokens: Vec<_> = [7, 7, 8]
        .map(|seed| Builder::new().strategy(Strategy::Random).seed(seed).run(lost_update))
        .map(|checked| (checked.executions, failure(&checked).token.to_string()))
        .into();
    assert_eq!(tokens[0], tokens[1]);
}

#[test]
fn a_deadlock_is_shrunk_as_a_deadlock() {
    let failure = failing(&Builder::new(), || philosophers(3));
    assert!(failure.report.to_string().starts_with("deadlock:"), "{failure}");
}

#[test]
fn threads_in_circles_are_stopped() {
    let checked = Builder::new().steps_max(50).run(|| {
        let flag = Flag::new();
        while flag.read() == 0 {}
    });
    assert!(failure(&checked).report.to_string().contains("step limit"), "{checked}");
}

#[test]
fn a_scenario_that_remembers_is_found_out() {
    let runs = Arc::new(AtomicU32::new(0));
    let fickle = || {
        let event = Event::manual();
        let other = event.clone();
        let thread = world::spawn("setter", move || other.set());
        // What it does depends on how often it has run.
        if runs.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            event.is_set();
        }
        event.is_set();
        assert!(event.wait(Deadline::NEVER, Why::Wait));
        thread.join().expect("it does not panic");
    };
    let checked = Builder::new().run(fickle);
    let words = checked.to_string();
    assert!(words.contains("uncontrolled nondeterminism") && words.contains("cannot be replayed"), "{words}");
    let failure = failure(&checked);
    for shown in [&words, &failure.page, &failure.replay] {
        assert!(shown.contains("cannot be replayed") && !shown.contains("olx1:"), "{shown}");
    }
}

/// The step that a check names as the first that differs.
#[track_caller]
fn divergence(checked: &Checked) -> usize {
    match &failure(checked).report.end {
        End::Uncontrolled(divergence) => divergence.step,
        other => panic!("{other}"),
    }
}

#[test]
fn a_counter_in_a_static_is_found_at_the_step_that_it_changes() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    for strategy in [Strategy::Exhaustive, Strategy::Dfs, Strategy::Random, Strategy::PreemptionBound(1)] {
        RUNS.store(0, Ordering::Relaxed);
        let checked = Builder::new().strategy(strategy).run(|| {
            let flags = [Flag::new(), Flag::new()];
            flags[0].read();
            flags[1].read();
            flags[(RUNS.fetch_add(1, Ordering::Relaxed) % 2) as usize].write(1);
        });
        assert_eq!((divergence(&checked), checked.executions), (2, 1), "{strategy:?}: {checked}");
    }
}

#[test]
fn a_change_in_a_later_execution_is_found_when_its_prefix_is_run_again() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    for strategy in [Strategy::Exhaustive, Strategy::Dfs] {
        RUNS.store(0, Ordering::Relaxed);
        let checked = Builder::new().strategy(strategy).run(|| {
            let late = RUNS.fetch_add(1, Ordering::Relaxed) > 9;
            let flag = Flag::new();
            let threads: Vec<_> = (0..3)
                .map(|i| {
                    let flag = flag.clone();
                    world::spawn("writer", move || {
                        if !late {
                            flag.read();
                        }
                        flag.write(i);
                    })
                })
                .collect();
            threads.into_iter().for_each(join);
        });
        assert!(checked.to_string().contains("uncontrolled nondeterminism"), "{strategy:?}: {checked}");
        assert!(divergence(&checked) < 6, "{strategy:?}: {checked}");
    }
}

#[test]
fn the_order_of_a_hash_map_is_found() {
    // Each map has keys of its own by which it hashes: ten names come in the same order once in 3,628,800 times.
    let checked = Builder::new().run(|| {
        let flags: HashMap<usize, Flag> = (0..10).map(|i| (i, Flag::new())).collect();
        flags.values().for_each(|flag| flag.write(1));
    });
    assert!(divergence(&checked) < 10, "{checked}");
    let words = checked.to_string();
    assert!(words.contains("the order of a HashMap") && words.contains("write event"), "{words}");
}

#[test]
fn what_only_one_execution_does_is_found_when_every_execution_is_run_twice() {
    let check = |every: bool| {
        let runs = AtomicU32::new(0);
        let builder = Builder::new().strategy(Strategy::Random).executions_max(8).workers(1).self_check(every);
        let checked = builder.run(|| {
            let flag = Flag::new();
            flag.read();
            // The fifth run is the third execution's first: the first two executions are always run twice, the third is not.
            if runs.fetch_add(1, Ordering::Relaxed) == 4 {
                flag.write(1);
            }
            flag.read();
        });
        (checked, runs.into_inner())
    };
    let (sometimes, runs) = check(false);
    assert!(sometimes.failure.is_none(), "{sometimes}");
    assert_eq!((sometimes.executions, runs), (8, 8 + 4), "the first, second, fourth and eighth are run twice");
    let (always, _) = check(true);
    assert_eq!((always.executions, divergence(&always)), (3, 1), "{always}");
}
