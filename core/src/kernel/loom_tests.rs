//! loom's models of the kernel objects, at the level of their atomics: every interleaving of the threads, and every
//! value that a load may give under the orderings that are written down.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p oleander --lib --release loom_`
//!
//! The models of two threads take less than a second each, those of three, bounded to three preemptions, up to six
//! seconds. `tests/mutants/*.toml` names for each model a change that turns it red; `ci/mutants loom` tries them.
//!
//! Other rooms' models use what starts a model here.
//!
//! A wait that is never woken is a deadlock, which loom reports. Time stands still: a timed wait never times out.

use super::at_once::{Look, look_for_all, look_for_any};
use super::*;
use crate::abi::interfaces::{IAgileObject, IAgileObject_Impl};
use crate::com_class;
use crate::platform::{self, Deadline, Why};
use crate::process::Process;
use loom::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::Arc;
use windows_core::{ComObject, Interface};

/// Runs a model of two threads as a thread of a process of its own: every interleaving, whatever LOOM_MAX_PREEMPTIONS says.
fn model(f: impl Fn(&Arc<Process>) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = None;
    check(&builder, f);
}

/// Runs a model of more, or of longer ones: every interleaving with so many preemptions, or LOOM_MAX_PREEMPTIONS. All of them
/// would be days.
pub(crate) fn bounded(preemptions: usize, f: impl Fn(&Arc<Process>) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    check(&builder, f);
}

fn check(builder: &loom::model::Builder, f: impl Fn(&Arc<Process>) + Send + Sync + 'static) {
    builder.check(move || {
        let process = Process::new(platform::host());
        platform::run_as(&process, || f(&process));
    });
}

/// Starts a thread of the process.
pub(crate) fn start<R: 'static>(
    process: &Arc<Process>,
    f: impl FnOnce() -> R + 'static,
) -> loom::thread::JoinHandle<R> {
    let process = process.clone();
    loom::thread::spawn(move || platform::run_as(&process, f))
}

pub(crate) fn event(process: &Process, auto: bool) -> Arc<Event> {
    Arc::new(Event::new(process, auto, false))
}

pub(crate) fn wait_for(event: &Event) {
    assert!(event.wait(Deadline::NEVER, Why::Wait));
}

/// Data that is not atomic: loom reports accesses that are not ordered.
pub(crate) struct Data(UnsafeCell<u32>);
// SAFETY: that its accesses are ordered is what the models prove.
unsafe impl Sync for Data {}
// SAFETY: as above.
unsafe impl Send for Data {}

impl Data {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(UnsafeCell::new(0)))
    }
    pub(crate) fn add(&self) {
        // SAFETY: the model orders the accesses, and loom checks it.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }
    pub(crate) fn get(&self) -> u32 {
        // SAFETY: as above.
        self.0.with(|value| unsafe { *value })
    }
}

/// An object that notes when it goes away.
#[com_class(IAgileObject, agile)]
struct Thing {
    gone: Arc<Data>,
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.gone.add();
    }
}

impl IAgileObject_Impl for Thing_Impl {}

/// One with one reference; when it goes away, `gone` says so.
pub(crate) fn thing(gone: &Arc<Data>) -> *mut c_void {
    ComObject::new(Thing { gone: gone.clone() }).into_interface::<IAgileObject>().into_raw()
}

/// A set releases the wait, whether it comes before the wait, while it registers, or while it is parked, and what the
/// setter wrote before is seen after.
#[test]
fn loom_a_set_releases_a_wait() {
    model(|process| {
        let (event, data) = (event(process, false), Data::new());
        let (theirs, written) = (event.clone(), data.clone());
        let setter = start(process, move || {
            written.add();
            theirs.set();
        });
        wait_for(&event);
        assert_eq!(data.get(), 1);
        setter.join().unwrap();
    });
}

/// A reset between two sets never hides the second one, and never sticks in the list or in the `WAITERS` bit: two waits
/// return, and afterwards the word is that of a set event that nobody waits for.
#[test]
fn loom_set_reset_set_releases_two_waits() {
    bounded(3, |process| {
        let event = event(process, false);
        let theirs = event.clone();
        let waiter = start(process, move || wait_for(&theirs));
        let theirs = event.clone();
        let setter = start(process, move || {
            theirs.set();
            theirs.reset();
            theirs.set();
        });
        wait_for(&event);
        setter.join().unwrap();
        waiter.join().unwrap();
        assert_eq!(event.header().word(), 3, "three changes, and nobody waits");
    });
}

