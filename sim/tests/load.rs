//! Loads: the example's servers against theory, and what is reported when a load goes wrong.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "../examples/load/server.rs"]
mod server;

use oleander::kernel::{self, Event};
use oleander::platform::{Deadline, Why};
use oleander::{S_OK, debug};
use oleander_sim::load::{Load, LoadReport, Times, plot};
use oleander_sim::{End, world};
use server::{Style, with_server};
use std::time::Duration;

const THREADS: u32 = 4;
const COMPUTE_US: u32 = 100;
const WAIT_US: u32 = 1_900;

/// Each client makes one call, all at the same time.
fn burst(style: Style, clients: usize, wait_us: u32) -> LoadReport {
    let report = Load::new().run(|site| {
        with_server(site, style, THREADS, |work| {
            site.clients(clients, |client| {
                let work = &work;
                async move {
                    let done = client.call(server::call(work, COMPUTE_US, wait_us)).await;
                    assert_eq!(done, (S_OK, COMPUTE_US + wait_us));
                }
            });
        });
        assert_eq!(debug::live_objects(), 0);
    });
    report.expect_completed();
    assert_eq!((report.latencies.count(), report.abandoned), (clients as u64, 0));
    report
}

fn us(us: u64) -> u64 {
    us * 1000
}

#[test]
fn a_synchronous_server_holds_a_thread_for_all_of_a_call() {
    let report = burst(Style::Synchronous, 1_000, WAIT_US);
    // A quarter of the calls on each thread, one after the other.
    assert_eq!(report.virtual_ns, us(250 * u64::from(COMPUTE_US + WAIT_US)));
    assert_eq!(report.in_flight_max, 1_000);
}

#[test]
fn an_asynchronous_server_holds_a_thread_only_while_it_computes() {
    let report = burst(Style::Asynchronous, 1_000, WAIT_US);
    assert_eq!(report.virtual_ns, us(250 * u64::from(COMPUTE_US) + u64::from(WAIT_US)));
    // More calls than threads were under way, and no thread waited for one of them.
    assert!(report.threads_max < 20, "{}", report.threads_max);
    assert_eq!(report.gauges, ["queued"]);
    let most = report.samples.iter().map(|sample| sample.gauges[0]).max();
    assert!(most.is_some_and(|most| most > 500), "{most:?}");
}

#[test]
fn without_a_device_the_two_are_equally_fast() {
    let [one, other] = [Style::Synchronous, Style::Asynchronous].map(|style| burst(style, 400, 0).virtual_ns);
    assert_eq!((one, other), (us(100 * u64::from(COMPUTE_US)), us(100 * u64::from(COMPUTE_US))));
}

#[test]
fn the_cost_grows_linearly_with_the_calls() {
    for style in [Style::Synchronous, Style::Asynchronous] {
        let [few, many] = [1_000, 8_000].map(|clients| burst(style, clients, WAIT_US).switches);
        assert!(many < few * 8 * 11 / 10, "{style:?}: {few} switches, then {many}");
    }
}

/// Clients that think, call and think again.
fn thinking(seed: u64) -> LoadReport {
    Load::new().seed(seed).sample_every(Duration::from_millis(1)).run(|site| {
        with_server(site, Style::Asynchronous, THREADS, |work| {
            site.clients(100, |client| {
                let work = &work;
                async move {
                    for _ in 0..5 {
                        client.sleep(client.draw(&Times::Exponential(Duration::from_millis(10)))).await;
                        assert_eq!(client.call(server::call(work, COMPUTE_US, WAIT_US)).await.0, S_OK);
                    }
                }
            });
        });
    })
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let [one, same, other] = [1, 1, 2].map(thinking);
    assert_eq!(one.samples, same.samples);
    assert_eq!((one.switches, one.virtual_ns), (same.switches, same.virtual_ns));
    assert_ne!(one.virtual_ns, other.virtual_ns);
    assert_eq!((one.latencies.count(), one.end), (500, End::Completed));
}

