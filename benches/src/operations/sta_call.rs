//! A synchronous call from the MTA to an object in an STA and back, of two parameters. An operation is a call.

use super::{Contest, Contestant, Row, Target};
use crate::peers::by_hand::DequeAndPark;
use crate::{Place, Server};
use std::hint::black_box;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    Row::placed(contest)
}

fn contest(place: Place) -> Contest {
    place.pin_client();
    let peers = vec![
        by_hand(place),
        #[cfg(feature = "peers")]
        crate::peers::channels::crossbeam_call(place),
        #[cfg(feature = "peers")]
        crate::peers::channels::tokio_call(place),
        #[cfg(feature = "peers")]
        crate::peers::actors::kameo(place),
        #[cfg(feature = "peers")]
        crate::peers::actors::ractor(place),
    ];
    let targets = match place {
        Place::OneCpu => vec![Target::Times(1.2, "deque+park")],
        Place::CpuEach | Place::Free => {
            vec![Target::FasterThan(&["deque+park", "crossbeam+park", "tokio", "kameo", "ractor"])]
        }
    };
    Contest { what: "synchronous call MTA → STA".into(), place: Some(place), ours: ours(place), peers, targets }
}

fn ours(place: Place) -> Contestant {
    let server = Server::sta(place);
    Contestant::new("oleander", 1, move || assert_eq!(server.double(black_box(21)), 42))
}

fn by_hand(place: Place) -> Contestant {
    let server = DequeAndPark::start(place);
    Contestant::new("deque+park", 1, move || assert_eq!(server.double(black_box(21)), 42))
}
