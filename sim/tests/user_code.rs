//! What `oleander_sim::sync` and `oleander_sim::thread` give to user code, in a world and outside.

#[path = "common/explored.rs"]
mod explored;

use explored::*;
use oleander_sim::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use oleander_sim::sync::{Arc, Condvar, Mutex, Once, OnceLock, RwLock};
use oleander_sim::thread::{self, sleep};
use oleander_sim::world;
use oleander_sim::{Builder, End, Strategy, run};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Mutex as StdMutex;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn under_a_mutex_no_update_is_lost() {
    let checked = explored(&Builder::new(), || {
        let count = Arc::new(Mutex::new(0));
        let other = count.clone();
        let adder = thread::spawn(move || *other.lock().unwrap() += 1);
        *count.lock().unwrap() += 1;
        adder.join().unwrap();
        assert_eq!(*count.lock().unwrap(), 2);
    });
    assert!(checked.executions >= 2, "{checked}");
}

#[test]
fn between_two_locks_an_update_is_lost_and_found_out() {
    let scenario = || {
        let count = Arc::new(Mutex::new(0));
        let add = |count: &Mutex<i32>| {
            let old = *count.lock().unwrap();
            *count.lock().unwrap() = old + 1;
        };
        let other = count.clone();
        let adder = thread::spawn(move || add(&other));
        add(&count);
        adder.join().unwrap();
        *count.lock().unwrap()
    };
    assert_eq!(outcomes(&Builder::new().strategy(Strategy::Exhaustive), scenario), BTreeSet::from([1, 2]));
    assert_eq!(outcomes(&Builder::new().strategy(Strategy::Dfs), scenario), BTreeSet::from([1, 2]));
}

#[test]
fn two_mutexes_in_opposite_order_are_a_deadlock() {
    let checked = Builder::new().run(|| {
        let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
        let (other_a, other_b) = (a.clone(), b.clone());
        let other = thread::spawn(move || {
            let _b = other_b.lock().unwrap();
            let _a = other_a.lock().unwrap();
        });
        let first = a.lock().unwrap();
        drop(b.lock().unwrap());
        drop(first);
        other.join().unwrap();
    });
    let failure = checked.failure.expect("one of the orders is a deadlock");
    assert!(matches!(failure.report.end, End::Deadlock { .. }), "{failure}");
}

#[test]
fn a_mutex_that_somebody_has_is_not_taken_by_trying() {
    explored(&Builder::new(), || {
        let lock = Arc::new(Mutex::new(1));
        let held = lock.lock().unwrap();
        let other = lock.clone();
        let taken = thread::spawn(move || other.try_lock().is_ok()).join().unwrap();
        assert!(!taken);
        drop(held);
        assert_eq!(*lock.try_lock().expect("free"), 1);
    });
}

#[test]
fn a_condition_variable_loses_no_notification() {
    explored(&Builder::new(), || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = pair.clone();
        let setter = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let ready = pair.1.wait_while(pair.0.lock().unwrap(), |ready| !*ready).unwrap();
        assert!(*ready);
        drop(ready);
        setter.join().unwrap();
    });
}

#[test]
fn a_notification_before_the_wait_is_lost_and_that_is_a_deadlock() {
    let checked = Builder::new().run(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let other = pair.clone();
        let setter = thread::spawn(move || other.1.notify_one());
        drop(pair.1.wait(pair.0.lock().unwrap()).unwrap());
        setter.join().unwrap();
    });
    let failure = checked.failure.expect("the notification can come first");
    assert!(matches!(failure.report.end, End::Deadlock { .. }), "{failure}");
}

#[test]
fn who_is_told_first_is_a_choice() {
    let scenario = || {
        let shared = Arc::new((Mutex::new((0, Vec::new())), Condvar::new()));
        let waiters: Vec<_> = (0..2)
            .map(|number| {
                let shared = shared.clone();
                thread::spawn(move || {
                    let mut state = shared.0.lock().unwrap();
                    state.0 += 1;
                    let mut state = shared.1.wait(state).unwrap();
                    state.1.push(number);
                    drop(state);
                    shared.1.notify_one();
                })
            })
            .collect();
        while shared.0.lock().unwrap().0 < 2 {
            sleep(SECOND);
        }
        shared.1.notify_one();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        let state = shared.0.lock().unwrap();
        state.1.clone()
    };
    let both = BTreeSet::from([vec![0, 1], vec![1, 0]]);
    assert_eq!(outcomes(&Builder::new().strategy(Strategy::PreemptionBound(1)), scenario), both);
}

