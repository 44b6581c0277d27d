//! Mutants: small changes of the runtime that a named test must notice (`tests/mutants/*.toml`).
//!
//! All of them are compiled at once. In a copy of the sources each text becomes a choice between itself and its mutant,
//! which the variable `OLEANDER_MUTANT` makes when the test runs; so one build serves all, and one that does not compile
//! fails the whole run. `ci/mutants` makes the copy, has it [`plant`]ed, builds it and runs the tests.

use crate::contract::Contract;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// One change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// Its name, in words with hyphens; no other has it.
    pub name: String,
    /// The fact that it breaks; none where only time tells.
    pub fact: Option<String>,
    /// What it breaks, in COM's words.
    pub breaks: String,
    /// The file that it changes, relative to the workspace's root.
    pub file: String,
    /// Text that is in the file once, and has `old` in it once; without it, `old` itself.
    pub within: Option<String>,
    /// An expression, or a statement with its semicolon.
    pub old: String,
    /// What stands in its place: of the same type.
    pub new: String,
    /// The test that turns red: `BINARY::TEST`, where `lib` is the unit tests' binary.
    pub test: Option<String>,
    /// The model that turns red under loom: a unit test.
    pub loom: Option<String>,
}

/// How a text chooses. A static is right here: nobody else's process has it.
const CHOICE: &str = r#"
/// Whether this is the mutant that runs.
pub(crate) fn mutant(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("OLEANDER_MUTANT").ok()).as_deref() == Some(name)
}
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mutant: Vec<Mutant>,
}

impl Mutant {
    /// Puts the choice into a text; `Err` says why that cannot be.
    fn change(&self, text: &str) -> Result<String, String> {
        let around = self.within.as_deref().unwrap_or(&self.old);
        for (what, inside, part) in [("the text", text, around), ("`within`", around, self.old.as_str())] {
            let times = inside.matches(part).count();
            if times != 1 {
                return Err(format!("{}: {}: {what} has it {times} times: {part}", self.name, self.file));
            }
        }
        let Self { name, old, new, .. } = self;
        let choice = format!("if crate::mutant({name:?}) {{ {new} }} else {{ {old} }}");
        let choice = if old.ends_with(';') { choice } else { format!("({choice})") };
        Ok(text.replacen(around, &around.replacen(old, &choice, 1), 1))
    }

    /// Whether the test that it names is there, as text.
    fn check_tests(&self, root: &Path) -> Result<(), String> {
        let missing = |test: &str| format!("{}: there is no test {test}", self.name);
        if self.test.is_none() && self.loom.is_none() {
            return Err(format!("{} names no test", self.name));
        }
        if let Some(test) = &self.test {
            let (binary, path) = test.split_once("::").ok_or_else(|| missing(test))?;
            match binary {
                "lib" => in_library(root, path).then_some(()).ok_or_else(|| missing(test))?,
                _ => {
                    let file = root.join("core/tests").join(format!("{binary}.rs"));
                    let there = fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {path}()")));
                    there.then_some(()).ok_or_else(|| missing(test))?;
                }
            }
        }
        match &self.loom {
            Some(model) if !in_library(root, model) => Err(missing(model)),
            _ => Ok(()),
        }
    }
}

/// Whether a unit test is there: `room::file::tests::name`, where `tests` may be a file or a module.
fn in_library(root: &Path, path: &str) -> bool {
    let mut parts: Vec<&str> = path.split("::").collect();
    let Some(name) = parts.pop() else { return false };
    let has = |file: String| {
        fs::read_to_string(root.join("core/src").join(file)).is_ok_and(|text| text.contains(&format!("fn {name}()")))
    };
    let file = parts.join("/");
    let parent = parts.split_last().map_or(String::new(), |(_, parent)| parent.join("/"));
    has(format!("{file}.rs"))
        || has(format!("{file}/mod.rs"))
        || has(format!("{parent}.rs"))
        || has(format!("{parent}/mod.rs"))
}

/// All mutants, files in the order of their names.
///
/// # Errors
/// What cannot be read.
pub fn read(root: &Path) -> Result<Vec<Mutant>, String> {
    let folder = root.join("tests/mutants");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut mutants = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let read: File = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        mutants.extend(read.mutant);
    }
    Ok(mutants)
}

/// Everything that is wrong with them: texts that are not there exactly once, tests and facts that are not there, names
/// that two have.
pub fn check(root: &Path, mutants: &[Mutant], contract: &Contract) -> Vec<String> {
    let facts: BTreeSet<&str> = contract.facts().map(|fact| fact.id.as_str()).collect();
    let (mut names, mut texts, mut wrong) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    for mutant in mutants {
        if !names.insert(&mutant.name) {
            wrong.push(format!("two mutants are called {}", mutant.name));
        }
        if let Some(fact) = mutant.fact.as_deref().filter(|fact| !facts.contains(fact)) {
            wrong.push(format!("{}: there is no fact {fact}", mutant.name));
        }
        // One after the other, as they are planted: none may stand in another's way.
        let text = texts.entry(&mutant.file).or_insert_with(|| fs::read_to_string(root.join(&mutant.file)));
        match text {
            Ok(text) => match mutant.change(text) {
                Ok(changed) => *text = changed,
                Err(error) => wrong.push(error),
            },
            Err(error) => wrong.push(format!("{}: {}: {error}", mutant.name, mutant.file)),
        }
        wrong.extend(mutant.check_tests(root).err());
    }
    wrong
}

/// Puts all mutants into a copy of the workspace.
///
/// # Errors
/// A text that is not there exactly once, or a file that cannot be written.
pub fn plant(copy: &Path, mutants: &[Mutant]) -> Result<(), String> {
    let change = |file: &str, change: &dyn Fn(&str) -> Result<String, String>| {
        let path = copy.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        fs::write(&path, change(&text)?).map_err(|error| format!("{file}: {error}"))
    };
    for mutant in mutants {
        change(&mutant.file, &|text| mutant.change(text))?;
    }
    change("core/src/lib.rs", &|text| Ok(format!("{text}{CHOICE}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(within: Option<&str>, old: &str) -> Mutant {
        let name = "a-name".to_owned();
        let (fact, breaks, file) = (None, String::new(), "file.rs".to_owned());
        let (within, old, new) = (within.map(str::to_owned), old.to_owned(), "c".to_owned());
        Mutant { name, fact, breaks, file, within, old, new, test: None, loom: None }
    }

    #[test]
    fn a_text_chooses() {
        let choice = r#"a + (if crate::mutant("a-name") { c } else { b })"#;
        assert_eq!(mutant(None, "b").change("a + b").as_deref(), Ok(choice));
        let choice = r#"if crate::mutant("a-name") { c } else { b; } a;"#;
        assert_eq!(mutant(None, "b;").change("b; a;").as_deref(), Ok(choice));
        let choice = r#"b + (if crate::mutant("a-name") { c } else { b })"#;
        assert_eq!(mutant(Some("+ b"), "b").change("b + b").as_deref(), Ok(choice));
    }

    #[test]
    fn a_text_must_be_there_once() {
        for (within, text) in [(None, "a"), (None, "b b"), (Some("+ b"), "b"), (Some("b + b"), "b + b")] {
            assert!(mutant(within, "b").change(text).is_err(), "{within:?} in {text}");
        }
    }
}
