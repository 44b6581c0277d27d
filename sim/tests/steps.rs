//! Step programs as tests check them: a failure prints the line that replays it, and threads that go round in circles are
//! named.

use oleander_sim::steps::{Program, Step, Then};
use oleander_sim::{Builder, End, REPLAY_VARIABLE, Strategy, TokenError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

/// What two threads have read of a number, and the number.
type Sum = [u32; 3];

/// Two threads add to a number without a lock; a third sees whether an addition is lost, when both have ended.
fn lost_update() -> Program<Sum> {
    let mut program = Program::new([0; 3]);
    for i in 0..2 {
        let read = move |s: &mut Sum| {
            s[i] = s[2];
            Then::Next
        };
        let write = move |s: &mut Sum| {
            s[2] = s[i] + 1;
            Then::Next
        };
        program.thread(&format!("adder {i}"), [Step::new(read).reads(2), Step::new(write).writes(2)]);
    }
    let look = |s: &mut Sum| if s[2] == 2 { Then::Next } else { Then::Bug("an addition is lost") };
    program.thread("look", [Step::join(0), Step::join(1), Step::new(look).reads(2)]);
    program
}

/// What a check of it panics with.
fn words_of(check: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(check)).unwrap_err().downcast::<String>().expect("words")
}

/// The token in the line that a failure prints.
fn printed(words: &str) -> &str {
    let (_, line) = words.split_once("replay: program.replay(\"").unwrap_or_else(|| panic!("{words}"));
    line.split_once("\")").expect("the line ends").0
}

#[test]
fn a_failure_prints_the_line_that_replays_it() {
    let program = lost_update();
    for strategy in
        [Strategy::Exhaustive, Strategy::Dfs, Strategy::PreemptionBound(1), Strategy::Random, Strategy::Pct(2)]
    {
        let builder = Builder::new().strategy(strategy).seed(1);
        let failure = program.check_each(&builder, |_, _| ()).failure.expect("it fails");
        let words = words_of(|| program.check(&builder));
        assert!(words.contains("an addition is lost") && words.contains("picture: "), "{strategy:?}: {words}");
        assert!(failure.page.contains("program.replay("), "{strategy:?}");
        let token = printed(&words);
        assert!(words.contains(&format!("OLEANDER_REPLAY='{token}' cargo test")), "{words}");
        let again = program.try_replay(token).expect("the token is of this program");
        assert_eq!((&again.end, again.trace_hash), (&failure.report.end, failure.report.trace_hash), "{strategy:?}");
        assert!(words_of(|| program.replay(token)).contains("an addition is lost"));
    }
}

#[test]
fn objects_are_shown_by_the_programs_own_numbers() {
    let mut program = Program::new(());
    let bug = |(): &mut ()| Then::Bug("the end");
    program
        .thread("one", [Step::new(|()| Then::Next), Step::new(|()| Then::Next).signals(7), Step::new(bug).writes(1)]);
    program.thread("other", [Step::new(|()| Then::Next).when(|()| false).posts(1, 5)]);
    let failure = program.check_each(&Builder::new(), |_, _| ()).failure.expect("it has a bug");
    for said in ["changes everything", "signals event 7", "changes object 1"] {
        assert!(failure.timeline.contains(said), "{}", failure.timeline);
    }
}

#[test]
fn a_token_without_choices_is_the_default_schedule() {
    let program = lost_update();
    let token = program.check_each(&Builder::new(), |_, _| ()).failure.expect("it fails").token.to_string();
    let default = &token[..token.rfind(':').expect("choices come last") + 1];
    program.replay(default);
}

#[test]
fn the_token_of_another_program_is_refused() {
    let mut other = lost_update();
    let token = other.check_each(&Builder::new(), |_, _| ()).failure.expect("it fails").token.to_string();
    other.thread("one more", [Step::new(|_| Then::Next).alone()]);
    let refused = other.try_replay(&token).unwrap_err();
    assert!(matches!(refused, TokenError::OtherScenario { .. }), "{refused}");
    assert!(words_of(|| other.replay(&token)).contains("another scenario"));
    assert!(matches!(other.try_replay("olx9:"), Err(TokenError::OtherVersion(_))));
}

#[test]
fn the_variable_replays_a_program() {
    if std::env::var_os(REPLAY_VARIABLE).is_some() {
        return lost_update().check(&Builder::new());
    }
    let token = lost_update().check_each(&Builder::new(), |_, _| ()).failure.expect("it fails").token.to_string();
    let run = |token: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.args(["the_variable_replays_a_program", "--exact", "--nocapture"]);
        let output = command.env(REPLAY_VARIABLE, token).output().expect("the test runs once more");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let words = run(&token);
    assert!(words.contains("an addition is lost") && !words.contains("explored"), "{words}");
    assert!(run("olx1:nonsense").contains("OLEANDER_REPLAY: "));
}

/// Who goes round in circles, in a program that is stopped after so many steps.
fn circling<S: Clone>(program: &Program<S>, steps_max: u64) -> Vec<String> {
    let checked = program.check_each(&Builder::new().steps_max(steps_max), |_, _| ());
    let failure = checked.failure.expect("it does not end");
    let again = program.try_replay(&failure.token.to_string()).expect("the token is of this program");
    assert_eq!(again.end, failure.report.end);
    match failure.report.end {
        End::StepLimit { circling } => circling,
        other => panic!("{other}"),
    }
}

#[test]
fn a_thread_that_polls_for_ever_is_named_and_what_it_does() {
    let mut program = Program::new(());
    program.thread("waits", [Step::new(|()| Then::Again).reads(0)]);
    program.thread("never", [Step::new(|()| Then::Next).when(|()| false).reads(1)]);
    let circling = circling(&program, 250);
    assert_eq!(circling.len(), 1, "who took none of the last steps is not in a circle: {circling:?}");
    assert_eq!(circling[0], "'waits' took 100 of the last 100: looks at object 0 (100\u{d7})");
}

#[test]
fn two_threads_that_wake_each_other_for_ever_are_both_named() {
    let mut program = Program::new(0);
    for me in 0..2 {
        let pass = move |turn: &mut usize| {
            *turn = 1 - me;
            Then::Again
        };
        let step = Step::new(pass).when(move |turn| *turn == me).writes(0);
        program.thread(&format!("player {me}"), [step]);
    }
    let circling = circling(&program, 200);
    let starts = circling.iter().map(|line| line.split(':').next().unwrap_or_default());
    assert!(starts.eq(["'player 0' took 50 of the last 100", "'player 1' took 50 of the last 100"]), "{circling:?}");
}

#[test]
fn of_one_thread_six_things_are_said_and_how_many_there_are_beside() {
    for (objects, said, rest) in [(6, 6, None), (7, 6, Some("and 1 other thing")), (9, 6, Some("and 3 other things"))] {
        let mut program = Program::new(());
        let once = (0..objects - 1).map(|i| Step::new(|()| Then::Next).writes(i));
        let for_ever = Step::new(|()| Then::Again).writes(objects);
        program.thread("busy", once.chain([for_ever]));
        let circling = circling(&program, 40);
        let words = circling[0].strip_prefix("'busy' took 40 of the last 40: ").expect("all steps are its own");
        let things: Vec<_> = words.split(", ").collect();
        let told = things.iter().filter(|thing| thing.starts_with("changes object ")).count();
        assert_eq!(told, said, "{circling:?}");
        assert_eq!(things.get(told).copied(), rest, "{circling:?}");
    }
}
