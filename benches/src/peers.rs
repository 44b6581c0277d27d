//! What one would write by hand instead: the measure of what the runtime costs.

use crate::Place;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{JoinHandle, Thread};

/// A manual-reset event of three states, as over a futex: a wait that finds it set, and a set that finds nobody waiting,
/// touch one word.
#[derive(Debug, Default)]
pub struct ThreeState {
    /// 0 reset, 1 set, 2 reset and somebody sleeps.
    word: AtomicU32,
    sleepers: Mutex<Vec<Thread>>,
}

impl ThreeState {
    /// Sets it and wakes everybody.
    pub fn set(&self) {
        if self.word.swap(1, Ordering::AcqRel) == 2 {
            let sleepers = std::mem::take(&mut *self.sleepers.lock());
            sleepers.iter().for_each(Thread::unpark);
        }
    }

    /// Resets it.
    pub fn reset(&self) {
        let _ = self.word.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) == 1
    }

    /// Waits for it.
    pub fn wait(&self) {
        while !self.is_set() {
            self.sleepers.lock().push(std::thread::current());
            match self.word.compare_exchange(0, 2, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) | Err(2) => std::thread::park(),
                Err(_) => {}
            }
        }
    }
}

/// A request of [`DequeAndPark`]: it lives on the caller's stack.
struct Request {
    number: u32,
    doubled: AtomicU32,
    done: AtomicBool,
    caller: Thread,
}

impl Request {
    fn new(number: u32) -> Self {
        let caller = std::thread::current();
        Self { number, doubled: AtomicU32::new(0), done: AtomicBool::new(false), caller }
    }

    /// Until it is answered; on the caller's thread.
    fn wait(&self) -> u32 {
        while !self.done.load(Ordering::Acquire) {
            std::thread::park();
        }
        self.doubled.load(Ordering::Relaxed)
    }
}

struct Pointer(*const Request);
// SAFETY: the caller keeps the request until `done`, which is the last that the server writes.
unsafe impl Send for Pointer {}

#[derive(Default)]
struct Shared {
    requests: Mutex<VecDeque<Pointer>>,
    stop: AtomicBool,
}

/// A thread with a deque of requests, woken by `unpark`; its callers park until they are answered.
pub struct DequeAndPark {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl DequeAndPark {
    /// Starts the thread.
    pub fn start(place: Place) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let server = std::thread::spawn(move || {
            place.pin_server();
            while !theirs.stop.load(Ordering::Acquire) {
                let next = theirs.requests.lock().pop_front();
                match next {
                    Some(request) => answer(&request),
                    None => std::thread::park(),
                }
            }
        });
        Self { shared, server }
    }

    /// One call.
    pub fn double(&self, number: u32) -> u32 {
        let request = Request::new(number);
        self.shared.requests.lock().push_back(Pointer(&request));
        self.server.thread().unpark();
        request.wait()
    }

    /// Ends the thread.
    pub fn stop(self) {
        self.shared.stop.store(true, Ordering::Release);
        self.server.thread().unpark();
        self.server.join().expect("the server does not panic");
    }
}

fn answer(pointer: &Pointer) {
    // SAFETY: see `Pointer`.
    let request = unsafe { &*pointer.0 };
    request.doubled.store(request.number * 2, Ordering::Relaxed);
    // Its own copy: the request may be gone once `done` is set.
    let caller = request.caller.clone();
    request.done.store(true, Ordering::Release);
    caller.unpark();
}

/// The same with a channel of crossbeam's for the requests.
#[cfg(feature = "peers")]
pub struct ChannelAndPark {
    requests: crossbeam::channel::Sender<Pointer>,
    server: JoinHandle<()>,
}

#[cfg(feature = "peers")]
impl ChannelAndPark {
    /// Starts the thread.
    pub fn start(place: Place) -> Self {
        let (requests, theirs) = crossbeam::channel::unbounded();
        let server = std::thread::spawn(move || {
            place.pin_server();
            theirs.iter().for_each(|request| answer(&request));
        });
        Self { requests, server }
    }

    /// One call.
    pub fn double(&self, number: u32) -> u32 {
        let request = Request::new(number);
        assert!(self.requests.send(Pointer(&request)).is_ok(), "the server waits for requests");
        request.wait()
    }

    /// Ends the thread.
    pub fn stop(self) {
        drop(self.requests);
        self.server.join().expect("the server does not panic");
    }
}
