//! A call from an STA to an object in the MTA, which serves on threads of a pool; and the same with a server that leaves the
//! work to another pool, asynchronously. An operation is a call.

use super::{Contest, Contestant, Row, Target};
use crate::{Place, Server, pooled, server};
use oleander::{COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED};
use std::hint::black_box;

/// Pools place their threads themselves, so there is no row with a CPU for each.
const POOL_PLACES: [Place; 2] = [Place::OneCpu, Place::Free];

pub(super) fn rows() -> impl Iterator<Item = Row> {
    POOL_PLACES.into_iter().flat_map(|place| {
        [false, true].map(|pooled| Row::new(COINIT_APARTMENTTHREADED, move || contest(place, pooled)))
    })
}

fn contest(place: Place, pooled: bool) -> Contest {
    place.pin_client();
    let (what, make) = if pooled {
        ("synchronous call STA → MTA, served asynchronously with a pool", pooled::doubler as fn() -> _)
    } else {
        ("synchronous call STA → MTA pool", server::doubler as fn() -> _)
    };
    let server = Server::start(place, COINIT_MULTITHREADED, make);
    let ours = Contestant::new("oleander", 1, move || assert_eq!(server.double(black_box(21)), 42));
    let peers = vec![
        spawn(),
        #[cfg(feature = "peers")]
        crate::peers::actors::rayon(place),
    ];
    let targets = vec![Target::Times(0.2, "thread::spawn"), Target::Times(1.3, "rayon")];
    Contest { what: what.into(), place: Some(place), ours, peers, targets }
}

/// A thread for each call.
fn spawn() -> Contestant {
    Contestant::new("thread::spawn", 1, || {
        let number = black_box(21);
        assert_eq!(std::thread::spawn(move || number * 2).join().expect("it does not panic"), 42);
    })
}
