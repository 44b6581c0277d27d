//! The hub: it runs a world's fibers, one step of one of them at a time.
//!
//! The world and its vectors are reused from execution to execution, and by the next hub on its thread of the operating
//! system. The hub alone switches fibers, moves the clock and asks the schedule, always on the stack that `run` was called on.

use super::machine;
use super::port::FOREIGN;
use super::pulse::Watched;
use super::state::{Entered, HUB, Mode, Pending, Slot, State, World, inside};
use super::{Limits, TimeMode};
use crate::clock;
use crate::fiber::{Fiber, Link, Pause};
use crate::report::{End, Report};
use crate::schedule::{Point, Schedule};
use crate::trace::{Outcome, Trace};
use oleander::platform::{self, Deadline, Spawn, Thread, ThreadRef, Why, enter};
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Steps that daemons may take after the last other thread has ended.
const DRAIN_STEPS_MAX: u64 = 100_000;

/// A hub whose trace has more steps than this gives its memory back.
const KEPT_STEPS_MAX: usize = 1 << 14;

thread_local! {
    static KEPT: Cell<Option<Box<Kept>>> = const { Cell::new(None) };
}

/// What is reused. Between executions nothing of a scenario is in it but the trace, which is plain data.
#[derive(Default)]
struct Kept {
    /// The last world, which is made new for the next execution unless somebody still has it.
    world: Option<Arc<World>>,
    trace: Trace,
    fibers: Vec<Option<Fiber>>,
    enabled: Vec<usize>,
    outcomes: Vec<Outcome>,
}

/// Runs executions, one after the other.
pub(crate) struct Hub {
    kept: ManuallyDrop<Box<Kept>>,
    steps: u64,
    virtual_ns: u64,
    abandoned: usize,
    /// Whether the last execution failed, and the names of its threads then.
    failed: bool,
    names: Vec<String>,
    /// Who watches whether it goes on, if anybody does.
    pulse: Option<Watched>,
}

/// The record of the thread that the hub runs on. It is the current one whenever no fiber runs, also after a panic.
struct Outside(ThreadRef);

impl Outside {
    fn enter(&self) {
        // SAFETY: `self.0` keeps it alive for as long as the world runs, and whoever put it there first, after that.
        unsafe { enter(Arc::as_ptr(&self.0)) };
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.enter();
    }
}

/// An execution under way.
struct Execution<'a> {
    hub: &'a mut Hub,
    world: &'a Arc<World>,
    outside: &'a Outside,
    schedule: &'a mut dyn Schedule,
    limits: &'a Limits,
    /// The thread that took the last step.
    last: usize,
}

impl Drop for Hub {
    fn drop(&mut self) {
        // SAFETY: the field is not used after this: the hub is being dropped.
        let kept = unsafe { ManuallyDrop::take(&mut self.kept) };
        // After a panic of the schedule there are fibers left, and no world.
        if !kept.fibers.is_empty() || kept.trace.steps().len() > KEPT_STEPS_MAX {
            return;
        }
        // While the thread ends there may be no place for it.
        _ = KEPT.try_with(|place| place.set(Some(kept)));
    }
}

impl Hub {
    /// A hub; it may take so much real time for a step.
    pub(crate) fn new(stall_max: Duration) -> Self {
        Self {
            kept: ManuallyDrop::new(KEPT.take().unwrap_or_default()),
            steps: 0,
            virtual_ns: 0,
            abandoned: 0,
            failed: false,
            names: Vec::new(),
            pulse: (stall_max < Duration::MAX).then(|| Watched::new(stall_max)),
        }
    }

