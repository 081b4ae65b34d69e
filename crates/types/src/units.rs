//! Sizes and durations as people write them: `64MiB`, `7d`, `1h30m`.
//!
//! Invariants: what is displayed parses back to the same value.

pub mod duration;

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads a value for which zero makes no sense, such as a limit of memory or of connections. Use with
/// `#[serde(deserialize_with = "factum_types::units::above_zero")]`.
///
/// # Errors
/// The deserializer's own, or that the value is zero.
pub fn above_zero<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default + PartialEq,
{
    let value = T::deserialize(deserializer)?;
    if value == T::default() { Err(D::Error::custom(ABOVE_ZERO)) } else { Ok(value) }
}

const ABOVE_ZERO: &str = "it must be above zero; leave the setting out for its default";

/// Names and values of the units, the larger first among those that divide the same sizes.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// A number of bytes, written `64MiB`, `1GB` or `512`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ByteSize(pub u64);

/// Why text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ByteSizeError {
    /// It does not begin with a whole number.
    #[error("{text:?} is not a size; write a number and a unit, such as 64MiB")]
    NoNumber {
        /// The text.
        text: String,
    },
    /// The unit does not exist.
    #[error("{unit:?} is not a unit of size; use B, KiB, MiB, GiB, TiB, kB, MB, GB or TB")]
    UnknownUnit {
        /// The unit found.
        unit: String,
    },
    /// It does not fit 64 bits.
    #[error("size {text:?} is too large")]
    TooLarge {
        /// The text.
        text: String,
    },
}

impl ByteSize {
    /// `n` KiB.
    pub const fn kib(n: u64) -> Self {
        Self(n << 10)
    }

    /// `n` MiB.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// `n` GiB.
    pub const fn gib(n: u64) -> Self {
        Self(n << 30)
    }

    /// The number of bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = trimmed.split_at(digits);
        if number.is_empty() {
            return Err(ByteSizeError::NoNumber { text: text.to_owned() });
        }
        let unit = unit.trim_start();
        let named = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let factor = match (unit, named) {
            ("", _) => 1,
            (_, Some((_, factor))) => *factor,
            (_, None) => return Err(ByteSizeError::UnknownUnit { unit: unit.to_owned() }),
        };
        let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        size.map(Self).ok_or_else(|| ByteSizeError::TooLarge { text: text.to_owned() })
    }
}

/// Exact, in the largest unit that divides it; `{:#}` rounds to three figures for tables.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let unit = UNITS[..4].iter().rev().rfind(|(_, factor)| self.0 >= *factor);
            return match unit {
                None => write!(f, "{} B", self.0),
                Some((name, factor)) => write!(f, "{:.1} {name}", self.0 as f64 / *factor as f64),
            };
        }
        let divides = |(_, factor): &&(&str, u64)| self.0 >= *factor && self.0.is_multiple_of(*factor);
        let (name, factor) = UNITS.iter().find(divides).unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / factor)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ByteSizeVisitor)
    }
}

struct ByteSizeVisitor;

impl Visitor<'_> for ByteSizeVisitor {
    type Value = ByteSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as 64MiB, or a number of bytes")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ByteSize, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
        Ok(ByteSize(bytes))
    }

    fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
        u64::try_from(bytes).map(ByteSize).map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in
            [("512", 512), ("64MiB", 64 << 20), ("1GB", 1_000_000_000), ("2 kib", 2048), ("7B", 7)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        assert!(matches!("".parse::<ByteSize>(), Err(ByteSizeError::NoNumber { .. })));
        assert!(matches!("1.5GB".parse::<ByteSize>(), Err(ByteSizeError::UnknownUnit { .. })));
        assert!(matches!("99999999TiB".parse::<ByteSize>(), Err(ByteSizeError::TooLarge { .. })));
    }

    #[test]
    fn tables_show_round_sizes() {
        assert_eq!(format!("{:#}", ByteSize(1_536)), "1.5 KiB");
        assert_eq!(format!("{:#}", ByteSize(3 << 30)), "3.0 GiB");
        assert_eq!(format!("{:#}", ByteSize(12)), "12 B");
    }

    #[test]
    fn serde_takes_text_and_numbers() {
        assert_eq!(serde_json::from_str::<ByteSize>("\"16MiB\"").expect("valid"), ByteSize::mib(16));
        assert_eq!(serde_json::from_str::<ByteSize>("16").expect("valid"), ByteSize(16));
        assert!(serde_json::from_str::<ByteSize>("-1").is_err());
        assert_eq!(serde_json::to_string(&ByteSize::kib(3)).expect("valid"), "\"3KiB\"");
    }

    proptest! {
        #[test]
        fn display_and_parse_round_trip(bytes: u64, shift in 0u32..64) {
            let size = ByteSize(bytes >> shift);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
