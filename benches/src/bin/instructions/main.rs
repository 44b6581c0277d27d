//! How many instructions the hot paths take, compared with `benches/instructions.toml`.
//!
//! `bash ci/instructions` compares; `bash ci/instructions --bless` writes the file. The program runs itself under valgrind's
//! callgrind, with `--count`: there it walks the paths ([`paths`]), and callgrind writes a file for each. Instructions are
//! summed by the file of code that they are in, and only this program's own are judged ([`budget`]): libc and the loader
//! differ from machine to machine, and libc picks its copying loops by the CPU. What remains depends on the compiler, which
//! `rust-toolchain.toml` pins, and on the code.
//!
//! Everything counted runs on one thread, on the ordinary port or in the simulator under a fixed schedule: two threads
//! would spin, park and wake as the system likes.

mod budget;
mod paths;

use budget::Budget;
use std::path::Path;
use std::process::{Command, ExitCode};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.toml");
const USAGE: &str = "instructions [--bless | --count]";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--count"] => {
            paths::walk();
            ExitCode::SUCCESS
        }
        ["--bless"] => {
            std::fs::write(FILE, budget::text(&counts())).expect("the budget can be written");
            println!("{FILE} is what was counted");
            ExitCode::SUCCESS
        }
        [] => {
            let text = std::fs::read_to_string(FILE).expect("the budget can be read");
            let budget = Budget::parse(&text).unwrap_or_else(|line| panic!("{FILE}: no budget in `{line}`"));
            judge(&budget)
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// What a path takes: instructions of this program in one round, and of everything else.
struct Count {
    path: String,
    own: f64,
    others: f64,
}

/// Runs this program under callgrind.
fn counts() -> Vec<Count> {
    let program = std::env::current_exe().expect("the program has a path");
    let folder = std::env::temp_dir().join(format!("oleander-instructions-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder for the counts");
    let dump = folder.join("counts");
    let output = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--zero-before={}", paths::BEGIN))
        .arg(format!("--dump-before={}", paths::END))
        .arg(format!("--callgrind-out-file={}", dump.display()))
        .args([program.as_os_str(), "--count".as_ref()])
        .output()
        .expect("valgrind starts");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {errors}", output.status);
    // The program names its paths in the order in which callgrind numbers its files.
    let counts = said.lines().enumerate().map(|(index, line)| {
        let (path, rounds) = line.rsplit_once(' ').expect("a path and its rounds");
        let rounds: f64 = rounds.parse().expect("a number");
        let text = std::fs::read_to_string(format!("{}.{}", dump.display(), index + 1)).expect("callgrind's file");
        let (own, others) = split(&text, &program);
        Count { path: path.to_owned(), own: own as f64 / rounds, others: others as f64 / rounds }
    });
    let counts: Vec<_> = counts.collect();
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    assert!(!counts.is_empty() && counts.iter().all(|it| it.own > 0.0), "nothing was counted: {errors}");
    counts
}

/// Sums a file of callgrind's: the instructions in the program itself, and those elsewhere.
fn split(text: &str, program: &Path) -> (u64, u64) {
    let (mut own, mut others, mut is_own, mut is_call) = (0, 0, false, false);
    for line in text.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_own = Path::new(object) == program;
        } else if line.starts_with("calls=") {
            // The next line says what the callee took, which its own lines say, too.
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) && !std::mem::take(&mut is_call) {
            let cost: u64 = line.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
            *(if is_own { &mut own } else { &mut others }) += cost;
        }
    }
    (own, others)
}

/// Prints a table, and fails where a path left its budget.
fn judge(budget: &Budget) -> ExitCode {
    println!("{:<28} {:>12} {:>12} {:>8}   {:>12}", "instructions a round", "budget", "counted", "", "libc's, etc.");
    let counts = counts();
    let mut is_within = true;
    for Count { path, own, others } in &counts {
        let judged = budget.judge(path, *own);
        let allowed = budget.of(path).map_or("-".to_owned(), |it| format!("{it:.1}"));
        println!("{path:<28} {allowed:>12} {own:>12.1} {:>8}   {others:>12.1}  {judged}", judged.change());
        is_within &= judged.is_within();
    }
    for path in budget.missing(counts.iter().map(|it| it.path.as_str())) {
        println!("{path}: the budget has it, and no path of this name was walked: bless it");
        is_within = false;
    }
    if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
