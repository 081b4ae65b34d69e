//! The id of a definition among all that are applied: its kind and its name.

use std::fmt;

use factum_types::{QualifiedName, TeamName};

use crate::kind::{Definition, Kind, KindEntry};
use crate::kinds::KINDS;

/// A kind of definition. What refers to others is greater than they are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKind(usize);

impl ResourceKind {
    /// The kind of a type.
    pub fn of<K: Kind>() -> Self {
        Self::known(K::WORD)
    }

    /// The kind of a definition.
    pub fn of_definition(definition: &dyn Definition) -> Self {
        Self::known(definition.word())
    }

    /// Every kind; what refers to others comes behind them.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..KINDS.len()).map(Self)
    }

    /// The word for it; the first part of the keys of its records.
    pub fn as_str(self) -> &'static str {
        self.entry().word
    }

    pub(crate) fn entry(self) -> &'static KindEntry {
        &KINDS[self.0]
    }

    fn of_word(word: &str) -> Option<Self> {
        KINDS.iter().position(|kind| kind.word == word).map(Self)
    }

    fn known(word: &str) -> Self {
        Self::of_word(word).expect("every type that is a kind is in the list of kinds")
    }
}

impl fmt::Debug for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One definition: `event/store.orders`, which is also the key of its record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its name, `<team>.<name>`; a team's is its own.
    pub name: String,
}

impl ResourceId {
    /// Names a definition.
    pub fn new(kind: ResourceKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// What names the definition of this type and name.
    pub fn named<K: Kind>(name: impl Into<String>) -> Self {
        Self::new(ResourceKind::of::<K>(), name)
    }

    /// What names `definition`.
    pub fn of(definition: &dyn Definition) -> Self {
        Self::new(ResourceKind::of_definition(definition), definition.name())
    }

    /// What the key of a record names; `None` where this version knows no such kind, or the name is none.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let (word, name) = key.split_once('/')?;
        let kind = ResourceKind::of_word(word)?;
        let is_name = match kind.entry().folder {
            "" => TeamName::new(name).is_ok(),
            _ => name.parse::<QualifiedName>().is_ok(),
        };
        is_name.then(|| Self::new(kind, name))
    }

    /// Where its manifest lies in a project's folder.
    pub fn manifest(&self) -> String {
        let stem = self.name.split_once('.').map_or(self.name.as_str(), |(_, stem)| stem);
        let (team, kind) = (self.team(), self.kind.entry());
        match kind.folder {
            "" => format!("teams/{team}/{}{}", kind.word, kind.ending),
            folder => format!("teams/{team}/{folder}/{stem}{}", kind.ending),
        }
    }

    /// The name of the team that it belongs to.
    pub fn team(&self) -> &str {
        self.name.split_once('.').map_or(self.name.as_str(), |(team, _)| team)
    }
}

/// The key of its record.
impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}
