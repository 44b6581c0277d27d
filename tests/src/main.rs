//! Runs rows of the contract by hand: lists them, plays some of them on some backends, or writes the contract.

use clap::{Parser, ValueEnum};
use oleander_tests::backend::Kind;
use oleander_tests::case::Row;
use oleander_tests::contract::{Contract, Evidence, renew};
use oleander_tests::expect::Expectations;
use oleander_tests::ops;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

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
    let cli = Cli::parse();
    if cli.operations {
        for operation in ops::all() {
            println!("{:<60} {}", operation.usage(), operation.about);
        }
        return ExitCode::SUCCESS;
    }
    if cli.contract {
        return contract();
    }
    let backends = match cli.backend {
        None => vec![Kind::Host, Kind::Sim],
        Some(Backend::Host) => vec![Kind::Host],
        Some(Backend::Sim) => vec![Kind::Sim],
        Some(Backend::System) => {
            eprintln!("the backend `system` needs Windows and the feature `windows`");
            return ExitCode::from(UNUSABLE);
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
    run(&rows.iter().filter(asked).collect::<Vec<_>>(), &backends)
}

/// Writes the pages that are made from the facts and the rows.
fn contract() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace");
    let read = || Ok((Contract::read(root)?, Evidence::read(root)?));
    let write = |(contract, evidence)| renew(root, &contract, &evidence).map_err(|error| error.to_string());
    match read().and_then(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Id first.
fn line(row: &Row) -> String {
    let also = if row.also.is_empty() { String::new() } else { format!(" [{}]", row.also.join(" ")) };
    format!("{:<12} {}:{}: {}{also}", row.id, row.file, row.line, row.title)
}

fn run(rows: &[&Arc<Row>], backends: &[(Kind, Expectations)]) -> ExitCode {
    let mut failures = 0;
    for row in rows {
        for (backend, expected) in backends {
            let name = backend.name();
            match expected.judge(row, backend.play(row)) {
                Ok(()) => match expected.of(&row.id) {
                    None => println!("ok      {name}::{} {}", row.id, row.title),
                    Some(entry) => println!("differs {name}::{} {}: {}", row.id, row.title, entry.reason),
                },
                Err(failure) => {
                    failures += 1;
                    println!("FAILED  {name}::{} {}\n{}\n", row.id, row.title, failure.explain(row, name));
                }
            }
        }
    }
    println!("{} rows on {} backends, {failures} failures", rows.len(), backends.len());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
