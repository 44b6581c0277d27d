//! What the tests run of the sources: reads the tracefile (LCOV) that `ci/coverage` makes, counts by room, and compares with
//! `tests/expect/coverage.toml`.
//!
//! Tests are not counted: neither files that are tests by their names, nor items under `#[cfg(test)]`, nor this package, which is
//! nothing but tests. All of it is plain data, read once.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

/// The folders whose sources are counted; those of `core/src` and `sim/src` are rooms of their own.
const ROOMS: [&str; 4] = ["core/src/", "core/macros/src/", "core/ffi/src/", "sim/src/"];

/// Here every line runs, and every branch is taken both ways.
const PURE: &str = "core/src/protocol/";

/// What `tests/expect/coverage.toml` says.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Percent of the lines, at least.
    pub least: f64,
    /// Percent of the lines that ran when it was written.
    pub lines: f64,
    /// By how many points a change may fall below that.
    pub may_fall: f64,
}

/// Lines, and how many of them ran; or branches, and how many were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub all: usize,
    /// Those that ran.
    pub run: usize,
}

impl Count {
    fn add(&mut self, run: bool) {
        self.all += 1;
        self.run += usize::from(run);
    }

    /// 100 for nothing at all.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no sources have 2^52 lines")]
    pub fn percent(self) -> f64 {
        if self.all == 0 { 100.0 } else { 100.0 * self.run as f64 / self.all as f64 }
    }
}

/// What ran of one file.
#[derive(Debug, Default)]
struct File {
    lines: BTreeMap<usize, bool>,
    /// By line, number of the branch in it, and way.
    branches: BTreeMap<(usize, String, String), bool>,
}

/// What ran.
#[derive(Debug, Default)]
pub struct Coverage(BTreeMap<String, File>);

impl Coverage {
    /// Reads a tracefile. The sources lie below `root`, the workspace.
    ///
    /// # Errors
    /// What cannot be read, or is no tracefile, or has nothing of the workspace.
    pub fn read(root: &Path, tracefile: &Path) -> Result<Self, String> {
        let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let mut all = Self::parse(&format!("{}/", root.display()), &read(tracefile)?)?;
        for (name, file) in &mut all.0 {
            let tests = tests_of(&read(&root.join(name))?);
            file.lines.retain(|line, _| !tests.contains(line));
            file.branches.retain(|(line, ..), _| !tests.contains(line));
        }
        if all.0.is_empty() { Err(format!("{}: nothing of the workspace", tracefile.display())) } else { Ok(all) }
    }

    fn parse(root: &str, text: &str) -> Result<Self, String> {
        let (mut all, mut current) = (BTreeMap::new(), None);
        for (number, line) in text.lines().enumerate() {
            let wrong = || format!("line {}: {line}", number + 1);
            let Some((word, values)) = line.split_once(':') else { continue };
            let mut values = values.split(',');
            let mut value = || values.next().ok_or_else(wrong);
            let number = |text: &str| text.parse::<usize>().map_err(|_| wrong());
            match (word, &mut current) {
                ("SF", _) => {
                    let name = value()?.strip_prefix(root).filter(|name| is_counted(name));
                    current = name.map(|name| all.entry(name.to_owned()).or_insert_with(File::default));
                }
                ("DA", Some(file)) => {
                    let line = number(value()?)?;
                    *file.lines.entry(line).or_default() |= value()? != "0";
                }
                ("BRDA", Some(file)) => {
                    let branch = (number(value()?)?, value()?.to_owned(), value()?.to_owned());
                    *file.branches.entry(branch).or_default() |= !matches!(value()?, "0" | "-");
                }
                _ => {}
            }
        }
        Ok(Self(all))
    }

    /// Lines and branches of each room.
    #[must_use]
    pub fn rooms(&self) -> BTreeMap<&str, (Count, Count)> {
        let mut rooms: BTreeMap<&str, (Count, Count)> = BTreeMap::new();
        for (name, file) in &self.0 {
            let (lines, branches) = rooms.entry(room(name)).or_default();
            file.lines.values().for_each(|run| lines.add(*run));
            file.branches.values().for_each(|run| branches.add(*run));
        }
        rooms
    }

