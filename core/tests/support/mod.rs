//! What the tests of calls share: an emulated process for each test, apartments that run what they are told, a log of
//! events to wait for, pointers on their way between apartments.
//!
//! Nothing here sleeps: whoever waits, waits for an event. A wait while nothing moves for a minute is a hang, and fails the test.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod hook;
#[path = "../common/moves.rs"]
mod moves;
pub mod outer;
pub mod probe;
pub mod releaser;
pub mod several;

use moves::{LOOK, Patience, moved, moves};
use oleander::kernel::{self, Event, PUMPED, QueueWait, Spawned, run_pumped, wait_any};
use oleander::platform::{self, Deadline, Why};
use oleander::windows_core::{HRESULT, Interface};
use oleander::*;
use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// When a wait looks whether it is a hang. A simulated world finds out by itself, and hours pass there in no time.
fn next_look() -> Deadline {
    if platform::is_simulated() { Deadline::NEVER } else { Deadline::after_ms(LOOK.as_millis() as u32) }
}

/// A wait has ended without what it waited for.
#[track_caller]
fn must_go_on(patience: &mut Patience) {
    let hangs = platform::is_simulated() || patience.is_over(moves());
    assert!(!hangs, "hung: an event that never came");
}

/// Waits without dispatching anything.
#[track_caller]
pub fn wait(event: &Event) {
    let mut patience = Patience::new(moves());
    while !event.wait(next_look(), Why::Wait) {
        must_go_on(&mut patience);
    }
}

/// Waits as an STA waits: incoming calls are served.
#[track_caller]
pub fn pump(event: &Event) {
    let queue = kernel::queue();
    let mut patience = Patience::new(moves());
    loop {
        let input = QueueWait { queue: &queue, mask: PUMPED };
        match wait_any(&[event, &input], next_look(), Why::PumpingWait) {
            Some(0) => return,
            Some(_) => {
                if let Some(pumped) = queue.take_pumped() {
                    run_pumped(pumped);
                }
            }
            None => must_go_on(&mut patience),
        }
    }
}

type Panic = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

/// A thread whose panic is its joiner's.
pub struct Thread {
    spawned: Spawned,
    panic: Panic,
}

impl Thread {
    pub fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Self {
        Self::start_in(platform::current().process(), name, body)
    }

    pub fn start_in(process: &Arc<Process>, name: &str, body: impl FnOnce() + Send + 'static) -> Self {
        let panic = Panic::default();
        let slot = panic.clone();
        let spawned = kernel::spawn_in(process, name, false, move || {
            moved();
            if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
                *lock(&slot) = Some(payload);
            }
        });
        Self { spawned, panic }
    }

    #[track_caller]
    pub fn join(&self) {
        wait(&self.spawned.ended);
        let payload = lock(&self.panic).take();
        if let Some(payload) = payload {
            resume_unwind(payload);
        }
    }
}

/// Runs a test in a process of its own, and sees to it that nothing of it is left.
#[track_caller]
pub fn in_process(test: impl FnOnce() + Send + 'static) {
    let process = Process::new(platform::host());
    Thread::start_in(&process, "test", test).join();
    let left = Arc::new(Mutex::new((0, 0)));
    let counted = left.clone();
    Thread::start_in(&process, "count", move || *lock(&counted) = count_what_is_left()).join();
    assert_eq!(*lock(&left), (0, 0), "(objects, handles) left behind");
}

/// What is left for good: a work item that nobody can join may have an object in its hand a moment longer.
fn count_what_is_left() -> (usize, usize) {
    let count = || (debug::live_objects(), debug::open_handles());
    let mut patience = Patience::new(0);
    let mut left = count();
    while left != (0, 0) && !patience.is_over((left.0 + left.1) as u64) {
        std::thread::yield_now();
        left = count();
    }
    left
}

/// What is handed over to another thread although its type forbids it: the test knows what it does.
pub struct Sent<T>(pub T);
// SAFETY: the tests use what is inside only where the rules of apartments allow it, or to be refused.
unsafe impl<T> Send for Sent<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Sent<T> {}

