//! Runs tests in processes, with and without mutants, some at a time: many wait, for a real clock or for ever.
//!
//! A test ends green, red, or not at all: then its process, and those that it has started, are killed. Memory is bounded,
//! because a mutant may well take all of it.

use super::Mutant;
use super::tests::{Test, Tests};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many processes run at a time.
const JOBS: usize = 4;
/// How long a test may take without a mutant.
pub const BASELINE: Duration = Duration::from_secs(120);
/// What a mutant gets above ten times the usual time of the longest test, and twice that of all.
const GRACE: Duration = Duration::from_secs(6);
/// In KiB, and with an end; a process of ours has little, but reserves a stack for each of many threads.
const ALONE: &str = "ulimit -v 4000000; exec timeout -s KILL \"$@\"";

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All tests passed.
    Green,
    /// One failed, or the process did.
    Red,
    /// The time was over.
    Hangs,
}

/// Runs tests of one program in a process.
pub fn tests(copy: &Path, tests: &[&Test], env: &[(&str, &OsStr)], limit: Duration) -> (Ended, Duration) {
    let began = Instant::now();
    let mut command = Command::new("sh");
    command.args(["-c", ALONE, "sh", &limit.as_secs_f32().to_string()]);
    command.arg(&tests[0].program).arg("--test-threads=2").envs(env.iter().copied());
    let names = tests.iter().map(|test| test.name.as_str());
    match tests[0].is_row {
        true => command.env("OLEANDER_ROWS", names.collect::<Vec<_>>().join(" ")),
        false => command.arg("--exact").args(names),
    };
    command.current_dir(copy.join("core"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let passed = command.status().is_ok_and(|status| status.success());
    let took = began.elapsed();
    let ended = match passed {
        true => Ended::Green,
        false if took >= limit => Ended::Hangs,
        false => Ended::Red,
    };
    (ended, took)
}

/// Does something for each number, some at a time; the results are in the order of the numbers.
pub fn several<T: Send>(count: usize, what: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let result = what(number);
                    results.lock().unwrap_or_else(|error| error.into_inner()).push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|error| error.into_inner());
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Tries these mutants; gives those that survive. Who killed one last time, by a file beside the copy, is asked first.
pub fn all(copy: &Path, mutants: &[Mutant], tried: &[usize], tests: &Tests) -> Vec<usize> {
    let path = copy.with_extension("killers");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let last: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let killers = OpenOptions::new().append(true).create(true).open(&path).ok();
    let results = several(tried.len(), |number| {
        let mutant = tried[number];
        let began = Instant::now();
        let who = format!("{}: {}", mutants[mutant].file.display(), mutants[mutant].key);
        let (killer, runs) = kill(copy, mutant, tests, last.get(&*who).copied());
        if let (Some((_, test)), Some(mut killers)) = (killer, killers.as_ref()) {
            let _ = killers.write_all(format!("{who}\t{test}\n").as_bytes());
        }
        let (name, took) = (&mutants[mutant].name, began.elapsed().as_secs_f32());
        match killer {
            Some((Ended::Hangs, test)) => println!("hangs    {name} ({took:.1} s, {runs} runs): {test}"),
            Some((_, test)) => println!("red      {name} ({took:.1} s, {runs} runs): {test}"),
            None => {
                let reached = tests.reaching.get(&mutant).map_or(0, Vec::len);
                println!("SURVIVED {name} ({took:.1} s, {reached} tests reach it)");
            }
        }
        killer.is_none()
    });
    tried.iter().zip(results).filter_map(|(mutant, survived)| survived.then_some(*mutant)).collect()
}

/// The test that notices a mutant, and how many runs it took to find it. The tests run in groups that grow.
fn kill<'a>(copy: &Path, mutant: usize, tests: &'a Tests, last: Option<&str>) -> (Option<(Ended, &'a str)>, usize) {
    let mut left: Vec<&Test> =
        tests.reaching.get(&mutant).into_iter().flatten().map(|&test| &tests.all[test]).collect();
    left.sort_by_key(|test| Some(&*test.name) != last);
    let mutant = mutant.to_string();
    let (mut size, mut runs) = (1, 0);
    while let Some(first) = left.first().copied() {
        let is_together = |test: &&&Test| test.program == first.program;
        let group: Vec<&Test> = left.iter().filter(is_together).take(size).copied().collect();
        left.retain(|test| !group.iter().any(|it| std::ptr::eq(*it, *test)));
        let usual = group.iter().map(|test| test.usual);
        runs += 1;
        let limit = usual.clone().sum::<Duration>() * 2 + usual.max().unwrap_or_default() * 10 + GRACE;
        let (with, without) = ([("OLEANDER_MUTANT", OsStr::new(&mutant))], []);
        let (ended, _) = self::tests(copy, &group, &with, limit);
        // Not by chance: red is red twice, and what hangs does not hang without.
        let is_killed = match ended {
            Ended::Green => false,
            Ended::Red => self::tests(copy, &group, &with, limit).0 != Ended::Green,
            Ended::Hangs => self::tests(copy, &group, &without, limit).0 == Ended::Green,
        };
        if is_killed {
            return (Some((ended, &group[0].name)), runs);
        }
        size = (size * 3).min(300);
    }
    (None, runs)
}
