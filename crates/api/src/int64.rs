//! 64-bit integers as JSON text: a browser's numbers are exact up to 2^53 alone.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 64-bit integer that is written as JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int64(pub i64);

impl fmt::Display for Int64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<i64> for Int64 {
    fn from(value: i64) -> Self {
        Self(value)
    }
}

impl From<u64> for Int64 {
    /// A count; none of ours reaches the greatest.
    fn from(value: u64) -> Self {
        Self(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl Serialize for Int64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Int64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit integer as text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Int64, E> {
        text.parse().map(Int64).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_text_and_nothing_else_is_one() {
        for value in [0, -1, i64::MAX, i64::MIN] {
            let text = serde_json::to_string(&Int64(value)).expect("text");
            assert_eq!(text, format!("\"{value}\""));
            assert_eq!(serde_json::from_str::<Int64>(&text).expect("the same"), Int64(value));
        }
        for text in ["\"\"", "\"4 1\"", "\"9223372036854775808\"", "41", "null"] {
            let error = serde_json::from_str::<Int64>(text).expect_err("no integer as text").to_string();
            assert!(error.contains("a 64-bit integer as text"), "{error}");
        }
        assert_eq!(Int64::from(u64::MAX).0, i64::MAX);
    }
}
