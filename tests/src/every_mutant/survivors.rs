//! The mutants that no test can notice, each with the reason: `tests/expect/mutants.toml`. Plain data, read once.
//!
//! One that survives and is not listed fails the gate, and so does one that is listed and is killed, or no longer there.

use super::Mutant;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivors {
    /// The rooms of `core/src/` whose mutants have all been tried: what the gate tries where nobody names rooms.
    pub rooms: Vec<String>,
    /// Those that survive.
    #[serde(default)]
    pub survives: Vec<Explained>,
}

/// Mutants of a file that survive for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explained {
    /// Below `core/src/`.
    pub file: PathBuf,
    /// Their keys ([`super::read`]).
    pub mutants: Vec<String>,
    /// Why nothing can notice them.
    pub reason: String,
}

impl Survivors {
    /// Reads the list below `root`, the workspace.
    ///
    /// # Errors
    /// What cannot be read, or lacks a reason.
    pub fn read(root: &Path) -> Result<Self, String> {
        let path = root.join("tests/expect/mutants.toml");
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        let list: Self = toml::from_str(&text).map_err(|error| wrong(&error))?;
        for entry in &list.survives {
            if entry.reason.trim().is_empty() || entry.mutants.is_empty() {
                return Err(wrong(&format!("an entry of {} leaves something empty", entry.file.display())));
            }
        }
        Ok(list)
    }

    /// The mutants whose changed line is no longer in their file: what can be seen without trying them.
    pub fn strays(&self, root: &Path) -> Vec<String> {
        let mut strays = Vec::new();
        for entry in &self.survives {
            let text = super::text_of(&root.join("core/src"), &entry.file).unwrap_or_default();
            let is_there = |line: &str| text.lines().any(|it| !line.is_empty() && it.trim() == line);
            for key in &entry.mutants {
                let line = key.split_once(": ").map(|(_, line)| line);
                // The second one alike ends in " (2)".
                let one = line.and_then(|line| Some(line.rsplit_once(" (")?.0));
                if text.is_empty() || line.is_some_and(|line| !is_there(line) && !one.is_some_and(is_there)) {
                    strays.push(format!("{}: {key}", entry.file.display()));
                }
            }
        }
        strays
    }

    fn keys(&self) -> BTreeSet<(PathBuf, &str)> {
        let keys = |entry: &'_ Explained| Path::new("core/src").join(&entry.file);
        self.survives
            .iter()
            .flat_map(|entry| entry.mutants.iter().map(move |key| (keys(entry), key.as_str())))
            .collect()
    }
}

/// Prints how those that survived differ from the list; `true`: not at all.
///
/// # Errors
/// What is wrong with the list.
pub fn compare(root: &Path, mutants: &[Mutant], tried: &[usize], survived: &[usize]) -> Result<bool, String> {
    let list = Survivors::read(root)?;
    let listed = list.keys();
    let key = |mutant: &usize| (mutants[*mutant].file.clone(), mutants[*mutant].key.as_str());
    let came: BTreeSet<_> = survived.iter().map(key).collect();
    // Files of rooms that nobody tried now are left alone.
    let files: BTreeSet<_> = tried.iter().map(|mutant| room(&mutants[*mutant].file)).collect();
    let (new, stale): (Vec<_>, Vec<_>) = (
        came.difference(&listed).collect(),
        listed.difference(&came).filter(|(file, _)| files.contains(&room(file))).collect(),
    );
    for (file, key) in &new {
        println!("new survivor: {}: {key:?}", file.display());
    }
    for (file, key) in &stale {
        println!("listed as a survivor, but killed or gone: {}: {key:?}", file.display());
    }
    println!("{} survivors are explained, {} are new, {} are stale", came.len() - new.len(), new.len(), stale.len());
    Ok(new.is_empty() && stale.is_empty())
}

/// The room of `core/src/ROOM/…`.
fn room(file: &Path) -> Option<String> {
    Some(file.components().nth(2)?.as_os_str().to_string_lossy().into_owned())
}
