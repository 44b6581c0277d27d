//! `RegisterWaitForSingleObject`: a callback each time an object is signalled or a time is over (AGG-10). Each registration has a
//! thread of its own that waits, and that belongs to no apartment.
//!
//! The next wait begins at once where the signal was taken; where it stays (a manual event, a thread's end), or the time is 0,
//! when the callback has returned, so that one signal is not an endless row of callbacks at the same time.
//!
//! `inner` counts callbacks that were begun and knows whether the registration is over; it is never held while one runs or
//! anything is signalled. No callback begins after it is over; `done` is set when none runs any more.

use super::handle::KernelObject;
use super::wait::{self, Mode, Waitable};
use super::{Event, work};
use crate::platform::{self, Access, Deadline, Why};
use crate::process::Process;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is called: with `true` when the time was over.
pub(crate) type WaitCallback = Arc<dyn Fn(bool) + Send + Sync>;

/// How a registration waits and calls.
#[derive(Clone, Copy)]
pub(crate) struct WaitOptions {
    pub(crate) ms: u32,
    pub(crate) once: bool,
    pub(crate) in_wait_thread: bool,
}

/// A registration.
pub(crate) struct RegisteredWait {
    cancel: Event,
    done: Event,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    running: usize,
    over: bool,
    tell: Option<Arc<Event>>,
}

impl RegisteredWait {
    /// A registration that does not wait yet.
    pub(crate) fn new(process: &Process) -> Arc<Self> {
        Arc::new(Self {
            cancel: Event::new(process, false, false),
            done: Event::new(process, false, false),
            inner: Mutex::default(),
        })
    }

    /// Begins to wait, on a thread of its own: callbacks may run before this returns.
    pub(crate) fn start(self: Arc<Self>, object: KernelObject, callback: WaitCallback, options: WaitOptions) {
        super::spawn("registered wait", true, move || self.run(&object, &callback, options));
    }

    fn run(self: &Arc<Self>, object: &KernelObject, callback: &WaitCallback, options: WaitOptions) {
        let stays = options.ms == 0 || matches!(object.as_waitable().mode(), Mode::Sticky);
        loop {
            let deadline = Deadline::after_ms(options.ms);
            let timed_out = match wait::wait_any(&[&self.cancel, object.as_waitable()], deadline, Why::Idle) {
                Some(1) => false,
                None if deadline.passed() => true,
                // Unregistered; or a simulated world is over.
                _ => return,
            };
            if !self.begin() {
                return;
            }
            if options.once || options.in_wait_thread || stays {
                callback(timed_out);
                self.finish();
                if options.once {
                    return;
                }
                continue;
            }
            let (wait, callback) = (self.clone(), callback.clone());
            work::queue_work_item(move || {
                callback(timed_out);
                wait.finish();
            });
        }
    }

    /// A callback begins, as part of the step that found the object signalled; unless the registration is over.
    fn begin(&self) -> bool {
        platform::note(self.done.header().object(), Access::Write);
        let mut inner = self.inner.lock();
        inner.running += usize::from(!inner.over);
        !inner.over
    }

    fn finish(&self) {
        platform::visit(self.done.header().object(), Access::Write);
        let (last, tell) = {
            let mut inner = self.inner.lock();
            inner.running -= 1;
            let last = inner.over && inner.running == 0;
            (last, if last { inner.tell.take() } else { None })
        };
        self.tell(last, tell);
    }

    /// Ends it; whether callbacks run still. `tell` is set when none does.
    pub(crate) fn end(&self, tell: Option<Arc<Event>>) -> bool {
        platform::visit(self.done.header().object(), Access::Write);
        let (pending, tell) = {
            let mut inner = self.inner.lock();
            inner.over = true;
            let pending = inner.running > 0;
            (pending, if pending { std::mem::replace(&mut inner.tell, tell).and(None) } else { tell })
        };
        self.tell(!pending, tell);
        self.cancel.set();
        pending
    }

    fn tell(&self, done: bool, tell: Option<Arc<Event>>) {
        if done {
            self.done.set_in_step();
        }
        if let Some(event) = tell {
            event.set();
        }
    }

    /// Waits until no callback runs.
    pub(crate) fn wait_until_done(&self) {
        self.done.wait(Deadline::NEVER, Why::Wait);
    }
}

/// The registrations of a process by their numbers, which are none of its handles': those have 2 in their low two bits.
#[derive(Default)]
pub(crate) struct WaitTable(Mutex<(usize, BTreeMap<usize, Arc<RegisteredWait>>)>);

impl WaitTable {
    pub(crate) fn insert(&self, wait: Arc<RegisteredWait>) -> usize {
        let mut table = self.0.lock();
        table.0 += 16;
        let number = table.0;
        table.1.insert(number, wait);
        number
    }

    pub(crate) fn remove(&self, number: usize) -> Option<Arc<RegisteredWait>> {
        self.0.lock().1.remove(&number)
    }
}
