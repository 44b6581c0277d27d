//! What asynchronous servers do wrong.

use super::kit::*;
use super::{Fails, program};
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknownImpl, Interface};
use oleander::*;
use std::cell::Cell;
use std::ffi::c_void;

/// How a worker ends a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Well,
    /// The answer is written after the Signal.
    AfterSignal,
    /// The worker is of another apartment and uses the server's pointer as it is.
    ElsewhereDirectly,
    /// The same with a pointer of its own.
    ElsewhereMarshaled,
}

#[com_class(IPart, ICallFactory)]
struct Server1 {
    ends: Ends,
}

impl IPart_Impl for Server1_Impl {
    unsafe fn Ask(&self, _question: u32, _answer: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
}

impl ICallFactory_Impl for Server1_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        if unsafe { *riid } != AsyncIPart::IID {
            return E_NOINTERFACE;
        }
        let call = ServerCall { ends: self.ends, event: Default::default(), answer: Cell::new(0) };
        unsafe { object::create_aggregated(call, pCtrlUnk, riid2, ppv) }
    }
}

#[com_class(AsyncIPart, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct ServerCall {
    ends: Ends,
    event: object::AutoInner,
    answer: Cell<u32>,
}

impl ServerCall_Impl {
    fn sync(&self) -> ISynchronize {
        self.query().expect("the outer has it")
    }
}

impl AsyncIPart_Impl for ServerCall_Impl {
    unsafe fn Begin_Ask(&self, question: u32) -> HRESULT {
        let (call, ends) = (Raw(self.to_object()), self.ends);
        let packet = (ends == Ends::ElsewhereMarshaled).then(|| Packet::new(&self.sync()));
        spawn("worker", move || {
            let call = call;
            apartment(if packet.is_some() || ends == Ends::ElsewhereDirectly { STA } else { MTA }, || {
                work(call, packet, question)
            });
        });
        S_OK
    }

    unsafe fn Finish_Ask(&self, answer: *mut u32) -> HRESULT {
        assert_eq!(unsafe { self.sync().Wait(COWAIT_DEFAULT, INFINITE) }, S_OK);
        unsafe { *answer = self.answer.get() };
        S_OK
    }
}

fn work(call: Raw<ComObject<ServerCall>>, packet: Option<Packet<ISynchronize>>, question: u32) {
    let call = call.get();
    let sync = match packet {
        Some(packet) => packet.open(),
        None => call.query().expect("the outer has it"),
    };
    if call.ends != Ends::AfterSignal {
        call.answer.set(question + 1);
    }
    let _ = unsafe { sync.Signal() };
    call.answer.set(question + 1);
}

/// A synchronous client of a server in an apartment of the given kind.
fn call_server(model: u32, ends: Ends) {
    let (ready, stop) = (kernel::Event::manual(), kernel::Event::manual());
    let packed = oleander_sim::sync::Arc::new(oleander_sim::sync::Mutex::new(None));
    let (is_ready, must_stop, put) = (ready.clone(), stop.clone(), packed.clone());
    let server = spawn("server", move || {
        apartment(model, || {
            *put.lock().unwrap() = Some(Packet::new(&IPart::from(Server1 { ends })));
            is_ready.set();
            let handle = Process::current().handles().insert(kernel::KernelObject::Event(must_stop)).expect("room");
            Handle(handle).wait(COWAIT_DEFAULT);
        });
    });
    ready.wait(platform::Deadline::NEVER, platform::Why::Wait);
    let packet = packed.lock().unwrap().take().expect("the server is ready");
    apartment(STA, || assert_eq!(ask(&packet.open(), 1), (S_OK, 2), "the answer is there"));
    stop.set();
    join(&server);
}

#[test]
fn srv_12_an_answer_written_after_the_signal() {
    let (bad, good) = (|| call_server(MTA, Ends::AfterSignal), || call_server(MTA, Ends::Well));
    program("answer_after_signal", Fails::Saying("the answer is there"), bad, good);
}

#[test]
fn srv_13_pit_05_a_worker_in_the_wrong_apartment() {
    let (bad, good) = (|| call_server(STA, Ends::ElsewhereDirectly), || call_server(STA, Ends::ElsewhereMarshaled));
    program("worker_in_the_wrong_apartment", Fails::Deadlock, bad, good);
}
