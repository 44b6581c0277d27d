//! What the simulator explores in the benchmarks, and how.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use crate::sieve::{AsyncISieve, ISieve, sieve};
use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::Interface;
use oleander::*;
use oleander_sim::schedule::Dfs;
use oleander_sim::steps::{Program, Step, Then};
use oleander_sim::{Builder, Limits, Strategy, explore_with, world};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

fn limits() -> Limits {
    Limits { count_traces: false, ..Limits::default() }
}

/// Every schedule by plain search, as the peers do, each run once; how many there are.
pub fn search(scenario: impl Fn()) -> u64 {
    let found = explore_with(&mut Dfs::default(), &limits(), scenario);
    assert!(found.failures == 0 && found.complete, "{found}");
    found.schedules
}

/// A check as tests do it, by one worker: its first execution is run twice, and counted once.
pub fn check(strategy: Strategy, executions_max: u64, scenario: impl Fn() + Sync) -> u64 {
    let checked = Builder::new().strategy(strategy).workers(1).executions_max(executions_max).run(scenario);
    assert!(checked.failure.is_none(), "{checked}");
    checked.executions + checked.redundant
}

/// One thread sets an event for which another waits.
pub fn setter_and_waiter() {
    let event = Event::manual();
    let set = event.clone();
    let setter = world::spawn("setter", move || set.set());
    assert!(event.wait(Deadline::NEVER, Why::Wait));
    setter.join().expect("it does not panic");
}

/// Posts of clients to an STA's queue, and its answers.
pub fn clients_on_one_sta(clients: usize) {
    let queue = kernel::queue();
    let events: Arc<[_]> = (0..clients).map(|_| Event::manual()).collect();
    let threads: Vec<_> = (0..clients)
        .map(|i| {
            let (queue, events) = (queue.clone(), events.clone());
            world::spawn("client", move || {
                let message = kernel::message(Default::default(), WM_USER, i, 0);
                queue.post(message).expect("there is room");
                assert!(events[i].wait(Deadline::NEVER, Why::Wait));
            })
        })
        .collect();
    for _ in 0..clients {
        let message = queue.next_message(&kernel::Filter::ALL, true, Deadline::NEVER).expect("it waits for ever");
        events[message.wParam].set();
    }
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
}

/// The calibration's reorder(4,1), a step program: every one of its 400,960 schedules.
pub fn reorder() -> u64 {
    let mut program = Program::new([0_i32; 2]);
    for i in 0..4 {
        let set = |index: usize, value: i32| {
            Step::new(move |s: &mut [i32; 2]| {
                s[index] = value;
                Then::Next
            })
            .writes(index as u64)
        };
        program.thread(&format!("setter {i}"), [set(0, 1), set(1, -1)]);
    }
    let bug_if = |bug: bool| if bug { Then::Bug("reordered") } else { Then::Next };
    program.thread(
        "checker",
        [
            Step::new(|s: &mut [i32; 2]| if s[0] == 0 { Then::Next } else { Then::Skip(1) }).reads(0),
            Step::new(|s: &mut [i32; 2]| if s[1] == 0 { Then::End } else { Then::Next }).reads(1),
            Step::new(move |s: &mut [i32; 2]| bug_if(s[0] != 1)).reads(0),
            Step::new(move |s: &mut [i32; 2]| bug_if(s[1] != -1)).reads(1),
        ],
    );
    let found = program.explore_with(&mut Dfs::default(), &limits(), &mut |_, _| {});
    assert_eq!(found.schedules, 400_960);
    found.schedules
}

/// An asynchronous call of the sieve, from the MTA into an STA: objects, apartments, proxies and stubs included.
pub fn sieve_call() {
    let (ready, packet) = (Event::manual(), Arc::new(Mutex::new((0, 0))));
    let (is_ready, put) = (ready.clone(), packet.clone());
    let server = world::spawn("server", move || unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
        let mut stream = std::ptr::null_mut();
        {
            let object = sieve();
            CoMarshalInterThreadInterfaceInStream(&ISieve::IID, object.as_raw(), &mut stream).ok().expect("a packet");
        }
        *put.lock().unwrap() = (GetCurrentThreadId(), stream as usize);
        is_ready.set();
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        CoUninitialize();
    });
    ready.wait(Deadline::NEVER, Why::Wait);
    unsafe {
        let (thread, stream) = *packet.lock().unwrap();
        CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED).ok().expect("the MTA");
        let (mut raw, mut call) = (std::ptr::null_mut(), std::ptr::null_mut());
        CoGetInterfaceAndReleaseStream(stream as *mut c_void, &ICallFactory::IID, &mut raw).ok().expect("a proxy");
        let factory = ICallFactory::from_raw(raw);
        let hr = factory.CreateCall(&AsyncISieve::IID, std::ptr::null_mut(), &AsyncISieve::IID, &mut call);
        hr.ok().expect("a call object");
        let call = AsyncISieve::from_raw(call);
        assert_eq!(call.Begin_CountPrimes(100), S_OK);
        let mut primes = 0;
        assert_eq!((call.Finish_CountPrimes(&mut primes), primes), (S_OK, 25));
        drop((call, factory));
        PostThreadMessageW(thread, WM_QUIT, 0, 0).ok().expect("the server lives");
        CoUninitialize();
    }
    server.join().expect("it does not panic");
}
