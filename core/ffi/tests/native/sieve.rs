//! The example `core/ffi/examples/sieve` in C++ beside the one in Rust: both print the same timeline.
//!
//! Compared are the lines of each thread, in their order; times and thread numbers go. Two things depend on the machine's
//! mood and are made equal: how often a polling client asks, and on which of the MTA's threads a line is said (which is why
//! the MTA's lines are compared without their order).

use crate::compiler::{Compiler, Language, expect_equal, libraries_dir, programs_dir, run};
use crate::{Outcome, trial};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// 78498 primes, soon counted.
const SMALL: &str = "1000000";
/// Never counted to the end: the server is asked to stop.
const ENDLESS: &str = "4294967295";
const MODES: [(&str, &str); 6] =
    [("sync", SMALL), ("async", SMALL), ("poll", SMALL), ("notify", SMALL), ("cancel", ENDLESS), ("abandon", ENDLESS)];

/// The tests of this module.
pub fn trials(compiler: &Compiler) -> Vec<Trial> {
    let name = "the_sieve_in_cpp_prints_the_timeline_of_the_one_in_rust";
    if compiler.language != Language::Cpp {
        return Vec::new();
    }
    let call = trial(compiler, "srv_12_srv_14_the_call_object_of_the_example_in_its_own_apartment", call_object);
    if !rust_sieve().exists() {
        eprintln!("ignored: {name}: `cargo build --example sieve` builds the one in Rust");
        return vec![call, Trial::test(name, || Err("no sieve in Rust".into())).with_ignored_flag(true)];
    }
    vec![call, trial(compiler, name, compare)]
}

fn rust_sieve() -> PathBuf {
    let target = libraries_dir().parent().map(Path::to_owned).unwrap_or_default();
    target.join("examples").join(format!("sieve{}", std::env::consts::EXE_SUFFIX))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sieve")
}

/// A program of a main file and some files of the example.
fn build(compiler: &Compiler, name: &str, main: &Path, files: &[&str]) -> Result<PathBuf, Failed> {
    let mut link: Vec<_> = files.iter().map(|name| folder().join(name).display().to_string()).collect();
    let libraries = libraries_dir();
    let libraries = libraries.display();
    link.extend([format!("-L{libraries}"), format!("-Wl,-rpath,{libraries}"), "-loleander_ffi_component".into()]);
    compiler.build_file(name, main, &link)
}

/// What a stub never does: two threads that ask at once, outer objects that lack something. A `Begin_` that fails has its line.
fn call_object(compiler: &Compiler) -> Outcome {
    let main = programs_dir().join("sieve_call.cpp");
    let program = build(compiler, "sieve_call", &main, &["server.cpp", "timeline.cpp", "counting.cpp"])?;
    let said = run(&program, &[])?;
    let line = "Begin_CountPrimes, on the server → 0x80004021";
    match said.matches(line).count() {
        2 if said.ends_with("sieve_call: ok\n") => Ok(()),
        found => Err(format!("{found} times `{line}`:\n{said}").into()),
    }
}

fn compare(compiler: &Compiler) -> Outcome {
    let files = ["client.cpp", "notify.cpp", "server.cpp", "timeline.cpp", "counting.cpp"];
    let cpp = build(compiler, "example_sieve", &folder().join("main.cpp"), &files)?;
    let rust = rust_sieve();
    for (mode, max) in MODES {
        for server in ["sync", "async"] {
            for apartment in ["mta", "sta"] {
                let ours = run(&cpp, &[mode, max, server, apartment, "true", "0"])?;
                let options = ["--mode", mode, "--max", max, "--server", server, "--server-apartment", apartment];
                let theirs = run(&rust, &[&options[..], &["--cancel-after-ms", "0"]].concat())?;
                let what = format!("{mode}, {server} server in the {apartment}");
                expect_equal(&what, timeline(&ours)?, timeline(&theirs)?)?;
            }
        }
    }
    Ok(())
}

/// The events of each thread, by its role; under an empty name the line below the timeline, up to its explanation.
fn timeline(text: &str) -> Result<BTreeMap<String, Vec<String>>, Failed> {
    let mut threads = BTreeMap::<String, Vec<String>>::new();
    for line in text.lines().skip(1).take_while(|line| !line.is_empty()) {
        let columns = line.trim_start().split_once("  ").and_then(|(_, rest)| rest.split_once("  "));
        let (thread, event) = columns.ok_or_else(|| format!("what is this? {line}"))?;
        let role = thread.trim_end().rsplit_once(' ').map_or(thread, |(role, _)| role);
        let role = if role.starts_with("MTA") { "MTA" } else { role };
        let event = event.trim_start();
        let polls = event.starts_with("Wait(") && event.contains(" ms) → RPC_S_CALLPENDING");
        let event = if event.starts_with("Wait(") && !polls { "Wait → S_OK" } else { event };
        // One line for however many.
        let events = threads.entry(role.to_owned()).or_default();
        let polled = events.last().is_some_and(|last| last.starts_with("Wait("));
        match (polls, polled) {
            (true, true) => {}
            (true, false) => events.push("Wait(…) → RPC_S_CALLPENDING".to_owned()),
            (false, _) => events.push(event.to_owned()),
        }
    }
    // A quick server is done before a polling client asks for the first time.
    for events in threads.values_mut() {
        if events.iter().any(|event| event == "Wait → S_OK") {
            events.retain(|event| !event.starts_with("Wait(…)"));
        }
    }
    if let Some(events) = threads.get_mut("MTA") {
        events.sort();
    }
    let last = text.lines().last().unwrap_or_default();
    let last = last.split_once("): ").map_or(last, |(code, _)| code.trim_end_matches(')'));
    threads.insert(String::new(), vec![last.trim_end_matches(')').to_owned()]);
    if threads.len() < 3 { Err(format!("no timeline:\n{text}").into()) } else { Ok(threads) }
}
