//! loom's models of wake-ups: a signal against the polls that wait for it.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p oleander --lib --release loom_`
//!
//! Two threads each, at most two preemptions (three in `ci/slow`); each model takes hundredths of a second.

use super::signal::Watch;
use crate::kernel::loom_tests::{bounded, event, start};
use crate::kernel::{self, Event};
use crate::process::Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker that counts.
fn counting() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (wakes.clone(), Waker::from(wakes))
}

fn poll(watch: &mut Watch, waker: &Waker) -> Poll<()> {
    watch.poll(&Context::from_waker(waker), kernel::is_ready)
}

fn model(f: impl Fn(&Arc<Process>, &Arc<Event>) + Send + Sync + 'static) {
    bounded(2, move |process| f(process, &event(process, false)));
}

fn set_elsewhere(process: &Arc<Process>, event: &Arc<Event>) -> loom::thread::JoinHandle<()> {
    let event = event.clone();
    start(process, move || event.set())
}

/// A poll that finds nothing is followed by a wake-up, whenever the signal comes. Red when `on_signal` does not
/// look at the object once it holds the lock.
#[test]
fn loom_a_signal_wakes_whoever_has_found_nothing() {
    model(|process, event| {
        let (wakes, waker) = counting();
        let mut watch = Watch::new(event.clone());
        let setter = set_elsewhere(process, event);
        let first = poll(&mut watch, &waker);
        setter.join().unwrap();
        if first.is_pending() {
            assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
            assert!(poll(&mut watch, &waker).is_ready());
        }
    });
}

/// A future that moves to another task: the last waker is woken if its poll has found nothing, even if the callback was
/// already on its way with the first. Red when `rewire` does not look at `called`.
#[test]
fn loom_a_signal_wakes_the_task_that_has_polled_last() {
    model(|process, event| {
        let ((_, first), (wakes, second)) = (counting(), counting());
        let mut watch = Watch::new(event.clone());
        assert!(poll(&mut watch, &first).is_pending());
        let setter = set_elsewhere(process, event);
        let moved = poll(&mut watch, &second);
        setter.join().unwrap();
        if moved.is_pending() {
            assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
        }
    });
}

/// A future dropped while the signal is on its way: the callback finds its slot alive, and wakes nobody afterwards.
#[test]
fn loom_a_future_is_dropped_while_it_is_signalled() {
    model(|process, event| {
        let (wakes, waker) = counting();
        let mut watch = Watch::new(event.clone());
        assert!(poll(&mut watch, &waker).is_pending());
        let setter = set_elsewhere(process, event);
        drop(watch);
        setter.join().unwrap();
        drop(waker);
        assert!(wakes.0.load(Ordering::Relaxed) <= 1);
        assert_eq!(Arc::strong_count(&wakes), 1, "nobody keeps the waker");
    });
}
