//! Durations as people write them: `250ms`, `10s`, `1h30m`, `7d`, `forever`.
//!
//! Use with `#[serde(with = "factum_types::units::duration")]`, or `duration::option` for an `Option`.
//! A bare number is refused: it would not say of what.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The word for [`Duration::MAX`].
const FOREVER: &str = "forever";

/// Units and their nanoseconds, largest first.
const UNITS: [(&str, u128); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Why text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A number was expected.
    #[error("{text:?} is not a duration; write numbers and units, such as 7d or 1h30m")]
    NoNumber {
        /// The text.
        text: String,
    },
    /// A number has no unit.
    #[error(
        "{text:?} does not say of what: write a unit, such as {number}d, {number}h, {number}m, {number}s or {number}ms"
    )]
    NoUnit {
        /// The number without a unit.
        number: String,
        /// The whole text.
        text: String,
    },
    /// The unit does not exist.
    #[error("{unit:?} in {text:?} is not a unit of time; use w, d, h, m, s, ms, us or ns")]
    UnknownUnit {
        /// The unit found.
        unit: String,
        /// The whole text.
        text: String,
    },
    /// It is longer than can be counted.
    #[error("duration {text:?} is too long; write forever")]
    TooLong {
        /// The text.
        text: String,
    },
}

/// Reads a duration.
///
/// # Errors
/// [`DurationError`].
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.eq_ignore_ascii_case(FOREVER) {
        return Ok(Duration::MAX);
    }
    if rest.is_empty() {
        return Err(DurationError::NoNumber { text: text.to_owned() });
    }
    let mut nanos = 0u128;
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit());
        let (unit, after) = split_while(after.trim_start(), char::is_alphabetic);
        if number.is_empty() {
            return Err(DurationError::NoNumber { text: text.to_owned() });
        }
        if unit.is_empty() {
            return Err(DurationError::NoUnit { number: number.to_owned(), text: text.to_owned() });
        }
        let named = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, factor) = named
            .ok_or_else(|| DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() })?;
        let part = number.parse::<u64>().ok().and_then(|number| u128::from(number).checked_mul(*factor));
        nanos = part
            .and_then(|part| nanos.checked_add(part))
            .ok_or_else(|| DurationError::TooLong { text: text.to_owned() })?;
        rest = after.trim_start();
    }
    let seconds = u64::try_from(nanos / 1_000_000_000);
    let seconds = seconds.map_err(|_| DurationError::TooLong { text: text.to_owned() })?;
    let subsecond = u32::try_from(nanos % 1_000_000_000).expect("below a second");
    Ok(Duration::new(seconds, subsecond))
}

/// Shows a duration in the form that [`parse`] reads, exactly.
pub fn display(duration: Duration) -> impl fmt::Display {
    HumanDuration(duration)
}

struct HumanDuration(Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Duration::MAX {
            return f.write_str(FOREVER);
        }
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        let mut rest = self.0.as_nanos();
        // Weeks are read, not written: 7d is what people expect to see again.
        for (name, factor) in &UNITS[1..] {
            if rest >= *factor {
                write!(f, "{}{name}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

/// Writes a duration as text.
///
/// # Errors
/// The serializer's own.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&display(*duration))
}

/// Reads a duration from text.
///
/// # Errors
/// The deserializer's own, or [`DurationError`].
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Text::deserialize(deserializer).map(|text| text.0)
}

struct Text(Duration);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl serde::de::Visitor<'_> for TextVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as 10s, 1h30m or 7d")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).map_err(E::custom)
    }
}

/// The same for a duration for which zero makes no sense, such as a time-out or an interval.
pub mod above_zero {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    /// Writes a duration as text.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(duration, serializer)
    }

    /// Reads a duration from text.
    ///
    /// # Errors
    /// The deserializer's own, [`super::DurationError`], or that the duration is zero.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let duration = super::deserialize(deserializer)?;
        match duration.is_zero() {
            true => Err(D::Error::custom(crate::units::ABOVE_ZERO)),
            false => Ok(duration),
        }
    }
}

/// The same for an optional duration.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Text;

    /// Writes a duration as text, or nothing.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        duration.map(Text).serialize(serializer)
    }

    /// Reads a duration from text, or nothing.
    ///
    /// # Errors
    /// The deserializer's own, or [`super::DurationError`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Option::<Text>::deserialize(deserializer).map(|text| text.map(|text| text.0))
    }
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("7d", 604_800_000),
            ("1w", 604_800_000),
            ("10s", 10_000),
            ("250ms", 250),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("forever"), Ok(Duration::MAX));
        assert!(matches!(parse(""), Err(DurationError::NoNumber { .. })));
        assert!(matches!(parse("10"), Err(DurationError::NoUnit { .. })));
        assert!(matches!(parse("1y"), Err(DurationError::UnknownUnit { .. })));
        assert!(matches!(parse("99999999999999999999d"), Err(DurationError::TooLong { .. })));
    }

    #[test]
    fn serde_reads_and_writes_text() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct Retention {
            #[serde(with = "super")]
            every: Duration,
            #[serde(with = "option", default)]
            keep: Option<Duration>,
        }
        let read: Retention = serde_json::from_str(r#"{"every":"90s","keep":"7d"}"#).expect("valid");
        assert_eq!(serde_json::to_string(&read).expect("valid"), r#"{"every":"1m30s","keep":"7d"}"#);
        let read: Retention = serde_json::from_str(r#"{"every":"1s"}"#).expect("valid");
        assert_eq!(read, Retention { every: Duration::from_secs(1), keep: None });
        assert!(serde_json::from_str::<Retention>(r#"{"every":90}"#).is_err());
    }

    proptest! {
        #[test]
        fn display_and_parse_round_trip(seconds in 0u64..=u64::MAX, nanos in 0u32..1_000_000_000, shift in 0u32..64) {
            let duration = Duration::new(seconds >> shift, nanos);
            prop_assert_eq!(parse(&display(duration).to_string()), Ok(duration));
        }
    }
}
