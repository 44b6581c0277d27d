//! Faults: at points that the scenario chooses, or explored within a budget.
//!
//! At a point: [`kill`] and [`kill_machine`], [`cut`] and [`heal`], [`lose_next`], [`out_of_memory`], [`refuse`], [`end_sta`].
//! Explored: [`explore`], or [`Builder::faults`](crate::Builder::faults), says how many faults an execution may have and of
//! what kinds; then each parcel may be lost, each call may get no memory or be refused, and each process named by
//! [`may_die`] may die between any two steps. Whether it happens is a choice of the schedule like any other. What the
//! scenario says is part of it, and what the Builder says is in the token: so a token replays it.
//!
//! What a client gets (RUL-12): see the chapter on the simulator.

use crate::network::{self, rundown};
use crate::world::{self, Machine, Process, World};
use oleander::platform::{self, Access, Deadline, ThreadRef, Why};
use oleander::process;
use oleander::windows_core::HRESULT;
use oleander::{RPC_E_CALL_REJECTED, RPC_E_SERVERCALL_RETRYLATER};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A kind of fault that is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process named by [`may_die`] dies.
    Death,
    /// A parcel between machines is lost.
    Loss,
    /// There is no memory for a call: `E_OUTOFMEMORY`.
    Memory,
    /// A call to an STA is rejected, or told to come again.
    Refusal,
}

impl Kind {
    /// All of them, with the names that tokens use.
    pub(crate) const ALL: [(Self, &str); 4] =
        [(Self::Death, "death"), (Self::Loss, "loss"), (Self::Memory, "memory"), (Self::Refusal, "refusal")];
}

/// The faults that every execution of a check may have, from its beginning: see
/// [`Builder::faults`](crate::Builder::faults).
///
/// ```
/// use oleander_sim::fault::{Faults, Kind};
///
/// let builder = oleander_sim::Builder::new().faults(Faults::budget(1).kinds(&[Kind::Memory]));
/// assert!(builder.run(|| ()).failure.is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    budget: u32,
    kinds: [bool; Kind::ALL.len()],
}

impl Faults {
    /// None.
    pub const NONE: Self = Self::budget(0);

    /// Up to so many in an execution, of every kind.
    #[must_use]
    pub const fn budget(budget: u32) -> Self {
        Self { budget, kinds: [true; Kind::ALL.len()] }
    }

    /// Of these kinds only.
    #[must_use]
    pub fn kinds(self, kinds: &[Kind]) -> Self {
        Self { kinds: Kind::ALL.map(|(kind, _)| kinds.contains(&kind)), ..self }
    }

    /// How many there may be.
    pub(crate) fn most(&self) -> u32 {
        self.budget
    }

    /// The kinds, with their names.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Kind, &'static str)> {
        Kind::ALL.into_iter().zip(self.kinds).filter(|(_, on)| *on).map(|(kind, _)| kind)
    }

    /// What a world begins with.
    pub(crate) fn plan(&self) -> Plan {
        Plan { explored: self.each().map(|(kind, _)| kind).collect(), left: self.budget, ..Plan::default() }
    }
}

/// What a world knows of faults to come.
#[derive(Default)]
pub(crate) struct Plan {
    explored: Vec<Kind>,
    left: u32,
    memory: BTreeMap<u32, u32>,
    refusals: BTreeMap<u32, VecDeque<HRESULT>>,
}

/// Explores faults of some kinds from now on: up to `budget` more in the execution, in place of what the Builder said and of
/// what an earlier call did.
///
/// # Panics
/// Outside a simulated world.
pub fn explore(budget: u32, kinds: &[Kind]) {
    with_plan(|plan| {
        plan.left = budget;
        plan.explored = kinds.to_vec();
    });
}

/// Lets a process die at any point, where [`explore`] or the Builder says so: call it once the process is there.
///
/// # Panics
/// For the process of the scenario.
pub fn may_die(process: &Process) {
    assert_mortal(process.emulated());
    if !happens(Kind::Death) {
        return;
    }
    let victim = process.clone();
    let first = world::with_here(World::first_process);
    drop(world::spawn_in(&first, &format!("death of process {}", process.id()), move || kill(&victim)));
    // A step, so that it may die before anything else happens.
    platform::visit(process.emulated().life(), Access::Read);
}

/// A process dies: none of its threads runs on, calls to it fail, and what it holds elsewhere is given back when it is missed.
/// From a thread of the process itself this does not return.
///
/// What is on the stacks of its threads and in its tables is given up: destructors do not run.
///
/// # Panics
/// For the process of the scenario.
pub fn kill(process: &Process) {
    let victim = process.emulated();
    assert_mortal(victim);
    if Arc::ptr_eq(victim, &process::Process::current()) {
        let (first, victim) = (world::with_here(World::first_process), process.clone());
        drop(world::spawn_in(&first, "end of a process", move || kill(&victim)));
        platform::block(&[], &|| false, Deadline::NEVER, Why::Sleep);
        return;
    }
    victim.die(|| world::with_here(|world| world.stop_threads_of(victim)));
    for server in others(victim) {
        rundown::begin(victim, &server);
    }
}

