//! Splitting an exploration into parts that others can explore.
//!
//! After some executions a [`Dpor`] is taken apart. Every choice of its current execution becomes a place at which parts
//! begin: a thread that has been asked for there and was not taken yet, or a value that was not. A part has the choices up
//! to there as they are, and the threads that were taken before it at the same place sleep in it, so that no two parts
//! meet the same class of executions. What a part's races ask for among the choices that are given is handed in by
//! [`Split::finished`], and makes parts of the next round. When no round has any, everything has been explored.
//!
//! With `everything` all threads that could run at each place are parts from the beginning: then nothing has to be handed
//! in, and parts can be explored by processes that know nothing of each other. That costs redundant executions.
//!
//! What a thread's step touches must be known before the thread can sleep for others. So a part's first execution is run
//! before the next part at the same place is made ([`Split::began`]). Where a step chooses values, that does not tell
//! everything, and one part gets all threads that are left there. If the current execution chose values in a step that
//! others may yet be taken before, the choices from there on are one part: the *rest*.

use super::races::{Races, Wanted};
use super::{Dpor, Node};
use crate::schedule::relation::Relation;
use crate::trace::Trace;

/// An exploration that is explored in parts.
#[derive(Debug)]
pub(crate) struct Split {
    /// The choices at which parts begin.
    nodes: Vec<Node>,
    rest: Option<Dpor>,
    relation: Relation,
    everything: bool,
    /// Where parts are being made: before this node, or at it if `in_it`.
    at: usize,
    in_it: bool,
    /// How many values have been looked at there.
    values: usize,
    /// Whether this is the first round, which takes all values that are left.
    is_first: bool,
}

/// A part: an exploration that has begun its first execution.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) dpor: Dpor,
    /// The choice at which it begins, if other parts begin there too.
    pub(crate) place: Option<usize>,
}

/// What a part has found for others, and its place if it had that to itself.
pub(crate) struct Finished {
    asked: Vec<(usize, Wanted)>,
    whole: Option<(usize, Node)>,
}

impl Dpor {
    /// After an execution, whose trace it is given: what is left, in parts. `None` if what was explored so far took too
    /// much for independent.
    pub(crate) fn split(mut self, trace: &Trace, everything: bool) -> Option<Split> {
        if !self.finish(trace) {
            return None;
        }
        self.nodes.truncate(self.len);
        let relation = self.races.relation;
        let mut nodes = self.nodes.clone();
        let rest_from = rest_from(&nodes);
        nodes.truncate(rest_from);
        for node in nodes.iter_mut().filter(|node| !node.is_value()) {
            node.close(trace);
            if everything {
                node.ask_for_all();
            }
        }
        self.from = rest_from;
        self.is_part = true;
        let has_rest = self.len > rest_from && self.backtrack(trace);
        let rest = has_rest.then(|| self.begun());
        Some(Split { at: nodes.len(), in_it: false, values: 0, is_first: true, nodes, rest, relation, everything })
    }

    /// A part that has moved on to its next execution, and will run it first.
    fn begun(mut self) -> Self {
        self.executions = 1;
        self.redundant = 0;
        self.replayed = self.len;
        self.redundant_from = None;
        self.stuck.clear();
        self.asked.clear();
        self.at = 0;
        self
    }

    /// What it leaves when it has ended.
    pub(crate) fn into_finished(mut self, place: Option<usize>) -> Finished {
        let whole = place.filter(|&place| self.from == place).map(|place| (place, self.nodes.swap_remove(place)));
        Finished { asked: self.asked, whole }
    }
}

/// Where a step chose values of which some are left, and other threads may yet be taken instead of it.
fn rest_from(nodes: &[Node]) -> usize {
    let mut step = None;
    for (index, node) in nodes.iter().enumerate() {
        if !node.is_value() {
            step = Some(index);
        } else if let Some(step) = step
            && node.has_values()
            && !nodes[step].is_alone()
        {
            return step;
        }
    }
    nodes.len()
}

impl Split {
    /// The next part of this round. Its first execution must be run at once; then [`Split::began`] has to be told.
    pub(crate) fn next_part(&mut self) -> Option<Part> {
        if let Some(dpor) = self.rest.take() {
            return Some(Part { dpor, place: None });
        }
        loop {
            if !self.in_it {
                self.at = self.at.checked_sub(1)?;
                self.values = 0;
            }
            // The nodes stay as they are: what is behind them was explored under these choices.
            let mut last = self.nodes[self.at].clone();
            self.values += 1;
            let is_value = last.is_value();
            self.in_it = if is_value { self.is_first && last.skip_values(self.values) } else { last.advance() };
            if self.in_it {
                let mut nodes = self.nodes[..self.at].to_vec();
                let fresh_from = last.step;
                nodes.push(last);
                let dpor = Dpor {
                    fresh_from,
                    len: nodes.len(),
                    from: nodes.len(),
                    nodes,
                    is_part: true,
                    races: Races::new(self.relation),
                    ..Dpor::default()
                };
                return Some(Part { dpor: dpor.begun(), place: (!is_value).then_some(self.at) });
            }
        }
    }

    /// A part has run its first execution, with this trace.
    pub(crate) fn began(&mut self, dpor: &mut Dpor, place: Option<usize>, trace: &Trace) {
        let Some(place) = place else { return };
        if dpor.nodes[..dpor.at].get(place + 1).is_some_and(Node::is_value) {
            dpor.from = place;
            self.in_it = false;
        } else {
            let mut tried = dpor.nodes[place].clone();
            tried.close(trace);
            self.nodes[place].adopt(&tried);
        }
    }

    /// A part has ended.
    pub(crate) fn finished(&mut self, finished: Finished) {
        if self.everything {
            return;
        }
        if let Some((place, node)) = &finished.whole {
            self.nodes[*place].adopt(node);
        }
        for (index, wanted) in finished.asked {
            self.nodes[index].ask_for(wanted);
        }
    }

    /// Begins another round; says whether there can be one.
    pub(crate) fn next_round(&mut self) -> bool {
        self.at = self.nodes.len();
        self.in_it = false;
        self.is_first = false;
        !self.everything
    }
}
