//! Clients in several apartments do at random whatever a client may do with its call objects, while servers of every kind
//! serve them, or end under them. Every answer is one of those that the contract allows, nothing hangs, nothing is left.

mod support;

use oleander::windows_core::HRESULT;
use oleander::*;
use support::outer::{AgileNotify, Notify, agile_notify, notify};
use support::probe::*;
use support::*;

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A call object, with an outer object or without.
enum Holder {
    Plain,
    Outer(#[expect(dead_code, reason = "held")] windows_core::ComObject<Notify>),
    Agile(#[expect(dead_code, reason = "held")] windows_core::ComObject<AgileNotify>),
}

struct Client {
    caller: Caller,
    _holder: Holder,
    begun: Option<u32>,
}

fn new_client(probe: &IProbe, random: &mut Random) -> Client {
    let log = Log::default();
    let (holder, caller) = match random.below(3) {
        0 => {
            let (outer, caller) = notify(probe, Notify::new(&log));
            (Holder::Outer(outer), caller)
        }
        1 => {
            let (outer, caller) = agile_notify(probe, AgileNotify::new(&log));
            (Holder::Agile(outer), caller)
        }
        _ => (Holder::Plain, Caller::new(probe)),
    };
    Client { caller, _holder: holder, begun: None }
}

/// What a call may end with beside its own result.
fn is_end(hr: HRESULT, server_ends: bool) -> bool {
    hr == RPC_S_CALL_CANCELLED_HR || (server_ends && matches!(hr, RPC_E_DISCONNECTED | RPC_S_UNKNOWN_IF_HR))
}

fn step(client: &mut Client, random: &mut Random, server_ends: bool) {
    let caller = &client.caller;
    match random.below(10) {
        0..4 => {
            let n = random.below(1_000) as u32;
            let expected = if client.begun.is_some() { RPC_S_CALLPENDING } else { S_OK };
            assert_eq!(caller.begin(n), expected);
            client.begun.get_or_insert(n);
        }
        4..7 => match (caller.finish(), client.begun.take()) {
            ((S_OK, twice), Some(n)) => assert_eq!(twice, 2 * n),
            ((hr, _), Some(_)) => assert!(is_end(hr, server_ends), "{hr:?}"),
            ((hr, _), None) => assert_eq!(hr, RPC_E_CALL_COMPLETE),
        },
        7 => {
            let hr = caller.cancel(0);
            assert!(matches!(hr, S_OK | RPC_E_CALL_COMPLETE | RPC_E_CALL_CANCELED), "{hr:?}");
        }
        8 => assert!(matches!(caller.test(), RPC_S_CALLPENDING | RPC_E_CALL_COMPLETE | RPC_E_CALL_CANCELED)),
        _ => assert!(matches!(caller.wait(0), S_OK | RPC_S_CALLPENDING)),
    }
}

fn play(probe: &IProbe, seed: u64, server_ends: bool) {
    let mut random = Random(seed);
    let mut clients: Vec<_> = (0..4).map(|_| new_client(probe, &mut random)).collect();
    for _ in 0..300 {
        let which = random.below(4) as usize;
        if random.below(12) == 0 {
            // Whatever it is doing.
            clients[which] = new_client(probe, &mut random);
        } else {
            step(&mut clients[which], &mut random, server_ends);
        }
    }
}

fn play_packet(packet: Packet<IProbe>, seed: u64, server_ends: bool) {
    match packet.try_unpack() {
        Ok(probe) => play(&probe, seed, server_ends),
        // It has ended already.
        Err(hr) => assert!(server_ends && hr == CO_E_OBJNOTCONNECTED, "{hr:?}"),
    }
}

fn stress(server: Kind, flavour: Flavour, server_ends: bool, seed: u64) {
    in_process(move || {
        let host = Server::start(server, flavour);
        let kinds: &[Kind] = match server {
            Kind::Sta => &[Kind::Mta, Kind::Sta, Kind::Sta],
            Kind::Mta => &[Kind::Sta, Kind::Sta, Kind::Sta],
        };
        let clients: Vec<_> = kinds
            .iter()
            .zip(seed..)
            .map(|(kind, seed)| {
                let (apt, packet) = (Apt::start(*kind), host.packet());
                let running =
                    apt.begin(move || play_packet(packet, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), server_ends));
                (apt, running)
            })
            .collect();
        let mut host = Some(host);
        if server_ends {
            // Somewhere in the middle.
            host.as_ref().unwrap().script.log().wait_for_lines(200);
            host.take().unwrap().stop();
        }
        for (apt, running) in clients {
            running.join();
            apt.stop();
        }
        if let Some(host) = host {
            host.stop();
        }
    });
}

#[test]
fn clients_at_random() {
    for seed in 1..4 {
        for server in [Kind::Sta, Kind::Mta] {
            for flavour in [Flavour::Sync, Flavour::AtOnce, Flavour::Worker] {
                stress(server, flavour, false, seed);
            }
        }
    }
}

#[test]
fn clients_at_random_whose_server_ends() {
    for seed in 1..8 {
        for server in [Kind::Sta, Kind::Mta] {
            for flavour in [Flavour::Sync, Flavour::AtOnce, Flavour::Worker] {
                stress(server, flavour, true, seed);
            }
        }
    }
}
