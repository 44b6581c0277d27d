//! The sieve of the April 2000 article in the simulated world: the same objects and calls as on host threads, in virtual
//! time. A server that "computes" for hours costs milliseconds.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

mod client;
mod server;

use client::{Notified, async_call, cancelled_call, client_with_window, create_sieve, synchronous_call};
use oleander::*;
use oleander_sim::{Report, explore_with, run, schedule, world};
use server::{HOUR_NS, Honour, Style, serve};
use std::sync::{Arc, Mutex};
use std::time::Instant;

const SECOND_NS: u64 = 1_000_000_000;

/// Runs a scenario, which must complete, and says how long it took in real time.
fn completed(scenario: impl FnOnce()) -> Report {
    let started = Instant::now();
    let report = run(scenario);
    report.expect_completed();
    assert_eq!(report.abandoned, 0);
    println!("{} steps, {} virtual ns, {:?}", report.steps, report.virtual_ns, started.elapsed());
    report
}

/// In an MTA client, with a server of its own apartment.
fn with_mta_client(style: Style, honour: Honour, scenario: impl FnOnce(ISieve)) {
    let server = serve(style, honour, COINIT_APARTMENTTHREADED);
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED).ok().expect("the MTA");
        scenario(create_sieve());
        CoUninitialize();
    }
    server.stop();
    assert_eq!(debug::live_objects(), 0);
}

use server::ISieve;

#[test]
fn an_asynchronous_call_takes_virtual_hours_only() {
    let report = completed(|| {
        with_mta_client(Style::Asynchronous, Honour::Yes, |sieve| {
            let began = world::now_ns();
            assert_eq!(async_call(&sieve, 100), (S_OK, 25));
            assert!(world::now_ns() - began >= HOUR_NS);
        });
    });
    assert!(report.virtual_ns >= HOUR_NS);
}

#[test]
fn a_synchronous_call_to_either_kind_of_server() {
    for style in [Style::Synchronous, Style::Asynchronous] {
        completed(move || {
            with_mta_client(style, Honour::Yes, |sieve| assert_eq!(synchronous_call(&sieve, 1000), (S_OK, 168)));
        });
    }
}

#[test]
fn agg_05_a_notified_client_finishes_in_its_window_procedure() {
    completed(|| {
        let server = serve(Style::Asynchronous, Honour::Yes, COINIT_MULTITHREADED);
        let found = Arc::new(Mutex::new(None));
        let told = found.clone();
        let client = kernel::spawn("client", false, move || *told.lock().unwrap() = Some(client_with_window(100)));
        client.ended.wait(platform::Deadline::NEVER, platform::Why::Wait);
        let Some(Notified { result, primes, own_thread }) = found.lock().unwrap().take() else { panic!("no result") };
        assert_eq!((result, primes), (S_OK, 25));
        assert!(own_thread, "Signal came in the client's own apartment (AGG-09)");
        server.stop();
        assert_eq!(debug::live_objects(), 0);
    });
}

/// Every kind of server.
const SERVERS: [(Style, Honour); 4] = [
    (Style::Asynchronous, Honour::Yes),
    (Style::Asynchronous, Honour::No),
    (Style::Synchronous, Honour::Yes),
    (Style::Synchronous, Honour::No),
];

#[test]
fn pat_04_a_cancel_after_three_virtual_seconds() {
    for (style, honour) in SERVERS {
        let report = completed(move || {
            with_mta_client(style, honour, |sieve| {
                let began = world::now_ns();
                assert_eq!(cancelled_call(&sieve, 3000, 0), (S_OK, RPC_S_CALL_CANCELLED_HR));
                assert_eq!(world::now_ns() - began, 3 * SECOND_NS);
            });
        });
        // A server that does not look goes on to its end (CXL-11); the other stops at its next look.
        assert_eq!(report.virtual_ns >= HOUR_NS, honour == Honour::No, "{honour:?} {style:?}");
    }
}

#[test]
fn cxl_03_a_cancel_that_waits_for_the_server() {
    for (style, honour) in SERVERS {
        completed(move || {
            with_mta_client(style, honour, |sieve| {
                let began = world::now_ns();
                let (cancel, finish) = cancelled_call(&sieve, 0, 3);
                let took = world::now_ns() - began;
                match honour {
                    Honour::Yes => assert_eq!((cancel, finish, took), (RPC_E_CALL_COMPLETE, E_ABORT, SECOND_NS)),
                    Honour::No => assert_eq!((cancel, finish, took), (S_OK, RPC_S_CALL_CANCELLED_HR, 3 * SECOND_NS)),
                }
            });
        });
    }
}

#[test]
fn the_fixed_schedule_gives_the_same_trace_every_time() {
    let hash = || {
        completed(|| {
            with_mta_client(Style::Asynchronous, Honour::Yes, |sieve| assert_eq!(async_call(&sieve, 10).0, S_OK))
        })
        .trace_hash
    };
    assert_eq!(hash(), hash());
}

#[test]
fn the_first_thousand_schedules_of_a_cancelled_call_lose_nothing() {
    let mut dfs = schedule::Dfs::default();
    let limits = oleander_sim::Limits::default();
    let mut left = 1000;
    let mut stop = StopAfter { inner: &mut dfs, left: &mut left };
    let found = explore_with(&mut stop, &limits, || {
        with_mta_client(Style::Asynchronous, Honour::Yes, |sieve| {
            assert_eq!(cancelled_call(&sieve, 0, 0), (S_OK, RPC_S_CALL_CANCELLED_HR));
        });
    });
    assert_eq!(found.failures, 0, "{:?}", found.first_failure);
    assert!(found.schedules >= 1000);
}

/// A schedule that ends the exploration after so many executions.
struct StopAfter<'a> {
    inner: &'a mut schedule::Dfs,
    left: &'a mut u32,
}

impl schedule::Schedule for StopAfter<'_> {
    fn new_execution(&mut self, last: Option<&oleander_sim::trace::Trace>) -> bool {
        if *self.left == 0 {
            return false;
        }
        *self.left -= 1;
        self.inner.new_execution(last)
    }
    fn choose(&mut self, point: &schedule::Point<'_>) -> usize {
        self.inner.choose(point)
    }
    fn choose_n(&mut self, n: usize) -> usize {
        self.inner.choose_n(n)
    }
}
