//! Threads in apartments for the tests: each test has an emulated process of its own, and rooms in it that run closures.
//!
//! Nothing here sleeps: who waits, waits for an event or a channel; it fails the test when nothing has moved for a minute.

#![allow(dead_code, reason = "each test uses its part")]

#[path = "moves.rs"]
pub mod moves;

use moves::{LOOK, Patience, moved, moves};
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// How long a wait for one thing may take before it counts as a hang.
pub const HANG: Duration = moves::STILL;

type Outcome<R> = thread::Result<R>;
type Job = Box<dyn FnOnce() + Send>;

/// What runs elsewhere.
pub struct Pending<R>(mpsc::Receiver<Outcome<R>>);

impl<R> Pending<R> {
    /// Its result, or its panic.
    pub fn wait(self) -> R {
        let mut patience = Patience::new(moves());
        loop {
            match self.0.recv_timeout(LOOK) {
                Ok(Ok(result)) => return result,
                Ok(Err(panic)) => resume_unwind(panic),
                Err(mpsc::RecvTimeoutError::Timeout) => assert!(!patience.is_over(moves()), "hangs"),
                Err(mpsc::RecvTimeoutError::Disconnected) => panic!("the thread ended first"),
            }
        }
    }

    /// Whether it is not done yet.
    pub fn is_pending(&mut self) -> bool {
        match self.0.try_recv() {
            Ok(outcome) => {
                let (send, receive) = mpsc::channel();
                send.send(outcome).ok();
                self.0 = receive;
                false
            }
            Err(mpsc::TryRecvError::Empty) => true,
            Err(mpsc::TryRecvError::Disconnected) => false,
        }
    }
}

/// No model of COM: an application STA.
const APPLICATION: u32 = u32::MAX - 1;

/// A test's process.
#[derive(Clone)]
pub struct World {
    /// Nothing: the program's own threads, with the backend that it has.
    process: Option<Arc<Process>>,
}

/// Runs a test in a process of its own; all objects must be gone at its end.
pub fn world(test: impl FnOnce(&World) + Send + 'static) {
    within(World { process: Some(Process::new(platform::host())) }, test);
}

/// Runs a test twice: as [`world`] does, and on the program's own threads, which have the system's COM where the program
/// does (`oleander::backend`). One test at a time is on those, so that they have the MTA and the counts for themselves.
pub fn both(test: impl FnOnce(&World) + Clone + Send + 'static) {
    world(test.clone());
    on_own_threads(test);
}

/// Runs with a server's room and a client's, of every pair of kinds that makes a call cross apartments.
pub fn each_pair(world: &World, test: impl Fn(&Room, &Room)) {
    let (sta, other_sta, mta) = (world.sta(), world.sta(), world.mta());
    for (server, client) in [(&sta, &mta), (&mta, &sta), (&sta, &other_sta)] {
        test(server, client);
    }
    for room in [other_sta, mta, sta] {
        room.close();
    }
}

/// Counts the apartments of the system's COM in this program.
///
/// Wine 8's RPC has an endpoint for each that has marshaled an object, also when it is gone, and one thread that waits for all of
/// them: with the 64th object its wait fails (error 87), the thread ends, and who marshals next waits for it for ever.
fn count_apartment() {
    const MOST: usize = 60;
    static APARTMENTS: AtomicUsize = AtomicUsize::new(0);
    let count = APARTMENTS.fetch_add(1, Ordering::Relaxed) + 1;
    assert!(count <= MOST, "too many apartments for one program on Wine: another program, or fewer rooms");
}

/// Runs a test on the program's own threads.
pub fn on_own_threads(test: impl FnOnce(&World) + Send + 'static) {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    within(World { process: None }, test);
}

fn within(world: World, test: impl FnOnce(&World) + Send + 'static) {
    let inner = world.clone();
    world.thread(move || test(&inner)).wait();
    world.thread(no_object_lives).wait();
}

/// Waits until no object of the calling thread's process lives: a pool thread may be about to let go of one.
pub fn no_object_lives() {
    let objects = || debug::live_objects() as u64;
    let mut patience = Patience::new(objects());
    while objects() != 0 && !patience.is_over(objects()) {
        thread::yield_now();
    }
    assert_eq!(debug::live_objects(), 0, "objects leaked");
}

impl World {
    /// Whether its threads have the system's COM.
    pub fn is_system(&self) -> bool {
        self.process.is_none() && backend::current() == backend::Backend::System
    }

