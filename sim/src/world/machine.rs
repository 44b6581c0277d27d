//! Machines and processes of a world.
//!
//! A process has tables of its own: classes, handles, message names, the global interface table, proxies and stubs that it
//! has registered. Its numbers and those of its threads and objects are nobody else's in the world. A machine is where
//! processes are. The scenario begins in the first process of the machine `local`.

use super::state::{self, World};
use super::{JoinHandle, spawn_in};
use crate::network::lines;
use oleander::network::Network;
use oleander::platform;
use oleander::process;
use std::sync::Arc;

/// The machine on which a scenario begins.
const LOCAL: &str = "local";

/// Numbers of processes lie so far apart that those of their threads and objects do not meet.
const PROCESS_STEP: u32 = 1 << 16;
pub(super) const FIRST_PROCESS: u32 = 4;

/// A machine of a simulated world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    number: usize,
    name: Arc<str>,
}

/// A process of a simulated world.
#[derive(Clone)]
pub struct Process {
    process: Arc<process::Process>,
    machine: Machine,
}

/// The machine with this name, which is made if there is none.
///
/// # Panics
/// Outside a simulated world.
pub fn machine(name: &str) -> Machine {
    state::with_here(|world| {
        let mut state = world.state.borrow_mut();
        let known = state.machines.iter().position(|there| **there == *name);
        let number = known.unwrap_or_else(|| {
            state.machines.push(name.into());
            state.machines.len() - 1
        });
        Machine { number, name: state.machines[number].clone() }
    })
}

/// A new process on the machine of the current thread.
///
/// # Panics
/// Outside a simulated world.
pub fn process() -> Process {
    this_process().machine.process()
}

/// The process of the current thread.
///
/// # Panics
/// Outside a simulated world.
pub fn this_process() -> Process {
    assert!(platform::is_simulated(), "world::this_process is for threads of a simulated world");
    let process = process::Process::current();
    state::with_here(|world| {
        let state = world.state.borrow();
        let at = state.processes.iter().find(|(there, _)| Arc::ptr_eq(there, &process));
        let number = at.expect("a thread of the world is in one of its processes").1;
        Machine { number, name: state.machines[number].clone() }
    })
    .with(process)
}

impl Machine {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn number(&self) -> u32 {
        u32::try_from(self.number).expect("fewer machines than numbers")
    }

    /// The processes on it that have not died, in the order in which they were made.
    ///
    /// # Panics
    /// Outside a simulated world.
    pub fn processes(&self) -> Vec<Process> {
        let all = state::with_here(World::processes);
        let here = all.into_iter().filter(|it| it.machine() == self.number() && !it.has_died());
        here.map(|it| self.clone().with(it)).collect()
    }

    /// A new process on it.
    ///
    /// # Panics
    /// Outside a simulated world.
    pub fn process(&self) -> Process {
        let process = state::with_here(|world| new_process(world, self.number));
        self.clone().with(process)
    }

    fn with(self, process: Arc<process::Process>) -> Process {
        Process { process, machine: self }
    }
}

impl Process {
    /// What `GetCurrentProcessId` says in it.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The machine that it is on.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Oleander's process, for `oleander::debug`.
    pub fn emulated(&self) -> &Arc<process::Process> {
        &self.process
    }

    /// Starts a thread in it.
    ///
    /// # Panics
    /// Outside the process's world.
    pub fn spawn<T: Send + 'static>(&self, name: &str, body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        spawn_in(&self.process, name, body)
    }
}

/// A world's first process, on its first machine.
pub(super) fn first_process(world: &Arc<World>) -> Arc<process::Process> {
    world.state.borrow_mut().machines.push(LOCAL.into());
    *world.network.borrow_mut() = Some(Network::new(lines()));
    new_process(world, 0)
}

fn new_process(world: &World, machine: usize) -> Arc<process::Process> {
    let port = world.port();
    let network = world.network.borrow().clone().expect("a world that runs has a network");
    let mut state = world.state.borrow_mut();
    let number = u32::try_from(state.processes.len()).expect("fewer processes than numbers");
    let process = network.process(FIRST_PROCESS + number * PROCESS_STEP, machine as u32, port);
    state.processes.push((process.clone(), machine));
    process
}
