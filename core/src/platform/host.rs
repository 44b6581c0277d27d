//! Host threads: the operating system's clock, threads and parking.
//!
//! `block` parks the thread until it is woken and `ready` holds; where that pays it looks on for a moment first (`spin`). The
//! token of `std::thread::park` may be left over from, or left for, other users of it in the same thread: each looks at its own
//! condition again, so that is harmless.
//!
//! A thread that this port starts has its process's port, which may be another one around this: its waits and wakes go
//! through that.

use super::port::{Access, Announce, Object, Port, Spawn, Why};
use super::spin::{self, NOWHERE, Place, Spinner, Wanted};
use super::thread::{self, Thread, ThreadRef};
use super::{Deadline, sync};
use crate::process::Process;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How a host thread is woken: its handle, once it runs, whether it is parked at all and where, and whether it looks on before it parks.
pub(super) struct Parker {
    thread: OnceLock<sync::thread::Thread>,
    /// Where it is parked.
    parked: sync::AtomicU32,
    spinner: Spinner,
}

impl Parker {
    pub(super) fn new() -> Self {
        Self { thread: OnceLock::new(), parked: sync::AtomicU32::new(NOWHERE), spinner: Spinner::default() }
    }
}

struct Host {
    start: Instant,
    wanted: Wanted,
}

impl Host {
    /// The rest of [`Port::block`], when there is something to wait for.
    fn park(&self, me: &Thread, ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool {
        let (cpu, parker) = (sync::thread::cpu(), &me.parker);
        let brief = !matches!(why, Why::Sleep | Why::Teardown);
        if brief && parker.spinner.spin(cpu, &self.wanted, ready, deadline, || self.now()) {
            return true;
        }
        let place = spin::place(cpu);
        // The flag and `ready` on one side, the change and the flag on the other (see `wake`): one of the two sides
        // sees the other. Both sides change the flag with a read-modify-write, so their order is total.
        parker.parked.swap(place, sync::Ordering::AcqRel);
        loop {
            if ready() {
                self.change(parker, place, NOWHERE);
                return true;
            }
            match deadline.ns() {
                None => sync::thread::park(),
                Some(at) => {
                    let now = self.now();
                    if now >= at {
                        self.change(parker, place, NOWHERE);
                        return ready();
                    }
                    sync::thread::park_timeout(Duration::from_nanos(at - now));
                }
            }
            self.change(parker, place, place);
        }
    }

    /// The calling thread, which parked at `place`, runs, and is parked at `next` from now on. If it is parked nowhere already,
    /// somebody has woken it, and counted that it wants the CPU.
    fn change(&self, parker: &Parker, place: Place, next: Place) {
        if parker.parked.swap(next, sync::Ordering::AcqRel) == NOWHERE {
            self.wanted.runs(place);
        }
    }
}

/// The port of host threads.
pub fn host() -> Arc<dyn Port> {
    static HOST: OnceLock<Arc<Host>> = OnceLock::new();
    HOST.get_or_init(|| Arc::new(Host { start: Instant::now(), wanted: Wanted::new() })).clone()
}

impl Port for Host {
    fn now(&self) -> u64 {
        // Never 0, which means "at once" in a deadline.
        1 + u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX - 1)
    }

    fn spawn(&self, spawn: Spawn, body: Box<dyn FnOnce() + Send>) -> ThreadRef {
        let record = Thread::new(spawn.name, spawn.process.port().clone(), false, spawn.process);
        let thread = record.clone();
        sync::thread::spawn(record.name().to_owned(), move || {
            let own = thread.clone();
            install(thread);
            // A panic of the body ends the thread and nothing else; the hook has printed it.
            drop(catch_unwind(AssertUnwindSafe(body)));
            // Not left to `AT_END`: on Windows that goes under the loader's lock, without which no thread begins or ends, and
            // an apartment's end waits for calls that need threads.
            own.run_exits();
        });
        record
    }

