//! What a client does with generated bindings: an event, a wait, a call that is cancelled. Shared by the packages; what the
//! generators disagree about is the packages' own (`initialize`, `create_event`, `create_call`, `code`).

use super::bindings::*;
use super::{code, create_call, create_event, initialize};
use oleander::CLSID_ManualResetEvent;
use std::ffi::c_void;
use std::sync::mpsc::{Receiver, Sender, channel};
use windows_core::{IUnknown, Interface};

const OK: i32 = 0;
const PENDING: i32 = RPC_S_CALLPENDING.0;

#[test]
fn an_event_is_signalled_reset_and_waited_for() {
    initialize();
    let event: ISynchronize = create_event(&windows_core::GUID::from_u128(CLSID_ManualResetEvent.to_u128()));
    let handle = event.cast::<ISynchronizeHandle>().expect("an event has a handle");
    // SAFETY: live pointers; the handle is the event's own.
    unsafe {
        assert_eq!(code(event.Wait(0, 0)), PENDING);
        let handles = [handle.GetHandle().expect("it gives its handle")];
        assert_eq!(CoWaitForMultipleHandles(0, 0, &handles).expect_err("not signalled").code().0, PENDING);
        assert_eq!(code(event.Signal()), OK);
        assert_eq!(code(event.Wait(0, u32::MAX)), OK);
        assert_eq!(CoWaitForMultipleHandles(0, u32::MAX, &handles).expect("signalled"), 0);
        assert_eq!(code(event.Reset()), OK);
        assert_eq!(code(event.Wait(0, 0)), PENDING);
        drop((event, handle));
        CoUninitialize();
    }
}

/// A server that answers when the test is over.
#[oleander::com_class(oleander::IPipeByte)]
struct Slow {
    entered: Sender<()>,
    go: Receiver<()>,
}

impl oleander::IPipeByte_Impl for Slow_Impl {
    unsafe fn Pull(&self, _: *mut u8, _: u32, _: *mut u32) -> oleander::windows_core::HRESULT {
        self.entered.send(()).expect("the client waits for it");
        self.go.recv().expect("the client says so");
        oleander::S_OK
    }
    unsafe fn Push(&self, _: *const u8, _: u32) -> oleander::windows_core::HRESULT {
        oleander::E_NOTIMPL
    }
}

/// A pointer on its way to another thread.
struct Packet(*mut c_void);
// SAFETY: a stream with a packet may be read on every thread.
unsafe impl Send for Packet {}

/// Serves from the MTA until the client is gone.
fn serve(entered: Sender<()>, go: Receiver<()>, packets: &Sender<Packet>, done: &Receiver<()>) {
    use oleander::windows_core::Interface as _;
    // SAFETY: valid arguments.
    unsafe {
        assert_eq!(oleander::CoInitializeEx(std::ptr::null_mut(), oleander::COINIT_MULTITHREADED), oleander::S_OK);
        let server = oleander::IPipeByte::from(Slow { entered, go });
        let mut stream = std::ptr::null_mut();
        let iid = &oleander::IPipeByte::IID;
        let hr = oleander::CoMarshalInterThreadInterfaceInStream(iid, server.as_raw(), &mut stream);
        assert_eq!(hr, oleander::S_OK);
        packets.send(Packet(stream)).expect("the client waits for it");
        done.recv().expect("the client says so");
        drop(server);
        oleander::CoUninitialize();
    }
}

#[test]
fn a_call_is_begun_and_cancelled() {
    let ((entered, has_entered), (go, may_go)) = (channel(), channel());
    let ((packets, packet), (done, is_done)) = (channel(), channel());
    let server = std::thread::spawn(move || serve(entered, may_go, &packets, &is_done));
    let stream = packet.recv().expect("the server makes one");
    initialize();
    let mut raw = std::ptr::null_mut();
    // SAFETY: the packet is used once; a counted pointer comes back.
    let pipe = unsafe {
        let iid = oleander::windows_core::GUID::from_u128(IPipeByte::IID.to_u128());
        let hr = oleander::CoGetInterfaceAndReleaseStream(stream.0, &iid, &mut raw);
        assert_eq!(hr, oleander::S_OK);
        IPipeByte::from_raw(raw)
    };
    let factory: ICallFactory = pipe.cast().expect("a proxy has a call factory");
    let call: AsyncIPipeByte = create_call(&factory);
    let cancel: ICancelMethodCalls = call.cast().expect("a call object can cancel");
    let (mut buffer, mut returned) = ([0; 4], 0);
    // SAFETY: live pointers, and room for what Begin_ asks for.
    unsafe {
        assert_eq!(code(call.Begin_Pull(4)), OK);
        has_entered.recv().expect("the server is called");
        assert_eq!(code(cancel.TestCancel()), PENDING);
        assert_eq!(code(cancel.Cancel(0)), OK);
        assert_eq!(code(call.Finish_Pull(buffer.as_mut_ptr(), &mut returned)), oleander::RPC_S_CALL_CANCELLED_HR.0);
    }
    go.send(()).expect("the server waits for it");
    let unknown: IUnknown = call.cast().expect("it is an object");
    drop((unknown, cancel, call, factory, pipe));
    // SAFETY: all pointers are gone.
    unsafe { CoUninitialize() };
    done.send(()).expect("the server waits for it");
    server.join().expect("the server is well");
}
