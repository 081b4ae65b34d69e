//! Names of schema groups: contexts, as Azure's clients name them.
//!
//! ```text
//!   orders     context `.orders`
//!   $default   the default context, `.`
//! ```

use std::fmt;
use std::str::FromStr;

use crate::DEFAULT_CONTEXT;
use crate::subject::{InvalidSubject, MAX_SUBJECT_BYTES, Subject};

/// The name of the default context: no group that is created can have it.
pub const DEFAULT_GROUP: &str = "$default";

/// The name of a schema group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName(String);

/// Text that is no name of a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid schema group {text:?}: a letter or digit, then anything but / \\ $ : and control characters; at most {} bytes",
    MAX_SUBJECT_BYTES / 2
)]
pub struct InvalidGroupName {
    /// As it was given.
    pub text: String,
}

impl GroupName {
    /// The group that a context is, if it has a name that a group can have.
    pub fn of_context(context: &str) -> Option<Self> {
        match context {
            DEFAULT_CONTEXT => Some(Self(DEFAULT_GROUP.to_owned())),
            other => other.strip_prefix('.')?.parse().ok().filter(|group: &Self| group.0 != DEFAULT_GROUP),
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The context that it is.
    pub fn context(&self) -> String {
        match self.0.as_str() {
            DEFAULT_GROUP => DEFAULT_CONTEXT.to_owned(),
            name => format!(".{name}"),
        }
    }

    /// Whether it is the default context, which is there without being created.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT_GROUP
    }

    /// The context as a scope, for its settings and the rights to it.
    pub fn scope(&self) -> Subject {
        Subject::of_context(&self.context())
    }

    /// The subject that has the versions of schema `name`.
    ///
    /// # Errors
    /// [`InvalidSubject`].
    pub fn subject(&self, name: &str) -> Result<Subject, InvalidSubject> {
        match name {
            "" => Err(InvalidSubject::Empty),
            name => Subject::parse(&format!(":{}:{name}", self.context())),
        }
    }
}

/// Whether a group, or a schema of one, can be called that: as Azure's clients may name them.
pub fn is_schema_name(name: &str) -> bool {
    let is_refused = |c: char| c.is_control() || matches!(c, '/' | '\\' | '$' | ':');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains(is_refused)
}

impl FromStr for GroupName {
    type Err = InvalidGroupName;

    fn from_str(text: &str) -> Result<Self, InvalidGroupName> {
        let is_short = text.len() <= MAX_SUBJECT_BYTES / 2;
        match text == DEFAULT_GROUP || is_short && is_schema_name(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidGroupName { text: text.chars().take(64).collect() }),
        }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_a_context() {
        for (name, context) in [("orders", ".orders"), ("a.b c", ".a.b c"), ("$default", ".")] {
            let group: GroupName = name.parse().expect(name);
            assert_eq!(group.context(), context);
            assert_eq!(GroupName::of_context(context), Some(group.clone()));
            let subject = group.subject("example.User").expect("a subject");
            assert_eq!((subject.context(), subject.name()), (context, "example.User"));
        }
        assert_eq!(GroupName::of_context(".__GLOBAL"), None);
        assert_eq!(GroupName::of_context(".$default"), None);
    }

    #[test]
    fn text_that_is_no_group_is_refused() {
        for text in ["", ".", "$schemas", "a/b", "a:b", "a$", "a\\b", "a\n", "é", &"x".repeat(513)] {
            text.parse::<GroupName>().expect_err(text);
        }
    }
}