    fn block(&self, _on: &[Object], ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool {
        if ready() {
            return true;
        }
        if deadline.is_now() {
            return false;
        }
        thread::with_current(|me| self.park(me, ready, deadline, why))
    }

    fn wake(&self, thread: &Thread) {
        thread.parker.spinner.note_waker(sync::thread::cpu());
        let place = thread.parker.parked.swap(NOWHERE, sync::Ordering::AcqRel);
        if place != NOWHERE
            && let Some(handle) = thread.parker.thread.get()
        {
            self.wanted.woken(place);
            handle.unpark();
        }
    }

    fn visit(&self, _object: Object, _access: Access, _announce: Announce) {}

    fn choose(&self, _n: usize) -> usize {
        0
    }

    fn parallelism(&self) -> usize {
        std::thread::available_parallelism().map_or(2, usize::from)
    }
}

/// Runs the exits of a thread that we did not start, and those that were registered late; tells the thread's end, and gives
/// the record back when the operating system's thread ends.
struct AtEnd(ThreadRef);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.end();
        // SAFETY: null is always allowed.
        unsafe { thread::enter(std::ptr::null()) };
    }
}

thread_local! {
    static AT_END: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
}

/// Makes `record` the record of this thread until it ends.
///
/// Where the compiler has no thread-locals (windows-gnu), each is a key of the system's, and those go in the opposite order of
/// their first use in the program, with and without a destructor. So the pointer to the record is touched first: it is still
/// there when `AT_END` goes.
fn install(record: ThreadRef) {
    record.parker.thread.get_or_init(sync::thread::current);
    let (raw, own) = (Arc::as_ptr(&record), record.clone());
    // SAFETY: the record is kept by AT_END until the thread ends, which puts null there, or for ever.
    unsafe { thread::enter(raw) };
    if AT_END.try_with(|slot| *slot.borrow_mut() = Some(AtEnd(record))).is_err() {
        // The thread is already ending: its record stays for ever, for nothing tells when the last use was.
        std::mem::forget(own);
    }
}

/// Gives a thread that we did not start a record in the default process.
pub(super) fn adopt() {
    let name = std::thread::current().name().unwrap_or("adopted").to_owned();
    install(Thread::adopted(name, host(), Process::default_process()));
}

/// Runs `f` as a new thread of a process, whatever the thread of the operating system, or of loom, is besides.
#[cfg(test)]
pub(crate) fn run_as<R>(process: &Arc<Process>, f: impl FnOnce() -> R) -> R {
    struct Entered(*const Thread);

    impl Drop for Entered {
        fn drop(&mut self) {
            // SAFETY: it was the current one before, and whoever put it there keeps it.
            unsafe { thread::enter(self.0) };
        }
    }

    let record = Thread::new("test".to_owned(), host(), false, process.clone());
    record.parker.thread.get_or_init(sync::thread::current);
    // SAFETY: `record` lives longer than `entered`, which puts the one before back.
    let entered = Entered(unsafe { thread::enter(Arc::as_ptr(&record)) });
    let result = f();
    record.end();
    drop(entered);
    result
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn whoever_was_woken_or_timed_out_wants_no_cpu() {
        let own = Host { start: Instant::now(), wanted: Wanted::new() };
        let record = Thread::new("test".to_owned(), host(), false, Process::default_process());
        let parker = &record.parker;
        for is_woken in [true, false] {
            let over = AtomicBool::new(false);
            let deadline = if is_woken { Deadline::NEVER } else { Deadline::at_ns(own.now() + 1) };
            std::thread::scope(|scope| {
                let waits = scope.spawn(|| {
                    parker.thread.get_or_init(sync::thread::current);
                    own.park(&record, &|| over.load(Ordering::Acquire), deadline, Why::Sleep)
                });
                if is_woken {
                    while parker.parked.load(sync::Ordering::Acquire) == NOWHERE {
                        std::thread::yield_now();
                    }
                    // Once in vain.
                    own.wake(&record);
                    over.store(true, Ordering::Release);
                    own.wake(&record);
                }
                assert_eq!(waits.join().expect("it does not panic"), is_woken);
            });
            assert!(own.wanted.is_even());
            assert_eq!(parker.parked.load(sync::Ordering::Acquire), NOWHERE);
        }
    }
}
