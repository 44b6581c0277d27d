//! Waits on host threads. Threads that must wait before something happens are seen to be registered, never slept for.

use super::*;
use crate::platform::{self, Deadline, Why};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn process() -> Arc<crate::process::Process> {
    platform::current().process().clone()
}

fn semaphore(count: u32) -> Semaphore {
    Semaphore::new(&process(), count, 10).unwrap()
}

/// Spins until a thread is registered on the object.
fn until_waited_for(object: &dyn Waitable) {
    while !object.header().has_waiters() {
        std::thread::yield_now();
    }
}

fn poll_any(objects: &[&dyn Waitable]) -> Option<usize> {
    wait_any(objects, Deadline::NOW, Why::Wait)
}

#[test]
fn sync_01_new_event_is_not_signalled() {
    assert!(!Event::manual().poll());
    assert!(!Event::auto().poll());
    assert!(!Event::manual().wait(Deadline::after_ms(5), Why::Wait));
}

#[test]
fn sync_02_signal_sticks() {
    let event = Event::manual();
    event.set();
    event.set();
    assert!(event.poll() && event.poll());
    event.reset();
    event.reset();
    assert!(!event.poll(), "SYNC-03");
}

#[test]
fn sync_05_wait_takes_the_signal_of_an_automatic_event() {
    let event = Event::auto();
    event.set();
    event.set();
    assert!(event.poll());
    assert!(!event.poll(), "two signals are one");
}

#[test]
fn sync_15_signal_releases_every_wait_even_if_reset_follows() {
    let event = Event::manual();
    let waits: Vec<_> = (0..4)
        .map(|_| {
            let event = event.clone();
            std::thread::spawn(move || event.wait(Deadline::NEVER, Why::Wait))
        })
        .collect();
    while event.header().waiters() < 4 {
        std::thread::yield_now();
    }
    event.set();
    event.reset();
    assert!(!event.poll());
    for wait in waits {
        assert!(wait.join().unwrap());
    }
}

#[test]
fn wait_07_lowest_index_wins() {
    let (first, second) = (semaphore(1), semaphore(1));
    let both: [&dyn Waitable; 2] = [&first, &second];
    assert_eq!(poll_any(&both), Some(0));
    assert_eq!(poll_any(&both), Some(1));
    assert!(!first.header().has_waiters() && !second.header().has_waiters(), "a wait leaves nothing behind");
    assert_eq!(poll_any(&both), None);
    assert_eq!(wait_any(&both, Deadline::after_ms(1), Why::Wait), None);
    assert!(!first.header().has_waiters() && !second.header().has_waiters(), "a wait leaves nothing behind");
}

#[test]
fn wait_14_wait_all_takes_all_or_nothing() {
    let (first, second) = (semaphore(1), semaphore(0));
    let both: [&dyn Waitable; 2] = [&first, &second];
    assert!(!wait_all(&both, Deadline::after_ms(1), Why::Wait));
    assert_eq!(poll_any(&[&first]), Some(0), "nothing was taken");
    first.release(1).unwrap();
    second.release(1).unwrap();
    assert!(wait_all(&both, Deadline::NOW, Why::Wait));
    assert_eq!(poll_any(&both), None, "both were taken");
}

#[test]
fn a_blocked_wait_all_takes_nothing_before_all_is_there() {
    let first = Event::auto();
    let second = Event::auto();
    let (a, b) = (first.clone(), second.clone());
    let wait = std::thread::spawn(move || wait_all(&[&*a, &*b], Deadline::NEVER, Why::Wait));
    until_waited_for(&*second);
    first.set();
    assert!(first.poll(), "another may take it while the wait for all is blocked");
    second.set();
    first.set();
    assert!(wait.join().unwrap());
    assert!(!first.is_set() && !second.is_set());
}

#[test]
fn waits_are_served_in_the_order_they_came() {
    let event = Event::auto();
    let order = Arc::new(AtomicU32::new(0));
    let waits: Vec<_> = (0..3usize)
        .map(|n| {
            let (event_, order) = (event.clone(), order.clone());
            let wait = std::thread::spawn(move || {
                assert!(event_.wait(Deadline::NEVER, Why::Wait));
                order.fetch_add(1, Ordering::Relaxed)
            });
            while event.header().waiters() <= n {
                std::thread::yield_now();
            }
            wait
        })
        .collect();
    for (n, wait) in waits.into_iter().enumerate() {
        event.set();
        assert_eq!(wait.join().unwrap() as usize, n);
    }
}

#[test]
fn a_semaphore_keeps_its_maximum() {
    let semaphore = Semaphore::new(&process(), 1, 2).unwrap();
    assert_eq!(semaphore.release(2), None);
    assert_eq!(semaphore.release(1), Some(1));
    assert_eq!(semaphore.release(1), None);
    assert_eq!((0..4).filter(|_| poll_any(&[&semaphore]).is_some()).count(), 2);
    assert!(Semaphore::new(&process(), 3, 2).is_none());
    assert!(Semaphore::new(&process(), 0, 0).is_none());
    assert!(Semaphore::new(&process(), 0, 1 << 31).is_none());
}

