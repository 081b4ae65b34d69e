//! What governance needs of whoever runs SQL: to be told what is wrong with it, and that it changed.

use async_trait::async_trait;

use crate::definitions::Definitions;
use crate::kinds::KeptView;
use crate::problem::Problem;

/// Runs the pipelines of a project. Wired in by the server; `()` runs none and finds nothing wrong.
#[async_trait]
pub trait Pipelines: Send + Sync + 'static {
    /// Looks for what would be wrong with `wanted`; topics of new events need not exist yet. Changes nothing.
    ///
    /// # Errors
    /// [`PipelinesError`], with every problem at its place in the file.
    async fn check(&self, wanted: &Definitions) -> Result<(), PipelinesError>;

    /// Puts `applied` into effect: what is unchanged goes on, what changed is built anew beside the old, what is gone
    /// ends.
    ///
    /// # Errors
    /// [`PipelinesError`]; what ran before runs on.
    async fn apply(&self, applied: &Definitions) -> Result<(), PipelinesError>;

    /// The views that are kept now: what dashboards can show.
    fn views(&self) -> Vec<KeptView>;
}

/// Why definitions were not put into effect.
#[derive(Debug, thiserror::Error)]
pub enum PipelinesError {
    /// They are wrong.
    #[error("the pipelines cannot run as they are")]
    Refused(Vec<Problem>),
    /// The log or the state does not answer now.
    #[error("the pipelines cannot be changed now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl PipelinesError {
    /// Whether the same definitions may be put into effect later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// What is wrong with the definitions, if that is the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused(problems) => problems,
            Self::Unavailable { .. } => &[],
        }
    }
}

#[async_trait]
impl Pipelines for () {
    async fn check(&self, _: &Definitions) -> Result<(), PipelinesError> {
        Ok(())
    }

    async fn apply(&self, _: &Definitions) -> Result<(), PipelinesError> {
        Ok(())
    }

    fn views(&self) -> Vec<KeptView> {
        Vec::new()
    }
}
