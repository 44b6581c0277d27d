//! What a simulated world is made of: its threads, where its execution stands, and whose it is.
//!
//! Everything here is touched on one thread of the operating system, the one that the hub runs on; `port.rs` checks it. `state`
//! is borrowed only between two switches and never while code of others runs: not while a fiber runs, and shared, not
//! exclusively, while conditions of waits are looked at. So no borrow can fail, and nothing can block.
//!
//! `mode`, written by the hub only, says what the threads may do:
//!
//! | mode | who runs | an announced operation | a wait |
//! | --- | --- | --- | --- |
//! | `Running` | the thread `running` | stops the thread | stops the thread |
//! | `Deciding` | the hub, looking at conditions | is not one | looks and returns |
//! | `Closing` | daemons, one after the other | goes on | looks and returns |
//! | `Over` | whoever still holds something | is refused | is refused |

use crate::clock::Clock;
use crate::fault::Plan;
use crate::fiber::Link;
use crate::network::Web;
use crate::trace::{Touch, Trace};
use oleander::network::Network;
use oleander::platform::{Deadline, Grave, Object, ThreadRef, Why};
use oleander::process::Process;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// No thread: the hub runs.
pub(super) const HUB: usize = usize::MAX;

thread_local! {
    /// The world of this thread of the operating system; its address names the thread.
    static HERE: Cell<*const World> = const { Cell::new(std::ptr::null()) };
}

/// Whether a world runs on this thread of the operating system.
pub(crate) fn inside() -> bool {
    !HERE.get().is_null()
}

/// Calls `f` with the world of this thread of the operating system.
pub(crate) fn with_here<R>(f: impl FnOnce(&World) -> R) -> R {
    let world = HERE.get();
    assert!(!world.is_null(), "no simulated world runs on this thread");
    // SAFETY: `Entered` keeps the world alive while the pointer is there.
    f(unsafe { &*world })
}

/// While it lives, this is the world of this thread of the operating system. Afterwards the world is empty.
pub(super) struct Entered(Arc<World>);

impl Entered {
    pub(super) fn new(world: Arc<World>) -> Self {
        HERE.set(Arc::as_ptr(&world));
        Self(world)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.run.mode.set(Mode::Over);
        HERE.set(std::ptr::null());
        if std::thread::panicking() {
            // The schedule has panicked, and something is left.
            drop(self.0.state.take());
        }
        // Threads that have not ended are never resumed, so nobody has a pointer to what lies there. A grave's end frees memory
        // and calls nobody.
        self.0.graves.borrow_mut().clear();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Running,
    Deciding,
    Closing,
    Over,
}

/// What a thread does next.
pub(super) enum Pending {
    /// It has not yet come to its first stop.
    First,
    /// An announced operation.
    Operation,
    /// A wait.
    Wait { ready: *const dyn Fn() -> bool, deadline: Deadline, why: Why },
    /// Nothing: it has ended.
    Ended,
}

/// A thread of the world.
pub(super) struct Slot {
    pub(super) thread: ThreadRef,
    /// The thread's end.
    pub(super) end: Object,
    pub(super) daemon: bool,
    pub(super) pending: Pending,
    pub(super) link: *const Link,
    pub(super) panic: Option<String>,
    /// The thread's own values of `thread_local!`, in the order in which they were made.
    pub(super) locals: Vec<(usize, Rc<dyn Any>)>,
    /// The life of its process, which each step looks at; none for the scenario's process, which does not die.
    pub(super) life: Option<Object>,
    /// Its process has died: the fiber is never resumed.
    pub(super) killed: bool,
}

/// What the hub and the threads share.
#[derive(Default)]
pub(super) struct State {
    pub(super) slots: Vec<Slot>,
    /// What the next step of each thread will touch. Longer than `slots`: the vectors are kept for later executions.
    pub(super) touches: Vec<Vec<Touch>>,
    /// Threads that have not run yet.
    pub(super) newborn: Vec<(usize, Box<dyn FnOnce()>)>,
    pub(super) trace: Trace,
    /// The names of the machines, and the processes in the order in which they were made, each with its machine.
    pub(super) machines: Vec<Arc<str>>,
    pub(super) processes: Vec<(Arc<Process>, usize)>,
}

impl State {
    /// The names of the threads, for reports.
    pub(super) fn names(&self) -> Vec<&str> {
        self.slots.iter().map(|slot| slot.thread.name()).collect()
    }

