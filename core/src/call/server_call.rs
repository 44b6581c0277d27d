//! The system's call object around a server's own (SRV-10): it supplies ISynchronize and ICancelMethodCalls, and turns
//! Signal into Finish_ and the reply.
//!
//! It belongs to the server's apartment: Signal or Reset from another one, unmarshaled, is `RPC_E_WRONG_THREAD` and has no
//! effect, so the call stays pending for ever (SRV-13). Its progress is the machine `protocol::server_call`. `running`
//! is set before Begin_ and taken when the call has ended, by whoever the machine told to finish or to give up. Finish_
//! runs on the thread that signalled, or on the one that returned from Begin_ when the Signal came first (chosen).

use crate::abi::hresult::{E_INVALIDARG, E_NOINTERFACE, E_NOTIMPL, RPC_E_CALL_COMPLETE, RPC_E_DISCONNECTED, S_OK};
use crate::abi::interfaces::{
    ICallFactory, ICancelMethodCalls, ICancelMethodCalls_Impl, IServerSecurity, ISynchronize, ISynchronize_Impl,
    ISynchronizeHandle, ISynchronizeHandle_Impl,
};
use crate::abi::types::{HANDLE, RPCOLEMESSAGE};
use crate::apartment::{self, Apartment};
use crate::channel::{Call, Failure, Invocation, server_channel};
use crate::com_class;
use crate::kernel::Event;
use crate::object::{Inner, raw};
use crate::platform::{self, Access, Fact, Object, ObjectKind};
use crate::protocol::{Word, server_call as machine};
use crate::proxy::info::{AsyncInfo, Kept};
use crate::stub::{StubEntry, hook_reply, within};
use crate::synchronize::EventHandle;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};

/// One server call object, used for one call after another.
#[com_class(ISynchronize, ISynchronizeHandle, ICancelMethodCalls, IServerSecurity, blind = inner)]
pub(crate) struct ServerCall {
    object: Object,
    home: Weak<Apartment>,
    entry: Weak<StubEntry>,
    info: &'static AsyncInfo,
    word: Word,
    event: Arc<Event>,
    handle: EventHandle,
    inner: Inner,
    running: Mutex<Option<Running>>,
    /// Where the object stands among the begun calls of its apartment. Written before Begin_.
    place: AtomicUsize,
}

/// The call that is being served.
struct Running {
    call: Arc<Call>,
    method: u32,
    kept: Kept,
}

impl ServerCall {
    /// Has the object make a call object, aggregated under one of ours. `None` when it cannot: the call is then served
    /// synchronously (SRV-03).
    pub(crate) fn create(
        factory: &ICallFactory,
        info: &'static AsyncInfo,
        call: &Arc<Call>,
        entry: &Arc<StubEntry>,
    ) -> Option<ComObject<Self>> {
        let process = platform::with_current(|thread| thread.process().clone());
        let event = Event::manual();
        let object = ComObject::new(ServerCall {
            object: process.new_object(ObjectKind::Call),
            home: call.target.apartment.clone(),
            entry: Arc::downgrade(entry),
            info,
            word: Word::new(machine::IDLE),
            handle: EventHandle::new(&event),
            event,
            inner: Inner::new(),
            running: Mutex::default(),
            place: AtomicUsize::new(0),
        });
        // SAFETY: the object aggregates what it makes under the controlling unknown, and belongs to this apartment.
        let made =
            unsafe { object.aggregate(&object.inner, |outer, iid, ppv| create_inner(factory, info, outer, iid, ppv)) };
        made.ok()?;
        Some(object)
    }

    /// The call ended with its apartment: the client hears of it now, a later Signal gets `RPC_E_DISCONNECTED`.
    pub(crate) fn apartment_ends(&self) {
        platform::visit(self.object, Access::Write);
        if !self.word.apply(machine::die) {
            // Idle, or somebody is in Finish_ and will reply.
            return;
        }
        let running = self.running.lock().take();
        if let Some(running) = running {
            running.call.complete(Err(Failure(RPC_E_DISCONNECTED)));
        }
    }

    /// Signal and Reset are for the call object's own apartment (SRV-13), and for nobody when that has ended.
    fn check(&self) -> Result<(), HRESULT> {
        match self.home.upgrade() {
            Some(home) if self.word.load() != machine::DEAD => home.check(),
            _ => Err(RPC_E_DISCONNECTED),
        }
    }
}

impl ServerCall_Impl {
    /// Serves a call: Begin_, and Finish_ with the reply when Signal has come. In the apartment.
    pub(crate) fn serve(&self, call: &Arc<Call>, message: &RPCOLEMESSAGE, place: usize) {
        self.place.store(place, Ordering::Release);
        platform::visit(self.object, Access::Write);
        self.event.reset();
        // First: where the apartment ends from now on, that tells the client.
        *self.running.lock() = Some(Running { call: call.clone(), method: message.iMethod, kept: Kept::default() });
        if !self.word.apply(machine::begin) {
            return self.end(call, Err(Failure(RPC_E_DISCONNECTED)));
        }
        let mut kept = Kept::default();
        let hr = match self.inner_interface() {
            // SAFETY: the pointer is the asynchronous interface of the inner object, and this is its apartment.
            Ok(target) => unsafe { (self.info.begin)(target.as_raw(), message, &mut kept) },
            Err(hr) => hr,
        };
        if hr.is_err() {
            return self.end(call, Err(Failure(hr)));
        }
        if let Some(running) = self.running.lock().as_mut() {
            running.kept = kept;
        }
        platform::visit(self.object, Access::Write);
        if self.word.apply(machine::begun) == machine::Next::Finish {
            self.finish();
        }
    }

