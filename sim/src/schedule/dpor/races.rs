//! Finding the races of an execution.
//!
//! Each step has a vector clock: how many steps of each thread come before it in the order of dependence, itself
//! included. A step and an earlier one of another thread race if they depend on each other directly and nothing lies
//! between them in that order; so a step's candidates are gone through from the latest to the earliest, and one that is
//! already known from a later one is none.

use super::node::Threads;
use crate::schedule::relation::{Relation, enables_once, is_event};
use crate::trace::{Outcome, Spread, Step, Touch, Trace};
use oleander::platform::Access;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// One step's touch of an object.
#[derive(Clone, Copy, Debug)]
struct Use {
    step: usize,
    access: Access,
    /// An event: whether this signalled one that was not.
    enables: bool,
}

/// What happened to an object.
#[derive(Debug, Default)]
struct History {
    uses: Vec<Use>,
    /// An event: whether it is signalled.
    signalled: bool,
}

/// A step on which another depends directly.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    step: usize,
    /// Whether they might come the other way round.
    reversible: bool,
}

/// How an execution must begin in place of the earlier of two racing steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The threads that it may begin with.
    pub(super) initials: Threads,
    /// The thread of the later of the two.
    pub(super) thread: usize,
    /// Whether that thread takes the later of the two at once: nothing else of what comes before has to do with it.
    pub(super) at_once: bool,
}

/// Finds races. Its scratch is reused from execution to execution.
#[derive(Debug)]
pub(super) struct Races {
    pub(super) relation: Relation,
    threads: usize,
    /// The clock of each step, all in one.
    clocks: Vec<u32>,
    /// The clock of what each thread has seen, and of what everybody has seen when the time last moved.
    seen: Vec<u32>,
    floor: Vec<u32>,
    /// Which of its thread's steps each step is, counted from 1.
    places: HashMap<u64, usize, BuildHasherDefault<Spread>>,
    objects: Vec<History>,
    /// Since when each thread is about to take its next step: how many steps there were.
    arrivals: Vec<usize>,
    candidates: Vec<Candidate>,
    /// The first step of each thread in the part that is put before the earlier of two steps.
    first: Vec<u32>,
}

impl Default for Races {
    fn default() -> Self {
        Self::new(Relation::Fifo)
    }
}

impl Races {
    /// Races under a relation.
    pub(super) fn new(relation: Relation) -> Self {
        Self {
            relation,
            threads: 0,
            clocks: Vec::new(),
            seen: Vec::new(),
            floor: Vec::new(),
            places: HashMap::default(),
            objects: Vec::new(),
            arrivals: Vec::new(),
            candidates: Vec::new(),
            first: Vec::new(),
        }
    }

    /// Calls `found` for each race whose later step is among the steps from `fresh_from` up to `steps`: with the earlier
    /// step, and how an execution with the other order may go on there. `waiting` has the threads that wait after the
    /// last of these steps.
    pub(super) fn find<'a>(
        &mut self,
        trace: &Trace,
        steps: usize,
        fresh_from: usize,
        waiting: impl Iterator<Item = (usize, &'a [Touch])>,
        mut found: impl FnMut(usize, Wanted),
    ) {
        self.reset(trace, steps);
        let (mut born, mut ticked) = (0, 0);
        for step in 0..steps {
            while let Some((parent, at)) = trace.birth_at(born)
                && at <= step
            {
                self.start(born, parent, at);
                born += 1;
            }
            while trace.ticks().get(ticked) == Some(&step) {
                self.tick();
                ticked += 1;
            }
            let Step { thread, outcome, .. } = trace.steps()[step];
            if outcome != Outcome::Operation {
                // While it waited it was not yet known what it would take.
                self.collect(trace, step, outcome, trace.announced(step));
                self.blocked(trace, thread, fresh_from, &mut found);
            }
            self.collect(trace, step, outcome, trace.touches(step));
            self.order(trace, step);
            if step >= fresh_from && !self.candidates.is_empty() {
                let clock = self.clock(step).to_vec();
                for index in 0..self.candidates.len() {
                    let Candidate { step: first, reversible } = self.candidates[index];
                    if reversible {
                        found(first, self.wanted(trace, first, step, thread, &clock));
                    }
                }
            }
            self.remember(trace, step);
        }
        for (thread, touches) in waiting {
            self.collect(trace, steps, Outcome::Ready, touches);
            self.blocked(trace, thread, fresh_from, &mut found);
        }
    }