    /// The lines of all rooms.
    #[must_use]
    pub fn lines(&self) -> Count {
        let mut sum = Count::default();
        self.0.values().flat_map(|file| file.lines.values()).for_each(|run| sum.add(*run));
        sum
    }

    /// `FILE:LINE` of what never ran.
    pub fn idle(&self) -> impl Iterator<Item = String> {
        let idle = |(name, file): (&String, &File)| {
            let lines = file.lines.iter().filter(|(_, run)| !**run);
            lines.map(|(line, _)| format!("{name}:{line}")).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(idle)
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn judge(&self, expected: &Expected) -> Vec<String> {
        let percent = self.lines().percent();
        let mut wrong = Vec::new();
        if percent < expected.least {
            wrong.push(format!("{percent:.2} % of the lines ran; at least {} % must", expected.least));
        }
        if percent < expected.lines - expected.may_fall {
            let Expected { lines, may_fall, .. } = expected;
            wrong.push(format!(
                "{percent:.2} % of the lines ran; it was {lines:.2} %, and may fall by {may_fall} points"
            ));
        }
        let pure = || self.0.iter().filter(|(name, _)| name.starts_with(PURE));
        for (name, file) in pure() {
            let one_way = file.branches.iter().filter(|(_, run)| !**run).map(|((line, ..), _)| line);
            let one_way: BTreeSet<_> = one_way.collect();
            wrong.extend(one_way.iter().map(|line| format!("{name}:{line}: a branch goes one way only")));
            // What is never called has no branches in the tracefile.
            let idle = file.lines.iter().filter(|(_, run)| !**run);
            wrong.extend(idle.map(|(line, _)| format!("{name}:{line}: never runs")));
        }
        if pure().all(|(_, file)| file.branches.is_empty()) {
            wrong.push(format!("{PURE} has no branches: were they recorded?"));
        }
        wrong
    }
}

/// The table.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |room: &str, lines: Count, branches: Count| {
            let mut text = format!("{room:<24}");
            for Count { all, run } in [lines, branches] {
                let _ = write!(text, " {all:>7} {run:>7} {:>6.2} %", Count { all, run }.percent());
            }
            text
        };
        writeln!(f, "{:<24} {:>7} {:>7} {:>8} {:>7} {:>7} {:>8}", "room", "lines", "run", "", "branches", "taken", "")?;
        let mut sum = (Count::default(), Count::default());
        for (room, (lines, branches)) in self.rooms() {
            writeln!(f, "{}", line(room, lines, branches))?;
            for (sum, count) in [(&mut sum.0, lines), (&mut sum.1, branches)] {
                *sum = Count { all: sum.all + count.all, run: sum.run + count.run };
            }
        }
        write!(f, "{}", line("all", sum.0, sum.1))
    }
}

/// Whether a file, named from the workspace's root, is counted.
fn is_counted(name: &str) -> bool {
    let mut parts = name.split('/');
    let file = parts.next_back().unwrap_or_default();
    ROOMS.iter().any(|room| name.starts_with(room))
        && file != "tests.rs"
        && !file.ends_with("_tests.rs")
        && !parts.any(|part| part == "tests")
}

/// The folder that a file counts for.
fn room(name: &str) -> &str {
    let base = ROOMS.iter().find(|room| name.starts_with(*room)).map_or(0, |room| room.len());
    let inner = if name.starts_with("core/macros/") { None } else { name[base..].find('/') };
    inner.map_or_else(|| name[..base].trim_end_matches('/'), |end| &name[..base + end])
}

/// The lines of items under `#[cfg(test)]` and the like: to the line that ends them, which rustfmt indents as their first.
fn tests_of(source: &str) -> BTreeSet<usize> {
    let (mut tests, mut inside) = (BTreeSet::new(), None);
    for (number, line) in (1..).zip(source.lines()) {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if inside.is_none() && ["#[cfg(test)]", "#[cfg(all(test,"].iter().any(|word| code.starts_with(word)) {
            inside = Some(indent);
        } else if inside.is_none() {
            continue;
        }
        tests.insert(number);
        if inside == Some(indent) && (code.starts_with('}') || code.ends_with([';', '}', ','])) {
            inside = None;
        }
    }
    tests
}

