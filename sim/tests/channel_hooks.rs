//! Channel hooks in many orders (CHN-05): registered while others call.

#[path = "../../core/tests/support/mod.rs"]
mod support;
mod walks;

use oleander::*;
use oleander_sim::{Limits, explore_with};
use std::collections::BTreeSet;
use std::sync::Mutex;
use support::hook::{EXTENT, register};
use support::probe::*;
use support::*;
use walks::Walks;

#[test]
fn chn_05_a_call_has_a_hook_whole_or_not_at_all() {
    let seen = Mutex::new(BTreeSet::new());
    let found = explore_with(&mut Walks::new(300), &Limits::default(), || {
        let (host, clients) = (Server::start(Kind::Sta, Flavour::Sync), [Apt::mta(), Apt::sta()]);
        let calls = clients.each_ref().map(|apt| {
            let packet = host.packet();
            apt.begin(move || assert_eq!(double(&packet.unpack(), 4), (S_OK, 8)))
        });
        let book = register(EXTENT, 1, 1);
        calls.into_iter().for_each(Running::join);
        host.stop();
        clients.into_iter().for_each(Apt::stop);
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
        let lines = book.take();
        let whole = ["ClientNotify 3 [5e]", "ServerNotify 3 [c1]", "ClientGetSize 3"]
            .map(|line| lines.iter().filter(|it| *it == line).count());
        assert!(whole == [whole[0]; 3] && lines.len() == 6 * whole[0] + 1, "{lines:?}");
        seen.lock().unwrap().insert(whole[0]);
    });
    assert!(found.complete && found.failures == 0, "{found}");
    assert_eq!(seen.into_inner().unwrap(), [0, 1, 2].into(), "the registration may come before, between and after");
}
