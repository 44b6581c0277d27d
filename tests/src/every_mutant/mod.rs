//! Every mutant: all the small changes that cargo-mutants makes of some rooms of the runtime, each tried against the tests.
//!
//! Building the tests anew for each would take a day, so all are compiled at once: [`places`] finds in the syntax what each
//! changes, [`plant`] writes the copy in which each is a branch, [`viable`] drops those that do not compile. [`tests`] are
//! run once without a mutant, each in a process of its own, which says which mutants it reaches; [`run`] tries each mutant
//! with the tests that reach it, until one is red or hangs. What survives is compared with [`survivors`], the list of those
//! that nothing can notice, with reasons.
//!
//! All of it is plain data, made by one step for the next; only [`run`] has threads, which share a counter.

pub mod places;
pub mod plant;
pub mod run;
pub mod survivors;
pub mod tests;
pub mod viable;

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A place in a text, both counted from 1, in characters.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct At {
    /// Its line.
    pub line: usize,
    /// Its place in the line.
    pub column: usize,
}

/// A part of a text.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Span {
    /// The first character.
    pub start: At,
    /// The one behind the last.
    pub end: At,
}

/// What kind of change it is; the other words are cargo-mutants' own.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Genre {
    /// A function gives a value at once.
    FnValue,
    /// Another operator between two operands.
    BinaryOperator,
    /// No operator before an operand.
    UnaryOperator,
    /// A match without one of its arms.
    MatchArm,
    /// A guard that is always or never true.
    MatchArmGuard,
    /// A struct that takes a field from its base.
    StructField,
}

/// A change, as cargo-mutants lists it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mutant {
    /// The file, relative to the workspace's root.
    pub file: PathBuf,
    /// What is replaced.
    pub span: Span,
    /// What stands there instead.
    pub replacement: String,
    /// Its kind.
    pub genre: Genre,
    /// What it is in words: `FILE:LINE:COLUMN: replace & with | in reply`.
    pub name: String,
    /// Its name without a place, and the line that it changes; see [`read`].
    #[serde(skip)]
    pub key: String,
}

/// All that a list of cargo-mutants names, with keys that stay when lines move: `replace & with | in reply: if word &
/// DONE != 0 {`; the second with the same key in a file ends in ` (2)`.
///
/// # Errors
/// What cannot be read.
pub fn read(list: &Path, root: &Path) -> Result<Vec<Mutant>, String> {
    let text = fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
    let mut all: Vec<Mutant> = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", list.display()))?;
    // Code of tests that a `cfg` which cargo-mutants does not know keeps away from others.
    all.retain(|it| !it.file.to_string_lossy().ends_with("_tests.rs") && !it.name.contains("tests::"));
    let mut texts: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut times: BTreeMap<(PathBuf, String), usize> = BTreeMap::new();
    for mutant in &mut all {
        if !texts.contains_key(&mutant.file) {
            let lines = text_of(root, &mutant.file)?.lines().map(|line| line.trim().to_owned()).collect();
            texts.insert(mutant.file.clone(), lines);
        }
        let line = texts[&mutant.file].get(mutant.span.start.line - 1).map_or("", String::as_str);
        let what = mutant.name.splitn(4, ':').nth(3).unwrap_or(&mutant.name).trim();
        mutant.key = if mutant.genre == Genre::FnValue { what.to_owned() } else { format!("{what}: {line}") };
        let time = times.entry((mutant.file.clone(), mutant.key.clone())).or_default();
        *time += 1;
        if *time > 1 {
            mutant.key = format!("{} ({time})", mutant.key);
        }
    }
    Ok(all)
}

fn text_of(root: &Path, file: &Path) -> Result<String, String> {
    fs::read_to_string(root.join(file)).map_err(|error| format!("{}: {error}", file.display()))
}

/// Plants what a list names into a copy of the workspace, tries it, and compares. `true` is as the survivors' list says.
///
/// # Errors
/// What cannot be read, written or built, and a test that is red without a mutant.
pub fn all(root: &Path, copy: &Path, list: &Path) -> Result<bool, String> {
    let mutants = read(list, root)?;
    let planted = viable::plant(copy, &mutants)?;
    let count = |what, some: &BTreeSet<usize>| println!("{:>5} {what}", some.len());
    println!("{:>5} generated", mutants.len());
    count("do not compile", &planted.not_viable);
    count("are in constants, which cannot choose when they run: not tried", &planted.constant);
    count("cannot be planted: not tried", &planted.unplanted);
    for &mutant in &planted.unplanted {
        println!("not tried: {}", mutants[mutant].name);
    }
    let tests = tests::find(copy, &mutants)?;
    let tried: Vec<usize> = (0..mutants.len()).filter(|mutant| !planted.without(*mutant)).collect();
    let survived = run::all(copy, &mutants, &tried, &tests);
    println!("{:>5} tried, {} killed, {} survived", tried.len(), tried.len() - survived.len(), survived.len());
    survivors::compare(root, &mutants, &tried, &survived)
}
