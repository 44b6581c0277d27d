//! What the table shows (`bash ci/speed`), measured with criterion: a group for each operation and placement, and in it ours
//! and the peers, those of other crates with the feature `peers`. Times are those of a round; the throughput is in operations.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oleander_benches::{Place, operations};
use std::time::{Duration, Instant};

fn measure(c: &mut Criterion) {
    for row in operations::all() {
        row.run(|contest| {
            let place = contest.place.map_or("one_thread", Place::name);
            let mut group = c.benchmark_group(format!("{}/{place}", contest.what));
            group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
            for contestant in std::iter::once(&mut contest.ours).chain(&mut contest.peers) {
                group.throughput(Throughput::Elements(contestant.operations.into()));
                group.bench_function(contestant.name, |b| {
                    b.iter_custom(|rounds| {
                        let began = Instant::now();
                        (contestant.run)(rounds);
                        began.elapsed()
                    });
                });
            }
            group.finish();
        });
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