    /// Runs a scenario once.
    pub(crate) fn execute(&mut self, schedule: &mut dyn Schedule, limits: &Limits, scenario: impl FnOnce()) -> End {
        assert!(!inside(), "a simulated world is running on this thread already: worlds do not nest");
        assert!(!std::thread::panicking(), "no simulated world can run while its thread unwinds a panic");
        let world = World::renewed(self.kept.world.take());
        world.run.any_time.set(limits.time == TimeMode::AnyTime);
        world.run.keeps.set(limits.checks.releases);
        if limits.faults.most() > 0 {
            world.plan.replace(limits.faults.plan());
        }
        self.kept.trace.clear();
        std::mem::swap(&mut world.state.borrow_mut().trace, &mut self.kept.trace);
        let outside = Outside(platform::current().to_ref());
        let entered = Entered::new(world.clone());
        let spawn = Spawn { name: "main".to_owned(), process: machine::first_process(&world), daemon: false };
        let body: Box<dyn FnOnce() + '_> = Box::new(scenario);
        // SAFETY: only the lifetime changes. The body runs on a fiber that this function resumes and nobody after it: a
        // fiber that has not ended by then is forgotten with all that it borrows, like a value that is forgotten.
        let body = unsafe { std::mem::transmute::<Box<dyn FnOnce() + '_>, Box<dyn FnOnce() + 'static>>(body) };
        drop(world.add(spawn, body));
        self.pulse.as_ref().inspect(|pulse| pulse.begin());
        let end = Execution { hub: self, world: &world, outside: &outside, schedule, limits, last: 0 }.execute();
        self.pulse.as_ref().inspect(|pulse| pulse.end());
        let end = if end == End::Completed { self.look(&world, limits).unwrap_or(end) } else { end };
        self.virtual_ns = world.run.clock.now_ns();
        self.failed = end != End::Completed;
        self.empty(&world);
        drop(entered);
        self.kept.world = Some(world);
        end
    }

    /// What a checker finds in an execution that completed.
    fn look(&self, world: &World, limits: &Limits) -> Option<End> {
        let state = world.state.borrow();
        let mut checks = limits.checks;
        if state.slots.iter().any(|slot| slot.killed) {
            // What a process that died has held is given up, not leaked, and its STAs serve nobody.
            (checks.leaks, checks.stubs, checks.pumps) = (false, false, false);
        }
        checks.broken(&state.trace, || state.names())
    }

    /// Takes what is left of an execution: fibers that have not ended are abandoned.
    fn empty(&mut self, world: &World) {
        // What is dropped may look at the world.
        self.names.clear();
        let (mut slots, mut processes, mut newborn) = {
            let mut state = world.state.borrow_mut();
            if self.failed {
                self.names.extend(state.names().into_iter().map(str::to_owned));
            }
            let State { slots, processes, newborn, trace, .. } = &mut *state;
            std::mem::swap(trace, &mut self.kept.trace);
            (std::mem::take(slots), std::mem::take(processes), std::mem::take(newborn))
        };
        self.abandoned = 0;
        for (fiber, slot) in self.kept.fibers.drain(..).zip(&slots) {
            match fiber {
                // SAFETY: the world is over. What its threads had registered is gone with it or given up with the dead
                // process, and what outlives a world has no pointers into its stacks: threads own what they run.
                Some(fiber) if slot.killed => unsafe { fiber.recycle() },
                Some(_) => self.abandoned += 1,
                None => {}
            }
        }
        drop(world.web.take());
        newborn.clear();
        for slot in slots.drain(..) {
            if slot.killed || !matches!(slot.pending, Pending::Ended) {
                // What an abandoned thread has is abandoned too.
                std::mem::forget(slot.locals);
            }
        }
        processes.clear();
        drop(world.network.take());
        let mut state = world.state.borrow_mut();
        state.machines.clear();
        (state.slots, state.processes, state.newborn) = (slots, processes, newborn);
    }

    /// What the last execution came to.
    pub(crate) fn report(&self, end: End) -> Report {
        Report {
            steps: self.steps,
            virtual_ns: self.virtual_ns,
            end,
            abandoned: self.abandoned,
            trace_hash: self.trace().hash(),
        }
    }

    /// The names of the threads of the last execution, if it failed.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The trace of the last execution.
    pub(crate) fn trace(&self) -> &Trace {
        &self.kept.trace
    }

    /// The threads that the last execution abandoned.
    pub(crate) fn abandoned(&self) -> usize {
        self.abandoned
    }
}