/// All processes of a machine die, one right after the other.
///
/// # Panics
/// For the machine of the scenario.
pub fn kill_machine(machine: &Machine) {
    machine.processes().iter().for_each(kill);
}

/// Cuts the link between two machines: what is on its way is lost, calls over it fail, later ones find nobody.
pub fn cut(one: &Machine, other: &Machine) {
    network::set_cut(one.number(), other.number(), true);
    for here in one.processes() {
        for there in other.processes() {
            let (here, there) = (here.emulated(), there.emulated());
            network::lose_all(here.id(), there.id());
            network::lose_all(there.id(), here.id());
            here.disconnect_from(there);
            rundown::begin(here, there);
            rundown::begin(there, here);
        }
    }
}

/// Heals a link.
pub fn heal(one: &Machine, other: &Machine) {
    network::set_cut(one.number(), other.number(), false);
}

/// The next parcel from a machine to another one is lost, and with it the call that it belongs to.
pub fn lose_next(from: &Machine, to: &Machine) {
    network::lose_next(from.number(), to.number());
}

/// The next `calls` calls of a process get no memory: `E_OUTOFMEMORY`.
pub fn out_of_memory(process: &Process, calls: u32) {
    with_plan(|plan| *plan.memory.entry(process.id()).or_default() += calls);
}

/// What a refused call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `RPC_E_CALL_REJECTED`
    Rejected,
    /// `RPC_E_SERVERCALL_RETRYLATER`
    RetryLater,
}

impl Refusal {
    fn code(self) -> HRESULT {
        match self {
            Self::Rejected => RPC_E_CALL_REJECTED,
            Self::RetryLater => RPC_E_SERVERCALL_RETRYLATER,
        }
    }
}

/// The next `calls` synchronous calls to STAs of a process are refused, whatever their message filters say.
pub fn refuse(process: &Process, refusal: Refusal, calls: usize) {
    with_plan(|plan| {
        plan.refusals.entry(process.id()).or_default().extend(std::iter::repeat_n(refusal.code(), calls));
    });
}

/// The STA of a thread ends when the thread next dispatches, as if it had left COM. False where it takes no more work.
pub fn end_sta(thread: &ThreadRef) -> bool {
    oleander::network::end_sta(thread.process(), thread.id())
}

fn assert_mortal(victim: &Arc<process::Process>) {
    let first = world::with_here(World::first_process);
    assert!(!Arc::ptr_eq(victim, &first), "the process of the scenario does not die: it is the one that looks on");
}

/// The other processes that are there.
fn others(than: &Arc<process::Process>) -> Vec<Arc<process::Process>> {
    let all = world::with_here(World::processes);
    all.into_iter().filter(|it| !Arc::ptr_eq(it, than) && !it.has_died()).collect()
}

fn with_plan<R>(f: impl FnOnce(&mut Plan) -> R) -> R {
    world::with_here(|world| f(&mut world.plan.borrow_mut()))
}

/// Whether a fault of an explored kind happens here.
pub(crate) fn happens(kind: Kind) -> bool {
    let open = with_plan(|plan| plan.left > 0 && plan.explored.contains(&kind));
    let happens = open && platform::current().port().choose(2) == 1;
    if happens {
        with_plan(|plan| plan.left -= 1);
    }
    happens
}

/// Whether a process gets memory for a call.
pub(crate) fn has_memory(process: &process::Process) -> bool {
    let planned = with_plan(|plan| match plan.memory.get_mut(&process.id()) {
        Some(calls) if *calls > 0 => {
            *calls -= 1;
            true
        }
        _ => false,
    });
    if planned {
        // Which of the process's calls it was is a race.
        platform::note(process.life(), Access::Write);
    }
    !planned && !happens(Kind::Memory)
}

/// Whether a call that arrives in an STA of a process is refused.
pub(crate) fn refuses(process: &process::Process) -> Option<HRESULT> {
    let planned = with_plan(|plan| plan.refusals.get_mut(&process.id()).and_then(VecDeque::pop_front));
    if planned.is_some() {
        platform::note(process.life(), Access::Write);
        return planned;
    }
    if !happens(Kind::Refusal) {
        return None;
    }
    let which = platform::current().port().choose(2);
    Some([Refusal::Rejected, Refusal::RetryLater][which].code())
}
