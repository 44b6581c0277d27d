//! One call on its way through the pool.
//!
//! `word` decides the call: the worker with its reply, the client with a cancellation, or the call object's end
//! ([`crate::protocol::call`]). Whoever wins and has somebody to tell signals, outside of every lock. `reply` is put there by the
//! worker before it applies its transition, and taken by the `Finish_` that came later, or by whoever drops the flight last.
//! Nothing is called under its lock.

use crate::abi::hresult::{E_OUTOFMEMORY, RPC_S_CALL_CANCELLED_HR, S_OK};
use crate::abi::interfaces::{IClientSecurity, ISynchronize};
use crate::abi::types::{COINIT_MULTITHREADED, MSHCTX_INPROC, WT_EXECUTELONGFUNCTION};
use crate::abi::win32::QueueUserWorkItem;
use crate::apartment::{CoInitializeEx, CoUninitialize};
use crate::channel::{Buffer, Failure, Invocation, server_channel};
use crate::marshal::{CoGetInterfaceAndReleaseStream, CoMarshalInterThreadInterfaceInStream};
use crate::object::raw;
use crate::protocol::call::{GiveUp, Reply, abandon, decided, give_up, reply, test_by_client};
use crate::protocol::{Word, call};
use crate::proxy::info::{Direction, InterfaceInfo};
use crate::stub::interface_stub::{self, Idle};
use crate::synchronize::SurfaceEvent as Event;
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use windows_core::{GUID, HRESULT, IUnknown, Interface};

/// A marshaled pointer for the worker.
pub(super) struct Packet(*mut c_void);

// SAFETY: a stream in memory, which is agile; what it holds is there for another apartment.
unsafe impl Send for Packet {}

impl Packet {
    pub(super) fn new(iid: &GUID, pointer: &IUnknown) -> Result<Self, HRESULT> {
        let mut stream = ptr::null_mut();
        // SAFETY: a pointer of the calling apartment.
        let hr = unsafe { CoMarshalInterThreadInterfaceInStream(iid, pointer.as_raw(), &mut stream) };
        if hr.is_err() { Err(hr) } else { Ok(Self(stream)) }
    }

    fn unpack(mut self, iid: &GUID) -> Result<IUnknown, HRESULT> {
        let stream = std::mem::replace(&mut self.0, ptr::null_mut());
        let mut found = ptr::null_mut();
        // SAFETY: the stream is given up; on success a counted pointer of the interface, which derives from IUnknown.
        unsafe {
            let hr = CoGetInterfaceAndReleaseStream(stream, iid, &mut found);
            Ok(IUnknown::from_raw(raw::given(hr, found)?))
        }
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // Nobody will read it: give back what it holds.
            drop(Packet(std::mem::replace(&mut self.0, ptr::null_mut())).unpack(&IUnknown::IID));
        }
    }
}

/// Who is told of a call's end.
pub(super) enum Told {
    /// The call object itself.
    Own(Arc<Event>),
    /// An outer object that overrides its ISynchronize, in the client's apartment; and the call object.
    Outer(Packet, Arc<Event>),
}

/// A call on its way. See the module.
pub(super) struct Flight {
    info: &'static InterfaceInfo,
    /// The method's.
    slot: u32,
    word: Word,
    /// Set when the call is decided, whoever is told of it.
    done: Event,
    reply: Mutex<Option<Result<Buffer, Failure>>>,
}

/// What `Cancel` came to.
#[must_use]
pub(super) enum Cancelled {
    /// The client gives up: it is to be signalled.
    Won,
    /// What to answer.
    No(HRESULT),
}

impl Flight {
    pub(super) fn new(info: &'static InterfaceInfo, slot: u32) -> Result<Arc<Self>, HRESULT> {
        Ok(Arc::new(Self { info, slot, word: Word::new(0), done: Event::new(true)?, reply: Mutex::new(None) }))
    }

    /// Has a worker make the call. The request is consumed, whatever happens.
    pub(super) fn send(self: &Arc<Self>, request: Buffer, target: Packet, told: Told) -> HRESULT {
        let job = Box::new(Job { flight: self.clone(), request, target, told });
        let raw = Box::into_raw(job);
        // SAFETY: the worker takes the job over.
        if unsafe { QueueUserWorkItem(Some(work), raw.cast(), WT_EXECUTELONGFUNCTION) }.as_bool() {
            return S_OK;
        }
        // SAFETY: nobody took it.
        let job = unsafe { Box::from_raw(raw) };
        self.info.discard_buffer(self.slot, job.request, Direction::Request);
        E_OUTOFMEMORY
    }

    pub(super) fn is_decided(&self) -> bool {
        decided(self.word.load())
    }

