//! Plays rows: starts actors, tells them their steps, compares what comes with what is expected.
//!
//! The director ([`play`]) runs on a thread of the row's own process. Steps go in lockstep: after each of them the
//! director waits until nothing goes on any more, so a row means one order of events on every backend. Only what a row
//! marks with `&` runs at the same time.

mod actor;
mod neutral;
mod stage;
mod value;

pub use actor::event;
pub use stage::{Done, Inside, Outcome, ROW, Stage, lock};
pub use value::{Argument, Value};

use crate::backend::Backend;
use crate::case::{Action, How, Row, Step, What};
use actor::Actor;
use oleander::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ptr::null_mut;
use std::sync::Arc;

/// What takes longer is a hang; virtual time in the simulator, where it costs nothing.
pub const HANG_MS: u32 = 30_000;

/// Why a row does not pass.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The line of the step.
    pub line: usize,
    /// What was expected and what came.
    pub what: String,
}

/// What came of playing a row once.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Why it does not pass.
    pub failure: Option<Failure>,
    /// Numbers of steps with the numbers of the alternatives that came true there.
    pub reached: BTreeSet<(usize, usize)>,
}

impl Failure {
    /// The row with the failing step marked, the reason, and how to run it alone.
    pub fn explain(&self, row: &Row, backend: &str) -> String {
        let mut text = format!("tests/cases/{}:{}: on {backend}\n", row.file, self.line);
        for (offset, line) in row.text.iter().enumerate() {
            let mark = if row.lines[offset] == self.line { ">>" } else { "  " };
            writeln!(text, "{mark} {line}").expect("a string takes it");
        }
        writeln!(text, "{}", self.what).expect("a string takes it");
        write!(text, "alone: cargo run -p oleander-tests -- --id {} --backend {backend}", row.id)
            .expect("a string takes it");
        text
    }
}

/// Plays a row once, on a thread of its process.
pub fn play(row: &Arc<Row>, way: usize, backend: &Arc<dyn Backend>) -> Played {
    let stage = Stage::new(row.clone(), way, backend.clone());
    let mut director =
        Director { stage: &stage, actors: BTreeMap::new(), order: Vec::new(), gates: Vec::new(), racing: 0 };
    if let Err(failure) = director.play() {
        stage.fail(failure.line, failure.what);
    }
    Played { failure: stage.failure(), reached: stage.reached() }
}

struct Director<'a> {
    stage: &'a Arc<Stage>,
    actors: BTreeMap<&'a str, Actor>,
    /// The actors in the order in which they were started.
    order: Vec<&'a str>,
    gates: Vec<HANDLE>,
    /// How many operations run that nobody waited for.
    racing: usize,
}

impl<'a> Director<'a> {
    fn play(&mut self) -> Result<(), Failure> {
        let stage: &'a Stage = self.stage;
        for step in &stage.row.steps {
            stage.backend.begins(step.line);
            let done = self.step(step).and_then(|()| self.settle(step));
            done.map_err(|what| Failure { line: step.line, what })?;
            if let Some(failure) = stage.failure() {
                return Err(failure);
            }
        }
        self.end().map_err(|what| Failure { line: stage.row.line, what })
    }

    fn step(&mut self, step: &'a Step) -> Result<(), String> {
        match &step.what {
            What::Actor(kind, name) => {
                let actor = Actor::start(self.stage, kind.in_way(self.stage.way), name)?;
                self.actors.insert(name, actor);
                self.order.push(name);
            }
            What::Gate(name) => self.gate(name),
            What::Open(name) => match self.stage.value(&crate::case::Word::Named(name.clone()))? {
                // SAFETY: a handle is a number.
                Value::Handle(handle) => _ = unsafe { SetEvent(handle) },
                other => return Err(format!("`{name}` is no gate but {other}")),
            },
            What::Do(who, how, action) => self.act(step, who, *how, action)?,
            What::Finish(who, expected) => {
                let racing = self.begun(step, who);
                if let Begun::End = racing {
                    self.actors[who.as_str()].join()?;
                    self.remove(who);
                    return Ok(());
                }
                let outcome = self.actor(who)?.wait()?;
                self.racing -= usize::from(racing == Begun::Racing);
                self.stage.judge(step, expected, outcome)?;
            }
            What::Inside(..) => {}
            What::Log(ways) => self.log(step, ways)?,
            What::End(who, blocks) => {
                self.actor(who)?.leave();
                if *blocks {
                    self.stage.backend.settle_long()?;
                    if self.actor(who)?.has_ended() {
                        return Err(format!("expected to block, but `{who}` has left"));
                    }
                } else {
                    self.actor(who)?.join()?;
                    self.remove(who);
                }
            }
        }
        Ok(())
    }

