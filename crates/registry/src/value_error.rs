//! A value that is not what its schema describes.

/// Why a value is not of its schema, for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", .path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default())]
pub struct ValueError {
    /// The field, as its sender would write it: `details[2].price`; absent where the value as a whole is wrong.
    pub path: Option<String>,
    /// What is wrong with it, with what the schema asks for.
    pub reason: String,
}
