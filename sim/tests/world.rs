//! What a simulated world promises: steps, time, ends, reports, and that nothing of it stays behind.

mod common;

use common::*;
use oleander::platform::{self, Access, Deadline, ObjectKind, Spawn, Why};
use oleander_sim::schedule::{Dfs, Fixed, Point, Schedule};
use oleander_sim::trace::Trace;
use oleander_sim::{End, Limits, Report, explore, explore_with, run, run_with, world};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Starts a daemon through the port, as the runtime does.
fn spawn_daemon(body: impl FnOnce() + Send + 'static) {
    let current = platform::current();
    let spawn = Spawn { name: "daemon".to_owned(), process: current.process().clone(), daemon: true };
    current.port().spawn(spawn, Box::new(body));
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("the panic has words")
}

/// Sets a flag when it is dropped.
struct OnDrop(Arc<AtomicU32>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_empty_scenario_takes_no_step_and_no_time() {
    let report = run(|| {});
    assert_eq!((report.steps, report.virtual_ns, &report.end, report.abandoned), (0, 0, &End::Completed, 0));
}

#[test]
fn ten_virtual_hours_of_waiting_take_no_time() {
    let started = Instant::now();
    let report = run(|| {
        world::sleep(Duration::from_secs(36_000));
        assert_eq!(world::now_ns(), 36_000_000_000_000);
    });
    report.expect_completed();
    assert_eq!((report.steps, report.virtual_ns), (1, 36_000_000_000_000));
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn time_stands_still_while_a_thread_can_run() {
    let report = run(|| {
        let flag = Flag::new();
        let set = flag.clone();
        let busy = world::spawn("busy", move || {
            for _ in 0..100 {
                set.read();
            }
            assert_eq!(world::now_ns(), 0);
            set.set();
        });
        assert!(flag.wait_until(Deadline::after_ms(1)), "set before the clock moves");
        join(busy);
    });
    report.expect_completed();
    assert_eq!(report.virtual_ns, 0);
}

#[test]
fn a_wait_gives_up_at_its_deadline_and_at_once_when_it_polls() {
    run(|| {
        let flag = Flag::new();
        assert!(!flag.wait_until(Deadline::NOW));
        assert_eq!(world::now_ns(), 0);
        assert!(!flag.wait_until(Deadline::after_ms(7)));
        assert_eq!(world::now_ns(), 7_000_000);
        flag.set();
        assert!(flag.wait_until(Deadline::NOW));
        assert!(flag.wait_until(Deadline::after_s(3)));
        assert_eq!(world::now_ns(), 7_000_000);
    })
    .expect_completed();
}

#[test]
fn threads_whose_deadlines_have_come_race() {
    let orders = RefCell::new(BTreeSet::new());
    let found = explore(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let threads = [1, 2].map(|i| {
            let log = log.clone();
            world::spawn("sleeper", move || {
                world::sleep(Duration::from_secs(3));
                log.lock().unwrap().push(i);
            })
        });
        threads.into_iter().for_each(join);
        orders.borrow_mut().insert(log.lock().unwrap().clone());
    });
    assert_eq!(*orders.borrow(), BTreeSet::from([vec![1, 2], vec![2, 1]]));
    assert_eq!(found.failures, 0, "{found}");
}

#[test]
fn starting_a_thread_is_no_step_and_no_choice() {
    let started = Cell::new(0);
    let found = explore(|| {
        let count = Arc::new(AtomicU32::new(0));
        for _ in 0..5 {
            let count = count.clone();
            world::spawn("quiet", move || count.fetch_add(1, Ordering::Relaxed));
        }
        // A thread runs to its first stop right after the step that started it.
        assert_eq!(count.load(Ordering::Relaxed), 0);
        Flag::new().read();
        started.set(count.load(Ordering::Relaxed));
    });
    assert_eq!((found.schedules, found.steps_max, started.get()), (1, 1, 5), "{found}");
}

#[test]
fn threads_start_threads() {
    let found = explore(|| {
        let sum = world::spawn("parent", || {
            let children = [1, 2, 3].map(|i| world::spawn("child", move || i));
            children.into_iter().map(|child| child.join().unwrap()).sum::<i32>()
        });
        assert_eq!(sum.join().unwrap(), 6);
    });
    assert_eq!((found.schedules, found.traces, found.steps_max), (1, 1, 4), "{found}");
}

#[test]
fn classes_do_not_depend_on_the_numbers_of_threads_and_objects() {
    // Two threads start a thread each and make an object each, in either order: all independent.
    let found = explore(|| {
        let threads = [0, 1].map(|_| {
            world::spawn("parent", || {
                Flag::new().read();
                let mine = Flag::new();
                let shared = mine.clone();
                let child = world::spawn("child", move || shared.set());
                mine.wait();
                join(child);
            })
        });
        threads.into_iter().for_each(join);
    });
    assert!(found.schedules > 100, "{found}");
    assert_eq!((found.traces, found.failures), (1, 0), "{found}");
}

#[test]
fn what_is_chosen_inside_a_step_is_explored() {
    let seen = RefCell::new(Vec::new());
    let found = explore(|| {
        let current = platform::current();
        let port = current.port();
        let flag = Flag::new();
        assert_eq!(port.choose(1), 0);
        let first = port.choose(3);
        flag.read();
        seen.borrow_mut().push((first, if first == 1 { port.choose(2) } else { 9 }));
    });
    assert_eq!(*seen.borrow(), [(0, 9), (1, 0), (1, 1), (2, 9)]);
    assert_eq!((found.schedules, found.traces), (4, 4), "{found}");
}

#[test]
fn a_deadlock_says_who_waits_for_what() {
    let event = Cell::new(None);
    let report = run(|| {
        let flag = Flag::new();
        event.set(Some(flag.object()));
        spawn_daemon(|| _ = platform::block(&[], &|| false, Deadline::NEVER, Why::Idle));
        let waiting = world::spawn("lonely", {
            let flag = flag.clone();
            move || flag.wait()
        });
        join(waiting);
    });
    let End::Deadlock { blocked, .. } = &report.end else { panic!("{report}") };
    let who: Vec<_> = blocked.iter().map(|thread| (thread.thread.as_str(), thread.why, thread.daemon)).collect();
    assert_eq!(who, [("main", Why::Wait, false), ("daemon", Why::Idle, true), ("lonely", Why::Wait, false)]);
    assert_eq!(blocked[2].on, [event.get().unwrap()]);
    assert_eq!(report.abandoned, 3);
    let words = report.to_string();
    let number = event.get().unwrap().id;
    assert!(words.contains(&format!("'lonely' waits without dispatching for event {number}")), "{words}");
    assert!(!words.contains("daemon"), "{words}");
}

#[test]
fn a_panic_ends_the_execution_at_once() {
    let report = run(|| {
        let flag = Flag::new();
        let set = flag.clone();
        world::spawn("faulty", move || {
            set.read();
            panic!("on purpose {}", 1);
        });
        flag.wait();
    });
    assert_eq!(report.end, End::Panicked { thread: "faulty".to_owned(), message: "on purpose 1".to_owned() });
    assert_eq!((report.steps, report.abandoned), (1, 1));
}

#[test]
fn a_panic_is_handed_to_who_joins_where_it_does_not_end_the_execution() {
    let limits = Limits { panic_ends: false, ..Limits::default() };
    let joined = run_with(&mut Fixed, &limits, || {
        let faulty = world::spawn("faulty", || panic!("on purpose"));
        assert_eq!(message(faulty.join().unwrap_err()), "on purpose");
    });
    joined.expect_completed();
    let forgotten = run_with(&mut Fixed, &limits, || {
        drop(world::spawn("faulty", || panic!("on purpose")));
        Flag::new().set();
    });
    assert_eq!(forgotten.end, End::Panicked { thread: "faulty".to_owned(), message: "on purpose".to_owned() });
    assert_eq!((forgotten.steps, forgotten.abandoned), (1, 0));
}

#[test]
fn threads_in_circles_come_to_the_step_limit() {
    let limits = Limits { steps_max: 1000, ..Limits::default() };
    let report = run_with(&mut Fixed, &limits, || {
        let flag = Flag::new();
        while flag.read() == 0 {}
    });
    assert_eq!((report.steps, report.abandoned), (1000, 1));
    let End::StepLimit { circling } = &report.end else { panic!("{report}") };
    assert_eq!(circling.len(), 1, "{report}");
    assert!(circling[0].starts_with("'main' took 100 of the last 100: looks at event "), "{report}");
}

#[test]
fn worlds_do_not_nest() {
    let report = run(|| _ = run(|| {}));
    let End::Panicked { message, .. } = &report.end else { panic!("{report}") };
    assert!(message.contains("worlds do not nest"), "{message}");
}

#[test]
fn worlds_run_side_by_side() {
    let runs = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| explore(|| clients_on_one_sta(3)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for found in runs {
        assert_eq!((found.schedules, found.traces), (2454, 30), "{found}");
    }
}

/// The identity of the current thread, without adopting it anew.
fn current_thread() -> (u32, bool) {
    let current = platform::current();
    (current.id(), current.is_simulated())
}

#[test]
fn the_current_thread_is_the_same_before_and_after() {
    let before = current_thread();
    assert!(!before.1);
    run(|| assert!(current_thread().1));
    assert_eq!(current_thread(), before);
    run(|| panic!("on purpose"));
    assert_eq!(current_thread(), before);
    run(|| Flag::new().wait());
    assert_eq!(current_thread(), before);
}

/// Panics at the second scheduling point.
struct Faulty(u32);

impl Schedule for Faulty {
    fn new_execution(&mut self, _previous: Option<&Trace>) -> bool {
        true
    }
    fn choose(&mut self, _point: &Point<'_>) -> usize {
        self.0 += 1;
        assert!(self.0 < 2, "no more");
        0
    }
    fn choose_n(&mut self, _n: usize) -> usize {
        0
    }
}

#[test]
fn a_schedule_that_panics_leaves_the_thread_as_it_was() {
    let before = current_thread();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        run_with(&mut Faulty(0), &Limits::default(), || {
            let flag = Flag::new();
            flag.set();
            flag.wait();
        })
    }));
    assert_eq!(message(panic.unwrap_err()), "no more");
    assert_eq!(current_thread(), before);
    run(|| Flag::new().set()).expect_completed();
}

