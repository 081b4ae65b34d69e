//! Names that a user chooses, checked once where they enter.
//!
//! A value of these types is valid by construction: code below the edge never checks a name again.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest topic name, in bytes, that Kafka's file naming allows.
pub const MAX_TOPIC_NAME_BYTES: usize = 249;

/// What names of topics, groups and transactional ids begin with that the server keeps for itself.
const INTERNAL_PREFIX: &str = "_factum.";

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is the empty string.
    #[error("a name must not be empty")]
    Empty,
    /// The name is longer than allowed.
    #[error("name of {length} bytes is longer than {limit}")]
    TooLong {
        /// Bytes in the refused name.
        length: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// The name holds a character outside its alphabet.
    #[error("character {found:?} at position {at} of {name:?} is not one of {allowed}")]
    BadCharacter {
        /// The refused name.
        name: String,
        /// The first character that is not allowed.
        found: char,
        /// Its position, counted in characters from 0.
        at: usize,
        /// The alphabet, in words.
        allowed: &'static str,
    },
    /// `.` and `..` are directories, not topics.
    #[error("{name:?} is reserved")]
    Reserved {
        /// The refused name.
        name: String,
    },
}

/// A topic: 1 to 249 of `[a-zA-Z0-9._-]`, neither `.` nor `..` (Kafka's own rule).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// Checks `name` and keeps it.
    ///
    /// # Errors
    /// [`NameError`] naming the first rule that `name` breaks.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, NameError> {
        let name = name.into();
        if &*name == "." || &*name == ".." {
            return Err(NameError::Reserved { name: name.to_string() });
        }
        check(&name, MAX_TOPIC_NAME_BYTES, "letters, digits, '.', '_' and '-'", |c| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
        })?;
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is reserved for the server's own records (`__consumer_offsets` and every other `__…`,
    /// `_schemas`, `_factum.…`): clients may read such a topic, and neither write, make, change nor delete it.
    pub fn is_internal(&self) -> bool {
        self.0.starts_with("__") || self.0.starts_with(INTERNAL_PREFIX) || &*self.0 == "_schemas"
    }

    /// The team and event of `<team>.<event>`, if the name has that shape.
    pub fn split(&self) -> Option<(&str, &str)> {
        self.0.split_once('.').filter(|(team, event)| !team.is_empty() && !event.is_empty())
    }
}

/// A consumer group's name: 1 to 255 bytes of any text, as Kafka allows.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupId(Arc<str>);

impl GroupId {
    /// Checks `name` and keeps it.
    ///
    /// # Errors
    /// [`NameError::Empty`] or [`NameError::TooLong`].
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, NameError> {
        let name = name.into();
        check(&name, 255, "any text", |_| true)?;
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is reserved for the server's own tasks (`_factum.…`): clients may look at such a group, and neither
    /// join, change nor delete it.
    pub fn is_internal(&self) -> bool {
        self.0.starts_with(INTERNAL_PREFIX)
    }
}

/// A transactional producer's name for itself, the same over its restarts: 1 to 255 bytes of any text. Kafka sets no
/// limit but that of its strings; this one bounds what a name costs, as for [`GroupId`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TransactionalId(Arc<str>);

impl TransactionalId {
    /// Checks `name` and keeps it.
    ///
    /// # Errors
    /// [`NameError::Empty`] or [`NameError::TooLong`].
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, NameError> {
        let name = name.into();
        check(&name, 255, "any text", |_| true)?;
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is reserved for the server's own producers (`_factum.…`): clients may look at its transactions, and
    /// produce in none of them.
    pub fn is_internal(&self) -> bool {
        self.0.starts_with(INTERNAL_PREFIX)
    }
}

/// A team: 1 to 63 of `[a-z0-9-]`, starting with a letter; also the folder's name in a project.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TeamName(Arc<str>);

impl TeamName {
    /// Checks `name` and keeps it.
    ///
    /// # Errors
    /// [`NameError`] naming the first rule that `name` breaks.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, NameError> {
        let name = name.into();
        check(&name, 63, "lower-case letters, digits and '-'", |c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
        })?;
        let first = name.chars().next().unwrap_or('-');
        if !first.is_ascii_lowercase() {
            let allowed = "a lower-case letter first";
            return Err(NameError::BadCharacter { name: name.to_string(), found: first, at: 0, allowed });
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(
    name: &str,
    limit: usize,
    allowed: &'static str,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > limit {
        return Err(NameError::TooLong { length: name.len(), limit });
    }
    match name.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
        Some((at, found)) => Err(NameError::BadCharacter { name: name.to_owned(), found, at, allowed }),
        None => Ok(()),
    }
}

macro_rules! text_newtype {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }
        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    )*};
}

text_newtype!(TopicName, GroupId, TransactionalId, TeamName);

/// A topic's identity over its whole life: a topic deleted and made again has another (KIP-516).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TopicId(Uuid);

impl TopicId {
    /// The absent id of the wire protocol: sixteen zero bytes.
    pub const NIL: Self = Self(Uuid::nil());

    /// Wraps a UUID that the caller drew.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The sixteen bytes as the wire protocol carries them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Reads the wire protocol's sixteen bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl FromStr for TopicId {
    type Err = uuid::Error;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_names_follow_kafkas_rule() {
        assert_eq!(TopicName::new("store.orders").expect("valid").split(), Some(("store", "orders")));
        assert_eq!(TopicName::new(""), Err(NameError::Empty));
        assert!(matches!(TopicName::new(".."), Err(NameError::Reserved { .. })));
        assert!(matches!(TopicName::new("a/b"), Err(NameError::BadCharacter { found: '/', at: 1, .. })));
        assert!(TopicName::new("x".repeat(249)).is_ok());
        assert!(matches!(TopicName::new("x".repeat(250)), Err(NameError::TooLong { length: 250, .. })));
    }

    #[test]
    fn transactional_ids_are_any_text_of_255_bytes_at_most() {
        assert_eq!(TransactionalId::new("Bezüge\n1").expect("valid").as_str(), "Bezüge\n1");
        assert_eq!(TransactionalId::new(""), Err(NameError::Empty));
        assert!(TransactionalId::new("x".repeat(255)).is_ok());
        let too_long = NameError::TooLong { length: 256, limit: 255 };
        assert_eq!(TransactionalId::new("é".repeat(128)), Err(too_long));
    }

    #[test]
    fn team_names_start_with_a_letter() {
        assert!(TeamName::new("store-2").is_ok());
        assert!(matches!(TeamName::new("2store"), Err(NameError::BadCharacter { at: 0, .. })));
    }
}
