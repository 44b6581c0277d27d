//! The watch over worlds that stand still: a blocking primitive of `std` inside a scenario stops the thread of the operating
//! system that all of its world runs on, and nobody can go on.
//!
//! Each hub has a pulse, a number that it moves at every step, and that is even while it runs no execution. A thread of its
//! own looks at the pulses of a check from time to time. One that has not moved for too long is the end: the thread that is
//! stuck cannot be stopped, so the process says what is wrong and aborts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a pulse is looked at in the time that it may stand.
const LOOKS: u32 = 4;

/// What a hub moves. Only its own thread writes it.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Goes up by two whenever a thread runs on; odd while an execution runs.
    beats: AtomicU64,
    /// The thread of the world that runs, or ran last.
    thread: AtomicU64,
}

impl Pulse {
    /// A thread of the world runs on.
    pub(super) fn beat(&self, thread: usize) {
        self.thread.store(thread as u64, Ordering::Relaxed);
        self.beats.store(self.beats.load(Ordering::Relaxed) + 2, Ordering::Relaxed);
    }

    /// An execution begins.
    pub(super) fn begin(&self) {
        self.thread.store(0, Ordering::Relaxed);
        self.beats.store((self.beats.load(Ordering::Relaxed) + 2) | 1, Ordering::Relaxed);
    }

    /// It has ended.
    pub(super) fn end(&self) {
        self.beats.store((self.beats.load(Ordering::Relaxed) + 2) & !1, Ordering::Relaxed);
    }
}

/// Looks at pulses until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Watched>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Watched {
    is_over: bool,
    pulses: Vec<Seen>,
}

/// A pulse, and how often it was seen to stand.
#[derive(Debug)]
struct Seen {
    pulse: Arc<Pulse>,
    beats: u64,
    looks: u32,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// A watch that aborts the process after so much real time without a step.
    pub(crate) fn new(limit: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let other = shared.clone();
        let watch = move || watch(&other, limit);
        let thread = std::thread::Builder::new().name("oleander-sim watch".to_owned()).spawn(watch);
        // Without a thread for it there is no watch, which is no reason not to check.
        Self { shared, thread: thread.ok() }
    }

    /// A pulse that is looked at from now on.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        let pulse = Arc::new(Pulse::default());
        self.shared.lock().pulses.push(Seen { pulse: pulse.clone(), beats: 0, looks: 0 });
        pulse
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.ended.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say: had it found something, nobody would be here.
            drop(thread.join());
        }
    }
}

fn watch(shared: &Shared, limit: Duration) {
    let mut state = shared.lock();
    while !state.is_over {
        let (next, _) = shared.ended.wait_timeout(state, limit / LOOKS).unwrap_or_else(PoisonError::into_inner);
        state = next;
        for seen in &mut state.pulses {
            let beats = seen.pulse.beats.load(Ordering::Relaxed);
            if beats != seen.beats || beats.is_multiple_of(2) {
                (seen.beats, seen.looks) = (beats, 0);
                continue;
            }
            // It is looks that count and not the clock: a machine that slept, or had no time for anybody, has seen nothing.
            seen.looks += 1;
            if seen.looks > LOOKS {
                abort(&seen.pulse, limit);
            }
        }
    }
}

fn abort(pulse: &Pulse, limit: Duration) -> ! {
    let thread = match pulse.thread.load(Ordering::Relaxed) {
        0 => "the scenario's own thread".to_owned(),
        number => format!("thread {number} of the world, counted from the scenario's own as 0,"),
    };
    eprintln!(
        "a simulated world has taken no step for {limit:?}: {thread} blocks where the world cannot see it, or computes \
         without end. A mutex, channel, join or sleep of `std` stops the whole world: use those of `oleander_sim::sync` and \
         `oleander_sim::thread`. If the code only takes long, raise `Builder::stall_max`."
    );
    std::process::abort()
}
