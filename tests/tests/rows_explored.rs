//! Each row under every schedule that matters: all of them for a row with at most three actors, else those with at most two
//! preemptions. A row whose search does not end fails. `OLEANDER_EXECUTIONS` says after how many a search gives up instead (0:
//! never); the last lines say how many rows were searched to their end.

use libtest_mimic::{Arguments, Trial};
use oleander_tests::backend::{self, Kind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A row has no more executions than this, unless somebody lets searches give up: the largest has about 3,300.
const EXECUTIONS_MAX: u64 = 20_000;

#[derive(Default)]
struct Sums {
    executions: AtomicU64,
    complete: AtomicU64,
    incomplete: Mutex<Vec<String>>,
}

fn main() {
    let arguments = Arguments::from_args();
    let rows = oleander_tests::rows().unwrap_or_else(|errors| {
        errors.iter().for_each(|error| eprintln!("{error}"));
        std::process::exit(101)
    });
    let given = std::env::var("OLEANDER_EXECUTIONS").ok().map(|n| n.parse().expect("a number of executions"));
    let executions_max = match given {
        None => EXECUTIONS_MAX,
        Some(0) => u64::MAX,
        Some(n) => n,
    };
    let sums = Arc::new(Sums::default());
    let expected = Arc::new(Kind::Sim.expectations(&rows).unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(101)
    }));
    let trials = rows
        .iter()
        .map(|row| {
            let (row, sums, expected) = (row.clone(), sums.clone(), expected.clone());
            Trial::test(format!("explored::{}", row.id), move || {
                let came = backend::search(&row, executions_max).map(|(executions, complete)| {
                    sums.executions.fetch_add(executions, Ordering::Relaxed);
                    sums.complete.fetch_add(u64::from(complete), Ordering::Relaxed);
                    if !complete {
                        assert!(given.is_some(), "the search has not ended after {executions} executions");
                        sums.incomplete.lock().unwrap_or_else(PoisonError::into_inner).push(row.id.clone());
                    }
                });
                expected.judge(&row, came).map_err(|failure| failure.explain(&row, "sim").into())
            })
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let mut incomplete = std::mem::take(&mut *sums.incomplete.lock().unwrap_or_else(PoisonError::into_inner));
    incomplete.sort();
    println!(
        "{} executions; {} rows to their end; {} not: {}",
        sums.executions.load(Ordering::Relaxed),
        sums.complete.load(Ordering::Relaxed),
        incomplete.len(),
        incomplete.join(" ")
    );
    conclusion.exit();
}