#[test]
fn waits_with_a_limit_take_virtual_time() {
    run(|| {
        let (lock, told) = (Mutex::new(()), Condvar::new());
        let before = world::now_ns();
        let (guard, over) = told.wait_timeout(lock.lock().unwrap(), 3600 * SECOND).unwrap();
        drop(guard);
        assert!(over.timed_out());
        let (_sender, receiver) = mpsc::channel::<()>();
        assert_eq!(receiver.recv_timeout(3600 * SECOND), Err(RecvTimeoutError::Timeout));
        sleep(3600 * SECOND);
        thread::park_timeout(3600 * SECOND);
        assert_eq!(world::now_ns() - before, 4 * 3600 * 1_000_000_000);
    })
    .expect_completed();
}

#[test]
fn readers_share_and_a_writer_does_not() {
    explored(&Builder::new(), || {
        let lock = Arc::new(RwLock::new(0));
        let other = lock.clone();
        let reader = lock.read().unwrap();
        let also = thread::spawn(move || *other.read().unwrap()).join().unwrap();
        assert_eq!((*reader, also), (0, 0));
        let other = lock.clone();
        let writer = thread::spawn(move || *other.write().unwrap() = 1);
        assert_eq!(*reader, 0, "the writer waits");
        drop(reader);
        writer.join().unwrap();
        assert_eq!(*lock.read().unwrap(), 1);
    });
}

#[test]
fn clients_that_send_to_one_receiver_are_as_many_executions_as_orders() {
    for (clients, orders) in [(2, 2), (3, 6), (4, 24)] {
        let checked = explored(&Builder::new(), || {
            let (sender, receiver) = mpsc::channel();
            for number in 0..clients {
                let sender = sender.clone();
                // The ends of senders are no part of the question.
                thread::spawn(move || {
                    sender.send(number).unwrap();
                    std::mem::forget(sender);
                });
            }
            std::mem::forget(sender);
            let mut got: Vec<_> = (0..clients).map(|_| receiver.recv().unwrap()).collect();
            got.sort_unstable();
            assert_eq!(got, (0..clients).collect::<Vec<_>>());
        });
        assert_eq!(checked.executions, orders, "{checked}");
    }
}

#[test]
fn a_channel_ends_when_its_senders_or_its_receiver_are_gone() {
    let scenario = || {
        let (sender, receiver) = mpsc::channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let other = sender.clone();
        let worker = thread::spawn(move || (0..3).for_each(|number| other.send(number).unwrap()));
        drop(sender);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        worker.join().unwrap();
        let (sender, receiver) = mpsc::sync_channel(1);
        let worker = thread::spawn(move || (0..3).take_while(|number| sender.send(*number).is_ok()).count());
        assert_eq!(receiver.recv(), Ok(0));
        drop(receiver);
        assert!((1..=2).contains(&worker.join().unwrap()));
    };
    explored(&Builder::new(), scenario);
    scenario();
}

#[test]
fn a_value_that_is_made_once_is_made_once() {
    explored(&Builder::new(), || {
        let (made, once) = (Arc::new((Mutex::new(0), OnceLock::new())), Arc::new(Once::new()));
        let (other, other_once) = (made.clone(), once.clone());
        let make = |made: &(Mutex<i32>, OnceLock<i32>)| {
            *made.1.get_or_init(|| {
                let mut count = made.0.lock().unwrap();
                *count += 1;
                *count
            })
        };
        let also = thread::spawn(move || {
            other_once.call_once(|| ());
            make(&other)
        });
        assert_eq!(make(&made), 1);
        assert_eq!(also.join().unwrap(), 1);
        assert!(once.is_completed());
        assert_eq!(made.1.set(7), Err(7));
    });
}

