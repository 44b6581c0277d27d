//! Where a backend gives something else than the rows say: `tests/expect/BACKEND.toml`, as data.
//!
//! An entry names a row, what of its failure differs, the reason, and the fact or the case that the reason rests on. What
//! is listed must fail in that way, and what is not listed must pass: [`Expectations::judge`] says whether it did. An
//! entry whose row or fact is not there is an error ([`Expectations::strays`]), so a list never outlives what it is about.
//! All of it is plain data, read once.

use crate::case::Row;
use crate::run::Failure;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// What a backend gives, as far as it is not what the rows say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// Whether rows are played there at all.
    pub runs: bool,
    /// The rows that give something else.
    #[serde(default)]
    pub diverges: Vec<Divergence>,
}

/// A row that gives something else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// The row's id.
    pub row: String,
    /// A part of what its failure says: `got S_FALSE`.
    pub differs: String,
    /// Why.
    pub reason: String,
    /// The facts and cases that the reason rests on.
    pub rests_on: Vec<String>,
}

impl Expectations {
    /// Reads `tests/expect/BACKEND.toml` below `root`, the workspace.
    ///
    /// # Errors
    /// What cannot be read or is not in the form of the data, with the file's name.
    pub fn read(root: &Path, backend: &str) -> Result<Self, String> {
        let path = root.join("tests/expect").join(backend).with_extension("toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// A list from its text.
    ///
    /// # Errors
    /// What is not in the form of the data, an entry that leaves something empty, or a row that is there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut seen = BTreeSet::new();
        for entry in &list.diverges {
            let words = [&entry.row, &entry.differs, &entry.reason];
            if words.iter().any(|word| word.trim().is_empty()) || entry.rests_on.is_empty() {
                return Err(format!("the entry of row `{}` leaves something empty", entry.row));
            }
            if !seen.insert(&entry.row) {
                return Err(format!("row `{}` is there twice", entry.row));
            }
        }
        Ok(list)
    }

    /// The entry of a row.
    #[must_use]
    pub fn of(&self, row: &str) -> Option<&Divergence> {
        self.diverges.iter().find(|entry| entry.row == row)
    }

    /// The entries that name a row or a fact which is not there, in words.
    #[must_use]
    pub fn strays<'a>(&self, rows: impl Iterator<Item = &'a Row>, facts: Option<&BTreeSet<&str>>) -> Vec<String> {
        let rows: BTreeSet<&str> = rows.map(|row| row.id.as_str()).collect();
        let mut strays = Vec::new();
        for entry in &self.diverges {
            if !rows.contains(entry.row.as_str()) {
                strays.push(format!("there is no row {}", entry.row));
            }
            let unknown = entry.rests_on.iter().filter(|id| facts.is_some_and(|facts| !facts.contains(id.as_str())));
            strays.extend(unknown.map(|id| format!("row {} rests on {id}, which is not there", entry.row)));
        }
        strays
    }

    /// Whether a row came to what is expected of it here.
    ///
    /// # Errors
    /// The failure of a row that is not listed; of one that is, that it passed or failed in another way.
    pub fn judge(&self, row: &Row, came: Result<(), Failure>) -> Result<(), Failure> {
        match (self.of(&row.id), came) {
            (None, came) => came,
            (Some(entry), Ok(())) => {
                let what = format!("passes, and is listed to diverge (`{}`): take it off the list", entry.differs);
                Err(Failure { line: row.line, what })
            }
            (Some(entry), Err(failure)) if failure.what.contains(&entry.differs) => Ok(()),
            (Some(entry), Err(failure)) => {
                let what = format!("diverges in another way than is listed (`{}`): {}", entry.differs, failure.what);
                Err(Failure { line: failure.line, what })
            }
        }
    }
}
