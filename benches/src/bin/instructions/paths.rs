//! The hot paths, walked round by round between two functions that callgrind knows by their names.

#![allow(clippy::undocumented_unsafe_blocks, reason = "calls of COM by its rules, as its users make them")]

use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander::windows_core::Interface;
use oleander::*;
use oleander_benches::scenarios::{check, setter_and_waiter, sieve_call};
use oleander_benches::server::{self, IDoubler};
use oleander_benches::{AsyncIDoubler, in_mta};
use oleander_sim::schedule::RandomWalk;
use oleander_sim::{Limits, Strategy, explore_with, world};
use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

/// callgrind forgets what it counted when the program enters this function.
pub const BEGIN: &str = "*begin_counting*";
/// callgrind writes what it counted when the program enters this function.
pub const END: &str = "*end_counting*";

// They do different things, so that they stay two functions.
#[inline(never)]
fn begin_counting() {
    black_box(1);
}

#[inline(never)]
fn end_counting() {
    black_box("end");
}

/// Counts so many rounds, after some that fill pools and find what is found once.
fn count(path: &str, rounds: u32, mut round: impl FnMut()) {
    (0..10).for_each(|_| round());
    begin_counting();
    (0..rounds).for_each(|_| round());
    end_counting();
    println!("{path} {rounds}");
}

/// All of them, each with its name and its number of rounds on a line.
pub fn walk() {
    in_mta(|| {
        event();
        [2, 8, 63].into_iter().for_each(|handles| wait(handles, false));
        [8, 63].into_iter().for_each(|handles| wait(handles, true));
        direct_call();
    });
    oleander_sim::run(calls_of_an_sta).expect_completed();
    oleander_sim::run(packets_of_the_mta).expect_completed();
    count("execution of the sieve call", 100, || {
        let limits = Limits { count_traces: false, executions_max: 1, ..Limits::default() };
        let found = explore_with(&mut RandomWalk::new(1), &limits, sieve_call);
        assert!((found.schedules, found.failures) == (1, 0), "{found}");
    });
    count("check of the event", 10, || {
        check(Strategy::Exhaustive, u64::MAX, setter_and_waiter);
    });
}

/// Signal, Wait(0), Reset, Wait(0).
fn event() {
    let event = server::com_event();
    count("event cycle", 1_000, || unsafe {
        let event = black_box(&event);
        let signalled = (event.Signal(), event.Wait(COWAIT_DEFAULT, 0));
        let reset = (event.Reset(), event.Wait(COWAIT_DEFAULT, 0));
        assert!(signalled == (S_OK, S_OK) && reset == (S_OK, RPC_S_CALLPENDING));
    });
}

/// A wait for any of so many handles, the last of which is signalled, or for all of them.
fn wait(handles: u32, all: bool) {
    let last = handles - 1;
    let handles: Vec<_> = (0..handles)
        .map(|i| unsafe { CreateEventW(null_mut(), true.into(), (all || i == last).into(), null_mut()) })
        .collect();
    let expected = WAIT_OBJECT_0 + if all { 0 } else { last };
    count(&format!("wait for {} of {}", if all { "all" } else { "any" }, handles.len()), 1_000, || {
        let given = unsafe { WaitForMultipleObjects(handles.len() as u32, black_box(handles.as_ptr()), all.into(), 0) };
        assert_eq!(given, expected);
    });
    handles.into_iter().for_each(|handle| assert!(unsafe { CloseHandle(handle) }.as_bool()));
}

fn double(doubler: &IDoubler) {
    let mut doubled = 0;
    assert_eq!((unsafe { doubler.Double(black_box(21), &mut doubled) }, doubled), (S_OK, 42));
}

fn direct_call() {
    let doubler = server::doubler();
    count("call in the apartment", 1_000, || double(black_box(&doubler)));
}

/// What one thread hands to another; a stream with a packet, mostly.
#[derive(Clone)]
struct Hand {
    is_there: Arc<Event>,
    what: Arc<Mutex<usize>>,
}

