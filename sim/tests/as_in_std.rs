//! The words for user code do the same in a world as on the machine's threads, where they are the standard library's: each
//! program here runs in both places.

use oleander_sim::sync::{Arc, Condvar, LockResult, Mutex, Once, OnceLock, RwLock, TryLockError, mpsc};
use oleander_sim::{run, thread};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3_600);

fn in_both_places(program: fn()) {
    program();
    run(program).expect_completed();
}

/// Panics with what `hold` gives.
fn panic_with<G>(hold: impl FnOnce() -> G) {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let _held = hold();
        resume_unwind(Box::new("on purpose"));
    }));
    assert!(ended.is_err());
}

fn poisoned<G>(locked: LockResult<G>) -> G {
    locked.err().expect("it is poisoned").into_inner()
}

#[test]
fn a_mutex_that_is_held_is_not_given_and_a_panic_poisons_it() {
    in_both_places(|| {
        let mut mutex = Mutex::new(1);
        let held = mutex.lock().unwrap();
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        assert_eq!(format!("{held:?}"), "1");
        drop(held);
        *mutex.try_lock().unwrap() = 2;
        *mutex.get_mut().unwrap() += 1;
        panic_with(|| mutex.lock());
        assert!(mutex.is_poisoned());
        assert_eq!(*poisoned(mutex.lock()), 3);
        match mutex.try_lock() {
            Err(TryLockError::Poisoned(error)) => assert_eq!(*error.into_inner(), 3),
            other => panic!("{other:?}"),
        }
        assert_eq!(*poisoned(mutex.get_mut()), 3);
        assert_eq!(poisoned(mutex.into_inner()), 3);
    });
}

#[test]
fn readers_share_a_lock_and_a_writer_that_panics_poisons_it() {
    in_both_places(|| {
        let mut lock = RwLock::new(1);
        let (first, second) = (lock.read().unwrap(), lock.read().unwrap());
        assert_eq!((*first, *second), (1, 1));
        drop((first, second));
        *lock.write().unwrap() += 1;
        *lock.get_mut().unwrap() += 1;
        panic_with(|| lock.read());
        assert_eq!(*lock.read().unwrap(), 3, "a reader poisons nothing");
        panic_with(|| lock.write());
        assert_eq!(*poisoned(lock.read()), 3);
        assert_eq!(*poisoned(lock.write()), 3);
        assert_eq!(*poisoned(lock.get_mut()), 3);
        assert_eq!(poisoned(lock.into_inner()), 3);
    });
}

#[test]
fn a_condition_tells_one_or_all_or_nobody_in_time() {
    in_both_places(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let (mutex, condition) = &*shared;
        let mut guard = mutex.lock().unwrap();
        loop {
            let (again, over) = condition.wait_timeout(guard, SHORT).unwrap();
            guard = again;
            if over.timed_out() {
                break;
            }
        }
        drop(guard);

        let until = |value: u32| {
            let shared = shared.clone();
            thread::spawn(move || {
                let (mutex, condition) = &*shared;
                let mut guard = mutex.lock().unwrap();
                while *guard < value {
                    guard = condition.wait_timeout(guard, LONG).unwrap().0;
                }
            })
        };
        let both = [until(1), until(1)];
        *mutex.lock().unwrap() = 1;
        condition.notify_all();
        both.into_iter().for_each(|thread| thread.join().unwrap());
        let one = until(2);
        *mutex.lock().unwrap() = 2;
        condition.notify_one();
        one.join().unwrap();

        panic_with(|| mutex.lock());
        let (guard, _) = poisoned(condition.wait_timeout(poisoned(mutex.lock()), SHORT));
        assert_eq!(*guard, 2);
    });
}

#[test]
fn a_channel_has_many_senders_and_says_when_none_is_left() {
    in_both_places(|| {
        let (send, receive) = mpsc::channel();
        let other = send.clone();
        let sender = thread::spawn(move || other.send(1));
        assert_eq!(receive.recv_timeout(LONG), Ok(1));
        assert_eq!(sender.join().unwrap(), Ok(()));
        assert_eq!(receive.recv_timeout(SHORT), Err(std::sync::mpsc::RecvTimeoutError::Timeout));
        drop(send);
        assert_eq!(receive.recv_timeout(SHORT), Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
    });
}

oleander_sim::thread_local! {
    static VALUE: Cell<u32> = Cell::new(7);
}

#[test]
fn a_thread_has_a_name_and_values_of_its_own() {
    in_both_places(|| {
        VALUE.set(8);
        assert_eq!(VALUE.try_with(Cell::get), Ok(8));
        let (go, wait) = mpsc::channel();
        let worker = thread::Builder::new().name("worker".to_owned()).spawn(move || {
            wait.recv().unwrap();
            (VALUE.take(), VALUE.get())
        });
        let worker = worker.unwrap();
        assert_eq!(worker.thread().name(), Some("worker"));
        assert!(!worker.is_finished());
        go.send(()).unwrap();
        assert_eq!(worker.join().unwrap(), (7, 0));
        assert_eq!(VALUE.get(), 8);
    });
}

#[test]
fn what_is_made_once_is_made_by_the_first() {
    in_both_places(|| {
        let (once, value) = (Once::default(), OnceLock::default());
        assert!(!once.is_completed());
        once.call_once(|| value.set(1).unwrap());
        once.call_once(|| panic!("a second time"));
        assert!(once.is_completed());
        assert_eq!((value.set(2), value.get(), *value.get_or_init(|| 3)), (Err(2), Some(&1), 1));
    });
}

#[test]
fn words_are_made_and_printed_as_std_does() {
    in_both_places(|| {
        assert_eq!(format!("{:?}", Mutex::<u32>::default()), format!("{:?}", std::sync::Mutex::<u32>::default()));
        assert_eq!(format!("{:?}", RwLock::<u32>::default()), format!("{:?}", std::sync::RwLock::<u32>::default()));
        assert_eq!(format!("{:?}", OnceLock::<u32>::new()), format!("{:?}", std::sync::OnceLock::<u32>::new()));
        assert_eq!(format!("{:?}", Condvar::default()), format!("{:?}", std::sync::Condvar::default()));
    });
}