#[test]
fn every_thread_is_the_current_one_while_it_runs_and_while_its_condition_is_looked_at() {
    run(|| {
        let flag = Flag::new();
        let threads = [1, 2].map(|_| {
            let flag = flag.clone();
            world::spawn("watcher", move || {
                let me = platform::current().id();
                let ready = || {
                    assert_eq!(platform::current().id(), me);
                    flag.wait_until(Deadline::NOW)
                };
                assert!(platform::block(&[flag.object()], &ready, Deadline::NEVER, Why::Wait));
                assert_eq!(platform::current().id(), me);
            })
        });
        flag.read();
        flag.set();
        threads.into_iter().for_each(join);
    })
    .expect_completed();
}

#[test]
fn the_same_schedule_gives_the_same_trace() {
    let once = || run(|| clients_on_one_sta(3));
    let (first, second) = (once(), once());
    assert_eq!((first.trace_hash, first.steps), (second.trace_hash, second.steps));
    assert_ne!(first.trace_hash, run(|| clients_on_one_sta(2)).trace_hash);
}

/// Depth-first, but each execution is run twice.
#[derive(Default)]
struct Twice {
    dfs: Dfs,
    replay: Option<Dfs>,
    hash: u64,
    compared: u32,
}

impl Schedule for Twice {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        let Some(trace) = previous else { return self.dfs.new_execution(None) };
        if let Some(first) = self.replay.take() {
            assert_eq!(trace.hash(), self.hash);
            self.compared += 1;
            self.dfs = first;
            return self.dfs.new_execution(previous);
        }
        self.hash = trace.hash();
        self.replay = Some(self.dfs.clone());
        self.dfs.rewind();
        true
    }
    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.dfs.choose(point)
    }
    fn choose_n(&mut self, n: usize) -> usize {
        self.dfs.choose_n(n)
    }
}

