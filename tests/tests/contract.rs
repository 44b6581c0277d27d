//! The contract's data is in order, its pages are fresh, and the list of facts that wait for their row is exact.

use oleander_tests::contract::{Contract, Evidence, Ids, RENEW, Section, WAITING, check, pages, rules, waiting};
use oleander_tests::expect::Expectations;
use oleander_tests::observed::Observed;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

fn contract() -> (Contract, Evidence) {
    let contract = Contract::read(root()).unwrap_or_else(|error| panic!("{error}"));
    let evidence = Evidence::read(root()).unwrap_or_else(|error| panic!("{error}"));
    (contract, evidence)
}

#[test]
fn every_fact_is_in_order() {
    let (contract, evidence) = contract();
    let wrong = check(root(), &contract, &evidence);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_pages_are_fresh() {
    let (contract, evidence) = contract();
    for (path, text) in pages(&contract, &evidence) {
        let there = fs::read_to_string(root().join(&path)).unwrap_or_default();
        assert!(there == text, "{path} is stale: `{RENEW}` writes it anew");
    }
}

#[test]
fn the_list_of_facts_without_a_row_is_exact() {
    let (contract, evidence) = contract();
    let list = fs::read_to_string(root().join(WAITING)).expect("the list is there");
    let listed: Vec<&str> = list.lines().collect();
    let waiting = waiting(&contract, &evidence);
    let without: Vec<_> = waiting.iter().filter(|id| !listed.contains(id)).collect();
    assert!(without.is_empty(), "no row, and no `no_row` in tests/contract/, for {without:?}");
    let done: Vec<_> = listed.iter().filter(|id| !waiting.contains(id)).collect();
    assert!(done.is_empty(), "{done:?} need not wait in {WAITING}: `{RENEW}` takes them off");
}

/// The texts below a folder that may cite facts.
fn citing(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let ends = |ending: &str| entry.extension().is_some_and(|it| it == ending);
        if entry.is_dir() && !entry.ends_with("target") {
            citing(&entry, found);
        } else if ["rs", "md", "h", "cpp"].into_iter().any(ends) {
            found.push((entry.clone(), fs::read_to_string(&entry).expect("text is UTF-8")));
        }
    }
}

/// The ids in a text: in words, `CALL-14`, and as the beginnings of names, `fn call_14_cxl_07_…`.
fn cited(text: &str) -> Vec<String> {
    let is_number = |part: &str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter_map(|word| {
        let (name, number) = word.split_once('-')?;
        is_number(number).then(|| format!("{name}-{number}"))
    });
    let names = text.split("fn ").skip(1).flat_map(|name| {
        let parts: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let pairs = parts.chunks_exact(2).take_while(|pair| is_number(pair[1]));
        pairs.map(|pair| format!("{}-{}", pair[0].to_uppercase(), pair[1])).collect::<Vec<_>>()
    });
    words.chain(names).collect()
}

#[test]
fn every_fact_that_is_cited_is_there() {
    assert_eq!(cited("(CALL-14, X-1) 2026-11-28 fn cxl_07_msg_12_of_2()"), ["CALL-14", "CXL-07", "MSG-12"]);
    let (contract, _) = contract();
    let ids: BTreeSet<&str> = contract.facts().map(|fact| fact.id.as_str()).collect();
    let families: BTreeSet<&str> = ids.iter().filter_map(|id| id.split_once('-')).map(|(family, _)| family).collect();
    let mut texts = Vec::new();
    for folder in ["core", "sim", "tests", "benches", "fuzz", "docs/src"] {
        citing(&root().join(folder), &mut texts);
    }
    let (mut seen, mut wrong) = (0, Vec::new());
    for (path, text) in &texts {
        for id in cited(text) {
            let family = id.split_once('-').expect("an id").0;
            if families.contains(family) {
                seen += 1;
                if !ids.contains(id.as_str()) {
                    wrong.push(format!("{}: there is no {id}", path.display()));
                }
            }
        }
    }
    assert!(seen > 2000, "the citations are found: {seen}");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The names of interfaces and classes that a text has between its backticks.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let is_one = |word: &&str| {
        let word = word.strip_prefix("Async").unwrap_or(word);
        let is_interface = word.starts_with('I') && word.chars().nth(1).is_some_and(char::is_uppercase);
        (is_interface && word.contains(char::is_lowercase)) || word.starts_with("CLSID_")
    };
    text.split('`').skip(1).step_by(2).filter(|word| !word.contains(':')).filter(is_one)
}

#[test]
fn every_interface_is_declared() {
    let (contract, _) = contract();
    let folder = root().join("core/ffi/include/oleander");
    let header: String = fs::read_dir(folder)
        .expect("the header is there")
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let words: BTreeSet<&str> = header.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let section = contract.sections.iter().find(|section| section.name == "interfaces").expect("a section");
    let mut seen = 0;
    for fact in &section.facts {
        let absent: Vec<_> = names(&fact.says).filter(|name| !words.contains(name)).collect();
        seen += names(&fact.says).count();
        assert!(absent.is_empty(), "{}: not declared: {absent:?}", fact.id);
    }
    assert!(seen > 40, "the names are found: {seen}");
}

