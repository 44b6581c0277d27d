//! Asynchronous calls from the MTA to an object in an STA: so many `Begin_`, then as many `Finish_`, on call objects that
//! are used again. An operation is a call.

use super::{Contest, Contestant, Row, Target};
use crate::{AsyncIDoubler, PLACES, Place, Server};
use oleander::S_OK;
use std::hint::black_box;

/// How many calls are in flight.
const FLIGHTS: [u32; 4] = [1, 8, 64, 1024];

pub(super) fn rows() -> impl Iterator<Item = Row> {
    PLACES.into_iter().flat_map(|place| FLIGHTS.map(|flight| Row::in_mta(move || contest(place, flight))))
}

fn contest(place: Place, flight: u32) -> Contest {
    place.pin_client();
    let peers = vec![
        #[cfg(feature = "peers")]
        crate::peers::channels::crossbeam_flight(place, flight),
        #[cfg(feature = "peers")]
        crate::peers::channels::tokio_flight(place, flight),
    ];
    let targets = match flight {
        64 => vec![Target::Under(900.0)],
        1024 => vec![Target::Falling],
        _ => Vec::new(),
    };
    let what = format!("Begin_ and Finish_, {flight} in flight");
    Contest { what, place: Some(place), ours: ours(place, flight), peers, targets }
}

fn ours(place: Place, flight: u32) -> Contestant {
    let server = Server::sta(place);
    let calls: Vec<_> = (0..flight).map(|_| server.call()).collect();
    Contestant::new("oleander", flight, move || {
        let _ = &server;
        begin_and_finish(&calls);
    })
}

/// On every call object.
pub(super) fn begin_and_finish(calls: &[AsyncIDoubler]) {
    for call in calls {
        // SAFETY: a live interface.
        assert_eq!(unsafe { call.Begin_Double(black_box(21)) }, S_OK);
    }
    for call in calls {
        let mut doubled = 0;
        // SAFETY: the result has a place.
        assert_eq!((unsafe { call.Finish_Double(&mut doubled) }, doubled), (S_OK, 42));
    }
}
