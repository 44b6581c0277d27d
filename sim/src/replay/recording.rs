//! The choices of an execution: written down while a strategy makes them, made again.

use crate::report::Divergence;
use crate::schedule::{Point, Schedule};
use crate::trace::Trace;

/// What was chosen at each point that had an alternative; behind its end, the first way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices(Vec<usize>);

impl Choices {
    /// More choices are in no execution that anybody looks at.
    pub(crate) const MAX: usize = 100_000_000;

    /// Choices as they were made.
    pub(crate) fn of(made: &[usize]) -> Self {
        let mut choices = Self(made.to_vec());
        while choices.0.pop_if(|taken| *taken == 0).is_some() {}
        choices
    }

    /// The choices that are not the first way: where, and which.
    pub(crate) fn deviations(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().copied().enumerate().filter(|&(_, taken)| taken != 0)
    }

    pub(crate) fn set(&mut self, at: usize, taken: usize) {
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] = taken;
        while self.0.pop_if(|taken| *taken == 0).is_some() {}
    }

    fn get(&self, at: usize) -> usize {
        self.0.get(at).copied().unwrap_or(0)
    }
}

/// A strategy whose choices are written down.
pub(crate) struct Recording<'a> {
    inner: &'a mut dyn Schedule,
    choices: Vec<usize>,
}

impl<'a> Recording<'a> {
    /// Records into a vector, which is emptied.
    pub(crate) fn new(inner: &'a mut dyn Schedule, mut choices: Vec<usize>) -> Self {
        choices.clear();
        Self { inner, choices }
    }

    /// The choices of the last execution, as they were made.
    pub(crate) fn into_choices(self) -> Vec<usize> {
        self.choices
    }
}

impl Schedule for Recording<'_> {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        self.choices.clear();
        self.inner.new_execution(previous)
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let choice = self.inner.choose(point);
        if point.enabled().len() > 1 {
            self.choices.push(choice);
        }
        choice
    }

    fn choose_n(&mut self, n: usize) -> usize {
        let choice = self.inner.choose_n(n);
        self.choices.push(choice);
        choice
    }

    fn is_redundant(&self) -> bool {
        self.inner.is_redundant()
    }

    fn divergence(&self) -> Option<Divergence> {
        self.inner.divergence()
    }
}

/// Given choices, once. A way that there is not becomes the first.
pub(crate) struct Replaying<'a> {
    choices: &'a Choices,
    at: usize,
}

impl<'a> Replaying<'a> {
    pub(crate) fn new(choices: &'a Choices) -> Self {
        Self { choices, at: 0 }
    }

    fn next(&mut self, of: usize) -> usize {
        let taken = self.choices.get(self.at);
        self.at += 1;
        if taken < of { taken } else { 0 }
    }
}

impl Schedule for Replaying<'_> {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        self.at = 0;
        previous.is_none()
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        let of = point.enabled().len();
        if of > 1 { self.next(of) } else { 0 }
    }

    fn choose_n(&mut self, n: usize) -> usize {
        self.next(n)
    }
}