#[test]
fn every_schedule_replays_to_the_same_trace() {
    let mut twice = Twice::default();
    explore_with(&mut twice, &Limits::default(), || clients_on_one_sta(3));
    assert_eq!(twice.compared, 2454);
}

#[test]
fn a_scenario_that_depends_on_the_outside_is_found_out() {
    let runs = Cell::new(0);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        explore(|| {
            runs.set(runs.get() + 1);
            let threads = [0, 1, 2].map(|_| {
                let more = runs.get() == 1;
                world::spawn("thread", move || {
                    if more {
                        Flag::new().read();
                    }
                })
            });
            threads.into_iter().for_each(join);
            Flag::new().read();
            platform::current().port().choose(2);
        })
    }));
    assert!(message(panic.unwrap_err()).contains("does not control"));
}

#[test]
fn what_a_thread_registered_runs_in_its_last_steps() {
    run(|| {
        let flag = Flag::new();
        let worker = world::spawn("worker", {
            let flag = flag.clone();
            move || platform::current().at_exit(Box::new(move || flag.set()))
        });
        let seen = flag.clone();
        join(worker);
        assert_eq!(seen.read(), 1, "a thread can be joined when its exits have run");
    })
    .expect_completed();
}

#[test]
fn idle_daemons_go_home_when_the_world_is_over() {
    let dropped = Arc::new(AtomicU32::new(0));
    let report = run(|| {
        let queue = Queue::new();
        for _ in 0..3 {
            let on_drop = OnDrop(dropped.clone());
            spawn_daemon(move || {
                let _on_drop = on_drop;
                while platform::block(&[], &|| false, Deadline::NEVER, Why::Idle) {}
            });
        }
        queue.post(1);
    });
    report.expect_completed();
    assert_eq!((report.abandoned, dropped.load(Ordering::Relaxed)), (0, 3));
}

