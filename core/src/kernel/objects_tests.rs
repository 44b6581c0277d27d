//! What threads own and leave, who is told when, and tasks that are sent: on host threads, none of which is slept for.

use super::*;
use crate::platform::{self, Deadline, Why};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn process() -> Arc<crate::process::Process> {
    platform::current().process().clone()
}

fn mutexes() -> [Arc<Mutex>; 2] {
    [(); 2].map(|()| Mutex::new(&process(), false))
}

/// Runs something on a thread that has ended then.
fn on_a_thread(body: impl FnOnce() + Send + 'static) {
    assert!(spawn("ends", false, body).ended.wait(Deadline::NEVER, Why::Wait));
}

/// Takes an object that is there, and says whether its owner has left it.
fn takes_left(object: &dyn Waitable) -> bool {
    wait(&[object], false, Deadline::NOW, Why::Wait).expect("nobody owns it").abandoned
}

/// A callback that counts, and its count.
fn counted() -> (Callback, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let count = calls.clone();
    let call = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    (Arc::new(call), calls)
}

#[test]
fn wait_18_what_a_thread_gave_up_in_time_is_not_abandoned() {
    let [first, second] = mutexes();
    let (a, b) = (first.clone(), second.clone());
    on_a_thread(move || {
        assert!(wait_all(&[&*a, &*b], Deadline::NOW, Why::Wait));
        assert!(a.release());
    });
    assert_eq!((takes_left(&*first), takes_left(&*second)), (false, true));
}

#[test]
fn wait_18_a_wait_for_all_says_that_one_was_abandoned() {
    let [first, second] = mutexes();
    let a = first.clone();
    on_a_thread(move || assert!(!takes_left(&*a)));
    let hit = wait(&[&*first, &*second], true, Deadline::NOW, Why::Wait);
    assert_eq!(hit, Some(Hit { index: 0, abandoned: true }));
}

#[test]
fn wait_16_an_alertable_wait_for_all_owns_all_that_it_took() {
    let [first, second] = mutexes();
    let (a, b) = (first.clone(), second.clone());
    on_a_thread(move || {
        let woken = wait_alertable(&[&*a, &*b], true, Deadline::NOW, Why::Wait);
        assert_eq!(woken, Woken::Hit(Hit { index: 0, abandoned: false }));
    });
    assert_eq!((takes_left(&*first), takes_left(&*second)), (true, true));
}

#[test]
fn wait_16_an_alertable_wait_for_all_that_calls_end_owns_nothing() {
    let [first, second] = mutexes();
    assert!(!takes_left(&*second));
    let (a, b) = (first.clone(), second.clone());
    on_a_thread(move || {
        assert!(platform::current().object().apcs.post(Box::new(|| {})).is_ok());
        assert_eq!(wait_alertable(&[&*a, &*b], true, Deadline::NOW, Why::Wait), Woken::Apc);
    });
    assert!(!takes_left(&*first));
    assert!(second.release() && !second.release());
}

#[test]
fn a_thread_that_waits_for_more_does_not_hold_up_one_that_came_later() {
    let (first, second) = (Event::auto(), Event::auto());
    let until_waiting = |count| {
        while first.header().waiters() < count {
            std::thread::yield_now();
        }
    };
    let (a, b) = (first.clone(), second.clone());
    let all = std::thread::spawn(move || wait_all(&[&*a, &*b], Deadline::NEVER, Why::Wait));
    until_waiting(1);
    let a = first.clone();
    let one = std::thread::spawn(move || a.wait(Deadline::NEVER, Why::Wait));
    until_waiting(2);
    first.set();
    assert!(one.join().unwrap() && !first.is_set());
    first.set();
    second.set();
    assert!(all.join().unwrap());
}

#[test]
fn a_callback_is_not_called_by_what_does_not_make_the_object_ready() {
    let (call, calls) = counted();
    let event = Event::manual();
    let registration = on_signal(event.clone(), call);
    event.reset();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    event.set();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(registration);
}

