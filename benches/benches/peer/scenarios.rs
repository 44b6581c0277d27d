//! The scenarios of `explore.rs` for an explorer that replaces the standard library: events and queues are made of its mutex
//! and condition variable. It is a macro because the explorers share names and no trait.

/// Puts the scenarios here, and a `main` that measures them; `$explore` runs one under at most so many schedules.
macro_rules! scenarios {
    ($explorer:ident, $explore:expr) => {
        use criterion::{Criterion, Throughput};
        use std::collections::VecDeque;
        use std::sync::atomic::{AtomicU64, Ordering};
        use std::time::Duration;
        use $explorer::sync::{Arc, Condvar, Mutex};

        /// The most schedules of one exploration.
        const SCHEDULES_MAX: usize = 200;

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

        /// Explores a scenario; how many executions there were.
        fn count(scenario: fn()) -> u64 {
            static EXECUTIONS: AtomicU64 = AtomicU64::new(0);
            EXECUTIONS.store(0, Ordering::Relaxed);
            let counted = move || {
                EXECUTIONS.fetch_add(1, Ordering::Relaxed);
                scenario();
            };
            $explore(counted, SCHEDULES_MAX);
            EXECUTIONS.load(Ordering::Relaxed)
        }

        fn benches(c: &mut Criterion) {
            oleander_benches::pin::pin_to(0);
            let mut group = c.benchmark_group("explore");
            group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
            let scenarios: [(&str, fn()); 2] = [("event", setter_and_waiter), ("sta", two_clients_on_one_sta)];
            for (name, scenario) in scenarios {
                group.throughput(Throughput::Elements(count(scenario)));
                group.bench_function(format!("{name}/{}", stringify!($explorer)), |b| b.iter(|| count(scenario)));
            }
            group.finish();
        }

        criterion::criterion_group!(all, benches);
        criterion::criterion_main!(all);
    };
}
