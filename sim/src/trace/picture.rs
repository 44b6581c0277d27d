//! An execution as a sequence diagram: what is to be drawn, whoever draws it (`page`, `mermaid`).
//!
//! A lane is a thread, with the STA that it enters; a row is a step. Read from a trace and its facts after the execution.

use super::timeline::{choices, describe};
use super::{Ledger, Noted, Outcome, Trace};
use crate::report::{End, Report};
use oleander::platform::{Access, Fact};
use std::time::Duration;

/// Steps before the last ones are left out: who looks at a picture looks at its end.
const ROWS_MAX: usize = 2_000;

/// A thread.
pub(crate) struct Lane {
    /// Its apartment, or nothing.
    pub(crate) place: String,
    pub(crate) name: String,
    /// It waits in vain at the end, and for this.
    pub(crate) stuck: Option<String>,
}

/// A step.
pub(crate) struct Row {
    /// Its number, from 1.
    pub(crate) number: usize,
    pub(crate) lane: usize,
    pub(crate) text: String,
    /// It signals something.
    pub(crate) signals: bool,
    /// Virtual time passes before it, up to this.
    pub(crate) time: Option<String>,
    /// It ends a wait that began behind this row.
    pub(crate) waited_from: Option<usize>,
    /// It gave up.
    pub(crate) expired: bool,
}

/// What a call is at which row.
pub(crate) struct CallLine {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) asynchronous: bool,
    pub(crate) from: (usize, usize),
    /// Where it is to be served, and at which row it was.
    pub(crate) to: Option<usize>,
    pub(crate) served: Option<(usize, usize)>,
    /// Who decided it, and when.
    pub(crate) decided: Option<(usize, usize)>,
    /// A Signal that was refused.
    pub(crate) refused: Option<(usize, usize)>,
    /// Its states, each from a row on.
    pub(crate) states: Vec<(usize, &'static str)>,
}

/// The whole.
pub(crate) struct Picture {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) rows: Vec<Row>,
    pub(crate) calls: Vec<CallLine>,
    /// How it ended, a line each.
    pub(crate) ending: Vec<String>,
    pub(crate) failed: bool,
    /// Steps that are left out.
    pub(crate) left_out: usize,
}

impl Picture {
    pub(crate) fn of(trace: &Trace, names: &[String], report: &Report) -> Self {
        let mut ledger = Ledger::new(trace, names);
        let used: Vec<usize> = (0..trace.threads())
            .filter(|&thread| {
                trace.steps().iter().any(|step| step.thread == thread) || trace.left().any(|(left, _)| left == thread)
            })
            .collect();
        let lane = |thread: usize| used.iter().position(|&it| it == thread);
        let first = trace.steps().len().saturating_sub(ROWS_MAX);
        let mut calls: Vec<CallLine> = Vec::new();
        for note in trace.notes() {
            ledger.apply(note.thread, &note.what);
            let row = note.at.saturating_sub(1);
            if let (Noted::Fact(fact), Some(lane_here)) = (&note.what, lane(note.thread)) {
                enter(&mut calls, &ledger, fact, (row, lane_here), lane);
            }
        }
        let shown = |row: usize| row.checked_sub(first);
        calls.retain_mut(|call| {
            let Some(row) = shown(call.from.0) else { return false };
            call.from.0 = row;
            for place in [&mut call.served, &mut call.decided, &mut call.refused].into_iter().flatten() {
                place.0 -= first;
            }
            call.states.iter_mut().for_each(|state| state.0 = state.0.saturating_sub(first));
            true
        });
        Self {
            lanes: lanes(&ledger, &used, &report.end),
            rows: rows(trace, &ledger, first, lane),
            calls,
            ending: report.to_string().lines().map(str::to_owned).collect(),
            failed: !report.is_ok(),
            left_out: first,
        }
    }
}

fn lanes(ledger: &Ledger, used: &[usize], end: &End) -> Vec<Lane> {
    let stuck = |thread: usize| match end {
        End::Deadlock { blocked, .. } => {
            // A report names every thread by what the ledger calls it, at its beginning.
            let who = ledger.who(thread);
            blocked.iter().find(|it| !it.daemon && it.words.starts_with(&who)).map(|it| it.words.clone())
        }
        _ => None,
    };
    let one = |&thread: &usize| Lane {
        place: ledger.sta_of(thread).map_or(String::new(), |number| format!("STA {number}")),
        name: ledger.name(thread).to_owned(),
        stuck: stuck(thread),
    };
    used.iter().map(one).collect()
}

fn rows(trace: &Trace, ledger: &Ledger, first: usize, lane: impl Fn(usize) -> Option<usize>) -> Vec<Row> {
    let mut last_of = vec![None; trace.threads()];
    let mut rows = Vec::new();
    for (number, step) in trace.steps().iter().enumerate() {
        let before = last_of[step.thread].replace(number);
        let Some(row) = number.checked_sub(first) else { continue };
        let waits = step.outcome != Outcome::Operation;
        let (now, then) = (trace.ns_at(number), if number == 0 { 0 } else { trace.ns_at(number - 1) });
        rows.push(Row {
            number: number + 1,
            lane: lane(step.thread).expect("who takes a step has a lane"),
            text: describe(trace, ledger, number),
            signals: trace.touches(number).iter().any(|touch| touch.access == Access::Signal),
            time: (now > then).then(|| format!("{:?}", Duration::from_nanos(now))),
            waited_from: waits.then(|| before.map_or(0, |before| before.saturating_sub(first))).filter(|&it| it < row),
            expired: step.outcome == Outcome::Expired,
        });
    }
    for (at, choice) in choices(trace, ledger) {
        if let Some(row) = at.saturating_sub(1).checked_sub(first).and_then(|row| rows.get_mut(row)) {
            row.text = format!("{}; {choice}", row.text);
        }
    }
    rows
}

/// Enters what a fact says of a call.
fn enter(
    calls: &mut Vec<CallLine>,
    ledger: &Ledger,
    fact: &Fact,
    here: (usize, usize),
    lane: impl Fn(usize) -> Option<usize>,
) {
    let object = match fact {
        Fact::Sent { call, to, asynchronous, .. } => {
            let name = ledger.call(*call).map_or_else(String::new, |state| state.name());
            calls.push(CallLine {
                number: call.id,
                name,
                asynchronous: *asynchronous,
                from: here,
                to: ledger.thread_of(*to).and_then(lane),
                served: None,
                decided: None,
                refused: None,
                states: Vec::new(),
            });
            *call
        }
        Fact::Serves(call)
        | Fact::Served(call)
        | Fact::Decided(call)
        | Fact::Told(call)
        | Fact::Fetched(call)
        | Fact::Forgotten(call)
        | Fact::Refused { call, .. } => *call,
        _ => return,
    };
    let number = ledger.original(object);
    let Some(line) = calls.iter_mut().rev().find(|line| line.number == number) else { return };
    match fact {
        Fact::Serves(_) => _ = line.served.get_or_insert(here),
        Fact::Decided(_) => _ = line.decided.get_or_insert(here),
        Fact::Refused { .. } => _ = line.refused.get_or_insert(here),
        _ => {}
    }
    let state = ledger.call(object).map_or("", |state| state.state());
    if line.states.last().is_none_or(|last| last.1 != state) {
        line.states.push((here.0, state));
    }
}
