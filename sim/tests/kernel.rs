//! The kernel objects in a simulated world: each operation and each wait is one step, so the calibration's numbers come
//! out with them as they do with objects at port level.

#[path = "common/explored.rs"]
mod explored;
#[path = "common/kernel.rs"]
mod programs;

use explored::*;
use oleander::kernel::{
    Event, Filter, Hit, Mutex, Spawned, Woken, message, queue, queue_work_item, spawn, wait_alertable, wait_all,
    wait_any,
};
use oleander::platform::{self, Deadline, Why};
use oleander::windows_core::GUID;
use oleander_sim::{End, explore, run, world};
use programs::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn wait(event: &Event) {
    assert!(event.wait(Deadline::NEVER, Why::Wait));
}

fn join(thread: &Spawned) {
    wait(&thread.ended);
}

#[test]
fn one_setter_and_one_waiter_are_one_trace() {
    let found = explore(|| {
        let event = Event::manual();
        let set = event.clone();
        spawn("setter", false, move || set.set());
        wait(&event);
    });
    assert_counts(&found, 1, 1);
    assert_eq!(found.steps_max, 2, "a thread's end is part of its last step");
}

#[test]
fn a_setter_and_two_waiters_are_3_schedules_and_1_trace() {
    let found = explore(|| {
        let event = Event::manual();
        let (set, other) = (event.clone(), event.clone());
        let setter = spawn("setter", false, move || set.set());
        let waiter = spawn("waiter", false, move || wait(&other));
        wait(&event);
        join(&setter);
        join(&waiter);
    });
    assert_counts(&found, 3, 1);
}

#[test]
fn two_independent_pairs_are_3_schedules_and_1_trace() {
    let found = explore(|| {
        let (e, f) = (Event::manual(), Event::manual());
        let (set_e, set_f) = (e.clone(), f.clone());
        let first = spawn("first", false, move || set_e.set());
        let second = spawn("second", false, move || set_f.set());
        wait(&e);
        wait(&f);
        join(&first);
        join(&second);
    });
    assert_counts(&found, 3, 1);
}

#[test]
fn a_call_with_a_canceller_is_7_schedules_and_2_traces() {
    let results = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        let [done, result, cancel] = [Event::manual(), Event::manual(), Event::manual()];
        let (served, results_in, asked, asks) = (done.clone(), result.clone(), cancel.clone(), cancel.clone());
        let server = spawn("server", false, move || {
            let cancelled = asked.is_set();
            if cancelled {
                results_in.reset()
            } else {
                results_in.set()
            }
            served.set();
        });
        let canceller = spawn("canceller", false, move || asks.set());
        wait(&done);
        let result = result.is_set();
        join(&server);
        join(&canceller);
        results.borrow_mut().insert(result);
    });
    assert_counts(&found, 7, 2);
    assert_eq!(*results.borrow(), BTreeSet::from([false, true]));
}

#[test]
fn two_clients_on_one_sta_are_26_schedules_and_4_traces() {
    assert_counts(&explore(|| drop(kernel_clients_on_one_sta(2))), 26, 4);
}

#[test]
fn three_clients_on_one_sta_are_2454_schedules_and_30_traces() {
    assert_counts(&explore(|| drop(kernel_clients_on_one_sta(3))), 2454, 30);
}

#[test]
fn two_philosophers_deadlock_in_2_of_6_schedules_first_in_the_third() {
    let found = explore(|| {
        let process = platform::current().process().clone();
        let forks = [Mutex::new(&process, false), Mutex::new(&process, false)];
        let dine = |first: Arc<Mutex>, second: Arc<Mutex>| {
            move || {
                assert_eq!(wait_any(&[&*first], Deadline::NEVER, Why::Wait), Some(0));
                assert_eq!(wait_any(&[&*second], Deadline::NEVER, Why::Wait), Some(0));
                assert!(second.release() && first.release());
            }
        };
        spawn("other", false, dine(forks[1].clone(), forks[0].clone()));
        dine(forks[0].clone(), forks[1].clone())();
    });
    let first = found.first_failure.as_ref().map(|failure| failure.schedule);
    assert_eq!((found.schedules, found.failures, first), (6, 2, Some(3)), "{found}");
}

