//! What comes to an STA while its thread leaves it (APT-24): it is there in time, or it is not, and nobody waits for ever.

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::*;
use oleander::*;
use oleander_sim::Builder;
use support::outer::{Notify, notify};
use support::probe::*;
use support::*;

#[test]
fn apt_24_a_signal_that_comes_while_its_sta_ends() {
    let found = outcomes(&Builder::new(), || {
        let log = Log::default();
        let host = Server::start(Kind::Mta, Flavour::Sync);
        let (gate, packet, lines) = (host.script.hold(3), host.packet(), log.clone());
        let client = Thread::start("client", move || {
            enter(Kind::Sta);
            let probe = packet.unpack();
            let (outer, caller) = notify(&probe, Notify::new(&lines));
            assert_eq!(caller.begin(3), S_OK);
            drop((caller, outer, probe));
            lines.say("leaves");
            leave();
            lines.say("left");
        });
        log.wait_for("leaves");
        gate.set();
        client.join();
        host.stop();
        assert_eq!(debug::live_objects(), 0, "COM has let the outer object go");
        let signals = log.count("Signal done");
        let lines: Vec<_> = log.lines().into_iter().filter(|line| ["Signal done", "left"].contains(&&**line)).collect();
        assert_eq!(lines.last().map(String::as_str), Some("left"), "no Signal comes later");
        signals
    });
    assert_eq!(found, [0, 1].into());
}
