//! An object in an STA, called from the MTA.

use crate::Place;
use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::sync::mpsc;

/// Doubles a number: two parameters.
#[async_interface(uuid = "7b1f5a61-7f5c-4c1d-9d52-2f6f6c650030", async_uuid = "7b1f5a61-7f5c-4c1d-9d52-2f6f6c650031")]
pub unsafe trait IDoubler: IUnknown {
    /// Twice `number`.
    fn Double(&self, #[idl(in)] number: u32, #[idl(out)] doubled: *mut u32) -> HRESULT;
}

#[com_class(IDoubler)]
struct Doubler;

impl IDoubler_Impl for Doubler_Impl {
    unsafe fn Double(&self, number: u32, doubled: *mut u32) -> HRESULT {
        // SAFETY: the stub passes room for the result.
        unsafe { *doubled = number * 2 };
        S_OK
    }
}

/// An object, in the calling thread's apartment.
pub fn doubler() -> IDoubler {
    Doubler.into()
}

struct Packet(*mut c_void);
// SAFETY: a stream that one thread hands to another, as `CoMarshalInterThreadInterfaceInStream` is for.
unsafe impl Send for Packet {}

/// A thread with an STA and its message loop, and an object there.
pub struct StaServer {
    /// The object as the caller's apartment sees it.
    pub doubler: IDoubler,
    thread_id: u32,
    thread: kernel::Spawned,
}

impl StaServer {
    /// Starts the thread. Call it in the MTA.
    pub fn start(place: Place) -> Self {
        let (ready, packet) = mpsc::channel();
        let thread = kernel::spawn("server", false, move || {
            place.pin_server();
            serve(&ready);
        });
        let (thread_id, Packet(stream)) = packet.recv().expect("the server starts");
        let mut raw = std::ptr::null_mut();
        // SAFETY: the stream is this thread's now; on success the pointer is one of the interface.
        let doubler = unsafe {
            CoGetInterfaceAndReleaseStream(stream, &IDoubler::IID, &mut raw).ok().expect("a proxy");
            IDoubler::from_raw(raw)
        };
        Self { doubler, thread_id, thread }
    }

    /// One synchronous call.
    pub fn double(&self, number: u32) -> u32 {
        let mut doubled = 0;
        // SAFETY: the result has a place.
        let hr = unsafe { self.doubler.Double(number, &mut doubled) };
        debug_assert_eq!(hr, S_OK);
        doubled
    }

    /// A new call object.
    pub fn call(&self) -> AsyncIDoubler {
        let mut raw = std::ptr::null_mut();
        // SAFETY: valid arguments; on success the pointer is one of the interface.
        unsafe {
            let factory: ICallFactory = self.doubler.cast().expect("a proxy makes call objects");
            let id = &AsyncIDoubler::IID;
            factory.CreateCall(id, std::ptr::null_mut(), id, &mut raw).ok().expect("a call object");
            AsyncIDoubler::from_raw(raw)
        }
    }

    /// Ends the thread.
    pub fn stop(self) {
        drop(self.doubler);
        // SAFETY: no pointers.
        unsafe { PostThreadMessageW(self.thread_id, WM_QUIT, 0, 0) }.ok().expect("the server lives");
        self.thread.ended.wait(Deadline::NEVER, Why::Wait);
    }
}

fn serve(ready: &mpsc::Sender<(u32, Packet)>) {
    // SAFETY: each call is as its documentation asks.
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
        let object: IDoubler = Doubler.into();
        let mut stream = std::ptr::null_mut();
        let hr = CoMarshalInterThreadInterfaceInStream(&IDoubler::IID, object.as_raw(), &mut stream);
        hr.ok().expect("a packet");
        ready.send((GetCurrentThreadId(), Packet(stream))).expect("somebody listens");
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        drop(object);
        CoUninitialize();
    }
}

/// Runs `body` with the calling thread in the MTA.
pub fn in_mta(body: impl FnOnce()) {
    // SAFETY: balanced, and no pointer outlives `body`.
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED).ok().expect("the MTA");
        body();
        CoUninitialize();
    }
}

/// A manual-reset event as COM makes it.
pub fn com_event() -> ISynchronize {
    let mut raw = std::ptr::null_mut();
    // SAFETY: valid arguments; on success the pointer is one of the interface.
    unsafe {
        let none = std::ptr::null_mut();
        CoCreateInstance(&CLSID_ManualResetEvent, none, CLSCTX_INPROC_SERVER, &ISynchronize::IID, &mut raw)
            .ok()
            .expect("a system class");
        ISynchronize::from_raw(raw)
    }
}

/// The kernel object itself.
pub fn kernel_event() -> std::sync::Arc<Event> {
    Event::manual()
}
