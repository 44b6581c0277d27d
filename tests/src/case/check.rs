//! What must hold of a row beyond its lines: names are made before they are used, and used; operations that are begun end;
//! something is expected.

use super::{Action, Error, Expected, How, Row, What, Word};
use std::collections::{BTreeMap, BTreeSet};

/// Looks at one row.
pub fn row(row: &Row, errors: &mut Vec<Error>) {
    let mut checker = Checker { row, errors, made: BTreeMap::new(), actors: BTreeSet::new(), used: BTreeSet::new() };
    checker.collect();
    checker.uses();
    checker.begun();
    checker.expects();
}

/// No id is there twice.
pub fn ids<'a>(rows: impl Iterator<Item = &'a Row>, errors: &mut Vec<Error>) {
    let mut seen = BTreeSet::new();
    for row in rows {
        if !seen.insert(&row.id) {
            let what = format!("`{}` is there already: several rows of one fact are `{}.2`, …", row.id, row.id);
            errors.push(Error { file: row.file.clone(), line: row.line, what });
        }
    }
}

struct Checker<'a> {
    row: &'a Row,
    errors: &'a mut Vec<Error>,
    /// Names with the steps that make them.
    made: BTreeMap<&'a str, usize>,
    actors: BTreeSet<&'a str>,
    used: BTreeSet<&'a str>,
}

impl<'a> Checker<'a> {
    fn error(&mut self, line: usize, what: String) {
        self.errors.push(Error { file: self.row.file.clone(), line, what });
    }

    fn make(&mut self, name: &'a str, index: usize) {
        if super::constant(name, "").is_some() || matches!(name, "_" | "or" | "took" | "->" | "=") {
            self.error(self.row.steps[index].line, format!("`{name}` cannot be a name"));
        } else if self.made.insert(name, index).is_some() {
            self.error(self.row.steps[index].line, format!("`{name}` is made a second time"));
        }
    }

    fn collect(&mut self) {
        for (index, step) in self.row.steps.iter().enumerate() {
            match &step.what {
                What::Actor(_, name) => {
                    self.actors.insert(name);
                    self.make(name, index);
                    self.used.insert(name);
                }
                What::Gate(name) => self.make(name, index),
                What::Do(_, _, Action { expected, .. }) | What::Inside(_, Action { expected, .. }) => {
                    expected.names.iter().for_each(|name| self.make(name, index));
                }
                What::Finish(_, expected) => expected.names.iter().for_each(|name| self.make(name, index)),
                What::Open(_) | What::Log(_) | What::End(..) => {}
            }
        }
    }

    fn uses(&mut self) {
        for (index, step) in self.row.steps.iter().enumerate() {
            match &step.what {
                What::Do(who, _, action) => {
                    self.actor(who, index);
                    self.words(&action.arguments, index, false);
                    self.expected(&action.expected, index, false);
                }
                What::Finish(who, expected) => {
                    self.actor(who, index);
                    self.expected(expected, index, false);
                }
                What::Inside(method, action) => {
                    self.name(&method.object, index, true);
                    self.words(&action.arguments, index, true);
                    self.expected(&action.expected, index, true);
                }
                What::Open(name) => self.name(name, index, false),
                What::End(who, _) => self.actor(who, index),
                What::Log(ways) => {
                    let objects = ways.iter().flatten().filter_map(|entry| entry.split_once('.'));
                    self.used.extend(objects.map(|(object, _)| object));
                }
                What::Actor(..) | What::Gate(_) => {}
            }
        }
        let unused: Vec<_> = self.made.iter().filter(|(name, _)| !self.used.contains(*name)).collect();
        let unused: Vec<_> = unused.into_iter().map(|(name, index)| (*name, *index)).collect();
        for (name, index) in unused {
            self.error(self.row.steps[index].line, format!("`{name}` is not used"));
        }
    }

    fn actor(&mut self, who: &'a str, index: usize) {
        if !self.actors.contains(who) {
            self.error(self.row.steps[index].line, format!("`{who}` is no actor"));
        } else if self.made.get(who).is_some_and(|made| *made > index) {
            self.error(self.row.steps[index].line, format!("`{who}` is started later"));
        }
    }

    fn expected(&mut self, expected: &'a Expected, index: usize, later: bool) {
        expected.ways.iter().for_each(|way| self.words(way, index, later));
    }

    fn words(&mut self, words: &'a [Word], index: usize, later: bool) {
        for word in words {
            match word {
                Word::Named(name) => self.name(name, index, later),
                Word::List(words) => self.words(words, index, later),
                Word::Not(word) => self.words(std::slice::from_ref(&**word), index, later),
                Word::Constant(_) | Word::Any => {}
            }
        }
    }

    /// What a method does may name what is made after the line that says it.
    fn name(&mut self, name: &'a str, index: usize, later: bool) {
        let line = self.row.steps[index].line;
        match self.made.get(name) {
            None => self.error(line, format!("`{name}` is neither a constant nor a name of this row")),
            Some(made) if *made >= index && !later => self.error(line, format!("`{name}` is made later")),
            Some(_) => {}
        }
        self.used.insert(name);
    }

    /// An actor does one thing at a time, and what it begins it ends.
    fn begun(&mut self) {
        let mut busy: BTreeMap<&str, usize> = BTreeMap::new();
        for step in &self.row.steps {
            match &step.what {
                What::Do(who, how, _) => {
                    if busy.contains_key(who.as_str()) {
                        self.error(step.line, format!("`{who}` is still busy with what it began before"));
                    } else if *how != How::Whole {
                        busy.insert(who, step.line);
                    }
                }
                What::End(who, blocks) => {
                    if busy.contains_key(who.as_str()) {
                        self.error(step.line, format!("`{who}` is still busy with what it began before"));
                    } else if *blocks {
                        busy.insert(who, step.line);
                    }
                }
                What::Finish(who, _) if busy.remove(who.as_str()).is_none() => {
                    self.error(step.line, format!("`{who}` has begun nothing"));
                }
                _ => {}
            }
        }
        for (who, line) in busy {
            self.error(line, format!("`{who}` never ends what it begins here: `{who} <`"));
        }
    }

    fn expects(&mut self) {
        let explicit = |step: &super::Step| match &step.what {
            What::Do(_, _, Action { expected, .. })
            | What::Inside(_, Action { expected, .. })
            | What::Finish(_, expected) => !expected.ways.is_empty(),
            What::Log(_) => true,
            _ => false,
        };
        if !self.row.steps.iter().any(explicit) {
            self.error(self.row.line, format!("`{}` expects nothing", self.row.id));
        }
        if self.row.explored && !self.row.steps.iter().any(races) {
            self.error(self.row.line, format!("`{}` is explored, and nothing in it races (`&`)", self.row.id));
        }
    }
}

fn races(step: &super::Step) -> bool {
    matches!(&step.what, What::Do(_, How::Races, _))
}
