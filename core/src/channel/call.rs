//! One call in flight.
//!
//! Who owns what: `body` belongs to the client's side until [`Call::send`], then to the server's side until
//! [`Call::complete`], then to the client's again; the lock around it is held for moments only and never while anything
//! is run, signalled or dropped that user code could see. Who decides the call's fate is `word`, the machine of
//! `protocol::call`; `done` is set after it is decided. The one who wins the decision signals: first `done`, then the
//! route. A reference to the call is held by each side for as long as it may touch it, so a signal never meets freed
//! memory.
//!
//! A call that went well is used again: the thread that has fetched its reply keeps it ([`Kept`]), and a later call of
//! that thread takes it over once nobody else refers to it, which `Arc::get_mut` tells.

use super::{Buffer, Invocation};
use crate::abi::hresult::{
    RPC_E_CALL_REJECTED, RPC_E_DISCONNECTED, RPC_E_SERVERCALL_RETRYLATER, RPC_S_CALL_CANCELLED_HR, RPC_S_UNKNOWN_IF_HR,
};
use crate::abi::interfaces::ISynchronize;
use crate::abi::types::RPCOLEMESSAGE;
use crate::apartment::Apartment;
use crate::kernel::{self, Event, Task};
use crate::platform::sync::Mutex;
use crate::platform::{self, Access, Object, ObjectKind};
use crate::process::Process;
use crate::protocol::{Word, call as machine};
use crate::proxy::factory;
use crate::proxy::info::Direction;
use crate::stub::{self, InFlight, StubEntry};
use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::{Arc, Weak};
use windows_core::{GUID, HRESULT};

/// Where a call goes.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) apartment: Weak<Apartment>,
    pub(crate) ipid: GUID,
    pub(crate) iid: GUID,
}

/// Who calls: what the server can learn of the client.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    /// The logical thread (APT-33).
    pub(crate) logical: GUID,
    /// Whether the call was sent by `Begin_`.
    pub(crate) asynchronous: bool,
}

/// How the client learns that the call is decided.
#[derive(Default)]
pub(crate) enum Route {
    /// It waits for `done` (a synchronous call).
    #[default]
    Wait,
    /// The call object's own event.
    Own(Arc<Event>),
    /// Somebody's `ISynchronize`, signalled in its apartment, or wherever the call is decided when it is agile (AGG-09).
    Outer(Outer),
}

/// An outer object's `ISynchronize`.
pub(crate) struct Outer {
    pub(crate) sync: ISynchronize,
    /// Its apartment; `None` for an agile object.
    pub(crate) home: Option<Arc<Apartment>>,
    /// The inner call object's event.
    pub(crate) own: Arc<Event>,
}

// SAFETY: the ISynchronize inside is only called in its own apartment, or when its object said that it is agile; what
// travels between threads is the counted pointer.
unsafe impl Send for Outer {}

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
}

/// A call in flight.
pub(crate) struct Call {
    object: Object,
    word: Word,
    pub(crate) done: Event,
    pub(crate) target: Target,
    pub(crate) caller: Caller,
    body: Mutex<Body>,
}

impl Call {
    /// A call that is not sent yet; one that this thread has kept, if there is one.
    pub(crate) fn take(target: Target, caller: Caller, request: Buffer) -> Arc<Self> {
        platform::with_current(|thread| match thread.com().calls.take() {
            None => Self::new(thread.process(), target, caller, request),
            Some(mut call) => {
                let free = Arc::get_mut(&mut call).expect("kept calls are given when nobody refers to them");
                free.word = Word::new(0);
                free.done.reset_in_step();
                free.target = target;
                free.caller = caller;
                *free.body.lock() = Body { request, ..Body::default() };
                call
            }
        })
    }

    /// Gives the client's reference back, and keeps the call for another one if all went well.
    pub(crate) fn give_back(self: Arc<Self>) {
        // In a simulated world each call is a new one, so that no two of them are the same object to its eyes.
        if platform::is_simulated() {
            return;
        }
        {
            let mut body = self.body.lock();
            // What the stub has left of a request, and an outer object that has not heard yet, are the destructor's.
            let well = body.received && body.in_flight.is_none() && body.signal_failure.is_none();
            if !well || body.request.len() > 0 || !matches!(body.route, Route::Wait) {
                return;
            }
            drop(body.reply.take());
        }
        let surplus = platform::with_current(|thread| thread.com().calls.keep(self));
        drop(surplus);
    }

