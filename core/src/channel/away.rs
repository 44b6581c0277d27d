//! Calls to another process.
//!
//! The client's call stays with the client. Its bytes go to the server's process, where a call of that process, the *twin*, is
//! delivered and dispatched as any other; what comes of the twin goes back by its route, and decides the client's call.
//! A cancellation goes after it and is marked on the twin. Both are found by the client's process and the call's number.

use super::{Attached, Buffer, Call, Failure, Hooked, Route, Target};
use crate::abi::hresult::{RPC_S_CALL_FAILED_HR, RPC_S_SERVER_UNAVAILABLE_HR, RPC_S_UNKNOWN_IF_HR};
use crate::apartment::Apartment;
use crate::network::{Fate, Parcel, Waiting};
use crate::platform::{self, Fact};
use crate::process::Process;
use std::sync::{Arc, Weak};
use windows_core::HRESULT;

/// What goes with a call or a reply besides its bytes, about.
const HEAD: usize = 64;

/// The way back to the client's call.
pub(crate) struct Away {
    client: Weak<Process>,
    server: Weak<Process>,
    number: u64,
}

/// What goes back.
enum Answer {
    Reply(Vec<u8>),
    Failed(HRESULT),
    /// With the request, for another try.
    Refused(HRESULT, Vec<u8>),
}

/// Sends a call to an apartment of another process.
pub(super) fn send(call: &Arc<Call>, there: &Arc<Apartment>) {
    let client = Process::current();
    let server = there.process.upgrade().ok_or(RPC_S_SERVER_UNAVAILABLE_HR);
    let reached = server.and_then(|server| client.reach(&server).map(|wire| (wire, server)));
    let (wire, server) = match reached {
        Ok(reached) => reached,
        Err(hr) => return call.complete_later(Err(Failure(hr))),
    };
    let number = call.number();
    let (request, method) = call.leave_for(&server);
    client.peers.expect(number, server.id(), Waiting::Call(call.clone()));
    let mut caller = call.caller.clone();
    let attached = caller.hooked.take().map(|hooked| hooked.request()).unwrap_or_default();
    let Target { ipid, iid, context, .. } = *call.target;
    let target = Target { apartment: Arc::downgrade(there), ipid, iid, context };
    caller.context = server.context_of(&client);
    let (there, from, to) = (there.clone(), client.clone(), server.clone());
    let parcel = Parcel::new(HEAD + attached.len() + request.len(), move |fate| {
        if fate == Fate::Lost {
            return lost(&from, number, request);
        }
        caller.hooked = Hooked::from_afar(&to, &caller, iid, method, attached);
        let twin = Call::new(&to, Arc::new(target), caller, Buffer::of(request));
        twin.set_whole(
            method,
            Route::Away(Box::new(Away { client: Arc::downgrade(&from), server: Arc::downgrade(&to), number })),
        );
        platform::tell(|| Fact::Twin { twin: twin.object(), of: number });
        to.peers.add_incoming(from.id(), number, &twin);
        if !twin.deliver_to(&there) {
            twin.complete(Err(Failure(RPC_S_UNKNOWN_IF_HR)));
        }
    });
    wire.carry(&client, &server, parcel);
    // Who cancelled it before it was under way had nobody to tell: it was shown before.
    if call.is_cancelled() {
        cancel(number, &server);
    }
}

/// Tells the server that the client wants no more of a call.
pub(super) fn cancel(number: u64, server: &Arc<Process>) {
    let client = Process::current();
    let Ok(wire) = client.reach(server) else { return };
    let (from, to) = (client.id(), server.clone());
    let parcel = Parcel::new(HEAD, move |fate| {
        if fate == Fate::Arrived
            && let Some(twin) = to.peers.incoming(from, number)
        {
            let _ = twin.cancel();
        }
    });
    wire.carry(&client, server, parcel);
}

impl Away {
    /// The twin is decided: back to the client.
    pub(super) fn tell(self, twin: &Arc<Call>) {
        let (Some(client), Some(server)) = (self.client.upgrade(), self.server.upgrade()) else { return };
        let number = self.number;
        server.peers.forget_incoming(client.id(), number);
        let answer = match (twin.refusal(), twin.take_reply()) {
            (Some(hr), _) => Answer::Refused(hr, twin.take_request_bytes()),
            (None, Ok(reply)) => Answer::Reply(reply.into_bytes()),
            (None, Err(Failure(hr))) => Answer::Failed(hr),
        };
        let len = match &answer {
            Answer::Reply(bytes) | Answer::Refused(_, bytes) => bytes.len(),
            Answer::Failed(_) => 0,
        };
        let attached = twin.caller.hooked.as_ref().map(|hooked| hooked.take_reply()).unwrap_or_default();
        let Ok(wire) = server.reach(&client) else { return };
        let to = client.clone();
        let parcel =
            Parcel::new(HEAD + attached.len() + len, move |fate| arrive(&to, number, (answer, attached), fate));
        wire.carry(&server, &client, parcel);
    }
}

/// An answer is at the client's.
fn arrive(client: &Arc<Process>, number: u64, (answer, attached): (Answer, Attached), fate: Fate) {
    let Some(Waiting::Call(call)) = client.peers.take(number) else { return };
    if let Some(hooked) = call.caller.hooked.as_ref().filter(|_| fate == Fate::Arrived) {
        hooked.put_reply(attached);
    }
    match answer {
        _ if fate == Fate::Lost => call.complete_from_afar(client, Err(Failure(RPC_S_CALL_FAILED_HR))),
        Answer::Reply(bytes) => call.complete_from_afar(client, Ok(Buffer::of(bytes))),
        Answer::Failed(hr) => call.complete_from_afar(client, Err(Failure(hr))),
        Answer::Refused(hr, request) => {
            call.come_back(request);
            call.refuse(hr);
        }
    }
}

/// A request is lost with the connection. What it held is given back as far as anybody knows of it.
fn lost(client: &Arc<Process>, number: u64, request: Vec<u8>) {
    let Some(Waiting::Call(call)) = client.peers.take(number) else { return };
    call.come_back(request);
    call.complete_from_afar(client, Err(Failure(RPC_S_CALL_FAILED_HR)));
}
