//! How fast the simulator explores; criterion's throughput is in executions. `bash ci/compare-explorers` runs this beside
//! loom and shuttle (`explore_loom`, `explore_shuttle`), which have the first two scenarios, and prints ratios.
//!
//! An execution counts from an empty world to all objects freed.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oleander_benches::pin;
use oleander_benches::scenarios::{check, clients_on_one_sta, reorder, search, setter_and_waiter, sieve_call};
use oleander_sim::Strategy;
use std::time::Duration;

/// No limit.
const EVERY: u64 = u64::MAX;

fn explore(c: &mut Criterion) {
    pin::pin_to(0);
    let mut group = c.benchmark_group("explore");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    let mut rate = |name: &str, explore: &dyn Fn() -> u64| {
        group.throughput(Throughput::Elements(explore()));
        group.bench_function(name, |b| b.iter(explore));
    };
    rate("event/oleander", &|| search(setter_and_waiter));
    rate("sta/oleander", &|| search(|| clients_on_one_sta(2)));
    rate("check of event", &|| check(Strategy::Exhaustive, EVERY, setter_and_waiter));
    rate("check of sta", &|| check(Strategy::Exhaustive, EVERY, || clients_on_one_sta(2)));
    rate("sieve call", &|| check(Strategy::Random, 1_000, sieve_call));
    rate("check of sieve call", &|| check(Strategy::Exhaustive, EVERY, sieve_call));
    group.sample_size(10).measurement_time(Duration::from_secs(5)).throughput(Throughput::Elements(400_960));
    group.bench_function("reorder(4,1)", |b| b.iter(reorder));
    group.finish();
}

criterion_group!(benches, explore);
criterion_main!(benches);
