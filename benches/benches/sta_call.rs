//! One synchronous call from the MTA to an object in an STA, and back; beside a deque and `park`, and with the feature `peers`
//! beside a channel of crossbeam's.

use criterion::{Criterion, criterion_group, criterion_main};
#[cfg(feature = "peers")]
use oleander_benches::peers::ChannelAndPark;
use oleander_benches::{PLACES, StaServer, in_mta, peers::DequeAndPark};
use std::hint::black_box;

fn sta_call(c: &mut Criterion) {
    for place in PLACES {
        let mut group = c.benchmark_group(format!("sta_call/{}", place.name()));
        place.pin_client();
        in_mta(|| {
            let server = StaServer::start(place);
            group.bench_function("IDoubler", |b| b.iter(|| assert_eq!(server.double(black_box(21)), 42)));
            server.stop();
        });
        let peer = DequeAndPark::start(place);
        group.bench_function("peer/deque_and_park", |b| b.iter(|| assert_eq!(peer.double(black_box(21)), 42)));
        peer.stop();
        #[cfg(feature = "peers")]
        {
            let peer = ChannelAndPark::start(place);
            group.bench_function("peer/channel_and_park", |b| b.iter(|| assert_eq!(peer.double(black_box(21)), 42)));
            peer.stop();
        }
        group.finish();
    }
}

criterion_group!(benches, sta_call);
criterion_main!(benches);