#[test]
fn samples_become_csv_and_a_plot() {
    let report = thinking(1);
    let csv = report.to_csv();
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[0], "time_s,completed,throughput_per_s,in_flight,queued");
    assert_eq!(lines.len(), report.samples.len() + 1);
    assert!(lines.iter().all(|line| line.split(',').count() == 5));
    assert!(lines[lines.len() - 1].contains(",500,"), "{}", lines[lines.len() - 1]);
    let svg = plot(&[("one & only", &report)]);
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg:.80}");
    assert!(svg.contains("one &amp; only") && !svg.contains("one & only"), "names are escaped");
    assert!(svg.matches("<polyline").count() >= 4, "a curve for each measure");
}

#[test]
fn the_report_says_calls_times_threads_and_gauges() {
    let report = burst(Style::Synchronous, 40, WAIT_US);
    assert_eq!(
        report.to_string(),
        "40 calls in 20.000ms of virtual time: 2000 calls/s; completed\n\
         latency: 50 % 10.002ms, 90 % 18.006ms, 99 % 20.000ms, 99.9 % 20.000ms, longest 20.000ms\n\
         at most 40 calls under way, on 46 threads"
    );
    let report = burst(Style::Asynchronous, 40, WAIT_US);
    assert_eq!(
        report.to_string(),
        "40 calls in 2.900ms of virtual time: 13793 calls/s; completed\n\
         latency: 50 % 2.400ms, 90 % 2.802ms, 99 % 2.900ms, 99.9 % 2.900ms, longest 2.900ms\n\
         at most 40 calls under way, on 11 threads; queued: at most 36"
    );
}

#[test]
fn a_panic_ends_the_load_and_names_the_thread() {
    let report = Load::new().run(|_| {
        let thread = kernel::spawn("culprit", false, || panic!("by design"));
        thread.ended.wait(Deadline::NEVER, Why::Wait);
    });
    assert_eq!(report.end, End::Panicked { thread: "culprit".to_owned(), message: "by design".to_owned() });
}

#[test]
fn nobody_left_to_run_is_a_deadlock() {
    let report = Load::new().run(|_| {
        Event::manual().wait(Deadline::NEVER, Why::Wait);
    });
    let End::Deadlock { blocked, .. } = &report.end else { panic!("{report}") };
    assert_eq!(blocked.iter().map(|thread| &*thread.thread).collect::<Vec<_>>(), ["main"]);
    assert_eq!(report.abandoned, 1);
}

#[test]
fn the_limit_ends_a_load_that_goes_on_for_ever() {
    let report = Load::new().limit(Duration::from_secs(1)).run(|_| {
        loop {
            world::sleep(Duration::from_millis(300));
        }
    });
    assert!(matches!(report.end, End::Deadlock { .. }), "{report}");
    assert_eq!(report.virtual_ns, 900_000_000);
}

#[test]
fn a_thread_that_sleeps_for_no_time_lets_others_run() {
    let report = Load::new().run(|_| {
        let event = Event::manual();
        let theirs = event.clone();
        let thread = kernel::spawn("setter", false, move || theirs.set());
        while !event.wait(Deadline::NOW, Why::Wait) {
            world::sleep(Duration::ZERO);
        }
        thread.ended.wait(Deadline::NEVER, Why::Wait);
    });
    report.expect_completed();
}

#[test]
fn threads_that_go_round_in_circles_are_found() {
    let report = Load::new().run(|_| {
        loop {
            world::sleep(Duration::ZERO);
        }
    });
    assert_eq!(report.end, End::StepLimit { circling: Vec::new() });
}

#[test]
fn loads_do_not_nest() {
    let report = Load::new().run(|_| {
        let _ = Load::new().run(|_| {});
    });
    let End::Panicked { message, .. } = &report.end else { panic!("{report}") };
    assert!(message.contains("do not nest"), "{message}");
}
