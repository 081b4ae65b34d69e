//! `<team>.<name>`: the name of what a team owns.
//!
//! Invariants: the part before the first dot is a [`TeamName`], and the name behind it has no dot and is not empty; so
//! neither part is ever missing.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::{MAX_TOPIC_NAME_BYTES, NameError, TeamName, TopicName};

/// A table, view, feed or other definition: its team and its own name, 1 to 249 bytes with the dot, the latter of
/// `[a-zA-Z0-9_-]`. Each is a name that a topic could have.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QualifiedName {
    full: Arc<str>,
    /// Where the dot is.
    dot: usize,
}

/// Why a text is not `<team>.<name>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QualifiedNameError {
    /// There is no dot.
    #[error("{text:?} does not say the team: write <team>.<name>")]
    NoTeam {
        /// The text.
        text: String,
    },
    /// What stands before the dot is no team's name, or what stands behind it no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl QualifiedName {
    /// The name `name` of `team`.
    ///
    /// # Errors
    /// [`NameError`] naming the first rule that `name` breaks.
    pub fn new(team: &TeamName, name: &str) -> Result<Self, NameError> {
        let allowed = "letters, digits, '_' and '-'";
        let bad =
            name.chars().enumerate().find(|(_, c)| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
        match bad {
            _ if name.is_empty() => return Err(NameError::Empty),
            Some((at, found)) => {
                return Err(NameError::BadCharacter { name: name.to_owned(), found, at, allowed });
            }
            None => {}
        }
        let (full, dot) = (format!("{team}.{name}"), team.as_str().len());
        match full.len() {
            length if length > MAX_TOPIC_NAME_BYTES => {
                Err(NameError::TooLong { length, limit: MAX_TOPIC_NAME_BYTES })
            }
            _ => Ok(Self { full: full.into(), dot }),
        }
    }

    /// Both parts with the dot.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// The team's name.
    pub fn team(&self) -> &str {
        &self.full[..self.dot]
    }

    /// The name within the team.
    pub fn name(&self) -> &str {
        &self.full[self.dot + 1..]
    }

    /// The topic of this name.
    pub fn to_topic(&self) -> TopicName {
        TopicName::new(Arc::clone(&self.full)).expect("every qualified name is a topic's")
    }
}

impl FromStr for QualifiedName {
    type Err = QualifiedNameError;

    fn from_str(text: &str) -> Result<Self, QualifiedNameError> {
        let no_team = || QualifiedNameError::NoTeam { text: text.to_owned() };
        let (team, name) = text.split_once('.').ok_or_else(no_team)?;
        Ok(Self::new(&TeamName::new(team)?, name)?)
    }
}

impl TryFrom<String> for QualifiedName {
    type Error = QualifiedNameError;

    fn try_from(text: String) -> Result<Self, QualifiedNameError> {
        text.parse()
    }
}

impl From<QualifiedName> for String {
    fn from(name: QualifiedName) -> Self {
        name.full.as_ref().to_owned()
    }
}

impl Borrow<str> for QualifiedName {
    fn borrow(&self) -> &str {
        &self.full
    }
}

impl PartialEq<str> for QualifiedName {
    fn eq(&self, other: &str) -> bool {
        &*self.full == other
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

impl fmt::Debug for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.full, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_are_there_or_it_is_no_name() {
        let name: QualifiedName = "web-shop.top_10".parse().expect("valid");
        assert_eq!((name.team(), name.name(), name.as_str()), ("web-shop", "top_10", "web-shop.top_10"));
        assert_eq!(name.to_topic().split(), Some(("web-shop", "top_10")));
        for text in ["", ".", "store", "store.", ".top", "Store.top", "store.a.b", "store.a b"] {
            text.parse::<QualifiedName>().expect_err(text);
        }
        let long = format!("store.{}", "x".repeat(244));
        assert_eq!(long.parse::<QualifiedName>(), Err(NameError::TooLong { length: 250, limit: 249 }.into()));
    }

    #[test]
    fn json_is_its_text() {
        let name: QualifiedName = serde_json::from_str(r#""store.top""#).expect("valid");
        assert_eq!(serde_json::to_string(&name).expect("text"), r#""store.top""#);
        serde_json::from_str::<QualifiedName>(r#""top""#).expect_err("no team");
    }
}
