//! Hot paths allocate nothing once they are warm: counted by the allocator of this test program, over the
//! threads that take part.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The test harness has threads of its own, which do not count.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    if COUNTED.get() {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

struct Counting;

// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test at a time: there is one count.
static ONE: Mutex<()> = Mutex::new(());

/// Counts the calling thread from here on. The locks' own table of parked threads is made, once in a program, where a
/// lock is contended for the first time; that is no call's cost, so a wait that is over at once has it made before.
fn take_part() {
    let mutex = parking_lot::Mutex::new(());
    assert!(parking_lot::Condvar::new().wait_for(&mut mutex.lock(), Duration::ZERO).timed_out());
    COUNTED.set(true);
}

/// How many allocations `rounds` rounds need after a hundred to warm up.
fn allocations(rounds: usize, mut round: impl FnMut()) -> usize {
    take_part();
    (0..100).for_each(|_| round());
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    (0..rounds).for_each(|_| round());
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// Doubles numbers.
#[async_interface(uuid = "3f2b9c1e-6a52-4b57-9d43-0a1b2c3d5001", async_uuid = "3f2b9c1e-6a52-4b57-9d43-0a1b2c3d5002")]
pub unsafe trait IDoubler: IUnknown {
    fn Double(&self, #[idl(in)] number: u32, #[idl(out)] doubled: *mut u32) -> HRESULT;
    /// Keeps the server busy until its gate is set.
    fn Hold(&self) -> HRESULT;
}

#[com_class(IDoubler)]
struct Doubler {
    gate: Arc<Event>,
}

impl IDoubler_Impl for Doubler_Impl {
    unsafe fn Double(&self, number: u32, doubled: *mut u32) -> HRESULT {
        unsafe { *doubled = number * 2 };
        S_OK
    }
    unsafe fn Hold(&self) -> HRESULT {
        assert!(self.gate.wait(Deadline::NEVER, Why::Wait));
        S_OK
    }
}

struct Packet(*mut c_void);
unsafe impl Send for Packet {}

/// Runs `client` in the MTA with an `IDoubler` that lives in an STA with a message loop.
fn with_doubler(client: impl FnOnce(IDoubler, &Event)) {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (ready, packet) = mpsc::channel();
    let gate = Event::manual();
    let theirs = gate.clone();
    let server = kernel::spawn("server", false, move || unsafe {
        take_part();
        assert_eq!(CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        let doubler: IDoubler = Doubler { gate: theirs }.into();
        let mut stream = std::ptr::null_mut();
        CoMarshalInterThreadInterfaceInStream(&IDoubler::IID, doubler.as_raw(), &mut stream).ok().unwrap();
        ready.send((GetCurrentThreadId(), Packet(stream))).unwrap();
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        drop(doubler);
        CoUninitialize();
    });
    let (thread_id, Packet(stream)) = packet.recv().unwrap();
    unsafe {
        assert_eq!(CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED), S_OK);
        let mut raw = std::ptr::null_mut();
        CoGetInterfaceAndReleaseStream(stream, &IDoubler::IID, &mut raw).ok().unwrap();
        client(IDoubler::from_raw(raw), &gate);
        PostThreadMessageW(thread_id, WM_QUIT, 0, 0).ok().unwrap();
        CoUninitialize();
    }
    assert!(server.ended.wait(Deadline::NEVER, Why::Wait));
}

fn new_call(doubler: &IDoubler) -> AsyncIDoubler {
    let mut raw = std::ptr::null_mut();
    unsafe {
        let factory: ICallFactory = doubler.cast().unwrap();
        let id = &AsyncIDoubler::IID;
        factory.CreateCall(id, std::ptr::null_mut(), id, &mut raw).ok().unwrap();
        AsyncIDoubler::from_raw(raw)
    }
}

/// So many calls at a time.
fn in_flight(calls: &[AsyncIDoubler]) {
    for call in calls {
        unsafe { assert_eq!(call.Begin_Double(21), S_OK) };
    }
    calls.iter().for_each(finish);
}

fn finish(call: &AsyncIDoubler) {
    let mut doubled = 0;
    unsafe { assert_eq!((call.Finish_Double(&mut doubled), doubled), (S_OK, 42)) };
}

/// Brings everything to its full size: the server is held until all calls are in its queue, and the thread keeps one call
/// more than it needs, for the server may be about to let the last one go.
fn warm_up(doubler: &IDoubler, gate: &Event, needed: usize) {
    let (held, calls) = (new_call(doubler), (0..=needed).map(|_| new_call(doubler)).collect::<Vec<_>>());
    gate.reset();
    unsafe { assert_eq!(held.Begin_Hold(), S_OK) };
    for call in &calls {
        unsafe { assert_eq!(call.Begin_Double(21), S_OK) };
    }
    gate.set();
    unsafe { assert_eq!(held.Finish_Hold(), S_OK) };
    for call in &calls {
        finish(call);
    }
}

#[test]
fn a_synchronous_call_to_an_sta_allocates_nothing() {
    with_doubler(|doubler, gate| {
        warm_up(&doubler, gate, 1);
        let count = allocations(1000, || unsafe {
            let mut doubled = 0;
            assert_eq!((doubler.Double(21, &mut doubled), doubled), (S_OK, 42));
        });
        assert_eq!(count, 0, "in 1,000 calls");
    });
}

#[test]
fn an_asynchronous_call_to_an_sta_allocates_nothing() {
    with_doubler(|doubler, gate| {
        for needed in [1, 64] {
            warm_up(&doubler, gate, needed);
            let calls: Vec<_> = (0..needed).map(|_| new_call(&doubler)).collect();
            let count = allocations(100, || in_flight(&calls));
            assert_eq!(count, 0, "in 100 rounds with {needed} in flight");
        }
    });
}

#[test]
fn an_event_allocates_nothing() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let event = Event::manual();
    let count = allocations(1000, || {
        event.set();
        assert!(event.poll());
        event.reset();
        assert!(!event.poll());
    });
    assert_eq!(count, 0, "in 1,000 cycles");
}
