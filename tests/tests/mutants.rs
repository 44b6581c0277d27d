//! The mutants' texts, tests and facts are there; `ci/mutants` runs them.

use oleander_tests::contract::Contract;
use oleander_tests::every_mutant::survivors::Survivors;
use oleander_tests::mutants;
use std::path::Path;

#[test]
fn every_mutant_finds_its_text_its_test_and_its_fact() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace");
    let all = mutants::read(root).unwrap_or_else(|error| panic!("{error}"));
    let contract = Contract::read(root).unwrap_or_else(|error| panic!("{error}"));
    let wrong = mutants::check(root, &all, &contract);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let by_hand = all.iter().filter(|mutant| mutant.test.is_some()).count();
    assert!(by_hand >= 60, "{by_hand} mutants of host tests");
}

#[test]
fn every_explained_survivor_is_still_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace");
    let list = Survivors::read(root).unwrap_or_else(|error| panic!("{error}"));
    let strays = list.strays(root);
    assert!(strays.is_empty(), "\n{}", strays.join("\n"));
    assert!(!list.rooms.is_empty(), "the gate tries nothing");
}
