//! Runs rows of the contract by hand: lists them, plays some of them on some backends, observes what they give where no list
//! says what must come, or writes the contract. Plants the mutants, and judges what the tests run of the sources.

use clap::{Parser, ValueEnum};
use oleander_tests::backend::{self, Kind};
use oleander_tests::case::Row;
use oleander_tests::contract::{Contract, Evidence, renew};
use oleander_tests::coverage::{Coverage, Expected};
use oleander_tests::every_mutant;
use oleander_tests::expect::Expectations;
use oleander_tests::mutants;
use oleander_tests::observed::Observed;
use oleander_tests::ops;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The rows of the contract.
#[derive(Parser)]
#[command(name = "oleander-tests")]
struct Cli {
    /// Print one line for each row, and run nothing.
    #[arg(long)]
    list: bool,
    /// Print the operations that rows can use.
    #[arg(long)]
    operations: bool,
    /// Write the pages of the contract anew, and run nothing.
    #[arg(long)]
    contract: bool,
    /// Write the pages below this folder as of a run that had no Wine: its column says `not run`. Run nothing.
    #[arg(long, value_name = "FOLDER", conflicts_with = "contract")]
    contract_without_wine: Option<PathBuf>,
    /// Put the mutants into this copy of the workspace, print which test each must turn red, and run nothing.
    #[arg(long, value_name = "COPY")]
    mutants: Option<PathBuf>,
    /// Put the mutants that cargo-mutants listed into this copy of the workspace, and try each.
    #[arg(long, value_name = "COPY", requires = "listed")]
    every_mutant: Option<PathBuf>,
    /// With `--every-mutant`: what `cargo mutants --list --json` wrote.
    #[arg(long, value_name = "FILE")]
    listed: Option<PathBuf>,
    /// Print what ran of the sources, by room, from a tracefile, and judge it by `tests/expect/coverage.toml`, which
    /// `OLEANDER_BLESS=1` raises. Run nothing.
    #[arg(long, value_name = "TRACEFILE")]
    coverage: Option<PathBuf>,
    /// With `--contract`: take in what real Windows gave, from a file that `--observe` wrote there.
    #[arg(long, value_name = "FILE", requires = "contract")]
    observed: Option<PathBuf>,
    /// On the backend `system`: judge nothing, but write into a file what every row gave, and the system's build.
    #[arg(long, value_name = "FILE")]
    observe: Option<PathBuf>,
    /// Run these rows: ids, or other names that rows have; a fact stands for all its rows.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// Run on this backend, instead of on host threads and in the simulator.
    #[arg(long)]
    backend: Option<Backend>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Backend {
    /// Real threads, real time.
    Host,
    /// The simulator.
    Sim,
    /// Windows' own COM.
    System,
}

/// The exit code when nothing could be run.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    if let Some(code) = backend::child() {
        return code;
    }
    let cli = Cli::parse();
    if cli.operations {
        for operation in ops::all() {
            println!("{:<60} {}", operation.usage(), operation.about);
        }
        return ExitCode::SUCCESS;
    }
    if cli.contract {
        return contract(cli.observed.as_deref());
    }
    if let Some(folder) = &cli.contract_without_wine {
        return exit_code(write_contract(folder, Evidence::without_wine));
    }
    if cli.observe.is_some() && !matches!(cli.backend, Some(Backend::System)) {
        eprintln!("--observe is for --backend system");
        return ExitCode::from(UNUSABLE);
    }
    if let Some(copy) = cli.mutants {
        return plant(&copy);
    }
    if let (Some(copy), Some(list)) = (cli.every_mutant, cli.listed) {
        return match every_mutant::all(root(), &copy, &list) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(UNUSABLE)
            }
        };
    }
    if let Some(tracefile) = cli.coverage {
        return coverage(&tracefile).unwrap_or_else(|error| {
            eprintln!("{error}");
            ExitCode::from(UNUSABLE)
        });
    }
    let backends = match cli.backend {
        None => vec![Kind::Host, Kind::Sim],
        Some(Backend::Host) => vec![Kind::Host],
        Some(Backend::Sim) => vec![Kind::Sim],
        Some(Backend::System) => {
            if let Err(error) = backend::is_there() {
                eprintln!("the backend `system` is not there: {error}");
                return ExitCode::from(UNUSABLE);
            }
            vec![Kind::System]
        }
    };
    let rows = match oleander_tests::rows() {
        Ok(rows) => rows,
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("{error}"));
            return ExitCode::from(UNUSABLE);
        }
    };
    if cli.list {
        rows.iter().for_each(|row| println!("{}", line(row)));
        return ExitCode::SUCCESS;
    }
    if let Some(id) = cli.id.iter().find(|id| !rows.iter().any(|row| row.is_called(id))) {
        eprintln!("there is no row {id}; see --list");
        return ExitCode::from(UNUSABLE);
    }
    let lists: Result<Vec<_>, _> =
        backends.iter().map(|kind| kind.expectations(&rows).map(|list| (*kind, list))).collect();
    let backends = match lists {
        Ok(lists) => lists,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(UNUSABLE);
        }
    };
    let asked = |row: &&Arc<Row>| cli.id.is_empty() || cli.id.iter().any(|id| row.is_called(id));
    let rows: Vec<_> = rows.iter().filter(asked).collect();
    match &cli.observe {
        None => run(&rows, &backends),
        Some(path) => observe(&rows, path),
    }
}