impl<T> Sent<T> {
    /// By a method, so that a closure takes the whole.
    pub fn take(self) -> T {
        self.0
    }
}

/// An interface pointer on its way to another apartment.
pub struct Packet<I>(*mut c_void, PhantomData<I>);
// SAFETY: the stream may be read in every apartment; that is its purpose.
unsafe impl<I> Send for Packet<I> {}

#[track_caller]
pub fn pack<I: Interface>(object: &I) -> Packet<I> {
    moved();
    let mut stream = std::ptr::null_mut();
    // SAFETY: a live object of this apartment.
    let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&I::IID, object.as_raw(), &mut stream) };
    assert_eq!(hr, S_OK);
    Packet(stream, PhantomData)
}

impl<I: Interface> Packet<I> {
    #[track_caller]
    pub fn unpack(self) -> I {
        self.try_unpack().expect("the packet is good")
    }

    pub fn try_unpack(self) -> Result<I, HRESULT> {
        let mut raw = std::ptr::null_mut();
        // SAFETY: the stream is the packet's own and used once; the result is a counted pointer.
        unsafe {
            match CoGetInterfaceAndReleaseStream(self.0, &I::IID, &mut raw) {
                S_OK => Ok(I::from_raw(raw)),
                hr => Err(hr),
            }
        }
    }
}

/// What kind of apartment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sta,
    Mta,
}

