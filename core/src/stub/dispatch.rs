//! Serving one call in its apartment: find the stub, set the call context, run the method or begin it, reply.

use super::StubEntry;
use crate::abi::hresult::{CO_E_OBJNOTCONNECTED, RPC_E_DISCONNECTED, RPC_E_INVALIDMETHOD, S_OK};
use crate::abi::types::RPCOLEMESSAGE;
use crate::apartment::{self, Inside, Scope};
use crate::channel::{Buffer, Call, Failure, Kind, server_channel};
use crate::platform::{self, Fact};
use std::sync::Arc;
use windows_core::{HRESULT, Interface};

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
    let scope = Scope::of_call(call);
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
    // Who is called input-synchronously answers at once (RUL-162).
    if call.caller.kind != Kind::InputSynchronous && entry.asynchronous.begin(&entry, call, &message) {
        return;
    }
    let hr = match invoke(&entry, call, &mut message) {
        // Cut off on its way to the stub: as if it had come later (MRSH-20).
        CO_E_OBJNOTCONNECTED if entry.server().is_none() => RPC_E_DISCONNECTED,
        hr => hr,
    };
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
