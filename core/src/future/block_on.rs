//! Running a future on the current thread.
//!
//! The thread waits for an event, which the waker sets, or for the nearest deadline of the timers that were polled with
//! that very waker: so a program in a simulated world needs no thread for its timeouts, and a timeout there is one step.

use crate::apartment;
use crate::backend;
use crate::kernel::Event;
use crate::platform::{self, Deadline};
use crate::synchronize::SurfaceEvent;
use std::cell::{Cell, RefCell};
use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// The [`block_on`] that is polling on a thread, if any. Touched by the thread itself only.
#[derive(Default)]
pub(crate) struct Driving {
    waker: RefCell<Option<Waker>>,
    /// The nearest deadline that it was told while it polls.
    nearest_ns: Cell<Option<u64>>,
}

impl Driving {
    /// Has the `block_on` that polls now look again at `ns`; `false` when `waker` is not its own, so that it might
    /// look in vain.
    pub(super) fn note(waker: &Waker, ns: u64) -> bool {
        platform::with_current(|thread| {
            let driving = &thread.com().driving;
            let own = driving.waker.borrow().as_ref().is_some_and(|mine| mine.will_wake(waker));
            if own {
                driving.nearest_ns.set(Some(driving.nearest_ns.get().map_or(ns, |nearest| nearest.min(ns))));
            }
            own
        })
    }
}

/// While a `block_on` polls; the outer one's state comes back when it is dropped.
struct Polling {
    waker: Option<Waker>,
    nearest_ns: Option<u64>,
}

impl Polling {
    fn enter(waker: &Waker) -> Self {
        platform::with_current(|thread| {
            let driving = &thread.com().driving;
            Self { waker: driving.waker.replace(Some(waker.clone())), nearest_ns: driving.nearest_ns.take() }
        })
    }

    /// Ends, and gives the deadline.
    fn leave(self) -> Deadline {
        let nearest = platform::with_current(|thread| thread.com().driving.nearest_ns.get());
        nearest.map_or(Deadline::NEVER, Deadline::at_ns)
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        platform::with_current(|thread| {
            let driving = &thread.com().driving;
            driving.nearest_ns.set(self.nearest_ns);
            drop(driving.waker.replace(self.waker.take()));
        });
    }
}

/// Set when the future is to be polled.
enum Awake {
    Own(Event),
    System(SurfaceEvent),
}

impl Awake {
    fn new() -> Self {
        if !backend::is_system() {
            return Self::Own(Event::new(platform::current().process(), true, false));
        }
        Self::System(SurfaceEvent::new(false).expect("the system gives an event"))
    }

    /// Waits as COM does in the thread's apartment.
    fn wait(&self, deadline: Deadline) {
        match self {
            Self::Own(event) => _ = apartment::co_wait_until(event, deadline),
            Self::System(event) => _ = event.wait_anywhere(deadline.ms_left()),
        }
    }

    fn set(&self) {
        match self {
            Self::Own(event) => event.set(),
            Self::System(event) => event.set(),
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
        let polling = Polling::enter(&waker);
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        awake.wait(polling.leave());
    }
}
