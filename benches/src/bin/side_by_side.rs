//! Four things that every program with COM does, on whichever backend it has: `ci/side-by-side` runs this natively on the
//! emulation and under Wine on Wine's own COM, and compares.
//!
//! Prints a line for each: its name, and the median of many short batches in nanoseconds. Threads are the standard library's,
//! which the program's backend goes for, and are not pinned.

#![allow(clippy::undocumented_unsafe_blocks, reason = "calls of COM by its rules, as its users make them")]

use oleander::backend;
use oleander::windows_core::{GUID, Interface};
use oleander::*;
use oleander_benches::handing::{memory, to_start};
use oleander_benches::server::{self, IDoubler};
use std::ffi::c_void;
use std::hint::black_box;
use std::ptr::null_mut;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long each is measured, and how long a batch takes at least.
const IN_ALL: Duration = Duration::from_millis(800);
const BATCH: Duration = Duration::from_millis(2);

/// The median time of a round.
fn median_ns(mut round: impl FnMut()) -> f64 {
    let mut rounds = 1_u32;
    let mut batch = |rounds: u32| {
        let began = Instant::now();
        (0..rounds).for_each(|_| round());
        began.elapsed()
    };
    while batch(rounds) < BATCH {
        rounds *= 2;
    }
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < IN_ALL || times.len() < 20 {
        times.push(batch(rounds).as_nanos() as f64 / f64::from(rounds));
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn enter(model: u32) {
    unsafe { CoInitializeEx(null_mut(), model) }.ok().expect("an apartment");
}

/// A stream that one thread hands to another.
struct Packet(*mut c_void);
unsafe impl Send for Packet {}

/// A thread with an object, marshaled for as many clients as want it, until it is told to stop.
struct Server {
    thread: JoinHandle<()>,
    id: u32,
    stop: mpsc::Sender<()>,
}

impl Server {
    fn start(model: u32) -> (Self, IStream) {
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            enter(model);
            let stream = {
                let (object, stream) = (server::doubler(), memory());
                let (raw, local) = (object.as_raw(), MSHCTX_INPROC);
                unsafe {
                    CoMarshalInterface(stream.as_raw(), &IDoubler::IID, raw, local, null_mut(), MSHLFLAGS_TABLESTRONG)
                }
                .ok()
                .expect("a packet");
                stream
            };
            let packet = Packet(stream.clone().into_raw());
            ready.send((unsafe { GetCurrentThreadId() }, packet)).expect("somebody listens");
            if model == COINIT_APARTMENTTHREADED {
                let mut msg = MSG::default();
                while unsafe { GetMessageW(&mut msg, HWND::NULL, 0, 0) }.0 > 0 {
                    unsafe { DispatchMessageW(&msg) };
                }
            } else {
                // Told, or left alone.
                let _ = stopped.recv();
            }
            to_start(&stream);
            unsafe { CoReleaseMarshalData(stream.as_raw()) }.ok().expect("the packet's reference");
            drop(stream);
            unsafe { CoUninitialize() };
        });
        let (id, Packet(raw)) = is_ready.recv().expect("the server starts");
        (Self { thread, id, stop }, unsafe { IStream::from_raw(raw) })
    }

    fn stop(self) {
        // A server without messages is told so, the other one hears nothing of it.
        let _ = self.stop.send(());
        unsafe {
            let _ = PostThreadMessageW(self.id, WM_QUIT, 0, 0);
        }
        self.thread.join().expect("it does not panic");
    }
}

fn unmarshal(stream: &IStream) -> IDoubler {
    let (mut raw, iid): (_, &GUID) = (null_mut(), &IDoubler::IID);
    to_start(stream);
    unsafe {
        CoUnmarshalInterface(stream.as_raw(), iid, &mut raw).ok().expect("a proxy");
        IDoubler::from_raw(raw)
    }
}

/// Runs as a client of one model with a server of another.
fn between(client: u32, server: u32, measure: fn(&IStream) -> f64) -> f64 {
    let (server, stream) = Server::start(server);
    enter(client);
    let ns = measure(&stream);
    drop(stream);
    server.stop();
    unsafe { CoUninitialize() };
    ns
}

fn call(stream: &IStream) -> f64 {
    let proxy = unmarshal(stream);
    median_ns(|| {
        let mut doubled = 0;
        assert_eq!((unsafe { proxy.Double(black_box(21), &mut doubled) }, doubled), (S_OK, 42));
    })
}

fn unmarshal_and_release(stream: &IStream) -> f64 {
    median_ns(|| drop(black_box(unmarshal(stream))))
}

/// Signal, Wait(0), Reset, Wait(0).
fn event_cycle() -> f64 {
    enter(COINIT_MULTITHREADED);
    let event = server::com_event();
    let ns = median_ns(|| unsafe {
        let event = black_box(&event);
        let signalled = (event.Signal(), event.Wait(COWAIT_DEFAULT, 0));
        let reset = (event.Reset(), event.Wait(COWAIT_DEFAULT, 0));
        assert!(signalled == (S_OK, S_OK) && reset == (S_OK, RPC_S_CALLPENDING));
    });
    drop(event);
    unsafe { CoUninitialize() };
    ns
}

fn main() {
    let (sta, mta) = (COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED);
    println!("backend {}", backend::current());
    println!("call_of_an_sta {:.1}", between(mta, sta, call));
    println!("call_of_the_mta_from_an_sta {:.1}", between(sta, mta, call));
    println!("event_cycle {:.1}", event_cycle());
    println!("unmarshal_and_release {:.1}", between(mta, sta, unmarshal_and_release));
}
