//! The timeline: one line for each thing that happens, with the time and the thread.

use oleander::GetCurrentThreadId;
use std::cell::Cell;
use std::fmt::Arguments;
use std::io::Write;
use std::sync::OnceLock;
use std::time::Instant;

static STARTED: OnceLock<Instant> = OnceLock::new();

thread_local! {
    /// What the current thread is. Calls into the MTA arrive on threads that nobody here has named.
    static ROLE: Cell<&'static str> = const { Cell::new("MTA pool") };
}

/// Starts the clock.
pub fn start() {
    STARTED.get_or_init(Instant::now);
    println!("{:>9}  {:<16}  event", "ms", "thread");
}

/// Names the current thread.
pub fn name_thread(role: &'static str) {
    ROLE.set(role);
}

/// Adds a line; use [`say!`].
pub fn add(event: Arguments<'_>) {
    // SAFETY: may be called by every thread.
    let thread = format!("{} {}", ROLE.get(), unsafe { GetCurrentThreadId() });
    let mut out = std::io::stdout().lock();
    // The time is taken under the lock, so the lines are in the order of their times.
    let ms = STARTED.get_or_init(Instant::now).elapsed().as_secs_f64() * 1000.0;
    // A reader who has gone away is no reason to stop.
    let _ = writeln!(out, "{ms:>9.3}  {thread:<16}  {event}");
}

/// Adds a line to the timeline: `say!("Begin_CountPrimes({max}) → {}", name(hr))`.
macro_rules! say {
    ($($text:tt)*) => { $crate::timeline::add(format_args!($($text)*)) };
}
pub(crate) use say;
