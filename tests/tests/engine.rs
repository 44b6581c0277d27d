//! The engine of the rows: that it sees what is wrong, on both backends.

use oleander_tests::backend::Kind;
use oleander_tests::case::{Row, parse};
use oleander_tests::expect::Expectations;
use std::collections::BTreeSet;
use std::sync::Arc;

#[track_caller]
fn row(text: &str) -> Arc<Row> {
    let mut rows = parse("x.rows", text).unwrap_or_else(|errors| panic!("{errors:?}"));
    Arc::new(rows.remove(0))
}

/// Plays a row that is wrong, and gives the line and what is said of it.
#[track_caller]
fn fails(backend: Kind, text: &str) -> (usize, String) {
    let failure = backend.play(&row(text)).expect_err("the row is wrong");
    (failure.line, failure.what)
}

#[track_caller]
fn fails_everywhere(text: &str, line: usize, what: &str) {
    for backend in [Kind::Host, Kind::Sim] {
        let (at, said) = fails(backend, text);
        assert_eq!(at, line, "{backend:?}: {said}");
        assert!(said.contains(what), "{backend:?}: {said}");
    }
}

#[test]
fn a_wrong_result_is_shown_with_its_name() {
    let head = "row X-1 t\n mta a\n a CreateEvent TRUE TRUE = e\n";
    fails_everywhere(&format!("{head} a DuplicateHandle e -> TRUE e\n"), 4, "got TRUE handle:");
    fails_everywhere(&format!("{head} a CoWaitForMultipleHandles DEFAULT 0 [e] -> S_OK 1\n"), 4, "got S_OK 0");
}

#[test]
fn a_step_without_expectation_must_succeed() {
    let text = "row X-1 t\n bare a\n a CoUninitialize\n a SetEvent 5\n a GetLastError -> 0\n";
    fails_everywhere(text, 4, "got FALSE 6");
}

#[test]
fn a_step_that_should_block_must_block() {
    let text = "row X-1 t\n mta a\n gate g\n open g\n a > WaitForSingleObject g INFINITE\n a < -> OBJECT_0\n";
    fails_everywhere(text, 5, "expected to block, but it ended: 0");
}

#[test]
fn time_is_exact_in_the_simulator() {
    let text = "row X-1 t\n mta a\n gate g\n a WaitForSingleObject g 20 -> TIMEOUT took 10\n";
    Kind::Host.play(&row(text)).expect("at least as long");
    assert!(fails(Kind::Sim, text).1.contains("expected to take 10 ms, took 20 ms"));
    let longer = text.replace("took 10", "took 3000");
    assert!(fails(Kind::Host, &longer).1.contains("expected to take 3000 ms, took 2"));
}

#[test]
fn what_is_logged_is_compared_in_order() {
    let text = "row X-1 t\n mta a\n a say one\n a say two\n log two one\n";
    fails_everywhere(text, 5, "got log one two");
    fails_everywhere(&text.replace("log two one", "log -"), 5, "got log one two");
    Kind::Host.play(&row(&text.replace("log two one", "log two one or one two"))).expect("one of the orders");
}

#[test]
fn a_method_that_is_wrong_inside_fails_the_row() {
    let text = "row X-1 t\n mta s ; sta c\n s new Sample = o\n c import o = p\n o.Work CoTestCancel -> S_OK\n c Work p 1 -> S_OK\n";
    fails_everywhere(text, 5, "got RPC_");
}

#[test]
fn every_alternative_of_an_explored_row_must_come_true() {
    let text = "row X-1 t\n explore\n mta a ; mta b\n a CreateEvent FALSE TRUE = e\n a & WaitForSingleObject e 0\n \
                b & WaitForSingleObject e 0\n a < -> OBJECT_0 or TIMEOUT\n b < -> OBJECT_0 or TIMEOUT\n";
    for backend in [Kind::Host, Kind::Sim] {
        backend.play(&row(text)).unwrap_or_else(|failure| panic!("{backend:?}: {failure:?}"));
    }
    let more = text.replace("b < -> OBJECT_0 or", "b < -> OBJECT_0 or ABANDONED_0 or");
    Kind::Host.play(&row(&more)).expect("one of them");
    let (line, what) = fails(Kind::Sim, &more);
    assert!(line == 8 && what.starts_with("alternative 2 never came true, in "), "{line}: {what}");
    let fewer = text.replace("b < -> OBJECT_0 or TIMEOUT", "b < -> OBJECT_0");
    assert_eq!(fails(Kind::Sim, &fewer).1, "got 258 0");
}

