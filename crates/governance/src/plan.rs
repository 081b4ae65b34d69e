//! Plans: the difference between a project and what is applied, and applying it.
//!
//! Invariants: a plan without changes applies to nothing; applying a plan and planning again finds no change;
//! no change removes a topic or a record. An event that left the project is forgotten, its topic stays. What cannot be
//! done is a problem of the event that asks for it; the other changes are planned.

mod apply;
mod change;
mod compare;
mod display;
mod fields;
mod topics;

use std::fmt;

use factum_eventlog::{AdminError, EventLog};

pub(crate) use apply::write;
pub use apply::{ApplyError, ApplyResult, PreparedPlan};
pub use change::{Action, Change, FieldChange, TopicChange};

use crate::problem::Problem;
use crate::project::Project;
use crate::record::{AppliedDefinitions, ReadAppliedError};
use crate::resource_id::ResourceId;

/// The changes that make a log what a project says, in the order in which they are applied.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The project's name.
    pub project: String,
    /// What changes.
    pub changes: Vec<Change>,
    /// Events that ask for what cannot be done, with the place in their file. They stay as they are.
    pub problems: Vec<(ResourceId, Problem)>,
}

impl Plan {
    /// Compares `project` with the topics and the applied resources of `log`.
    ///
    /// # Errors
    /// [`PlanError`], where the log does not answer.
    pub async fn between(project: &Project, log: &dyn EventLog) -> Result<Self, PlanError> {
        let recorded = AppliedDefinitions::read(log).await?;
        Self::from_recorded(project, &recorded, log).await
    }

    /// The same, where it is known already what was applied.
    pub(crate) async fn from_recorded(
        project: &Project,
        recorded: &AppliedDefinitions,
        log: &dyn EventLog,
    ) -> Result<Self, PlanError> {
        let topics = log.topics().await.map_err(PlanError::Topics)?;
        let topics = topics.into_iter().map(|topic| (topic.name.clone(), topic)).collect();
        let comparison =
            compare::Comparison { project, recorded, before: &recorded.definitions(), topics: &topics };
        let (changes, problems) = comparison.changes();
        Ok(Self { project: project.name.clone(), changes, problems })
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Why there is no plan.
#[derive(Debug)]
pub enum PlanError {
    /// The log's topics could not be listed.
    Topics(AdminError),
    /// What was applied before could not be read.
    Recorded(ReadAppliedError),
}

impl PlanError {
    /// Whether the same project can be planned later with no change to it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Topics(error) => error.is_transient(),
            Self::Recorded(error) => error.is_transient(),
        }
    }
}

impl From<ReadAppliedError> for PlanError {
    fn from(error: ReadAppliedError) -> Self {
        Self::Recorded(error)
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topics(_) => "list the topics",
            Self::Recorded(_) => "read what was applied before",
        })
    }
}

impl std::error::Error for PlanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Topics(error) => Some(error),
            Self::Recorded(error) => Some(error),
        }
    }
}
