//! What a wait takes from the table at once ([`HandleTable::take_at_once`]), on host threads: each test has a table of its own.
//! And what it finds without the lock.

use super::at_once::{Look, look_for_all, look_for_any};
use super::header::WAITERS;
use super::*;
use crate::abi::types::HANDLE;
use crate::platform::{self, Deadline, ObjectKind, Why};
use std::cell::Cell;
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
    table.take_at_once(handles, false)
}

fn all(table: &HandleTable, handles: &[HANDLE]) -> Option<Option<Hit>> {
    table.take_at_once(handles, true)
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
fn of_all_where_one_is_named_twice_nothing_is_taken() {
    for auto in [false, true] {
        let table = table();
        let (one, two) = (event(&table, auto, true), event(&table, auto, true));
        let (other, unset) = (put(&table, KernelObject::Event(one.0.clone())), event(&table, auto, false));
        for twice in [[one.1, one.1, two.1], [two.1, one.1, two.1], [one.1, two.1, other], [unset.1, two.1, unset.1]] {
            assert_eq!(all(&table, &twice), None);
        }
        assert!(one.0.is_set() && two.0.is_set());
        assert_eq!(any(&table, &[unset.1, one.1, other]), hit(1), "any may be");
        one.0.set();
        assert_eq!(all(&table, &[two.1, one.1]), hit(0), "in whatever order they were made");
    }
}

#[test]
fn manual_events_are_seen_in_the_order_of_their_handles_and_keep_their_signals() {
    let table = table();
    let events = [(); 5].map(|()| event(&table, false, false));
    let handles = events.each_ref().map(|event| event.1);
    for round in 0..3 {
        assert_eq!([any(&table, &handles), all(&table, &handles)], [NOT_READY; 2], "round {round}");
        for (at, (event, _)) in events.iter().enumerate().rev() {
            event.set();
            assert_eq!([any(&table, &handles), any(&table, &handles)], [hit(at); 2]);
            assert_eq!(all(&table, &handles), if at == 0 { hit(0) } else { NOT_READY });
        }
        for at in [2, 0, 1, 3, 4] {
            events[at].0.reset();
            let lowest = events.iter().position(|(event, _)| event.is_set());
            assert_eq!((any(&table, &handles), all(&table, &handles)), (lowest.map_or(NOT_READY, hit), NOT_READY));
        }
    }
}

#[test]
fn a_manual_events_count_goes_round() {
    let (table, top) = (table(), WAITERS - 1);
    let (event, handle) = event(&table, false, true);
    let mut key = event.header().lock();
    event.header().freeze(&mut key);
    event.header().put(&mut key, top);
    event.header().thaw(&mut key);
    drop(key);
    assert_eq!((event.is_set(), event.count(), any(&table, &[handle])), (true, Some(top), hit(0)));
    event.set();
    assert_eq!(event.count(), Some(top), "nothing has changed");
    event.reset();
    assert_eq!((event.is_set(), event.count(), any(&table, &[handle])), (false, Some(0), NOT_READY));
    assert!(!event.header().has_waiters());
    event.reset();
    event.set();
    assert_eq!((event.is_set(), event.count()), (true, Some(1)));
}

/// Finds events, and makes a change once when the one at `of` was read so many times.
fn change_after<'e>(
    events: &'e [&'e Event],
    of: usize,
    times: u32,
    change: impl Fn(),
) -> impl Fn(usize) -> Option<&'e Event> {
    let left = Cell::new(times);
    let ran = Cell::new(false);
    move |at| {
        // What was found before is read when the next is asked for.
        if left.get() == 0 && !ran.replace(true) {
            change();
        }
        if at == of {
            left.set(left.get().saturating_sub(1));
        }
        Some(events[at])
    }
}

#[test]
fn what_changes_between_the_looks_is_unclear() {
    let process = process();
    let made = |signalled| Event::new(&process, false, signalled);
    let items = [0, 1, 2];
    // The lowest is signalled, and not again, while the second is read.
    let (low, mid, high) = (made(false), made(true), made(true));
    let events = [&low, &mid, &high];
    assert_eq!(look_for_any(&items, |at| Some(events[at])), Look::Hit(1));
    let passing = || {
        low.set();
        low.reset();
    };
    assert_eq!(look_for_any(&items, change_after(&events, 0, 1, passing)), Look::Unclear);
    // What lies behind the lowest may change, and what is signalled may be so for a moment.
    let behind = || {
        high.reset();
        mid.reset();
    };
    assert_eq!(look_for_any(&items, change_after(&events, 1, 1, behind)), Look::Hit(1));
    assert_eq!(look_for_any(&items, |at| Some(events[at])), Look::NotReady);
    assert_eq!(look_for_any(&items, change_after(&events, 1, 1, passing)), Look::Unclear);
    // Of all, one is not signalled for a moment.
    [&low, &mid, &high].into_iter().for_each(Event::set);
    assert_eq!(look_for_all(&items, |at| Some(events[at])), Look::Hit(0));
    let missing = || {
        mid.reset();
        mid.set();
    };
    assert_eq!(look_for_all(&items, change_after(&events, 1, 1, missing)), Look::Unclear);
    assert_eq!(look_for_all(&items, change_after(&events, 2, 1, || high.reset())), Look::Hit(0), "all were");
    assert_eq!(look_for_all(&items, |at| Some(events[at])), Look::NotReady);
}

#[test]
fn what_is_no_manual_event_is_unclear() {
    let process = process();
    let (manual, auto) = (Event::new(&process, false, true), Event::new(&process, true, true));
    assert_eq!(look_for_any(&[&auto], Some), Look::Unclear);
    assert_eq!(look_for_any(&[&manual, &auto], Some), Look::Hit(0), "it is not looked at");
    assert_eq!(look_for_any(&[Some(&manual), None], |event| event), Look::Unclear);
    for events in [[&manual, &auto], [&auto, &manual]] {
        assert_eq!(look_for_all(&events, Some), Look::Unclear);
    }
    assert_eq!(look_for_all(&[], Some), Look::Unclear);
    assert_eq!(look_for_any(&[], Some), Look::NotReady);
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
fn a_thread_is_its_end() {
    let table = table();
    let (_, handle) = event(&table, false, true);
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
