//! Reading rows: what they mean, and every error with its line.

use super::{How, What, Word, parse};
use crate::run::Value;
use oleander::S_OK;

const HEAD: &str = "row X-01 a title\n  mta a\n";

/// The errors of the steps below a head of two lines.
#[track_caller]
fn errors(steps: &str) -> Vec<(usize, String)> {
    let text = format!("{HEAD}{steps}");
    parse("x.rows", &text).expect_err("it is wrong").into_iter().map(|error| (error.line, error.what)).collect()
}

#[track_caller]
fn assert_error(steps: &str, line: usize, what: &str) {
    let found = errors(steps);
    assert!(found.iter().any(|(at, text)| *at == line && text.contains(what)), "{found:?}");
}

#[test]
fn a_row_is_its_head_and_its_steps() {
    let text = "# a comment\nrow X-01 [Y-2 Z-3] a title\n\n  sta a ; mta b # two\n  a > GetLastError = e\n  a < -> 0 or !5 took 7\n\
                \n  b SetLastError e\nrow X-02 t\n  bare a\n  a GetLastError -> SUCCESS\n";
    let rows = parse("x.rows", text).expect("it is right");
    assert_eq!(rows.len(), 2);
    let row = &rows[0];
    assert_eq!((row.id.as_str(), row.title.as_str(), row.line), ("X-01", "a title", 2));
    assert_eq!(row.also, ["Y-2", "Z-3"]);
    assert_eq!(row.lines, [2, 4, 5, 6, 8]);
    assert_eq!(row.steps.iter().map(|step| step.line).collect::<Vec<_>>(), [4, 4, 5, 6, 8]);
    let What::Do(who, how, action) = &row.steps[2].what else { panic!("a step of an actor") };
    assert_eq!((who.as_str(), *how, action.operation.name), ("a", How::Blocks, "GetLastError"));
    let What::Finish(_, expected) = &row.steps[3].what else { panic!("the end of a step") };
    assert_eq!(expected.took_ms, Some(7));
    let number = |number| Word::Constant(Value::Num(number));
    assert_eq!(expected.ways, [vec![number(0)], vec![Word::Not(Box::new(number(5)))]]);
    assert!(row.is_called("X-01") && row.is_called("Z-3") && !row.is_called("X-02"));
}

#[test]
fn constants_are_oleanders_own_with_or_without_their_prefix() {
    let text =
        format!("{HEAD}  a CoWaitForMultipleHandles WAITALL|COWAIT_ALERTABLE INFINITE [] -> S_OK WAIT_IO_COMPLETION\n");
    let rows = parse("x.rows", &text).expect("it is right");
    let What::Do(_, _, action) = &rows[0].steps[1].what else { panic!("a step of an actor") };
    let number = |number| Word::Constant(Value::Num(number));
    assert_eq!(action.arguments, [number(3), number(0xFFFF_FFFF), Word::List(Vec::new())]);
    assert_eq!(action.expected.ways, [vec![Word::Constant(Value::Hr(S_OK)), number(0xC0)]]);
}

#[test]
fn a_fact_stands_for_all_its_rows() {
    let rows = parse("x.rows", "row X-01.2 t\n  mta a\n  a GetLastError -> 0\n").expect("it is right");
    assert_eq!(rows[0].fact(), "X-01");
    assert!(rows[0].is_called("X-01") && rows[0].is_called("X-01.2") && !rows[0].is_called("X-01.3"));
}

#[test]
fn unknown_operations_and_names_are_errors() {
    assert_error("  a CoFoo -> S_OK\n", 3, "no operation `CoFoo`");
    assert_error("  a SetEvent e -> TRUE\n", 3, "`e` is neither a constant nor a name");
    assert_error("  b GetLastError -> 0\n", 3, "`b` is no actor");
    assert_error("  a GetLastError -> NOTHING\n", 3, "`NOTHING` is neither");
    assert_error("  a SetEvent e -> TRUE\n  a CreateEvent TRUE TRUE = e\n", 3, "`e` is made later");
    assert_error("  a import o = p\n", 3, "nobody has made `o`");
}

#[test]
fn unused_and_double_names_are_errors() {
    assert_error("  a CreateEvent TRUE TRUE -> !null\n  a CreateEvent TRUE TRUE = e\n", 4, "`e` is not used");
    assert_error("  gate g\n  gate g\n  open g\n", 4, "`g` is made a second time");
    assert_error("  gate TRUE\n", 3, "`TRUE` cannot be a name");
    let twice = "row X-01 t\n  mta a\n  a GetLastError -> 0\n";
    let found = parse("x.rows", &format!("{twice}{twice}")).expect_err("the same id");
    assert_eq!((found[0].line, found[0].what.contains("is there already")), (4, true), "{found:?}");
}

#[test]
fn arguments_and_results_are_counted() {
    assert_error("  a SetEvent -> TRUE\n", 3, "0 arguments for `SetEvent handle");
    assert_error("  a SetEvent 1 2 -> TRUE\n", 3, "2 arguments");
    assert_error("  a GetLastError -> 0 1\n", 3, "2 results are looked at, and there are 1");
    assert_error("  a GetLastError ->\n", 3, "nothing is expected");
    assert_error("  a WaitForMultipleObjects [ 1 TRUE 0 -> 0\n", 3, "`[` without `]`");
    assert_error("  a WaitForMultipleObjects ] TRUE 0 -> 0\n", 3, "`]` without `[`");
    assert_error("  a say \"open -> 0\n", 3, "a text without its end");
}

#[test]
fn a_row_expects_something_and_ends_what_it_begins() {
    assert_error("  a SetLastError 5\n", 1, "expects nothing");
    assert_error("  a > Sleep 5\n", 3, "never ends");
    assert_error("  a < -> 0\n", 3, "has begun nothing");
    assert_error("  a > Sleep 5\n  a GetLastError -> 0\n  a <\n", 4, "still busy");
    assert_error("  explore\n  a GetLastError -> 0\n", 1, "nothing in it races");
}

#[test]
fn lines_that_are_no_steps_are_errors() {
    assert_error("stray\n", 3, "a row is `row ID TITLE`");
    assert_error("a stray line\n", 3, "begins neither a row nor");
    assert_error("row X-02\n", 3, "without a title");
    assert_error("  a\n", 3, "an actor without an operation");
    assert_error("  mta b still\n", 3, "`mta NAME`");
    let found = parse("x.rows", "  mta a\n").expect_err("no row");
    assert_eq!((found[0].line, found[0].what.as_str()), (1, "a step before the first row"));
    assert_eq!(found[0].to_string(), "tests/cases/x.rows:1: a step before the first row");
}
