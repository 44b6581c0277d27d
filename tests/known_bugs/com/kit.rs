//! What the programs share: an interface, objects whose method is a closure, apartments with threads, and pointers on their
//! way from one to another.

use oleander::kernel::{self, Spawned};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_sim::sync::{Arc, Mutex};
use std::ffi::c_void;
use std::marker::PhantomData;

/// Something that is asked and answers.
#[async_interface(uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650040", async_uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650041")]
pub unsafe trait IPart: IUnknown {
    /// One question, one answer.
    fn Ask(&self, #[idl(in)] question: u32, #[idl(out)] answer: *mut u32) -> HRESULT;
}

/// An object that answers by a closure.
#[com_class(IPart)]
struct Part {
    answer: Box<dyn Fn(u32) -> u32>,
}

impl IPart_Impl for Part_Impl {
    unsafe fn Ask(&self, question: u32, answer: *mut u32) -> HRESULT {
        unsafe { *answer = (self.answer)(question) };
        S_OK
    }
}

pub fn part(answer: impl Fn(u32) -> u32 + 'static) -> IPart {
    Part { answer: Box::new(answer) }.into()
}

pub fn ask(part: &IPart, question: u32) -> (HRESULT, u32) {
    let mut answer = 0;
    let hr = unsafe { part.Ask(question, &mut answer) };
    (hr, answer)
}

/// A call object for a part, with an outer object or without.
pub fn call_object(part: &IPart) -> AsyncIPart {
    let factory: ICallFactory = part.cast().expect("CALL-01");
    let mut raw = std::ptr::null_mut();
    unsafe {
        let hr = factory.CreateCall(&AsyncIPart::IID, std::ptr::null_mut(), &AsyncIPart::IID, &mut raw);
        hr.ok().expect("CALL-02");
        AsyncIPart::from_raw(raw)
    }
}

pub fn finish(call: &AsyncIPart) -> (HRESULT, u32) {
    let mut answer = 0;
    let hr = unsafe { call.Finish_Ask(&mut answer) };
    (hr, answer)
}

/// A pointer on its way to another apartment.
pub struct Packet<I> {
    stream: usize,
    of: PhantomData<fn() -> I>,
}

impl<I: Interface> Packet<I> {
    pub fn new(object: &I) -> Self {
        let mut stream = std::ptr::null_mut();
        let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&I::IID, object.as_raw(), &mut stream) };
        hr.ok().expect("it can be marshaled");
        Self { stream: stream as usize, of: PhantomData }
    }

    pub fn open(self) -> I {
        let mut raw = std::ptr::null_mut();
        unsafe {
            let hr = CoGetInterfaceAndReleaseStream(self.stream as *mut c_void, &I::IID, &mut raw);
            hr.ok().expect("it can be unmarshaled");
            I::from_raw(raw)
        }
    }
}

/// What the programs hand to threads although its type forbids it; some of them are wrong in that.
pub struct Raw<T>(pub T);
// SAFETY: the programs are run by fibers of one thread; what they do wrong is what they are here for.
unsafe impl<T> Send for Raw<T> {}

impl<T> Raw<T> {
    pub fn get(self) -> T {
        self.0
    }
}

pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Spawned {
    kernel::spawn(name, false, body)
}

pub fn join(thread: &Spawned) {
    thread.ended.wait(Deadline::NEVER, Why::Wait);
}

/// Runs in an apartment, and sees to it that nothing is left of it.
pub fn apartment<R>(model: u32, body: impl FnOnce() -> R) -> R {
    unsafe { CoInitializeEx(std::ptr::null_mut(), model).ok().expect("a thread without apartment") };
    let result = body();
    unsafe { CoUninitialize() };
    result
}

pub const STA: u32 = COINIT_APARTMENTTHREADED;
pub const MTA: u32 = COINIT_MULTITHREADED;

/// A thread whose apartment has one object.
pub struct Server {
    thread: Spawned,
    thread_id: u32,
}

impl Server {
    /// Starts it and waits until it serves. The packets, for those who call it, hold the only references.
    pub fn start<I: Interface + 'static>(
        name: &str,
        packets: usize,
        object: impl FnOnce() -> I + Send + 'static,
    ) -> (Self, Vec<Packet<I>>) {
        let (ready, packed) = (kernel::Event::manual(), Arc::new(Mutex::new((0, Vec::new()))));
        let (is_ready, put) = (ready.clone(), packed.clone());
        let thread = spawn(name, move || {
            apartment(STA, || {
                let packets = {
                    let object = object();
                    (0..packets).map(|_| Packet::new(&object)).collect()
                };
                *put.lock().unwrap() = (unsafe { GetCurrentThreadId() }, packets);
                is_ready.set();
                serve();
            });
        });
        ready.wait(Deadline::NEVER, Why::Wait);
        let (thread_id, packets) = std::mem::take(&mut *packed.lock().unwrap());
        (Self { thread, thread_id }, packets)
    }

    pub fn stop(self) {
        unsafe { PostThreadMessageW(self.thread_id, WM_QUIT, 0, 0).ok().expect("it serves") };
        join(&self.thread);
    }
}

/// Dispatches messages until WM_QUIT.
pub fn serve() {
    let mut msg = MSG::default();
    while unsafe { GetMessageW(&mut msg, HWND::NULL, 0, 0) }.0 > 0 {
        unsafe { DispatchMessageW(&msg) };
    }
}

/// An event with a handle, for the waits of Win32 and COM.
pub struct Handle(pub HANDLE);

impl Handle {
    pub fn event() -> Self {
        Self(unsafe { CreateEventW(std::ptr::null(), true.into(), false.into(), std::ptr::null()) })
    }

    pub fn set(&self) {
        unsafe { SetEvent(self.0).ok().expect("it is open") };
    }

    /// Waits and dispatches nothing.
    pub fn wait_plainly(&self) {
        assert_eq!(unsafe { WaitForSingleObject(self.0, INFINITE) }, WAIT_OBJECT_0);
    }

    /// Waits as COM does, with flags of `COWAIT_FLAGS`.
    pub fn wait(&self, flags: u32) {
        let mut index = 0;
        assert_eq!(unsafe { CoWaitForMultipleHandles(flags, INFINITE, 1, &self.0, &mut index) }, S_OK);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = unsafe { CloseHandle(self.0) };
    }
}

/// A client in the MTA and a part in an STA; nothing is left.
pub fn client_and_part(answer: impl Fn(u32) -> u32 + Send + 'static, client: impl FnOnce(IPart)) {
    let (server, mut packets) = Server::start("server", 1, move || part(answer));
    apartment(MTA, || client(packets.remove(0).open()));
    server.stop();
    nothing_is_left();
}

pub fn nothing_is_left() {
    let left = debug::live_objects();
    assert_eq!(left, 0, "objects are left behind");
}

/// Creates an aggregated call object for a part.
pub unsafe fn aggregated(part: &IPart, outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
    let factory: ICallFactory = part.cast().expect("CALL-01");
    unsafe { factory.CreateCall(&AsyncIPart::IID, outer, riid, ppv) }
}
