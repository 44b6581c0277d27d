//! The budget: a number for each path in `benches/instructions.toml`, and how far a count may be from it.

use super::Count;
use std::fmt::{self, Write as _};

/// The part by which a count may differ from the budget, either way.
const MAY_DIFFER: f64 = 0.02;

const HEAD: &str = "\
# Instructions of one round of each hot path (benches/src/bin/instructions/paths.rs), in the program's own code, built with the
# release profile for x86-64. `bash ci/instructions` fails where a count is more than 2 % from its number here:
#   above: make it cheaper, or say in the commit's message why the path has to cost more, and bless;
#   below: bless, so that the gain stays.
# `bash ci/instructions --bless` writes this file.
";

/// What the file says.
pub struct Budget(Vec<(String, f64)>);

/// What is said of a count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judged {
    /// Near enough; by so much it differs.
    Within(f64),
    /// More than allowed.
    Over(f64),
    /// Less than the budget would notice if it came back.
    Under(f64),
    /// The budget does not have the path.
    Unknown,
}

impl Judged {
    pub fn is_within(self) -> bool {
        matches!(self, Self::Within(_))
    }

    /// In per cent.
    pub fn change(self) -> String {
        match self {
            Self::Within(part) | Self::Over(part) | Self::Under(part) => format!("{:+.2} %", 100.0 * part),
            Self::Unknown => String::new(),
        }
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Within(_) => "ok",
            Self::Over(_) => {
                "TOO MANY: make it cheaper, or say why in the commit and run `bash ci/instructions --bless`"
            }
            Self::Under(_) => "FEWER: bless it, `bash ci/instructions --bless`",
            Self::Unknown => "NEW: bless it, `bash ci/instructions --bless`",
        })
    }
}

impl Budget {
    /// Reads the file; gives the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let entry = |line: &str| {
            let (path, number) = line.strip_prefix('"')?.split_once("\" = ")?;
            Some((path.to_owned(), number.parse().ok().filter(|it| *it > 0.0)?))
        };
        lines.map(|line| entry(line).ok_or_else(|| line.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    pub fn of(&self, path: &str) -> Option<f64> {
        self.0.iter().find(|(name, _)| name == path).map(|(_, number)| *number)
    }

    pub fn judge(&self, path: &str, counted: f64) -> Judged {
        let Some(budget) = self.of(path) else { return Judged::Unknown };
        match counted / budget - 1.0 {
            part if part > MAY_DIFFER => Judged::Over(part),
            part if part < -MAY_DIFFER => Judged::Under(part),
            part => Judged::Within(part),
        }
    }

    /// Entries that none of the paths has.
    pub fn missing<'a>(&'a self, paths: impl Iterator<Item = &'a str> + Clone) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(name, _)| name.as_str()).filter(move |name| !paths.clone().any(|path| path == *name))
    }
}

/// The file for what was counted.
pub fn text(counts: &[Count]) -> String {
    let mut text = HEAD.to_owned();
    for Count { path, own, .. } in counts {
        writeln!(text, "\"{path}\" = {own:.1}").expect("a string takes it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_per_cent_either_way() {
        let budget = Budget::parse("# a comment\n\n\"event\" = 200.0\n").expect("it is a budget");
        let is = |counted| budget.judge("event", counted);
        assert!(is(203.9).is_within() && is(196.1).is_within());
        assert!(matches!(is(204.1), Judged::Over(_)) && matches!(is(195.9), Judged::Under(_)));
        assert_eq!(budget.judge("other", 1.0), Judged::Unknown);
        assert_eq!(budget.missing(["other"].into_iter()).collect::<Vec<_>>(), ["event"]);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let text = text(&[Count { path: "call".to_owned(), own: 12.34, others: 1.0 }]);
        assert_eq!(Budget::parse(&text).expect("it is a budget").of("call"), Some(12.3));
        assert!(["\"call\" = 0", "call = 1", "\"call\" 1"].iter().all(|line| Budget::parse(line).is_err()));
    }
}
