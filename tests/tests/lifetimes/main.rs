//! Random calls that marshal, unmarshal, lock, cut off and release an object, by three threads in apartments of their own, on the
//! runtime and on a model of the contract: who keeps it, who reaches it, and what it hears of its connections. The same code
//! on host threads and in the simulator.

mod actors;
mod model;
#[path = "../common/played.rs"]
mod played;
#[path = "../common/told.rs"]
mod told;

use actors::play;
use model::{ACTORS, HOME, Kind, Op};
use played::{in_simulator, on_host};
use proptest::prelude::*;

/// Packets and pointers are among the first few, so that calls meet.
fn which() -> impl Strategy<Value = usize> {
    0..6_usize
}

/// A call, and who makes it.
fn op() -> impl Strategy<Value = (usize, Op)> {
    let kind = prop_oneof![Just(Kind::Normal), Just(Kind::TableStrong), Just(Kind::TableWeak)];
    let home = prop_oneof![
        6 => kind.prop_map(Op::Marshal),
        4 => which().prop_map(Op::ReleasePacket),
        2 => Just(Op::Lock),
        2 => Just(Op::Unlock),
        1 => Just(Op::Disconnect),
    ];
    let client = prop_oneof![
        2 => which().prop_map(Op::MarshalProxy),
        2 => which().prop_map(Op::Call),
    ];
    let anybody = prop_oneof![
        6 => which().prop_map(Op::Unmarshal),
        4 => which().prop_map(Op::Release),
    ];
    prop_oneof![
        5 => home.prop_map(|op| (HOME, op)),
        2 => (1..ACTORS, client),
        5 => (0..ACTORS, anybody),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn mrsh_04_to_09_18_20_21_random_calls_agree_with_the_model(
        watched: bool, ops in proptest::collection::vec(op(), 1..60),
    ) {
        let own = ops.clone();
        prop_assert_eq!(on_host(move || play(watched, &own)), Ok(()));
        prop_assert_eq!(in_simulator(|| play(watched, &ops)), Ok(()));
    }
}
