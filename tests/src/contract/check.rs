//! The rules of the data: what a fact must have, and that what it names is there.

use super::data::{Contract, Fact, Ids, Known};
use super::evidence::{Evidence, facts_of};
use crate::case::{Row, What};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// How the reason of a fact begins that nothing shows: no program could see it, or it is about something else.
const SILENT: [&str; 2] = ["nothing to observe", "not applicable"];

/// Everything that is not in order, one a line; `root` is the workspace.
#[must_use]
pub fn check(root: &Path, contract: &Contract, evidence: &Evidence) -> Vec<String> {
    let mut wrong = match Ids::read(root) {
        Ok(ids) => rules(root, contract, evidence, &ids),
        Err(error) => vec![error],
    };
    wrong.extend(strangers(root, contract));
    wrong
}

/// What is not in order in the facts and their evidence. `ids` are those that must be there; files and tests are looked for
/// below `root`.
#[must_use]
pub fn rules(root: &Path, contract: &Contract, evidence: &Evidence, required: &Ids) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for fact in contract.facts() {
        if !ids.insert(fact.id.as_str()) {
            wrong.push(format!("{}: is there twice", fact.id));
        }
    }
    let keys: BTreeSet<_> = contract.sources.iter().map(|source| source.key.as_str()).collect();
    for fact in contract.facts() {
        let complaints = of_form(fact)
            .into_iter()
            .chain(
                fact.source.iter().filter(|key| !keys.contains(key.as_str())).map(|key| format!("no source `{key}`")),
            )
            .chain(fact.same.iter().filter(|id| !ids.contains(id.as_str())).map(|id| format!("there is no {id}")))
            .chain(fact.place.iter().filter(|path| !root.join(path).is_file()).map(|path| format!("no file `{path}`")))
            .chain(of_rows(contract, fact, evidence))
            .chain(fact.shown_by.iter().filter(|test| !is_there(root, test)).map(|test| format!("no test `{test}`")));
        wrong.extend(complaints.map(|what| format!("{}: {what}", fact.id)));
    }
    for row in evidence.rows() {
        let strays = facts_of(row).filter(|id| !ids.contains(id));
        wrong.extend(strays.map(|id| format!("row {}: there is no fact {id}", row.id)));
    }
    wrong.extend(evidence.stray_divergences(&ids));
    let all = required.facts.iter().chain(&required.cases);
    wrong.extend(all.filter(|id| !ids.contains(id.as_str())).map(|id| format!("{id}: is not in the contract")));
    wrong.extend(circles(contract));
    wrong.extend(cases_without_row(contract, evidence, &required.cases));
    wrong.extend(
        evidence
            .rows()
            .iter()
            .filter(|row| !row.explored && lists_several(row))
            .map(|row| format!("row {}: lists several outcomes, and is not explored (`explore`)", row.id)),
    );
    wrong
}

/// What a fact must have by itself.
fn of_form(fact: &Fact) -> Vec<String> {
    let mut wrong = Vec::new();
    if fact.says.trim().is_empty() {
        wrong.push("says nothing".to_owned());
    }
    let chosen = fact.known == Known::Chosen;
    if chosen && fact.because.is_none() {
        wrong.push("is chosen without `because`".to_owned());
    }
    if chosen && fact.place.is_empty() {
        wrong.push("is chosen without `place`".to_owned());
    }
    if !chosen && fact.known != Known::Implied && fact.source.is_empty() {
        wrong.push("is known without `source`".to_owned());
    }
    let is_silent = |reason: &String| SILENT.iter().any(|begin| reason.starts_with(begin));
    if fact.shown_by.is_empty() && fact.no_row.as_ref().is_some_and(|reason| !is_silent(reason)) {
        wrong.push(format!("`no_row` without `shown_by` begins with one of {SILENT:?}"));
    }
    wrong
}

/// A reason against rows beside a row; neither a row nor a reason. What is only implied, or what other facts say too, may be
/// shown by a test instead.
fn of_rows(contract: &Contract, fact: &Fact, evidence: &Evidence) -> Option<String> {
    let no_row = fact.no_row.is_some();
    if let Some(row) = evidence.own_rows(fact).first() {
        return no_row.then(|| format!("has the row {}, and says `no_row`", row.id));
    }
    let may_be_tested = fact.known == Known::Implied || !fact.same.is_empty();
    let is_tested = may_be_tested && !Evidence::tests_of(contract, fact).is_empty();
    let is_shown = no_row || is_tested || !evidence.rows_of(fact).is_empty();
    (!is_shown).then(|| "no row shows it, and no `no_row` says why".to_owned())
}

/// Facts that leave what shows them to others, and these to them.
fn circles(contract: &Contract) -> Vec<String> {
    let facts: BTreeMap<&str, &Fact> = contract.facts().map(|fact| (fact.id.as_str(), fact)).collect();
    let leads_back = |fact: &Fact| {
        let (mut seen, mut todo) = (BTreeSet::new(), fact.same.iter().collect::<Vec<_>>());
        while let Some(id) = todo.pop() {
            if *id == fact.id {
                return true;
            }
            if seen.insert(id) {
                todo.extend(facts.get(id.as_str()).iter().flat_map(|fact| &fact.same));
            }
        }
        false
    };
    contract
        .facts()
        .filter(|fact| leads_back(fact))
        .map(|fact| format!("{}: `same` leads back to it", fact.id))
        .collect()
}

/// The cases that no row names, and whose entries give no reason for that.
fn cases_without_row(contract: &Contract, evidence: &Evidence, cases: &[String]) -> Vec<String> {
    let is_named = |fact: &Fact| fact.no_row.is_some() || !evidence.own_rows(fact).is_empty();
    let unnamed = contract.facts().filter(|fact| cases.contains(&fact.id) && !is_named(fact));
    unnamed.map(|fact| format!("{}: no row names the case, and it has no `no_row`", fact.id)).collect()
}

/// Whether more than one outcome of a row is right.
fn lists_several(row: &Row) -> bool {
    row.steps.iter().any(|step| match &step.what {
        What::Do(_, _, action) | What::Inside(_, action) => action.expected.ways.len() > 1,
        What::Finish(_, expected) => expected.ways.len() > 1,
        What::Log(ways) => ways.len() > 1,
        _ => false,
    })
}

/// Whether `FILE: FUNCTION` is there.
fn is_there(root: &Path, test: &str) -> bool {
    let Some((file, name)) = test.split_once(": ") else { return false };
    fs::read_to_string(root.join(file)).is_ok_and(|text| text.contains(&format!("fn {name}(")))
}

/// Files of facts that no list names: nobody would read them.
fn strangers(root: &Path, contract: &Contract) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join("tests/contract")) else { return vec!["no tests/contract".to_owned()] };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let known = |name: &str| name == "index" || contract.sections.iter().any(|section| section.name == name);
    let mut strangers: Vec<_> =
        names.filter(|name| name.strip_suffix(".toml").is_some_and(|name| !known(name))).collect();
    strangers.sort();
    strangers.iter().map(|name| format!("tests/contract/{name}: not in index.toml")).collect()
}
