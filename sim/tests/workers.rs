//! Workers and shards: what is found does not depend on how many there are.

mod common;

use common::*;
use oleander_sim::{Builder, Checked, Strategy, world};
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

const STRATEGIES: [Strategy; 7] = [
    Strategy::Exhaustive,
    Strategy::Dfs,
    Strategy::PreemptionBound(2),
    Strategy::DelayBound(3),
    Strategy::Random,
    Strategy::Pct(3),
    Strategy::Portfolio,
];

/// What has to be the same: the number of executions, whether that was all, and the line that replays the failure.
fn essence(checked: &Checked) -> (u64, bool, Option<String>) {
    let token = checked.failure.as_ref().map(|failure| failure.token.to_string());
    (checked.executions, checked.complete, token)
}

/// Checks with 1, 2 and 3 workers, and says what all of them found.
#[track_caller]
fn assert_same(builder: &Builder, scenario: impl Fn() + Sync) -> Checked {
    let one = builder.clone().workers(1).run(&scenario);
    for workers in 2..=3 {
        let more = builder.clone().workers(workers).run(&scenario);
        assert_eq!(essence(&one), essence(&more), "{workers} workers with {builder:?}: {one}\n{more}");
    }
    one
}

/// Two additions without a lock among steps of others.
fn lost_update() {
    let (counter, noise) = (Flag::new(), Flag::new());
    let add = |flag: &Flag| {
        let flag = flag.clone();
        world::spawn("adder", move || flag.write(flag.read() + 1))
    };
    let threads = [add(&counter), add(&noise), add(&noise), add(&counter)];
    threads.into_iter().for_each(join);
    assert_eq!(counter.read(), 2, "an addition is lost");
}

#[test]
fn complete_explorations_have_the_executions_of_the_calibration() {
    for (k, executions) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
        for split_after in [1, 2, 3, 5, 17, 100] {
            let builder = Builder::new().split_after(split_after);
            let checked = assert_same(&builder, || clients_on_one_sta(k));
            assert_eq!(essence(&checked), (executions, true, None), "{k} clients, {split_after}: {checked}");
        }
    }
    let plain = Builder::new().strategy(Strategy::Dfs).split_after(10);
    assert_eq!(assert_same(&plain, || clients_on_one_sta(3)).executions, 2454);
}

#[test]
fn a_scenario_beyond_the_default_has_one_execution_for_each_order_too() {
    let checked = assert_same(&Builder::new(), || clients_on_one_sta(7));
    assert_eq!(essence(&checked), (5040, true, None), "{checked}");
}

#[test]
fn every_strategy_runs_the_same_executions() {
    for strategy in STRATEGIES {
        for split_after in [1, 7, 40] {
            let builder = Builder::new().strategy(strategy).seed(3).split_after(split_after);
            assert_same(&builder, || clients_on_one_sta(3));
        }
    }
}

#[test]
fn every_strategy_reports_the_same_failure() {
    for strategy in STRATEGIES {
        for split_after in [1, 2, 5] {
            let builder = Builder::new().strategy(strategy).seed(3).split_after(split_after);
            let checked = assert_same(&builder, lost_update);
            assert!(checked.failure.is_some(), "{builder:?}: {checked}");
        }
    }
    let deadlock = assert_same(&Builder::new().split_after(1), || philosophers(3));
    assert!(deadlock.to_string().contains("deadlock:"), "{deadlock}");
}

#[test]
fn limits_end_a_check_at_the_same_execution() {
    for strategy in STRATEGIES {
        for most in [1, 4, 5, 11, 150, 333] {
            let builder = Builder::new().strategy(strategy).split_after(3).executions_max(most);
            let checked = assert_same(&builder, || clients_on_one_sta(4));
            assert!(checked.executions <= most, "{checked}");
            assert!(checked.complete || checked.executions == most, "{checked}");
        }
    }
}

