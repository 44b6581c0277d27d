//! Step programs: a protocol as threads of atomic steps over a state, to be checked before there is code for it.
//!
//! ```
//! use oleander_sim::steps::{Program, Step, Then};
//!
//! // Two threads add to a counter without a lock: one addition may be lost.
//! #[derive(Clone, Default)]
//! struct Counter {
//!     value: u32,
//!     read: [u32; 2],
//! }
//! let mut program = Program::new(Counter::default());
//! for i in 0..2 {
//!     program.thread(&format!("adder {i}"), [
//!         Step::new(move |s: &mut Counter| { s.read[i] = s.value; Then::Next }).reads(0),
//!         Step::new(move |s: &mut Counter| { s.value = s.read[i] + 1; Then::Next }).writes(0),
//!     ]);
//! }
//! let mut lost = 0;
//! let found = program.explore_each(|_end, s| lost += u32::from(s.value == 1));
//! assert_eq!((found.schedules, found.failures, lost), (6, 0, 4));
//! ```
//!
//! All threads are there from the start. One step is atomic and is one scheduling point. A step with a condition cannot
//! be taken before it holds. A schedule ends at the first bug, when all threads have ended, or when none can take a step:
//! a deadlock, which is a bug.
//!
//! **For a strategy that reduces, a step must say what it touches**; one that says nothing touches everything.

use crate::check::{Builder, Checked, check_as_test};
use crate::explore::{Exploration, Runner, explore_runner};
use crate::replay::{Token, TokenError, expect_replayed, replay_with};
use crate::report::{Blocked, End, Report};
use crate::schedule::{Dfs, Point, Schedule};
use crate::search::Crew;
use crate::trace::{Outcome, Touch, Trace, circling};
use crate::world::Limits;
use oleander::platform::{Access, Object, ObjectKind, Why};

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The thread's next step, or its end after the last.
    Next,
    /// So many steps further on than the next one.
    Skip(usize),
    /// The same step again, when it can be taken.
    Again,
    /// The thread's end.
    End,
    /// A bug: the schedule ends here.
    Bug(&'static str),
}

/// Where a step program's own objects begin; below are the ends of its threads.
const FIRST_OBJECT: u64 = 1 << 20;
/// What a step touches that does not say.
pub(crate) const EVERYTHING: Object = Object { id: u64::MAX, kind: ObjectKind::User };
/// How many bits of a number reports show.
const SHOWN_BITS: u32 = 16;

type Run<S> = Box<dyn Fn(&mut S) -> Then>;
type Notes<S> = Box<dyn Fn(&S, &mut Vec<Touch>)>;

enum Ready<S> {
    Always,
    When(Box<dyn Fn(&S) -> bool>),
    Ended(usize),
}

/// One atomic step of a thread.
pub struct Step<S> {
    run: Run<S>,
    ready: Ready<S>,
    touches: Vec<Touch>,
    notes: Option<Notes<S>>,
    silent: bool,
}

impl<S> Step<S> {
    /// A step that does `run`.
    pub fn new(run: impl Fn(&mut S) -> Then + 'static) -> Self {
        Self { run: Box::new(run), ready: Ready::Always, touches: Vec::new(), notes: None, silent: true }
    }

    /// A step that waits for another thread's end, given by its number.
    pub fn join(thread: usize) -> Self {
        let end = Touch { object: end_of(thread), access: Access::Read };
        Self { ready: Ready::Ended(thread), ..Self::new(|_| Then::Next) }.touching(end)
    }

    /// The step can be taken while a condition holds. What the condition looks at must be touched.
    #[must_use]
    pub fn when(mut self, ready: impl Fn(&S) -> bool + 'static) -> Self {
        self.ready = Ready::When(Box::new(ready));
        self
    }

    /// It looks at an object of the program's own, which is any number.
    #[must_use]
    pub fn reads(self, object: u64) -> Self {
        self.touching(own(object, ObjectKind::User, Access::Read))
    }

    /// It changes one.
    #[must_use]
    pub fn writes(self, object: u64) -> Self {
        self.touching(own(object, ObjectKind::User, Access::Write))
    }

