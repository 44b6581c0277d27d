//! How fast the simulator explores. `bash ci/compare-explorers` runs it beside loom and shuttle, pinned, and prints ratios.
//!
//! The two scenarios that are written for all three: a thread sets an event for which another waits; two clients post to
//! the message queue of an STA and wait for an event each. The others have no peer: the step program reorder(4,1) under
//! plain search; STAs with more clients, to completeness; a whole call through proxy and stub.
//!
//! Each line: a name, executions, seconds, executions a second.
//!
//! `explore event --executions 10000` runs one scenario for so many executions: under callgrind, what differs between two
//! such numbers is what executions cost, without what the first ones set up.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::Interface;
use oleander::*;
use oleander_benches::{AsyncIDoubler, IDoubler, server};
use oleander_sim::schedule::Dfs;
use oleander_sim::steps::{Program, Step, Then};
use oleander_sim::{Builder, Limits, Strategy, explore_with, world};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Enough executions for all that there are.
const EVERY: u64 = 1_000_000;

fn report(name: &str, executions: u64, took: Duration) {
    let rate = executions as f64 / took.as_secs_f64();
    println!("{name:24} {executions:9} executions {:8.3} s {rate:12.0} /s", took.as_secs_f64());
}

/// How many executions `--executions` asks for: the same work in each run, for counts of instructions.
fn executions_wanted() -> Option<u64> {
    let given = std::env::args().skip_while(|argument| argument != "--executions").nth(1)?;
    Some(given.parse().expect("a number of executions"))
}

/// Explores every schedule again and again, as the peers do: by plain search, and each execution is run once.
fn search_rate(name: &str, scenario: impl Fn()) {
    let limits = Limits { count_traces: false, ..Limits::default() };
    measure(name, || {
        let found = explore_with(&mut Dfs::default(), &limits, &scenario);
        assert!(found.failures == 0, "{found}");
        found.schedules
    });
}

/// Checks to completeness again and again: the first execution of each check is run twice, and counted once.
fn check_rate(name: &str, strategy: Strategy, executions_max: u64, scenario: impl Fn() + Sync) {
    let builder = Builder::new().strategy(strategy).workers(1).executions_max(executions_max);
    measure(name, || {
        let checked = builder.run(&scenario);
        assert!(checked.failure.is_none(), "{checked}");
        checked.executions + checked.redundant
    });
}

/// Explores again and again: for about a second, or for at least so many executions.
fn measure(name: &str, explore: impl Fn() -> u64) {
    let (began, mut executions) = (Instant::now(), 0);
    let at_least = executions_wanted();
    while at_least.map_or_else(|| began.elapsed() < Duration::from_secs(1), |wanted| executions < wanted) {
        executions += explore();
    }
    report(name, executions, began.elapsed());
}

fn setter_and_waiter() {
    let event = Event::manual();
    let set = event.clone();
    let setter = world::spawn("setter", move || set.set());
    assert!(event.wait(Deadline::NEVER, Why::Wait));
    setter.join().expect("it does not panic");
}

/// Posts of clients to an STA's queue, and its answers.
fn clients_on_one_sta(clients: usize) {
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

/// The calibration's reorder(4,1): every one of its 400,960 schedules.
fn reorder() {
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
    let began = Instant::now();
    let limits = Limits { count_traces: false, ..Limits::default() };
    let found = program.explore_with(&mut Dfs::default(), &limits, &mut |_, _| {});
    assert_eq!(found.schedules, 400_960);
    report("reorder(4,1), all", found.schedules, began.elapsed());
}

/// An asynchronous call from the MTA into an STA, objects and apartments included.
fn asynchronous_call() {
    let (ready, packet) = (Event::manual(), Arc::new(Mutex::new((0, 0))));
    let (is_ready, put) = (ready.clone(), packet.clone());
    let server = world::spawn("server", move || unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
        let mut stream = std::ptr::null_mut();
        {
            let object = server::doubler();
            CoMarshalInterThreadInterfaceInStream(&IDoubler::IID, object.as_raw(), &mut stream).ok().expect("a packet");
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
        let hr = factory.CreateCall(&AsyncIDoubler::IID, std::ptr::null_mut(), &AsyncIDoubler::IID, &mut call);
        hr.ok().expect("a call object");
        let call = AsyncIDoubler::from_raw(call);
        assert_eq!(call.Begin_Double(21), S_OK);
        let mut doubled = 0;
        assert_eq!((call.Finish_Double(&mut doubled), doubled), (S_OK, 42));
        drop((call, factory));
        PostThreadMessageW(thread, WM_QUIT, 0, 0).ok().expect("the server lives");
        CoUninitialize();
    }
    server.join().expect("it does not panic");
}

fn main() {
    // One name runs that line alone, for a profile.
    let only = std::env::args().nth(1).filter(|name| !name.starts_with("--"));
    let wanted = |name: &str| only.as_ref().is_none_or(|only| name.starts_with(&**only));
    if wanted("event") {
        search_rate("event", setter_and_waiter);
    }
    if wanted("check") {
        check_rate("check of event", Strategy::Exhaustive, EVERY, setter_and_waiter);
        check_rate("check of STA, 2 clients", Strategy::Exhaustive, EVERY, || clients_on_one_sta(2));
    }
    if wanted("STA") {
        search_rate("STA, 2 clients", || clients_on_one_sta(2));
    }
    if wanted("complete") {
        complete();
    }
    if wanted("reorder") {
        reorder();
    }
    if wanted("call") {
        check_rate("call, random schedules", Strategy::Random, 1000, asynchronous_call);
    }
    if wanted("full") {
        check_rate("full check of a call", Strategy::Exhaustive, EVERY, asynchronous_call);
    }
}

/// How many executions a search of one STA with its clients takes.
fn complete() {
    for clients in 2..=5 {
        let checked = Builder::new().workers(1).run(|| clients_on_one_sta(clients));
        assert!(checked.failure.is_none() && checked.complete, "{checked}");
        println!(
            "STA, {clients} clients, complete: {} executions, {} redundant",
            checked.executions, checked.redundant
        );
    }
}
