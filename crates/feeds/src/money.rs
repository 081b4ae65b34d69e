//! Money, in cents: sums are exact, and what is written has two digits behind the point at most.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// No price is higher: a thousand lines of it stay far below what a float writes exactly.
const MAX_PRICE: i64 = 100_000_000;

/// An amount of money, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cents(pub i64);

/// Why a text is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a price from 0 to {} with two digits behind the point", MAX_PRICE / 100)]
pub struct CentsError {
    /// As found.
    pub text: String,
}

impl FromStr for Cents {
    type Err = CentsError;

    fn from_str(text: &str) -> Result<Self, CentsError> {
        let wrong = || CentsError { text: text.to_owned() };
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let part = part.trim_end_matches('0');
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(part) || part.len() > 2 {
            return Err(wrong());
        }
        let cents: i64 = format!("{whole}{part:0<2}").parse().map_err(|_| wrong())?;
        if cents > MAX_PRICE { Err(wrong()) } else { Ok(Self(cents)) }
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A JSON number. The float nearest to cents ÷ 100 is the one that the shortest decimal text names, so `23.98` is
/// written and never `23.979999`.
impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 100.0)
    }
}

impl Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Mul<u32> for Cents {
    type Output = Self;

    fn mul(self, times: u32) -> Self {
        Self(self.0 * i64::from(times))
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly_or_not_at_all() {
        for (text, cents) in [("14.99", 1499), ("8.5", 850), ("7", 700), ("0.07", 7), (" 3.100 ", 310)] {
            assert_eq!(text.parse(), Ok(Cents(cents)), "{text}");
        }
        for text in ["", ".", ".5", "-1", "1.999", "1e2", "1,50", "9999999999999999999", "1000000.01"] {
            text.parse::<Cents>().expect_err(text);
        }
    }

    #[test]
    fn every_amount_is_written_with_two_digits_at_most() {
        for cents in (0..3_000_000).step_by(7).chain([MAX_PRICE * 1_000 - 1]) {
            let written = serde_json::to_string(&Cents(cents)).expect("a number");
            let read: Cents = match cents > MAX_PRICE {
                true => Cents(written.replace('.', "").parse().expect("digits")),
                false => written.parse().expect("two digits at most"),
            };
            assert_eq!(read, Cents(cents), "{written}");
        }
    }
}
