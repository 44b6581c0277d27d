//! The contract's data is in order, its pages are fresh, and the list of facts that wait for their row is exact.

use oleander_tests::contract::{Contract, Evidence, RENEW, WAITING, check, pages, waiting};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
fn an_interface_is_declared_unless_it_is_missing() {
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
        assert_eq!(fact.missing, !absent.is_empty(), "{}: `missing`, and not declared: {absent:?}", fact.id);
    }
    assert!(seen > 40, "the names are found: {seen}");
}
