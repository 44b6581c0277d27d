//! Calls in all by so many clients in the MTA on so many STAs, each of its thread. Clients share the STAs evenly, or, where
//! there are fewer clients, the STAs are divided among them, and each calls its own in turn. An operation is a call, so a
//! time is that between two answers, of whomever.

use super::{Contest, Contestant, Row, Target};
use crate::handing::Packet;
use crate::{Place, Server, in_mta, pin, server};
use std::hint::black_box;
use std::sync::{Arc, Barrier, atomic::AtomicBool, atomic::Ordering};
use std::thread::JoinHandle;

/// Clients and STAs.
const SIZES: [(u32, u32); 12] =
    [(1, 1), (2, 2), (4, 4), (8, 8), (16, 16), (64, 64), (8, 1), (64, 1), (64, 8), (1, 8), (1, 64), (8, 64)];
/// Calls of each client in a round.
const CALLS: u32 = 50;

pub(super) fn rows() -> impl Iterator<Item = Row> {
    SIZES.into_iter().map(|(clients, servers)| Row::in_mta(move || contest(clients, servers)))
}

fn contest(clients: u32, servers: u32) -> Contest {
    pin::unpin();
    let peers = vec![
        #[cfg(feature = "peers")]
        crate::peers::channels::tokio_actors(clients, servers),
    ];
    let what = format!("throughput: {clients} clients on {servers} STAs");
    Contest { what, place: Some(Place::Free), ours: ours(clients, servers), peers, targets: vec![Target::NoCollapse] }
}

/// Makes a client's round, on the client's thread.
pub type Client = Box<dyn FnOnce() -> Box<dyn FnMut()> + Send>;

/// Clients that start together, and whose round is over when all are done.
pub struct Crowd {
    gate: Arc<Barrier>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// Has each client call `round` for each round. All have their servers when this returns.
    pub fn start(clients: Vec<Client>) -> Self {
        let gate = Arc::new(Barrier::new(clients.len() + 1));
        let stop = Arc::new(AtomicBool::new(false));
        let start = |client: Client| {
            let (gate, stop) = (gate.clone(), stop.clone());
            std::thread::spawn(move || {
                in_mta(|| {
                    let mut round = client();
                    gate.wait();
                    while {
                        gate.wait();
                        !stop.load(Ordering::Acquire)
                    } {
                        round();
                        gate.wait();
                    }
                });
            })
        };
        let threads = clients.into_iter().map(start).collect();
        gate.wait();
        Self { gate, stop, threads }
    }

    /// A round of all.
    pub fn round(&self) {
        self.gate.wait();
        self.gate.wait();
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.gate.wait();
        self.threads.drain(..).for_each(|thread| thread.join().expect("a client does not panic"));
    }
}

fn ours(clients: u32, servers: u32) -> Contestant {
    let servers: Vec<_> = (0..servers).map(|_| Server::sta(Place::Free)).collect();
    let client = |i: u32| {
        let packets: Vec<_> = shares(i, clients, &servers).map(|server| Packet::of(server.doubler())).collect();
        let client = move || {
            let doublers: Vec<_> = packets.into_iter().map(Packet::unpack).collect();
            let mut turn = 0;
            in_turn(move || {
                turn += 1;
                assert_eq!(server::double(&doublers[turn % doublers.len()], black_box(21)), 42);
            })
        };
        Box::new(client) as Client
    };
    let crowd = Crowd::start((0..clients).map(client).collect());
    Contestant::new("oleander", clients * CALLS, move || {
        let _ = &servers;
        crowd.round();
    })
}

/// The servers that client `i` calls.
pub fn shares<T>(i: u32, clients: u32, servers: &[T]) -> impl Iterator<Item = &T> {
    servers[i as usize % servers.len()..].iter().step_by(clients as usize)
}

/// Calls of one client of a peer's.
pub fn calls(call: impl FnMut() + Send + 'static) -> Client {
    Box::new(move || in_turn(call))
}

fn in_turn(mut call: impl FnMut() + 'static) -> Box<dyn FnMut()> {
    Box::new(move || (0..CALLS).for_each(|_| call()))
}

/// How many calls a round of so many clients is.
pub fn calls_in_all(clients: u32) -> u32 {
    clients * CALLS
}