#[test]
fn an_automatic_event_releases_one_wait_for_each_signal() {
    let takers = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        let event = Event::auto();
        let taken = Arc::new(AtomicU32::new(0));
        let waiters = [1, 2].map(|i| {
            let (event, taken) = (event.clone(), taken.clone());
            spawn("waiter", false, move || {
                if event.wait(Deadline::after_s(1), Why::Wait) {
                    taken.fetch_or(i, Ordering::Relaxed);
                }
            })
        });
        event.set();
        waiters.iter().for_each(join);
        takers.borrow_mut().insert(taken.load(Ordering::Relaxed));
    });
    assert_eq!(found.failures, 0, "{found}");
    assert_eq!(*takers.borrow(), BTreeSet::from([1, 2]), "either, never both, never none");
    assert!(found.traces >= 2, "{found}");
}

#[test]
fn a_wait_for_all_takes_all_or_nothing() {
    let found = explore(|| {
        let (a, b) = (Event::auto(), Event::auto());
        let (set_a, set_b) = (a.clone(), b.clone());
        let setter = spawn("setter", false, move || {
            set_a.set();
            set_b.set();
        });
        // Whenever the wait for both gives up, neither signal is gone.
        let both = wait_all(&[&*a, &*b], Deadline::NOW, Why::Wait);
        join(&setter);
        assert_eq!((a.is_set(), b.is_set()), (!both, !both));
    });
    assert_eq!(found.failures, 0, "{found}");
    assert_eq!(found.traces, 3, "before both, between them, after them: {found}");
}

#[test]
fn a_wait_for_any_takes_the_lowest_in_one_step() {
    let report = run(|| {
        let events = [Event::auto(), Event::auto(), Event::auto()];
        events[2].set();
        events[1].set();
        let wait = || wait_any(&[&*events[0], &*events[1], &*events[2]], Deadline::after_ms(10), Why::Wait);
        assert_eq!((wait(), wait(), wait()), (Some(1), Some(2), None));
        assert_eq!(world::now_ns(), 10_000_000);
    });
    report.expect_completed();
    assert_eq!(report.steps, 5);
}

#[test]
fn wait_16_an_alertable_wait_for_all_takes_all_in_one_step_or_waits() {
    let report = run(|| {
        let events = [Event::auto(), Event::auto()];
        let wait = || wait_alertable(&[&*events[0], &*events[1]], true, Deadline::after_ms(10), Why::Wait);
        events[0].set();
        assert_eq!((wait(), world::now_ns()), (Woken::TimedOut, 10_000_000));
        events[1].set();
        assert_eq!(wait(), Woken::Hit(Hit { index: 0, abandoned: false }));
        assert_eq!((wait(), world::now_ns()), (Woken::TimedOut, 20_000_000));
    });
    report.expect_completed();
    assert_eq!(report.steps, 5);
}

#[test]
fn a_signal_races_with_a_deadline_only_when_its_time_has_come() {
    let outcomes = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        let event = Event::manual();
        let set = event.clone();
        let setter = spawn("setter", false, move || {
            world::sleep(std::time::Duration::from_secs(3));
            set.set();
        });
        let early = event.wait(Deadline::after_s(2), Why::Wait);
        let on_time = event.wait(Deadline::after_s(1), Why::Wait);
        assert_eq!(world::now_ns(), 3_000_000_000);
        assert!(event.wait(Deadline::after_s(1), Why::Wait));
        join(&setter);
        outcomes.borrow_mut().insert((early, on_time));
    });
    assert_eq!(found.failures, 0, "{found}");
    assert_eq!(*outcomes.borrow(), BTreeSet::from([(false, false), (false, true)]));
}

#[test]
fn work_items_run_and_their_workers_go_home() {
    let process = Cell::new(None);
    let found = explore(|| {
        process.set(Some(Arc::downgrade(platform::current().process())));
        let done = [Event::manual(), Event::manual()];
        for event in &done {
            let event = event.clone();
            queue_work_item(move || event.set());
        }
        done.iter().for_each(|event| wait(event));
    });
    assert_eq!(found.failures, 0, "{found}");
    assert!(found.complete && found.schedules > 1, "{found}");
    let process = process.take().expect("the scenario ran");
    assert!(process.upgrade().is_none(), "no worker of the last execution was abandoned");
}

