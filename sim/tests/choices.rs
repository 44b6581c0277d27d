//! `choose`: a scenario's own choices are explored, drawn and replayed as those of the schedule are.

#[path = "common/explored.rs"]
mod explored;

use explored::*;
use oleander_sim::{Builder, End, Strategy, choose, run, world};
use std::cell::Cell;
use std::collections::BTreeSet;

const COMPLETE: [Strategy; 4] =
    [Strategy::Exhaustive, Strategy::Dfs, Strategy::PreemptionBound(0), Strategy::DelayBound(0)];

#[test]
fn every_way_is_explored_once() {
    for strategy in COMPLETE {
        let checked = explored(&Builder::new().strategy(strategy), || _ = (choose(3), choose(1), choose(4)));
        assert_eq!(checked.executions, 12, "{strategy:?}: {checked}");
        let ways = outcomes(&Builder::new().strategy(strategy), || (choose(3), choose(1), choose(4)));
        let all = (0..3).flat_map(|one| (0..4).map(move |other| (one, 0, other)));
        assert_eq!(ways, all.collect::<BTreeSet<_>>(), "{strategy:?}");
    }
}

#[test]
fn a_choice_may_depend_on_the_one_before() {
    let ways = outcomes(&Builder::new(), || match choose(3) {
        0 => vec![0],
        one => vec![one, choose(one + 1)],
    });
    let all = [vec![0], vec![1, 0], vec![1, 1], vec![2, 0], vec![2, 1], vec![2, 2]];
    assert_eq!(ways, BTreeSet::from(all));
}

#[test]
fn choices_of_two_threads_are_all_combined() {
    let ways = outcomes(&Builder::new(), || {
        let other = world::spawn("other", || choose(3));
        (choose(2), other.join().unwrap())
    });
    assert_eq!(ways.len(), 6, "{ways:?}");
}

#[test]
fn random_walks_draw_each_way() {
    for strategy in [Strategy::Random, Strategy::Pct(2)] {
        let drawn = std::sync::Mutex::new(BTreeSet::new());
        let checked = Builder::new().strategy(strategy).executions_max(200).run(|| {
            let way = choose(5);
            drawn.lock().unwrap().insert(way);
        });
        assert!(checked.failure.is_none(), "{checked}");
        assert_eq!(drawn.into_inner().unwrap(), (0..5).collect(), "{strategy:?}");
    }
}

/// Fails in one of twelve ways.
fn picky() {
    let other = world::spawn("other", || choose(4));
    let mine = choose(3);
    assert_ne!((mine, other.join().unwrap()), (2, 1), "these two do not go together");
}

#[test]
fn the_token_replays_what_was_chosen() {
    let failure = failing(&Builder::new(), picky);
    let End::Panicked { message, .. } = &failure.report.end else { panic!("{failure}") };
    assert!(message.contains("these two do not go together"), "{message}");
}

#[test]
fn the_timeline_says_what_was_chosen() {
    let failure = failing(&Builder::new(), picky);
    let text = failure.to_string();
    let mut chosen: Vec<&str> = text.lines().filter_map(|line| line.trim_start().strip_prefix(". ")).collect();
    chosen.sort_unstable();
    assert_eq!(chosen, ["main chooses 2 of 3", "other chooses 1 of 4"], "{text}");
    for picture in [&failure.page, &failure.mermaid] {
        assert!(chosen.iter().all(|choice| picture.contains(choice)), "{picture}");
    }
}

#[test]
fn the_default_schedule_takes_the_first_way() {
    let chosen = Cell::new(usize::MAX);
    run(|| chosen.set(choose(7))).expect_completed();
    assert_eq!(chosen.get(), 0);
}

#[test]
#[should_panic(expected = "one of no ways cannot be chosen")]
fn one_of_none_is_refused() {
    choose(0);
}

#[test]
#[should_panic(expected = "choose belongs to simulated worlds")]
fn a_thread_of_the_machine_chooses_nothing() {
    choose(2);
}
