//! One call in flight.
//!
//! Who owns what: `body` belongs to the client's side until [`Call::send`], then to the server's side until
//! [`Call::complete`], then to the client's again; the lock around it is held for moments only and never while anything
//! is run, signalled or dropped that user code could see. Who decides the call's fate is `word`, the machine of
//! `protocol::call`; `done` is set after it is decided. The one who wins the decision signals: first `done`, then the
//! route. A reference to the call is held by each side for as long as it may touch it, so a signal never meets freed
//! memory.
//!
//! How the client is told is [`route`]'s; how a call is used again, [`kept`]'s.

mod kept;
mod route;

pub(crate) use kept::Kept;
pub(crate) use route::{Outer, Route};

use super::{Buffer, Hooked, Invocation, away};
use crate::abi::hresult::{
    RO_E_BLOCKED_CROSS_ASTA_CALL, RPC_E_DISCONNECTED, RPC_S_CALL_CANCELLED_HR, RPC_S_UNKNOWN_IF_HR,
};
use crate::abi::types::RPCOLEMESSAGE;
use crate::apartment::application::{self, Chain, Gate};
use crate::apartment::{self, Apartment, Stay};
use crate::call::Blanket;
use crate::kernel::{Event, Task, Waitable};
use crate::platform::sync::Mutex;
use crate::platform::{self, Access, Fact, Object, ObjectKind};
use crate::process::Process;
use crate::protocol::{Word, call as machine};
use crate::proxy::factory;
use crate::proxy::info::Direction;
use crate::stub::{self, InFlight, StubEntry};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT};

/// Where the calls of an interface proxy go: one for it, its call objects and all their calls.
pub(crate) struct Target {
    pub(crate) apartment: Weak<Apartment>,
    pub(crate) ipid: GUID,
    pub(crate) iid: GUID,
    /// How far away it is (`MSHCTX_…`).
    pub(crate) context: u32,
}

/// How a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The caller waits for the reply.
    Synchronous,
    /// It was sent by `Begin_`.
    Begun,
    /// A notification of the old kind: nobody hears of its end (MSG-19).
    Notification,
    /// The caller waits, and it is sent as messages are: the server answers at once (MSG-19).
    InputSynchronous,
}

impl Kind {
    /// Whether the caller does something else meanwhile.
    pub(crate) fn is_asynchronous(self) -> bool {
        matches!(self, Self::Begun | Self::Notification)
    }

    /// Whether a message filter can refuse it (MF-05).
    pub(crate) fn is_refusable(self) -> bool {
        self == Self::Synchronous
    }
}

/// Who calls: what the server can learn of the client.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The logical thread (APT-33).
    pub(crate) logical: GUID,
    /// How it calls.
    pub(crate) kind: Kind,
    /// What `CoGetCallerTID` says (APT-34).
    pub(crate) tid: u32,
    /// What the client set for the proxy; nothing is the default.
    pub(crate) blanket: Option<Arc<Blanket>>,
    /// The application STAs that its chain has passed (MSG-17).
    pub(crate) chain: Chain,
    /// The channel hooks that go with the call, and what they have attached.
    pub(crate) hooked: Option<Arc<Hooked>>,
    /// How far away it is (`MSHCTX_…`).
    pub(crate) context: u32,
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) HRESULT);

#[derive(Default)]
struct Body {
    request: Buffer,
    reply: Option<Result<Buffer, Failure>>,
    route: Route,
    method: u32,
    /// What the outer's Signal said, when it failed: the call's result (AGG-06).
    signal_failure: Option<HRESULT>,
    /// Keeps the object reachable until the call is served.
    in_flight: Option<InFlight>,
    /// The request is whole, and the call's.
    whole: bool,
    /// The client has had the reply.
    received: bool,
    /// The callee's message filter did not let the call in.
    refused: Option<HRESULT>,
    /// Its method has been called, or is about to be.
    started: bool,
    /// The other process that serves it.
    away: Option<Weak<Process>>,
}

impl Body {
    fn reply_is(&self, hr: HRESULT) -> bool {
        matches!(&self.reply, Some(Err(Failure(failure))) if *failure == hr)
    }
}

/// A call in flight.
pub(crate) struct Call {
    /// Its number among all objects of the process.
    number: u64,
    word: Word,
    pub(crate) done: Event,
    pub(crate) target: Arc<Target>,
    pub(crate) caller: Caller,
    /// The server has signalled or replied: nobody acts as the client any more (SRV-18).
    past_impersonation: AtomicBool,
    body: Mutex<Body>,
}

