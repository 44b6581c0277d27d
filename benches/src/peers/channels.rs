//! A server thread behind a channel: crossbeam's with `park` for the way back, tokio's `mpsc` with a `oneshot` for each
//! call and callers that block.

use super::by_hand::{Pointer, Request, answer};
use crate::Place;
use crate::operations::Contestant;
use crate::operations::throughput::{self, Crowd};
use std::hint::black_box;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

struct Crossbeam {
    requests: Option<crossbeam::channel::Sender<Pointer>>,
    server: Option<JoinHandle<()>>,
}

impl Crossbeam {
    fn start(place: Place) -> Self {
        let (requests, theirs) = crossbeam::channel::unbounded();
        let server = std::thread::spawn(move || {
            place.pin_server();
            theirs.iter().for_each(|request| answer(&request));
        });
        Self { requests: Some(requests), server: Some(server) }
    }

    fn send(&self, request: &Request) {
        let requests = self.requests.as_ref().expect("until the end");
        assert!(requests.send(Pointer(request)).is_ok(), "the server waits for requests");
    }
}

impl Drop for Crossbeam {
    fn drop(&mut self) {
        self.requests = None;
        self.server.take().expect("it ends once").join().expect("the server does not panic");
    }
}

/// A call and its answer.
pub fn crossbeam_call(place: Place) -> Contestant {
    let server = Crossbeam::start(place);
    Contestant::new("crossbeam+park", 1, move || {
        let request = Request::new(black_box(21));
        server.send(&request);
        assert_eq!(request.wait(), 42);
    })
}

/// So many calls, then their answers.
pub fn crossbeam_flight(place: Place, flight: u32) -> Contestant {
    let server = Crossbeam::start(place);
    let mut requests = Vec::with_capacity(flight as usize);
    Contestant::new("crossbeam+park", flight, move || {
        requests.clear();
        requests.extend((0..flight).map(|_| Request::new(black_box(21))));
        requests.iter().for_each(|request| server.send(request));
        requests.iter().for_each(|request| assert_eq!(request.wait(), 42));
    })
}

/// A number, and where its double goes.
type Call = (u32, oneshot::Sender<u32>);

struct Tokio {
    calls: Option<mpsc::UnboundedSender<Call>>,
    server: Option<JoinHandle<()>>,
}

impl Tokio {
    fn start(place: Place) -> Self {
        let (calls, mut theirs) = mpsc::unbounded_channel::<Call>();
        let server = std::thread::spawn(move || {
            place.pin_server();
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                while let Some((number, doubled)) = theirs.recv().await {
                    doubled.send(number * 2).expect("the caller waits");
                }
            });
        });
        Self { calls: Some(calls), server: Some(server) }
    }

    fn begin(&self) -> oneshot::Receiver<u32> {
        let (doubled, receiver) = oneshot::channel();
        let calls = self.calls.as_ref().expect("until the end");
        assert!(calls.send((black_box(21), doubled)).is_ok(), "the server waits for calls");
        receiver
    }
}

impl Drop for Tokio {
    fn drop(&mut self) {
        self.calls = None;
        self.server.take().expect("it ends once").join().expect("the server does not panic");
    }
}

/// A call and its answer.
pub fn tokio_call(place: Place) -> Contestant {
    let server = Tokio::start(place);
    Contestant::new("tokio", 1, move || assert_eq!(server.begin().blocking_recv(), Ok(42)))
}

/// So many calls, then their answers.
pub fn tokio_flight(place: Place, flight: u32) -> Contestant {
    let server = Tokio::start(place);
    let mut receivers = Vec::with_capacity(flight as usize);
    Contestant::new("tokio", flight, move || {
        receivers.extend((0..flight).map(|_| server.begin()));
        receivers.drain(..).for_each(|receiver| assert_eq!(receiver.blocking_recv(), Ok(42)));
    })
}

/// A call and its answer, awaited on a runtime of the calling thread.
pub fn tokio_awaited(place: Place) -> Contestant {
    let server = Tokio::start(place);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Contestant::new("tokio", 1, move || assert_eq!(runtime.block_on(server.begin()), Ok(42)))
}

/// Clients that block on as many servers; the servers are tasks of one runtime with as many workers as CPUs.
pub fn tokio_actors(clients: u32, servers: u32) -> Contestant {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let server = |_| {
        let (calls, mut theirs) = mpsc::unbounded_channel::<Call>();
        runtime.spawn(async move {
            while let Some((number, doubled)) = theirs.recv().await {
                doubled.send(number * 2).expect("the caller waits");
            }
        });
        calls
    };
    let servers: Vec<_> = (0..servers).map(server).collect();
    let client = |i: u32| {
        let mine: Vec<_> = throughput::shares(i, clients, &servers).cloned().collect();
        let mut turn = 0;
        throughput::calls(move || {
            turn += 1;
            let calls = &mine[turn % mine.len()];
            let (doubled, receiver) = oneshot::channel();
            assert!(calls.send((black_box(21), doubled)).is_ok(), "the server waits for calls");
            assert_eq!(receiver.blocking_recv(), Ok(42));
        })
    };
    let crowd = Crowd::start((0..clients).map(client).collect());
    Contestant::new("tokio actors", throughput::calls_in_all(clients), move || {
        let _ = &runtime;
        crowd.round();
    })
}
