//! Peers of which one knows the asynchronous twin of an interface and the other does not ("Cross-platform considerations" of the
//! article): each pair in every apartment, on one machine and between two, in every order.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "common/explored.rs"]
mod explored;
#[path = "../../core/tests/common/offices.rs"]
mod offices;

use explored::*;
use offices::*;
use oleander::debug::live_objects;
use oleander::windows_core::Interface;
use oleander::*;
use oleander_sim::{Builder, run, world};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Who knows the twin, and what the server is.
#[derive(Clone, Copy)]
struct Peers {
    client_knows: bool,
    server_knows: bool,
    /// Whether the server object has `ICallFactory`.
    server_offers: bool,
    setup: Setup,
    model: u32,
    away: bool,
}

fn all_peers() -> Vec<Peers> {
    let mut all = Vec::new();
    for bits in 0..64_u32 {
        let bit = |n: u32| bits >> n & 1 == 1;
        let models = [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED];
        let make = if bit(2) { AsyncDesk::make } else { Desk::make };
        let setup = Setup { model: models[usize::from(bit(3))], make, ..Setup::STA };
        let model = models[usize::from(bit(4))];
        let (client_knows, server_knows) = (bit(0), bit(1));
        all.push(Peers { client_knows, server_knows, server_offers: bit(2), setup, model, away: bit(5) });
    }
    all
}

/// A client in the scenario's process, a server in another one; what is left of both is nothing.
fn play(peers: Peers, client: impl FnOnce(&IDesk, &Office)) {
    let process = if peers.away { world::machine("away").process() } else { world::process() };
    if !peers.client_knows {
        world::this_process().emulated().set_without_async(&IDesk::IID);
    }
    if !peers.server_knows {
        process.emulated().set_without_async(&IDesk::IID);
    }
    let office = open(process.emulated(), peers.setup);
    enter(peers.model);
    let desk: IDesk = unpack(&office.packet);
    client(&desk, &office);
    drop(desk);
    assert_eq!(office.gone(), 1);
    leave();
    assert_eq!((live_objects(), office.close()), (0, 0));
}

/// Whether the call came by halves or by the synchronous method.
fn assert_served(peers: Peers, office: &Office) {
    let synchronous = office.done.synchronous.load(Ordering::SeqCst);
    match (peers.server_offers, peers.server_knows) {
        (true, true) => assert_eq!((office.calls(), synchronous), (1, 0), "Begin_ and Finish_"),
        (true, false) => assert_eq!((office.calls(), synchronous), (0, 1), "the stub knows no halves"),
        (false, _) => assert_eq!(office.calls(), 1),
    }
}

#[test]
fn srv_01_a_synchronous_call_reaches_every_kind_of_server() {
    for peers in all_peers() {
        explored(&Builder::new(), || {
            play(peers, |desk, office| {
                assert_eq!(add(desk, 1, 2), (S_OK, 3));
                assert_served(peers, office);
            });
        });
    }
}

#[test]
fn call_09_a_call_object_reaches_every_kind_of_server_where_the_client_knows_the_twin() {
    for peers in all_peers().into_iter().filter(|peers| peers.client_knows) {
        explored(&Builder::new(), || {
            play(peers, |desk, office| {
                assert_eq!(add_later(desk, 1, 2), (S_OK, 3));
                assert_served(peers, office);
            });
        });
    }
}

#[test]
fn rul_122_a_client_without_the_twin_gets_no_call_object() {
    for peers in all_peers().into_iter().filter(|peers| !peers.client_knows) {
        run(move || {
            play(peers, |desk, office| {
                // The proxy manager has the call factory all the same (CALL-01).
                assert_eq!(call_object(desk).err(), Some(E_NOINTERFACE));
                assert_eq!(office.calls(), 0);
            });
        })
        .expect_completed();
    }
}

#[test]
fn rul_122_a_process_s_own_objects_are_served_as_its_code_knows() {
    // In one process without the twin: between its apartments there are no halves either.
    run(|| {
        let process = world::process();
        process.emulated().set_without_async(&IDesk::IID);
        let office = open(process.emulated(), Setup { make: AsyncDesk::make, ..Setup::STA });
        let bytes = office.packet.clone();
        let client = process.spawn("client", move || {
            enter(COINIT_MULTITHREADED);
            let desk: IDesk = unpack(&bytes);
            let got = (add(&desk, 1, 2), call_object(&desk).err());
            drop(desk);
            leave();
            got
        });
        assert_eq!(client.join().unwrap(), ((S_OK, 3), Some(E_NOINTERFACE)));
        assert_eq!(office.done.synchronous.load(Ordering::SeqCst), 1);
        assert_eq!(office.close(), 0);
    })
    .expect_completed();
}

/// An asynchronous client cancels a call to a legacy stub after so long; what Cancel and Finish_ say.
fn cancelled(peers: Peers, wait: Duration, seconds: u32) -> (i32, i32) {
    let got = Mutex::new((0, 0));
    play(peers, |desk, _| {
        let call = call_object(desk).expect("CALL-02");
        let cancel: ICancelMethodCalls = call.cast().unwrap();
        unsafe {
            assert_eq!(call.Begin_Work(2000), S_OK);
            world::sleep(wait);
            let hr = cancel.Cancel(seconds);
            *got.lock().unwrap() = (hr.0, call.Finish_Work().0);
        }
        drop((cancel, call));
        // The method sees the request within the second.
        world::sleep(Duration::from_secs(5));
    });
    got.into_inner().unwrap()
}

#[test]
fn cxl_03_a_legacy_method_is_cancelled_or_was_faster() {
    for peers in all_peers() {
        if !peers.client_knows || peers.server_knows || peers.server_offers {
            continue;
        }
        let outcomes = |wait, seconds| outcomes(&Builder::new(), || cancelled(peers, wait, seconds));
        let ms = Duration::from_millis;
        // In the middle: the client gives up at once, or the method stops and the client hears it.
        assert_eq!(outcomes(ms(500), 0), BTreeSet::from([(S_OK.0, RPC_S_CALL_CANCELLED_HR.0)]));
        assert_eq!(outcomes(ms(500), 10), BTreeSet::from([(RPC_E_CALL_COMPLETE.0, E_ABORT.0)]));
        // Afterwards it is too late.
        assert_eq!(outcomes(ms(2500), 0), BTreeSet::from([(RPC_E_CALL_COMPLETE.0, S_OK.0)]));
    }
}
