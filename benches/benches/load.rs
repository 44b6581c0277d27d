//! The real time of a simulated load with more and more calls; criterion's throughput is in calls, and stays where it is: the
//! cost grows as the number of calls does. The servers are those of the simulator's example.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "../../sim/examples/load/server.rs"]
mod server;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oleander::S_OK;
use oleander_benches::pin;
use oleander_sim::load::{Load, Times};
use server::Style;
use std::time::Duration;

const THREADS: u32 = 8;
const COMPUTE_US: u32 = 50;
const WAIT_US: u32 = 2_000;
/// Clients, with one call each.
const CLIENTS: [usize; 4] = [1_000, 4_000, 16_000, 64_000];

fn run(style: Style, clients: usize) {
    let think = Times::Exponential(Duration::from_secs(1));
    let report = Load::new().seed(1).run(|site| {
        server::with_server(site, style, THREADS, |work| {
            site.clients(clients, |client| {
                let (work, think) = (&work, &think);
                async move {
                    client.sleep(client.draw(think)).await;
                    let done = client.call(server::call(work, COMPUTE_US, WAIT_US)).await;
                    assert_eq!(done, (S_OK, COMPUTE_US + WAIT_US));
                }
            });
        });
    });
    assert_eq!(report.expect_completed().latencies.count(), clients as u64);
}

fn load(c: &mut Criterion) {
    pin::pin_to(0);
    let mut group = c.benchmark_group("load");
    group.sample_size(10);
    for (name, style) in [("synchronous", Style::Synchronous), ("asynchronous", Style::Asynchronous)] {
        for clients in CLIENTS {
            group.throughput(Throughput::Elements(clients as u64));
            group.bench_function(format!("{name}/{clients}"), |b| b.iter(|| run(style, clients)));
        }
    }
    group.finish();
}

criterion_group!(benches, load);
criterion_main!(benches);
