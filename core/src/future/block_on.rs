//! Running a future on the current thread.
//!
//! The thread waits for an event, which the waker sets, or for the nearest deadline of the sleeps that were polled with
//! that very waker: so a program in a simulated world needs no thread for its timeouts, and a timeout there is one step. The lock
//! of the alarms is held for a look only.

use super::timer::Key;
use crate::apartment;
use crate::backend;
use crate::kernel::Event;
use crate::platform::{self, Deadline};
use crate::synchronize::SurfaceEvent;
use parking_lot::Mutex;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// When sleeps have a `block_on` poll again: those that were polled with its waker, until their time comes, or they are dropped or
/// polled with another.
#[derive(Default)]
struct Alarms(Mutex<(BTreeSet<Key>, u64)>);

impl Alarms {
    fn add(&self, ns: u64) -> Key {
        let mut alarms = self.0.lock();
        alarms.1 += 1;
        let key = (ns, alarms.1);
        alarms.0.insert(key);
        key
    }

    fn remove(&self, key: Key) {
        self.0.lock().0.remove(&key);
    }

    /// The poll that follows is what they want whose time has come.
    fn tell_due(&self) {
        let mut alarms = self.0.lock();
        while alarms.0.first().is_some_and(|(ns, _)| Deadline::at_ns(*ns).passed()) {
            alarms.0.pop_first();
        }
    }

    /// The nearest.
    fn next(&self) -> Deadline {
        self.0.lock().0.first().map_or(Deadline::NEVER, |(ns, _)| Deadline::at_ns(*ns))
    }
}

/// The [`block_on`] that is polling on a thread, if any: its waker, and what that wakes. Touched by the thread itself only.
#[derive(Default)]
pub(crate) struct Driving(RefCell<Option<(Waker, Arc<Awake>)>>);

impl Driving {
    /// Has the `block_on` that polls now look again at `ns`; nothing when `waker` is not its own, so that it might look in vain.
    pub(super) fn add(waker: &Waker, ns: u64) -> Option<(Arc<Awake>, Key)> {
        platform::with_current(|thread| {
            let driving = thread.com().driving.0.borrow();
            let (_, awake) = driving.as_ref().filter(|(mine, _)| mine.will_wake(waker))?;
            Some((awake.clone(), awake.alarms.add(ns)))
        })
    }
}

/// While a `block_on` polls; the outer one comes back when it is dropped.
struct Polling(Option<(Waker, Arc<Awake>)>);

impl Polling {
    fn enter(waker: &Waker, awake: &Arc<Awake>) -> Self {
        let driving = Some((waker.clone(), awake.clone()));
        Self(platform::with_current(|thread| thread.com().driving.0.replace(driving)))
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        let before = self.0.take();
        let mine = platform::with_current(|thread| thread.com().driving.0.replace(before));
        drop(mine);
    }
}

/// What has a `block_on` poll its future.
pub(super) struct Awake {
    event: AwakeEvent,
    alarms: Alarms,
}

/// Set when the future is to be polled.
enum AwakeEvent {
    Own(Event),
    System(SurfaceEvent),
}

impl Awake {
    fn new() -> Self {
        let event = if backend::is_system() {
            AwakeEvent::System(SurfaceEvent::new(false).expect("the system gives an event"))
        } else {
            AwakeEvent::Own(Event::new(platform::current().process(), true, false))
        };
        Self { event, alarms: Alarms::default() }
    }

    /// A sleep that has an alarm here wants it no more.
    pub(super) fn forget(&self, key: Key) {
        self.alarms.remove(key);
    }

    /// Waits as COM does in the thread's apartment.
    fn wait(&self) {
        let deadline = self.alarms.next();
        match &self.event {
            AwakeEvent::Own(event) => _ = apartment::co_wait_until(event, deadline),
            AwakeEvent::System(event) => _ = event.wait_anywhere(deadline.ms_left()),
        }
        self.alarms.tell_due();
    }

    fn set(&self) {
        match &self.event {
            AwakeEvent::Own(event) => event.set(),
            AwakeEvent::System(event) => event.set(),
        }
    }
}

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.set();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
    }
}

/// Runs a future on the current thread until it resolves.
///
/// Between polls an STA dispatches what a modal wait of COM does: incoming calls and sent messages (posted window messages
/// stay in the queue). In the MTA, and on threads outside COM, the thread just waits. Calls dispatched meanwhile
/// may use `block_on` again; the inner one ends first, as with every nested wait.
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    let awake = Arc::new(Awake::new());
    let waker = Waker::from(awake.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        let polling = Polling::enter(&waker, &awake);
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        drop(polling);
        awake.wait();
    }
}
