//! A position in a topic as people write it: `earliest`, `latest`, an offset, a time, or how long ago.

use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::units::duration;
use crate::{Offset, Timestamp};

/// Where to read from, in every partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum TopicPosition {
    /// The first record that is kept.
    Earliest,
    /// The next record to come.
    #[default]
    Latest,
    /// The record with this offset.
    Offset(Offset),
    /// So many records before the next one to come, which is at least one.
    BeforeEnd(u64),
    /// The first record at or after this time.
    Time(Timestamp),
    /// The first record at or after the time that is so long ago.
    Ago(Duration),
}

/// Text that names no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not earliest, latest, an offset such as 41 (-5 is the fifth before the end), a time such as \
     2026-01-31T12:00:00Z, or 10m ago"
)]
pub struct TopicPositionError {
    /// The text.
    pub text: String,
}

impl FromStr for TopicPosition {
    type Err = TopicPositionError;

    fn from_str(text: &str) -> Result<Self, TopicPositionError> {
        let trimmed = text.trim();
        match trimmed {
            "earliest" => return Ok(Self::Earliest),
            "latest" => return Ok(Self::Latest),
            _ => {}
        }
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let unreadable = || TopicPositionError { text: text.to_owned() };
        if is_number(trimmed.strip_prefix('-').unwrap_or(trimmed)) {
            let offset: i64 = trimmed.parse().map_err(|_| unreadable())?;
            return Ok(match offset {
                0.. => Self::Offset(Offset::new(offset)),
                _ => Self::BeforeEnd(offset.unsigned_abs()),
            });
        }
        if let Ok(time) = trimmed.parse::<jiff::Timestamp>() {
            return Ok(Self::Time(Timestamp::from_millis(time.as_millisecond())));
        }
        let ago = trimmed.strip_suffix("ago").map_or(trimmed, str::trim_end);
        match duration::parse(ago) {
            Ok(ago) if ago < Duration::MAX => Ok(Self::Ago(ago)),
            _ => Err(unreadable()),
        }
    }
}

impl TryFrom<String> for TopicPosition {
    type Error = TopicPositionError;

    fn try_from(text: String) -> Result<Self, TopicPositionError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_people_write_them() {
        let time = |millis| TopicPosition::Time(Timestamp::from_millis(millis));
        let ago = |seconds| TopicPosition::Ago(Duration::from_secs(seconds));
        for (text, position) in [
            ("earliest", TopicPosition::Earliest),
            ("latest", TopicPosition::Latest),
            ("42", TopicPosition::Offset(Offset::new(42))),
            ("-5", TopicPosition::BeforeEnd(5)),
            ("-9223372036854775808", TopicPosition::BeforeEnd(1 << 63)),
            ("2026-01-31T12:00:00Z", time(1_769_860_800_000)),
            ("2026-01-31T12:00:00+01:00", time(1_769_857_200_000)),
            ("10m ago", ago(600)),
            (" 1h30m ", ago(5_400)),
        ] {
            assert_eq!(text.parse(), Ok(position), "{text}");
        }
        for text in ["", "-", "middle", "ago", "yesterday", "forever", "forever ago", "99999999999999999999"]
        {
            text.parse::<TopicPosition>().expect_err(text);
        }
    }
}
