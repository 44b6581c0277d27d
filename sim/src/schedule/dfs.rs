//! Plain depth-first search: every schedule once, without any reduction. The oracle for the strategies that reduce.
//!
//! State: the choices of the current execution that had an alternative, and how far into them it has come. What is
//! before `at` is being replayed; at the end of an execution the last choice with an alternative left moves on.

use super::{Point, Schedule};
use crate::report::Divergence;
use crate::trace::Trace;

/// Every schedule once, in the order of the enabled threads: last-run first, then round-robin upward.
#[derive(Clone, Debug, Default)]
pub struct Dfs {
    path: Vec<Branch>,
    at: usize,
    /// Choices before this are given: they are those of a part of the search.
    from: usize,
    /// The choice that had another number of ways, and how many steps there were before it.
    diverged: Option<(usize, usize)>,
    steps: usize,
}

#[derive(Clone, Copy, Debug)]
struct Branch {
    taken: usize,
    of: usize,
}

impl Dfs {
    /// The choices of the current execution that had an alternative, as what was taken of how many.
    pub fn path(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.path[..self.at].iter().map(|branch| (branch.taken, branch.of))
    }

    /// Makes the next choices those of the current execution once more, instead of a new execution.
    pub fn rewind(&mut self) {
        self.path.truncate(self.at);
        self.at = 0;
    }

    /// After an execution: what is left, in parts that have nothing in common, in the order of the search. Each has begun
    /// its first execution.
    pub(crate) fn split(mut self) -> Vec<Self> {
        self.path.truncate(self.at);
        let mut parts = Vec::new();
        for depth in (self.from..self.path.len()).rev() {
            let Branch { taken, of } = self.path[depth];
            for taken in taken + 1..of {
                let mut path = self.path[..depth].to_vec();
                path.push(Branch { taken, of });
                parts.push(Self { path, from: depth + 1, ..Self::default() });
            }
        }
        parts
    }

    fn branch(&mut self, of: usize) -> usize {
        if of == 1 {
            return 0;
        }
        let at = self.at;
        self.at += 1;
        let Some(branch) = self.path.get(at) else {
            self.path.push(Branch { taken: 0, of });
            return 0;
        };
        if branch.of != of {
            self.diverged.get_or_insert((at, self.steps));
            return 0;
        }
        branch.taken
    }
}

impl Schedule for Dfs {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        self.steps = 0;
        if previous.is_none() {
            self.path.clear();
        } else {
            // An execution that was cut short at a limit leaves choices that it did not reach.
            self.path.truncate(self.at);
            let from = self.from;
            while self.path.len() > from && self.path.pop_if(|branch| branch.taken + 1 == branch.of).is_some() {}
            let Some(branch) = self.path[from..].last_mut() else { return false };
            branch.taken += 1;
        }
        self.at = 0;
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        self.steps = point.trace().steps().len();
        self.branch(point.enabled().len())
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.branch(n)
    }

    fn divergence(&self) -> Option<Divergence> {
        let what = |(at, step)| Divergence { step, what: format!("choice {at} had another number of ways before") };
        self.diverged.map(what)
    }
}