/// The scenario itself runs whenever it can.
struct MainFirst;

impl Schedule for MainFirst {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        previous.is_none()
    }
    fn choose(&mut self, point: &Point<'_>) -> usize {
        point.enabled().iter().position(|&thread| thread == 0).unwrap_or(0)
    }
    fn choose_n(&mut self, _n: usize) -> usize {
        0
    }
}

#[test]
fn daemons_finish_what_they_do_and_those_that_wait_are_abandoned() {
    let dropped = Arc::new(AtomicU32::new(0));
    let (finishes, waits) = (OnDrop(dropped.clone()), OnDrop(dropped.clone()));
    let report = run_with(&mut MainFirst, &Limits::default(), move || {
        let (done, never) = (Flag::new(), Flag::new());
        let signal = done.clone();
        spawn_daemon(move || {
            let _finishes = finishes;
            signal.set();
            for _ in 0..10 {
                signal.read();
            }
        });
        spawn_daemon(move || {
            let _waits = waits;
            never.wait();
        });
        done.wait();
    });
    report.expect_completed();
    assert_eq!((report.steps, report.abandoned, dropped.load(Ordering::Relaxed)), (2, 1, 1));
}

#[test]
fn a_daemon_that_does_not_go_home_is_abandoned() {
    let report = run(|| {
        for _ in 0..2 {
            spawn_daemon(|| {
                loop {
                    platform::block(&[], &|| false, Deadline::NEVER, Why::Idle);
                }
            });
        }
        Flag::new().read();
    });
    report.expect_completed();
    assert_eq!(report.abandoned, 2);
}