    pub(crate) fn new(process: &Process, target: Target, caller: Caller, request: Buffer) -> Arc<Self> {
        Arc::new(Self {
            object: process.new_object(ObjectKind::Call),
            word: Word::new(0),
            done: Event::new(process, false, false),
            target,
            caller,
            body: Mutex::new(Body { request, ..Body::default() }),
        })
    }

    /// Says how the client is told, for a model that sends nothing.
    #[cfg(all(test, loom))]
    pub(super) fn set_route(&self, route: Route) {
        self.body.lock().route = route;
    }

    /// Takes the whole request over from the interface proxy: what it holds goes with the call, sent or not.
    pub(crate) fn take_over(&self, message: &RPCOLEMESSAGE) {
        let mut body = self.body.lock();
        body.method = message.iMethod;
        body.request.truncate(message.cbBuffer as usize);
        body.whole = true;
    }

    /// Hands the request to the server's apartment.
    pub(crate) fn send(self: &Arc<Self>, route: Route) {
        if let Route::Outer(Outer { home: Some(home), .. }) = &route {
            home.outers.add(self);
        }
        self.body.lock().route = route;
        let sent = match self.target.apartment.upgrade() {
            Some(apartment) => {
                self.body.lock().in_flight = apartment.exports.in_flight(self.target.ipid);
                apartment.deliver(self.clone()).is_ok()
            }
            None => false,
        };
        if !sent {
            self.fail_later(Failure(RPC_S_UNKNOWN_IF_HR));
        }
    }

    /// Fails a call that could not be sent. An outer object is never signalled inside Begin_: its apartment does that,
    /// from its queue, or for an agile one the process's pool.
    fn fail_later(self: &Arc<Self>, failure: Failure) {
        let home = match &self.body.lock().route {
            Route::Outer(outer) => Some(outer.home.clone()),
            Route::Wait | Route::Own(_) => None,
        };
        let task = Arc::new(FailTask { call: self.clone(), failure });
        match home {
            None => task.run(),
            Some(None) => kernel::queue_work_item(move || task.run()),
            Some(Some(home)) => {
                if let Err(task) = home.deliver(task) {
                    task.run();
                }
            }
        }
    }

