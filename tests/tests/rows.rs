//! Each row on each backend as a test of its own: `host::WAIT-07`, `sim::WAIT-07`, and in Wine `system::WAIT-07`. A row
//! passes, or fails as the backend's list of divergences says.
//!
//! With `OLEANDER_ROWS`, only the trials that it names are run.
//!
//! What real Windows gives is observed (`oleander-tests --observe`), not judged: no list says yet what differs there.
//!
//! Where rows are played on the system's COM, `system::engine::…` are tests of how: a row that ends its process, or hangs, is a row
//! that fails.

use libtest_mimic::{Arguments, Failed, Trial};
use oleander_tests::backend::{Kind, child, is_there, wine};
use oleander_tests::case::parse;
use oleander_tests::expect::Expectations;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    if let Some(code) = child() {
        return code;
    }
    let arguments = Arguments::from_args();
    let rows = oleander_tests::rows().unwrap_or_else(|errors| {
        errors.iter().for_each(|error| eprintln!("{error}"));
        std::process::exit(101)
    });
    let mut backends = vec![Kind::Host, Kind::Sim];
    let mut trials = Vec::new();
    if is_there().is_ok() {
        trials.extend(ENGINE.map(|(name, text, line, what)| {
            Trial::test(format!("system::engine::{name}"), move || engine(text, line, what))
        }));
        trials.push(Trial::test("system::engine::looks_again", looks_again));
        backends.extend(wine::version().map(|_| Kind::System));
    }
    for backend in backends {
        let expected = Arc::new(backend.expectations(&rows).unwrap_or_else(|error| {
            eprintln!("{error}");
            std::process::exit(101)
        }));
        for row in &rows {
            let (row, expected) = (row.clone(), expected.clone());
            trials.push(Trial::test(format!("{}::{}", backend.name(), row.id), move || {
                let came = backend.judge(&row, &expected);
                came.map_err(|failure| failure.explain(&row, backend.name()).into())
            }));
        }
    }
    // Arguments can name only one.
    if let Ok(names) = std::env::var("OLEANDER_ROWS") {
        trials.retain(|trial| names.split_whitespace().any(|name| name == trial.name()));
        assert!(!trials.is_empty(), "OLEANDER_ROWS names no row");
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Made-up rows: what is wrong with them on the system's COM, and in which line. Line 0: nothing.
const ENGINE: [(&str, &str, usize, &str); 6] = [
    ("passes", "row X-1 t\n mta a\n a CoInitializeEx MULTITHREADED -> S_FALSE\n", 0, ""),
    ("differs", "\n\nrow X-1 t\n mta a\n\n a CoInitializeEx MULTITHREADED -> S_OK\n", 6, "got S_FALSE"),
    ("ends", "row X-1 t\n mta a\n a exit 0xC0000005\n a GetLastError -> 0\n", 3, "the process ended with 0xC0000005"),
    (
        "hangs",
        "row X-1 t\n mta a ; gate g\n a CoInitializeEx MULTITHREADED -> S_FALSE\n a wait g\n",
        4,
        "`a` hangs: it was not done after 5000 ms",
    ),
    ("blocks", "row X-1 t\n mta a ; gate g\n a > WaitForSingleObject g INFINITE\n open g\n a < -> OBJECT_0\n", 0, ""),
    (
        "leaks",
        "row X-1 t\n mta a\n a new Sample = o\n a AddRef o -> 2\n a leak.object o\n",
        1,
        "left behind: 1 objects",
    ),
];

fn engine(text: &str, line: usize, what: &str) -> Result<(), Failed> {
    let row = parse("x.rows", text).map_err(|errors| format!("{errors:?}"))?.remove(0);
    let came = Kind::System.play(&Arc::new(row));
    let is_it = match &came {
        Ok(()) => line == 0,
        Err(failure) => failure.line == line && failure.what.contains(what),
    };
    if is_it { Ok(()) } else { Err(format!("{came:?}").into()) }
}

/// What takes longer than a moment without a sign is taken for rest; a row that fails of that is right when it is judged.
fn looks_again() -> Result<(), Failed> {
    let text = "row X-1 t\n mta a ; gate g\n w.Run Sleep 120\n w.Run open g\n a QueueUserWorkItem -> TRUE = w\n \
                a WaitForSingleObject g 0 -> OBJECT_0\n log w.Run\n";
    let row = Arc::new(parse("x.rows", text).map_err(|errors| format!("{errors:?}"))?.remove(0));
    let expected = Expectations::parse("").map_err(|error| error.to_string())?;
    Kind::System.judge(&row, &expected).map_err(|failure| failure.explain(&row, "system").into())
}