    fn actor(&self, who: &str) -> Result<&Actor, String> {
        self.actors.get(who).ok_or_else(|| format!("`{who}` has left"))
    }

    fn remove(&mut self, who: &str) {
        self.actors.remove(who);
        self.order.retain(|name| *name != who);
    }

    fn gate(&mut self, name: &str) {
        // SAFETY: no name, no attributes.
        let gate = unsafe { CreateEventW(null_mut(), true.into(), false.into(), null_mut()) };
        self.gates.push(gate);
        self.stage.name(name, gate.into());
    }

    fn act(&mut self, step: &Step, who: &str, how: How, action: &Action) -> Result<(), String> {
        if how == How::Races {
            self.racing += 1;
            self.stage.backend.race(true);
        }
        let actor = self.actor(who)?;
        actor.tell(step.number);
        match how {
            How::Whole => {
                let outcome = actor.wait()?;
                self.stage.judge(step, &action.expected, outcome)
            }
            How::Blocks => {
                self.stage.backend.settle_long()?;
                if !actor.is_done() {
                    return Ok(());
                }
                let got = match actor.wait()? {
                    Ok(done) => done.results.iter().map(|value| self.stage.show(value)).collect::<Vec<_>>().join(" "),
                    Err(what) => what,
                };
                Err(format!("expected to block, but it ended: {got}"))
            }
            How::Races => Ok(()),
        }
    }

    /// How what an actor ends was begun.
    fn begun(&self, step: &Step, who: &str) -> Begun {
        let before = self.stage.row.steps[..step.number].iter().rev();
        let mut begun = before.filter_map(|step| match &step.what {
            What::Do(actor, How::Races, _) if actor == who => Some(Begun::Racing),
            What::Do(actor, ..) if actor == who => Some(Begun::Blocked),
            What::End(actor, _) if actor == who => Some(Begun::End),
            _ => None,
        });
        begun.next().unwrap_or(Begun::Blocked)
    }

    /// Waits until nothing goes on, unless operations race.
    fn settle(&self, step: &Step) -> Result<(), String> {
        if self.racing > 0 {
            return Ok(());
        }
        // A call that was begun, or that goes on now, has a long way to go.
        let far = match &step.what {
            What::Open(_) => true,
            What::Do(_, _, action) => action.operation.name.starts_with("Begin_"),
            _ => false,
        };
        if far {
            self.stage.backend.settle_long()?;
        } else {
            self.stage.backend.settle()?;
        }
        self.stage.backend.race(false);
        Ok(())
    }

    fn log(&self, step: &Step, ways: &[Vec<String>]) -> Result<(), String> {
        let (mut log, mut is_all) = (self.stage.take_log(), false);
        loop {
            if let Some(index) = ways.iter().position(|way| is_logged(way, &log)) {
                self.stage.reach(step, index);
                return Ok(());
            }
            if is_all {
                break;
            }
            is_all = !ways.iter().any(|way| begins(way, &log)) || !self.stage.backend.hear_more();
            log.append(&mut self.stage.take_log());
        }
        Err(format!("got log {}", if log.is_empty() { "-".to_owned() } else { log.join(" ") }))
    }

    /// All leave, last come first; nothing is left behind.
    fn end(&mut self) -> Result<(), String> {
        self.stage.backend.begins(self.stage.row.line);
        self.actors.values().for_each(Actor::dispatch);
        self.stage.backend.settle()?;
        while let Some(who) = self.order.pop() {
            if let Some(actor) = self.actors.remove(who) {
                actor.leave();
                actor.join()?;
            }
        }
        self.stage.give_back(ROW);
        for gate in self.gates.drain(..) {
            // SAFETY: a handle of ours that nobody uses any more.
            let _ = unsafe { CloseHandle(gate) };
        }
        self.stage.backend.settle()?;
        match self.stage.backend.left_behind() {
            (0, 0) => Ok(()),
            (objects, handles) => Err(format!("left behind: {objects} objects, {handles} handles")),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    Blocked,
    Racing,
    End,
}

/// Whether a log is the beginning of what a row says, so that the rest may come.
fn begins(way: &[String], log: &[String]) -> bool {
    way.get(..log.len()).is_some_and(|way| is_logged(way, log))
}

/// Whether a log is as a row says; where a thing ran (`@place`) counts only where the row says it.
fn is_logged(way: &[String], log: &[String]) -> bool {
    way.len() == log.len()
        && way.iter().zip(log).all(|(expected, got)| match got.split_once('@') {
            Some((what, _)) if !expected.contains('@') => what == expected,
            _ => expected == got,
        })
}
