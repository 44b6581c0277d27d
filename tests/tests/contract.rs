//! The contract's data is in order, its pages are fresh, and what is cited is there.

use oleander_tests::contract::{Contract, Evidence, Ids, RENEW, Section, check, pages, rules};
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
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter_map(|word| {
        let (name, number) = word.split_once('-')?;
        is_number(number).then(|| format!("{name}-{number}"))
    });
    let names = text.split("fn ").skip(1).flat_map(|name| {
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
        cited_by_name(&name[..end])
    });
    words.chain(names).collect()
}

fn is_number(part: &str) -> bool {
    part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ids that a name begins with. A family may have several numbers: `wait_07_14_…`, `call_16_to_19_…`.
fn cited_by_name(name: &str) -> Vec<String> {
    let (mut ids, mut family, mut number) = (Vec::new(), String::new(), 0);
    let mut parts = name.split('_').peekable();
    while let Some(part) = parts.next() {
        let next = parts.peek().filter(|next| is_number(next)).map(|next| next.parse::<u32>().expect("digits"));
        match next {
            _ if is_number(part) && !family.is_empty() => {
                number = part.parse().expect("digits");
                ids.push(format!("{family}-{part}"));
            }
            // Those between: the last one is the next part.
            Some(last) if part == "to" => ids.extend((number + 1..last).map(|it| format!("{family}-{it:02}"))),
            Some(_) => family = part.to_uppercase(),
            None => break,
        }
    }
    ids
}

#[test]
fn every_fact_that_is_cited_is_there() {
    assert_eq!(cited("(CALL-14, X-1) 2026-11-28 fn cxl_07_msg_12_of_2()"), ["CALL-14", "CXL-07", "MSG-12"]);
    assert_eq!(cited("fn wait_07_14_rul_154_is() {}"), ["WAIT-07", "WAIT-14", "RUL-154"]);
    assert_eq!(cited("fn cxl_01_call_16_to_18_once(x_10: u8)"), ["CXL-01", "CALL-16", "CALL-17", "CALL-18"]);
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

/// What is wrong with one made-up fact, beside another that a test shows and a made-up row of `X-1`.
#[track_caller]
fn wrong(fact: &str, row: &str, required: &Ids) -> Vec<String> {
    let tested = format!("[[fact]]\nid = \"X-2\"\nsays = \"s\"\n{IMPLIED}{TEST}");
    let fact = format!("[[fact]]\nid = \"X-1\"\nsays = \"s\"\n{fact}");
    let section: Section = toml::from_str(&format!("title = \"t\"\n{tested}{fact}")).unwrap();
    let contract = Contract { sections: vec![section], sources: Vec::new() };
    let rows = oleander_tests::case::parse("x.rows", row).unwrap_or_else(|errors| panic!("{errors:?}"));
    let list = || Expectations::parse("").unwrap();
    let evidence = Evidence::of_parts(rows.into_iter().map(Arc::new).collect(), [list(), list(), list()]);
    rules(root(), &contract, &evidence, required)
}

const ROW: &str = "row X-1 t\n mta a\n a GetLastError -> 0\n";
const IMPLIED: &str = "known = \"implied\"\n";
const TEST: &str = "shown_by = [\"tests/tests/contract.rs: a_fact_has_a_row_or_a_reason\"]\n";

#[test]
fn a_reason_without_a_test_says_that_there_is_nothing_to_see() {
    let none = Ids::default();
    let of = |words: &str| wrong(&format!("{IMPLIED}{words}"), "", &none);
    assert!(of("no_row = \"not applicable: made up\"").is_empty());
    assert!(of("no_row = \"nothing to observe: made up\"").is_empty());
    assert_eq!(of("no_row = \"it is long\"").len(), 1, "why is nothing shown?");
    assert!(of(&format!("no_row = \"it is long\"\n{TEST}")).is_empty());
    assert_eq!(
        of("shown_by = [\"tests/tests/contract.rs: not_there\"]"),
        ["X-1: no test `tests/tests/contract.rs: not_there`"]
    );
}

#[test]
fn a_fact_has_a_row_or_a_reason() {
    let none = Ids::default();
    let missing = "X-1: no row shows it, and no `no_row` says why";
    assert_eq!(wrong(IMPLIED, "", &none), [missing]);
    assert!(wrong(&format!("{IMPLIED}{TEST}"), "", &none).is_empty(), "what is implied may have a test instead");
    assert!(wrong(&format!("{IMPLIED}same = [\"X-2\"]"), "", &none).is_empty(), "and so may what another says too");
    let known = "known = \"chosen\"\nbecause = \"made up\"\nplace = [\"Cargo.toml\"]\n";
    assert_eq!(wrong(&format!("{known}{TEST}"), "", &none), [missing], "what is more may not");
    assert!(wrong(known, ROW, &none).is_empty());
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
fn without_wine_its_column_never_passes() {
    let (contract, evidence) = contract();
    let column = |pages: &[(String, String)]| {
        let lines = pages.iter().flat_map(|(_, text)| text.lines());
        let cells = lines.filter(|line| line.starts_with("| ")).map(|line| line.replace("\\|", "/"));
        let rows: Vec<Vec<String>> =
            cells.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect();
        let facts =
            rows.into_iter().filter(|cells| cells.len() >= 8 && contract.facts().any(|fact| fact.id == cells[1]));
        facts.map(|mut cells| (cells.remove(6), cells)).unzip::<_, _, Vec<_>, Vec<_>>()
    };
    let (with, rest) = column(&pages(&contract, &evidence));
    let (without, same) = column(&pages(&contract, &evidence.without_wine()));
    assert_eq!(with.len(), contract.facts().count(), "each fact has its line");
    assert!(with.iter().any(|mark| mark == "passes") && with.iter().any(|mark| mark.starts_with("diverges: ")));
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(without, if with == "n/a" { "n/a" } else { "not run" });
    }
    assert!(rest == same, "the other columns are as they were");
}

#[test]
fn facts_do_not_leave_it_to_each_other() {
    let circle = format!("{IMPLIED}same = [\"X-1\"]\n{TEST}");
    assert_eq!(wrong(&circle, "", &Ids::default()), ["X-1: `same` leads back to it"]);
}

#[test]
fn a_row_with_several_outcomes_is_explored() {
    let several = "row X-1 t\n mta a\n a GetLastError -> 0 or 1\n";
    let expected = ["row X-1: lists several outcomes, and is not explored (`explore`)"];
    assert_eq!(wrong(IMPLIED, several, &Ids::default()), expected);
}
