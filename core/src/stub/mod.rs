//! The server's side: stub managers, one for each object that other apartments can reach, with an interface stub for
//! each of its interfaces.
//!
//! [`Exports`] is an apartment's table of them, by identity and by IPID. Its lock and those of the managers are held for
//! look-ups and counting only; objects are queried, connected and let go outside of them.

mod async_dispatch;
mod dispatch;
mod exports;
pub mod interface_stub;
mod lifetime;
mod manager;
pub mod params;
#[cfg(all(test, not(loom)))]
mod params_tests;

pub(crate) use async_dispatch::{AsyncServer, within};
pub(crate) use dispatch::{dispatch, hook_reply};
pub(crate) use exports::Exports;
pub(crate) use lifetime::disconnect;
pub use lifetime::{CoDisconnectObject, CoLockObjectExternal};
pub(crate) use manager::{End, Home, InFlight, PACKET_REFS, StubEntry, StubManager, Visit};
