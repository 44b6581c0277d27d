//! A choice of an execution: which thread takes a step, or which value a step goes on with.

use super::merge;
use super::races::Wanted;
use crate::report::{Divergence, words};
use crate::schedule::Point;
use crate::schedule::relation::Relation;
use crate::trace::{Outcome, Touch, Trace};
use smallvec::SmallVec;

/// A set of threads by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Threads(u128);

impl Threads {
    /// How many threads a scenario may have.
    const MAX: usize = 128;

    pub(super) fn contains(self, thread: usize) -> bool {
        thread < Self::MAX && self.0 & (1 << thread) != 0
    }

    pub(super) fn insert(&mut self, thread: usize) {
        assert!(thread < Self::MAX, "reduction knows {} threads: use a random strategy for more", Self::MAX);
        self.0 |= 1 << thread;
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<usize> for Threads {
    fn from_iter<I: IntoIterator<Item = usize>>(threads: I) -> Self {
        let mut set = Self::default();
        threads.into_iter().for_each(|thread| set.insert(thread));
        set
    }
}

/// A thread whose next step need not be tried before something happens on which it depends.
#[derive(Clone, Debug)]
pub(super) struct Asleep {
    pub(super) thread: usize,
    /// What that step touches, whatever it chooses.
    pub(super) touches: Vec<Touch>,
    /// It ends the execution, so its order matters with every other step.
    pub(super) ends: bool,
}

impl Asleep {
    /// Whether another step wakes it.
    pub(super) fn depends_on(&self, touches: &[Touch], relation: Relation) -> bool {
        self.ends || relation.dependent_touches(&self.touches, touches)
    }
}

/// A choice.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// The step that it is about.
    pub(super) step: usize,
    /// How many values there are, for a choice inside a step; else 0.
    of: usize,
    /// The thread, or the value.
    taken: usize,
    enabled: SmallVec<[usize; 4]>,
    outcomes: SmallVec<[Outcome; 4]>,
    /// What the thread that is taken announced.
    announced: SmallVec<[Touch; 1]>,
    /// That thread has not been taken yet.
    fresh: bool,
    backtrack: Threads,
    sleep: Vec<Asleep>,
    done: Vec<Asleep>,
    /// What the step of the thread that is being tried has touched with other values.
    touched: Vec<Touch>,
}

impl Node {
    pub(super) fn begin(&mut self, step: usize, point: &Point<'_>, choice: usize, sleep: &[Asleep]) {
        self.step = step;
        self.of = 0;
        self.enabled.clear();
        self.enabled.extend_from_slice(point.enabled());
        self.outcomes.clear();
        self.outcomes.extend_from_slice(point.outcomes());
        self.taken = self.enabled[choice];
        self.fresh = false;
        self.announced.clear();
        self.announced.extend_from_slice(point.pending(self.taken));
        self.backtrack = Threads::default();
        self.backtrack.insert(self.taken);
        self.sleep.clear();
        self.sleep.extend_from_slice(sleep);
        self.done.clear();
        self.touched.clear();
    }

    pub(super) fn begin_value(&mut self, step: usize, of: usize) {
        self.step = step;
        self.of = of;
        self.taken = 0;
    }

    pub(super) fn is_value(&self) -> bool {
        self.of > 0
    }

    /// Everything that need not be tried beside the step that is.
    pub(super) fn sleeping(&self) -> impl Iterator<Item = &Asleep> {
        self.sleep.iter().chain(&self.done)
    }

    fn sleeps(&self) -> Threads {
        self.sleeping().map(|it| it.thread).collect()
    }

