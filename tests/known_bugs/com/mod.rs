//! Bugs that COM's rules make easy: each is a program that must fail in the expected way under some schedule, with a twin,
//! repaired in one place, that passes under every one.
//!
//! `replays/` has a line for each that replays it, and runs first. A token belongs to the exact steps of its program: when
//! the runtime takes others, `OLEANDER_BLESS=1 cargo test -p oleander-tests --test known_bugs` writes the lines anew.

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

mod calls;
mod kit;
mod outers;
mod servers;
mod waiting;

use oleander_sim::{Builder, Checked, End, try_replay};
use std::path::PathBuf;

/// How a bad program ends.
#[derive(Clone, Copy)]
enum Fails {
    /// Nobody can go on.
    Deadlock,
    /// An assertion with these words.
    Saying(&'static str),
    /// What a checker finds, with these words.
    Checker(&'static str, &'static str),
}

impl Fails {
    #[track_caller]
    fn check(self, name: &str, end: &End) {
        match (self, end) {
            (Self::Deadlock, End::Deadlock { .. }) => {}
            (Self::Saying(words), End::Panicked { message, .. }) if message.contains(words) => {}
            (Self::Checker(which, words), End::Broken { checker, what })
                if which == *checker && what.contains(words) => {}
            _ => panic!("{name} fails in another way than expected: {end}"),
        }
    }
}

/// Runs a program and its twin.
#[track_caller]
fn program(name: &str, fails: Fails, bad: fn(), good: fn()) {
    let bless = std::env::var_os("OLEANDER_BLESS").is_some();
    if !bless {
        let kept = std::fs::read_to_string(replay_of(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        match try_replay(kept.trim(), bad) {
            Ok(report) => fails.check(name, &report.end),
            Err(refused) => {
                panic!("{name}: {refused}. If the runtime's steps have changed, write it anew: see the head")
            }
        }
    }
    let found = Builder::new().run(bad);
    let Some(failure) = &found.failure else { panic!("{name} should fail: {found}") };
    fails.check(name, &failure.report.end);
    let token = failure.token.to_string();
    let again = try_replay(&token, bad).expect("the line that was printed replays it");
    assert_eq!(again.trace_hash, failure.report.trace_hash, "{name}");
    if bless {
        std::fs::write(replay_of(name), format!("{token}\n")).expect("the replay can be written");
    }
    let checked = Builder::new().run(good);
    passes(name, &checked);
    println!("{name}: fails after {} executions; its twin: {checked}", found.executions);
}

#[track_caller]
fn passes(name: &str, checked: &Checked) {
    assert!(checked.failure.is_none(), "{name}, repaired: {checked}");
    assert!(checked.complete, "{name}, repaired, was not explored to its end: {checked}");
}

fn replay_of(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("known_bugs/com/replays").join(format!("{name}.txt"))
}