    /// The races of a step that had to wait before it could be taken, or never could be, as they were while it waited.
    /// Somebody who takes a lock races with the one who has it, not with the one who gives it back.
    fn blocked(&mut self, trace: &Trace, thread: usize, fresh_from: usize, found: &mut impl FnMut(usize, Wanted)) {
        if self.candidates.is_empty() {
            return;
        }
        let arrival = self.arrivals[thread];
        let mut clock = self.seen[thread * self.threads..][..self.threads].to_vec();
        join(&mut clock, &self.floor);
        let alone = Threads::from_iter([thread]);
        for index in 0..self.candidates.len() {
            let Candidate { step: first, reversible } = self.candidates[index];
            if first >= arrival {
                // It was about to be taken already when that one was.
                if first >= fresh_from {
                    found(first, Wanted { initials: alone, thread, at_once: true });
                }
                continue;
            }
            let owner = trace.steps()[first].thread;
            let known = clock[owner] >= self.clock(first)[owner];
            join(&mut clock, &self.clocks[first * self.threads..][..self.threads]);
            if !known && reversible && arrival > fresh_from {
                clock[thread] += 1;
                found(first, self.wanted(trace, first, arrival, thread, &clock));
                clock[thread] -= 1;
            }
        }
    }

    fn reset(&mut self, trace: &Trace, steps: usize) {
        self.threads = trace.threads();
        let clear = |clocks: &mut Vec<u32>, len| {
            clocks.clear();
            clocks.resize(len, 0);
        };
        clear(&mut self.clocks, steps * self.threads);
        clear(&mut self.seen, self.threads * self.threads);
        clear(&mut self.floor, self.threads);
        clear(&mut self.first, self.threads);
        self.arrivals.clear();
        self.arrivals.resize(self.threads, 0);
        self.places.clear();
        self.objects.iter_mut().for_each(|history| {
            history.uses.clear();
            history.signalled = false;
        });
    }

    fn clock(&self, step: usize) -> &[u32] {
        &self.clocks[step * self.threads..][..self.threads]
    }

    /// A thread has seen what the step before its start had seen.
    fn start(&mut self, thread: usize, parent: usize, at: usize) {
        self.arrivals[thread] = at;
        if at > 0 && thread != parent {
            let (threads, from) = (self.threads, (at - 1) * self.threads);
            join(&mut self.seen[thread * threads..][..threads], &self.clocks[from..][..threads]);
        }
    }

    /// Time moves when nothing else can: after all steps so far, before all others.
    fn tick(&mut self) {
        for seen in self.seen.chunks_exact(self.threads) {
            join(&mut self.floor, seen);
        }
    }

    /// Where an object's history is.
    fn place(&mut self, touch: &Touch) -> usize {
        let next = self.places.len();
        let place = *self.places.entry(touch.object.id).or_insert(next);
        if place == self.objects.len() {
            self.objects.push(History::default());
        }
        place
    }

