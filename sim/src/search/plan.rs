//! What is run, and how the rest of it is split: each strategy in its own way.
//!
//! | strategy | parts |
//! | --- | --- |
//! | exhaustive, portfolio | the threads that are still to be tried at the choices of the current execution, in rounds |
//! | depth-first, bounded | the alternatives that are left at the choices of the current execution, in one round |
//! | random | so many executions each, without end |

use super::Rules;
use super::work::{Halt, Job, work};
use crate::check::Strategy;
use crate::explore::Runner;
use crate::schedule::{Bounded, Dfs, Dpor, Part, Pct, Portfolio, RandomWalk, Schedule, Split};
use crate::trace::Trace;
use std::collections::VecDeque;

/// How many executions of a random strategy make a part.
const PART: u64 = 100;
/// How many such parts make a round.
const PARTS: u64 = 64;
/// How many random executions a part of a portfolio may have that no other has.
const PORTFOLIO_PART: u64 = 1 << 32;

/// A strategy that can be split.
#[derive(Debug)]
pub(crate) enum Plan {
    Reduced(Dpor),
    Mixed(Portfolio),
    All(Dfs),
    Bounded(Bounded),
    Random(RandomWalk),
    Pct(Pct),
}

impl Plan {
    pub(crate) fn new(strategy: Strategy, seed: u64) -> Self {
        match strategy {
            Strategy::Exhaustive => Self::Reduced(Dpor::default()),
            Strategy::Dfs => Self::All(Dfs::default()),
            Strategy::PreemptionBound(bound) => Self::Bounded(Bounded::preemptions(bound)),
            Strategy::DelayBound(bound) => Self::Bounded(Bounded::delays(bound)),
            Strategy::Random => Self::Random(RandomWalk::new(seed)),
            Strategy::Pct(depth) => Self::Pct(Pct::new(seed, depth, 0)),
            Strategy::Portfolio => Self::Mixed(Portfolio::new(seed)),
        }
    }

    /// The same, with the reduction that takes a post and a receive for dependent.
    pub(super) fn without_rule_for_queues(mut self) -> Self {
        if let Some(dpor) = self.dpor() {
            *dpor = Dpor::plain();
        }
        self
    }

    pub(super) fn schedule(&mut self) -> &mut dyn Schedule {
        match self {
            Self::Reduced(it) => it,
            Self::Mixed(it) => it,
            Self::All(it) => it,
            Self::Bounded(it) => it,
            Self::Random(it) => it,
            Self::Pct(it) => it,
        }
    }

    fn dpor(&mut self) -> Option<&mut Dpor> {
        match self {
            Self::Reduced(dpor) => Some(dpor),
            Self::Mixed(portfolio) => Some(&mut portfolio.dpor),
            _ => None,
        }
    }

    pub(super) fn restarts(&self) -> u64 {
        match self {
            Self::Reduced(dpor) => dpor.restarts(),
            Self::Mixed(portfolio) => portfolio.dpor.restarts(),
            _ => 0,
        }
    }

    /// Whether the execution that was run last is one that a split can begin with.
    pub(super) fn can_split(&self) -> bool {
        match self {
            Self::Mixed(portfolio) => portfolio.ran_exhaustive(),
            _ => true,
        }
    }

    /// After an execution with this trace: the parts of what is left, which for a random strategy are so many executions.
    /// `None` if what was run so far took too much for
    /// independent.
    pub(super) fn split(self, trace: &Trace, everything: bool, left: u64) -> Option<Parts> {
        let rounds = match self {
            Self::Reduced(dpor) => Rounds::Reduced(Box::new(dpor.split(trace, everything)?), None),
            Self::Mixed(mut portfolio) => {
                let dpor = std::mem::take(&mut portfolio.dpor);
                Rounds::Reduced(Box::new(dpor.split(trace, everything)?), Some(Box::new(portfolio)))
            }
            Self::All(dfs) => Rounds::Once(dfs.split().into_iter().map(Self::All).collect()),
            Self::Bounded(bounded) => Rounds::Once(bounded.split().into_iter().map(Self::Bounded).collect()),
            endless @ (Self::Random(_) | Self::Pct(_)) => Rounds::Endless(Box::new(endless), left),
        };
        Some(Parts { rounds, made: 0 })
    }

