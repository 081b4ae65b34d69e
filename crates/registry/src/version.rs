//! Versions of a subject: numbers from 1, or the latest.

use std::str::FromStr;

/// A version as a client names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionSelector {
    /// The last one that is not deleted.
    Latest,
    /// This one.
    Number(i32),
}

/// Text that names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The specified version '{text}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""
)]
pub struct InvalidVersion {
    /// As it was given.
    pub text: String,
}

impl FromStr for VersionSelector {
    type Err = InvalidVersion;

    /// A number from 1, or `latest` or `-1`.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("latest") {
            return Ok(Self::Latest);
        }
        match trimmed.parse() {
            Ok(-1) => Ok(Self::Latest),
            Ok(number) if number > 0 => Ok(Self::Number(number)),
            _ => Err(InvalidVersion { text: text.to_owned() }),
        }
    }
}
