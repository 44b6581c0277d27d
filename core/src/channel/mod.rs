//! The channel between apartments: of one process, and through [`away`] of several.
//!
//! A request is a [`Call`]: made by the client's channel at `GetBuffer`, filled by the interface proxy, delivered to the
//! server's apartment as a task, dispatched there to the stub, completed with the reply, which the client's side
//! fetches. [`client`] is the channel that interface proxies hold, [`server`] the one that stubs see.

mod away;
mod buffer;
mod call;
pub(crate) mod client;
mod hooks;
#[cfg(all(test, loom))]
mod loom_tests;
mod outers;
mod server;
mod steps;

pub(crate) use buffer::{Buffer, Buffers};
pub(crate) use call::{Call, Caller, Failure, Kept, Kind, Outer, Route, Target};
pub(crate) use client::ClientChannel;
use hooks::Attached;
pub use hooks::CoRegisterChannelHook;
pub(crate) use hooks::{ChannelHooks, Hooked};
pub(crate) use outers::Outers;
pub(crate) use server::{Invocation, server_channel};

use crate::abi::types::RPCOLEMESSAGE;

/// The part of `RPCOLEMESSAGE::reserved1` that is ours: on the client's side a counted `Arc<Call>`, on the server's an
/// [`Invocation`] of the dispatching stack frame.
pub(crate) fn clear(message: &mut RPCOLEMESSAGE) {
    message.reserved1 = std::ptr::null_mut();
    message.Buffer = std::ptr::null_mut();
    message.cbBuffer = 0;
}