impl Execution<'_> {
    fn execute(&mut self) -> End {
        let end = self.execute_inside();
        if self.world.is_used_outside() {
            return End::Panicked { thread: "outside the world".to_owned(), message: FOREIGN.to_owned() };
        }
        end
    }

    fn execute_inside(&mut self) -> End {
        self.hub.steps = 0;
        let mut end = self.drive();
        match end {
            End::Completed => {
                self.drain();
                self.leave_pending(None);
                self.close();
                end = self.world.panic(true).unwrap_or(end);
            }
            End::Deadlock { .. } | End::StepLimit { .. } | End::Uncontrolled(_) => self.leave_pending(None),
            End::Panicked { .. } | End::Broken { .. } => {
                self.world.state.borrow_mut().trace.cut();
                self.leave_pending(Some(self.last));
            }
        }
        end
    }

    /// Tells the trace what the threads were about to do when the execution ended.
    fn leave_pending(&self, but: Option<usize>) {
        let mut state = self.world.state.borrow_mut();
        let State { slots, touches, trace, .. } = &mut *state;
        for (number, touches) in touches.iter().enumerate().take(slots.len()) {
            if but != Some(number) && !touches.is_empty() {
                trace.leave(number, touches);
            }
        }
    }

    /// Steps until every thread that counts has ended, or none can run, or something is wrong.
    fn drive(&mut self) -> End {
        loop {
            self.start_newborn();
            if let Some(panic) = self.panic_that_ends() {
                return panic;
            }
            if self.world.run.alive.get() == 0 {
                return End::Completed;
            }
            self.collect_enabled();
            if self.hub.kept.enabled.is_empty() {
                if self.advance() {
                    continue;
                }
                return self.world.deadlock();
            }
            if self.hub.steps >= self.limits.steps_max {
                return self.world.step_limit();
            }
            self.hub.steps += 1;
            let choice = self.choose();
            self.step(choice);
        }
    }

    /// Runs each new thread to its first stop, in the order in which they were started.
    #[inline]
    fn start_newborn(&mut self) {
        // Most steps start nobody.
        if !self.world.state.borrow().newborn.is_empty() {
            self.start_each_newborn();
        }
    }

    fn start_each_newborn(&mut self) {
        let mut next = 0;
        loop {
            let newborn = {
                let mut state = self.world.state.borrow_mut();
                if next == state.newborn.len() {
                    state.newborn.clear();
                    return;
                }
                // What is left behind is never called.
                let body = std::mem::replace(&mut state.newborn[next].1, Box::new(|| ()));
                (state.newborn[next].0, body)
            };
            next += 1;
            if self.world.state.borrow().slots[newborn.0].killed {
                std::mem::forget(newborn.1);
                self.hub.kept.fibers.push(None);
                continue;
            }
            self.start(newborn.0, newborn.1);
            self.resume(newborn.0);
        }
    }

    fn start(&mut self, number: usize, body: Box<dyn FnOnce()>) {
        debug_assert_eq!(number, self.hub.kept.fibers.len(), "threads are started in the order of their numbers");
        let world = Arc::as_ptr(self.world);
        let exits_after_panic = !self.limits.panic_ends && number != 0;
        self.hub.kept.fibers.push(Some(Fiber::new(move |link| {
            // SAFETY: fibers run only while their world is entered, and that keeps it alive.
            let world = unsafe { &*world };
            run_thread(world, number, link, body, exits_after_panic);
        })));
    }

    /// Runs a thread to its next stop.
    fn resume(&mut self, number: usize) {
        let record: *const Thread = Arc::as_ptr(&self.world.state.borrow().slots[number].thread);
        // SAFETY: the slot keeps the record alive until the world is emptied, and ours is put back below.
        unsafe { enter(record) };
        self.world.run.running.set(number);
        self.world.run.futile_waits.set(0);
        self.hub.pulse.as_ref().inspect(|pulse| pulse.beat(number));
        let mut answer = 0;
        loop {
            let fiber = self.hub.kept.fibers[number].as_mut().expect("a thread that has not ended has a fiber");
            match fiber.resume(answer) {
                Some(Pause::Announced) => break,
                Some(Pause::Choose(n)) => {
                    answer = self.schedule.choose_n(n);
                    assert!(answer < n, "a schedule chooses one of the ways that there are");
                    self.world.state.borrow_mut().trace.chosen(n, answer);
                }
                None => {
                    self.hub.kept.fibers[number] = None;
                    self.world.ended(number);
                    break;
                }
            }
        }
        self.world.run.running.set(HUB);
        self.outside.enter();
    }

    /// Finds the threads that can take a step, the last-run one first, then round-robin upward.
    fn collect_enabled(&mut self) {
        let Kept { enabled, outcomes, .. } = &mut **self.hub.kept;
        enabled.clear();
        outcomes.clear();
        let mut looked = false;
        self.world.run.mode.set(Mode::Deciding);
        let state = self.world.state.borrow();
        let threads = state.slots.len();
        let any_time = self.world.run.any_time.get();
        let timed = |slot: &Slot| match slot.pending {
            Pending::Wait { deadline, .. } if clock::is_timed(deadline) => Some(deadline),
            _ => None,
        };
        let earliest = if any_time { state.slots.iter().filter_map(timed).min() } else { None };
        for number in (self.last..threads).chain(0..self.last) {
            let slot = &state.slots[number];
            let outcome = match slot.pending {
                Pending::Operation => Outcome::Operation,
                Pending::Wait { ready, deadline, .. } => {
                    looked = true;
                    // SAFETY: the slot keeps the record alive; ours is put back below.
                    unsafe { enter(Arc::as_ptr(&slot.thread)) };
                    let may_fire = self.world.run.clock.may_fire(deadline) || earliest == Some(deadline);
                    // SAFETY: the thread is inside `block`, which keeps the condition alive.
                    match (unsafe { (*ready)() }, may_fire) {
                        // It might have given up earlier.
                        (true, false) if any_time && clock::is_timed(deadline) => Outcome::Found,
                        (true, false) => Outcome::Ready,
                        (true, true) => Outcome::Found,
                        (false, true) => Outcome::Expired,
                        (false, false) => continue,
                    }
                }
                Pending::First | Pending::Ended => continue,
            };
            enabled.push(number);
            outcomes.push(outcome);
        }
        if looked {
            self.outside.enter();
        }
        self.world.run.mode.set(Mode::Running);
    }

    fn choose(&mut self) -> usize {
        let state = self.world.state.borrow();
        let point = Point {
            enabled: &self.hub.kept.enabled,
            outcomes: &self.hub.kept.outcomes,
            last: self.last,
            touches: &state.touches,
            trace: &state.trace,
        };
        let choice = self.schedule.choose(&point);
        assert!(choice < self.hub.kept.enabled.len(), "a schedule chooses one of the enabled threads");
        choice
    }

    /// Lets a thread take its step.
    fn step(&mut self, choice: usize) {
        let (number, outcome) = (self.hub.kept.enabled[choice], self.hub.kept.outcomes[choice]);
        {
            let mut state = self.world.state.borrow_mut();
            let state = &mut *state;
            if outcome == Outcome::Expired
                && self.world.run.any_time.get()
                && let Pending::Wait { deadline, .. } = state.slots[number].pending
            {
                self.world.run.clock.move_to(deadline);
            }
            state.trace.step(number, outcome, &state.touches[number]);
        }
        self.last = number;
        self.world.run.held.set(matches!(outcome, Outcome::Ready | Outcome::Found));
        self.resume(number);
    }

    /// Moves the clock to the earliest deadline; says whether there is one.
    fn advance(&mut self) -> bool {
        let mut state = self.world.state.borrow_mut();
        let deadlines = state.slots.iter().map(|slot| match slot.pending {
            Pending::Wait { deadline, .. } => deadline,
            _ => Deadline::NEVER,
        });
        let moved = self.world.run.clock.advance(deadlines);
        if moved {
            state.trace.tick(self.world.run.clock.now_ns());
        }
        moved
    }

    /// Lets the daemons that can run go on without branching until all wait or have ended: the last steps of a worker
    /// whose reply has arrived are nobody's loss. They are recorded, because they might have come earlier.
    fn drain(&mut self) {
        for _ in 0..DRAIN_STEPS_MAX {
            self.start_newborn();
            if self.panic_that_ends().is_some() {
                return;
            }
            self.collect_enabled();
            if self.hub.kept.enabled.is_empty() {
                return;
            }
            self.step(0);
        }
    }

    /// Sends idle daemons home: their waits return, and their bodies with them.
    fn close(&mut self) {
        if self.panic_that_ends().is_some() {
            return;
        }
        self.world.run.mode.set(Mode::Closing);
        for number in 0..self.hub.kept.fibers.len() {
            let idle = {
                let state = self.world.state.borrow();
                let slot = &state.slots[number];
                slot.daemon && matches!(slot.pending, Pending::Wait { why: Why::Idle, .. })
            };
            if idle {
                self.resume(number);
            }
        }
    }

    #[inline]
    fn panic_that_ends(&self) -> Option<End> {
        if self.world.run.panicked.get() { self.world.panic(self.limits.panic_ends) } else { None }
    }
}

/// The root of a fiber: runs the thread's body and, where that makes sense, what it registered for its end.
fn run_thread(world: &World, number: usize, link: &Link, body: Box<dyn FnOnce()>, exits_after_panic: bool) {
    let thread = {
        let mut state = world.state.borrow_mut();
        state.slots[number].link = link;
        state.slots[number].thread.clone()
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
        world.thread_panicked(payload.as_ref());
    }
    let failed = world.state.borrow().slots[number].panic.is_some();
    if failed && !exits_after_panic {
        return;
    }
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| thread.end())) {
        world.thread_panicked(payload.as_ref());
    }
}
