//! The watch over worlds that stand still: a blocking primitive of `std` inside a scenario stops the thread of the operating
//! system that all of its world runs on, and nobody can go on.
//!
//! Each hub has a pulse, a number that it moves at every step, and that is even while it runs no execution. One thread of
//! the operating system looks at the pulses of all hubs that are watched. It is started when there is a pulse and ends when
//! for a whole look there was none: checks that take a microsecond each share it. A pulse that has not moved for too long is
//! the end: the thread that is stuck cannot be stopped, so the process says what is wrong and aborts.

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

/// A pulse that is looked at until this is dropped.
#[derive(Debug)]
pub(super) struct Watched(Arc<Pulse>);

/// All pulses that are watched. It is a `static` because it belongs to the real process: no world can tell.
static WATCH: Watch = Watch { state: Mutex::new(Looking::NEW), sooner: Condvar::new() };

struct Watch {
    state: Mutex<Looking>,
    /// There is a pulse that is to be looked at sooner than any before.
    sooner: Condvar,
}

struct Looking {
    pulses: Vec<Seen>,
    /// The time between two looks, while there is a thread that looks.
    pace: Option<Duration>,
    /// How many pulses there have been.
    made: u64,
}

/// A pulse, and how long it was seen to stand.
struct Seen {
    pulse: Arc<Pulse>,
    limit: Duration,
    beats: u64,
    stood: Duration,
}

impl Looking {
    const NEW: Self = Self { pulses: Vec::new(), pace: None, made: 0 };

    fn shortest_pace(&self) -> Option<Duration> {
        self.pulses.iter().map(|seen| seen.limit / LOOKS).min()
    }

    /// Looks at each pulse, so much time after the last look.
    fn look(&mut self, waited: Duration) {
        for seen in &mut self.pulses {
            let beats = seen.pulse.beats.load(Ordering::Relaxed);
            if beats != seen.beats || beats.is_multiple_of(2) {
                (seen.beats, seen.stood) = (beats, Duration::ZERO);
                continue;
            }
            // What counts is looks and not the clock: a machine that slept, or had no time for anybody, has seen nothing.
            seen.stood += waited;
            if seen.stood > seen.limit {
                abort(&seen.pulse, seen.limit);
            }
        }
    }
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Looking> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread that looks.
    fn run(&self) {
        let mut made = 0;
        let mut state = self.lock();
        while let Some(pace) = state.pace {
            let (next, waited) = self.sooner.wait_timeout(state, pace).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if !waited.timed_out() {
                continue;
            }
            state.look(pace);
            let was_used = state.made != std::mem::replace(&mut made, state.made);
            state.pace = state.shortest_pace().or(was_used.then_some(pace));
        }
    }
}

impl Watched {
    /// A pulse; the process is aborted after so much real time without a step.
    pub(super) fn new(limit: Duration) -> Self {
        let pulse = Arc::new(Pulse::default());
        let mut state = WATCH.lock();
        state.pulses.push(Seen { pulse: pulse.clone(), limit, beats: 0, stood: Duration::ZERO });
        state.made += 1;
        let pace = limit / LOOKS;
        match state.pace {
            Some(other) if other <= pace => {}
            Some(_) => {
                state.pace = Some(pace);
                WATCH.sooner.notify_all();
            }
            None => {
                state.pace = Some(pace);
                let thread = std::thread::Builder::new().name("oleander-sim watch".to_owned());
                if thread.spawn(|| WATCH.run()).is_err() {
                    // Without a thread for it nobody watches, which is no reason not to check.
                    state.pace = None;
                }
            }
        }
        drop(state);
        Self(pulse)
    }
}

impl std::ops::Deref for Watched {
    type Target = Pulse;

    fn deref(&self) -> &Pulse {
        &self.0
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        WATCH.lock().pulses.retain(|seen| !Arc::ptr_eq(&seen.pulse, &self.0));
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
