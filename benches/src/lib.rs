//! What the benchmarks of `benches/benches` share: pinning, a server in an STA, and the hand-written peers.
//!
//! Numbers of two threads depend on where the system puts them: on a small machine an unpinned run falls into two heaps,
//! one for each placement. So every benchmark with two threads runs twice, pinned: both on one CPU ([`Place::OneCpu`]),
//! and each on its own ([`Place::CpuEach`]). Compare with peers of the same run and the same placement only.
//!
//! `bash ci/speed` prints one table of ours and the peers' ([`operations`]); `cargo bench -p oleander-benches --features peers
//! --bench operations` measures the same with criterion. `bash ci/compare-explorers`
//! measures the simulator beside loom and shuttle, all of them built with link-time optimisation and one codegen unit (profile
//! `compare`).

#![allow(clippy::missing_safety_doc, reason = "methods of COM interfaces; the rules are those of COM")]

pub mod handing;
pub mod memory;
pub mod operations;
pub mod peers;
pub mod pin;
pub mod pooled;
pub mod scenarios;
pub mod server;
pub mod sieve;

pub use pin::{PLACES, Place};
pub use server::{AsyncIDoubler, IDoubler, IDoubler_Impl, Server, in_apartment, in_mta};
