//! A play of random calls, on host threads and in the simulator.

use oleander::kernel;
use oleander::platform::{self, Deadline, Why};
use oleander::process::Process;
use oleander_sim::schedule::RandomWalk;
use oleander_sim::{Limits, explore_with};
use std::sync::{Arc, Mutex};

/// Plays on host threads, in a process of its own.
pub fn on_host(play: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let said = Arc::new(Mutex::new(Err("it panicked".to_owned())));
    let says = said.clone();
    let process = Process::new(platform::host());
    let player = kernel::spawn_in(&process, "player", false, move || *says.lock().unwrap() = play());
    assert!(player.ended.wait(Deadline::NEVER, Why::Wait));
    std::mem::replace(&mut *said.lock().unwrap(), Ok(()))
}

/// Plays in a simulated world, in a few of its schedules.
pub fn in_simulator(play: impl Fn() -> Result<(), String> + Sync) -> Result<(), String> {
    let said = Mutex::new(Ok(()));
    let limits = Limits { executions_max: 3, ..Limits::default() };
    let found = explore_with(&mut RandomWalk::new(1), &limits, || {
        let played = play();
        if played.is_err() {
            *said.lock().unwrap() = played;
        }
    });
    let said = said.into_inner().unwrap();
    if said.is_ok() && found.failures > 0 { Err(found.to_string()) } else { said }
}
