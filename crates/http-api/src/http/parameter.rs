//! Values of query parameters whose errors say what the parameter takes.
//!
//! [`crate::http::extract::Params`] puts the parameter's name before them.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Beyond this a limit is the type's and not the parameter's, and telling it would not help.
const LARGEST_TOLD: i64 = i32::MAX as i64;

/// A whole number from `MIN` to `MAX`; `EXAMPLE` is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: i64, const MAX: i64, const EXAMPLE: i64>(i64);

impl<const MIN: i64, const MAX: i64, const EXAMPLE: i64> Whole<MIN, MAX, EXAMPLE> {
    /// The number.
    pub(crate) fn get(self) -> i64 {
        self.0
    }

    /// Reads the number.
    ///
    /// # Errors
    /// What is expected, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| {
            format!("{text:?} is not a whole number{}, such as {EXAMPLE}", Range { least: MIN, most: MAX })
        })
    }
}

impl<'de, const MIN: i64, const MAX: i64, const EXAMPLE: i64> Deserialize<'de> for Whole<MIN, MAX, EXAMPLE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What numbers there are, as far as it is worth telling.
struct Range {
    least: i64,
    most: i64,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (i64::MIN, _) => Ok(()),
            (least, most) if most >= LARGEST_TOLD => write!(f, " from {least} on"),
            (least, most) => write!(f, " from {least} to {most}"),
        }
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = text.parse().map(Self);
        read.map_err(|_| D::Error::custom(format_args!("{text:?} is neither true nor false")))
    }
}

/// What is wrong with a query, where serde says it in its own words.
pub(crate) fn in_words(error: &str) -> String {
    let quoted = |text: &str, before: &str| -> Option<(String, String)> {
        let (_, rest) = text.split_once(before)?;
        let (name, rest) = rest.split_once('`')?;
        Some((name.to_owned(), rest.to_owned()))
    };
    if let Some((name, rest)) = quoted(error, "unknown field `") {
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        return match known.as_slice() {
            [] => format!("there is no parameter {name}"),
            known => format!("there is no parameter {name}; it takes {}", known.join(", ")),
        };
    }
    match quoted(error, "duplicate field `") {
        Some((name, _)) => format!("{name} is given twice; give it once"),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_what_it_may_be() {
        let error = |read: Result<i64, String>| read.expect_err("wrong");
        let limit = |text| Whole::<1, 1_000, 100>::parse(text).map(Whole::get);
        assert_eq!(limit("7"), Ok(7));
        assert_eq!(error(limit("abc")), "\"abc\" is not a whole number from 1 to 1000, such as 100");
        assert_eq!(error(limit("1001")), "\"1001\" is not a whole number from 1 to 1000, such as 100");
        let partition = |text| Whole::<0, { i32::MAX as i64 }, 0>::parse(text).map(Whole::get);
        assert_eq!(error(partition("-1")), "\"-1\" is not a whole number from 0 on, such as 0");
        let offset = |text| Whole::<{ i64::MIN }, { i64::MAX }, 41>::parse(text).map(Whole::get);
        assert_eq!(error(offset("1.5")), "\"1.5\" is not a whole number, such as 41");
    }
}
