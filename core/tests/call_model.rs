//! Call objects against a small reference model (`common/call_table.rs`), exhaustively for short sequences and at random for long
//! ones. In the simulator: `sim/tests/call_model.rs`.

#[path = "common/call_table.rs"]
mod call_table;
mod support;

use call_table::*;
use proptest::prelude::*;
use std::sync::atomic::AtomicU32;
use support::probe::*;
use support::*;

#[test]
fn call_6_0_the_state_table_for_all_sequences_of_four() {
    each_pair(Flavour::Sync, |scene| {
        let numbers = AtomicU32::new(1);
        for number in 0..OPS.len().pow(4) {
            let ops: Vec<_> = (0..4).map(|i| OPS[number / OPS.len().pow(i) % OPS.len()]).collect();
            play(scene, &numbers, &ops);
        }
    });
}

/// From every state, whatever led there, one step more.
#[test]
fn call_6_0_every_row_and_column() {
    each_pair(Flavour::Sync, |scene| {
        let numbers = AtomicU32::new(1);
        let begin = Op::Begin(Method::Double);
        let finish = Op::Finish(Method::Double);
        let ways: [&[Op]; 7] = [
            &[],
            &[begin],
            &[begin, Op::Complete],
            &[begin, Op::Cancel],
            &[begin, finish],
            &[begin, Op::Cancel, finish],
            &[begin, Op::Complete, Op::Cancel],
        ];
        for way in ways {
            for first in OPS {
                for second in OPS {
                    play(scene, &numbers, &[way, &[first, second]].concat());
                }
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn call_6_0_random_sequences_agree_with_the_table(ops in ops(), pair in 0..PAIRS.len()) {
        let (client, server) = PAIRS[pair];
        scene(client, server, Flavour::Sync, move |scene| play(scene, &AtomicU32::new(1), &ops));
    }

    #[test]
    fn call_6_0_random_sequences_on_two_call_objects(first in ops(), second in ops()) {
        in_process(move || play_two(first, second));
    }
}
