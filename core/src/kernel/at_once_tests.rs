//! What a wait takes from the table at once ([`HandleTable::take_at_once`]), on host threads: each test has a table of its own.

use super::*;
use crate::abi::types::HANDLE;
use crate::platform::{self, Deadline, ObjectKind, Why};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn process() -> Arc<crate::process::Process> {
    platform::current().process().clone()
}

fn table() -> HandleTable {
    HandleTable::new(process().new_object(ObjectKind::Table), false)
}

fn put(table: &HandleTable, object: KernelObject) -> HANDLE {
    table.insert(object).expect("there is room")
}

fn event(table: &HandleTable, auto: bool, signalled: bool) -> (Arc<Event>, HANDLE) {
    let event = Arc::new(Event::new(&process(), auto, signalled));
    (event.clone(), put(table, KernelObject::Event(event)))
}

fn semaphore(table: &HandleTable, count: u32) -> HANDLE {
    put(table, KernelObject::Semaphore(Arc::new(Semaphore::new(&process(), count, 1_000).unwrap())))
}

fn any(table: &HandleTable, handles: &[HANDLE]) -> Option<Option<Hit>> {
    table.take_at_once(handles, Need::Any, |_| false)
}

fn all(table: &HandleTable, handles: &[HANDLE]) -> Option<Option<Hit>> {
    table.take_at_once(handles, Need::All, |_| false)
}

const fn hit(index: usize) -> Option<Option<Hit>> {
    Some(Some(Hit { index, abandoned: false }))
}

const NOT_READY: Option<Option<Hit>> = Some(None);

#[test]
fn one_object_is_taken_or_not_ready() {
    let table = table();
    let ((_, manual), (_, auto), semaphore) =
        (event(&table, false, true), event(&table, true, true), semaphore(&table, 2));
    for take in [any, all] {
        assert_eq!([take(&table, &[manual]), take(&table, &[manual])], [hit(0); 2], "its signal stays");
    }
    assert_eq!([any(&table, &[auto]), any(&table, &[auto])], [hit(0), NOT_READY]);
    let semaphore = [semaphore];
    assert_eq!(
        [any(&table, &semaphore), all(&table, &semaphore), any(&table, &semaphore)],
        [hit(0), hit(0), NOT_READY]
    );
}

#[test]
fn wait_07_of_any_the_lowest_that_is_ready_is_taken_and_no_other() {
    let table = table();
    let (unset, low, high) = (event(&table, true, false), event(&table, true, true), event(&table, true, true));
    let handles = [unset.1, low.1, high.1];
    assert_eq!(any(&table, &handles), hit(1));
    assert_eq!((low.0.is_set(), high.0.is_set()), (false, true));
    assert_eq!([any(&table, &handles), any(&table, &handles)], [hit(2), NOT_READY]);
    unset.0.set();
    high.0.set();
    assert_eq!(any(&table, &handles), hit(0), "the first needs no look at the others");
    assert!(high.0.is_set());
}

#[test]
fn wait_14_all_are_taken_at_one_moment_or_none() {
    let table = table();
    let (first, last, count) = (event(&table, true, true), event(&table, true, false), semaphore(&table, 1));
    let handles = [first.1, count, last.1];
    assert_eq!(all(&table, &handles), NOT_READY);
    assert!(first.0.is_set(), "nothing was taken");
    last.0.set();
    assert_eq!(all(&table, &handles), hit(0));
    assert_eq!((first.0.is_set(), last.0.is_set(), any(&table, &[count])), (false, false, NOT_READY));
}

#[test]
fn of_no_object_nothing_is_taken() {
    assert_eq!(any(&table(), &[]), NOT_READY);
    assert_eq!(all(&table(), &[]), NOT_READY);
}

#[test]
fn what_is_no_handle_of_the_tables_takes_nothing_of_the_others() {
    let (own, other) = (table(), table());
    let (ready, first) = event(&own, true, true);
    // Its neighbour in a table that has more.
    event(&other, false, true);
    let (_, foreign) = event(&other, false, true);
    let (_, closed) = event(&own, false, true);
    drop(own.close(closed));
    for bad in [closed, foreign, HANDLE::NULL, CURRENT_THREAD] {
        for handles in [&[first, bad][..], &[bad, first], &[bad]] {
            assert_eq!((any(&own, handles), all(&own, handles)), (None, None), "{bad:?}");
        }
    }
    assert!(ready.is_set());
}

#[test]
fn a_refusal_comes_before_anything_is_taken_and_sees_all_in_order() {
    let table = table();
    let (one, two) = (event(&table, true, true), event(&table, true, true));
    let mut seen = Vec::new();
    let refused = table.take_at_once(&[two.1, one.1, two.1], Need::All, |objects| {
        seen.extend(objects.iter().map(|object| object.header().object()));
        true
    });
    assert_eq!(refused, None);
    assert_eq!(seen, [&two.0, &one.0, &two.0].map(|event| event.header().object()));
    assert!(one.0.is_set() && two.0.is_set());
}

#[test]
fn a_mutex_is_taken_by_its_owner_again_and_says_once_that_it_was_abandoned() {
    let table = table();
    let (mutex, other) = (Mutex::new(&process(), false), Mutex::new(&process(), true));
    let (_, unset) = event(&table, false, false);
    let handle = put(&table, KernelObject::Mutex(mutex.clone()));
    let theirs = mutex.clone();
    let take = move || assert!(wait_any(&[&*theirs], Deadline::NOW, Why::Wait).is_some());
    assert!(spawn("owner", false, take).ended.wait(Deadline::NEVER, Why::Wait));
    let abandoned = Some(Some(Hit { index: 1, abandoned: true }));
    assert_eq!([any(&table, &[unset, handle]), any(&table, &[unset, handle])], [abandoned, hit(1)]);
    // Twice, and its owner has it still after one release.
    assert!(mutex.release());
    let owned = put(&table, KernelObject::Mutex(other.clone()));
    std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| [any(&table, &[handle]), all(&table, &[unset, owned]), any(&table, &[owned])]);
        assert_eq!(elsewhere.join().unwrap(), [NOT_READY; 3]);
    });
    assert!(mutex.release() && other.release() && !mutex.release());
}

#[test]
fn nothing_is_counted_and_a_thread_is_its_end() {
    let table = table();
    let (counted, handle) = event(&table, false, true);
    let before = Arc::strong_count(&counted);
    let during = table.take_at_once(&[handle], Need::Any, |_| Arc::strong_count(&counted) != before);
    assert_eq!((during, Arc::strong_count(&counted)), (hit(0), before));
    let own = put(&table, KernelObject::Thread(platform::current().object().clone()));
    assert_eq!(any(&table, &[own]), NOT_READY, "this thread goes on");
    assert_eq!(any(&table, &[own, handle]), hit(1));
    drop(table.close(own));
}

#[test]
fn threads_that_take_at_once_take_each_signal_once() {
    const COUNT: u32 = 1_000;
    let (table, taken) = (table(), AtomicU32::new(0));
    let handles = [semaphore(&table, COUNT / 2), semaphore(&table, COUNT / 2)];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while any(&table, &handles).expect("both are handles").is_some() {
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(taken.into_inner(), COUNT);
}
