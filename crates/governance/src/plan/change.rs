//! One change of a plan.

use factum_eventlog::TopicConfig;

use crate::definitions::SharedDefinition;
use crate::resource_id::ResourceId;

/// One thing that a plan does.
#[derive(Debug, Clone)]
pub struct Change {
    /// What becomes of the definition.
    pub action: Action,
    /// As it will be; as it was, where it left the project.
    pub definition: SharedDefinition,
    /// What differs, where it changes.
    pub fields: Vec<FieldChange>,
    /// What becomes of its topic, for a definition that declares one.
    pub topic: Option<TopicChange>,
}

/// What becomes of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It comes in.
    Add,
    /// It changes.
    Update,
    /// It left the project; what was computed for it goes.
    Forget,
}

impl Action {
    /// `+` comes in, `~` changes, `-` is forgotten.
    pub fn mark(self) -> char {
        match self {
            Self::Add => '+',
            Self::Update => '~',
            Self::Forget => '-',
        }
    }
}

/// What becomes of the topic that a definition declares. No change removes one, or a record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicChange {
    /// It is made.
    Create,
    /// It exists already.
    Adopt {
        /// Records in it now.
        records: i64,
        /// Its configuration, where it changes.
        config: Option<TopicConfig>,
        /// How many partitions it will have, where it is given more.
        partitions: Option<i32>,
    },
    /// Its configuration changes, or the number of its partitions.
    Alter {
        /// Its configuration, where it changes.
        config: Option<TopicConfig>,
        /// How many partitions it will have, where it is given more.
        partitions: Option<i32>,
    },
    /// It stays, without a definition.
    Stay {
        /// Records in it now.
        records: i64,
    },
}

/// A field that differs, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in the manifest.
    pub name: String,
    /// Before; `None` if it was not set.
    pub from: Option<String>,
    /// After; `None` if it is no longer set.
    pub to: Option<String>,
}

impl Change {
    /// What names the definition.
    pub fn id(&self) -> ResourceId {
        ResourceId::of(&*self.definition)
    }

    /// The team that the change belongs to.
    pub fn team(&self) -> &str {
        self.definition.team().as_str()
    }
}
