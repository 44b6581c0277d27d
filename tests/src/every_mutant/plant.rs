//! A text with all its mutants as branches. Pure.
//!
//! `a & b` with two mutants becomes `(if crate::mutant(7) { (a) | (b) } else if crate::mutant(8) { (a) ^ (b) } else { (a & b) })`,
//! and `a` and `b` again have branches where they have mutants. A function gets a statement in front.

use super::places::{Bytes, Way};
use std::cmp::Reverse;

/// A place, and the mutants that are there, by their numbers.
#[derive(Debug)]
pub struct Choice {
    /// What they replace; empty where they are written in.
    pub at: Bytes,
    /// What each does.
    pub ways: Vec<(usize, Way)>,
}

/// Where something of a mutant is in the new text.
#[derive(Debug)]
pub struct Mark {
    /// The mutant.
    pub mutant: usize,
    /// Its own text, or the whole choice that it is part of.
    pub at: Bytes,
    /// Whether it is its own.
    pub own: bool,
}

/// The new text, and where each mutant is in it.
pub fn write(text: &str, mutants: impl IntoIterator<Item = (usize, Bytes, Way)>) -> (String, Vec<Mark>) {
    let mut choices: Vec<Choice> = Vec::new();
    for (mutant, at, way) in mutants {
        let same = choices.iter_mut().find(|choice| {
            choice.at == at
                && (at.is_empty() || matches!(way, Way::Text(_)) == matches!(choice.ways[0].1, Way::Text(_)))
        });
        match same {
            Some(choice) => choice.ways.push((mutant, way)),
            None => choices.push(Choice { at, ways: vec![(mutant, way)] }),
        }
    }
    // What is written in comes first; then what contains others.
    choices.sort_by_key(|choice| (choice.at.start, !choice.at.is_empty(), Reverse(choice.at.end)));
    let mut writer = Writer { text, choices: &choices, out: String::new(), marks: Vec::new() };
    writer.range(0..text.len(), 0);
    (writer.out, writer.marks)
}

struct Writer<'a> {
    text: &'a str,
    choices: &'a [Choice],
    out: String,
    marks: Vec<Mark>,
}

impl Writer<'_> {
    /// A part of the text, with the choices from this one on that are in it.
    fn range(&mut self, range: Bytes, first: usize) {
        let mut at = range.start;
        let choices = self.choices;
        for (number, choice) in choices.iter().enumerate().skip(first) {
            if choice.at.start >= range.end {
                break;
            }
            // Those that begin before are written, or lie elsewhere.
            if choice.at.start < at || choice.at.end > range.end {
                continue;
            }
            self.out.push_str(&self.text[at..choice.at.start]);
            self.choice(choice, number);
            at = choice.at.end;
        }
        self.out.push_str(&self.text[at..range.end]);
    }

    fn choice(&mut self, choice: &Choice, number: usize) {
        let begin = self.out.len();
        let is_value = !choice.at.is_empty();
        if is_value {
            self.out.push('(');
        }
        for (mutant, way) in &choice.ways {
            let own = self.way(*mutant, way, choice, number);
            self.marks.push(Mark { mutant: *mutant, at: own, own: true });
        }
        if is_value {
            self.out.push_str("{ (");
            self.range(choice.at.clone(), number + 1);
            self.out.push_str(") })");
        }
        let at = begin..self.out.len();
        self.marks.extend(choice.ways.iter().map(|(mutant, _)| Mark { mutant: *mutant, at: at.clone(), own: false }));
    }

    /// One branch; gives where its own text is.
    fn way(&mut self, mutant: usize, way: &Way, choice: &Choice, number: usize) -> Bytes {
        let when = match way {
            Way::Never => format!(" if !crate::mutant({mutant}) "),
            // It is reached where it makes a difference.
            Way::Operator(left, new, right, true) => {
                let text = self.text;
                let (old, left, right) = (&text[choice.at.clone()], &text[left.clone()], &text[right.clone()]);
                format!("if crate::mutant_where({mutant}, || ({old}) != (({left}) {new} ({right}))) {{ ")
            }
            _ => format!("if crate::mutant({mutant}) {{ "),
        };
        self.out.push_str(&when);
        let begin = self.out.len();
        match way {
            Way::Never => return begin..begin,
            Way::Return(value) => self.out.push_str(&format!("return {value};")),
            Way::Text(text) => self.out.push_str(text),
            Way::Operand(operand) => self.range(operand.clone(), number + 1),
            Way::Operator(left, new, right, _) => {
                self.out.push('(');
                self.range(left.clone(), number + 1);
                self.out.push_str(&format!(") {new} ("));
                self.range(right.clone(), number + 1);
                self.out.push(')');
            }
        }
        let own = begin..self.out.len();
        self.out.push_str(if choice.at.is_empty() { " } " } else { " } else " });
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(new: &str, left: Bytes, right: Bytes) -> Way {
        Way::Operator(left, new.to_owned(), right, false)
    }

    #[test]
    fn operators_within_operators_choose() {
        let mutants = [(1, 0..9, operator("|", 0..1, 4..9)), (2, 4..9, operator("-", 4..5, 8..9))];
        let inner = "(if crate::mutant(2) { (b) - (c) } else { (b + c) })";
        let whole = format!("(if crate::mutant(1) {{ (a) | ({inner}) }} else {{ (a & {inner}) }});");
        assert_eq!(write("a & b + c;", mutants).0, whole);
    }

    #[test]
    fn a_function_returns_before_its_first_expression() {
        let mutants = [(1, 7..12, operator("-", 7..8, 11..12)), (2, 7..7, Way::Return("0".into()))];
        let whole = "fn f() if crate::mutant(2) { return 0; } (if crate::mutant(1) { (a) - (b) } else { (a + b) })";
        assert_eq!(write("fn f() a + b", mutants).0, whole);
    }

    #[test]
    fn where_values_are_at_hand_it_counts_where_they_differ() {
        let (text, marks) = write("a | b", [(3, 0..5, Way::Operator(0..1, "^".into(), 4..5, true))]);
        assert_eq!(text, "(if crate::mutant_where(3, || (a | b) != ((a) ^ (b))) { (a) ^ (b) } else { (a | b) })");
        let own = marks.iter().find(|mark| mark.own).map(|mark| &text[mark.at.clone()]);
        assert_eq!(own, Some("(a) ^ (b)"));
    }
}
