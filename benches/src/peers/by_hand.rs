//! What one would write by hand instead, with locks and `park`: the measure of what the runtime costs.

use crate::Place;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{JoinHandle, Thread};

/// A flag under a lock with a condition variable.
#[derive(Default)]
pub struct Flag {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Flag {
    /// Sets it and wakes everybody.
    pub fn set(&self) {
        *self.set.lock() = true;
        self.changed.notify_all();
    }

    /// Resets it.
    pub fn reset(&self) {
        *self.set.lock() = false;
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        *self.set.lock()
    }
}

/// A request: it lives with its caller until it is answered.
pub struct Request {
    number: u32,
    doubled: AtomicU32,
    done: AtomicBool,
    caller: Thread,
}

impl Request {
    /// Of the calling thread.
    pub fn new(number: u32) -> Self {
        let caller = std::thread::current();
        Self { number, doubled: AtomicU32::new(0), done: AtomicBool::new(false), caller }
    }

    /// Until it is answered; on the caller's thread.
    pub fn wait(&self) -> u32 {
        while !self.done.load(Ordering::Acquire) {
            std::thread::park();
        }
        self.doubled.load(Ordering::Relaxed)
    }
}

/// What its server gets of it.
pub struct Pointer(pub *const Request);
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
    server: Option<JoinHandle<()>>,
    thread: Thread,
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
        let thread = server.thread().clone();
        Self { shared, server: Some(server), thread }
    }

    /// One call.
    pub fn double(&self, number: u32) -> u32 {
        let request = Request::new(number);
        self.shared.requests.lock().push_back(Pointer(&request));
        self.thread.unpark();
        request.wait()
    }
}

impl Drop for DequeAndPark {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        let server = self.server.take().expect("it ends once");
        server.thread().unpark();
        server.join().expect("the server does not panic");
    }
}

/// On the server's thread.
pub fn answer(pointer: &Pointer) {
    // SAFETY: see `Pointer`.
    let request = unsafe { &*pointer.0 };
    request.doubled.store(request.number * 2, Ordering::Relaxed);
    // Its own copy: the request may be gone once `done` is set.
    let caller = request.caller.clone();
    request.done.store(true, Ordering::Release);
    caller.unpark();
}