impl Hand {
    fn new() -> Self {
        Self { is_there: Event::auto(), what: Arc::default() }
    }
    fn give(&self, what: usize) {
        *self.what.lock().expect("nobody panics") = what;
        self.is_there.set();
    }
    fn take(&self) -> usize {
        assert!(self.is_there.wait(Deadline::NEVER, Why::Wait));
        *self.what.lock().expect("nobody panics")
    }
}

fn packet(doubler: &IDoubler) -> usize {
    let mut stream = null_mut();
    unsafe { CoMarshalInterThreadInterfaceInStream(&IDoubler::IID, doubler.as_raw(), &mut stream) }
        .ok()
        .expect("a packet");
    stream as usize
}

fn unpack(stream: usize) -> IDoubler {
    let mut raw = null_mut();
    unsafe {
        CoGetInterfaceAndReleaseStream(stream as *mut c_void, &IDoubler::IID, &mut raw).ok().expect("a proxy");
        IDoubler::from_raw(raw)
    }
}

/// In the simulator: calls from the MTA to an object in an STA.
fn calls_of_an_sta() {
    let (thread, stream) = (Hand::new(), Hand::new());
    let (to_thread, to_stream) = (thread.clone(), stream.clone());
    let server = world::spawn("server", move || unsafe {
        CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
        to_thread.give(GetCurrentThreadId() as usize);
        to_stream.give(packet(&server::doubler()));
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        CoUninitialize();
    });
    in_mta(|| {
        let (thread, doubler) = (thread.take() as u32, unpack(stream.take()));
        count("call of an STA", 100, || double(&doubler));
        let call = call_object(&doubler);
        count("Begin_ and Finish_", 100, || unsafe {
            assert_eq!(call.Begin_Double(black_box(21)), S_OK);
            let mut doubled = 0;
            assert_eq!((call.Finish_Double(&mut doubled), doubled), (S_OK, 42));
        });
        drop(call);
        through_the_table(&doubler);
        drop(doubler);
        unsafe { PostThreadMessageW(thread, WM_QUIT, 0, 0) }.ok().expect("the server lives");
    });
    server.join().expect("it does not panic");
}

fn call_object(doubler: &IDoubler) -> AsyncIDoubler {
    let mut raw = null_mut();
    unsafe {
        let factory: ICallFactory = doubler.cast().expect("a proxy makes call objects");
        factory.CreateCall(&AsyncIDoubler::IID, null_mut(), &AsyncIDoubler::IID, &mut raw).ok().expect("a call object");
        AsyncIDoubler::from_raw(raw)
    }
}

/// A proxy goes into the global interface table, comes out, and is taken back.
fn through_the_table(doubler: &IDoubler) {
    let mut raw = null_mut();
    let class = &CLSID_StdGlobalInterfaceTable;
    let table = unsafe {
        let hr = CoCreateInstance(class, null_mut(), CLSCTX_INPROC_SERVER, &IGlobalInterfaceTable::IID, &mut raw);
        hr.ok().expect("a system class");
        IGlobalInterfaceTable::from_raw(raw)
    };
    count("global interface table", 100, || unsafe {
        let (mut cookie, mut raw) = (0, null_mut());
        assert_eq!(table.RegisterInterfaceInGlobal(doubler.as_raw(), &IDoubler::IID, &mut cookie), S_OK);
        assert_eq!(table.GetInterfaceFromGlobal(cookie, &IDoubler::IID, &mut raw), S_OK);
        drop(IDoubler::from_raw(raw));
        assert_eq!(table.RevokeInterfaceFromGlobal(cookie), S_OK);
    });
}

/// In the simulator: an object of the MTA is marshaled, unmarshaled in an STA, and the proxy released.
fn packets_of_the_mta() {
    let (asked, stream) = (Hand::new(), Hand::new());
    let (is_asked, to_stream) = (asked.clone(), stream.clone());
    let server = world::spawn("server", move || {
        in_mta(|| {
            let doubler = server::doubler();
            while is_asked.take() != 0 {
                to_stream.give(packet(&doubler));
            }
        });
    });
    unsafe { CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED) }.ok().expect("an STA");
    count("marshal, unmarshal, release", 100, || {
        asked.give(1);
        drop(unpack(stream.take()));
    });
    asked.give(0);
    unsafe { CoUninitialize() };
    server.join().expect("it does not panic");
}
