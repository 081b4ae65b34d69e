//! Definitions as plain data: events, reference tables and SQL files.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_types::{QualifiedName, TeamName, TopicName};

/// Everything that SQL may name, and every pipeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// Topics with a contract.
    pub events: Vec<EventDefinition>,
    /// Reference tables.
    pub tables: Vec<TableDefinition>,
    /// Files of SQL.
    pub pipelines: Vec<PipelineDefinition>,
}

/// A topic that SQL reads as a stream of events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventDefinition {
    /// The topic, `<team>.<event>`.
    pub topic: TopicName,
    /// The JSON Schema of the data; without one, columns are inferred from the first events.
    pub schema: Option<Arc<serde_json::Value>>,
    /// The field that holds the event time; without one, the envelope's time, else the record's timestamp.
    pub time: Option<String>,
    /// How long after an event's time it may still arrive before a window closes.
    pub lateness: Duration,
}

/// A reference table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDefinition {
    /// Its name.
    pub name: RelationName,
    /// The column that identifies a row.
    pub key: String,
    /// Where the rows come from, for messages.
    pub origin: PathBuf,
    /// The rows, as CSV with a header.
    pub csv: Bytes,
}

/// A file of SQL statements.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineDefinition {
    /// Whose it is; names without a team mean this one.
    pub team: TeamName,
    /// Where it lies, for messages.
    pub file: PathBuf,
    /// What it says.
    pub text: Arc<str>,
}

/// A table or view: `<team>.<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationName {
    /// The team, SQL's schema.
    pub team: Arc<str>,
    /// The name within it.
    pub name: Arc<str>,
}

impl RelationName {
    /// Names a relation.
    pub fn new(team: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { team: team.into(), name: name.into() }
    }

    /// The relation that `<team>.<name>` names, whatever characters SQL was given in quotes; `None` without a dot.
    pub fn parse(text: &str) -> Option<Self> {
        let (team, name) = text.split_once('.')?;
        Some(Self::new(team, name))
    }
}

impl From<&QualifiedName> for RelationName {
    fn from(name: &QualifiedName) -> Self {
        Self::new(name.team(), name.name())
    }
}

impl fmt::Display for RelationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.team, self.name)
    }
}

/// What a name means that is no topic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// A view, materialized or not.
    View,
    /// A reference table.
    Table,
}

impl fmt::Display for RelationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Table => "table",
        })
    }
}

/// A view as a pipeline declares it, materialized or not.
#[derive(Debug, Clone)]
pub struct DeclaredView {
    /// Its name in full.
    pub name: RelationName,
    pub(crate) file: PathBuf,
    pub(crate) text: Arc<str>,
    /// The bytes of its name in its file.
    pub(crate) name_place: Range<usize>,
}

impl DeclaredView {
    /// A problem with its name, at its place.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem {
            place: Place::File(self.file.clone()),
            text: Arc::clone(&self.text),
            span: self.name_place.clone(),
            message: message.into(),
            help: None,
        }
    }
}

/// What a problem is with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file, as it was named in the definition.
    File(PathBuf),
    /// The contract of an event.
    Contract(TopicName),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Contract(topic) => write!(f, "{topic}"),
        }
    }
}

/// What is wrong with a pipeline, a table or a contract, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Problem {
    /// What is wrong.
    pub place: Place,
    /// The text of the file; empty for a contract.
    pub text: Arc<str>,
    /// The bytes of it that are wrong.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}
