//! One change of a plan.

use factum_eventlog::TopicConfig;
use factum_types::TopicName;
use serde::Serialize;

use crate::project::{
    DashboardDefinition, EventDefinition, FeedDefinition, PipelineDefinition, TableDefinition, TeamDefinition,
};
use crate::resource_id::{ResourceId, ResourceKind};

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
    /// A table, pipeline, feed or dashboard comes in.
    Add(Definition),
    /// A table, pipeline, feed or dashboard changes.
    Update {
        /// As it will be.
        definition: Definition,
        /// What differs.
        fields: Vec<FieldChange>,
    },
    /// A table, pipeline, feed or dashboard left the project; what was computed for it goes.
    Forget(Definition),
}

/// What a team has besides events, in the order in which it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Definition {
    /// A reference table.
    Table(TableDefinition),
    /// A file of SQL.
    Pipeline(PipelineDefinition),
    /// A generator of events.
    Feed(FeedDefinition),
    /// A page of panels.
    Dashboard(DashboardDefinition),
}

impl Definition {
    /// What names it, also in its record.
    pub fn id(&self) -> ResourceId {
        let kind = match self {
            Self::Table(_) => ResourceKind::Table,
            Self::Pipeline(_) => ResourceKind::Pipeline,
            Self::Feed(_) => ResourceKind::Feed,
            Self::Dashboard(_) => ResourceKind::Dashboard,
        };
        ResourceId::new(kind, self.name())
    }

    /// Its name, `<team>.<name>`.
    pub fn name(&self) -> &str {
        match self {
            Self::Table(table) => &table.name,
            Self::Pipeline(pipeline) => &pipeline.name,
            Self::Feed(feed) => &feed.name,
            Self::Dashboard(dashboard) => &dashboard.name,
        }
    }

    /// The project that it is defined in.
    pub(crate) fn project(&self) -> &str {
        match self {
            Self::Table(table) => &table.project,
            Self::Pipeline(pipeline) => &pipeline.project,
            Self::Feed(feed) => &feed.project,
            Self::Dashboard(dashboard) => &dashboard.project,
        }
    }

    fn team(&self) -> &str {
        match self {
            Self::Table(table) => table.team.as_str(),
            Self::Pipeline(pipeline) => pipeline.team.as_str(),
            Self::Feed(feed) => feed.team.as_str(),
            Self::Dashboard(dashboard) => dashboard.team.as_str(),
        }
    }
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
            Self::Add(definition) | Self::Update { definition, .. } | Self::Forget(definition) => {
                definition.team()
            }
        }
    }

    /// The topic that the change concerns, if it is an event's.
    pub fn topic(&self) -> Option<&TopicName> {
        match self {
            Self::AddTeam(_) | Self::UpdateTeam { .. } | Self::ForgetTeam(_) => None,
            Self::Add(_) | Self::Update { .. } | Self::Forget(_) => None,
            Self::AddEvent(event)
            | Self::AdoptTopic { event, .. }
            | Self::UpdateEvent { event, .. }
            | Self::ForgetEvent { event, .. } => Some(&event.topic),
        }
    }
}
