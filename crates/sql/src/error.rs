//! Errors of the engine's operations.

use datafusion::common::DataFusionError;
use factum_eventlog as eventlog;
use factum_state as state;
use factum_types::{AccessDeniedError, TopicName};

use crate::definitions::{Problem, RelationName};
use crate::names::LONGEST_MESSAGE;
use crate::statement::{culprit, shortened};
use crate::wording;

/// Why a view could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No view has this name.
    #[error("there is no view {view}")]
    UnknownView {
        /// The name asked for.
        view: RelationName,
    },
    /// The view was dropped while it was read.
    #[error("view {view} was dropped")]
    Dropped {
        /// The view.
        view: RelationName,
    },
    /// The view cannot be planned before its topic has an event to learn the columns from.
    #[error("{view} waits for {reason}")]
    Waiting {
        /// The view.
        view: RelationName,
        /// What it waits for.
        reason: String,
    },
    /// A filter, an order or a query is not SQL that these relations answer.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// More time, or more memory, than one read may take.
    #[error("{reason}")]
    TooLarge {
        /// Which limit.
        reason: String,
    },
    /// Too many queries run and wait.
    #[error("{reason}")]
    Busy {
        /// Which limit.
        reason: String,
    },
    /// The computation panicked. The next reader starts it again.
    #[error("internal error while computing {view}; see the server's log")]
    Broken {
        /// The view.
        view: RelationName,
    },
    /// The rows cannot be computed: an overflow, a division by zero above the cut.
    #[error("the rows of {view} cannot be computed")]
    Compute {
        /// The view.
        view: String,
        /// Why.
        #[source]
        source: ComputeError,
    },
    /// The state does not answer now.
    #[error("the state of {view} is not available")]
    State {
        /// The view.
        view: RelationName,
        /// Why.
        #[source]
        source: state::ReadError,
    },
}

impl ReadError {
    /// Whether the same read can succeed later with no change to it.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::State { .. } | Self::Busy { .. } | Self::Broken { .. })
    }
}

/// Why rows cannot be computed, in the words of SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", placed(*.place))]
pub struct ComputeError {
    /// What went wrong.
    pub reason: String,
    /// Line and column, from 1, of the one part of the query that it can have gone wrong in.
    pub place: Option<(u64, u64)>,
}

fn placed(place: Option<(u64, u64)>) -> String {
    place.map(|(line, column)| format!(" at line {line} column {column}")).unwrap_or_default()
}

impl ComputeError {
    /// What DataFusion says of a plan whose text is not at hand.
    pub(crate) fn of(error: &DataFusionError) -> Self {
        Self { reason: shortened(&wording::reason(error), LONGEST_MESSAGE), place: None }
    }

    /// The same of a query.
    pub(crate) fn of_query(error: &DataFusionError, text: &str) -> Self {
        let place = culprit(text, error).map(|place| (place.line, place.column));
        Self { place, ..Self::of(error) }
    }
}

/// Why an ad-hoc query gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query is wrong; the problem has its place.
    #[error("the query cannot be planned")]
    Refused(Vec<Problem>),
    /// More rows, or more time, than one query may take.
    #[error("{reason}")]
    TooLarge {
        /// Which limit, and what to do.
        reason: String,
    },
    /// Too many queries run and wait; the same one may succeed later.
    #[error("{reason}")]
    Busy {
        /// Which limit.
        reason: String,
    },
    /// Computing it panicked.
    #[error("internal error while computing the query; see the server's log")]
    Broken,
    /// A view that it reads cannot be read.
    #[error(transparent)]
    View(#[from] ReadError),
    /// A topic that it reads was deleted, before it was run or meanwhile.
    #[error("there is no topic {topic} any more")]
    UnknownTopic {
        /// The topic.
        topic: TopicName,
    },
    /// A topic that it reads cannot be read now; the same query may succeed later.
    #[error("the query cannot be answered now: {reason}")]
    LogUnavailable {
        /// Why.
        reason: String,
    },
    /// The caller may know of a relation that the query names, and may not read it; or it may read none.
    #[error(transparent)]
    Denied(AccessDeniedError),
    /// The rows cannot be computed.
    #[error("the query failed")]
    Compute(#[source] ComputeError),
}

impl QueryError {
    /// What the log said of a topic that a query reads; `None` if it is the query's own doing.
    pub(crate) fn of_log(error: &DataFusionError) -> Option<Self> {
        let DataFusionError::External(error) = error.find_root() else { return None };
        let unavailable =
            |reason: &dyn std::error::Error| Self::LogUnavailable { reason: reason.to_string() };
        match (error.downcast_ref::<eventlog::AdminError>(), error.downcast_ref::<eventlog::ReadError>()) {
            (Some(eventlog::AdminError::UnknownTopic { topic }), _) => {
                Some(Self::UnknownTopic { topic: topic.clone() })
            }
            (_, Some(eventlog::ReadError::UnknownPartition { partition })) => {
                Some(Self::UnknownTopic { topic: partition.topic.clone() })
            }
            (Some(error), _) if error.is_transient() => Some(unavailable(error)),
            (_, Some(error)) if error.is_transient() => Some(unavailable(error)),
            _ => None,
        }
    }

    /// Of a query that was ended because no one waits for it.
    pub(crate) fn ended() -> Self {
        Self::TooLarge { reason: "the query was ended".to_owned() }
    }
}

/// Why definitions were not put into effect; what ran before runs on.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Pipelines or tables are wrong.
    #[error("{} problems in the definitions", .0.len())]
    Refused(Vec<Problem>),
    /// The log or the state does not answer now.
    #[error("the definitions cannot be put into effect now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl ApplyError {
    /// Whether the same definitions may be applied later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
