//! Objects at port level, as small as they can be, and the calibration's programs on them.

#![allow(dead_code, reason = "each test file uses its part")]

use oleander::platform::{self, Access, Deadline, Object, ObjectKind, Why};
use oleander_sim::world::{self, JoinHandle};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

pub fn new_object(kind: ObjectKind) -> Object {
    platform::current().process().new_object(kind)
}

/// A flag that is set, cleared, read and waited for; or a number.
#[derive(Clone)]
pub struct Flag(Arc<(Object, AtomicU32)>);

impl Flag {
    pub fn new() -> Self {
        Self(Arc::new((new_object(ObjectKind::Event), AtomicU32::new(0))))
    }

    pub fn object(&self) -> Object {
        self.0.0
    }

    pub fn set(&self) {
        platform::visit(self.object(), Access::Signal);
        self.0.1.store(1, Ordering::Relaxed);
    }

    pub fn write(&self, value: u32) {
        platform::visit(self.object(), Access::Write);
        self.0.1.store(value, Ordering::Relaxed);
    }

    pub fn read(&self) -> u32 {
        platform::visit(self.object(), Access::Read);
        self.0.1.load(Ordering::Relaxed)
    }

    pub fn wait(&self) {
        assert!(self.wait_until(Deadline::NEVER));
    }

    pub fn wait_until(&self, deadline: Deadline) -> bool {
        platform::block(&[self.object()], &|| self.0.1.load(Ordering::Relaxed) != 0, deadline, Why::Wait)
    }
}

/// A queue of numbers.
#[derive(Clone)]
pub struct Queue(Arc<(Object, Mutex<VecDeque<usize>>)>);

impl Queue {
    pub fn new() -> Self {
        Self(Arc::new((new_object(ObjectKind::Queue), Mutex::new(VecDeque::new()))))
    }

    pub fn post(&self, value: usize) {
        platform::visit(self.0.0, Access::Post);
        self.note(value);
        self.0.1.lock().unwrap().push_back(value);
    }

    pub fn receive(&self) -> usize {
        let ready = || !self.0.1.lock().unwrap().is_empty();
        assert!(platform::block(&[self.0.0], &ready, Deadline::NEVER, Why::MessageLoop));
        let value = self.0.1.lock().unwrap().pop_front().expect("the queue is not empty");
        self.note(value);
        value
    }

    /// Each number is posted once: it is its own message.
    fn note(&self, value: usize) {
        platform::note(Object { id: 1 << 32 | value as u64, kind: ObjectKind::Message }, Access::Write);
    }
}

/// A lock that is taken in one step and given back in one.
#[derive(Clone)]
pub struct Lock(Arc<(Object, AtomicU32)>);

impl Lock {
    pub fn new() -> Self {
        Self(Arc::new((new_object(ObjectKind::Mutex), AtomicU32::new(0))))
    }

    pub fn lock(&self) {
        let ready = || self.0.1.load(Ordering::Relaxed) == 0;
        assert!(platform::block(&[self.0.0], &ready, Deadline::NEVER, Why::Wait));
        self.0.1.store(1, Ordering::Relaxed);
    }

    pub fn unlock(&self) {
        platform::visit(self.0.0, Access::Write);
        self.0.1.store(0, Ordering::Relaxed);
    }
}

pub fn join(thread: JoinHandle<()>) {
    thread.join().expect("the thread does not panic");
}

/// main waits for the event, another thread sets it.
pub fn setter_and_waiter() {
    let e = Flag::new();
    let set = e.clone();
    world::spawn("setter", move || set.set());
    e.wait();
}

/// main: wait e, join 1, join 2 · 1: set e · 2: wait e
pub fn setter_and_two_waiters() {
    let e = Flag::new();
    let (set, wait) = (e.clone(), e.clone());
    let setter = world::spawn("setter", move || set.set());
    let waiter = world::spawn("waiter", move || wait.wait());
    e.wait();
    join(setter);
    join(waiter);
}

/// main: wait e, wait f, join 1, join 2 · 1: set e · 2: set f
pub fn two_independent_pairs() {
    let (e, f) = (Flag::new(), Flag::new());
    let (set_e, set_f) = (e.clone(), f.clone());
    let first = world::spawn("first", move || set_e.set());
    let second = world::spawn("second", move || set_f.set());
    e.wait();
    f.wait();
    join(first);
    join(second);
}

/// main: wait e, read r, join 1, join 2 · server: read c, write r, set e · canceller: write c
pub fn call_with_canceller() {
    let (e, r, c) = (Flag::new(), Flag::new(), Flag::new());
    let (server_e, server_r, server_c, cancel_c) = (e.clone(), r.clone(), c.clone(), c.clone());
    let server = world::spawn("server", move || {
        let cancelled = server_c.read();
        server_r.write(1 + cancelled);
        server_e.set();
    });
    let canceller = world::spawn("canceller", move || cancel_c.write(1));
    e.wait();
    assert!((1..=2).contains(&r.read()));
    join(server);
    join(canceller);
}

/// server: k × [receive q, set the event of the call received] · client i: post i to q, wait event i
pub fn clients_on_one_sta(k: usize) {
    let queue = Queue::new();
    let events: Arc<[Flag]> = (0..k).map(|_| Flag::new()).collect();
    for i in 0..k {
        let (queue, events) = (queue.clone(), events.clone());
        world::spawn("client", move || {
            queue.post(i);
            events[i].wait();
        });
    }
    for _ in 0..k {
        events[queue.receive()].set();
    }
}

/// i: lock i, lock i + 1, unlock i + 1, unlock i
pub fn philosophers(n: usize) {
    let forks: Arc<[Lock]> = (0..n).map(|_| Lock::new()).collect();
    let dine = move |forks: &[Lock], i: usize| {
        forks[i].lock();
        forks[(i + 1) % n].lock();
        forks[(i + 1) % n].unlock();
        forks[i].unlock();
    };
    for i in 1..n {
        let forks = forks.clone();
        world::spawn("philosopher", move || dine(&forks, i));
    }
    dine(&forks, 0);
}
