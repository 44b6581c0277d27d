//! Deadlines for futures.
//!
//! A [`Sleep`] that is polled by this library's own [`super::block_on`] leaves its deadline there. Under any other
//! executor, or a combinator with wakers of its own, it is entered in the process's [`Timers`]: a list in the order of
//! time, and one thread of the platform that wakes what is due. The thread starts with the first entry and, on a host,
//! ends when it has had nothing to do for a while.
//!
//! `inner` guards list and thread state; it is never held while a waker is called or dropped, a thread started, or the
//! event set that makes the thread look again.

use super::block_on::{Awake, Driving};
use crate::abi::hresult::RPC_E_TIMEOUT;
use crate::kernel::{self, Event};
use crate::platform::{self, Access, Deadline, Object, Spawn, Why};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

/// How long the thread of a host stays without work.
const IDLE_MS_MAX: u32 = 5_000;

/// Entries are ordered by time, then by when they came.
pub(super) type Key = (u64, u64);

/// The timers of a process.
pub(crate) struct Timers {
    object: Object,
    /// Set when there is an earlier entry than before. Made with the thread.
    earlier: OnceLock<Arc<Event>>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: BTreeMap<Key, Waker>,
    next: u64,
    /// There is a thread, and it will look at the list again.
    running: bool,
}

enum Start {
    Nothing,
    Tell,
    Thread,
}

impl Timers {
    pub(crate) fn new(object: Object) -> Self {
        Self { object, earlier: OnceLock::new(), inner: Mutex::default() }
    }

    /// Has `waker` woken at `ns`, once.
    fn add(process: &Arc<Process>, ns: u64, waker: Waker) -> Key {
        let timers = &process.timers;
        let earlier = timers.earlier.get_or_init(|| Arc::new(Event::new(process, true, false)));
        platform::visit(timers.object, Access::Write);
        let (key, start) = {
            let mut inner = timers.inner.lock();
            inner.next += 1;
            let key = (ns, inner.next);
            inner.entries.insert(key, waker);
            let first = inner.entries.first_key_value().is_some_and(|(first, _)| *first == key);
            let running = std::mem::replace(&mut inner.running, true);
            (
                key,
                if !running {
                    Start::Thread
                } else if first {
                    Start::Tell
                } else {
                    Start::Nothing
                },
            )
        };
        match start {
            Start::Nothing => {}
            Start::Tell => earlier.set(),
            Start::Thread => {
                let spawn = Spawn { name: "timers".to_owned(), process: process.clone(), daemon: true };
                process.port().spawn(spawn, Box::new(run));
            }
        }
        key
    }

    fn remove(&self, key: Key) {
        platform::visit(self.object, Access::Write);
        let gone = self.inner.lock().entries.remove(&key);
        drop(gone);
    }

    /// Takes what is due, and says when the next is.
    fn due(&self) -> (BTreeMap<Key, Waker>, Option<u64>) {
        platform::visit(self.object, Access::Write);
        let now = platform::now_ns();
        let mut inner = self.inner.lock();
        let later = inner.entries.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut inner.entries, later);
        (due, inner.entries.first_key_value().map(|((ns, _), _)| *ns))
    }

    /// Whether the thread may end: there is nothing to do, and whoever comes starts another.
    fn end(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.running = !inner.entries.is_empty();
        !inner.running
    }
}

/// The thread.
fn run() {
    let thread = platform::current();
    let timers = &thread.process().timers;
    let earlier = timers.earlier.get().expect("made before the thread");
    loop {
        let (due, next) = timers.due();
        if !due.is_empty() {
            due.into_values().for_each(super::wake);
            continue;
        }
        let deadline = match next {
            Some(ns) => Deadline::at_ns(ns),
            None if platform::is_simulated() => Deadline::NEVER,
            None => Deadline::after_ms(IDLE_MS_MAX),
        };
        if kernel::wait_any(&[&**earlier], deadline, Why::Idle).is_some() {
            continue;
        }
        // A simulated world that is over ends the wait before its time.
        if !deadline.passed() || (next.is_none() && timers.end()) {
            return;
        }
    }
}

/// Resolves when a time has come. Made by [`sleep`].
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    deadline: Deadline,
    entry: Option<Entry>,
}

/// Where a sleep is entered, once, to have its last waker woken.
struct Entry {
    list: List,
    key: Key,
    waker: Waker,
}

enum List {
    Process(Arc<Process>),
    BlockOn(Arc<Awake>),
}

impl Drop for Entry {
    fn drop(&mut self) {
        match &self.list {
            List::Process(process) => process.timers.remove(self.key),
            List::BlockOn(awake) => awake.forget(self.key),
        }
    }
}

/// A future that resolves so many milliseconds from now; with `INFINITE`, never.
pub fn sleep(ms: u32) -> Sleep {
    Sleep { deadline: Deadline::after_ms(ms), entry: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline.passed() {
            self.entry = None;
            return Poll::Ready(());
        }
        let waker = cx.waker();
        let Some(ns) = self.deadline.ns() else { return Poll::Pending };
        if self.entry.as_ref().is_some_and(|entry| entry.waker.will_wake(waker)) {
            return Poll::Pending;
        }
        self.entry = None;
        let (list, key) = match Driving::add(waker, ns) {
            Some((awake, key)) => (List::BlockOn(awake), key),
            None => {
                let process = Process::current();
                let key = Timers::add(&process, ns, waker.clone());
                (List::Process(process), key)
            }
        };
        self.entry = Some(Entry { list, key, waker: waker.clone() });
        Poll::Pending
    }
}

/// The time was over first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time given is over")
    }
}

impl std::error::Error for TimedOut {}

impl From<TimedOut> for windows_core::Error {
    fn from(_: TimedOut) -> Self {
        RPC_E_TIMEOUT.into()
    }
}

/// A future with a bound. Made by [`timeout`].
#[must_use = "futures do nothing unless polled"]
pub struct Timeout<F> {
    future: F,
    sleep: Sleep,
}

/// Gives `future` so many milliseconds from now: its output, or [`TimedOut`]. `INFINITE` is no bound.
///
/// The future itself is dropped with the `Timeout`, so `timeout(3_000, begun(&call)).await` cancels a call that takes
/// longer. To go on waiting afterwards, pass a pinned `&mut` of the future.
pub fn timeout<F: IntoFuture>(ms: u32, future: F) -> Timeout<F::IntoFuture> {
    Timeout { future: future.into_future(), sleep: sleep(ms) }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is pinned as part of `self`: it is not moved out of it, `Timeout` has no Drop, and it is
        // Unpin only where `future` is. `sleep` is Unpin.
        let (future, sleep) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.future), Pin::new(&mut this.sleep))
        };
        if let Poll::Ready(output) = future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        sleep.poll(cx).map(|()| Err(TimedOut))
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<F: fmt::Debug> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("future", &self.future).field("sleep", &self.sleep).finish()
    }
}