    /// The reply of a decided call, once.
    pub(super) fn take(&self) -> Result<Buffer, HRESULT> {
        if self.word.load() & call::DONE == 0 {
            return Err(RPC_S_CALL_CANCELLED_HR);
        }
        self.reply.lock().take().unwrap_or(Err(Failure(RPC_S_CALL_CANCELLED_HR))).map_err(|Failure(hr)| hr)
    }

    /// `Cancel`: asks once, waits so long for the reply, then gives up (CXL-01 to CXL-05).
    pub(super) fn cancel(&self, seconds: u32) -> Cancelled {
        use crate::abi::hresult::{RPC_E_CALL_CANCELED, RPC_E_CALL_COMPLETE};
        match self.word.apply(call::cancel) {
            call::Cancel::Complete => return Cancelled::No(RPC_E_CALL_COMPLETE),
            call::Cancel::Already => return Cancelled::No(RPC_E_CALL_CANCELED),
            call::Cancel::Requested => {}
        }
        if seconds > 0 && self.done.wait(0, seconds.saturating_mul(1000)) == S_OK {
            return Cancelled::No(RPC_E_CALL_COMPLETE);
        }
        match self.word.apply(give_up) {
            GiveUp::Won => {
                self.done.set();
                Cancelled::Won
            }
            GiveUp::Lost => Cancelled::No(RPC_E_CALL_COMPLETE),
        }
    }

    /// The reply is lost: this is what the call comes to. False when a Finish_ has fetched the reply already.
    fn fail(&self, hr: HRESULT) -> bool {
        let before = self.reply.lock().as_mut().map(|reply| std::mem::replace(reply, Err(Failure(hr))));
        let is_in_time = before.is_some();
        if let Some(Ok(reply)) = before {
            self.info.discard_buffer(self.slot, reply, Direction::Reply);
        }
        is_in_time
    }

    pub(super) fn test_cancel(&self) -> HRESULT {
        test_by_client(self.word.load())
    }

    /// The call object goes: nobody is told (CALL-30).
    pub(super) fn abandon(&self) {
        self.word.apply(abandon);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // A reply that nobody fetched: what its object references hold is given back.
        if let Some(Ok(reply)) = self.reply.get_mut().take() {
            self.info.discard_buffer(self.slot, reply, Direction::Reply);
        }
    }
}

/// What a worker gets.
struct Job {
    flight: Arc<Flight>,
    request: Buffer,
    target: Packet,
    told: Told,
}

unsafe extern "system" fn work(job: *mut c_void) -> u32 {
    // SAFETY: `send` gave it up.
    let job = unsafe { Box::from_raw(job.cast::<Job>()) };
    crate::object::guard::call(|| {
        // SAFETY: a thread of the pool, which leaves what it enters.
        unsafe {
            let entered = CoInitializeEx(ptr::null_mut(), COINIT_MULTITHREADED);
            job.run(entered);
            if entered.is_ok() {
                CoUninitialize();
            }
        }
    });
    0
}

impl Job {
    fn run(self, entered: HRESULT) {
        let Self { flight, request, target, told } = self;
        let (info, slot) = (flight.info, flight.slot);
        let pointer = entered.ok().map_err(|error| error.code()).and_then(|()| target.unpack(&info.iid));
        let result = match pointer {
            // SAFETY: a pointer of that interface for this apartment.
            Ok(pointer) => unsafe { invoke(info, &pointer, slot, request) },
            Err(hr) => {
                info.discard_buffer(slot, request, Direction::Request);
                Err(Failure(hr))
            }
        };
        *flight.reply.lock() = Some(result);
        if flight.word.apply(reply) == Reply::Deliver {
            flight.done.set();
            told.tell(&flight);
        }
    }
}

impl Told {
    fn tell(self, flight: &Flight) {
        match self {
            Self::Own(event) => event.set(),
            Self::Outer(packet, own) => {
                // Finish_ gives its code, and does not wait for ever (AGG-06). One that has been is not told, and neither is
                // the call that may have begun since.
                if let Err(hr) = signal(packet)
                    && flight.fail(hr)
                {
                    own.set();
                }
            }
        }
    }
}

fn signal(packet: Packet) -> Result<(), HRESULT> {
    let code = |error: windows_core::Error| error.code();
    let sync = packet.unpack(&ISynchronize::IID)?.cast::<ISynchronize>().map_err(code)?;
    // SAFETY: a pointer for this apartment.
    unsafe { sync.Signal() }.ok().map_err(code)
}

