//! What the rows gave on a system that nobody here has: written where it runs (`oleander-tests --backend system --observe FILE`),
//! taken into the contract by whoever gets the file (`--contract --observed FILE`).
//!
//! It is said, not judged: a row that gives something else there shows that the contract is wrong, or the row. What was taken
//! in last lies in `tests/expect/observed.toml`; without that file the contract has no such column.

use crate::backend::{Kind, wine};
use crate::case::Row;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// What was taken in last, relative to the workspace's root.
pub const TAKEN: &str = "tests/expect/observed.toml";
/// The result of a row that passes.
pub const PASSES: &str = "passes";

/// What the rows gave on one system.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The system with its build: `Windows 10.0.20348.2762`.
    pub system: String,
    /// By row, `passes` or what came instead.
    pub rows: BTreeMap<String, String>,
}

impl Observed {
    /// Nothing yet, of the system that this is.
    ///
    /// # Errors
    /// When it does not say which one it is.
    pub fn here() -> Result<Self, String> {
        Ok(Self { system: system()?, rows: BTreeMap::new() })
    }

    /// Plays a row on the system's COM: `passes`, or what came instead.
    pub fn play(row: &Arc<Row>) -> String {
        match Kind::System.play(row) {
            Ok(()) => PASSES.to_owned(),
            Err(failure) => format!("line {}: {}", failure.line, failure.what),
        }
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never for what [`Observed::play`] gives.
    pub fn text(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }

    /// From a file's text: of Windows, and about rows that are there.
    ///
    /// # Errors
    /// What is not so.
    pub fn parse(text: &str, rows: &[Arc<Row>]) -> Result<Self, String> {
        let observed: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let there: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        if let Some(stray) = observed.rows.keys().find(|id| !there.contains(id.as_str())) {
            return Err(format!("there is no row {stray}"));
        }
        if !observed.system.starts_with("Windows ") {
            return Err(format!("it was observed on {}, which is not Windows", observed.system));
        }
        Ok(observed)
    }

    /// What was taken in last, if anything was.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn taken(root: &Path, rows: &[Arc<Row>]) -> Result<Option<Self>, String> {
        match fs::read_to_string(root.join(TAKEN)) {
            Ok(text) => Self::parse(&text, rows).map(Some).map_err(|error| format!("{TAKEN}: {error}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{TAKEN}: {error}")),
        }
    }

    /// Puts it where the contract takes it from.
    ///
    /// # Errors
    /// Of the file system.
    pub fn take(&self, root: &Path) -> Result<(), String> {
        let path = root.join(TAKEN);
        let folder = path.parent().ok_or("below the root")?;
        let text = self.text()?;
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| format!("{TAKEN}: {error}"))
    }

    /// What the rows of a fact gave together: `passes`, the first other thing, or nothing if one of them was not played.
    #[must_use]
    pub fn of<'a>(&'a self, rows: &[&Row]) -> Option<&'a str> {
        let results: Vec<&str> =
            rows.iter().map(|row| self.rows.get(&row.id).map(String::as_str)).collect::<Option<_>>()?;
        let other = results.iter().find(|result| **result != PASSES);
        other.or(results.first()).copied()
    }
}

/// Wine with its version, or Windows with its build.
fn system() -> Result<String, String> {
    if let Some(version) = wine::version() {
        return Ok(format!("Wine {version}"));
    }
    let told = Command::new("cmd").args(["/c", "ver"]).output().map_err(|error| format!("cmd /c ver: {error}"))?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    build(&told)
        .map(|build| format!("Windows {build}"))
        .ok_or_else(|| format!("cmd /c ver said no build: {}", told.trim()))
}

/// The build in what `ver` says, in whatever language: `Microsoft Windows [Version 10.0.20348.2762]`.
fn build(told: &str) -> Option<&str> {
    let number = told.split(|c: char| !(c.is_ascii_digit() || c == '.')).find(|word| word.matches('.').count() >= 2)?;
    Some(number.trim_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Arc<Row>> {
        let text = "row X-1 t\n mta a\n a GetLastError -> 0\nrow X-1.2 t\n mta a\n a GetLastError -> 0\n";
        crate::case::parse("x.rows", text).expect("rows").into_iter().map(Arc::new).collect()
    }

    #[test]
    fn the_build_is_what_ver_says() {
        assert_eq!(build("\r\nMicrosoft Windows [Version 10.0.20348.2762]\r\n"), Some("10.0.20348.2762"));
        assert_eq!(build("Microsoft Windows [versi\u{f3}n 10.0.19045.3803]"), Some("10.0.19045.3803"));
        assert_eq!(build("something else"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let results = [("X-1", PASSES), ("X-1.2", "line 6: got \"S_FALSE\"")];
        let rows_of = results.iter().map(|(id, result)| (id.to_string(), result.to_string())).collect();
        let observed = Observed { system: "Windows 10.0.20348.2762".to_owned(), rows: rows_of };
        let text = observed.text().expect("a text");
        assert_eq!(Observed::parse(&text, &rows()), Ok(observed.clone()));
        let parse = |text: &str| Observed::parse(text, &rows()).expect_err("it is wrong");
        assert_eq!(parse(&text.replace("X-1.2", "X-3")), "there is no row X-3");
        assert_eq!(
            parse(&text.replace("Windows 1", "Wine 1")),
            "it was observed on Wine 10.0.20348.2762, which is not Windows"
        );
        let rows = rows();
        assert_eq!(observed.of(&[&rows[0]]), Some(PASSES));
        assert_eq!(observed.of(&[&rows[0], &rows[1]]), Some("line 6: got \"S_FALSE\""));
        let less = Observed { rows: BTreeMap::new(), ..observed };
        assert_eq!((less.of(&[&rows[0]]), less.of(&[])), (None, None));
    }
}
