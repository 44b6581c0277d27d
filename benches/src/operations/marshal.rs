//! What it takes to hand an interface on. The thread is in the MTA, the object in an STA of another thread, which is idle.

use super::{Contest, Contestant, Row, Target};
use crate::handing::{Git, Packet, TablePacket};
use crate::{Place, Server};

pub(super) fn rows() -> impl Iterator<Item = Row> {
    [Row::in_mta(marshal), Row::in_mta(make), Row::in_mta(table)].into_iter()
}

fn contest(what: &str, round: impl FnMut() + 'static) -> Contest {
    let ours = Contestant::new("oleander", 1, round);
    Contest { what: what.into(), place: None, ours, peers: Vec::new(), targets: vec![Target::Under(1000.0)] }
}

/// Of a proxy that the apartment has.
fn marshal() -> Contest {
    Place::CpuEach.pin_client();
    let server = Server::sta(Place::CpuEach);
    contest("marshal, unmarshal, release of a proxy", move || drop(Packet::of(server.doubler()).unpack()))
}

/// A proxy is made and taken down each time: the packet is read again and again, and no other proxy lives.
fn make() -> Contest {
    Place::CpuEach.pin_client();
    let packet = TablePacket::start(Place::CpuEach);
    contest("unmarshal and release, a new proxy each time", move || drop(packet.unpack()))
}

/// Through the global interface table, of a proxy that the apartment has.
fn table() -> Contest {
    Place::CpuEach.pin_client();
    let server = Server::sta(Place::CpuEach);
    let git = Git::new();
    contest("register, get, revoke, release with the GIT", move || drop(git.round_trip(server.doubler())))
}