#[test]
fn a_static_lock_is_a_new_object_in_each_world() {
    static LOCK: Mutex<u32> = Mutex::new(0);
    for _ in 0..3 {
        run(|| {
            let other = thread::spawn(|| *LOCK.lock().unwrap() += 1);
            *LOCK.lock().unwrap() += 1;
            other.join().unwrap();
        })
        .expect_completed();
    }
    assert_eq!(*LOCK.lock().unwrap(), 6);
}

#[test]
fn a_panic_with_the_lock_poisons_it() {
    let checked = Builder::new().panics_are_joined(true).run(|| {
        let lock = Arc::new(Mutex::new(()));
        let other = lock.clone();
        let thread = thread::spawn(move || {
            let _held = other.lock().unwrap();
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        assert!(thread.join().is_err());
        assert!(lock.lock().is_err() && lock.is_poisoned());
    });
    assert!(checked.failure.is_none() && checked.complete, "{checked}");
}

oleander_sim::thread_local! {
    static NUMBER: Cell<u32> = Cell::new(7);
    static ENDS: RefCell<Vec<Ends>> = RefCell::new(Vec::new());
}

/// Notes its end, and by which thread that was.
struct Ends(Arc<StdMutex<Vec<String>>>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(thread::current().name().unwrap_or("none").to_owned());
    }
}

#[test]
fn a_cell_of_a_thread_is_set_replaced_and_taken_in_and_outside_a_world() {
    oleander_sim::thread_local! {
        static WORD: RefCell<String> = RefCell::new("first".to_owned());
    }
    fn changes() {
        assert_eq!(WORD.replace("second".to_owned()), "first");
        WORD.set("third".to_owned());
        assert_eq!((WORD.take(), WORD.take()), ("third".to_owned(), String::new()));
    }
    run(changes).expect_completed();
    changes();
}

#[test]
fn each_simulated_thread_has_values_of_its_own_and_drops_them_itself() {
    let ends = Arc::new(StdMutex::new(Vec::new()));
    let noted = ends.clone();
    run(move || {
        NUMBER.set(1);
        let (mine, others) = (noted.clone(), noted.clone());
        ENDS.with_borrow_mut(|ends| ends.push(Ends(mine)));
        let other = thread::Builder::new().name("other".into()).spawn(move || {
            ENDS.with_borrow_mut(|ends| ends.push(Ends(others)));
            NUMBER.replace(2)
        });
        assert_eq!(other.unwrap().join().unwrap(), 7);
        assert_eq!(*noted.lock().unwrap(), ["other"]);
        assert_eq!(NUMBER.get(), 1);
    })
    .expect_completed();
    assert_eq!(*ends.lock().unwrap(), ["other", "main"]);
    assert_eq!(std::thread::spawn(|| NUMBER.get()).join().unwrap(), 7);
}

#[test]
fn a_parked_thread_goes_on_when_it_is_unparked_before_or_after() {
    let scenario = || {
        let parked = thread::spawn(thread::park);
        parked.thread().unpark();
        parked.join().unwrap();
        let me = thread::current();
        let other = thread::spawn(move || me.unpark());
        thread::park();
        thread::yield_now();
        other.join().unwrap();
    };
    explored(&Builder::new(), scenario);
    scenario();
}

/// The same source on the machine's threads: it behaves as the standard library does.
#[test]
fn outside_a_world_all_of_it_is_the_standard_library() {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let lock = Arc::new(RwLock::new(0));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (pair, lock) = (pair.clone(), lock.clone());
            thread::spawn(move || {
                *lock.write().unwrap() += 1;
                *pair.0.lock().unwrap() += 1;
                pair.1.notify_all();
            })
        })
        .collect();
    let all = pair.1.wait_while(pair.0.lock().unwrap(), |count| *count < 4).unwrap();
    drop(all);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    assert_eq!((*pair.0.try_lock().unwrap(), *lock.read().unwrap()), (4, 4));
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || sender.send(7));
    assert_eq!(receiver.recv(), Ok(7));
    assert!(worker.join().unwrap().is_ok());
}
