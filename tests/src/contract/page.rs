//! The chapters of the book: one page a section, and the page that says how to read them.

use super::data::{Contract, Fact, Known, Section};
use super::evidence::{BACKENDS, Evidence, Mark};
use std::fmt::Write as _;

/// The pages that are not sections of behaviour, but lists that the first page shows.
const LISTS: [&str; 2] = ["disagreements", "traps"];

/// The pages as path, relative to the workspace's root, and text.
#[must_use]
pub fn pages(contract: &Contract, evidence: &Evidence) -> Vec<(String, String)> {
    let mut pages = vec![("docs/src/contract.md".to_owned(), first(contract, evidence))];
    for section in chapters(contract) {
        pages.push((format!("docs/src/contract/{}.md", section.name), chapter(contract, evidence, section)));
    }
    pages
}

fn chapters(contract: &Contract) -> impl Iterator<Item = &Section> {
    contract.sections.iter().filter(|section| !LISTS.contains(&section.name.as_str()))
}

const HEAD: &str = "<!-- Generated from tests/contract/, tests/cases/ and tests/expect/ by \
                    `cargo run -p oleander-tests -- --contract`: change those. -->\n";

const HOW_TO_READ: &str = "\
What Oleander does, one row for each behaviour that a caller can observe, how we know that COM does it, and what shows that
Oleander does. Rows of `tests/cases/` and tests cite the ids; a test's name begins with one (`call_14_begin_while_busy`).

How we know:

| word | meaning |
| --- | --- |
| documented | Microsoft's documentation, SDK headers, or articles by Microsoft's people or in its magazine say so |
| tested | a public conformance test that is also run on Windows asserts it, or it was measured there |
| wine | programs under Wine 8 showed it; what Windows does was not looked at |
| implied | it follows from a documented statement or sample, but is not said outright |
| chosen | the sources are silent or disagree: our choice. All of them are in [Choices](#choices), with reason and place |

What shows it, for each backend: real threads (*host*), the simulator (*simulated*), and the same rows against Wine's own
COM (*Wine*):

| mark | meaning |
| --- | --- |
| passes | its rows pass there |
| diverges | a row gives something else there, for the reason that is named |
| by test | a plain test shows it there: a layout, an id, or what no row can say |
| n/a | nothing that a program could observe; the row says why |
| not run | nothing of it runs there, or the run had no such backend |

Times are in milliseconds, except where *seconds* is written.
";

fn first(contract: &Contract, evidence: &Evidence) -> String {
    let mut text = format!("# The contract\n\n{HEAD}\n{HOW_TO_READ}");
    if let Some(system) = evidence.system() {
        line(
            &mut text,
            format_args!(
                "\nThe fourth column is what the same rows gave on {system}: observed there once, not judged."
            ),
        );
    }
    text += "\n## Sections\n\n| section | facts | by rows | by tests | n/a |\n| --- | --- | --- | --- | --- |\n";
    for section in chapters(contract) {
        let [facts, rows, tests, not_applicable] = counts(contract, evidence, section);
        let (title, name) = (&section.title, &section.name);
        line(
            &mut text,
            format_args!("| [{title}](contract/{name}.md) | {facts} | {rows} | {tests} | {not_applicable} |"),
        );
    }
    text += "\n\"The article\" is Jeff Prosise's on asynchronous calls; \"the posts\" are Raymond Chen's. Sources:\n\n";
    text += "| key | what |\n| --- | --- |\n";
    for source in &contract.sources {
        line(&mut text, format_args!("| {} | {} |", source.key, source.name));
    }
    choices(&mut text, contract);
    for section in contract.sections.iter().filter(|section| LISTS.contains(&section.name.as_str())) {
        line(&mut text, format_args!("\n## {}\n", section.title));
        table(&mut text, contract, evidence, section);
    }
    text
}

/// How many facts a section has, and what shows them: rows, tests, nothing that could.
fn counts(contract: &Contract, evidence: &Evidence, section: &Section) -> [usize; 4] {
    let mut counts = [section.facts.len(), 0, 0, 0];
    for fact in &section.facts {
        let marks = evidence.marks(contract, fact);
        let is_by_rows = marks.iter().any(|mark| matches!(mark, Mark::Passes | Mark::Diverges(_)));
        counts[if is_by_rows {
            1
        } else if marks.contains(&Mark::ByTest) {
            2
        } else {
            3
        }] += 1;
    }
    counts
}

fn choices(text: &mut String, contract: &Contract) {
    *text += "\n## Choices\n\nWhere the sources are silent or disagree. Each is made in one place, so that a run on real \
              Windows can change it there.\n\n| id | Oleander | reason | decided in |\n| --- | --- | --- | --- |\n";
    let is_choice = |fact: &Fact| fact.known == Known::Chosen;
    // What repeats a choice would stand here twice.
    let repeats = |fact: &Fact| contract.facts().any(|other| is_choice(other) && fact.same.contains(&other.id));
    for fact in contract.facts().filter(|fact| is_choice(fact) && !repeats(fact)) {
        let because = fact.because.as_deref().unwrap_or_default();
        let place: Vec<_> = fact.place.iter().map(|path| format!("`{path}`")).collect();
        line(text, format_args!("| {} | {} | {} | {} |", fact.id, cell(&fact.says), cell(because), place.join(", ")));
    }
}

fn chapter(contract: &Contract, evidence: &Evidence, section: &Section) -> String {
    let mut text = format!("# {}\n\n{HEAD}\n", section.title);
    if !section.about.is_empty() {
        line(&mut text, format_args!("{}\n", section.about.trim()));
    }
    table(&mut text, contract, evidence, section);
    if !section.after.is_empty() {
        line(&mut text, format_args!("\n{}", section.after.trim()));
    }
    // Links in the data are those of the first page.
    text.replace("](", "](../")
}

fn table(text: &mut String, contract: &Contract, evidence: &Evidence, section: &Section) {
    let mut headings = BACKENDS.map(|(_, heading)| heading.to_owned()).to_vec();
    headings.extend(evidence.system().map(cell));
    let rule = "| --- ".repeat(3 + headings.len());
    line(text, format_args!("| id | Oleander | known from | {} |\n{rule}|", headings.join(" | ")));
    for fact in &section.facts {
        let mut marks = evidence.marks(contract, fact).to_vec();
        marks.extend(evidence.system().map(|_| evidence.observed_mark(fact)));
        let marks = marks.iter().map(mark_text).collect::<Vec<_>>().join(" | ");
        line(text, format_args!("| {} | {} | {} | {marks} |", fact.id, says(fact), known(fact)));
    }
}

/// What a fact says, and why it has no row.
fn says(fact: &Fact) -> String {
    let mut text = cell(&fact.says);
    if let Some(reason) = &fact.no_row {
        write!(text, " *No row: {}.*", cell(reason)).expect("a string");
    }
    text
}

fn known(fact: &Fact) -> String {
    let word = match fact.known {
        Known::Documented => "documented",
        Known::Tested => "tested",
        Known::Wine => "wine",
        Known::Implied => "implied",
        Known::Chosen => "chosen",
    };
    let mut text = word.to_owned();
    if !fact.source.is_empty() {
        write!(text, ": {}", fact.source.join(", ")).expect("a string");
    }
    if let Some(note) = &fact.note {
        write!(text, "; {}", cell(note)).expect("a string");
    }
    text
}

fn mark_text(mark: &Mark) -> String {
    match mark {
        Mark::Passes => "passes".to_owned(),
        Mark::Diverges(reason) => format!("diverges: {}", cell(reason)),
        Mark::ByTest => "by test".to_owned(),
        Mark::NotApplicable => "n/a".to_owned(),
        Mark::NotRun => "not run".to_owned(),
    }
}

/// Text as a table's cell: one line, its bars escaped.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    writeln!(text, "{what}").expect("a string takes it");
}