/// What is wrong with one made-up fact, beside a made-up row of `X-1`.
#[track_caller]
fn wrong(fact: &str, row: &str, required: &Ids) -> Vec<String> {
    let head = "title = \"t\"\n[[fact]]\nid = \"X-2\"\nsays = \"s\"\nknown = \"implied\"\nsource = []\n";
    let section: Section = toml::from_str(&format!("{head}[[fact]]\nid = \"X-1\"\nsays = \"s\"\n{fact}")).unwrap();
    let contract = Contract { sections: vec![section], sources: Vec::new() };
    let rows = oleander_tests::case::parse("x.rows", row).unwrap_or_else(|errors| panic!("{errors:?}"));
    let list = || Expectations::parse("runs = true").unwrap();
    let evidence = Evidence::of_parts(rows.into_iter().map(Arc::new).collect(), [list(), list(), list()]);
    rules(root(), &contract, &evidence, required)
}

const ROW: &str = "row X-1 t\n mta a\n a GetLastError -> 0\n";
const IMPLIED: &str = "known = \"implied\"\n";

#[test]
fn a_reason_without_a_test_says_that_there_is_nothing_to_see() {
    let none = Ids::default();
    let of = |words: &str| wrong(&format!("{IMPLIED}{words}"), "", &none);
    assert!(of("no_row = \"not applicable: made up\"").is_empty());
    assert!(of("no_row = \"nothing to observe: made up\"").is_empty());
    assert_eq!(of("no_row = \"it is long\"").len(), 1, "why is nothing shown?");
    let test = "shown_by = [\"tests/tests/contract.rs: a_reason_without_a_test_says_that_there_is_nothing_to_see\"]";
    assert!(of(&format!("no_row = \"it is long\"\n{test}")).is_empty());
    assert_eq!(
        of("shown_by = [\"tests/tests/contract.rs: not_there\"]"),
        ["X-1: no test `tests/tests/contract.rs: not_there`"]
    );
}

#[test]
fn what_has_a_row_does_not_say_that_it_has_none() {
    let none = Ids::default();
    assert!(wrong(IMPLIED, ROW, &none).is_empty());
    let silent = format!("{IMPLIED}no_row = \"not applicable: made up\"");
    assert_eq!(wrong(&silent, ROW, &none), ["X-1: has the row X-1, and says `no_row`"]);
}

#[test]
fn ids_that_must_be_there_are_and_rows_name_the_cases() {
    let ids = |facts: &[&str], cases: &[&str]| Ids {
        facts: facts.iter().map(ToString::to_string).collect(),
        cases: cases.iter().map(ToString::to_string).collect(),
    };
    assert!(wrong(IMPLIED, ROW, &ids(&["X-2"], &["X-1"])).is_empty());
    assert_eq!(wrong(IMPLIED, ROW, &ids(&["X-3"], &[])), ["X-3: is not in the contract"]);
    assert_eq!(wrong(IMPLIED, ROW, &ids(&[], &["X-2"])), ["X-2: no row names the case, and it has no `no_row`"]);
}

#[test]
fn what_windows_gave_is_a_column_of_its_own() {
    let (contract, evidence) = contract();
    let observe = |change: fn(&str) -> Option<&str>| {
        let results = evidence.rows().iter().filter_map(|row| Some((row.id.clone(), change(&row.id)?.to_owned())));
        Observed { system: "Windows 10.0.1".to_owned(), rows: results.collect() }
    };
    let page = |observed: Observed| {
        let evidence = Evidence::read(root()).unwrap_or_else(|error| panic!("{error}")).with(observed);
        let pages = pages(&contract, &evidence);
        let page = pages.into_iter().find(|(path, _)| path.ends_with("contract/waits.md")).expect("a page");
        let line = page.1.lines().find(|line| line.starts_with("| WAIT-07 ")).expect("the fact").to_owned();
        (page.1.contains(" | Wine | Windows 10.0.1 |\n"), line)
    };
    let (has_heading, line) = page(observe(|_| Some("passes")));
    assert!(has_heading && line.ends_with(" | passes |"), "{line}");
    let (_, line) = page(observe(|id| Some(if id == "WAIT-07.2" { "line 9: got S_FALSE" } else { "passes" })));
    assert!(line.ends_with(" | diverges: line 9: got S_FALSE |"), "{line}");
    let (_, line) = page(observe(|id| (id != "WAIT-07.2").then_some("passes")));
    assert!(line.ends_with(" | not run |"), "a row was not played: {line}");
}

#[test]
fn facts_do_not_leave_it_to_each_other() {
    let circle = format!("{IMPLIED}same = [\"X-1\"]");
    assert_eq!(wrong(&circle, "", &Ids::default()), ["X-1: `same` leads back to it"]);
}

#[test]
fn a_row_with_several_outcomes_is_explored() {
    let several = "row X-1 t\n mta a\n a GetLastError -> 0 or 1\n";
    let expected = ["row X-1: lists several outcomes, and is not explored (`explore`)"];
    assert_eq!(wrong(IMPLIED, several, &Ids::default()), expected);
}
