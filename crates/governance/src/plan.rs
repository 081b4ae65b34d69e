//! What would change, and changing it.
//!
//! Always holds: a plan without changes applies to nothing; applying a plan and planning again finds no change;
//! no change removes a topic or a record. An event that left the project is forgotten, its topic stays.

mod apply;
mod change;
mod compare;
mod display;

use std::fmt;

use factum_eventlog::{AdminError, EventLog};
use miette::Diagnostic;

pub use apply::{Applied, ApplyError};
pub use change::{Change, Definition, FieldChange};

use crate::problem::Problem;
use crate::project::Project;
use crate::resources::{Recorded, RecordedError};

/// The changes that make a log what a project says, in the order in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The project's name.
    pub project: String,
    /// What changes.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Compares `project` with the topics and the applied resources of `log`.
    ///
    /// # Errors
    /// [`PlanError::Refused`] where the project asks for what cannot be done, with its place in the file.
    pub async fn between(project: &Project, log: &dyn EventLog) -> Result<Self, PlanError> {
        let recorded = Recorded::read(log).await?;
        let topics = log.topics().await.map_err(PlanError::Topics)?;
        let topics = topics.into_iter().map(|topic| (topic.name.clone(), topic)).collect();
        let comparison = compare::Comparison { project, recorded: &recorded, topics: &topics };
        let changes = comparison.changes().map_err(PlanError::Refused)?;
        Ok(Self { project: project.name.clone(), changes })
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Why there is no plan.
#[derive(Debug)]
pub enum PlanError {
    /// The project asks for what cannot be done.
    Refused(Vec<Problem>),
    /// The log's topics could not be listed.
    Topics(AdminError),
    /// What was applied before could not be read.
    Recorded(RecordedError),
}

impl PlanError {
    /// Whether the same project can be planned later with no change to it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Topics(error) => error.is_transient(),
            Self::Recorded(error) => error.is_transient(),
        }
    }

    /// What is wrong with the project, if that is the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused(problems) => problems,
            Self::Topics(_) | Self::Recorded(_) => &[],
        }
    }
}

impl From<RecordedError> for PlanError {
    fn from(error: RecordedError) -> Self {
        Self::Recorded(error)
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "the project cannot be applied as it is",
            Self::Topics(_) => "list the topics",
            Self::Recorded(_) => "read what was applied before",
        })
    }
}

impl std::error::Error for PlanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Topics(error) => Some(error),
            Self::Recorded(error) => Some(error),
        }
    }
}

impl Diagnostic for PlanError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self {
            Self::Refused(problems) => {
                Some(Box::new(problems.iter().map(|problem| problem as &dyn Diagnostic)))
            }
            Self::Topics(_) | Self::Recorded(_) => None,
        }
    }
}