/// Makes the synchronous call.
///
/// # Safety
/// `server` is a pointer of the interface for the calling apartment.
unsafe fn invoke(
    info: &'static InterfaceInfo,
    server: &IUnknown,
    slot: u32,
    request: Buffer,
) -> Result<Buffer, Failure> {
    let mut invocation = Invocation::new(request, slot);
    let mut message = invocation.message();
    let channel = server_channel(MSHCTX_INPROC);
    // An object of the MTA itself may serve asynchronously; a proxy is called, and its channel waits.
    let is_proxy = server.cast::<IClientSecurity>().is_ok();
    // SAFETY: the caller's; the message describes the request, and the channel lives for ever.
    let hr = unsafe {
        if is_proxy {
            (info.invoke)(server.as_raw(), &mut message, channel.as_raw())
        } else {
            interface_stub::serve(info, server.as_raw(), &Idle::new(), &mut message, channel.as_raw())
        }
    };
    invocation.finish(hr, &message)
}

#[cfg(all(test, not(loom)))]
pub(super) mod tests {
    use super::*;
    use crate::abi::hresult::{E_FAIL, E_NOINTERFACE, S_FALSE};
    use crate::abi::interfaces::{IAgileObject, IAgileObject_Impl, IPipeByte, ISynchronize_Impl};
    use crate::com_class;
    use crate::process::Process;
    use crate::{platform, proxy};
    use windows_core::ComObject;

    #[com_class(IAgileObject)]
    struct Thing;
    impl IAgileObject_Impl for Thing_Impl {}

    pub(in super::super) fn in_the_mta(test: impl FnOnce()) {
        let process = Process::new(platform::host());
        platform::run_as(&process, || {
            // SAFETY: no pointers.
            assert_eq!(unsafe { CoInitializeEx(ptr::null_mut(), COINIT_MULTITHREADED) }, S_OK);
            test();
            // SAFETY: as above.
            unsafe { CoUninitialize() };
        });
    }

    pub(in super::super) fn flight() -> Arc<Flight> {
        Flight::new(proxy::factory::find(&ISynchronize::IID).expect("it has proxies"), 3).expect("an event")
    }

    #[test]
    fn cxl_06_a_reply_that_comes_after_the_cancel_is_not_the_calls() {
        in_the_mta(|| {
            let flight = flight();
            assert!(matches!(flight.cancel(0), Cancelled::Won));
            *flight.reply.lock() = Some(Err(Failure(S_FALSE)));
            assert_ne!(flight.word.apply(reply), Reply::Deliver);
            assert_eq!(flight.take().map(drop), Err(RPC_S_CALL_CANCELLED_HR));
        });
    }

    #[test]
    fn call_30_nobody_is_told_of_a_call_that_was_let_go() {
        in_the_mta(|| {
            let flight = flight();
            flight.abandon();
            assert_ne!(flight.word.apply(reply), Reply::Deliver);
        });
    }

    /// The part of an outer object that cannot be signalled.
    #[com_class(ISynchronize)]
    struct Deaf;
    impl ISynchronize_Impl for Deaf_Impl {
        unsafe fn Wait(&self, _dwFlags: u32, _dwMilliseconds: u32) -> HRESULT {
            S_OK
        }
        unsafe fn Signal(&self) -> HRESULT {
            E_FAIL
        }
        unsafe fn Reset(&self) -> HRESULT {
            S_OK
        }
    }

    /// The end of a call whose outer cannot be signalled: what Finish_ gets before and after, and whether the call object's own
    /// event is set.
    fn outer_is_deaf(is_early: bool) -> (Option<HRESULT>, HRESULT, bool) {
        let deaf: IUnknown = ComObject::new(Deaf).into_interface();
        let own = Arc::new(Event::new(true).expect("an event"));
        let told = Told::Outer(Packet::new(&ISynchronize::IID, &deaf).expect("a packet"), own.clone());
        let flight = flight();
        *flight.reply.lock() = Some(Err(Failure(S_FALSE)));
        assert_eq!(flight.word.apply(reply), Reply::Deliver);
        let fetch = || flight.take().map(drop).expect_err("no reply is good");
        let early = is_early.then(fetch);
        told.tell(&flight);
        (early, fetch(), own.wait(0, 0) == S_OK)
    }

    #[test]
    fn agg_06_a_signal_that_fails_is_what_the_call_comes_to() {
        in_the_mta(|| assert_eq!(outer_is_deaf(false), (None, E_FAIL, true)));
    }

    #[test]
    fn agg_06_a_signal_that_fails_behind_finish_is_nobodys() {
        in_the_mta(|| assert_eq!(outer_is_deaf(true), (Some(S_FALSE), RPC_S_CALL_CANCELLED_HR, false)));
    }

    #[test]
    fn a_packet_says_what_the_object_lacks() {
        in_the_mta(|| {
            let thing: IUnknown = ComObject::new(Thing).into_interface();
            let packet = Packet::new(&IUnknown::IID, &thing).expect("a packet");
            assert_eq!(packet.unpack(&IPipeByte::IID), Err(E_NOINTERFACE));
        });
    }
}