impl Call {
    pub(crate) fn new(process: &Process, target: Arc<Target>, caller: Caller, request: Buffer) -> Arc<Self> {
        Arc::new(Self {
            number: process.new_object(ObjectKind::Call).id,
            word: Word::new(0),
            done: Event::new(process, false, false),
            target,
            caller,
            past_impersonation: AtomicBool::new(false),
            body: Mutex::new(Body { request, ..Body::default() }),
        })
    }

    /// Says how the client is told, for a model that sends nothing.
    #[cfg(all(test, loom))]
    pub(super) fn set_route(&self, route: Route) {
        self.body.lock().route = route;
    }

    /// Takes the whole request over from the interface proxy: what it holds goes with the call, sent or not. False where that
    /// was done before.
    #[must_use]
    pub(crate) fn take_over(&self, message: &RPCOLEMESSAGE) -> bool {
        let mut body = self.body.lock();
        if body.whole {
            return false;
        }
        body.method = message.iMethod;
        body.request.truncate(message.cbBuffer as usize);
        body.whole = true;
        true
    }

    /// Whether it was sent, and its reply not fetched.
    pub(crate) fn is_in_flight(&self) -> bool {
        let body = self.body.lock();
        body.whole && !body.received
    }

    /// Says how the client will be told of the end.
    pub(crate) fn expect(self: &Arc<Self>, mut route: Route) {
        if let Route::Outer(outer) = &mut route
            && let Some(home) = &outer.home
        {
            outer.place = home.outers.add(self);
        }
        self.body.lock().route = route;
    }

    /// Hands the request to the server's apartment.
    pub(crate) fn send(self: &Arc<Self>, route: Route) {
        self.send_known(route, || ());
    }

    /// As [`Self::send`], with `show` in between: who finds the call from there on may cancel it, and the end is told.
    pub(crate) fn send_known(self: &Arc<Self>, route: Route, show: impl FnOnce()) {
        let waits = matches!(route, Route::Wait);
        self.tell_sent(&route);
        self.expect(route);
        show();
        let sent = match self.target.apartment.upgrade() {
            Some(apartment) if apartment.is_foreign() => return away::send(self, &apartment),
            Some(apartment) => {
                self.body.lock().in_flight = apartment.exports.in_flight(self.target.ipid);
                if waits && apartment.is_within_reach() {
                    self.run_here(&apartment)
                } else {
                    apartment.deliver(self.clone()).is_ok()
                }
            }
            None => false,
        };
        if !sent {
            self.complete_later(Err(Failure(RPC_S_UNKNOWN_IF_HR)));
        }
    }

    /// Has the server's thread serve it as a message that is sent, and comes back when it has (MSG-19).
    pub(crate) fn send_as_message(self: &Arc<Self>) {
        self.tell_sent(&Route::Wait);
        self.expect(Route::Wait);
        let handled = self.target.apartment.upgrade().is_some_and(|apartment| {
            self.body.lock().in_flight = apartment.exports.in_flight(self.target.ipid);
            apartment.send(self.clone())
        });
        if !handled {
            // One that was taken and given up is decided already.
            self.complete(Err(Failure(RPC_S_UNKNOWN_IF_HR)));
        }
    }

    /// Tells a simulated world where the call goes and who waits for its end.
    fn tell_sent(&self, route: &Route) {
        platform::tell(|| Fact::Sent {
            call: self.object(),
            done: self.done.header().object(),
            to: self.target.apartment.upgrade().map_or(0, |apartment| apartment.base().oxid),
            interface: factory::find(&self.target.iid).map_or("", |info| info.name),
            method: self.method(),
            asynchronous: self.caller.kind.is_asynchronous(),
        });
        let (event, through_outer) = match route {
            Route::Wait | Route::Away(_) => return,
            Route::Own(event) => (event, false),
            Route::Outer(outer) => (&outer.own, true),
        };
        platform::tell(|| Fact::Expects { call: self.object(), event: event.header().object(), through_outer });
    }

    /// The call as the port knows it.
    pub(crate) fn object(&self) -> Object {
        Object { id: self.number, kind: ObjectKind::Call }
    }

    /// Serves the call on the caller's own stack, in an apartment that the thread may step into (APT-12).
    fn run_here(self: &Arc<Self>, apartment: &Arc<Apartment>) -> bool {
        if apartment.has_ended() {
            return false;
        }
        let stay = Stay::enter(apartment);
        stub::dispatch(self);
        drop(stay);
        true
    }

