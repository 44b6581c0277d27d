//! The port of a simulated world: what its threads see of it.
//!
//! Everything here runs on one thread of the operating system, the one that the hub runs on: [`World::here`] checks
//! it. `state` is borrowed only between two switches and never while code of others runs: not while a fiber runs, and
//! shared, not exclusively, while conditions of waits are looked at. So no borrow can fail, and nothing can block.
//!
//! `mode`, written by the hub only, says what the threads may do:
//!
//! | mode | who runs | an announced operation | a wait |
//! | --- | --- | --- | --- |
//! | `Running` | the thread `running` | stops the thread | stops the thread |
//! | `Deciding` | the hub, looking at conditions | is not one | looks and returns |
//! | `Closing` | daemons, one after the other | goes on | looks and returns |
//! | `Over` | whoever still holds something | is refused | is refused |

use super::machine::FIRST_PROCESS;
use crate::clock::{self, Clock};
use crate::fault::Plan;
use crate::fiber::{Link, Pause};
use crate::network::Web;
use crate::report::panic_words;
use crate::trace::{Touch, Trace};
use oleander::kernel::Waitable;
use oleander::network::Network;
use oleander::platform::{
    Access, Announce, Deadline, Fact, Grave, Object, ObjectKind, Port, Spawn, Thread, ThreadRef, Why,
};
use oleander::process::Process;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many workers of the MTA's pool run at once in a simulated world.
const PARALLELISM: usize = 4;

/// A thread that waits again and again although its waits return at once will not stop by itself.
const FUTILE_WAITS_MAX: u32 = 10_000;

/// What is said when a world is used on a thread that is none of its own.
pub(super) const FOREIGN: &str = "something of a simulated world is used on a thread outside it: start threads with \
     `oleander_sim::thread::spawn` or `world::spawn`, not with `std::thread`";

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
    graves: RefCell<Vec<Grave>>,
}

/// Where an execution stands: numbers, which are new in each.
pub(super) struct Run {
    /// The address of [`HERE`] on the thread of the operating system that it belongs to.
    owner: usize,
    /// No other execution has it, in this program.
    serial: u64,
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
    whole: Cell<u32>,
    /// Whether any thread has panicked, or what it did ends the execution as a panic does.
    pub(super) panicked: Cell<bool>,
    /// Whether another thread of the operating system has used the world.
    foreign: AtomicBool,
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

// SAFETY: everything but `wake` checks that it runs on the owning thread of the operating system before it touches a
// field, and `Entered` empties the world of all that belongs to that thread before it ends; what is left are numbers.
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

    /// Adds a thread, which runs when the hub comes to it.
    pub(super) fn add(&self, spawn: Spawn, body: Box<dyn FnOnce()>) -> ThreadRef {
        let port = self.port();
        let end = spawn.process.new_object(ObjectKind::Thread);
        let daemon = spawn.daemon;
        let life = (spawn.process.id() != FIRST_PROCESS).then(|| spawn.process.life());
        self.run.alive.update(|alive| alive + usize::from(!daemon));
        let thread = Thread::new(spawn.name, port, true, spawn.process);
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let number = state.slots.len();
        state.slots.push(Slot {
            thread: thread.clone(),
            end,
            daemon,
            pending: Pending::First,
            link: std::ptr::null(),
            panic: None,
            locals: Vec::new(),
            life,
            killed: false,
        });
        if state.touches.len() == number {
            state.touches.push(Vec::new());
        }
        state.touches[number].clear();
        state.trace.birth(if self.run.running.get() == HUB { 0 } else { self.run.running.get() });
        let ended = thread.object().ended().header().object();
        state.trace.note_birth(number, [end, ended]);
        state.newborn.push((number, body));
        thread
    }

    /// Does something as part of the current step, whatever it announces: nobody sees it half done. It does not block.
    pub(crate) fn in_one_step<R>(&self, f: impl FnOnce() -> R) -> R {
        self.run.whole.update(|depth| depth + 1);
        let result = f();
        self.run.whole.update(|depth| depth - 1);
        result
    }

    /// The process in which the scenario began.
    pub(crate) fn first_process(&self) -> Arc<Process> {
        self.state.borrow().processes[0].0.clone()
    }

    /// All processes, in the order in which they were made.
    pub(crate) fn processes(&self) -> Vec<Arc<Process>> {
        self.state.borrow().processes.iter().map(|(process, _)| process.clone()).collect()
    }

