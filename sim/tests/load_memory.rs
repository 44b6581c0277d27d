//! A hundred thousand clients at once take less than a GiB: of the whole process, with the stacks of its threads.

#![cfg(target_os = "linux")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "../examples/load/server.rs"]
mod server;

use oleander::{S_OK, debug};
use oleander_sim::load::Load;
use server::{Style, with_server};

const CLIENTS: usize = 100_000;
const KIB_MAX: u64 = 1 << 20;
const THREADS: u32 = 8;
const COMPUTE_US: u32 = 50;
const WAIT_US: u32 = 2_000;

/// The most memory that the process has had at once, in KiB, as the kernel counts it.
fn resident_kib_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the most that was resident");
    line.trim().strip_suffix(" kB").expect("in KiB").parse().expect("a number")
}

#[test]
fn a_hundred_thousand_clients_take_less_than_a_gib() {
    for style in [Style::Asynchronous, Style::Synchronous] {
        let before = resident_kib_max();
        let report = Load::new().run(|site| {
            with_server(site, style, THREADS, |work| {
                site.clients(CLIENTS, |client| {
                    let work = &work;
                    async move {
                        let done = client.call(server::call(work, COMPUTE_US, WAIT_US)).await;
                        assert_eq!(done, (S_OK, COMPUTE_US + WAIT_US));
                    }
                });
            });
            assert_eq!(debug::live_objects(), 0);
        });
        report.expect_completed();
        // All of them call at the same time: each has its call object and its parameters then.
        assert_eq!((report.latencies.count(), report.in_flight_max), (CLIENTS as u64, CLIENTS as u64), "{style:?}");
        let after = resident_kib_max();
        println!("{style:?}: {before} KiB before, at most {after} KiB; {report}");
        assert!(after < KIB_MAX, "{style:?}: {after} KiB for {CLIENTS} clients");
    }
}
