//! `Begin_`, `.await`, `Finish_` against `Begin_`, `Finish_`, from the MTA to an object in an STA; and tokio's `oneshot`,
//! awaited. An operation is a call.

use super::begin_finish::begin_and_finish;
use super::{Contest, Contestant, Row, Target};
use crate::{Place, Server};
use oleander::S_OK;
use oleander::future::{begun, block_on};
use std::hint::black_box;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    Row::placed(contest)
}

fn contest(place: Place) -> Contest {
    place.pin_client();
    let (server, other) = (Server::sta(place), Server::sta(place));
    let (awaited, finished) = (server.call(), [other.call()]);
    let ours = Contestant::new("oleander", 1, move || {
        let _ = &server;
        let mut doubled = 0;
        // SAFETY: a live interface.
        assert_eq!(unsafe { awaited.Begin_Double(black_box(21)) }, S_OK);
        block_on(begun(&awaited)).expect("a call object of ours");
        // SAFETY: the result has a place.
        assert_eq!((unsafe { awaited.Finish_Double(&mut doubled) }, doubled), (S_OK, 42));
    });
    let finish = Contestant::new("(Finish_)", 1, move || {
        let _ = &other;
        begin_and_finish(&finished);
    });
    let peers = vec![
        finish,
        #[cfg(feature = "peers")]
        crate::peers::channels::tokio_awaited(place),
    ];
    let targets = vec![Target::Times(1.2, "(Finish_)")];
    Contest { what: ".await on a call".into(), place: Some(place), ours, peers, targets }
}