    /// It sets an event that stays set until it is written: two of these commute.
    #[must_use]
    pub fn signals(self, event: u64) -> Self {
        self.touching(own(event, ObjectKind::Event, Access::Signal))
    }

    /// It waits for such an event; give the condition with [`when`](Self::when).
    #[must_use]
    pub fn waits_for(self, event: u64) -> Self {
        self.touching(own(event, ObjectKind::Event, Access::Read))
    }

    /// It touches nothing that others touch.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.silent = false;
        self
    }

    /// It puts a message into a queue. Messages have numbers of their own.
    #[must_use]
    pub fn posts(self, queue: u64, message: u64) -> Self {
        self.touching(own(queue, ObjectKind::Queue, Access::Post)).touching(own(
            message,
            ObjectKind::Message,
            Access::Write,
        ))
    }

    /// It takes the first message from a queue: `first` says which that is. Give the condition with
    /// [`when`](Self::when).
    #[must_use]
    pub fn receives(self, queue: u64, first: impl Fn(&S) -> u64 + 'static) -> Self {
        self.touching(own(queue, ObjectKind::Queue, Access::Receive))
            .noting(move |state, notes| notes.push(own(first(state), ObjectKind::Message, Access::Write)))
    }

    /// It touches this.
    #[must_use]
    pub fn touching(mut self, touch: Touch) -> Self {
        self.silent = false;
        self.touches.push(touch);
        self
    }

    /// It touches what the state says when it is taken, beside what it says beforehand.
    #[must_use]
    pub fn noting(mut self, notes: impl Fn(&S, &mut Vec<Touch>) + 'static) -> Self {
        self.silent = false;
        self.notes = Some(Box::new(notes));
        self
    }
}

/// A touch of a program's own object, for [`Step::touching`] and [`Step::noting`].
pub fn own(object: u64, kind: ObjectKind, access: Access) -> Touch {
    // Kinds have numbers of their own, so that event 1 and queue 1 are two things. Reports show the low bits: the number.
    let (high, low) = (object >> SHOWN_BITS, object & ((1 << SHOWN_BITS) - 1));
    Touch { object: Object { id: (high + 1) * FIRST_OBJECT + ((kind as u64) << SHOWN_BITS) + low, kind }, access }
}

fn end_of(thread: usize) -> Object {
    Object { id: thread as u64, kind: ObjectKind::Thread }
}

/// Threads of atomic steps over a state.
pub struct Program<S> {
    initial: S,
    names: Vec<String>,
    threads: Vec<Vec<Step<S>>>,
}

impl<S: Clone> Program<S> {
    /// A program without threads, in its initial state.
    pub fn new(initial: S) -> Self {
        Self { initial, names: Vec::new(), threads: Vec::new() }
    }

    /// Adds a thread, and gives its number: the first is 0.
    pub fn thread(&mut self, name: &str, steps: impl IntoIterator<Item = Step<S>>) -> usize {
        self.names.push(name.to_owned());
        self.threads.push(steps.into_iter().map(declared).collect());
        self.threads.len() - 1
    }

    /// Runs it under every schedule, without reduction.
    pub fn explore(&self) -> Exploration {
        self.explore_each(|_, _| ())
    }

    /// The same, and shows how each schedule ended, and in what state.
    pub fn explore_each(&self, mut each: impl FnMut(&End, &S)) -> Exploration {
        self.explore_with(&mut Dfs::default(), &Limits::default(), &mut each)
    }

    /// Runs it under every schedule that a strategy asks for, within limits.
    pub fn explore_with(
        &self,
        schedule: &mut dyn Schedule,
        limits: &Limits,
        each: &mut dyn FnMut(&End, &S),
    ) -> Exploration {
        explore_runner(schedule, limits, &mut Interpreter::new(self, each))
    }

