//! Source-DPOR with sleep sets: one complete execution for each class of executions that differ only in the order of
//! independent steps, instead of one for each schedule.
//!
//! State: a node for each step of the current execution, with the threads that could have taken it, those that must be
//! tried there (`backtrack`), those that were (`done`), and those that need not be, because what would come of them has
//! been seen (`sleep`). After an execution every *race* in it (two steps next to each other in the order of dependence)
//! asks for an execution in which they come the other way round: a thread with which that one begins is added to the
//! `backtrack` of the node before the first of the two. An execution in which only sleeping threads are left is
//! *redundant*: it goes on to its end without branching, because fibers cannot be stopped half-way.
//!
//! What is dependent, and which of it is a race, is in [`relation`](super::relation); how races are found, in `races`.

mod node;
mod races;
mod split;

pub(crate) use split::{Part, Split};

use super::relation::{Relation, looks_for_new};
use super::{Point, Schedule};
use crate::report::Divergence;
use crate::trace::{Touch, Trace};
use node::{Asleep, Node, Threads};
use races::{Races, Wanted};

/// Source-DPOR with sleep sets: explores each Mazurkiewicz trace once.
#[derive(Debug, Default)]
pub struct Dpor {
    nodes: Vec<Node>,
    /// Nodes before this are those of the current execution; what is behind is kept for its memory.
    len: usize,
    /// The next node of the current execution.
    at: usize,
    /// How many of them are as in the execution before, or lead away from it.
    replayed: usize,
    /// Where the current execution leaves the one before: races between earlier steps were seen then.
    fresh_from: usize,
    /// From this step on the current execution is one that was seen before.
    redundant_from: Option<usize>,
    executions: u64,
    redundant: u64,
    /// What everybody was about to do there.
    stuck: Vec<(usize, Vec<Touch>)>,
    races: Races,
    inherited: Vec<Asleep>,
    /// Nodes before this are given: this explores a part. What is asked for there is kept for who has the whole.
    from: usize,
    is_part: bool,
    asked: Vec<(usize, Wanted)>,
    /// How often it has begun anew, because it took too much for independent.
    restarts: u64,
    diverged: Option<Divergence>,
}

impl Dpor {
    /// How many executions turned out to be like one that was seen before, when only sleeping threads were left.
    pub fn redundant(&self) -> u64 {
        self.redundant
    }

    /// One that takes a post and a receive of a queue for dependent from the beginning.
    pub(crate) fn plain() -> Self {
        let mut dpor = Self::default();
        dpor.races.relation = Relation::Plain;
        dpor
    }

    /// How often it has begun anew. A part does not: it ends, and whoever has the whole begins anew.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Takes in the execution that has just been run; says whether it was right about what is independent.
    fn finish(&mut self, trace: &Trace) -> bool {
        self.len = self.at;
        self.redundant += u64::from(self.is_redundant());
        let right = self.races.relation == Relation::Plain || !looks_for_new(trace);
        if right {
            self.learn(trace);
        }
        right
    }

    /// What the races of an execution ask for.
    fn learn(&mut self, trace: &Trace) {
        let steps = self.redundant_from.unwrap_or(trace.steps().len());
        let nodes = &mut self.nodes[..self.len];
        let (given, asked) = (self.from, &mut self.asked);
        if trace.is_cut()
            && let Some(node) = nodes.iter_mut().rfind(|node| !node.is_value())
            && node.step + 1 == trace.steps().len()
        {
            node.ask_for_all();
        }
        let found = |first, wanted| {
            // Steps that were taken after the scenario's end have no node: nothing branches there.
            let from = nodes.partition_point(|node| node.step < first);
            let node = nodes.iter_mut().enumerate().skip(from).find(|(_, node)| !node.is_value() && node.step == first);
            if let Some((index, node)) = node
                && node.ask_for(wanted)
                && index < given
            {
                asked.push((index, wanted));
            }
        };
        if self.redundant_from.is_some() {
            let stuck = self.stuck.iter().map(|(thread, touches)| (*thread, &touches[..]));
            self.races.find(trace, steps, self.fresh_from, stuck, found);
        } else {
            self.races.find(trace, steps, self.fresh_from, trace.left(), found);
        }
    }

