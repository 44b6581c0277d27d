//! The facts as `tests/contract/*.toml` spells them.

use serde::Deserialize;
use std::fs;
use std::path::Path;

/// All sections and sources, in the order of the book.
#[derive(Debug)]
pub struct Contract {
    /// The sections that have a page each.
    pub sections: Vec<Section>,
    /// The keys that facts name as their sources.
    pub sources: Vec<Source>,
}

/// One file of facts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The file's name without its extension; also the page's.
    #[serde(skip)]
    pub name: String,
    /// The page's heading.
    pub title: String,
    /// What is said above the table; Markdown.
    #[serde(default)]
    pub about: String,
    /// What is said below the table; Markdown.
    #[serde(default)]
    pub after: String,
    /// The facts, in order.
    #[serde(rename = "fact")]
    pub facts: Vec<Fact>,
}

/// How we know that COM does so.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// A document of Microsoft's says so.
    Documented,
    /// A test that runs on Windows asserts it, or it was measured there.
    Tested,
    /// Programs under Wine 8 showed it; Windows is not known.
    Wine,
    /// It follows from something documented.
    Implied,
    /// The sources are silent or disagree.
    Chosen,
}

/// One fact.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// `WAIT-07`.
    pub id: String,
    /// What Oleander does, in a sentence or two; Markdown.
    pub says: String,
    /// How it is known.
    pub known: Known,
    /// Keys of `index.toml`.
    #[serde(default)]
    pub source: Vec<String>,
    /// What about its being known does not go for all of it.
    pub note: Option<String>,
    /// Of a choice: the reason.
    pub because: Option<String>,
    /// Of a choice: the files in which it is made, relative to the workspace's root.
    #[serde(default)]
    pub place: Vec<String>,
    /// Facts that say it too: their rows show this one.
    #[serde(default)]
    pub same: Vec<String>,
    /// Tests, as `FILE: FUNCTION`.
    #[serde(default)]
    pub shown_by: Vec<String>,
    /// Why no row shows it.
    pub no_row: Option<String>,
}

/// A source that facts name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The key.
    pub key: String,
    /// Its full name.
    pub name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    sections: Vec<String>,
    #[serde(rename = "source")]
    sources: Vec<Source>,
}

impl Contract {
    /// Reads `tests/contract/` below `root`, the workspace.
    ///
    /// # Errors
    /// What cannot be read or is not in the form of the data, with the file's name.
    pub fn read(root: &Path) -> Result<Contract, String> {
        let folder = root.join("tests/contract");
        let index: Index = parse(&folder.join("index.toml"))?;
        let section = |name: &String| -> Result<Section, String> {
            let mut section: Section = parse(&folder.join(name).with_extension("toml"))?;
            section.name.clone_from(name);
            Ok(section)
        };
        let sections = index.sections.iter().map(section).collect::<Result<_, _>>()?;
        Ok(Contract { sections, sources: index.sources })
    }

    /// All facts, in order.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.sections.iter().flat_map(|section| &section.facts)
    }

    /// The section that has the fact.
    #[must_use]
    pub fn section_of(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.facts.iter().any(|fact| fact.id == id))
    }
}

/// The ids that the contract must have: `tests/contract/ids.txt`, a word and an id a line. They are those of the collections
/// of facts and of cases that it was written from, so none can get lost.
#[derive(Debug, Default)]
pub struct Ids {
    /// Facts.
    pub facts: Vec<String>,
    /// Single cases, which rows name.
    pub cases: Vec<String>,
}

impl Ids {
    /// Reads the list below `root`, the workspace.
    ///
    /// # Errors
    /// When it cannot be read, or a line is not in that form.
    pub fn read(root: &Path) -> Result<Ids, String> {
        let path = root.join("tests/contract/ids.txt");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut ids = Ids::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("fact", id)) => ids.facts.push(id.to_owned()),
                Some(("case", id)) => ids.cases.push(id.to_owned()),
                _ => return Err(format!("{}: `{line}` is neither a fact nor a case", path.display())),
            }
        }
        Ok(ids)
    }
}

/// A file of TOML.
fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
