//! The simulated world: the platform port on fibers, with virtual time and chosen schedules.
//!
//! ```
//! use oleander_sim::{explore, world};
//!
//! let found = explore(|| {
//!     let worker = world::spawn("worker", || 6 * 7);
//!     assert_eq!(worker.join().unwrap(), 42);
//! });
//! assert_eq!((found.schedules, found.failures), (1, 0));
//! ```
//!
//! [`run`] runs a scenario once under one fixed schedule, [`explore`] under all of them. Inside, threads are started
//! with [`world::spawn`]; whatever they do to shared objects is announced through `oleander::platform`, and each
//! announced operation is one step and one scheduling point. What a step touched is kept in a [`trace::Trace`];
//! who runs next is decided by a [`schedule::Schedule`].
//!
//! The rooms: `world` is the port and the hub that switches fibers; `fiber` owns stacks; `clock` moves virtual time;
//! `schedule` has one strategy a file; `check` runs a scenario under one of them, `search` on several workers; `replay`
//! writes an execution on one line, shrinks it and runs it again; `steps` are programs of atomic steps; `trace` records and
//! compares executions; `report` has the words; `choice` has scenarios' choices and random numbers; `sync` and `thread` are
//! for user code; `load` runs very many clients on a port of its own, `times` are distributions. `network` is what lies
//! between processes, `fault` what goes wrong.

mod check;
mod choice;
mod clock;
mod explore;
pub mod fault;
mod fiber;
pub mod load;
pub mod network;
mod replay;
mod report;
pub mod schedule;
mod search;
pub mod steps;
pub mod sync;
pub mod thread;
mod times;
pub mod trace;
pub mod world;

pub use check::{Builder, Checked, Checks, Counterexample, REPLAY_VARIABLE, Strategy, check};
pub use choice::choose;
pub use explore::{Exploration, Failure, explore, explore_with};
pub use replay::{Token, TokenError, replay, try_replay};
pub use report::{Blocked, Divergence, End, Report, name};
pub use world::{Limits, TimeMode, run, run_with};