/// Values chosen inside steps, before and after other steps.
fn choosers(endings: &Mutex<BTreeSet<(u32, u32)>>) {
    let chooser = |n| {
        let flag = Flag::new();
        let mine = flag.clone();
        let thread = world::spawn("chooser", move || {
            let seen = mine.read();
            let value = oleander_sim::choose(n) as u32;
            mine.write(seen + value);
        });
        (flag, thread)
    };
    let (first, one) = chooser(3);
    let (second, two) = chooser(2);
    let writer = {
        let (first, second) = (first.clone(), second.clone());
        world::spawn("writer", move || {
            first.write(10);
            second.write(20);
        })
    };
    [one, two, writer].into_iter().for_each(join);
    let ending = (first.read(), second.read());
    endings.lock().unwrap().insert(ending);
}

#[test]
fn chosen_values_are_split_without_loss() {
    let all = Mutex::default();
    let plain = Builder::new().strategy(Strategy::Dfs).workers(1).run(|| choosers(&all));
    assert!(plain.complete && plain.failure.is_none(), "{plain}");
    let all = all.into_inner().unwrap();
    let alone = Builder::new().workers(1).run(|| choosers(&Mutex::default()));
    for split_after in 1..alone.executions {
        let some = Mutex::default();
        let checked = assert_same(&Builder::new().split_after(split_after), || choosers(&some));
        assert_eq!(essence(&checked), essence(&alone), "{split_after}: {checked}");
        assert_eq!(some.into_inner().unwrap(), all, "{split_after}");
    }
}

#[test]
fn all_shards_together_are_everything() {
    for (strategy, whole) in [(Strategy::Exhaustive, 120), (Strategy::DelayBound(2), 0), (Strategy::Random, 1000)] {
        let builder = Builder::new().strategy(strategy).split_after(4);
        let whole_check = builder.run(|| clients_on_one_sta(5));
        assert!(whole == 0 || whole_check.executions == whole, "{whole_check}");
        for n in [2, 3, 7] {
            let shards: Vec<_> =
                (0..n).map(|i| assert_same(&builder.clone().shard(i, n), || clients_on_one_sta(5))).collect();
            assert!(shards.iter().all(|shard| shard.complete == whole_check.complete));
            let sum: u64 = shards.iter().map(|shard| shard.executions).sum();
            assert_eq!(sum, whole_check.executions, "{strategy:?}, {n} shards");
            assert!(shards.iter().filter(|shard| shard.executions > 0).count() > 1, "one shard has it all");
        }
    }
}

#[test]
fn some_shard_has_the_failure() {
    for n in [2, 5] {
        let found = (0..n).filter(|&i| {
            let builder = Builder::new().split_after(1).shard(i, n);
            assert_same(&builder, || philosophers(3)).failure.is_some()
        });
        assert!(found.count() > 0, "{n} shards");
    }
}

#[test]
#[should_panic(expected = "there is no shard 2 of 2")]
fn there_is_no_shard_beyond_the_last() {
    _ = Builder::new().shard(2, 2);
}

/// Each worker stays in its first execution until there is another one in it too.
#[test]
fn by_default_there_is_a_worker_for_each_core() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (caller, sure) = (std::thread::current().id(), cores.min(2));
    // How many are in an execution, and the most that were.
    let (inside, changed) = (Mutex::new((0, 0)), Condvar::new());
    let checked = Builder::new().split_after(1).stall_max(Duration::MAX).run(|| {
        if std::thread::current().id() != caller {
            let mut count = inside.lock().unwrap();
            count.0 += 1;
            count.1 = count.0.max(count.1);
            changed.notify_all();
            let two_minutes = Duration::from_secs(120);
            let (mut count, late) = changed.wait_timeout_while(count, two_minutes, |count| count.1 < sure).unwrap();
            count.0 -= 1;
            assert!(!late.timed_out(), "no other worker came");
        }
        clients_on_one_sta(4);
    });
    assert!(checked.complete && checked.failure.is_none(), "{checked}");
    let most = inside.into_inner().unwrap().1;
    assert!(if cores > 1 { (sure..=cores).contains(&most) } else { most == 0 }, "{most} workers on {cores} cores");
}