    /// A thread of the process, outside COM. Its result comes when it has ended, its exit included.
    pub fn thread<R: Send + 'static>(&self, body: impl FnOnce() -> R + Send + 'static) -> Pending<R> {
        let (send, receive) = mpsc::channel();
        let (inner_send, inner_receive) = mpsc::channel();
        let Some(process) = &self.process else {
            thread::spawn(move || send.send(catch_unwind(AssertUnwindSafe(body))).ok());
            return Pending(receive);
        };
        let spawned = kernel::spawn_in(process, "test", false, move || {
            moved();
            inner_send.send(catch_unwind(AssertUnwindSafe(body))).ok();
            moved();
        });
        thread::spawn(move || {
            let outcome = inner_receive.recv();
            spawned.ended.wait(platform::Deadline::NEVER, platform::Why::Wait);
            moved();
            if let Ok(outcome) = outcome {
                send.send(outcome).ok();
            }
        });
        Pending(receive)
    }

    /// A thread in an apartment of its own: an STA with a message loop.
    pub fn sta(&self) -> Room {
        self.room(COINIT_APARTMENTTHREADED)
    }

    /// A thread in an application STA, with a message loop.
    pub fn asta(&self) -> Room {
        self.room(APPLICATION)
    }

    /// A thread in the MTA.
    pub fn mta(&self) -> Room {
        self.room(COINIT_MULTITHREADED)
    }

    /// A thread outside COM.
    pub fn outside(&self) -> Room {
        self.room(u32::MAX)
    }

    fn room(&self, model: u32) -> Room {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (ready, is_ready) = mpsc::channel();
        if self.is_system() && model != u32::MAX {
            count_apartment();
        }
        let ended = self.thread(move || unsafe {
            match model {
                u32::MAX => {}
                APPLICATION => assert_eq!(apartment::enter_application_sta(), S_OK),
                _ => assert_eq!(CoInitializeEx(std::ptr::null_mut(), model), S_OK),
            }
            let sta = [COINIT_APARTMENTTHREADED, APPLICATION].contains(&model);
            if sta {
                // The queue must be there before anybody posts to it.
                let _ = PeekMessageW(&mut MSG::default(), HWND::NULL, 0, 0, PM_NOREMOVE);
            }
            ready.send(GetCurrentThreadId()).ok();
            if sta {
                pump(&todo)
            } else {
                todo.iter().for_each(|job| job())
            }
            if model != u32::MAX {
                CoUninitialize();
            }
        });
        let thread = is_ready.recv_timeout(HANG).expect("the room opens");
        Room { jobs, ended, thread, sta: [COINIT_APARTMENTTHREADED, APPLICATION].contains(&model) }
    }
}

/// The message that tells a room of a job.
const WM_JOB: u32 = WM_APP + 0x1234;

/// The message loop of an STA, until the room is closed.
fn pump(todo: &mpsc::Receiver<Job>) {
    let mut msg = MSG::default();
    loop {
        let _ = unsafe { GetMessageW(&mut msg, HWND::NULL, 0, 0) };
        if msg.message == WM_JOB && msg.hwnd == HWND::NULL {
            match todo.try_recv() {
                Ok(job) => job(),
                Err(mpsc::TryRecvError::Disconnected) => return,
                Err(mpsc::TryRecvError::Empty) => {}
            }
        } else {
            unsafe { DispatchMessageW(&msg) };
        }
    }
}

/// A thread in an apartment that runs closures.
pub struct Room {
    jobs: mpsc::Sender<Job>,
    ended: Pending<()>,
    /// Its thread id.
    pub thread: u32,
    sta: bool,
}

impl Room {
    /// Has a closure run in the room.
    pub fn start<R: Send + 'static>(&self, body: impl FnOnce() -> R + Send + 'static) -> Pending<R> {
        let (send, receive) = mpsc::channel();
        let job: Job = Box::new(move || {
            moved();
            send.send(catch_unwind(AssertUnwindSafe(body))).ok();
            moved();
        });
        self.jobs.send(job).expect("the room is open");
        self.ring();
        Pending(receive)
    }

    /// Runs a closure in the room and waits for it.
    pub fn run<R: Send + 'static>(&self, body: impl FnOnce() -> R + Send + 'static) -> R {
        self.start(body).wait()
    }

    /// Whether its apartment is an STA.
    pub fn is_sta(&self) -> bool {
        self.sta
    }

    /// Leaves COM and ends the thread.
    pub fn close(self) {
        self.close_later().wait();
    }

    /// [`Room::close`] without waiting.
    pub fn close_later(self) -> Pending<()> {
        let Self { jobs, ended, thread, sta } = self;
        drop(jobs);
        if sta {
            ring(thread);
        }
        ended
    }

    fn ring(&self) {
        if self.sta {
            ring(self.thread);
        }
    }
}

