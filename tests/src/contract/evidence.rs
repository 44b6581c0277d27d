//! What shows a fact: rows, divergences, tests; and the mark that follows for each backend.

use super::data::{Contract, Fact};
use crate::case::Row;
use crate::expect::Expectations;
use crate::observed::{Observed, PASSES};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The facts that a row shows: its own, and the others that it names.
pub(super) fn facts_of(row: &Row) -> impl Iterator<Item = &str> {
    std::iter::once(&row.id).chain(&row.also).map(|id| fact_of(id))
}

/// The fact of a row's id: what is before the dot.
fn fact_of(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

/// The rows and where they diverge.
#[derive(Debug)]
pub struct Evidence {
    rows: Vec<Arc<Row>>,
    /// For each backend; none for one on which no row was run.
    expected: [Option<Expectations>; 3],
    /// What real Windows gave, if anybody has sent it.
    observed: Option<Observed>,
}

/// The backends in the order of the columns: the files of `tests/expect/` and the headings.
pub(super) const BACKENDS: [(&str, &str); 3] = [("host", "host"), ("sim", "simulated"), ("wine", "Wine")];

/// What a fact has on a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Its rows pass.
    Passes,
    /// One of its rows gives something else, for this reason.
    Diverges(String),
    /// A plain test shows it.
    ByTest,
    /// No program can observe it there.
    NotApplicable,
    /// Nothing of it runs there.
    NotRun,
}

impl Evidence {
    /// Reads `tests/cases/`, and `tests/expect/` below `root`, the workspace.
    ///
    /// # Errors
    /// What cannot be read, with the file's name.
    pub fn read(root: &Path) -> Result<Evidence, String> {
        let [host, sim, wine] = BACKENDS.map(|(backend, _)| Expectations::read(root, backend));
        let wrong = |errors: Vec<_>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let rows = crate::rows().map_err(wrong)?;
        let observed = Observed::taken(root, &rows)?;
        Ok(Evidence { rows, expected: [host?, sim?, wine?].map(Some), observed })
    }

    /// Evidence that is made up: rows, and a list for each of host threads, the simulator, and Wine.
    #[must_use]
    pub fn of_parts(rows: Vec<Arc<Row>>, expected: [Expectations; 3]) -> Evidence {
        Evidence { rows, expected: expected.map(Some), observed: None }
    }

    /// The same of a run that had no Wine.
    #[must_use]
    pub fn without_wine(self) -> Evidence {
        let [host, sim, _] = self.expected;
        Evidence { expected: [host, sim, None], ..self }
    }

    /// The same with what real Windows gave.
    #[must_use]
    pub fn with(self, observed: Observed) -> Evidence {
        Evidence { observed: Some(observed), ..self }
    }

    /// The system of the fourth column, if there is one.
    pub(super) fn system(&self) -> Option<&str> {
        self.observed.as_ref().map(|observed| observed.system.as_str())
    }

    /// The mark in the fourth column.
    pub(super) fn observed_mark(&self, fact: &Fact) -> Mark {
        let rows = self.rows_of(fact);
        match self.observed.as_ref().and_then(|observed| observed.of(&rows)) {
            None => Mark::NotRun,
            Some(PASSES) => Mark::Passes,
            Some(other) => Mark::Diverges(other.to_owned()),
        }
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    /// The entries of lists whose row or fact is not there.
    pub(super) fn stray_divergences(&self, facts: &BTreeSet<&str>) -> Vec<String> {
        let of_list = |((backend, _), list): (&(&str, &str), &Option<Expectations>)| {
            let strays = list.iter().flat_map(|list| list.strays(self.rows.iter().map(|row| &**row), Some(facts)));
            strays.map(|what| format!("tests/expect/{backend}.toml: {what}")).collect::<Vec<_>>()
        };
        BACKENDS.iter().zip(&self.expected).flat_map(of_list).collect()
    }

    /// The rows that show a fact: its own, or else all of those that say the same, if each of these has one.
    #[must_use]
    pub fn rows_of<'a>(&'a self, fact: &Fact) -> Vec<&'a Row> {
        let own = self.own_rows(fact);
        if !own.is_empty() || fact.same.is_empty() {
            return own;
        }
        let lists: Vec<_> = fact.same.iter().map(|id| self.of(id)).collect();
        if lists.iter().any(Vec::is_empty) { Vec::new() } else { lists.concat() }
    }

    /// The rows that name the fact.
    pub(super) fn own_rows<'a>(&'a self, fact: &Fact) -> Vec<&'a Row> {
        self.of(&fact.id)
    }

    fn of<'a>(&'a self, id: &str) -> Vec<&'a Row> {
        self.rows.iter().map(|row| &**row).filter(|row| facts_of(row).any(|it| it == id)).collect()
    }

    /// The tests of a fact, and of those that say the same.
    pub(super) fn tests_of<'a>(contract: &'a Contract, fact: &'a Fact) -> Vec<&'a str> {
        let same = contract.facts().filter(|other| fact.same.contains(&other.id));
        std::iter::once(fact).chain(same).flat_map(|fact| &fact.shown_by).map(String::as_str).collect()
    }

    /// One mark for each of [`BACKENDS`].
    pub(super) fn marks(&self, contract: &Contract, fact: &Fact) -> [Mark; 3] {
        let rows = self.rows_of(fact);
        let tests = Self::tests_of(contract, fact);
        std::array::from_fn(|backend| match &self.expected[backend] {
            Some(list) if !rows.is_empty() => {
                let entry = rows.iter().find_map(|row| list.of(row));
                entry.map_or(Mark::Passes, |entry| Mark::Diverges(entry.reason.clone()))
            }
            // What lies in the simulator's package runs there; all other tests are on host threads.
            _ if tests.iter().any(|test| test.starts_with("sim/") == (backend == 1)) && backend < 2 => Mark::ByTest,
            _ if fact.no_row.is_some() && tests.is_empty() => Mark::NotApplicable,
            _ => Mark::NotRun,
        })
    }
}
