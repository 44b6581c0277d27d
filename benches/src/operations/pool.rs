//! A call from an STA to an object in the MTA, which serves on threads of a pool; and the same with a server that leaves the
//! work to another pool, asynchronously. An operation is a call.

use super::{Contest, Contestant, Row, Target};
use crate::{PLACES, Place, Server, pooled, server};
use oleander::{COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED};
use std::hint::black_box;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    PLACES.into_iter().chain([Place::Free]).flat_map(|place| {
        [false, true].map(|pooled| Row::new(COINIT_APARTMENTTHREADED, move || contest(place, pooled)))
    })
}

fn contest(place: Place, pooled: bool) -> Contest {
    let (what, make) = if pooled {
        ("synchronous call STA → MTA, served asynchronously with a pool", pooled::doubler as fn() -> _)
    } else {
        ("synchronous call STA → MTA pool", server::doubler as fn() -> _)
    };
    let server = Server::start(place, COINIT_MULTITHREADED, make);
    // Pools start their threads at a call, and these may run where the thread may that calls.
    place.pin_server();
    assert_eq!(server.double(21), 42);
    place.pin_client();
    let ours = Contestant::new("oleander", 1, move || assert_eq!(server.double(black_box(21)), 42));
    let peers = vec![
        spawn(place),
        #[cfg(feature = "peers")]
        crate::peers::actors::rayon(place),
    ];
    let targets = vec![Target::Times(0.2, "thread::spawn"), Target::Times(1.3, "rayon")];
    Contest { what: what.into(), place: Some(place), ours, peers, targets }
}

/// A thread for each call, which may run where its caller may unless it is pinned elsewhere.
fn spawn(place: Place) -> Contestant {
    Contestant::new("thread::spawn", 1, move || {
        let number = black_box(21);
        let thread = std::thread::spawn(move || {
            if place == Place::CpuEach {
                place.pin_server();
            }
            number * 2
        });
        assert_eq!(thread.join().expect("it does not panic"), 42);
    })
}
