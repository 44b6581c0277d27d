//! The scenarios of `explore.rs` for an explorer that replaces the standard library: events and queues are made of its mutex
//! and condition variable. It is a macro because the explorers share names and no trait.

/// Puts the scenarios here, and a `main` that times them; `$explore` runs one under at most so many schedules.
macro_rules! scenarios {
    ($explorer:ident, $explore:expr) => {
        use std::collections::VecDeque;
        use std::sync::atomic::{AtomicU64, Ordering};
        use std::time::{Duration, Instant};
        use $explorer::sync::{Arc, Condvar, Mutex};

        #[derive(Default)]
        struct Event {
            set: Mutex<bool>,
            changed: Condvar,
        }

        impl Event {
            fn new() -> Arc<Self> {
                Arc::new(Self { set: Mutex::new(false), changed: Condvar::new() })
            }

            fn set(&self) {
                *self.set.lock().unwrap() = true;
                self.changed.notify_all();
            }

            fn wait(&self) {
                let mut set = self.set.lock().unwrap();
                while !*set {
                    set = self.changed.wait(set).unwrap();
                }
            }
        }

        fn setter_and_waiter() {
            let event = Event::new();
            let set = event.clone();
            let setter = $explorer::thread::spawn(move || set.set());
            event.wait();
            setter.join().unwrap();
        }

        fn two_clients_on_one_sta() {
            let queue = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
            let events: Vec<_> = (0..2).map(|_| Event::new()).collect();
            let threads: Vec<_> = (0..2)
                .map(|i| {
                    let (queue, event) = (queue.clone(), events[i].clone());
                    $explorer::thread::spawn(move || {
                        queue.0.lock().unwrap().push_back(i);
                        queue.1.notify_one();
                        event.wait();
                    })
                })
                .collect();
            for _ in 0..2 {
                let mut waiting = queue.0.lock().unwrap();
                let next = loop {
                    match waiting.pop_front() {
                        Some(next) => break next,
                        None => waiting = queue.1.wait(waiting).unwrap(),
                    }
                };
                drop(waiting);
                events[next].set();
            }
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }

        fn rate(name: &str, scenario: fn()) {
            static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
            let began = Instant::now();
            let mut executions = 0;
            while began.elapsed() < Duration::from_secs(1) {
                EXECUTIONS.store(0, Ordering::Relaxed);
                let counted = move || {
                    EXECUTIONS.fetch_add(1, Ordering::Relaxed);
                    scenario();
                };
                $explore(counted, 20_000);
                executions += EXECUTIONS.load(Ordering::Relaxed);
            }
            let took = began.elapsed().as_secs_f64();
            println!("{name:24} {executions:9} executions {took:8.3} s {:12.0} /s", executions as f64 / took);
        }

        fn main() {
            rate("event", setter_and_waiter);
            rate("STA, 2 clients", two_clients_on_one_sta);
        }
    };
}
