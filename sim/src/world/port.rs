//! The port of a simulated world: what its threads see of it. What it touches, when, and on which thread: `state.rs`.

use super::machine::FIRST_PROCESS;
use super::state::{HUB, Mode, Pending, Slot, State, World, place};
use crate::clock;
use crate::fiber::Pause;
use crate::report::panic_words;
use crate::trace::Touch;
use oleander::kernel::Waitable;
use oleander::platform::{
    Access, Announce, Deadline, Fact, Grave, Object, ObjectKind, Port, Spawn, Thread, ThreadRef, Why,
};
use oleander::process::Process;
use std::any::Any;
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many workers of the MTA's pool run at once in a simulated world.
const PARALLELISM: usize = 4;

/// A thread that waits again and again although its waits return at once will not stop by itself.
const FUTILE_WAITS_MAX: u32 = 10_000;

/// What is said when a world is used on a thread that is none of its own.
pub(super) const FOREIGN: &str = "something of a simulated world is used on a thread outside it: start threads with \
     `oleander_sim::thread::spawn` or `world::spawn`, not with `std::thread`";

impl World {
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
        debug_assert!(self.buries());
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
