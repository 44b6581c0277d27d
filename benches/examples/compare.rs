//! Ours beside the hand-written peers in short batches that take turns, for machines that are not idle.
//!
//! `cargo run --release -p oleander-benches --example compare`
//!
//! Whatever else runs disturbs both alike, and most batches not at all, so the quantiles of many batches stay apart where
//! the means of two long runs say nothing. Compare like with like: medians with medians. All times are nanoseconds a call;
//! an event's is a cycle of Signal, Wait(0), Reset, Wait(0).

use oleander::{COWAIT_DEFAULT, ISynchronize, RPC_S_CALLPENDING, S_OK};
use oleander_benches::peers::{DequeAndPark, ThreeState};
use oleander_benches::{AsyncIDoubler, PLACES, Place, StaServer, in_mta, server};
use std::hint::black_box;
use std::time::Instant;

/// The times of one contestant, a batch each.
struct Times {
    name: &'static str,
    ns: Vec<f64>,
}

impl Times {
    fn new(name: &'static str) -> Self {
        Self { name, ns: Vec::new() }
    }

    /// Times `rounds` rounds of so many calls each.
    fn batch(&mut self, rounds: u32, calls: u32, mut round: impl FnMut()) {
        let started = Instant::now();
        (0..rounds).for_each(|_| round());
        self.ns.push(started.elapsed().as_nanos() as f64 / f64::from(rounds * calls));
    }

    fn print(mut self, place: &str) {
        self.ns.sort_by(f64::total_cmp);
        let at = |part: f64| self.ns[((self.ns.len() - 1) as f64 * part) as usize];
        let name = self.name;
        println!("{place:9} {name:15} p10 {:9.1}   p50 {:9.1}   p90 {:9.1}", at(0.1), at(0.5), at(0.9));
    }
}

fn begin_finish(calls: &[AsyncIDoubler]) {
    // SAFETY: live interfaces; each result has a place.
    unsafe {
        for call in calls {
            assert_eq!(call.Begin_Double(21), S_OK);
        }
        for call in calls {
            let mut doubled = 0;
            assert_eq!((call.Finish_Double(&mut doubled), doubled), (S_OK, 42));
        }
    }
}

fn calls(place: Place) {
    place.pin_client();
    let (batches, rounds) = if place == Place::OneCpu { (1500, 100) } else { (300, 30) };
    let (peer, server) = (DequeAndPark::start(place), StaServer::start(place));
    let objects: Vec<_> = (0..64).map(|_| server.call()).collect();
    let mut peers = Times::new("deque and park");
    let mut synchronous = Times::new("call");
    let (mut one, mut many) = (Times::new("begin/finish 1"), Times::new("begin/finish 64"));
    for _ in 0..batches {
        peers.batch(rounds, 1, || assert_eq!(peer.double(21), 42));
        synchronous.batch(rounds, 1, || assert_eq!(server.double(21), 42));
        one.batch(rounds, 1, || begin_finish(&objects[..1]));
        many.batch(1, 64, || begin_finish(&objects));
    }
    for times in [peers, synchronous, one, many] {
        times.print(place.name());
    }
    drop(objects);
    peer.stop();
    server.stop();
}

fn cycle(event: &ISynchronize) {
    // SAFETY: a live interface.
    let set = unsafe { (event.Signal(), event.Wait(COWAIT_DEFAULT, 0)) };
    // SAFETY: as above.
    let reset = unsafe { (event.Reset(), event.Wait(COWAIT_DEFAULT, 0)) };
    assert!(set == (S_OK, S_OK) && reset == (S_OK, RPC_S_CALLPENDING));
}

fn events() {
    let (event, peer) = (server::com_event(), ThreeState::default());
    let (mut ours, mut peers) = (Times::new("ISynchronize"), Times::new("three states"));
    for _ in 0..1000 {
        ours.batch(2000, 1, || cycle(black_box(&event)));
        peers.batch(2000, 1, || {
            let peer = black_box(&peer);
            peer.set();
            black_box(peer.is_set());
            peer.reset();
            black_box(peer.is_set());
        });
    }
    peers.print("event");
    ours.print("event");
}

fn main() {
    in_mta(|| {
        PLACES.into_iter().for_each(calls);
        events();
    });
}