/// One signal of an automatic event is taken by one wait. Each of two waiters passes the signal on, so both return; what
/// they do between taking and passing on is exclusive and ordered.
#[test]
fn loom_two_waits_share_one_automatic_event() {
    bounded(3, |process| {
        let (event, data) = (event(process, true), Data::new());
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (event, data) = (event.clone(), data.clone());
                start(process, move || {
                    wait_for(&event);
                    data.add();
                    event.set();
                })
            })
            .collect();
        event.set();
        for thread in threads {
            thread.join().unwrap();
        }
        wait_for(&event);
        assert_eq!(data.get(), 2);
        assert_eq!(event.header().word(), 0);
    });
}

/// A mutex is one thread's at a time, until that has given it up as often as it took it; what is done meanwhile is
/// exclusive and ordered.
#[test]
fn loom_a_mutex_is_one_threads_at_a_time() {
    fn own_twice(mutex: &Mutex, data: &Data) {
        for _ in 0..2 {
            assert_eq!(wait_any(&[mutex], Deadline::NEVER, Why::Wait), Some(0));
        }
        assert!(mutex.release());
        data.add();
        assert!(mutex.release());
    }
    bounded(3, |process| {
        let (mutex, data) = (Mutex::new(process, false), Data::new());
        let (theirs, written) = (mutex.clone(), data.clone());
        let other = start(process, move || own_twice(&theirs, &written));
        own_twice(&mutex, &data);
        other.join().unwrap();
        assert_eq!((data.get(), mutex.header().word()), (2, 0));
    });
}

/// Wait-all takes both events at one moment: a competitor that finds the second one finds the first one, too, and one
/// that does not find it finds neither.
#[test]
fn loom_wait_all_takes_all_at_one_moment() {
    model(|process| {
        let (a, b) = (event(process, true), event(process, true));
        a.set();
        b.set();
        let (theirs_a, theirs_b) = (a.clone(), b.clone());
        let all = start(process, move || {
            assert!(wait_all(&[&*theirs_a, &*theirs_b], Deadline::NEVER, Why::Wait));
        });
        let got_b = b.poll();
        let got_a = a.poll();
        assert_eq!(got_a, got_b);
        if got_b {
            b.set();
            a.set();
        }
        all.join().unwrap();
        assert_eq!((a.header().word(), b.header().word()), (0, 0));
    });
}

/// Wait-any takes the lowest that is signalled: when the second event is set after the first, the first is taken.
#[test]
fn loom_wait_any_takes_the_lowest() {
    model(|process| {
        let (a, b) = (event(process, true), event(process, true));
        let (theirs_a, theirs_b) = (a.clone(), b.clone());
        let setter = start(process, move || {
            theirs_a.set();
            theirs_b.set();
        });
        assert_eq!(wait_any(&[&*a, &*b], Deadline::NEVER, Why::Wait), Some(0));
        setter.join().unwrap();
        assert_eq!((a.header().word(), b.header().word()), (0, 1));
    });
}

/// A wait for any that takes no lock finds the lowest: the second event is signalled only while the first is. It comes and goes
/// with it and comes once more, so that all is at the last look as it was at the first.
///
/// Whoever looks is the second thread, here and below: loom runs the first one to its end and then tries for each load all values
/// that it may give. The other way round the load before a change would hide from it that the change is one of what was looked at.
#[test]
fn loom_a_look_for_any_finds_the_lowest() {
    model(|process| {
        let (a, b) = (event(process, false), event(process, false));
        let (their_a, their_b) = (a.clone(), b.clone());
        let looks = start(process, move || look_for_any(&[&*their_a, &*their_b], Some));
        a.set_in_step();
        b.set_in_step();
        b.reset_in_step();
        a.reset_in_step();
        assert_ne!(looks.join().unwrap(), Look::Hit(1));
        assert_eq!((a.count(), b.count()), (Some(2), Some(2)));
    });
}

/// A wait for all that takes no lock finds them signalled at one moment: the second event is signalled only while the first is
/// not.
#[test]
fn loom_a_look_for_all_finds_all_at_one_moment() {
    model(|process| {
        let (a, b) = (event(process, false), event(process, false));
        a.set();
        let (their_a, their_b) = (a.clone(), b.clone());
        let looks = start(process, move || look_for_all(&[&*their_a, &*their_b], Some));
        a.reset_in_step();
        b.set_in_step();
        b.reset_in_step();
        a.set_in_step();
        assert_ne!(looks.join().unwrap(), Look::Hit(0));
        assert_eq!(look_for_all(&[&*a, &*b], Some), Look::NotReady);
    });
}