/// Writes what rows give on the system's COM.
fn observe(rows: &[&Arc<Row>], path: &Path) -> ExitCode {
    let results = Mutex::new(BTreeMap::new());
    several(rows, CHILDREN, |row| {
        let result = Observed::play(row);
        println!("{}: {result}", row.id);
        results.lock().unwrap_or_else(PoisonError::into_inner).insert(row.id.clone(), result);
    });
    let rows = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let text = Observed::here().and_then(|here| Observed { rows, ..here }.text());
    let write = |text| std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()));
    exit_code(text.and_then(write))
}

/// Writes the pages that are made from the facts and the rows, with what real Windows gave if it is there.
fn contract(observed: Option<&Path>) -> ExitCode {
    let root = root();
    let take = |path: &Path| {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let rows = oleander_tests::rows().map_err(|errors| errors[0].to_string())?;
        Observed::parse(&text, &rows)?.take(root)
    };
    let taken = observed.map_or(Ok(()), |path| take(path).map_err(|error| format!("{}: {error}", path.display())));
    exit_code(taken.and_then(|()| write_contract(root, |evidence| evidence)))
}

/// Writes those pages below a folder, from a part of the evidence.
fn write_contract(folder: &Path, of: impl FnOnce(Evidence) -> Evidence) -> Result<(), String> {
    let (contract, evidence) = (Contract::read(root())?, Evidence::read(root())?);
    renew(folder, &contract, &of(evidence)).map_err(|error| error.to_string())
}

fn exit_code(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Puts the mutants into a copy, and prints `hand NAME TEST` and `loom NAME MODEL`.
fn plant(copy: &Path) -> ExitCode {
    match mutants::read(copy).and_then(|all| mutants::plant(copy, &all).map(|()| all)) {
        Ok(all) => {
            for mutant in all {
                mutant.test.iter().for_each(|test| println!("hand {} {test}", mutant.name));
                mutant.loom.iter().for_each(|model| println!("loom {} {model}", mutant.name));
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Prints and judges what ran; the lines that did not are listed beside the tracefile.
fn coverage(tracefile: &Path) -> Result<ExitCode, String> {
    let all = Coverage::read(root(), tracefile)?;
    let expected = Expected::read(root())?;
    println!("{all}");
    let idle = tracefile.with_extension("idle");
    let lines: String = all.idle().map(|line| line + "\n").collect();
    std::fs::write(&idle, lines).map_err(|error| format!("{}: {error}", idle.display()))?;
    println!("lines that no test runs: {}", idle.display());
    if std::env::var_os("OLEANDER_BLESS").is_some() {
        expected.raise(root(), all.lines().percent())?;
    }
    let wrong = all.judge(&expected);
    wrong.iter().for_each(|what| eprintln!("{what}"));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// Id first.
fn line(row: &Row) -> String {
    let also = if row.also.is_empty() { String::new() } else { format!(" [{}]", row.also.join(" ")) };
    format!("{:<12} {}:{}: {}{also}", row.id, row.file, row.line, row.title)
}

/// How many rows are played at a time on the system's COM, each in a process of its own.
const CHILDREN: usize = 16;

fn run(rows: &[&Arc<Row>], backends: &[(Kind, Expectations)]) -> ExitCode {
    let todo: Vec<_> = rows.iter().flat_map(|row| backends.iter().map(move |backend| (*row, backend))).collect();
    let at_a_time = if backends.iter().any(|(kind, _)| *kind == Kind::System) { CHILDREN } else { 1 };
    let failures = AtomicUsize::new(0);
    several(&todo, at_a_time, |(row, (backend, expected))| {
        failures.fetch_add(tell(row, *backend, expected).is_err().into(), Ordering::Relaxed);
    });
    let failures = failures.into_inner();
    println!("{} rows on {} backends, {failures} failures", rows.len(), backends.len());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does something with each, several at a time.
fn several<T: Sync>(todo: &[T], at_a_time: usize, act: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(it) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                    act(it);
                }
            });
        }
    });
}

/// Plays a row and prints what came of it.
fn tell(row: &Arc<Row>, backend: Kind, expected: &Expectations) -> Result<(), ()> {
    let name = backend.name();
    match backend.judge(row, expected) {
        Ok(()) => {
            match expected.of(row) {
                None => println!("ok      {name}::{} {}", row.id, row.title),
                Some(entry) => println!("differs {name}::{} {}: {}", row.id, row.title, entry.reason),
            }
            Ok(())
        }
        Err(failure) => {
            println!("FAILED  {name}::{} {}\n{}\n", row.id, row.title, failure.explain(row, name));
            Err(())
        }
    }
}
