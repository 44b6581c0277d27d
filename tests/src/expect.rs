//! Where a backend gives something else than the rows say: `tests/expect/BACKEND.toml`, as data.
//!
//! An entry names rows, or what rows use, what of their failures differs, the reason, and the fact or the case that the reason rests on. What
//! is listed must fail in that way, and what is not listed must pass: [`Expectations::judge`] says whether it did. An
//! entry whose row or fact is not there is an error ([`Expectations::strays`]), so a list never outlives what it is about.
//! All of it is plain data, read once.

use crate::case::Row;
use crate::run::Failure;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a backend gives, as far as it is not what the rows say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// The rows that give something else.
    #[serde(default)]
    pub diverges: Vec<Divergence>,
}

/// Rows that give something else, for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// Ids of rows.
    #[serde(default)]
    pub rows: Vec<String>,
    /// Every row that uses one of these ([`Row::uses`]), unless another entry names it: `CreateCall`, `na`, `new Hook`.
    #[serde(default)]
    pub uses: Vec<String>,
    /// The rows that use one of those and pass all the same.
    #[serde(default)]
    pub but: Vec<String>,
    /// Whether it depends on an order that the backend leaves open: then such a row may also pass.
    #[serde(default)]
    pub races: bool,
    /// A part of what the failure says: `got S_FALSE`; or several, of which each row's failure has one. Several rows that
    /// are named differ in one way, unless they race.
    pub differs: OneOrMore,
    /// Why.
    pub reason: String,
    /// The facts and cases that the reason rests on.
    pub rests_on: Vec<String>,
}

/// A word, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// `"got S_FALSE"`
    One(String),
    /// `["got S_FALSE", "hangs"]`
    More(Vec<String>),
}

impl OneOrMore {
    fn words(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::More(words) => words,
        }
    }
}

impl Divergence {
    /// Whether what came is what is listed.
    fn is(&self, what: &str) -> bool {
        self.differs.words().iter().any(|word| what.contains(word.as_str()))
    }

    /// The words of its failures, for whoever reads that it was another.
    fn differs(&self) -> String {
        self.differs.words().join("` or `")
    }

    /// Whether it is for the rows that use something, and the row does.
    fn has_use_of(&self, row: &Row) -> bool {
        let uses = row.uses();
        self.uses.iter().any(|word| uses.contains(word)) && !self.but.contains(&row.id)
    }
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
    /// What is not in the form of the data, an entry that leaves something empty or lets several rows differ in several ways,
    /// or a row that is there twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut seen = BTreeSet::new();
        for entry in &list.diverges {
            let name = || entry.rows.iter().chain(&entry.uses).map(String::as_str).collect::<Vec<_>>().join(", ");
            let lists = [&entry.rows, &entry.uses, &entry.but, &entry.rests_on].into_iter().flatten();
            let mut words = lists.chain(entry.differs.words()).chain([&entry.reason]);
            let says_nothing = entry.rows.is_empty() && entry.uses.is_empty();
            if says_nothing
                || words.any(|word| word.trim().is_empty())
                || entry.differs.words().is_empty()
                || entry.rests_on.is_empty()
            {
                return Err(format!("the entry of `{}` leaves something empty", name()));
            }
            if !entry.races && entry.rows.len() > 1 && entry.differs.words().len() > 1 {
                return Err(format!("the rows `{}` may differ in several ways: an entry for each", name()));
            }
            if let Some(twice) = entry.rows.iter().chain(&entry.uses).chain(&entry.but).find(|it| !seen.insert(*it)) {
                return Err(format!("`{twice}` is there twice"));
            }
        }
        Ok(list)
    }

    /// The entry of a row: the one that names it, else the first that is for what the row uses.
    #[must_use]
    pub fn of(&self, row: &Row) -> Option<&Divergence> {
        let named = self.diverges.iter().find(|entry| entry.rows.contains(&row.id));
        named.or_else(|| self.diverges.iter().find(|entry| entry.has_use_of(row)))
    }

    /// What entries name that is not there, in words: rows, facts, something that rows use.
    #[must_use]
    pub fn strays<'a>(&self, rows: impl Iterator<Item = &'a Row>, facts: Option<&BTreeSet<&str>>) -> Vec<String> {
        let rows: BTreeMap<&str, BTreeSet<String>> = rows.map(|row| (row.id.as_str(), row.uses())).collect();
        let used: BTreeSet<&String> = rows.values().flatten().collect();
        let mut strays = Vec::new();
        for entry in &self.diverges {
            let absent = entry.rows.iter().filter(|id| !rows.contains_key(id.as_str()));
            strays.extend(absent.map(|id| format!("there is no row {id}")));
            strays.extend(entry.uses.iter().filter(|it| !used.contains(it)).map(|it| format!("no row uses `{it}`")));
            let uses =
                |id: &String| rows.get(id.as_str()).is_some_and(|uses| entry.uses.iter().any(|it| uses.contains(it)));
            let idle = entry.but.iter().filter(|id| !uses(id));
            strays.extend(idle.map(|id| format!("`but` names {id}, which is no row that uses it")));
            let unknown = entry.rests_on.iter().filter(|id| facts.is_some_and(|facts| !facts.contains(id.as_str())));
            let name = entry.rows.first().or(entry.uses.first()).map_or("", String::as_str);
            strays.extend(unknown.map(|id| format!("the entry of {name} rests on {id}, which is not there")));
        }
        strays
    }

    /// Whether a row came to what is expected of it here.
    ///
    /// # Errors
    /// The failure of a row that is not listed; of one that is, that it passed or failed in another way. Only what races may
    /// also pass.
    pub fn judge(&self, row: &Row, came: Result<(), Failure>) -> Result<(), Failure> {
        match (self.of(row), came) {
            (None, came) => came,
            (Some(entry), Ok(())) if entry.races => Ok(()),
            (Some(entry), Ok(())) => {
                let what = format!("passes, and is listed to diverge (`{}`): take it off the list", entry.differs());
                Err(Failure { line: row.line, what })
            }
            (Some(entry), Err(failure)) if entry.is(&failure.what) => Ok(()),
            (Some(entry), Err(failure)) => {
                let what = format!("diverges in another way than is listed (`{}`): {}", entry.differs(), failure.what);
                Err(Failure { line: failure.line, what })
            }
        }
    }
}
