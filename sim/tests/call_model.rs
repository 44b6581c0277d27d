//! Call objects against the model of `core/tests/common/call_table.rs`: random sequences under random schedules. On host threads:
//! `core/tests/call_model.rs`.

#[path = "../../core/tests/common/call_table.rs"]
mod call_table;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use call_table::*;
use oleander::debug;
use oleander_sim::{Builder, Strategy as Schedules};
use proptest::prelude::*;
use std::sync::atomic::AtomicU32;
use support::probe::*;

/// Plays in worlds of its own, under a few schedules; nothing is left, and no checker objects.
fn played(play: impl Fn() + Sync) -> Result<(), String> {
    let builder = Builder::new().strategy(Schedules::Random).executions_max(4).workers(1);
    let checked = builder.run(|| {
        play();
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
    });
    if checked.failure.is_none() { Ok(()) } else { Err(checked.to_string()) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn call_6_0_random_sequences_agree_with_the_table(ops in ops(), pair in 0..PAIRS.len()) {
        let (client, server) = PAIRS[pair];
        let played = played(|| {
            let ops = ops.clone();
            in_scene(client, server, Flavour::Sync, move |scene, _| play(scene, &AtomicU32::new(1), &ops));
        });
        prop_assert_eq!(played, Ok(()));
    }

    #[test]
    fn call_6_0_random_sequences_on_two_call_objects(first in ops(), second in ops()) {
        prop_assert_eq!(played(|| play_two(first.clone(), second.clone())), Ok(()));
    }
}
