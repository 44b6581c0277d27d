//! The Mazurkiewicz class of an execution: what is left of it when the order of independent steps is forgotten.
//!
//! Two steps depend on each other when they touch the same object and one of them changes it (plain read/write
//! conflicts), when they are of one thread, when one started the thread of the other, or when the clock moved between
//! them. That partial order is the canonical form: for each step, named by its thread and its place in it, a vector
//! clock says how many steps of each thread come before it. Threads are named by who started them and as his how-manieth,
//! so nothing depends on the order in which independent steps were taken, not even the numbers of threads and objects.

use super::{Hash, Step, Touch, Trace};
use oleander::platform::Access;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const NONE: usize = usize::MAX;

/// Computes classes. Its scratch is reused from execution to execution.
#[derive(Debug, Default)]
pub struct Classifier {
    /// The vector clock of each step, all in one: `clocks[step * threads + thread]`.
    clocks: Vec<u32>,
    /// The clock of what each thread has seen, then that of what everybody has seen when the clock last moved.
    seen: Vec<u32>,
    floor: Vec<u32>,
    names: Vec<u128>,
    children: Vec<u64>,
    /// Where in `objects` an object is, by its number. It is looked up in, never gone through.
    places: HashMap<u64, usize, BuildHasherDefault<Spread>>,
    objects: Vec<History>,
    /// The readers of objects, in chains.
    readers: Vec<Reader>,
}

/// What of an object's past a new step can depend on.
#[derive(Clone, Copy, Debug)]
struct History {
    last_change: usize,
    /// The latest reader since, an index into the chains.
    readers: usize,
}

impl History {
    const NEW: Self = Self { last_change: NONE, readers: NONE };
}

#[derive(Clone, Copy, Debug)]
struct Reader {
    step: usize,
    next: usize,
}

impl Classifier {
    /// The class of an execution as a hash of its canonical form: equal for equivalent executions.
    pub fn class(&mut self, trace: &Trace) -> u128 {
        self.reset(trace);
        let threads = trace.threads();
        let (mut born, mut chosen, mut ticked) = (0, 0, 0);
        let mut sum = 0u128;
        for (index, step) in trace.steps().iter().enumerate() {
            while let Some(birth) = trace.births.get(born)
                && birth.at <= index
            {
                self.start(born, birth.parent, birth.at);
                born += 1;
            }
            while trace.ticks.get(ticked) == Some(&index) {
                self.tick(threads);
                ticked += 1;
            }
            self.step(threads, index, step, trace.touches(index));
            let mut hash = self.describe(threads, index, step, trace.touches(index));
            while let Some(choice) = trace.chosen.get(chosen)
                && choice.at <= index + 1
            {
                hash.word(choice.n as u64);
                hash.word(choice.taken as u64);
                chosen += 1;
            }
            sum = sum.wrapping_add(hash.finish());
        }
        sum
    }

    fn reset(&mut self, trace: &Trace) {
        let threads = trace.threads();
        self.clocks.clear();
        self.clocks.resize(trace.steps().len() * threads, 0);
        self.seen.clear();
        self.seen.resize(threads * threads, 0);
        self.floor.clear();
        self.floor.resize(threads, 0);
        self.names.clear();
        self.children.clear();
        self.children.resize(threads, 0);
        self.places.clear();
        self.objects.clear();
        self.readers.clear();
    }

    /// A thread starts: it has a name, and has seen what its parent's step at that time had seen.
    fn start(&mut self, thread: usize, parent: usize, at: usize) {
        let threads = self.children.len();
        let mut name = Hash::new();
        if thread != parent {
            name.wide(self.names[parent]);
            name.word(self.children[parent]);
            self.children[parent] += 1;
        }
        self.names.push(name.finish());
        if at > 0 {
            join(&mut self.seen[thread * threads..][..threads], &self.clocks[(at - 1) * threads..][..threads]);
        }
    }

    /// The clock moves: after all steps so far, before all others.
    fn tick(&mut self, threads: usize) {
        for seen in self.seen.chunks_exact(threads) {
            join(&mut self.floor, seen);
        }
    }

    /// Takes a step: joins the clocks of all that it depends on.
    fn step(&mut self, threads: usize, index: usize, step: &Step, touches: &[Touch]) {
        let (before, clock) = self.clocks.split_at_mut(index * threads);
        let clock = &mut clock[..threads];
        clock.copy_from_slice(&self.seen[step.thread * threads..][..threads]);
        join(clock, &self.floor);
        clock[step.thread] += 1;
        for touch in touches {
            let next = self.objects.len();
            let place = *self.places.entry(touch.object.id).or_insert(next);
            if place == next {
                self.objects.push(History::NEW);
            }
            let history = &mut self.objects[place];
            if history.last_change != NONE && history.last_change != index {
                join(clock, &before[history.last_change * threads..][..threads]);
            }
            if touch.access == Access::Read {
                self.readers.push(Reader { step: index, next: history.readers });
                history.readers = self.readers.len() - 1;
                continue;
            }
            while history.readers != NONE {
                let reader = self.readers[history.readers];
                if reader.step != index {
                    join(clock, &before[reader.step * threads..][..threads]);
                }
                history.readers = reader.next;
            }
            history.last_change = index;
        }
        self.seen[step.thread * threads..][..threads].copy_from_slice(clock);
    }

    /// What a step is, whenever it is taken.
    fn describe(&self, threads: usize, index: usize, step: &Step, touches: &[Touch]) -> Hash {
        let clock = &self.clocks[index * threads..][..threads];
        // Names are as good as random, so different clocks have different sums.
        let marks = self.names.iter().zip(clock).map(|(name, &count)| name.wrapping_mul(u128::from(count)));
        let mut hash = Hash::new();
        hash.wide(self.names[step.thread]);
        hash.wide(marks.fold(0, u128::wrapping_add));
        hash.word(step.outcome as u64);
        for touch in touches {
            hash.word(touch.object.kind as u64 | (touch.access as u64) << 32);
        }
        hash
    }
}

/// A hasher for numbers that are counted up: they need spreading, not protection.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number ^ (number >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

fn join(clock: &mut [u32], other: &[u32]) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}