    /// Whether nothing of an execution is left in it.
    fn is_new(&self) -> bool {
        let Self { slots, touches: _, newborn, trace, machines, processes } = self;
        let is_empty = slots.is_empty() && newborn.is_empty() && machines.is_empty() && processes.is_empty();
        is_empty && trace.is_clear()
    }
}

/// A simulated world.
pub(crate) struct World {
    /// Itself, in its `Arc`.
    this: *const World,
    pub(super) run: Run,
    pub(super) state: RefCell<State>,
    /// The processes, as each other's peers; what lies between them; what is to go wrong.
    pub(super) network: RefCell<Option<Arc<Network>>>,
    pub(crate) web: RefCell<Web>,
    pub(crate) plan: RefCell<Plan>,
    /// The memory of objects that have gone.
    pub(super) graves: RefCell<Vec<Grave>>,
}

/// Where an execution stands: numbers, which are new in each.
pub(super) struct Run {
    /// The address of [`HERE`] on the thread of the operating system that it belongs to.
    pub(super) owner: usize,
    /// No other execution has it, in this program.
    pub(super) serial: u64,
    pub(super) clock: Clock,
    /// Whether waits may give up at any time.
    pub(super) any_time: Cell<bool>,
    pub(super) mode: Cell<Mode>,
    /// The thread that runs.
    pub(super) running: Cell<usize>,
    /// Whether the condition of the wait held that the hub has let go on.
    pub(super) held: Cell<bool>,
    pub(super) futile_waits: Cell<u32>,
    /// How many threads that keep the world alive have not ended.
    pub(super) alive: Cell<usize>,
    /// How many things the running thread is inside of that are part of one step ([`World::in_one_step`]).
    pub(super) whole: Cell<u32>,
    /// Whether any thread has panicked, or what it did ends the execution as a panic does.
    pub(super) panicked: Cell<bool>,
    /// Whether another thread of the operating system has used the world.
    pub(super) foreign: AtomicBool,
    /// Whether the memory of objects is kept behind their last Release.
    pub(super) keeps: Cell<bool>,
    /// Whether a thread has called a method of an object that had gone, which ends the execution.
    pub(super) used_after_end: Cell<bool>,
}

impl Run {
    fn new() -> Self {
        Self {
            owner: place(),
            serial: next_serial(),
            clock: Clock::default(),
            any_time: Cell::new(false),
            mode: Cell::new(Mode::Running),
            running: Cell::new(HUB),
            held: Cell::new(false),
            futile_waits: Cell::new(0),
            alive: Cell::new(0),
            whole: Cell::new(0),
            panicked: Cell::new(false),
            foreign: AtomicBool::new(false),
            keeps: Cell::new(false),
            used_after_end: Cell::new(false),
        }
    }
}

// SAFETY: everything checks that it runs on the owning thread of the operating system before it touches a field that is not
// atomic (`bury` leaves that to `buries`, behind which alone it is called), and `Entered` empties the world of all that belongs
// to that thread before it ends; what is left are numbers.
unsafe impl Send for World {}
// SAFETY: as above.
unsafe impl Sync for World {}

impl World {
    /// A world as good as new: the one given, if nobody else has it.
    pub(super) fn renewed(last: Option<Arc<Self>>) -> Arc<Self> {
        let Some(mut last) = last else { return Arc::new_cyclic(|this| Self::new(this.as_ptr())) };
        let Some(world) = Arc::get_mut(&mut last) else { return Self::renewed(None) };
        world.renew();
        last
    }

    /// Makes a world that has ended, and is empty, as good as new.
    fn renew(&mut self) {
        let Self { this: _, run, state, network, web, plan, graves } = self;
        *run = Run::new();
        drop(plan.take());
        debug_assert!(network.get_mut().is_none() && web.get_mut().is_new());
        debug_assert!(state.get_mut().is_new() && graves.get_mut().is_empty());
    }

    fn new(this: *const Self) -> Self {
        Self {
            this,
            run: Run::new(),
            state: RefCell::default(),
            network: RefCell::default(),
            web: RefCell::default(),
            plan: RefCell::default(),
            graves: RefCell::default(),
        }
    }

    /// The world as the port of its processes.
    pub(super) fn port(&self) -> Arc<World> {
        // SAFETY: the pointer came from the `Arc` in which the world lies, and who calls this has the world alive.
        unsafe {
            Arc::increment_strong_count(self.this);
            Arc::from_raw(self.this)
        }
    }
}

/// Names the current thread of the operating system.
pub(super) fn place() -> usize {
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

/// Tells worlds apart. Nothing in an execution depends on it but whether a number is of this world.
fn next_serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
