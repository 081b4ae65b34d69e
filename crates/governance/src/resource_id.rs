//! What names one definition among all that are applied: its kind and its name.

use std::fmt;

/// A kind of definition; the word for it is the first part of the key of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Who owns the others.
    Team,
    /// An event and its topic.
    Event,
    /// A reference table.
    Table,
    /// A file of SQL.
    Pipeline,
    /// A generator of events.
    Feed,
    /// A page of panels.
    Dashboard,
}

impl ResourceKind {
    const ALL: [Self; 6] =
        [Self::Team, Self::Event, Self::Table, Self::Pipeline, Self::Feed, Self::Dashboard];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Event => "event",
            Self::Table => "table",
            Self::Pipeline => "pipeline",
            Self::Feed => "feed",
            Self::Dashboard => "dashboard",
        }
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

    /// What the key of a record names; `None` where this version knows no such kind.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let (word, name) = key.split_once('/')?;
        let kind = ResourceKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
        Some(Self::new(kind, name))
    }

    /// Where its manifest lies in a project's folder.
    pub(crate) fn manifest(&self) -> String {
        let stem = self.name.split_once('.').map_or(self.name.as_str(), |(_, stem)| stem);
        let (team, kind) = (self.team(), self.kind.as_str());
        match self.kind {
            ResourceKind::Team => format!("teams/{team}/team.yaml"),
            ResourceKind::Pipeline => format!("teams/{team}/{kind}s/{stem}.sql"),
            _ => format!("teams/{team}/{kind}s/{stem}.yaml"),
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