    /// The next so many executions of a random strategy.
    fn take(&mut self, executions: u64) -> Self {
        match self {
            Self::Random(it) => Self::Random(it.take(executions)),
            Self::Pct(it) => Self::Pct(it.take(executions)),
            _ => unreachable!("only random strategies have no end"),
        }
    }
}

/// What is left of a strategy.
pub(super) struct Parts {
    rounds: Rounds,
    /// How many parts there have been.
    made: u64,
}

enum Rounds {
    Reduced(Box<Split>, Option<Box<Portfolio>>),
    Once(VecDeque<Plan>),
    /// A random strategy, and how many executions of it are left.
    Endless(Box<Plan>, u64),
}

impl Parts {
    /// The jobs of this round that are this shard's. Parts of a reduced exploration have run their first executions.
    pub(super) fn jobs(&mut self, left: u64, runner: &mut dyn Runner, rules: &Rules) -> Vec<Job> {
        let mut jobs = Vec::new();
        match &mut self.rounds {
            Rounds::Reduced(split, portfolio) => {
                while let Some(part) = split.next_part() {
                    let job = first_execution(split, portfolio.as_deref_mut(), part, left, runner, rules);
                    let is_mine = mine(&mut self.made, rules.shard);
                    let goes_on = matches!(job.halt, None | Some(Halt::Done));
                    if is_mine {
                        jobs.push(job);
                        if !goes_on {
                            // What is behind it will not count.
                            return jobs;
                        }
                    }
                }
            }
            Rounds::Once(plans) => {
                for plan in plans.drain(..) {
                    if mine(&mut self.made, rules.shard) {
                        jobs.push(Job { begun: true, ..Job::new(plan, left) });
                    }
                }
            }
            Rounds::Endless(plan, after) => {
                while *after > 0 && (jobs.len() as u64) < PARTS {
                    let size = PART.min(*after);
                    let part = plan.take(size);
                    *after -= size;
                    if mine(&mut self.made, rules.shard) {
                        jobs.push(Job { size, ..Job::new(part, left) });
                    }
                }
            }
        }
        jobs
    }

    /// A job has ended, with nothing left to do.
    pub(super) fn finished(&mut self, job: Job) {
        if let Rounds::Reduced(split, _) = &mut self.rounds {
            let dpor = match job.plan {
                Plan::Reduced(dpor) => dpor,
                Plan::Mixed(portfolio) => portfolio.dpor,
                _ => unreachable!("a part of a reduced exploration is one"),
            };
            split.finished(dpor.into_finished(job.place));
        }
    }

    /// Whether there may be another round.
    pub(super) fn next_round(&mut self) -> bool {
        match &mut self.rounds {
            Rounds::Reduced(split, _) => split.next_round(),
            Rounds::Once(_) => false,
            Rounds::Endless(..) => true,
        }
    }

    /// Whether everything has been run when there is no job left.
    pub(super) fn can_end(&self) -> bool {
        !matches!(self.rounds, Rounds::Endless(..))
    }
}

/// Whether the next part is this shard's.
fn mine(made: &mut u64, (shard, shards): (u64, u64)) -> bool {
    *made += 1;
    (*made - 1) % shards == shard
}

/// Runs the first execution of a part, so that the split can go on.
fn first_execution(
    split: &mut Split,
    portfolio: Option<&mut Portfolio>,
    mut part: Part,
    left: u64,
    runner: &mut dyn Runner,
    rules: &Rules,
) -> Job {
    let place = part.place;
    let dpor = std::mem::take(&mut part.dpor);
    let plan = match portfolio {
        Some(portfolio) => Plan::Mixed(portfolio.part(dpor, PORTFOLIO_PART)),
        None => Plan::Reduced(dpor),
    };
    let mut job = Job { place, begun: true, pause_after: 1, ..Job::new(plan, left) };
    work(&mut job, runner, rules, false, &|| false);
    job.pause_after = u64::MAX;
    if matches!(job.halt, Some(Halt::Paused)) {
        let dpor = job.plan.dpor().expect("a part of a reduced exploration is one");
        split.began(dpor, place, runner.trace());
        job.halt = job.move_on(runner);
    }
    job
}
