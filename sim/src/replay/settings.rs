//! What a [`Builder`](crate::Builder) said that an execution depends on, as the end of a token: each thing that is not the
//! default behind a colon, so most tokens have none.
//!
//! | part | meaning |
//! | --- | --- |
//! | `any-time` | [`TimeMode::AnyTime`] |
//! | `panics-joined` | a panic is the business of who joins the thread |
//! | `steps=1000` | the most steps |
//! | `+apartments`, `-leaks` | a checker is on that is off by default, or the other way round |
//! | `pumps-within=2000000000` | [`Checks::pumps_within`], in nanoseconds |
//! | `faults=1.loss.memory` | [`Faults`]: the budget, and the kinds |

use crate::check::Checks;
use crate::fault::{Faults, Kind};
use crate::world::{Limits, TimeMode};
use std::fmt;
use std::time::Duration;

const ANY_TIME: &str = "any-time";
const PANICS_JOINED: &str = "panics-joined";
const STEPS: &str = "steps=";
const PUMPS_WITHIN: &str = "pumps-within=";
const FAULTS: &str = "faults=";

/// Limits as far as an execution depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    time: TimeMode,
    panic_ends: bool,
    steps_max: u64,
    checks: Checks,
    faults: Faults,
}

impl Settings {
    pub(crate) fn of(limits: &Limits) -> Self {
        let Limits { time, panic_ends, steps_max, checks, faults, .. } = *limits;
        Self { time, panic_ends, steps_max, checks, faults }
    }

    /// What a Builder says by default.
    pub(crate) fn standard() -> Self {
        Self { checks: Checks::STANDARD, ..Self::of(&Limits::default()) }
    }

    pub(crate) fn limits(self) -> Limits {
        let Self { time, panic_ends, steps_max, checks, faults } = self;
        Limits { time, panic_ends, steps_max, checks, faults, ..Limits::default() }
    }

    /// Enters one part of a token; says whether it is one.
    pub(super) fn enter(&mut self, part: &str) -> Option<()> {
        if part == ANY_TIME {
            self.time = TimeMode::AnyTime;
        } else if part == PANICS_JOINED {
            self.panic_ends = false;
        } else if let Some(steps) = part.strip_prefix(STEPS) {
            self.steps_max = steps.parse().ok()?;
        } else if let Some(ns) = part.strip_prefix(PUMPS_WITHIN) {
            self.checks.pumps_within = Some(Duration::from_nanos(ns.parse().ok()?));
        } else if let Some(faults) = part.strip_prefix(FAULTS) {
            self.faults = parse_faults(faults)?;
        } else {
            let (name, on) = match part.split_at_checked(1)? {
                ("+", name) => (name, true),
                ("-", name) => (name, false),
                _ => return None,
            };
            *flags(&mut self.checks).into_iter().find(|(there, _)| *there == name)?.1 = on;
        }
        Some(())
    }
}

/// The checkers that are on or off, with the names of their fields.
fn flags(checks: &mut Checks) -> [(&'static str, &mut bool); 7] {
    let Checks { leaks, stubs, releases, signals, locks, apartments, pumps, pumps_within: _ } = checks;
    [
        ("leaks", leaks),
        ("stubs", stubs),
        ("releases", releases),
        ("signals", signals),
        ("locks", locks),
        ("apartments", apartments),
        ("pumps", pumps),
    ]
}

fn parse_faults(text: &str) -> Option<Faults> {
    let mut parts = text.split('.');
    let budget = parts.next()?.parse().ok()?;
    let kind = |name: &str| Kind::ALL.iter().find(|(_, there)| *there == name).map(|(kind, _)| *kind);
    let kinds: Option<Vec<Kind>> = parts.map(kind).collect();
    Some(Faults::budget(budget).kinds(&kinds?))
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standard = Self::standard();
        if self.time == TimeMode::AnyTime {
            write!(f, ":{ANY_TIME}")?;
        }
        if !self.panic_ends {
            write!(f, ":{PANICS_JOINED}")?;
        }
        if self.steps_max != standard.steps_max {
            write!(f, ":{STEPS}{}", self.steps_max)?;
        }
        let (mut here, mut there) = (self.checks, standard.checks);
        for ((name, on), (_, by_default)) in flags(&mut here).into_iter().zip(flags(&mut there)) {
            if on != by_default {
                write!(f, ":{}{name}", if *on { '+' } else { '-' })?;
            }
        }
        if let Some(most) = self.checks.pumps_within {
            write!(f, ":{PUMPS_WITHIN}{}", most.as_nanos())?;
        }
        if self.faults.most() > 0 {
            write!(f, ":{FAULTS}{}", self.faults.most())?;
            self.faults.each().try_for_each(|(_, name)| write!(f, ".{name}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Settings> {
        let mut settings = Settings::standard();
        text.split(':').filter(|part| !part.is_empty()).try_for_each(|part| settings.enter(part))?;
        Some(settings)
    }

    #[test]
    fn settings_are_what_they_were_made_of() {
        for text in [
            "",
            ":any-time",
            ":panics-joined:steps=1000",
            ":-leaks:+apartments:pumps-within=2000000000",
            ":any-time:-releases:faults=2.loss.refusal",
            ":faults=1.death.loss.memory.refusal",
        ] {
            assert_eq!(parse(text).map(|it| it.to_string()).as_deref(), Some(text));
            assert_eq!(parse(text).map(|it| Settings::of(&it.limits())), parse(text));
        }
    }

    #[test]
    fn other_parts_are_none() {
        for text in
            ["anytime", "steps=", "+leak", "-", "pumps-within=2s", "faults=", "faults=1.fire", "*leaks", "\u{e4}"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
