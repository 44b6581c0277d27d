//! Each row on each backend as a test of its own: `host::WAIT-07`, `sim::WAIT-07`.

use libtest_mimic::{Arguments, Trial};
use oleander_tests::backend::Kind;

fn main() {
    let arguments = Arguments::from_args();
    let rows = oleander_tests::rows().unwrap_or_else(|errors| {
        errors.iter().for_each(|error| eprintln!("{error}"));
        std::process::exit(101)
    });
    let mut trials = Vec::new();
    for backend in [Kind::Host, Kind::Sim] {
        for row in &rows {
            let row = row.clone();
            trials.push(Trial::test(format!("{}::{}", backend.name(), row.id), move || {
                backend.play(&row).map_err(|failure| failure.explain(&row, backend.name()).into())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