    /// The reply, or what came in its place. The first decision counts.
    pub(crate) fn complete(self: &Arc<Self>, reply: Result<Buffer, Failure>) {
        self.end_impersonation();
        // First: a client that has its reply and lets its proxy go is the last to hold the object.
        let in_flight = self.body.lock().in_flight.take();
        drop(in_flight);
        platform::visit(self.object(), Access::Write);
        let unwanted = {
            // The reply must be in place before the decision is seen, and an earlier one must stand.
            let mut body = self.body.lock();
            let before = body.reply.replace(reply);
            match self.word.apply(machine::reply) {
                machine::Reply::Deliver => None,
                machine::Reply::Drop => Some(std::mem::replace(&mut body.reply, before)),
            }
        };
        match unwanted {
            None => {
                platform::tell(|| Fact::Decided(self.object()));
                self.signal();
            }
            Some(Some(Ok(reply))) => self.discard(reply, Direction::Reply),
            Some(_) => {}
        }
    }

    /// The call's number among all objects of the process.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether a server thread may begin to act as the client.
    pub(crate) fn may_be_impersonated(&self) -> bool {
        !self.past_impersonation.load(Ordering::Acquire)
    }

    /// From now on none may.
    pub(crate) fn end_impersonation(&self) {
        self.past_impersonation.store(true, Ordering::Release);
    }

    /// Gives back what the object references in bytes hold that nobody will read.
    fn discard(&self, mut bytes: Buffer, direction: Direction) {
        let Some(info) = factory::find(&self.target.iid) else { return };
        let message = RPCOLEMESSAGE {
            Buffer: bytes.as_mut_ptr(),
            cbBuffer: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            iMethod: self.method(),
            ..RPCOLEMESSAGE::default()
        };
        // SAFETY: the message holds the bytes of a whole request or reply of that interface.
        unsafe { (info.discard)(&message, direction) };
    }

    /// Asks the server to stop.
    pub(crate) fn cancel(&self) -> machine::Cancel {
        platform::visit(self.object(), Access::Write);
        let outcome = self.word.apply(machine::cancel);
        if outcome == machine::Cancel::Requested {
            self.cancel_away();
        }
        outcome
    }

    /// A server in another process hears of it too.
    fn cancel_away(&self) {
        let server = self.body.lock().away.as_ref().and_then(Weak::upgrade);
        if let Some(server) = server {
            away::cancel(self.number(), &server);
        }
    }

    /// The client stops waiting; the winner has signalled when this returns.
    pub(crate) fn give_up(self: &Arc<Self>, result: HRESULT) -> machine::GiveUp {
        platform::visit(self.object(), Access::Write);
        let outcome = self.word.apply(machine::give_up);
        if outcome == machine::GiveUp::Won {
            self.body.lock().reply = Some(Err(Failure(result)));
            platform::tell(|| Fact::Decided(self.object()));
            self.signal();
        }
        outcome
    }

    /// The client is gone: the server goes on, and its reply is dropped.
    pub(crate) fn abandon(&self) {
        platform::visit(self.object(), Access::Write);
        self.word.apply(machine::abandon);
        platform::tell(|| Fact::Forgotten(self.object()));
        self.cancel_away();
        self.forget_route();
    }

    /// What the client gets: the reply's bytes, which stay here, or why there are none.
    pub(crate) fn reply(&self) -> Result<(*mut c_void, usize), Failure> {
        platform::tell(|| Fact::Fetched(self.object()));
        let mut body = self.body.lock();
        if let Some(failure) = body.signal_failure {
            return Err(Failure(failure));
        }
        body.received = true;
        match &mut body.reply {
            Some(Ok(buffer)) => Ok((buffer.as_mut_ptr(), buffer.len())),
            Some(Err(failure)) => Err(*failure),
            None => Err(Failure(RPC_S_CALL_CANCELLED_HR)),
        }
    }

    pub(crate) fn test_by_client(&self) -> HRESULT {
        platform::visit(self.object(), Access::Read);
        machine::test_by_client(self.word.load())
    }

    pub(crate) fn test_by_server(&self) -> HRESULT {
        platform::visit(self.object(), Access::Read);
        machine::test_by_server(self.word.load())
    }

    /// Whether the client has asked the server to stop, or has let the call go.
    pub(super) fn is_cancelled(&self) -> bool {
        self.word.load() & machine::CANCEL != 0
    }

    pub(crate) fn is_decided(&self) -> bool {
        machine::decided(self.word.load())
    }