    /// Moves on to the next execution; says whether there is one.
    fn backtrack(&mut self, trace: &Trace) -> bool {
        while self.len > self.from {
            let last = self.len - 1;
            if self.nodes[last].is_value()
                && let Some(node) = self.nodes[..last].iter_mut().rfind(|node| !node.is_value())
            {
                node.keep_touches(trace);
            }
            let node = &mut self.nodes[last];
            if node.next(trace) {
                self.fresh_from = node.step;
                return true;
            }
            self.len = last;
        }
        false
    }

    /// What sleeps at the node after the last step: what slept before it or was tried instead of it, unless it depends
    /// on the step.
    fn inherit(&mut self, trace: &Trace, step: usize) {
        self.inherited.clear();
        let Some(parent) = self.nodes[..self.len].iter().rev().find(|node| !node.is_value()) else { return };
        let (taken, relation) = (trace.touches(step - 1), self.races.relation);
        let thread = trace.steps()[step - 1].thread;
        let kept = parent.sleeping().filter(|it| it.thread != thread && !it.depends_on(taken, relation));
        self.inherited.extend(kept.cloned());
    }

    fn diverge(&mut self, divergence: Divergence) -> usize {
        self.diverged = Some(divergence);
        0
    }

    fn new_node(&mut self) -> &mut Node {
        if self.nodes.len() == self.len {
            self.nodes.push(Node::default());
        }
        self.len += 1;
        self.at = self.len;
        &mut self.nodes[self.len - 1]
    }
}

impl Schedule for Dpor {
    fn new_execution(&mut self, previous: Option<&Trace>) -> bool {
        match previous {
            None => *self = Self { races: Races::new(self.races.relation), ..Self::default() },
            Some(trace) => {
                if !self.finish(trace) {
                    // What was explored so far took too much for independent: it begins anew.
                    self.restarts += 1;
                    if self.is_part {
                        return false;
                    }
                    self.races.relation = Relation::Plain;
                    self.len = 0;
                    self.fresh_from = 0;
                    self.redundant = self.executions;
                } else if !self.backtrack(trace) {
                    return false;
                }
            }
        }
        self.executions += 1;
        self.replayed = self.len;
        self.redundant_from = None;
        self.stuck.clear();
        self.at = 0;
        true
    }

    fn choose(&mut self, point: &Point<'_>) -> usize {
        if self.is_redundant() || self.diverged.is_some() {
            return 0;
        }
        if let Some(node) = self.nodes[..self.len].get_mut(self.at) {
            self.at += 1;
            return match node.replay(point) {
                Ok(choice) => choice,
                Err(divergence) => self.diverge(divergence),
            };
        }
        let step = point.trace().steps().len();
        self.inherit(point.trace(), step);
        let sleeping: Threads = self.inherited.iter().map(|it| it.thread).collect();
        let Some(choice) = point.enabled().iter().position(|&thread| !sleeping.contains(thread)) else {
            self.redundant_from = Some(step);
            let pending = (0..point.trace().threads()).map(|thread| (thread, point.pending(thread).to_vec()));
            self.stuck.extend(pending.filter(|(_, touches)| !touches.is_empty()));
            return 0;
        };
        let inherited = std::mem::take(&mut self.inherited);
        self.new_node().begin(step, point, choice, &inherited);
        self.inherited = inherited;
        choice
    }

    fn choose_n(&mut self, n: usize) -> usize {
        if self.is_redundant() || self.diverged.is_some() {
            return 0;
        }
        if let Some(node) = self.nodes[..self.len].get(self.at) {
            self.at += 1;
            return match node.replay_value(n) {
                Ok(value) => value,
                Err(divergence) => self.diverge(divergence),
            };
        }
        let step = self.nodes[..self.len].last().map_or(0, |node| node.step);
        self.new_node().begin_value(step, n);
        0
    }

    fn is_redundant(&self) -> bool {
        self.redundant_from.is_some()
    }

    fn divergence(&self) -> Option<Divergence> {
        let early = || {
            let node = self.nodes[..self.replayed].get(self.at)?;
            Some(Divergence { step: node.step, what: "the execution has ended, and went on before".to_owned() })
        };
        self.diverged.clone().or_else(early)
    }
}

/// The touches of two steps that a thread may take: those of one, then those of the other.
fn merge(into: &mut Vec<Touch>, more: &[Touch]) {
    for touch in more {
        if !into.contains(touch) {
            into.push(*touch);
        }
    }
}
