//! Random calls that enter and leave apartments, by three threads, on the runtime and on a model of the contract: who is where,
//! what lives for how long, and what is said outside COM. The same code on host threads and in the simulator.

mod actors;
mod model;
#[path = "../common/played.rs"]
mod played;
#[path = "../common/told.rs"]
mod told;

use actors::play;
use model::{ACTORS, Op};
use played::{in_simulator, on_host};
use proptest::prelude::*;

/// Cookies are among the first few that were given, so that calls meet.
fn which() -> impl Strategy<Value = usize> {
    0..4_usize
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (any::<bool>(), proptest::bool::weighted(0.1)).prop_map(|(sta, reserved)| Op::Enter { sta, reserved }),
        8 => Just(Op::Leave),
        2 => Just(Op::Increment),
        2 => which().prop_map(Op::Decrement),
        6 => Just(Op::Type),
        4 => Just(Op::Token),
        1 => Just(Op::EnableCancellation),
        2 => Just(Op::DisableCancellation),
        2 => Just(Op::Filter),
        4 => Just(Op::Put),
        6 => which().prop_map(Op::Get),
        3 => which().prop_map(Op::Revoke),
        1 => Just(Op::End),
    ]
}

fn ops() -> impl Strategy<Value = Vec<(usize, Op)>> {
    proptest::collection::vec((0..ACTORS, op()), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn apt_01_to_29_mrsh_25_rul_31_random_calls_agree_with_the_model(ops in ops()) {
        let own = ops.clone();
        prop_assert_eq!(on_host(move || play(&own)), Ok(()));
        prop_assert_eq!(in_simulator(|| play(&ops)), Ok(()));
    }
}
