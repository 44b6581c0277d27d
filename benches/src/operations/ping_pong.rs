//! Two threads on two events: one sets the first and waits for the second, the other answers. An operation is there and
//! back.

use super::{Contest, Contestant, Row, Target};
use crate::Place;
use oleander::kernel::Event;
use oleander::platform::{Deadline, Why};
use oleander::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{JoinHandle, Thread};

pub(super) fn rows() -> impl Iterator<Item = Row> {
    Row::placed(contest)
}

fn contest(place: Place) -> Contest {
    place.pin_client();
    let peers = vec![
        #[cfg(target_os = "linux")]
        futex(place),
        park(place),
        kernel_events(place),
    ];
    let targets = vec![Target::Times(1.15, "futex")];
    Contest {
        what: "ping-pong of two threads on two events".into(),
        place: Some(place),
        ours: ours(place),
        peers,
        targets,
    }
}

/// The other thread; it is told to end, and waited for, when this is dropped.
struct Partner {
    stop: Arc<AtomicBool>,
    wake: Box<dyn Fn(&Thread)>,
    thread: Option<JoinHandle<()>>,
}

impl Partner {
    fn start(place: Place, wake: impl Fn(&Thread) + 'static, answer: impl Fn() + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = stop.clone();
        let thread = std::thread::spawn(move || {
            place.pin_server();
            while !theirs.load(Ordering::Acquire) {
                answer();
            }
        });
        Self { stop, wake: Box::new(wake), thread: Some(thread) }
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take().expect("it ends once");
        (self.wake)(thread.thread());
        thread.join().expect("it does not panic");
    }
}

fn auto_event() -> HANDLE {
    // SAFETY: no pointers but the null ones.
    unsafe { CreateEventW(std::ptr::null(), false.into(), false.into(), std::ptr::null()) }
}

fn set(event: HANDLE) {
    // SAFETY: no pointers.
    assert!(unsafe { SetEvent(event) }.as_bool());
}

fn wait(event: HANDLE) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { WaitForSingleObject(event, INFINITE) }, WAIT_OBJECT_0);
}

struct Pair(HANDLE, HANDLE);

impl Drop for Pair {
    fn drop(&mut self) {
        for handle in [self.0, self.1] {
            // SAFETY: its own handle, once.
            unsafe { CloseHandle(handle) }.ok().expect("it is open");
        }
    }
}

/// Handles of auto-reset events.
fn ours(place: Place) -> Contestant {
    let pair = Pair(auto_event(), auto_event());
    let (ping, pong) = (pair.0, pair.1);
    let partner = Partner::start(
        place,
        move |_| set(ping),
        move || {
            wait(ping);
            set(pong);
        },
    );
    // The partner ends before its events are closed.
    let all = (partner, pair);
    Contestant::new("oleander", 1, move || {
        let (_, pair) = &all;
        set(pair.0);
        wait(pair.1);
    })
}

/// The objects themselves.
fn kernel_events(place: Place) -> Contestant {
    let (ping, pong) = (Event::auto(), Event::auto());
    let (wake, heard, answer) = (ping.clone(), ping.clone(), pong.clone());
    let partner = Partner::start(
        place,
        move |_| wake.set(),
        move || {
            heard.wait(Deadline::NEVER, Why::Wait);
            answer.set();
        },
    );
    Contestant::new("(kernel::Event)", 1, move || {
        let _ = &partner;
        ping.set();
        pong.wait(Deadline::NEVER, Why::Wait);
    })
}

#[cfg(target_os = "linux")]
fn futex(place: Place) -> Contestant {
    use crate::peers::futex::Auto;
    let (ping, pong) = (Arc::new(Auto::default()), Arc::new(Auto::default()));
    let (wake, heard, answer) = (ping.clone(), ping.clone(), pong.clone());
    let partner = Partner::start(
        place,
        move |_| wake.set(),
        move || {
            heard.wait();
            answer.set();
        },
    );
    Contestant::new("futex", 1, move || {
        let _ = &partner;
        ping.set();
        pong.wait();
    })
}

/// A word that says whose turn it is, and the standard library's `park`.
fn park(place: Place) -> Contestant {
    let turn = Arc::new(AtomicU32::new(0));
    let (wake, theirs, caller) = (turn.clone(), turn.clone(), std::thread::current());
    let partner = Partner::start(
        place,
        move |partner| {
            wake.store(1, Ordering::Release);
            partner.unpark();
        },
        move || {
            while theirs.load(Ordering::Acquire) != 1 {
                std::thread::park();
            }
            theirs.store(0, Ordering::Release);
            caller.unpark();
        },
    );
    let thread = partner.thread.as_ref().expect("it runs").thread().clone();
    Contestant::new("park", 1, move || {
        let _ = &partner;
        turn.store(1, Ordering::Release);
        thread.unpark();
        while turn.load(Ordering::Acquire) != 0 {
            std::thread::park();
        }
    })
}
