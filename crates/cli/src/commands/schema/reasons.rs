//! Reasons why a schema is incompatible, read from the messages of a registry.
//!
//! ```text
//!   {errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'… (at path '/fields/1')', additionalInfo:'total'}
//!   {oldSchemaVersion: 2}     the version that the reasons before it are about
//!   {oldSchema: '…'}  {validateFields: 'false', compatibility: 'BACKWARD'}
//! ```
//!
//! Invariants: no message is lost: one that is none of these is a reason as it stands.

use std::fmt;

use factum_api::catalogue::IncompatibilityReason;
use serde::Serialize;

use crate::output::{Column, Row, numbers, printable, words};

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    /// The version of the subject that it is about.
    version: Option<i32>,
    /// The place in the schema, where one was told.
    path: String,
    /// The kind of difference: `TYPE_MISMATCH`.
    kind: String,
    /// What is wrong.
    reason: String,
}

impl From<IncompatibilityReason> for Reason {
    fn from(told: IncompatibilityReason) -> Self {
        let IncompatibilityReason { version, path, kind, reason } = told;
        Self { version: Some(version), path, kind, reason }
    }
}

impl Row for Reason {
    const COLUMNS: &'static [Column<Self>] = &[
        numbers("version", |reason| reason.version.map_or_else(String::new, |version| version.to_string())),
        words("path", |reason| reason.path.clone()),
        words("kind", |reason| reason.kind.clone()),
        words("reason", |reason| reason.reason.clone()),
    ];

    fn name(&self) -> String {
        self.path.clone()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = self.version {
            write!(f, "version {version}, ")?;
        }
        if !self.path.is_empty() {
            write!(f, "at {}: ", printable(&self.path))?;
        }
        f.write_str(&printable(&self.reason))
    }
}

/// Reads the messages of a check.
pub(super) fn read(messages: &[String]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for message in messages {
        if let Some(version) = old_version(message) {
            for reason in reasons.iter_mut().rev().take_while(|reason| reason.version.is_none()) {
                reason.version = Some(version);
            }
        } else if let Some(reason) = difference(message) {
            reasons.push(reason);
        } else if !message.starts_with("{oldSchema:") && !message.starts_with("{validateFields:") {
            reasons.push(Reason {
                version: None,
                path: String::new(),
                kind: String::new(),
                reason: message.clone(),
            });
        }
    }
    reasons
}

fn old_version(message: &str) -> Option<i32> {
    message.strip_prefix("{oldSchemaVersion:")?.strip_suffix('}')?.trim().parse().ok()
}

fn difference(message: &str) -> Option<Reason> {
    let rest = message.strip_prefix("{errorType:")?;
    // Avro's messages are quoted by one stroke, those of the other formats by two.
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let rest = rest.strip_prefix(quote)?;
    let (kind, rest) = rest.split_once(&format!("{quote}, description:{quote}"))?;
    let told = rest.split_once(&format!("{quote}, additionalInfo:")).map(|(told, _)| told);
    let told = told.or_else(|| rest.strip_suffix('}')?.strip_suffix(quote))?;
    let (path, reason) = path_of(told);
    Some(Reason { version: None, path, kind: kind.to_owned(), reason })
}

/// The path that a description names, and the description; one that ends with the path goes without.
fn path_of(told: &str) -> (String, String) {
    if let Some((reason, path)) = told.strip_suffix("')").and_then(|told| told.rsplit_once(" (at path '")) {
        return (path.to_owned(), reason.to_owned());
    }
    let path = told.split_once("path '").and_then(|(_, rest)| rest.split_once('\''));
    (path.map_or_else(String::new, |(path, _)| path.to_owned()), told.to_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn told(messages: &[&str]) -> String {
        let messages: Vec<_> = messages.iter().map(|text| (*text).to_owned()).collect();
        read(&messages).iter().map(|reason| format!("{} | {reason}\n", reason.kind)).collect()
    }

    #[test]
    fn reasons_have_their_version_and_path() {
        expect![[r#"
            TYPE_MISMATCH | version 2, at /fields/0/type: the reader expects int, the writer has string
            MISSING_DEFAULT | version 2, at /fields/1: The field 'a' at path '/fields/1' in the new schema has no default value
            PROPERTY_ADDED | version 1, at #/properties/a: it was added
            OTHER | version 1, no path
             | Invalid schema: no type
        "#]]
        .assert_eq(&told(&[
            "{errorType:'TYPE_MISMATCH', description:'the reader expects int, the writer has string (at path '/fields/0/type')', additionalInfo:'reader type: INT'}",
            "{errorType:'MISSING_DEFAULT', description:'The field 'a' at path '/fields/1' in the new schema has no default value', additionalInfo:'a'}",
            "{oldSchemaVersion: 2}",
            "{oldSchema: '{\"type\":\"string\"}'}",
            "{errorType:\"PROPERTY_ADDED\", description:\"it was added (at path '#/properties/a')\"}",
            "{errorType:'OTHER', description:'no path'}",
            "{oldSchemaVersion: 1}",
            "{oldSchema: 'x'}",
            "{validateFields: 'false', compatibility: 'BACKWARD'}",
            "Invalid schema: no type",
        ]));
    }
}