/// Announces and waits while it is dropped.
struct NoisyDrop(Flag);

impl Drop for NoisyDrop {
    fn drop(&mut self) {
        let stopped = self.0.read();
        assert_eq!(stopped, 0, "another thread has run");
        assert!(!self.0.wait_until(Deadline::NEVER), "nobody sets it while we unwind");
    }
}

#[test]
fn no_switch_happens_while_a_panic_unwinds() {
    let found = explore(|| {
        let flag = Flag::new();
        let other = world::spawn("setter", {
            let flag = flag.clone();
            move || {
                flag.read();
                flag.set();
            }
        });
        let caught = world::spawn("panics", {
            let flag = Flag::new();
            move || {
                flag.read();
                catch_unwind(AssertUnwindSafe(|| {
                    let _noisy = NoisyDrop(flag.clone());
                    std::panic::resume_unwind(Box::new("quietly"));
                }))
                .is_err()
            }
        });
        assert!(caught.join().unwrap());
        join(other);
    });
    assert_eq!(found.failures, 0, "{found}");
    assert!(found.schedules > 1, "{found}");
}

#[test]
fn a_scenario_may_borrow_and_its_stacks_are_used_again() {
    let (count, stacks) = (Cell::new(0), RefCell::new(BTreeSet::new()));
    let found = explore(|| {
        count.set(count.get() + 1);
        stacks.borrow_mut().insert(std::ptr::from_ref(&found_on_stack()) as usize);
        clients_on_one_sta(3);
    });
    assert_eq!(count.get(), found.schedules);
    assert!(stacks.borrow().len() <= 4, "four threads need four stacks, however many executions there are");
}

fn found_on_stack() -> [u8; 16] {
    std::hint::black_box([0; 16])
}

#[test]
fn nothing_of_a_world_stays_behind() {
    let process = Cell::new(None);
    let keep = |report: Report| {
        report.expect_completed();
        let process = process.take().map(|process| std::sync::Weak::upgrade(&process));
        assert!(process.expect("the scenario ran").is_none());
    };
    keep(run(|| {
        process.set(Some(Arc::downgrade(platform::current().process())));
        clients_on_one_sta(2);
    }));
}

#[test]
fn an_exploration_stops_when_it_has_abandoned_too_much() {
    let limits = Limits { abandoned_max: 3, ..Limits::default() };
    let found = explore_with(&mut Dfs::default(), &limits, || {
        platform::current().port().choose(100);
        Flag::new().wait();
    });
    assert_eq!((found.schedules, found.failures, found.complete), (3, 3, false), "{found}");
}

#[test]
fn independent_objects_are_told_apart_by_kind_of_access() {
    // Two threads read one object; then one of them writes it.
    let count = |write: bool| {
        explore(move || {
            let object = new_object(ObjectKind::User);
            let access = if write { Access::Write } else { Access::Read };
            let reader = world::spawn("reader", move || platform::visit(object, Access::Read));
            platform::visit(object, access);
            join(reader);
        })
    };
    assert_eq!((count(false).schedules, count(false).traces), (2, 1));
    assert_eq!((count(true).schedules, count(true).traces), (2, 2));
}

#[test]
fn what_a_step_does_beside_its_operation_is_no_step_and_no_secret() {
    let count = |access: Access| {
        explore(move || {
            let (shared, own) = (new_object(ObjectKind::Table), new_object(ObjectKind::User));
            let other = world::spawn("other", move || platform::visit(shared, Access::Read));
            platform::visit(own, Access::Write);
            platform::note(shared, access);
            join(other);
        })
    };
    let (reads, writes) = (count(Access::Read), count(Access::Write));
    assert_eq!((reads.schedules, reads.traces, reads.steps_max), (2, 1, 3), "{reads}");
    assert_eq!((writes.schedules, writes.traces, writes.steps_max), (2, 2, 3), "{writes}");
}
