//! Modes: whether schemas may be registered, and whether their ids are given.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What may be done with the schemas of a subject, a context, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Anything.
    #[default]
    ReadWrite,
    /// Reading alone.
    ReadOnly,
    /// As [`Mode::ReadOnly`]; deprecated by Confluent.
    #[serde(rename = "READONLY_OVERRIDE")]
    ReadOnlyOverride,
    /// Registering with the id and version that the client gives, without a check of compatibility.
    Import,
    /// As [`Mode::Import`], for what another registry forwards.
    Forward,
}

/// A word that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT and FORWARD")]
pub struct InvalidMode;

impl Mode {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ReadWrite, Self::ReadOnly, Self::ReadOnlyOverride, Self::Import, Self::Forward];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "READWRITE",
            Self::ReadOnly => "READONLY",
            Self::ReadOnlyOverride => "READONLY_OVERRIDE",
            Self::Import => "IMPORT",
            Self::Forward => "FORWARD",
        }
    }

    /// Whether nothing may change.
    pub fn is_read_only(self) -> bool {
        matches!(self, Self::ReadOnly | Self::ReadOnlyOverride)
    }

    /// Whether ids and versions are the client's, and compatibility is not checked.
    pub fn is_import(self) -> bool {
        matches!(self, Self::Import | Self::Forward)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = InvalidMode;

    fn from_str(word: &str) -> Result<Self, InvalidMode> {
        Self::ALL.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(word)).ok_or(InvalidMode)
    }
}
