//! Text that is no schema of its format, and where it is wrong.

/// Bytes of a schema's text, that of its references included, at most.
pub const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// How deep the parts of a schema, and the parts of a value, may be nested in one another.
pub const MAX_DEPTH: usize = 64;

/// Why a text is no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", .place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
pub struct InvalidSchema {
    /// Where: `line 3, column 7`, or a JSON pointer (`/fields/1/type`).
    pub place: Option<String>,
    /// What is wrong there, and what to do.
    pub reason: String,
}

impl InvalidSchema {
    /// Wrong as a whole.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { place: None, reason: reason.into() }
    }

    /// Wrong at `place`.
    pub(crate) fn at(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: Some(place.into()), reason: reason.into() }
    }
}