    /// The reply, or what came in its place. The first decision counts.
    pub(crate) fn complete(self: &Arc<Self>, reply: Result<Buffer, Failure>) {
        // First: a client that has its reply and lets its proxy go is the last to hold the object.
        let in_flight = self.body.lock().in_flight.take();
        drop(in_flight);
        platform::visit(self.object, Access::Write);
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
            None => self.signal(),
            Some(Some(Ok(reply))) => self.discard(reply, Direction::Reply),
            Some(_) => {}
        }
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
        platform::visit(self.object, Access::Write);
        self.word.apply(machine::cancel)
    }

    /// The client stops waiting; the winner has signalled when this returns.
    pub(crate) fn give_up(self: &Arc<Self>, result: HRESULT) -> machine::GiveUp {
        platform::visit(self.object, Access::Write);
        let outcome = self.word.apply(machine::give_up);
        if outcome == machine::GiveUp::Won {
            self.body.lock().reply = Some(Err(Failure(result)));
            self.signal();
        }
        outcome
    }

    /// The client is gone: the server goes on, and its reply is dropped.
    pub(crate) fn abandon(&self) {
        platform::visit(self.object, Access::Write);
        self.word.apply(machine::abandon);
        self.forget_route();
    }

    /// Nobody is to be told. Runs in the apartment of whoever it was.
    pub(super) fn forget_route(&self) {
        drop(self.take_route());
    }

    fn take_route(&self) -> Route {
        let route = std::mem::take(&mut self.body.lock().route);
        if let Route::Outer(Outer { home: Some(home), .. }) = &route {
            home.outers.remove(self);
        }
        route
    }

    /// What the client gets: the reply's bytes, which stay here, or why there are none.
    pub(crate) fn reply(&self) -> Result<(*mut c_void, usize), Failure> {
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
        platform::visit(self.object, Access::Read);
        machine::test_by_client(self.word.load())
    }

    pub(crate) fn test_by_server(&self) -> HRESULT {
        platform::visit(self.object, Access::Read);
        machine::test_by_server(self.word.load())
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

    /// The refusal of the callee's message filter, if that is the reply. The request was not taken then.
    pub(crate) fn refusal(&self) -> Option<HRESULT> {
        match &self.body.lock().reply {
            Some(Err(Failure(hr))) if matches!(*hr, RPC_E_CALL_REJECTED | RPC_E_SERVERCALL_RETRYLATER) => Some(*hr),
            _ => None,
        }
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
        let again = Self::take(self.target.clone(), self.caller, request);
        let mut body = again.body.lock();
        (body.method, body.whole) = (method, true);
        drop(body);
        again
    }

    /// A pointer to the request's bytes while the client's side fills them.
    pub(crate) fn request_ptr(&self) -> *mut c_void {
        self.body.lock().request.as_mut_ptr()
    }

    /// Takes the request for dispatch.
    pub(crate) fn take_request(&self) -> Invocation {
        let mut body = self.body.lock();
        Invocation::new(std::mem::take(&mut body.request), body.method)
    }

    /// Tells the client. The caller has won the decision and holds a reference.
    fn signal(self: &Arc<Self>) {
        let home = match &self.body.lock().route {
            Route::Outer(outer) => outer.home.clone(),
            Route::Wait | Route::Own(_) => None,
        };
        if let Some(home) = home.filter(|home| !home.is_current()) {
            self.done.set();
            // The outer object stays with the call; where its apartment has ended, that lets it go.
            let _ = home.deliver(Arc::new(SignalTask(self.clone())));
            return;
        }
        let route = self.take_route();
        self.done.set();
        self.tell(route);
    }

    /// In the right apartment.
    fn tell(&self, route: Route) {
        match route {
            Route::Wait => {}
            Route::Own(event) => event.set(),
            Route::Outer(outer) => {
                // SAFETY: this is the apartment of the outer object, or the object is agile.
                let hr = unsafe { outer.sync.Signal() };
                if hr.is_err() {
                    self.signal_failed(hr, &outer);
                }
            }
        }
    }

    /// Nobody may wait for ever on an outer object that does not do its part: Finish_ gets the code (AGG-06), unless one
    /// that the outer woke has had the result already.
    fn signal_failed(&self, hr: HRESULT, outer: &Outer) {
        let late = {
            let mut body = self.body.lock();
            body.signal_failure = Some(hr);
            body.received
        };
        if !late {
            outer.own.set();
        }
    }
}

/// How many calls a thread keeps.
const KEPT_MAX: usize = 256;
/// How many of them are looked at to find a free one: the last ones may be on their way out of the server.
const LOOKS_MAX: usize = 4;

/// The calls that a thread has kept for its next ones. Touched by the thread itself only.
#[derive(Default)]
pub(crate) struct Kept(RefCell<Vec<Arc<Call>>>);

impl Kept {
    fn take(&self) -> Option<Arc<Call>> {
        let mut calls = self.0.borrow_mut();
        let free = (0..calls.len()).rev().take(LOOKS_MAX).find(|at| Arc::get_mut(&mut calls[*at]).is_some())?;
        Some(calls.swap_remove(free))
    }

    /// Gives the call back when there are enough.
    fn keep(&self, call: Arc<Call>) -> Option<Arc<Call>> {
        let mut calls = self.0.borrow_mut();
        if calls.len() >= KEPT_MAX {
            return Some(call);
        }
        calls.push(call);
        None
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (request, reply, whole) = {
            let mut body = self.body.lock();
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
        stub::dispatch(&self);
    }

    fn abandon(self: Arc<Self>) {
        self.complete(Err(Failure(RPC_E_DISCONNECTED)));
    }
}

/// A call that could not be sent, on its way to the apartment that hears of it.
struct FailTask {
    call: Arc<Call>,
    failure: Failure,
}

impl Task for FailTask {
    fn run(self: Arc<Self>) {
        self.call.complete(Err(self.failure));
    }

    fn abandon(self: Arc<Self>) {
        self.run();
    }
}

/// The Signal of an outer object, on its way to the outer's apartment. The route is still in the call.
struct SignalTask(Arc<Call>);

impl Task for SignalTask {
    fn run(self: Arc<Self>) {
        let route = self.0.take_route();
        self.0.tell(route);
    }

    fn abandon(self: Arc<Self>) {
        self.0.forget_route();
    }
}
