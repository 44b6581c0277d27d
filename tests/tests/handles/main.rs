//! Random calls on handles, events, semaphores, mutexes and waits by three threads, on the runtime and on a model of the
//! contract: the same code on host threads and in the simulator.

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

/// Handles are among the first few that were given, so that calls meet.
fn which() -> impl Strategy<Value = usize> {
    0..6_usize
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (any::<bool>(), any::<bool>()).prop_map(|(manual, set)| Op::Event { manual, set }),
        2 => (-1..4_i32, 0..4_i32).prop_map(|(count, max)| Op::Semaphore { count, max }),
        2 => any::<bool>().prop_map(|owned| Op::Mutex { owned }),
        1 => which().prop_map(Op::Duplicate),
        1 => which().prop_map(Op::Close),
        4 => which().prop_map(Op::Set),
        2 => which().prop_map(Op::Reset),
        3 => (which(), 1..3_i32).prop_map(|(which, count)| Op::ReleaseSemaphore(which, count)),
        3 => which().prop_map(Op::ReleaseMutex),
        10 => (proptest::collection::vec(which(), 0..4), any::<bool>())
            .prop_map(|(handles, all)| Op::Wait { handles, all }),
        2 => (which(), which()).prop_map(|(signal, wait)| Op::SignalAndWait(signal, wait)),
        1 => (0..ACTORS).prop_map(Op::Apc),
        2 => Just(Op::End),
    ]
}

fn ops() -> impl Strategy<Value = Vec<(usize, Op, bool)>> {
    proptest::collection::vec((0..ACTORS, op(), any::<bool>()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn wait_07_14_16_18_random_calls_agree_with_the_model(ops in ops()) {
        let own = ops.clone();
        prop_assert_eq!(on_host(move || play(&own)), Ok(()));
        prop_assert_eq!(in_simulator(|| play(&ops)), Ok(()));
    }
}