    /// Takes the same choice again, if it is there.
    pub(super) fn replay(&mut self, point: &Point<'_>) -> Result<usize, Divergence> {
        let step = self.step;
        if self.is_value() || self.enabled[..] != *point.enabled() || self.outcomes[..] != *point.outcomes() {
            let what = format!("threads {:?} can run, and {:?} could before", point.enabled(), self.enabled);
            return Err(Divergence { step, what });
        }
        let pending = point.pending(self.taken);
        if !self.fresh && self.announced[..] != *pending {
            let what = format!(
                "thread {} is about to {}, and before to {}",
                self.taken,
                words(pending),
                words(&self.announced)
            );
            return Err(Divergence { step, what });
        }
        if self.fresh {
            self.fresh = false;
            self.announced.clear();
            self.announced.extend_from_slice(pending);
        }
        Ok(self.enabled.iter().position(|&thread| thread == self.taken).expect("it was enabled"))
    }

    pub(super) fn replay_value(&self, n: usize) -> Result<usize, Divergence> {
        if self.of == n {
            return Ok(self.taken);
        }
        Err(Divergence { step: self.step, what: format!("a choice has {n} ways, and had {} before", self.of) })
    }

    /// An execution that begins here with one of `initials` is wanted. Says whether that is news.
    pub(super) fn ask_for(&mut self, Wanted { initials, thread: preferred, at_once }: Wanted) -> bool {
        if at_once && !self.enabled.contains(&preferred) {
            // It could not run here, and what else is wanted does not make it: the two cannot come the other way round.
            return false;
        }
        if initials.meets(self.backtrack) || initials.meets(self.sleeps()) {
            return false;
        }
        let wanted = |thread: &usize| initials.contains(*thread);
        if self.enabled.contains(&preferred) && initials.contains(preferred) {
            self.backtrack.insert(preferred);
        } else if let Some(&thread) = self.enabled.iter().find(|thread| wanted(thread)) {
            self.backtrack.insert(thread);
        } else {
            // None of them could run here: whatever makes one of them run is among those that can.
            self.enabled.iter().for_each(|&thread| self.backtrack.insert(thread));
        }
        true
    }

    /// The step that was taken ended the execution: everything else must be tried before it.
    pub(super) fn ask_for_all(&mut self) {
        self.enabled.iter().for_each(|&thread| self.backtrack.insert(thread));
    }

    /// Takes the next choice, if one is left. `trace` is that of the execution with the current one.
    pub(super) fn next(&mut self, trace: &Trace) -> bool {
        if self.is_value() {
            return self.skip_values(1);
        }
        self.close(trace);
        self.advance()
    }

    /// The thread that was taken is done. `trace` is that of an execution in which it was.
    pub(super) fn close(&mut self, trace: &Trace) {
        merge(&mut self.touched, trace.touches(self.step));
        let ends = trace.is_cut() && self.step + 1 == trace.steps().len();
        self.done.push(Asleep { thread: self.taken, touches: std::mem::take(&mut self.touched), ends });
    }

    /// Takes a thread that has been asked for and is not done.
    pub(super) fn advance(&mut self) -> bool {
        let sleeps = self.sleeps();
        let next = self.enabled.iter().find(|&&thread| self.backtrack.contains(thread) && !sleeps.contains(thread));
        let Some(&thread) = next else { return false };
        self.taken = thread;
        self.fresh = true;
        true
    }

    /// Whether no other thread than the one that is taken will ever be tried here.
    pub(super) fn is_alone(&self) -> bool {
        let sleeps = self.sleeps();
        self.enabled.iter().all(|&thread| thread == self.taken || sleeps.contains(thread))
    }

    /// Takes the value so many further on, if there is one, of a choice inside a step.
    pub(super) fn skip_values(&mut self, values: usize) -> bool {
        self.taken += values;
        self.taken < self.of
    }

    /// Whether a choice inside a step has values left.
    pub(super) fn has_values(&self) -> bool {
        self.taken + 1 < self.of
    }

    /// Adopts what a part of the exploration that had all of this node to itself has done there.
    pub(super) fn adopt(&mut self, other: &Self) {
        self.backtrack.0 |= other.backtrack.0;
        self.done.clone_from(&other.done);
    }

    /// The step that is being tried is tried again with another value.
    pub(super) fn keep_touches(&mut self, trace: &Trace) {
        merge(&mut self.touched, trace.touches(self.step));
    }
}