#[test]
fn what_is_left_behind_fails_the_row() {
    let text = "row X-1 t\n mta a\n a CoCreateInstance ManualResetEvent = e\n a AddRef e -> 2\n a Release e -> 1\n";
    for backend in [Kind::Host, Kind::Sim] {
        backend.play(&row(text)).unwrap_or_else(|failure| panic!("{backend:?}: {failure:?}"));
    }
    let text = "row X-1 t\n mta a\n a CreateEvent TRUE TRUE = e\n a leak e -> TRUE\n";
    fails_everywhere(text, 1, "left behind: 0 objects, 1 handles");
}

#[test]
fn a_failure_shows_the_row_and_how_to_run_it() {
    let row = row("row X-1 a title\n\n bare a # who\n a GetLastError -> 7\n");
    let failure = Kind::Sim.play(&row).expect_err("wrong");
    let lines: Vec<_> = [
        "tests/cases/x.rows:4: on sim",
        "   row X-1 a title",
        "    bare a # who",
        ">>  a GetLastError -> 7",
        "got 0",
        "alone: cargo run -p oleander-tests -- --id X-1 --backend sim",
    ]
    .into();
    assert_eq!(failure.explain(&row, "sim").lines().collect::<Vec<_>>(), lines);
}

#[test]
fn an_actor_that_dispatches_nothing_serves_no_call() {
    let text = "row X-1 t\n sta s still ; sta c\n s new Sample = o\n c import o = p\n c > Work p 1\n log -\n s dispatch -> _\n c < -> S_OK 2\n";
    for backend in [Kind::Host, Kind::Sim] {
        backend.play(&row(text)).unwrap_or_else(|failure| panic!("{backend:?}: {failure:?}"));
    }
}

/// A row that passes, and one that gives `S_FALSE` where it says `S_OK`.
const GOOD: &str = "row X-1 t\n mta a\n a CoInitializeEx MULTITHREADED -> S_FALSE\n";
const BAD: &str = "row X-1 t\n mta a\n a CoInitializeEx MULTITHREADED -> S_OK\n";

fn listed(differs: &str) -> Expectations {
    let entry = format!("rows = [\"X-1\"]\ndiffers = \"{differs}\"\nreason = \"made up\"\nrests_on = [\"APT-02\"]\n");
    Expectations::parse(&format!("[[diverges]]\n{entry}")).expect("a list")
}

#[track_caller]
fn judged(list: &Expectations, text: &str) -> Result<(), String> {
    let row = row(text);
    let came = [Kind::Host, Kind::Sim].map(|backend| list.judge(&row, backend.play(&row)).map_err(|it| it.what));
    let [host, sim] = came;
    assert_eq!(host, sim);
    host
}

#[test]
fn a_row_that_is_listed_must_fail_in_the_listed_way() {
    assert_eq!(judged(&listed("got S_FALSE"), BAD), Ok(()));
    let other = judged(&listed("got E_FAIL"), BAD).expect_err("it gives something else");
    assert_eq!(other, "diverges in another way than is listed (`got E_FAIL`): got S_FALSE");
    let passed = judged(&listed("got S_FALSE"), GOOD).expect_err("an unexpected pass");
    assert_eq!(passed, "passes, and is listed to diverge (`got S_FALSE`): take it off the list");
}

#[test]
fn a_row_that_races_may_pass_or_fail_in_the_listed_way() {
    let entry =
        "rows = [\"X-1\"]\nraces = true\ndiffers = \"got S_FALSE\"\nreason = \"made up\"\nrests_on = [\"APT-02\"]\n";
    let list = Expectations::parse(&format!("[[diverges]]\n{entry}")).expect("a list");
    assert_eq!((judged(&list, BAD), judged(&list, GOOD)), (Ok(()), Ok(())));
    let other = judged(&list, &BAD.replace("S_OK", "E_FAIL").replace("CoInitializeEx MULTITHREADED", "SetEvent 5"));
    assert_eq!(other, Err("diverges in another way than is listed (`got S_FALSE`): got FALSE 6".to_owned()));
}

