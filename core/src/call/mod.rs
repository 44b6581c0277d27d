//! Call objects and what belongs to them: the client's ([`ClientCall`]), the server's ([`ServerCall`]), call contexts,
//! the cancel objects of synchronous calls, and call objects for proxies that have none ([`fallback`]).

mod async_channel;
mod blanket;
mod cancel;
mod client_call;
mod completion;
mod context;
mod fallback;
mod security;
mod server_call;
mod waiting_call;

pub(crate) use async_channel::Pending;
pub(crate) use blanket::{Blanket, Outs, Slot, Wanted, show};
pub(crate) use cancel::{CancelStack, PendingCall, cancel_and_wait};
pub use cancel::{
    CoCancelCall, CoDisableCallCancellation, CoEnableCallCancellation, CoGetCancelObject, CoSetCancelObject,
    CoTestCancel,
};
pub(crate) use client_call::{ClientCall, HandedOut, MakeOwn, Parts};
pub(crate) use completion::{Completion, completion};
pub use context::{CoGetCallContext, CoSwitchCallContext};
pub use fallback::{CallFactory, call_factory};
pub use security::{
    CoCopyProxy, CoImpersonateClient, CoQueryClientBlanket, CoQueryProxyBlanket, CoRevertToSelf, CoSetProxyBlanket,
};
pub(crate) use server_call::ServerCall;
pub(crate) use waiting_call::WaitingCall;
