//! Serving one call in its apartment: find the stub, set the call context, run the method or begin it, reply.

use super::StubEntry;
use crate::abi::hresult::{RPC_E_DISCONNECTED, RPC_E_INVALIDMETHOD, S_OK};
use crate::abi::types::RPCOLEMESSAGE;
use crate::apartment::application::Chain;
use crate::apartment::{self, Context, Inside};
use crate::channel::{Buffer, Call, Failure, server_channel};
use crate::platform::{self, Fact};
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, Interface};

/// Runs a call that was delivered to the current apartment.
pub(crate) fn dispatch(call: &Arc<Call>) {
    let found = call.in_flight().filter(|(_, connected)| *connected);
    let Some((entry, _)) = found else {
        return call.complete(Err(Failure(RPC_E_DISCONNECTED)));
    };
    let refused = platform::with_current(|thread| thread.process().refuses(call));
    if let Err(refused) = refused.map_or_else(|| apartment::ask_filter(call, &entry), Err) {
        return call.refuse(refused);
    }
    let inside = Inside::enter();
    let scope = Scope::enter(call);
    platform::tell(|| Fact::Serves(call.object()));
    serve(call, entry);
    platform::tell(|| Fact::Served(call.object()));
    drop(scope);
    drop(inside);
}

fn serve(call: &Arc<Call>, entry: Arc<StubEntry>) {
    let mut invocation = call.take_request();
    let mut message = invocation.message();
    if let Some(hooked) = &call.caller.hooked {
        hooked.server_notify(entry.server().as_ref());
    }
    if entry.asynchronous.begin(&entry, call, &message) {
        return;
    }
    let hr = invoke(&entry, call, &mut message);
    let reply = invocation.finish(hr, &message);
    hook_reply(call, Some(&entry), &reply);
    // The entry holds the object. When the client has the reply and lets its proxy go, nobody here may hold it any more.
    drop(entry);
    call.complete(reply);
}

/// Has the channel hooks attach to the reply what they want.
pub(crate) fn hook_reply(call: &Call, entry: Option<&StubEntry>, reply: &Result<Buffer, Failure>) {
    if let Some(hooked) = &call.caller.hooked {
        let fault = reply.as_ref().map_or_else(|Failure(hr)| *hr, |_| S_OK);
        let object = entry.and_then(StubEntry::server);
        hooked.fill_reply(object.as_ref(), fault);
    }
}

fn invoke(entry: &StubEntry, call: &Call, message: &mut RPCOLEMESSAGE) -> HRESULT {
    let Some(stub) = &entry.stub else { return RPC_E_INVALIDMETHOD };
    let channel = server_channel(call.caller.context);
    // SAFETY: the stub belongs to this apartment; message and channel are valid for the call.
    unsafe { stub.0.Invoke(message, channel.as_raw()) }
}

/// The thread is inside a call: its context and logical thread are the call's, and come back when this is dropped.
pub(super) struct Scope {
    context: Option<Context>,
    user_context: *mut c_void,
    impersonates: u64,
    logical: GUID,
    chain: Chain,
}

impl Scope {
    pub(super) fn enter(call: &Arc<Call>) -> Self {
        platform::with_current(|thread| {
            let com = thread.com();
            Self {
                context: Some(com.context.replace(Context::Call(call.clone()))),
                user_context: com.user_context.replace(std::ptr::null_mut()),
                impersonates: com.impersonates.replace(0),
                logical: com.logical.replace(call.caller.logical),
                chain: com.application.chain.replace(call.caller.chain),
            }
        })
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let ours = platform::with_current(|thread| {
            let com = thread.com();
            com.logical.set(self.logical);
            com.application.chain.set(self.chain);
            com.user_context.set(self.user_context);
            com.impersonates.set(self.impersonates);
            com.context.replace(self.context.take().unwrap_or_default())
        });
        drop(ours);
    }
}