#[track_caller]
pub fn enter(kind: Kind) {
    let model = if kind == Kind::Sta { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
    // SAFETY: no pointers.
    assert_eq!(unsafe { CoInitializeEx(std::ptr::null_mut(), model) }, S_OK);
}

pub fn leave() {
    // SAFETY: the tests have let their pointers go.
    unsafe { CoUninitialize() };
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Jobs {
    queue: Mutex<VecDeque<Option<Job>>>,
}

/// A thread in an apartment that runs jobs; in an STA it pumps between them, with a message loop as programs have.
pub struct Apt {
    pub kind: Kind,
    pub thread_id: u32,
    jobs: Arc<Jobs>,
    came: Arc<Event>,
    thread: Thread,
    stopped: bool,
}

impl Apt {
    pub fn start(kind: Kind) -> Self {
        let (jobs, came, ready) = (Arc::<Jobs>::default(), Event::auto(), Event::manual());
        let id = Arc::new(Mutex::new(0));
        let thread = Thread::start("apartment", {
            let (jobs, came, ready, id) = (jobs.clone(), came.clone(), ready.clone(), id.clone());
            move || {
                enter(kind);
                kernel::queue();
                *lock(&id) = platform::current().id();
                ready.set();
                match kind {
                    Kind::Sta => message_loop(&jobs),
                    Kind::Mta => job_loop(&jobs, &came),
                }
                leave();
            }
        });
        wait(&ready);
        let thread_id = *lock(&id);
        Self { kind, thread_id, jobs, came, thread, stopped: false }
    }

    pub fn sta() -> Self {
        Self::start(Kind::Sta)
    }

    pub fn mta() -> Self {
        Self::start(Kind::Mta)
    }

    fn post(&self, job: Option<Job>) {
        lock(&self.jobs.queue).push_back(job);
        match self.kind {
            // SAFETY: no pointers.
            Kind::Sta => assert!(unsafe { PostThreadMessageW(self.thread_id, WM_APP, 0, 0) }.as_bool()),
            Kind::Mta => self.came.set(),
        }
    }

    /// Has a job run in the apartment; see [`Running::join`].
    pub fn begin<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> Running<R> {
        let running = Running { result: Arc::default(), done: Event::manual() };
        let (result, done) = (running.result.clone(), running.done.clone());
        self.post(Some(Box::new(move || {
            moved();
            let outcome = catch_unwind(AssertUnwindSafe(job));
            *lock(&result) = Some(outcome);
            done.set();
        })));
        running
    }

    /// Runs a job in the apartment and waits for it, dispatching nothing meanwhile.
    #[track_caller]
    pub fn run<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> R {
        self.begin(job).join()
    }

    /// Ends the apartment's thread after the jobs that it has.
    #[track_caller]
    pub fn stop(mut self) {
        self.stopped = true;
        self.post(None);
        self.thread.join();
    }

    /// As [`Self::stop`], from an STA that the end needs: it serves calls meanwhile.
    #[track_caller]
    pub fn stop_pumping(mut self) {
        self.stopped = true;
        self.post(None);
        pump(&self.thread.spawned.ended);
        self.thread.join();
    }
}

impl Drop for Apt {
    fn drop(&mut self) {
        if !self.stopped {
            self.post(None);
        }
    }
}

/// A job that runs.
pub struct Running<R> {
    result: Arc<Mutex<Option<std::thread::Result<R>>>>,
    pub done: Arc<Event>,
}

impl<R> Running<R> {
    #[track_caller]
    pub fn join(self) -> R {
        wait(&self.done);
        self.take()
    }

    /// For an STA: it serves calls while it waits.
    #[track_caller]
    pub fn join_pumping(self) -> R {
        pump(&self.done);
        self.take()
    }

    fn take(self) -> R {
        let result = lock(&self.result).take().expect("the job is done");
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

fn message_loop(jobs: &Jobs) {
    let mut msg = MSG::default();
    // SAFETY: the message is ours.
    while unsafe { GetMessageW(&mut msg, HWND::NULL, 0, 0) }.0 > 0 {
        if msg.hwnd.is_null() && msg.message == WM_APP {
            let next = lock(&jobs.queue).pop_front();
            match next {
                Some(Some(job)) => job(),
                Some(None) => return,
                None => {}
            }
        } else {
            // SAFETY: as above.
            unsafe { DispatchMessageW(&msg) };
        }
    }
}

fn job_loop(jobs: &Jobs, came: &Event) {
    loop {
        let next = lock(&jobs.queue).pop_front();
        match next {
            Some(Some(job)) => job(),
            Some(None) => return,
            None => assert!(came.wait(Deadline::NEVER, Why::Idle)),
        }
    }
}

/// What happened, in order, by whoever did it.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<LogState>>);

#[derive(Default)]
struct LogState {
    lines: Vec<String>,
    seen: BTreeSet<String>,
    counters: Vec<(usize, Arc<Event>)>,
    waiters: Vec<(String, Arc<Event>)>,
}

impl Log {
    pub fn say(&self, line: impl Into<String>) {
        moved();
        let line = line.into();
        let mut called = Vec::new();
        {
            let mut state = lock(&self.0);
            state.waiters.retain(|(wanted, event)| {
                let matches = *wanted == line;
                if matches {
                    called.push(event.clone());
                }
                !matches
            });
            state.seen.insert(line.clone());
            state.lines.push(line);
            let count = state.lines.len();
            let reached = state.counters.extract_if(.., |(wanted, _)| *wanted <= count);
            called.extend(reached.map(|(_, event)| event));
        }
        for event in called {
            event.set();
        }
    }

    pub fn lines(&self) -> Vec<String> {
        lock(&self.0).lines.clone()
    }

    /// The lines since the last look.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0).lines)
    }

    pub fn count(&self, line: &str) -> usize {
        lock(&self.0).lines.iter().filter(|it| *it == line).count()
    }

    pub fn has(&self, line: &str) -> bool {
        self.count(line) > 0
    }

    /// Set when the line is there.
    fn when(&self, line: &str) -> Arc<Event> {
        let event = Event::manual();
        let mut state = lock(&self.0);
        if state.seen.contains(line) {
            drop(state);
            event.set();
        } else {
            state.waiters.push((line.to_owned(), event.clone()));
        }
        event
    }

    /// Waits until there are so many lines.
    #[track_caller]
    pub fn wait_for_lines(&self, count: usize) {
        let event = Event::manual();
        let mut state = lock(&self.0);
        if state.lines.len() < count {
            state.counters.push((count, event.clone()));
            drop(state);
            wait(&event);
        }
    }

    /// Waits until the line is there, dispatching nothing.
    #[track_caller]
    pub fn wait_for(&self, line: &str) {
        wait(&self.when(line));
    }

    /// Waits until the line is there, as an STA waits.
    #[track_caller]
    pub fn pump_for(&self, line: &str) {
        pump(&self.when(line));
    }
}