    /// Finish_ and the reply.
    fn finish(&self) {
        // The call stays there until it has ended: TestCancel may be asked inside Finish_.
        let running = self.running.lock().as_mut().map(|it| (it.call.clone(), it.method, std::mem::take(&mut it.kept)));
        let Some((call, method, kept)) = running else { return };
        let mut invocation = Invocation::new(crate::channel::Buffer::default(), method);
        let mut message = invocation.message();
        let channel = server_channel(call.caller.context);
        let hr = match self.inner_interface() {
            Ok(target) => within(&call, || {
                // SAFETY: as in `serve`; message and channel are valid for the call.
                unsafe { (self.info.finish)(target.as_raw(), &mut message, channel.as_raw(), &kept) }
            }),
            Err(hr) => hr,
        };
        self.end(&call, invocation.finish(hr, &message));
    }

    /// The object is idle again before the client can see the reply: its next call may be there at once.
    fn end(&self, call: &Arc<Call>, reply: Result<crate::channel::Buffer, Failure>) {
        if call.caller.hooked.is_some() {
            let entry = self.entry.upgrade();
            within(call, || hook_reply(call, entry.as_deref(), &reply));
        }
        platform::visit(self.object, Access::Write);
        let over = self.running.lock().take();
        drop(over);
        let alive = self.word.apply(machine::ended);
        let begun =
            self.home.upgrade().and_then(|home| home.exports.take_begun(self, self.place.load(Ordering::Acquire)));
        match (alive, begun, self.entry.upgrade()) {
            (true, Some(this), Some(entry)) => entry.asynchronous.give_back(this),
            (_, begun, _) => drop(begun),
        }
        call.complete(reply);
    }

    fn inner_interface(&self) -> Result<IUnknown, HRESULT> {
        raw::typed(&self.to_object().to_interface(), &self.info.iid)
    }
}

/// Has a server make a call object of the twin under `outer`. Its own non-delegating unknown must offer both the twin and
/// ISynchronize, or it is no call object (RUL-18): `E_NOINTERFACE`.
///
/// # Safety
/// `outer` is a controlling unknown of this apartment, and `ppv` null inside.
pub(super) unsafe fn create_inner(
    factory: &ICallFactory,
    twin: &AsyncInfo,
    outer: *mut c_void,
    iid: *const GUID,
    ppv: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: the caller's promises; on success the pointer is counted.
    unsafe {
        let hr = factory.CreateCall(&twin.iid, outer, iid, ppv);
        let Some(inner) = IUnknown::from_raw_borrowed(&*ppv) else {
            return if hr.is_err() { hr } else { E_NOINTERFACE };
        };
        if hr.is_ok() && !(offers(inner, &ISynchronize::IID) && offers(inner, &twin.iid)) {
            drop(IUnknown::from_raw(std::mem::replace(&mut *ppv, std::ptr::null_mut())));
            return E_NOINTERFACE;
        }
        hr
    }
}

/// Whether an object answers for an interface.
///
/// # Safety
/// `unknown` is usable on this thread.
unsafe fn offers(unknown: &IUnknown, iid: &GUID) -> bool {
    let mut raw = std::ptr::null_mut();
    // SAFETY: valid arguments; the result is counted and given back.
    unsafe {
        let found = unknown.query(iid, &mut raw).is_ok() && !raw.is_null();
        if found {
            drop(IUnknown::from_raw(raw));
        }
        found
    }
}

impl ISynchronize_Impl for ServerCall_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        match self.check() {
            Ok(()) => apartment::co_wait(dwFlags, dwMilliseconds, &self.event),
            Err(hr) => hr,
        }
    }

    unsafe fn Signal(&self) -> HRESULT {
        if let Err(hr) = self.check() {
            if let Some(call) = self.served() {
                platform::tell(|| Fact::Refused { call: call.object(), hr: hr.0 });
            }
            return hr;
        }
        // Finish_ may let the last other reference go.
        let this = self.to_object();
        // Both before the transition: afterwards Begin_'s thread may be on its way to the next call.
        self.event.set();
        platform::visit(self.object, Access::Write);
        if let Some(call) = self.served() {
            call.end_impersonation(); // (SRV-18)
        }
        match self.word.apply(machine::signal) {
            // Begin_ is running, and its thread will see to Finish_ (SRV-07).
            machine::Next::Nothing => S_OK,
            machine::Next::Disconnected => RPC_E_DISCONNECTED,
            machine::Next::Finish => {
                self.finish();
                drop(this);
                S_OK
            }
        }
    }

    unsafe fn Reset(&self) -> HRESULT {
        if let Err(hr) = self.check() {
            return hr;
        }
        self.event.reset();
        S_OK
    }
}

impl ISynchronizeHandle_Impl for ServerCall_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        // SAFETY: null or valid.
        match unsafe { ph.as_mut() } {
            Some(out) => self.handle.get(&self.event, out),
            None => E_INVALIDARG,
        }
    }
}

impl ServerCall_Impl {
    /// The call that is being served.
    fn served(&self) -> Option<Arc<Call>> {
        self.running.lock().as_ref().map(|running| running.call.clone())
    }
}

super::security::server_security!(ServerCall_Impl);

impl ICancelMethodCalls_Impl for ServerCall_Impl {
    unsafe fn Cancel(&self, _ulSeconds: u32) -> HRESULT {
        // Cancelling is the client's business.
        E_NOTIMPL
    }

    unsafe fn TestCancel(&self) -> HRESULT {
        self.served().map_or(RPC_E_CALL_COMPLETE, |call| call.test_by_server())
    }
}