/// Queues a work item that notes its thread, and then does something.
fn item(threads: &Arc<std::sync::Mutex<Vec<u32>>>, then: impl FnOnce() + Send + 'static) {
    let threads = threads.clone();
    queue_work_item(move || {
        threads.lock().expect("nobody panics").push(platform::current().id());
        then();
    });
}

#[test]
fn msg_18_an_idle_worker_takes_one_item_and_the_next_has_another() {
    let report = run(|| {
        let threads = Arc::new(std::sync::Mutex::default());
        let [ran, opened, done] = [(); 3].map(|()| Event::manual());
        let (runs, opens, opening, ends) = (ran.clone(), opened.clone(), opened, done.clone());
        item(&threads, move || runs.set());
        wait(&ran);
        world::sleep(std::time::Duration::from_millis(1));
        item(&threads, move || {
            wait(&opening);
            ends.set();
        });
        item(&threads, move || opens.set());
        wait(&done);
        let threads = threads.lock().expect("nobody panics");
        assert!(threads.len() == 3 && threads[0] == threads[1] && threads[1] != threads[2], "{threads:?}");
    });
    report.expect_completed();
}

#[test]
fn msg_18_the_pool_has_512_workers() {
    let report = run(|| {
        let threads = Arc::new(std::sync::Mutex::default());
        let gate = Event::manual();
        for _ in 0..513 {
            let gate = gate.clone();
            item(&threads, move || wait(&gate));
        }
        world::sleep(std::time::Duration::from_millis(1));
        assert_eq!(threads.lock().expect("nobody panics").len(), 512);
        gate.set();
        world::sleep(std::time::Duration::from_millis(1));
        assert_eq!(threads.lock().expect("nobody panics").len(), 513);
    });
    report.expect_completed();
}

#[test]
fn a_thread_that_uses_its_queue_alone_makes_no_trace_more() {
    let found = explore(|| {
        let threads = [0, 1].map(|_| {
            spawn("quiet", false, || {
                queue().post(message(Default::default(), 0x400, 0, 0)).expect("there is room");
                queue().next_message(&Filter::ALL, true, Deadline::NOW).expect("it is there");
            })
        });
        threads.iter().for_each(join);
    });
    assert_eq!((found.traces, found.failures), (1, 0), "{found}");
    assert!(found.schedules > 100, "{found}");
}

#[test]
fn a_message_loop_that_gets_nothing_is_reported() {
    let report = run(|| {
        let loops = spawn("STA", false, || _ = queue().next_message(&Filter::ALL, true, Deadline::NEVER));
        join(&loops);
    });
    let End::Deadlock { blocked, .. } = &report.end else { panic!("{report}") };
    let who: Vec<_> = blocked.iter().map(|thread| (thread.thread.as_str(), thread.why)).collect();
    assert_eq!(who, [("main", Why::Wait), ("STA", Why::MessageLoop)]);
}

/// Draws two ids on each of two threads, in whatever order.
fn drawn() -> Vec<GUID> {
    let draw = |into: &std::sync::Mutex<Vec<GUID>>| {
        for _ in 0..2 {
            let mut id = GUID::zeroed();
            // SAFETY: a valid place.
            assert_eq!(unsafe { oleander::CoCreateGuid(&mut id) }, oleander::S_OK);
            into.lock().expect("nobody panics").push(id);
        }
    };
    let (mine, others) = (std::sync::Mutex::default(), Arc::new(std::sync::Mutex::default()));
    let place = others.clone();
    let other = spawn("other", false, move || draw(&place));
    draw(&mine);
    join(&other);
    let mut all = mine.into_inner().expect("nobody panics");
    all.extend(others.lock().expect("nobody panics").iter());
    all
}

#[test]
fn new_ids_are_the_same_in_every_run_and_no_step() {
    let first = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = first.clone();
    let found = explore(move || {
        let ids = drawn();
        assert_eq!(ids.iter().map(GUID::to_u128).collect::<BTreeSet<_>>().len(), 4, "no id twice");
        let mut seen = seen.lock().expect("nobody panics");
        assert!(seen.is_empty() || *seen == ids, "another schedule, other ids");
        *seen = ids;
    });
    assert_counts(&found, 1, 1);
    assert_eq!(first.lock().expect("nobody panics").len(), 4);
}