    /// Everything that a step depends on directly, latest first.
    fn collect(&mut self, trace: &Trace, step: usize, outcome: Outcome, touches: &[Touch]) {
        self.candidates.clear();
        // Who waits for several objects may have had enough of another one.
        let events = touches.iter().filter(|touch| is_event(touch.object.kind)).count();
        let waited = outcome == Outcome::Ready && events == 1;
        for touch in touches {
            let place = self.place(touch);
            let dependent = |earlier, later| self.relation.dependent(touch.object.kind, earlier, later);
            let once = enables_once(touch.object.kind) && outcome == Outcome::Ready;
            let event = waited && is_event(touch.object.kind);
            let uses = &self.objects[place].uses;
            for (index, earlier) in uses.iter().enumerate().rev() {
                if earlier.step == step || !dependent(earlier.access, touch.access) {
                    continue;
                }
                let needed = event && earlier.enables && !self.signalled_without(trace, *earlier, &uses[index + 1..]);
                // What was there before an enabling signal might have been met by who came earlier, and had to wait.
                let needed = needed && !uses[..index].iter().any(|it| dependent(it.access, touch.access));
                self.candidates.push(Candidate { step: earlier.step, reversible: !once && !needed });
                if earlier.access == Access::Write && outcome == Outcome::Operation {
                    // All that is earlier comes before it. Only who waited may have been about to go before that.
                    break;
                }
            }
        }
        // For one earlier step that is a candidate twice, an enabling touch is the stronger word.
        self.candidates.sort_unstable_by_key(|it| (std::cmp::Reverse(it.step), it.reversible));
        self.candidates.dedup_by_key(|it| it.step);
    }

    /// Whether an event would be signalled without one of its signals: by a later one that does not come of it.
    fn signalled_without(&self, trace: &Trace, signal: Use, later: &[Use]) -> bool {
        let owner = trace.steps()[signal.step].thread;
        let mark = self.clock(signal.step)[owner];
        later.iter().any(|it| it.access == Access::Signal && self.clock(it.step)[owner] < mark)
    }

    /// Computes the step's clock, and leaves as candidates what it races with.
    fn order(&mut self, trace: &Trace, step: usize) {
        let threads = self.threads;
        let thread = trace.steps()[step].thread;
        let (before, clock) = self.clocks.split_at_mut(step * threads);
        let clock = &mut clock[..threads];
        clock.copy_from_slice(&self.seen[thread * threads..][..threads]);
        join(clock, &self.floor);
        self.candidates.retain(|candidate| {
            let earlier = &before[candidate.step * threads..][..threads];
            let owner = trace.steps()[candidate.step].thread;
            let known = clock[owner] >= earlier[owner];
            join(clock, earlier);
            !known
        });
        clock[thread] += 1;
        self.seen[thread * threads..][..threads].copy_from_slice(clock);
    }

    /// How an execution may go on in place of `first`: with the steps from there up to `end` that do not come after it,
    /// then with a step of `thread` that has that clock. It may begin with any of these that has none of the others before
    /// it.
    fn wanted(&mut self, trace: &Trace, first: usize, end: usize, thread: usize, clock: &[u32]) -> Wanted {
        let owner = trace.steps()[first].thread;
        let mark = self.clock(first)[owner];
        let mut initials = Threads::default();
        self.first.fill(0);
        for step in first + 1..end {
            let (from, other) = (step * self.threads, trace.steps()[step].thread);
            let clock = &self.clocks[from..][..self.threads];
            if clock[owner] >= mark || self.first[other] != 0 {
                continue;
            }
            if !follows(&self.first, clock) {
                initials.insert(other);
            }
            self.first[other] = clock[other];
        }
        let at_once = self.first[thread] == 0 && !follows(&self.first, clock);
        if at_once {
            initials.insert(thread);
        }
        Wanted { initials, thread, at_once }
    }

    /// Adds the step to the histories of what it touched.
    fn remember(&mut self, trace: &Trace, step: usize) {
        self.arrivals[trace.steps()[step].thread] = step + 1;
        for touch in trace.touches(step) {
            let place = self.places[&touch.object.id];
            let history = &mut self.objects[place];
            let enables = touch.access == Access::Signal && !history.signalled;
            match touch.access {
                Access::Signal => history.signalled = true,
                Access::Write => history.signalled = false,
                Access::Read | Access::Post | Access::Receive => {}
            }
            history.uses.push(Use { step, access: touch.access, enables });
        }
    }
}

/// Whether a step with this clock comes after any of the steps that are the first of their threads.
fn follows(first: &[u32], clock: &[u32]) -> bool {
    first.iter().zip(clock).any(|(&first, &seen)| first != 0 && seen >= first)
}

fn join(clock: &mut [u32], other: &[u32]) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}
