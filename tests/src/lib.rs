//! What goes across packages: conformance rows, the house's style, and the examples of the pages as doc-tests.
//!
//! The rows are the contract as data. [`rows`] has them all; [`case`] reads them, [`run`] plays them on a [`backend`] with
//! the [`ops`] and the test [`objects`]; [`expect`] is where a backend gives
//! something else, [`observed`] what a system gave that nobody here has, [`contract`] is what all of it shows. [`mutants`] are
//! the faults that tests must notice, [`every_mutant`] those that a tool makes up, [`coverage`]
//! what tests run of the sources.

pub mod backend;
pub mod case;
pub mod contract;
pub mod coverage;
pub mod every_mutant;
pub mod expect;
pub mod mutants;
pub mod objects;
pub mod observed;
pub mod ops;
pub mod run;

use case::{Error, Row};
use std::path::Path;
use std::sync::Arc;

/// All rows of `tests/cases/`, files in the order of their names.
///
/// # Errors
/// Everything that is wrong in the files.
pub fn rows() -> Result<Vec<Arc<Row>>, Vec<Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files: Vec<_> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) => return Err(vec![unreadable(&folder, &error)]),
    };
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rows"));
    files.sort();
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for path in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match std::fs::read_to_string(&path) {
            Ok(text) => match case::parse(&file, &text) {
                Ok(found) => rows.extend(found.into_iter().map(Arc::new)),
                Err(found) => errors.extend(found),
            },
            Err(error) => errors.push(unreadable(&path, &error)),
        }
    }
    case::check_ids(rows.iter().map(|row| &**row), &mut errors);
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Error { file, line: 0, what: error.to_string() }
}

/// The pages whose Rust blocks are compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    pub struct Readme;
    #[doc = include_str!("../../docs/src/c-and-cpp.md")]
    pub struct CAndCpp;
    #[doc = include_str!("../../docs/src/sieve.md")]
    pub struct Sieve;
    #[doc = include_str!("../../docs/src/simulator.md")]
    pub struct Simulator;
}
