//! loom's model of how the pool hands a task to its worker. It takes a tenth of a second of processor time.

use super::*;
use crate::kernel::Event;
use crate::kernel::loom_tests::{bounded, event, start, wait_for};

/// A task that says that it ran.
struct Told(Arc<Event>);

impl Task for Told {
    fn run(self: Arc<Self>) {
        self.0.set();
    }
    fn abandon(self: Arc<Self>) {
        unreachable!("the pool is closed when all have run");
    }
}

/// A task is run whether it comes before the worker looks, between its look and its sleep, or while it sleeps; a worker
/// ends when the pool is closed, wherever it is, and the pool's end waits for the task that runs.
#[test]
fn loom_a_task_is_run_by_the_worker_that_is_there() {
    bounded(2, |process| {
        // No process: the pool starts nobody, and the model is the one worker that may run.
        let pool = Pool {
            shared: Arc::new(Shared {
                object: process.new_object(ObjectKind::Pool),
                process: Weak::new(),
                apartment: Weak::new(),
                running_max: 1,
                state: Mutex::new(State::default()),
            }),
        };
        let (first, second) = (event(process, false), event(process, false));
        assert!(pool.post(Arc::new(Told(first.clone()))).is_ok());
        let shared = pool.shared.clone();
        let worker = start(process, move || shared.work());
        assert!(pool.post(Arc::new(Told(second.clone()))).is_ok());
        wait_for(&second);
        assert!(first.is_set());
        assert!(pool.close().is_empty());
        pool.drain();
        assert_eq!(pool.shared.state.lock().busy, 0);
        worker.join().unwrap();
        let state = pool.shared.state.lock();
        assert_eq!((state.busy, state.workers, state.running), (0, 0, 0));
    });
}
