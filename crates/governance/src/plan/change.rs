//! One change of a plan.

use factum_eventlog::TopicConfig;
use factum_types::TopicName;

use crate::project::{EventDefinition, TeamDefinition};

/// One thing that a plan does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A team comes in.
    AddTeam(TeamDefinition),
    /// What is said of a team changes.
    UpdateTeam {
        /// As it will be.
        team: TeamDefinition,
        /// What differs.
        fields: Vec<FieldChange>,
    },
    /// A team left the project.
    ForgetTeam(TeamDefinition),
    /// An event comes in, with a new topic.
    AddEvent(EventDefinition),
    /// An event comes in, for a topic that exists already.
    AdoptTopic {
        /// As it will be.
        event: EventDefinition,
        /// Records in the topic now.
        records: i64,
        /// The topic's configuration, where it changes.
        config: Option<TopicConfig>,
    },
    /// An event changes.
    UpdateEvent {
        /// As it will be.
        event: EventDefinition,
        /// What differs.
        fields: Vec<FieldChange>,
        /// The topic's configuration, where it changes.
        config: Option<TopicConfig>,
    },
    /// An event left the project. Its topic stays, with every record.
    ForgetEvent {
        /// As it was.
        event: EventDefinition,
        /// Records in its topic now; `None` if there is no such topic.
        records: Option<i64>,
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
    /// The team that the change belongs to.
    pub fn team(&self) -> &str {
        match self {
            Self::AddTeam(team) | Self::UpdateTeam { team, .. } | Self::ForgetTeam(team) => {
                team.name.as_str()
            }
            Self::AddEvent(event)
            | Self::AdoptTopic { event, .. }
            | Self::UpdateEvent { event, .. }
            | Self::ForgetEvent { event, .. } => event.team.as_str(),
        }
    }

    /// The topic that the change concerns, if it is an event's.
    pub fn topic(&self) -> Option<&TopicName> {
        match self {
            Self::AddTeam(_) | Self::UpdateTeam { .. } | Self::ForgetTeam(_) => None,
            Self::AddEvent(event)
            | Self::AdoptTopic { event, .. }
            | Self::UpdateEvent { event, .. }
            | Self::ForgetEvent { event, .. } => Some(&event.topic),
        }
    }
}
