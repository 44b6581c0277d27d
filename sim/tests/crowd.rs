//! A crowd in the simulator: the members of `core/tests/crowd` (STAs that call, cancel, disconnect, hand on and end at any
//! moment), fewer of them and with shorter lives, each crowd under many random schedules. One that fails is replayed by the
//! line that is printed, with the crowd's seed.
//!
//! `OLEANDER_STRESS_SEED` is the first crowd's seed, `OLEANDER_STRESS_CROWDS` how many crowds there are,
//! `OLEANDER_STRESS_SCHEDULES` under how many schedules each lives.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/crowd/life.rs"]
mod life;
#[path = "../../core/tests/crowd/member.rs"]
mod member;
#[path = "../../core/tests/crowd/random.rs"]
mod random;
#[path = "../../core/tests/common/rooms.rs"]
mod rooms;
#[path = "../../core/tests/crowd/watch.rs"]
mod watch;

use explored::ENDS_AT_ANY_MOMENT;
use life::{Crowd, Home, live};
use oleander::{COINIT_MULTITHREADED, CoInitializeEx, CoUninitialize, S_OK};
use oleander_sim::{Builder, Strategy, thread_local, world};
use random::Random;
use std::ptr::null_mut;
use std::sync::Arc;
use watch::Watch;

/// How many live at once: the last in the MTA, the others in apartments of their own.
const CROWD: usize = 5;
/// How many lives there are in all.
const LIVES: usize = 6;

fn setting(name: &str, or: u64) -> u64 {
    std::env::var(name).map_or(or, |said| said.parse().expect(name))
}

/// From the first life to the last; `seed` says what the members do. What they heard is added to `total`.
fn crowd(seed: u64, total: &Watch) {
    // The interface table is emptied when the last apartment ends: not before the last life has.
    assert_eq!(unsafe { CoInitializeEx(null_mut(), COINIT_MULTITHREADED) }, S_OK);
    let crowd = Arc::new(Crowd::new(CROWD));
    let mut random = Random::new(seed);
    let mut spawn = |slot: usize| {
        let (crowd, seed) = (crowd.clone(), random.below(usize::MAX) as u64);
        let home = if slot + 1 < CROWD { Home::Own } else { Home::Guest };
        world::spawn(&format!("member {slot}"), move || live(&crowd, home, slot, seed))
    };
    let mut living: Vec<_> = (0..CROWD).map(|slot| Some(spawn(slot))).collect();
    let mut left = Vec::new();
    for life in CROWD..CROWD + LIVES {
        let slot = life % CROWD;
        if life == LIVES {
            crowd.close();
        }
        let member = living[slot].take().expect("one lives there");
        left.extend(member.join().expect("a member does not panic"));
        if life < LIVES {
            living[slot] = Some(spawn(slot));
        }
    }
    drop(left);
    unsafe { CoUninitialize() };
    crowd.clear();
    total.add(&crowd.watch);
}

#[test]
fn crowds_live_under_random_schedules() {
    let first = setting("OLEANDER_STRESS_SEED", 1);
    let crowds = setting("OLEANDER_STRESS_CROWDS", 10);
    let schedules = setting("OLEANDER_STRESS_SCHEDULES", 20);
    let total = Watch::new(0);
    for seed in first..first + crowds {
        println!("OLEANDER_STRESS_SEED={seed} OLEANDER_STRESS_CROWDS=1");
        let random = Builder::new().strategy(Strategy::Random).seed(seed).executions_max(schedules);
        random.checks(ENDS_AT_ANY_MOMENT).check(|| crowd(seed, &total));
    }
    println!("{crowds} crowds from seed {first}, {schedules} schedules each");
    let heard = total.report();
    println!("{heard}");
    assert!(heard.contains("Nest: S_OK") && heard.contains("Finish_: S_OK"), "they called each other");
}