    /// Checks it as [`Builder::run`](crate::Builder::run) checks a scenario, on the current thread, and shows how each
    /// execution ended: also those that are run to shrink a failing one.
    pub fn check_each(&self, builder: &Builder, mut each: impl FnMut(&End, &S)) -> Checked {
        builder.run_with(&mut Interpreter::new(self, &mut each), Crew::Alone)
    }

    /// Checks it as a test does, on the current thread: as [`Builder::check`], also with the variable `OLEANDER_REPLAY`.
    ///
    /// # Panics
    /// If an execution has failed, with its report, timeline and the line that replays it.
    #[track_caller]
    pub fn check(&self, builder: &Builder) {
        check_as_test(|token| self.try_replay(token), || self.check_each(builder, |_, _| ()));
    }

    /// Runs the one execution that a token describes, prints it as a timeline, and says what came of it: as
    /// [`try_replay`](crate::try_replay) does for a scenario.
    ///
    /// # Errors
    /// A token that cannot be read, of another version, or of another program, with the reason. A program is known by what the
    /// steps of its default schedule touch, not by what they do.
    pub fn try_replay(&self, token: &str) -> Result<Report, TokenError> {
        replay_with(&mut Interpreter::new(self, &mut |_, _| ()), token)
    }

    /// [`try_replay`](Self::try_replay), for a test: panics with what came of the execution, unless it completed.
    ///
    /// # Panics
    /// If the token is refused, with the reason, and if the execution fails, with its report.
    #[track_caller]
    pub fn replay(&self, token: &str) {
        expect_replayed(self.try_replay(token));
    }

    /// Runs it once.
    ///
    /// # Panics
    /// If the schedule has no execution left.
    pub fn run(&self, schedule: &mut dyn Schedule) -> Report {
        assert!(schedule.new_execution(None), "the schedule has an execution");
        let mut ignore = |_: &End, _: &S| ();
        let mut interpreter = Interpreter::new(self, &mut ignore);
        let end = interpreter.execute(schedule, &Limits::default());
        interpreter.report(end)
    }
}

/// A step that does not say what it touches touches everything.
fn declared<S>(mut step: Step<S>) -> Step<S> {
    if step.silent {
        step.touches.push(Touch { object: EVERYTHING, access: Access::Write });
    }
    step
}

/// Runs a program. Its vectors are reused from execution to execution.
struct Interpreter<'a, S> {
    program: &'a Program<S>,
    each: &'a mut dyn FnMut(&End, &S),
    state: S,
    /// The next step of each thread; beyond its last when it has ended.
    next: Vec<usize>,
    touches: Vec<Vec<Touch>>,
    trace: Trace,
    enabled: Vec<usize>,
    outcomes: Vec<Outcome>,
    notes: Vec<Touch>,
}