/// A post wakes the queue's owner, whether it comes before the owner looks, between its look and its wait, or while it is
/// parked; two posters' messages are both there.
#[test]
fn loom_a_post_wakes_the_owner() {
    bounded(3, |process| {
        let mine = queue();
        let posters: Vec<_> = (0..2)
            .map(|n| {
                let theirs = mine.clone();
                start(process, move || theirs.post(message(Default::default(), n, 0, 0)).unwrap())
            })
            .collect();
        for _ in 0..2 {
            assert!(mine.wait_for(&|| mine.has(POSTED), Deadline::NEVER, Why::MessageLoop));
            assert!(mine.take_posted(&Filter::ALL).is_some());
        }
        assert!(!mine.has(POSTED));
        for poster in posters {
            poster.join().unwrap();
        }
    });
}

/// A call that is queued to a thread wakes its alertable wait, whether it comes before the wait, while it registers, or while
/// it is parked; two posters' calls both run, in one wait or in two, and see what their posters wrote.
#[test]
fn loom_a_queued_call_wakes_an_alertable_wait() {
    bounded(3, |process| {
        let mine = platform::current().object().clone();
        let (never, data) = (event(process, false), Data::new());
        let ran = Arc::new(loom::sync::atomic::AtomicU32::new(0));
        let posters: Vec<_> = (0..2)
            .map(|_| {
                let (theirs, data, ran) = (mine.clone(), data.clone(), ran.clone());
                start(process, move || {
                    let call = move || {
                        data.add();
                        ran.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    };
                    assert!(theirs.apcs.post(Box::new(call)).is_ok());
                })
            })
            .collect();
        while ran.load(std::sync::atomic::Ordering::Relaxed) < 2 {
            assert_eq!(wait_alertable(&[&*never], false, Deadline::NEVER, Why::Wait), Woken::Apc);
        }
        assert_eq!(data.get(), 2);
        for poster in posters {
            poster.join().unwrap();
        }
        assert_eq!(Waitable::header(&mine.apcs).word(), 0);
    });
}

/// A wait for all or for a call takes both events or neither, whichever comes first.
#[test]
fn loom_a_wait_for_all_or_a_call_takes_all_or_nothing() {
    model(|process| {
        let mine = platform::current().object().clone();
        let (a, b) = (event(process, true), event(process, true));
        a.set();
        let theirs = b.clone();
        let other = start(process, move || {
            theirs.set();
            assert!(mine.apcs.post(Box::new(|| ())).is_ok());
        });
        let hit = matches!(wait_alertable(&[&*a, &*b], true, Deadline::NEVER, Why::Wait), Woken::Hit(_));
        assert!(hit, "the event is set before the call is queued, and comes first");
        other.join().unwrap();
        assert_eq!((a.header().word(), b.header().word()), (0, 0));
    });
}

/// A callback is called exactly once if it stays registered, at most once if it is cancelled, and never after the
/// cancellation has returned unless it was called before.
#[test]
fn loom_a_callback_is_called_once_or_cancelled() {
    model(|process| {
        let (event, data) = (event(process, false), Data::new());
        let (theirs, told) = (event.clone(), data.clone());
        let setter = start(process, move || theirs.set());
        let calls = Arc::new(loom::sync::atomic::AtomicU32::new(0));
        let counted = calls.clone();
        let registration = on_signal(
            event.clone(),
            Arc::new(move || {
                told.add();
                counted.fetch_add(1, std::sync::atomic::Ordering::Release);
            }),
        );
        setter.join().unwrap();
        assert_eq!(calls.load(std::sync::atomic::Ordering::Acquire), 1);
        assert_eq!(data.get(), 1);
        drop(registration);
        assert_eq!(event.header().word(), 1);
    });
}

/// A handle is found as what it was given for, or not at all, while another thread closes it and its place goes to
/// another object; of two threads that close it, one does; the object lives as long as somebody has it.
#[test]
fn loom_a_closed_handle_finds_nothing_or_its_own_object() {
    bounded(3, |process| {
        let (first, second) = (event(process, false), event(process, false));
        let handle = process.handles.insert(KernelObject::Event(first.clone())).unwrap();
        let (home, next) = (process.clone(), second.clone());
        let closer = start(process, move || {
            let closed = home.handles.close(handle).is_some();
            let other = home.handles.insert(KernelObject::Event(next)).unwrap();
            assert_ne!(other, handle);
            (closed, other)
        });
        if let Some(found) = process.handles.get(handle) {
            assert!(matches!(found, KernelObject::Event(found) if Arc::ptr_eq(&found, &first)));
        }
        let closed = process.handles.close(handle).is_some();
        let (closed_there, other) = closer.join().unwrap();
        assert_eq!(u32::from(closed) + u32::from(closed_there), 1);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 2));
        assert!(process.handles.close(other).is_some());
    });
}