#[test]
fn each_registration_is_cancelled_by_itself() {
    let ((first, firsts), (second, seconds)) = (counted(), counted());
    let event = Event::manual();
    let keeps = on_signal(event.clone(), first);
    drop(on_signal(event.clone(), second));
    event.set();
    assert_eq!((firsts.load(Ordering::Relaxed), seconds.load(Ordering::Relaxed)), (1, 0));
    drop(keeps);
}

#[test]
fn a_callback_of_a_mutex_is_called_when_nobody_owns_it() {
    let (call, calls) = counted();
    let mutex = Mutex::new(&process(), true);
    let registration = on_signal(mutex.clone(), call.clone());
    assert!(!takes_left(&*mutex) && mutex.release());
    assert_eq!(calls.load(Ordering::Relaxed), 0, "it is owned still");
    assert!(mutex.release());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(registration);
    let taken = mutex.clone();
    on_a_thread(move || assert!(!takes_left(&*taken)));
    drop(on_signal(mutex.clone(), call));
    assert_eq!(calls.load(Ordering::Relaxed), 2, "who owned it has left it");
}

#[test]
fn events_and_tables_say_what_they_are() {
    assert!(Event::auto().is_auto() && !Event::manual().is_auto());
    let table = crate::process::Process::new(platform::host());
    let table = table.handles();
    assert_eq!((table.is_empty(), table.len()), (true, 0));
    let handles = [(); 2].map(|()| table.insert(KernelObject::Event(Event::manual())).unwrap());
    assert!(!table.is_empty() && table.len() == 2);
    for handle in handles {
        drop(table.close(handle).unwrap());
    }
    assert!(table.is_empty());
}

#[test]
fn a_thread_that_has_ended_is_found_only_while_a_handle_stands_for_it() {
    let spawned = spawn("ends", false, || {});
    assert!(spawned.ended.wait(Deadline::NEVER, Why::Wait));
    let thread = spawned.thread.object().clone();
    assert!(process().threads.get(thread.id()).is_none());
    let handle = process().handles.insert(KernelObject::Thread(thread.clone())).unwrap();
    assert!(process().threads.get(thread.id()).is_some());
    drop(process().handles.close(handle).unwrap());
    assert!(process().threads.get(thread.id()).is_none());
}

#[derive(Default)]
struct Told {
    ran: AtomicU32,
    abandoned: AtomicU32,
}

impl Task for Told {
    fn run(self: Arc<Self>) {
        self.ran.fetch_add(1, Ordering::Relaxed);
    }
    fn abandon(self: Arc<Self>) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends a task to this thread, whose queue closes and gives it out; what the sender got, and how often the task ran and was
/// abandoned.
fn sent_to_a_queue_that_closes(then: fn(Arc<dyn Task>)) -> (bool, u32, u32) {
    let (mine, task) = (queue(), Arc::new(Told::default()));
    let (to, sent) = (mine.clone(), task.clone());
    let sender = std::thread::spawn(move || send_task(&to, sent));
    let waits = QueueWait { queue: &mine, mask: SENT };
    assert_eq!(wait_any(&[&waits], Deadline::NEVER, Why::Wait), Some(0));
    let left = mine.close_tasks();
    assert_eq!(left.len(), 1);
    left.into_iter().for_each(then);
    (sender.join().unwrap(), task.ran.load(Ordering::Relaxed), task.abandoned.load(Ordering::Relaxed))
}

#[test]
fn msg_19_a_task_that_was_sent_runs_when_its_queue_has_closed_or_its_sender_hears_that_it_did_not() {
    assert_eq!(sent_to_a_queue_that_closes(|task| task.run()), (true, 1, 0));
    queue().open_tasks();
    assert_eq!(sent_to_a_queue_that_closes(|task| task.abandon()), (false, 0, 1));
}
