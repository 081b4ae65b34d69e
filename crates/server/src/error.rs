//! Why a server did not start.

use std::io;
use std::path::PathBuf;

use factum_governance::resources::RecordedError;
use factum_governance::watch;

/// Why a server did not start. Nothing of it is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No temporary directory could be made.
    #[error("cannot make a temporary data directory")]
    Temporary(#[source] io::Error),
    /// The log does not open.
    #[error(transparent)]
    Log(#[from] factum_broker::OpenError),
    /// The state of views does not open.
    #[error(transparent)]
    State(#[from] factum_state::OpenError),
    /// What was applied earlier cannot be put into effect.
    #[error(transparent)]
    Pipelines(#[from] factum_governance::PipelinesError),
    /// The Kafka port is taken or not ours.
    #[error(transparent)]
    Kafka(#[from] factum_kafka_server::BindError),
    /// The HTTP port is taken or not ours.
    #[error(transparent)]
    Http(#[from] factum_http_api::BindError),
    /// The project is broken, or asks for what cannot be done.
    #[error("cannot apply the project in {folder}", folder = folder.display())]
    Project {
        /// The project's folder.
        folder: PathBuf,
        /// What is wrong, with its place.
        #[source]
        source: Box<watch::Error>,
    },
    /// What was applied earlier cannot be read back.
    #[error(transparent)]
    Recorded(#[from] RecordedError),
    /// Metrics cannot be collected.
    #[error("cannot collect metrics: {reason}")]
    Metrics {
        /// Why.
        reason: String,
    },
}