    /// A process has died: its threads have ended, as part of the current step, and never run again. Its tables and what its
    /// threads have stay for ever: nobody may drop what is in them.
    pub(crate) fn stop_threads_of(&self, process: &Arc<Process>) {
        std::mem::forget(process.clone());
        let mut stopped = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            let State { slots, touches, trace, .. } = &mut *state;
            let of_process = |slot: &Slot| Arc::ptr_eq(slot.thread.process(), process);
            for (slot, touches) in slots.iter_mut().zip(touches).filter(|(slot, _)| of_process(slot)) {
                if matches!(slot.pending, Pending::Ended) {
                    continue;
                }
                slot.pending = Pending::Ended;
                slot.killed = true;
                slot.link = std::ptr::null();
                touches.clear();
                trace.note(Touch { object: slot.end, access: Access::Write });
                self.run.alive.update(|alive| alive - usize::from(!slot.daemon));
                stopped.push(slot.thread.clone());
            }
        }
        for thread in stopped {
            thread.was_killed();
            std::mem::forget(thread);
        }
    }

    /// The current thread's panic was caught at its root.
    pub(super) fn thread_panicked(&self, payload: &(dyn Any + Send)) {
        let message = panic_words(payload);
        self.run.panicked.set(true);
        self.state.borrow_mut().slots[self.run.running.get()].panic.get_or_insert(message);
    }

    /// The world's number: see [`crate::sync`].
    pub(crate) fn serial(&self) -> u64 {
        self.run.serial
    }

    /// The running thread's own value under a key, if it has been made.
    pub(crate) fn local(&self, key: usize) -> Option<Rc<dyn Any>> {
        let state = self.state.borrow();
        let locals = &state.slots[self.run.running.get()].locals;
        locals.iter().find(|(there, _)| *there == key).map(|(_, value)| value.clone())
    }

    /// Keeps a value of the running thread; says whether it is its first.
    pub(crate) fn add_local(&self, key: usize, value: Rc<dyn Any>) -> bool {
        let locals = &mut self.state.borrow_mut().slots[self.run.running.get()].locals;
        locals.push((key, value));
        locals.len() == 1
    }

    /// Takes the running thread's latest value.
    pub(crate) fn pop_local(&self) -> Option<Rc<dyn Any>> {
        self.state.borrow_mut().slots[self.run.running.get()].locals.pop().map(|(_, value)| value)
    }

    /// Somebody has been handed the thread's panic.
    pub(super) fn forgive(&self, number: usize) {
        self.state.borrow_mut().slots[number].panic = None;
    }

    pub(super) fn has_ended(&self, number: usize) -> bool {
        matches!(self.state.borrow().slots[number].pending, Pending::Ended)
    }

    /// A thread's end as an object, and its number.
    pub(super) fn find(&self, thread: &ThreadRef) -> (Object, usize) {
        let state = self.state.borrow();
        let number = state.slots.iter().position(|slot| Arc::ptr_eq(&slot.thread, thread));
        let number = number.expect("a thread is joined by threads of its own world");
        (state.slots[number].end, number)
    }

    /// Remembers it when this is a thread that neither is nor drives one of the world's. Gives whether it is.
    fn is_outside(&self) -> bool {
        let outside = self.run.owner != place();
        if outside {
            self.run.foreign.store(true, Ordering::Release);
        }
        outside
    }

    fn here(&self) {
        assert!(!self.is_outside(), "{FOREIGN}");
        assert!(self.run.mode.get() != Mode::Over, "something of a simulated world is used outside it: after its end");
    }

    /// Whether a thread that is none of this world's has used it.
    pub(super) fn is_used_outside(&self) -> bool {
        self.run.foreign.load(Ordering::Acquire)
    }

    /// Goes to the hub and comes back with its answer.
    fn pause(&self, pause: Pause) -> usize {
        let link = self.state.borrow().slots[self.run.running.get()].link;
        // SAFETY: the running fiber put the link there; it lives on that fiber's stack, which is the current one.
        let link = unsafe { &*link };
        let whole = self.run.whole.replace(0);
        let answer = link.suspend(pause);
        self.run.whole.set(whole);
        answer
    }

    /// Whether the current code can be stopped: a thread of the world that does not unwind. The flag that says so
    /// belongs to the thread of the operating system, and other fibers would see it.
    fn can_stop(&self) -> bool {
        self.run.mode.get() == Mode::Running && self.run.running.get() != HUB && !std::thread::panicking()
    }

    /// A wait that cannot stop looks at its condition and returns.
    #[cold]
    fn futile_wait(&self, on: &[Object], ready: &dyn Fn() -> bool) -> bool {
        if self.run.mode.get() == Mode::Running && self.run.running.get() != HUB {
            let mut state = self.state.borrow_mut();
            on.iter().for_each(|&object| state.trace.note(Touch::of_wait(object)));
        }
        if ready() {
            self.run.futile_waits.set(0);
            return true;
        }
        let waits = self.run.futile_waits.get() + 1;
        self.run.futile_waits.set(waits);
        if waits == FUTILE_WAITS_MAX {
            if self.run.mode.get() == Mode::Closing && !std::thread::panicking() {
                // It does not go home. The hub never lets it go on.
                self.pause(Pause::Announced);
            }
            eprintln!(
                "a thread of a simulated world waits without end where it cannot be stopped: while it unwinds a panic"
            );
            std::process::abort();
        }
        false
    }

    /// A thread has ended, in the step that it took last.
    pub(super) fn ended(&self, number: usize) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        self.run.alive.update(|alive| alive - usize::from(!state.slots[number].daemon));
        state.slots[number].pending = Pending::Ended;
        state.touches[number].clear();
        state.trace.note(Touch { object: state.slots[number].end, access: Access::Write });
    }
}

