//! Each row on each backend as a test of its own: `host::WAIT-07`, `sim::WAIT-07`. A row passes, or fails as the backend's list
//! of divergences says.

use libtest_mimic::{Arguments, Trial};
use oleander_tests::backend::Kind;
use std::sync::Arc;

fn main() {
    let arguments = Arguments::from_args();
    let rows = oleander_tests::rows().unwrap_or_else(|errors| {
        errors.iter().for_each(|error| eprintln!("{error}"));
        std::process::exit(101)
    });
    let mut trials = Vec::new();
    for backend in [Kind::Host, Kind::Sim] {
        let expected = Arc::new(backend.expectations(&rows).unwrap_or_else(|error| {
            eprintln!("{error}");
            std::process::exit(101)
        }));
        for row in &rows {
            let (row, expected) = (row.clone(), expected.clone());
            trials.push(Trial::test(format!("{}::{}", backend.name(), row.id), move || {
                let came = expected.judge(&row, backend.play(&row));
                came.map_err(|failure| failure.explain(&row, backend.name()).into())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
