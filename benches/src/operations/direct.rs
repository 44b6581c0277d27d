//! A call through a pointer of the same apartment. An operation is a call.

use super::{Contest, Contestant, Row, Target};
use crate::{pin, server};
use std::hint::black_box;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    [Row::in_mta(contest)].into_iter()
}

trait Double {
    fn double(&self, number: u32, doubled: &mut u32) -> i32;
}

struct Doubler;

impl Double for Doubler {
    fn double(&self, number: u32, doubled: &mut u32) -> i32 {
        *doubled = number * 2;
        0
    }
}

fn contest() -> Contest {
    pin::pin_to(0);
    let object = server::doubler();
    let ours = Contestant::new("oleander", 1, move || {
        let object = black_box(&object);
        assert_eq!(server::double(object, black_box(21)), 42);
    });
    let peer: Box<dyn Double> = Box::new(Doubler);
    let virtual_call = Contestant::new("virtual call", 1, move || {
        let (peer, mut doubled) = (black_box(&peer), 0);
        let status = peer.double(black_box(21), &mut doubled);
        assert_eq!((status, doubled), (0, 42));
    });
    let targets = vec![Target::Within(1.0, "virtual call")];
    Contest { what: "call in the same apartment".into(), place: None, ours, peers: vec![virtual_call], targets }
}
