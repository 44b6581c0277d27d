//! Asynchronous calls from the MTA to an object in an STA: so many `Begin_`, then as many `Finish_`, on call objects that
//! are used again. The time is that of one round; criterion's throughput is in calls.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use oleander::S_OK;
use oleander_benches::{AsyncIDoubler, PLACES, StaServer, in_mta};
use std::hint::black_box;

fn round(calls: &[AsyncIDoubler]) {
    // SAFETY: live interfaces; each result has a place.
    unsafe {
        for call in calls {
            assert_eq!(call.Begin_Double(black_box(21)), S_OK);
        }
        for call in calls {
            let mut doubled = 0;
            assert_eq!((call.Finish_Double(&mut doubled), doubled), (S_OK, 42));
        }
    }
}

fn begin_finish(c: &mut Criterion) {
    for place in PLACES {
        let mut group = c.benchmark_group(format!("begin_finish/{}", place.name()));
        place.pin_client();
        in_mta(|| {
            let server = StaServer::start(place);
            for in_flight in [1, 64] {
                let calls: Vec<_> = (0..in_flight).map(|_| server.call()).collect();
                group.throughput(Throughput::Elements(in_flight));
                group.bench_function(in_flight.to_string(), |b| b.iter(|| round(&calls)));
            }
            server.stop();
        });
        group.finish();
    }
}

criterion_group!(benches, begin_finish);
criterion_main!(benches);
