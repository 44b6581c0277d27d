//! An object in an apartment of its own thread, called from another.

use crate::Place;
use crate::handing::Packet;
use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use std::sync::{Arc, mpsc};

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

/// A thread with an apartment, which answers calls there until this is dropped.
pub struct Apartment {
    thread_id: u32,
    stop: Arc<Event>,
    thread: kernel::Spawned,
}

impl Apartment {
    /// Starts the thread, in an apartment of this model. What `make` makes there is for the caller, and for the thread to
    /// drop in the end.
    pub fn start<T: Send + 'static, K>(
        place: Place,
        model: u32,
        make: impl FnOnce() -> (T, K) + Send + 'static,
    ) -> (Self, T) {
        let (ready, made) = mpsc::channel();
        let stop = Event::manual();
        let stopped = stop.clone();
        let thread = kernel::spawn("server", false, move || {
            place.pin_server();
            in_apartment(model, || {
                let (given, _kept) = make();
                // SAFETY: no pointers.
                let id = unsafe { GetCurrentThreadId() };
                ready.send((id, given)).expect("somebody listens");
                serve(model, &stopped);
            });
        });
        let (thread_id, given) = made.recv().expect("the server starts");
        (Self { thread_id, stop, thread }, given)
    }
}

impl Drop for Apartment {
    fn drop(&mut self) {
        self.stop.set();
        // SAFETY: no pointers. A thread of the MTA may have no queue: it hears the event.
        let _ = unsafe { PostThreadMessageW(self.thread_id, WM_QUIT, 0, 0) };
        self.thread.ended.wait(Deadline::NEVER, Why::Wait);
    }
}

fn serve(model: u32, stop: &Event) {
    if model == COINIT_MULTITHREADED {
        assert!(stop.wait(Deadline::NEVER, Why::Wait));
        return;
    }
    let mut msg = MSG::default();
    // SAFETY: the message has a place.
    while unsafe { GetMessageW(&mut msg, HWND::NULL, 0, 0) }.0 > 0 {
        // SAFETY: it was filled in.
        unsafe { DispatchMessageW(&msg) };
    }
}

/// An apartment with an object.
pub struct Server {
    doubler: IDoubler,
    _apartment: Apartment,
}

impl Server {
    /// A doubler in an STA with a message loop. Call it in the MTA.
    pub fn sta(place: Place) -> Self {
        Self::start(place, COINIT_APARTMENTTHREADED, doubler)
    }

    /// The object that `make` makes, in an apartment of this model. Call it in another apartment.
    pub fn start(place: Place, model: u32, make: fn() -> IDoubler) -> Self {
        let (apartment, packet) = Apartment::start(place, model, move || {
            let object = make();
            (Packet::of(&object), object)
        });
        Self { doubler: packet.unpack(), _apartment: apartment }
    }

    /// The object as the caller's apartment sees it.
    pub fn doubler(&self) -> &IDoubler {
        &self.doubler
    }

    /// One synchronous call.
    pub fn double(&self, number: u32) -> u32 {
        double(&self.doubler, number)
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
}

/// One synchronous call.
pub fn double(doubler: &IDoubler, number: u32) -> u32 {
    let mut doubled = 0;
    // SAFETY: the result has a place.
    let hr = unsafe { doubler.Double(number, &mut doubled) };
    debug_assert_eq!(hr, S_OK);
    doubled
}

/// Runs `body` with the calling thread in an apartment of this model: `COINIT_…`.
pub fn in_apartment(model: u32, body: impl FnOnce()) {
    // SAFETY: balanced, and no pointer outlives `body`.
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), model).ok().expect("an apartment");
        body();
        CoUninitialize();
    }
}

/// Runs `body` with the calling thread in the MTA.
pub fn in_mta(body: impl FnOnce()) {
    in_apartment(COINIT_MULTITHREADED, body);
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
pub fn kernel_event() -> Arc<Event> {
    Event::manual()
}
