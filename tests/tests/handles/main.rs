//! Random calls on handles, events, semaphores, mutexes and waits by three threads, on the runtime and on a model of the
//! contract: the same code on host threads and in the simulator.

mod actors;
mod model;

use actors::play;
use model::{ACTORS, Op};
use oleander::kernel;
use oleander::platform::{self, Deadline, Why};
use oleander::process::Process;
use oleander_sim::schedule::RandomWalk;
use oleander_sim::{Limits, explore_with};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

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

/// Plays on host threads, in a process of its own.
fn on_host(ops: Vec<(usize, Op, bool)>) -> Result<(), String> {
    let said = Arc::new(Mutex::new(Err("it panicked".to_owned())));
    let says = said.clone();
    let process = Process::new(platform::host());
    let player = kernel::spawn_in(&process, "player", false, move || *says.lock().unwrap() = play(&ops));
    assert!(player.ended.wait(Deadline::NEVER, Why::Wait));
    std::mem::replace(&mut *said.lock().unwrap(), Ok(()))
}

/// Plays in a simulated world, in a few of its schedules.
fn in_simulator(ops: &[(usize, Op, bool)]) -> Result<(), String> {
    let said = Mutex::new(Ok(()));
    let limits = Limits { executions_max: 3, ..Limits::default() };
    let found = explore_with(&mut RandomWalk::new(1), &limits, || {
        let played = play(ops);
        if played.is_err() {
            *said.lock().unwrap() = played;
        }
    });
    let said = said.into_inner().unwrap();
    if said.is_ok() && found.failures > 0 { Err(found.to_string()) } else { said }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn wait_07_14_16_18_random_calls_agree_with_the_model(ops in ops()) {
        prop_assert_eq!(on_host(ops.clone()), Ok(()));
        prop_assert_eq!(in_simulator(&ops), Ok(()));
    }
}