#[test]
fn a_row_that_is_not_listed_must_pass() {
    let empty = Expectations::parse("").expect("a list");
    assert_eq!(judged(&empty, GOOD), Ok(()));
    assert_eq!(judged(&empty, BAD), Err("got S_FALSE".to_owned()));
    let others = listed("got S_FALSE");
    assert_eq!(judged(&others, &BAD.replace("X-1", "X-1.2")), Err("got S_FALSE".to_owned()), "an id is the whole id");
}

#[test]
fn a_list_names_rows_and_facts_that_are_there() {
    let (list, known) = (listed("got S_FALSE"), row(GOOD));
    let facts = BTreeSet::from(["APT-02"]);
    assert!(list.strays([&*known].into_iter(), Some(&facts)).is_empty());
    assert_eq!(list.strays(std::iter::empty(), Some(&facts)), ["there is no row X-1"]);
    let none = BTreeSet::new();
    assert_eq!(
        list.strays([&*known].into_iter(), Some(&none)),
        ["the entry of X-1 rests on APT-02, which is not there"]
    );
}

#[test]
fn an_entry_is_for_all_rows_that_use_something() {
    let list = |words: &str| {
        let entry = "differs = [\"got E_FAIL\", \"got S_FALSE\"]\nreason = \"made up\"\nrests_on = [\"APT-02\"]\n";
        Expectations::parse(&format!("[[diverges]]\n{words}\n{entry}")).expect("a list")
    };
    let strays = |list: &Expectations| list.strays([&*row(BAD)].into_iter(), None);
    for word in ["mta", "CoInitializeEx"] {
        let list = list(&format!("uses = [\"{word}\"]"));
        assert_eq!(judged(&list, BAD), Ok(()), "{word}");
        assert!(judged(&list, GOOD).is_err_and(|what| what.contains("(`got E_FAIL` or `got S_FALSE`)")), "{word}");
        assert!(strays(&list).is_empty(), "{word}");
    }
    let other = list("uses = [\"sta\"]");
    assert_eq!((judged(&other, GOOD), strays(&other)), (Ok(()), vec!["no row uses `sta`".to_owned()]));
    let but = list("uses = [\"mta\"]\nbut = [\"X-1\"]");
    assert_eq!((judged(&but, GOOD), strays(&but)), (Ok(()), Vec::new()));
    let idle = list("uses = [\"CreateCall\"]\nbut = [\"X-1\"]");
    assert_eq!(strays(&idle), ["no row uses `CreateCall`", "`but` names X-1, which is no row that uses it"]);
    let objects = row("row X-1 t\n na a ; sta b still\n a new Sample = o\n o.Work say x\n a count o -> 1\n");
    let expected = ["Sample", "count", "na", "new", "new Sample", "say", "sta"].map(str::to_owned);
    assert_eq!(objects.uses(), expected.into_iter().skip(1).collect());
}

#[test]
fn an_entry_says_everything_and_once() {
    let entry = "[[diverges]]\nrows = [\"X-1\"]\ndiffers = \"got 1\"\nreason = \"made up\"\nrests_on = [\"APT-02\"]\n";
    let parse = |text: &str| Expectations::parse(text).map(drop);
    assert_eq!((parse(entry), parse("")), (Ok(()), Ok(())));
    assert!(parse(&entry.repeat(2)).is_err_and(|error| error.contains("is there twice")));
    for part in ["X-1", "got 1", "made up", "\"APT-02\""] {
        assert!(parse(&entry.replace(part, "")).is_err_and(|error| error.contains("leaves something empty")), "{part}");
    }
    assert!(parse(&entry.replace("reason", "because")).is_err());
    let wide = entry.replace("\"X-1\"", "\"X-1\", \"X-2\"").replace("\"got 1\"", "[\"got 1\", \"got 2\"]");
    assert!(parse(&wide).is_err_and(|error| error.contains("the rows `X-1, X-2` may differ in several ways")));
    assert_eq!(parse(&wide.replace("\nreason", "\nraces = true\nreason")), Ok(()));
}