#[test]
fn a_mutex_belongs_to_its_owner_as_often_as_it_took_it() {
    let mutex = Mutex::new(&process(), true);
    assert_eq!(poll_any(&[&*mutex]), Some(0));
    let other = mutex.clone();
    let taken = std::thread::spawn(move || (poll_any(&[&*other]), other.release())).join().unwrap();
    assert_eq!(taken, (None, false));
    assert!(mutex.release() && mutex.release());
    assert!(!mutex.release());
    let other = mutex.clone();
    assert_eq!(std::thread::spawn(move || (poll_any(&[&*other]), other.release())).join().unwrap(), (Some(0), true));
}

#[test]
fn wait_18_an_abandoned_mutex_says_so_once() {
    let mutex = Mutex::new(&process(), false);
    let (never, other) = (Event::manual(), mutex.clone());
    let thread = spawn("owner", false, move || assert_eq!(poll_any(&[&*other]), Some(0)));
    let objects: [&dyn Waitable; 2] = [&*never, &*mutex];
    thread.ended.wait(Deadline::NEVER, Why::Wait);
    let hit = wait(&objects, false, Deadline::NEVER, Why::Wait);
    assert_eq!(hit, Some(Hit { index: 1, abandoned: true }));
    assert_eq!(wait(&objects, false, Deadline::NOW, Why::Wait), Some(Hit { index: 1, abandoned: false }));
    assert!(mutex.release() && mutex.release());
}

#[test]
fn the_end_of_a_thread_comes_after_its_exits() {
    let ran = Event::manual();
    let exit = ran.clone();
    let thread = spawn("ends", false, move || {
        platform::current().at_exit(Box::new(move || exit.set()));
    });
    assert!(thread.ended.wait(Deadline::NEVER, Why::Wait));
    assert!(ran.poll());
}

/// Where thread-locals go, Windows holds the loader's lock: an exit that waits for another thread would wait for ever there.
#[test]
fn the_exits_of_a_thread_come_before_its_thread_locals_go() {
    struct Local;
    impl Drop for Local {
        fn drop(&mut self) {}
    }
    thread_local!(static LOCAL: Local = const { Local });

    let whole = Event::manual();
    let seen = whole.clone();
    let thread = spawn("ends", false, move || {
        LOCAL.with(|_| {});
        platform::current().at_exit(Box::new(move || {
            if LOCAL.try_with(|_| {}).is_ok() {
                seen.set();
            }
        }));
    });
    assert!(thread.ended.wait(Deadline::NEVER, Why::Wait));
    assert!(whole.poll(), "its thread-locals had gone");
}

#[test]
fn a_callback_is_called_once_and_takes_nothing() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted: Callback = {
        let calls = calls.clone();
        Arc::new(move || {
            calls.fetch_add(1, Ordering::Relaxed);
        })
    };
    let event = Event::auto();
    let registration = on_signal(event.clone(), counted.clone());
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    event.set();
    event.set();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(event.poll());
    drop(registration);
    event.set();
    drop(on_signal(event.clone(), counted.clone()));
    assert_eq!(calls.load(Ordering::Relaxed), 2, "ready already: called at once");
    event.reset();
    drop(on_signal(event.clone(), counted.clone()));
    event.set();
    assert_eq!(calls.load(Ordering::Relaxed), 2, "cancelled");
    assert_eq!(Arc::strong_count(&counted), 1, "nothing keeps the callback");
}

#[test]
fn many_threads_share_one_semaphore_and_lose_nothing() {
    const EACH: u32 = 500;
    let semaphore = Arc::new(Semaphore::new(&process(), 0, SEMAPHORE_COUNT_MAX).unwrap());
    let never = Event::manual();
    let takers: Vec<_> = (0..4)
        .map(|n| {
            let (semaphore, never) = (semaphore.clone(), never.clone());
            std::thread::spawn(move || {
                for _ in 0..EACH {
                    // Half of them wait for two objects, so both ways of waiting are mixed.
                    let hit = match n % 2 {
                        0 => wait_any(&[&*semaphore], Deadline::NEVER, Why::Wait),
                        _ => wait_any(&[&*semaphore, &*never], Deadline::NEVER, Why::Wait),
                    };
                    assert_eq!(hit, Some(0));
                }
            })
        })
        .collect();
    for _ in 0..4 * EACH {
        semaphore.release(1).unwrap();
    }
    for taker in takers {
        taker.join().unwrap();
    }
    assert_eq!(poll_any(&[&*semaphore]), None);
}

#[test]
fn a_handle_means_nothing_in_another_process() {
    let event = Event::manual();
    let handle = process().handles.insert(KernelObject::Event(event.clone())).unwrap();
    let other = crate::process::Process::new(platform::host());
    platform::run_as(&other, || {
        assert!(process().handles.get(handle).is_none());
        assert!(process().handles.close(handle).is_none());
    });
    drop(process().handles.close(handle).unwrap());
    assert!(process().handles.get(handle).is_none());
    assert_eq!(Arc::strong_count(&event), 1);
}

#[test]
#[should_panic(expected = "the objects of one wait belong to one process")]
fn a_wait_for_objects_of_two_processes_is_a_bug_of_the_caller() {
    let other = crate::process::Process::new(platform::host());
    poll_any(&[&*Event::manual(), &Event::new(&other, false, true)]);
}