impl Expected {
    /// Reads `tests/expect/coverage.toml` below `root`, the workspace.
    ///
    /// # Errors
    /// What cannot be read or is not in the form of the data.
    pub fn read(root: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(root.join(Self::FILE)).map_err(|error| format!("{}: {error}", Self::FILE))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", Self::FILE))
    }

    /// Writes into the file what ran, if that is more than it says.
    ///
    /// # Errors
    /// What cannot be read or written.
    pub fn raise(self, root: &Path, percent: f64) -> Result<(), String> {
        // Rounded down, so that the same run passes.
        let hundredths = (percent * 100.0).floor() / 100.0;
        if hundredths <= self.lines {
            return Ok(());
        }
        let path = root.join(Self::FILE);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", Self::FILE))?;
        let new = |line: &str| {
            if line.starts_with("lines =") { format!("lines = {hundredths:.2}\n") } else { format!("{line}\n") }
        };
        fs::write(&path, text.lines().map(new).collect::<String>()).map_err(|error| format!("{}: {error}", Self::FILE))
    }

    const FILE: &str = "tests/expect/coverage.toml";
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected = Expected { least: 50.0, lines: 60.0, may_fall: 0.5 };

    fn coverage(text: &str) -> Coverage {
        Coverage::parse("/w/", text).expect("a tracefile")
    }

    #[test]
    fn a_line_ran_when_it_ran_in_any_program() {
        let text = "SF:/w/sim/src/a.rs\nDA:1,0\nDA:2,3\nend_of_record\nSF:/w/sim/src/a.rs\nDA:1,1\nDA:3,0\n";
        let all = coverage(text);
        assert_eq!(all.lines(), Count { all: 3, run: 2 });
        assert_eq!(all.idle().collect::<Vec<_>>(), ["sim/src/a.rs:3"]);
    }

    #[test]
    fn tests_are_not_counted() {
        for name in
            ["core/tests/a.rs", "tests/src/a.rs", "core/src/a/tests.rs", "core/src/a/tests/b.rs", "core/src/a_tests.rs"]
        {
            assert!(!is_counted(name), "{name}");
        }
        assert!(is_counted("core/src/a/attests.rs"));
        let source = "a\n#[cfg(test)]\nmod tests;\nb {\n    #[cfg(test)]\n    fn c() {\n        d();\n    }\n    e\n}\n\
                      #[cfg(all(test, loom))]\nmod f {\n}";
        assert_eq!(tests_of(source).into_iter().collect::<Vec<_>>(), [2, 3, 5, 6, 7, 8, 11, 12, 13]);
    }

    #[test]
    fn rooms_are_folders() {
        assert_eq!(room("core/src/call/fallback/a.rs"), "core/src/call");
        assert_eq!(room("core/src/bstr.rs"), "core/src");
        assert_eq!(room("core/macros/src/com_class/a.rs"), "core/macros/src");
    }

    #[test]
    fn a_branch_that_goes_one_way_is_named() {
        let text = "SF:/w/core/src/protocol/a.rs\nDA:7,2\nDA:8,1\nDA:9,0\n\
                    BRDA:7,0,0,2\nBRDA:7,0,1,0\nBRDA:8,0,0,1\nBRDA:8,0,1,1\n";
        let wrong = coverage(text).judge(&EXPECTED);
        let [branch, line] =
            ["7: a branch goes one way only", "9: never runs"].map(|what| format!("core/src/protocol/a.rs:{what}"));
        assert_eq!(wrong, [branch, line]);
        let silent = coverage("SF:/w/core/src/protocol/a.rs\nDA:7,2\n").judge(&EXPECTED);
        assert!(silent.len() == 1 && silent[0].contains("no branches"), "{silent:?}");
    }

    #[test]
    fn lines_may_fall_a_little() {
        let run = |run: usize| {
            let lines: String = (1..=1000).map(|line| format!("DA:{line},{}\n", usize::from(line <= run))).collect();
            let pure = "SF:/w/core/src/protocol/a.rs\nDA:1,1\nBRDA:1,0,0,1\nBRDA:1,0,1,1\n";
            let text = format!("SF:/w/sim/src/a.rs\n{lines}{pure}");
            coverage(&text).judge(&EXPECTED).len()
        };
        assert_eq!((run(600), run(596), run(594), run(498)), (0, 0, 1, 2));
    }
}