/// Tells an STA's loop to look at its jobs. The caller is a thread of the same process.
fn ring(thread: u32) {
    assert!(unsafe { PostThreadMessageW(thread, WM_JOB, 0, 0) }.as_bool());
}

/// A value that crosses threads although its type does not say so.
#[derive(Debug)]
pub struct Carry<T>(pub T);
unsafe impl<T> Send for Carry<T> {}
unsafe impl<T> Sync for Carry<T> {}

impl<T> Carry<T> {
    /// The value; by method, so that a closure captures the whole.
    pub fn take(self) -> T {
        self.0
    }
}

/// A marshaled pointer on its way to another apartment.
pub struct Packet(pub *mut c_void);
unsafe impl Send for Packet {}

impl Packet {
    /// The stream.
    pub fn take(self) -> *mut c_void {
        self.0
    }
}

/// Marshals an object of the calling apartment.
pub fn pack<I: Interface>(object: &I) -> Packet {
    moved();
    let mut stream = std::ptr::null_mut();
    unsafe { assert_eq!(CoMarshalInterThreadInterfaceInStream(&I::IID, object.as_raw(), &mut stream), S_OK) };
    Packet(stream)
}

/// Unmarshals for the calling apartment.
pub fn unpack<I: Interface>(packet: Packet) -> I {
    try_unpack(packet).expect("a good packet")
}

/// [`unpack`], with its failure.
pub fn try_unpack<I: Interface>(packet: Packet) -> Result<I, HRESULT> {
    moved();
    let mut raw = std::ptr::null_mut();
    unsafe {
        match CoGetInterfaceAndReleaseStream(packet.take(), &I::IID, &mut raw) {
            S_OK => Ok(I::from_raw(raw)),
            hr => {
                assert!(raw.is_null(), "a failure gives no pointer");
                Err(hr)
            }
        }
    }
}

/// An object of a class, for the calling apartment.
pub fn create<I: Interface>(clsid: &GUID) -> I {
    let mut raw = std::ptr::null_mut();
    unsafe {
        assert_eq!(CoCreateInstance(clsid, std::ptr::null_mut(), CLSCTX_INPROC_SERVER, &I::IID, &mut raw), S_OK);
        I::from_raw(raw)
    }
}

/// QueryInterface with its HRESULT.
pub fn query<I: Interface>(object: &impl Interface) -> Result<I, HRESULT> {
    moved();
    let mut raw = std::ptr::null_mut();
    unsafe {
        match object.query(&I::IID, &mut raw) {
            S_OK => Ok(I::from_raw(raw)),
            hr => {
                assert!(raw.is_null(), "a failure gives no pointer");
                Err(hr)
            }
        }
    }
}

/// The reference count of an object, as AddRef and Release tell it.
pub fn count(object: &impl Interface) -> u32 {
    let raw = object.as_raw();
    unsafe {
        let unknown = windows_core::IUnknown::from_raw_borrowed(&raw).unwrap();
        let vtable = windows_core::Interface::vtable(unknown);
        (vtable.AddRef)(raw);
        (vtable.Release)(raw)
    }
}

/// An event handle of the process.
pub fn event(manual: bool, set: bool) -> HANDLE {
    let handle = unsafe { CreateEventW(std::ptr::null(), manual.into(), set.into(), std::ptr::null()) };
    assert_ne!(handle, HANDLE::NULL);
    handle
}

/// Waits for a handle as Win32 does, and fails when that hangs.
pub fn wait_for(handle: HANDLE) {
    let ms = u32::try_from(HANG.as_millis()).unwrap();
    assert_eq!(unsafe { WaitForSingleObject(handle, ms) }, WAIT_OBJECT_0, "hangs");
}

/// Waits for a handle as COM does.
pub fn co_wait_for(handle: HANDLE) {
    let ms = u32::try_from(HANG.as_millis()).unwrap();
    let mut index = 0;
    assert_eq!(unsafe { CoWaitForMultipleHandles(0, ms, 1, &handle, &mut index) }, S_OK, "hangs");
}