impl<'a, S: Clone> Interpreter<'a, S> {
    fn new(program: &'a Program<S>, each: &'a mut dyn FnMut(&End, &S)) -> Self {
        let threads = program.threads.len();
        Self {
            program,
            each,
            state: program.initial.clone(),
            next: vec![0; threads],
            touches: vec![Vec::new(); threads],
            trace: Trace::default(),
            enabled: Vec::new(),
            outcomes: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn begin(&mut self) {
        self.state.clone_from(&self.program.initial);
        self.trace.clear();
        for thread in 0..self.next.len() {
            self.trace.birth(thread);
            self.next[thread] = 0;
            self.announce(thread);
        }
    }

    /// What a thread's next step says beforehand.
    fn announce(&mut self, thread: usize) {
        let touches = &mut self.touches[thread];
        touches.clear();
        if let Some(step) = self.program.threads[thread].get(self.next[thread]) {
            touches.extend_from_slice(&step.touches);
        }
    }

    fn collect_enabled(&mut self, last: usize) {
        self.enabled.clear();
        self.outcomes.clear();
        let threads = self.next.len();
        for thread in (last..threads).chain(0..last) {
            let Some(step) = self.program.threads[thread].get(self.next[thread]) else { continue };
            let outcome = match &step.ready {
                Ready::Always => Outcome::Operation,
                Ready::When(ready) if ready(&self.state) => Outcome::Ready,
                Ready::Ended(other) if self.has_ended(*other) => Outcome::Ready,
                Ready::When(_) | Ready::Ended(_) => continue,
            };
            self.enabled.push(thread);
            self.outcomes.push(outcome);
        }
    }

    fn has_ended(&self, thread: usize) -> bool {
        self.next[thread] >= self.program.threads[thread].len()
    }

    fn step(&mut self, choice: usize) -> Result<usize, &'static str> {
        let (thread, outcome) = (self.enabled[choice], self.outcomes[choice]);
        let program = self.program;
        let steps = &program.threads[thread];
        let step = &steps[self.next[thread]];
        self.trace.step(thread, outcome, &self.touches[thread]);
        if let Some(notes) = &step.notes {
            self.notes.clear();
            notes(&self.state, &mut self.notes);
            self.notes.iter().for_each(|&touch| self.trace.note(touch));
        }
        match (step.run)(&mut self.state) {
            Then::Next => self.next[thread] += 1,
            Then::Again => {}
            Then::Skip(more) => self.next[thread] = (self.next[thread] + 1 + more).min(steps.len()),
            Then::End => self.next[thread] = steps.len(),
            Then::Bug(what) => {
                self.trace.cut();
                self.leave_pending(thread);
                return Err(what);
            }
        }
        if self.next[thread] == steps.len() {
            self.trace.note(Touch { object: end_of(thread), access: Access::Write });
        }
        self.announce(thread);
        Ok(thread)
    }

    /// Tells the trace what others than a thread were about to do when the execution ended.
    fn leave_pending(&mut self, but: usize) {
        for thread in 0..self.next.len() {
            if thread != but && !self.has_ended(thread) {
                self.trace.leave(thread, &self.touches[thread]);
            }
        }
    }

    fn deadlock(&mut self) -> End {
        self.leave_pending(usize::MAX);
        let waiting = (0..self.next.len()).filter(|&thread| !self.has_ended(thread));
        let blocked = waiting.map(|thread| Blocked {
            thread: self.program.names[thread].clone(),
            why: Why::Wait,
            on: self.touches[thread].iter().map(|touch| touch.object).collect(),
            daemon: false,
            words: String::new(),
        });
        End::Deadlock { blocked: blocked.collect(), limits: Vec::new() }
    }
}

impl<S: Clone> Interpreter<'_, S> {
    fn drive(&mut self, schedule: &mut dyn Schedule, limits: &Limits) -> End {
        self.begin();
        let mut last = 0;
        loop {
            self.collect_enabled(last);
            if self.enabled.is_empty() {
                if (0..self.next.len()).all(|thread| self.has_ended(thread)) {
                    return End::Completed;
                }
                return self.deadlock();
            }
            if self.trace.steps().len() as u64 >= limits.steps_max {
                return End::StepLimit { circling: circling(&self.trace, &self.program.names) };
            }
            let point = Point {
                enabled: &self.enabled,
                outcomes: &self.outcomes,
                last,
                touches: &self.touches,
                trace: &self.trace,
            };
            let choice = schedule.choose(&point);
            match self.step(choice) {
                Ok(thread) => last = thread,
                Err(what) => {
                    let thread = self.program.names[self.enabled[choice]].clone();
                    return End::Panicked { thread, message: what.to_owned() };
                }
            }
        }
    }
}

impl<S: Clone> Runner for Interpreter<'_, S> {
    fn execute(&mut self, schedule: &mut dyn Schedule, limits: &Limits) -> End {
        let end = self.drive(schedule, limits);
        (self.each)(&end, &self.state);
        end
    }

    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn report(&self, end: End) -> Report {
        Report {
            steps: self.trace.steps().len() as u64,
            virtual_ns: 0,
            end,
            abandoned: 0,
            trace_hash: self.trace.hash(),
        }
    }

    fn abandoned(&self) -> usize {
        0
    }

    fn names(&self) -> Vec<String> {
        self.program.names.clone()
    }

    fn replay_line(&self, token: &Token) -> String {
        format!("program.replay(\"{token}\")")
    }
}
