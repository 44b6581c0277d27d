//! Tokens: `olx1:5f3a9c1b:12+1,40+2` is version 1, the scenario's hash in hexadecimal digits, and the choices that are
//! not the first: the 12th choice of the execution (counted from 0) is its second way, the 40th after that its third.
//! Behind them is what the [`Settings`] say.

use super::{Choices, Settings};
use std::fmt;
use std::str::FromStr;

const VERSION: &str = "olx1";

/// One execution of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The hash of the scenario.
    pub scenario: u32,
    /// What is chosen.
    pub(crate) choices: Choices,
    /// What the Builder said.
    pub(crate) settings: Settings,
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is none.
    Malformed(String),
    /// It is of a version that this one does not replay.
    OtherVersion(String),
    /// It was made by another scenario, or the scenario has changed.
    OtherScenario {
        /// The hash in the token.
        token: u32,
        /// The hash of the scenario.
        scenario: u32,
    },
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "this is no replay token: {what}"),
            Self::OtherVersion(version) => {
                write!(
                    f,
                    "the replay token is of version '{version}', and this is '{VERSION}': run the test again for a new one"
                )
            }
            Self::OtherScenario { token, scenario } => write!(
                f,
                "the replay token belongs to another scenario ({token:08x}, this one is {scenario:08x}): it was made by \
                 another test, or the code has changed since"
            ),
        }
    }
}

impl std::error::Error for TokenError {}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:{:08x}:", self.scenario)?;
        let mut before = 0;
        for (i, (at, taken)) in self.choices.deviations().enumerate() {
            write!(f, "{}{}+{taken}", if i == 0 { "" } else { "," }, at - before)?;
            before = at;
        }
        write!(f, "{}", self.settings)
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let malformed = |what: &str| TokenError::Malformed(format!("{what} in '{text}'"));
        let mut parts = text.trim().split(':');
        let version = parts.next().unwrap_or_default();
        if version != VERSION {
            return Err(if version.starts_with("olx") {
                TokenError::OtherVersion(version.to_owned())
            } else {
                malformed("no version")
            });
        }
        let scenario = parts.next().and_then(|hash| u32::from_str_radix(hash, 16).ok());
        let scenario = scenario.ok_or_else(|| malformed("no hash of a scenario"))?;
        let list = parts.next().ok_or_else(|| malformed("no choices"))?;
        let mut choices = Choices::default();
        let mut at = 0usize;
        for pair in list.split(',').filter(|pair| !pair.is_empty()) {
            let (gap, taken) = pair.split_once('+').ok_or_else(|| malformed("a choice without a plus"))?;
            let number = |digits: &str| digits.parse::<usize>().map_err(|_| malformed("no number"));
            at = at.checked_add(number(gap)?).ok_or_else(|| malformed("too large a number"))?;
            if at > Choices::MAX {
                return Err(malformed("too large a number"));
            }
            choices.set(at, number(taken)?);
        }
        let mut settings = Settings::standard();
        for part in parts {
            settings.enter(part).ok_or_else(|| malformed("an unknown setting"))?;
        }
        Ok(Self { scenario, choices, settings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_it_was_made_of() {
        let mut choices = Choices::default();
        choices.set(12, 1);
        choices.set(52, 2);
        let mut other = Settings::standard();
        assert_eq!(other.enter("any-time"), Some(()));
        for (settings, text) in
            [(Settings::standard(), "olx1:5f3a9c1b:12+1,40+2"), (other, "olx1:5f3a9c1b:12+1,40+2:any-time")]
        {
            let token = Token { scenario: 0x5f3a_9c1b, choices: choices.clone(), settings };
            assert_eq!(token.to_string(), text);
            assert_eq!(token.to_string().parse(), Ok(token));
        }
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for (text, reason) in [
            ("", "no version"),
            ("hello", "no version"),
            ("olx9:00000000:", "version 'olx9'"),
            ("olx1", "no hash"),
            ("olx1:xyz:", "no hash"),
            ("olx1:00000000", "no choices"),
            ("olx1:00000000:3", "without a plus"),
            ("olx1:00000000:a+1", "no number"),
            ("olx1:00000000:99999999999+1", "too large"),
            ("olx1:00000000:3+1:sometimes", "unknown setting"),
        ] {
            let error = text.parse::<Token>().unwrap_err();
            assert!(error.to_string().contains(reason), "{text}: {error}");
        }
    }
}
