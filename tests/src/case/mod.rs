//! Rows as data: what a file of `tests/cases/` says. `tests/cases/README.md` shows how one is written.
//!
//! A row is an id, a title and steps. `tokens` cuts lines into words, `parse` makes rows of them, `check` finds names that
//! are not there or not used, `names` knows the constants. Every error has the file and the line.

mod check;
mod names;
mod parse;
#[cfg(test)]
mod tests;
mod tokens;

pub use check::ids as check_ids;
pub use names::{INTERFACES, constant};
pub use parse::parse;

use crate::ops::Operation;
use crate::run::Value;
use std::collections::BTreeSet;
use std::fmt;

/// A row of the contract.
#[derive(Debug)]
pub struct Row {
    /// The fact, or the fact with a number of its own: `WAIT-07`, `WAIT-07.2`.
    pub id: String,
    /// Other names for what it shows, such as those of the oracle cases.
    pub also: Vec<String>,
    /// What it says, in a sentence.
    pub title: String,
    /// The file, as a name in `tests/cases/`.
    pub file: String,
    /// The line of its head, counted from 1.
    pub line: usize,
    /// Its lines as they are written, head first.
    pub text: Vec<String>,
    /// The line number of each of those.
    pub lines: Vec<usize>,
    /// Whether the simulator plays it in every order, and must reach every alternative.
    pub explored: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Row {
    /// Whether this is a name of the row: its id, the fact of its id, or another name that it has.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.fact() == name || self.also.iter().any(|also| also == name)
    }

    /// In how many ways it is played: with a client and a server, once for each pair of apartments.
    pub fn ways(&self) -> usize {
        let varies = |step: &Step| matches!(step.what, What::Actor(Kind::Client | Kind::Server, _));
        if self.steps.iter().any(varies) { PAIRS.len() } else { 1 }
    }

    /// What it needs of a backend, in the words that it is written in: operations, kinds of actors, and `new KIND`.
    pub fn uses(&self) -> BTreeSet<String> {
        let mut uses = BTreeSet::new();
        for step in &self.steps {
            match &step.what {
                What::Actor(kind, _) => _ = uses.insert(kind.word().to_owned()),
                What::Do(_, _, action) | What::Inside(_, action) => {
                    let name = action.operation.name;
                    uses.insert(name.to_owned());
                    if name == "new"
                        && let Some(Word::Constant(Value::Text(kind))) = action.arguments.first()
                    {
                        uses.insert(format!("new {kind}"));
                    }
                }
                _ => {}
            }
        }
        uses
    }

    /// The fact that its id names: `WAIT-07` of `WAIT-07.2`.
    pub fn fact(&self) -> &str {
        self.id.split('.').next().unwrap_or(&self.id)
    }
}

/// The pairs of apartments between which there is a proxy: the client's and the server's.
const PAIRS: [(Kind, Kind); 3] = [(Kind::Mta, Kind::Sta), (Kind::Sta, Kind::Sta), (Kind::Sta, Kind::Mta)];

/// One step of a row.
#[derive(Debug)]
pub struct Step {
    /// Its number in the row, counted from 0.
    pub number: usize,
    /// The line that says it, counted from 1 in the file.
    pub line: usize,
    /// What is done.
    pub what: What,
}

/// What a step does.
#[derive(Debug)]
pub enum What {
    /// Starts an actor: a thread of its own.
    Actor(Kind, String),
    /// Makes a gate: a manual-reset event that `open` sets.
    Gate(String),
    /// Opens a gate.
    Open(String),
    /// An actor runs an operation.
    Do(String, How, Action),
    /// An actor's operation that was begun before ends.
    Finish(String, Expected),
    /// What a method of a test object does when it is called with this argument, or with any.
    Inside(Method, Action),
    /// What was logged since the last look, in the order given, or in one of the orders.
    Log(Vec<Vec<String>>),
    /// An actor leaves its apartment and its thread ends; `true` when that blocks and another step ends it.
    End(String, bool),
}

/// What kind of thread an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A single-threaded apartment whose thread dispatches messages between its steps.
    Sta,
    /// A single-threaded apartment whose thread dispatches nothing between its steps.
    StillSta,
    /// An application STA, whose thread dispatches messages between its steps.
    ApplicationSta,
    /// A thread in the MTA.
    Mta,
    /// A thread in the MTA that does its steps in the neutral apartment.
    Neutral,
    /// A thread outside COM.
    Bare,
    /// A thread that never entered COM while an MTA exists.
    Implicit,
    /// In an STA or the MTA; never with the server in the MTA both.
    Client,
    /// In an STA or the MTA; never with the client in the MTA both.
    Server,
}

impl Kind {
    /// How rows write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sta | Self::StillSta => "sta",
            Self::ApplicationSta => "asta",
            Self::Mta => "mta",
            Self::Neutral => "na",
            Self::Bare => "bare",
            Self::Implicit => "implicit",
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// What it is in one way to play the row.
    pub fn in_way(self, way: usize) -> Self {
        match self {
            Self::Client => PAIRS[way].0,
            Self::Server => PAIRS[way].1,
            kind => kind,
        }
    }
}

/// How an actor's operation relates to the steps after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It ends before the next step.
    Whole,
    /// `>`: it must be blocked when the next step starts.
    Blocks,
    /// `&`: it begins, and the next step does not wait for anything.
    Races,
}

/// The method of a test object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The object's name in the row.
    pub object: String,
    /// The method.
    pub name: String,
    /// Its argument; any when there is none.
    pub argument: Option<i64>,
}

/// An operation with its arguments and what is expected of it.
#[derive(Debug)]
pub struct Action {
    /// The operation.
    pub operation: &'static Operation,
    /// As many as it has parameters; those that may be left out can be missing.
    pub arguments: Vec<Word>,
    /// What it is to give.
    pub expected: Expected,
}

/// What a step is to give.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The results from the first on, in one of these ways; no way at all means success.
    pub ways: Vec<Vec<Word>>,
    /// Names for the results that are not compared with a value.
    pub names: Vec<String>,
    /// How many milliseconds it takes.
    pub took_ms: Option<u64>,
}

/// A word that stands for a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// A constant.
    Constant(Value),
    /// What a step before has given a name to.
    Named(String),
    /// `[a b]`.
    List(Vec<Word>),
    /// `_`: any value.
    Any,
    /// `!x`: any other value.
    Not(Box<Word>),
}

impl Word {
    /// Whether it says all of a result, which then needs no name.
    pub fn is_exact(&self) -> bool {
        !matches!(self, Self::Any | Self::Not(_))
    }
}

/// An error in a file of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tests/cases/{}:{}: {}", self.file, self.line, self.what)
    }
}