    /// The stub that the call is for, and whether it is still connected; `None` when there was none.
    pub(crate) fn in_flight(&self) -> Option<(Arc<StubEntry>, bool)> {
        self.body.lock().in_flight.as_ref().map(|there| (there.entry.clone(), there.is_connected()))
    }

    pub(crate) fn method(&self) -> u32 {
        self.body.lock().method
    }

    /// The callee's message filter does not let the call in. The request stays, for another try.
    pub(crate) fn refuse(self: &Arc<Self>, hr: HRESULT) {
        self.body.lock().refused = Some(hr);
        self.complete(Err(Failure(hr)));
    }

    /// What the callee's message filter said, if it refused the call. A server that fails with the same code did not.
    pub(crate) fn refusal(&self) -> Option<HRESULT> {
        let body = self.body.lock();
        body.refused.filter(|hr| body.reply_is(*hr))
    }

    /// What the caller hears of a refusal.
    pub(crate) fn set_refusal(&self, hr: HRESULT) {
        self.body.lock().reply = Some(Err(Failure(hr)));
    }

    /// A refused call once more.
    pub(crate) fn again(&self) -> Arc<Self> {
        let (request, method) = {
            let mut body = self.body.lock();
            (std::mem::take(&mut body.request), body.method)
        };
        let again = Self::take(self.target.clone(), self.caller.clone(), request);
        let mut body = again.body.lock();
        (body.method, body.whole) = (method, true);
        drop(body);
        again
    }

    /// Takes the request for dispatch.
    pub(crate) fn take_request(&self) -> Invocation {
        let mut body = self.body.lock();
        body.started = true;
        Invocation::new(std::mem::take(&mut body.request), body.method)
    }

    /// The request goes to another process: its bytes and its method.
    pub(super) fn leave_for(&self, server: &Arc<Process>) -> (Vec<u8>, u32) {
        let mut body = self.body.lock();
        body.away = Some(Arc::downgrade(server));
        (std::mem::take(&mut body.request).into_bytes(), body.method)
    }

    /// The request is back: nobody has read it.
    pub(super) fn come_back(&self, request: Vec<u8>) {
        self.body.lock().request = Buffer::of(request);
    }

    /// The request has come from another process.
    pub(super) fn set_whole(&self, method: u32, route: Route) {
        let mut body = self.body.lock();
        (body.method, body.route, body.whole) = (method, route, true);
    }

    /// Hands it to its apartment, for which it came from another process.
    pub(super) fn deliver_to(self: &Arc<Self>, apartment: &Arc<Apartment>) -> bool {
        let in_flight = apartment.exports.in_flight(self.target.ipid);
        self.body.lock().in_flight = in_flight;
        apartment.deliver(self.clone()).is_ok()
    }

    /// The reply, for whoever carries it on.
    pub(super) fn take_reply(&self) -> Result<Buffer, Failure> {
        let mut body = self.body.lock();
        body.received = true;
        body.reply.take().unwrap_or(Err(Failure(RPC_S_CALL_CANCELLED_HR)))
    }

    /// The request that nobody has read.
    pub(super) fn take_request_bytes(&self) -> Vec<u8> {
        std::mem::take(&mut self.body.lock().request).into_bytes()
    }

    /// Whether its method has been called, or is about to be.
    pub(crate) fn has_started(&self) -> bool {
        self.body.lock().started
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (request, reply, whole) = {
            let body = self.body.get_mut();
            let reply = if body.received { None } else { body.reply.take() };
            (std::mem::take(&mut body.request), reply, body.whole)
        };
        if whole && request.len() > 0 {
            self.discard(request, Direction::Request);
        }
        if let Some(Ok(reply)) = reply {
            self.discard(reply, Direction::Reply);
        }
    }
}

impl Task for Call {
    fn run(self: Arc<Self>) {
        if apartment::is_leaving() {
            return self.abandon();
        }
        match application::gate(&self.caller, true) {
            Gate::Open => {}
            Gate::Held => return application::hold(self),
            Gate::Blocked => return self.complete(Err(Failure(RO_E_BLOCKED_CROSS_ASTA_CALL))),
        }
        let stay = Stay::for_task(|| self.target.apartment.upgrade());
        stub::dispatch(&self);
        drop(stay);
        application::release_held();
    }

    fn abandon(self: Arc<Self>) {
        platform::tell(|| Fact::Abandoned(self.object()));
        self.complete(Err(Failure(RPC_E_DISCONNECTED)));
    }
}