/// What every step of a thread touches besides.
fn slot_life(slot: &Slot) -> Option<Touch> {
    slot.life.map(|object| Touch { object, access: Access::Read })
}

/// Names the current thread of the operating system.
fn place() -> usize {
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

impl Port for World {
    fn now(&self) -> u64 {
        self.here();
        if self.run.any_time.get() && self.run.mode.get() == Mode::Running && self.run.running.get() != HUB {
            self.state.borrow_mut().trace.note(clock::READ);
        }
        self.run.clock.now_ns()
    }

    fn spawn(&self, spawn: Spawn, body: Box<dyn FnOnce() + Send>) -> ThreadRef {
        self.here();
        assert!(matches!(self.run.mode.get(), Mode::Running), "no thread starts where none can run");
        self.add(spawn, body)
    }

    fn block(&self, on: &[Object], ready: &dyn Fn() -> bool, deadline: Deadline, why: Why) -> bool {
        self.here();
        if !self.can_stop() {
            return self.futile_wait(on, ready);
        }
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let number = self.run.running.get();
            // SAFETY: only the lifetime changes. The hub calls it while this function waits, and never after it.
            let ready = unsafe { std::mem::transmute::<&dyn Fn() -> bool, *const (dyn Fn() -> bool + 'static)>(ready) };
            state.slots[number].pending = Pending::Wait { ready, deadline, why };
            state.trace.note_wait(number, why);
            let touches = &mut state.touches[number];
            touches.clear();
            touches.extend(on.iter().map(|&object| Touch::of_wait(object)));
            touches.extend(slot_life(&state.slots[number]));
            if self.run.any_time.get() && clock::is_timed(deadline) {
                state.trace.note(clock::READ);
                touches.push(clock::MOVE);
            }
        }
        self.pause(Pause::Announced);
        if self.run.mode.get() == Mode::Closing {
            return self.futile_wait(on, ready);
        }
        self.run.held.get()
    }

    /// Nothing: the hub looks at every condition before every step.
    fn wake(&self, _thread: &Thread) {}

    fn visit(&self, object: Object, access: Access, announce: Announce) {
        self.here();
        if self.run.mode.get() != Mode::Running || self.run.running.get() == HUB {
            return;
        }
        let touch = Touch { object, access };
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            if announce == Announce::Within || self.run.whole.get() > 0 || std::thread::panicking() {
                return state.trace.note(touch);
            }
            let number = self.run.running.get();
            state.slots[number].pending = Pending::Operation;
            let touches = &mut state.touches[number];
            touches.clear();
            touches.push(touch);
            touches.extend(slot_life(&state.slots[number]));
        }
        self.pause(Pause::Announced);
    }

    fn choose(&self, n: usize) -> usize {
        self.here();
        if n <= 1 || !self.can_stop() {
            return 0;
        }
        self.pause(Pause::Choose(n))
    }

    fn is_world(&self) -> bool {
        true
    }

    fn used_outside(&self) {
        self.is_outside();
    }

    fn tell(&self, fact: Fact) {
        // What is dropped behind the world's end is nobody's business any more.
        if self.run.owner == place() && self.run.mode.get() != Mode::Over && self.run.running.get() != HUB {
            self.state.borrow_mut().trace.note_fact(self.run.running.get(), fact);
        }
    }

    fn buries(&self) -> bool {
        self.run.owner == place() && self.run.mode.get() != Mode::Over && self.run.keeps.get()
    }

    fn bury(&self, grave: Grave) {
        self.graves.borrow_mut().push(grave);
    }

    fn used_after_end(&self, this: *mut c_void, method: usize) {
        self.here();
        let called = self.graves.borrow().iter().find_map(|grave| grave.called(this, method));
        let number = self.run.running.get();
        if let Some(called) = called
            && number != HUB
        {
            self.state.borrow_mut().trace.note_fact(number, Fact::UsedAfterEnd(called));
            self.run.used_after_end.set(true);
            self.run.panicked.set(true);
            while !std::thread::panicking() {
                // The hub ends the execution, and never lets it go on.
                self.pause(Pause::Announced);
            }
        }
    }

    fn parallelism(&self) -> usize {
        PARALLELISM
    }
}

/// Tells worlds apart. Nothing in an execution depends on it but whether a number is of this world.
fn next_serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
