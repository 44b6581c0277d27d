//! The tests of the runtime: built once, then each run alone without a mutant, which says how long it takes and which
//! mutants it reaches.
//!
//! They are the unit tests, those of `core/tests/` but for the storms, the rows of the contract on host threads and in the
//! simulator, which sees a thread that waits for ever without waiting for ever, and some tests of the simulator: of what an
//! operation announces, of virtual time, and of several processes.

use super::Mutant;
use super::run::{self, Ended};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Storms, some hundred threads for seconds, are too slow and too much chance to try mutants with; the example is a program of
/// its own, which the tests' build does not make.
const NOT_THESE: [&str; 2] = ["_stress", "sieve_modes"];

/// The simulator's, in `sim/tests/`.
const SIMULATED: [&str; 17] = [
    "between_processes",
    "broadcast",
    "cancel",
    "cancel_objects",
    "checkers",
    "dpor",
    "endings",
    "faults",
    "kernel",
    "last_release",
    "legacy",
    "network",
    "outside",
    "pool",
    "registered",
    "timers",
    "win32",
];

/// A test.
#[derive(Debug)]
pub struct Test {
    /// The program that has it.
    pub program: PathBuf,
    /// Its name there.
    pub name: String,
    /// Whether the program is that of the rows, which takes names from a variable.
    pub is_row: bool,
    /// How long it takes.
    pub usual: Duration,
}

/// All tests, and for each mutant those that reach it, the best first.
#[derive(Debug)]
pub struct Tests {
    /// The tests.
    pub all: Vec<Test>,
    /// By mutant.
    pub reaching: BTreeMap<usize, Vec<usize>>,
}

/// Builds the tests of a copy, and runs them.
///
/// # Errors
/// What does not build, and tests that are red without a mutant.
pub fn find(copy: &Path, mutants: &[Mutant]) -> Result<Tests, String> {
    let mut tests: Vec<Test> = Vec::new();
    for (program, source) in programs(copy)? {
        let rows = source.ends_with("rows.rs");
        let out = Command::new(&program).current_dir(copy.join("core")).arg("--list").output();
        let out = out.map_err(|error| format!("{}: {error}", program.display()))?;
        for line in String::from_utf8_lossy(&out.stdout).lines() {
            let Some(name) = line.strip_suffix(": test") else { continue };
            let (program, name, usual) = (program.clone(), name.to_owned(), Duration::ZERO);
            tests.push(Test { program, name, is_row: rows, usual });
        }
    }
    let folder = copy.with_extension("reached");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let reached = run::several(tests.len(), |number| {
        let (test, file) = (&tests[number], folder.join(number.to_string()));
        let (ended, took) = run::tests(copy, &[test], &[("OLEANDER_REACHED", file.as_os_str())], run::BASELINE);
        let read = fs::read(&file).unwrap_or_default();
        let numbers = read.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number) as usize);
        (ended, took, numbers.collect::<BTreeSet<_>>())
    });
    let mut reaching: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let (mut red, mut reach) = (Vec::new(), Vec::new());
    for (number, (ended, took, numbers)) in reached.into_iter().enumerate() {
        tests[number].usual = took;
        if ended != Ended::Green {
            red.push(tests[number].name.clone());
        }
        reach.push(numbers.len());
        for mutant in numbers {
            reaching.entry(mutant).or_default().push(number);
        }
    }
    if !red.is_empty() {
        return Err(format!("red without a mutant: {}", red.join(", ")));
    }
    if reaching.is_empty() {
        return Err("no test reaches any mutant".into());
    }
    for (mutant, numbers) in &mut reaching {
        let room = mutants[*mutant].file.with_extension("");
        let room = room.strip_prefix("core/src").unwrap_or(&room).to_string_lossy().replace('/', "::");
        // Those beside the code first, then those that are short and reach little else.
        numbers.sort_by_key(|&number| {
            (!tests[number].name.starts_with(&*room), tests[number].usual.as_millis() * reach[number] as u128)
        });
    }
    println!("{:>5} tests, {} s one after the other", tests.len(), {
        tests.iter().map(|test| test.usual).sum::<Duration>().as_secs()
    });
    Ok(Tests { all: tests, reaching })
}

/// The programs, and the source of each.
fn programs(copy: &Path) -> Result<Vec<(PathBuf, PathBuf)>, String> {
    let mut ours = vec!["-p".to_owned(), "oleander".to_owned(), "--lib".to_owned()];
    let entries = fs::read_dir(copy.join("core/tests")).map_err(|error| error.to_string())?;
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    names.sort();
    for name in names
        .iter()
        .filter_map(|path| path.file_stem()?.to_str())
        .filter(|name| !NOT_THESE.iter().any(|end| name.ends_with(end)))
    {
        ours.extend(["--test".to_owned(), name.to_owned()]);
    }
    let rows = ["-p", "oleander-tests", "-p", "oleander-sim", "--test", "rows"].into_iter();
    let rows = rows.chain(SIMULATED.iter().flat_map(|name| ["--test", *name])).map(str::to_owned).collect();
    let mut programs = Vec::new();
    for package in [ours, rows] {
        let mut build = Command::new("cargo");
        build.current_dir(copy).args(["test", "-q", "--no-run", "--message-format", "json"]).args(package);
        let out = build.output().map_err(|error| error.to_string())?;
        if !out.status.success() {
            return Err(String::from_utf8_lossy(&out.stderr).into_owned());
        }
        for line in String::from_utf8_lossy(&out.stdout).lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            if let (Some(program), Some(true)) = (line["executable"].as_str(), line["profile"]["test"].as_bool()) {
                let source = line["target"]["src_path"].as_str().unwrap_or_default();
                programs.push((PathBuf::from(program), PathBuf::from(source)));
            }
        }
    }
    Ok(programs)
}
