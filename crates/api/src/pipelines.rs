//! Pipelines: what keeps materialized views up to date.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Int64;
use crate::views::ColumnView;

/// How a pipeline is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PipelineLine {
    /// The view that it keeps.
    #[schema(example = "store.top_movies")]
    pub name: String,
    /// The team that owns it.
    #[schema(example = "store")]
    pub team: String,
    /// `live`, `building`, `waiting` or `failed`.
    #[schema(example = "live")]
    pub state: String,
    /// Why it waits or failed.
    pub reason: Option<String>,
    /// While it is built from what the log holds already.
    pub progress: Option<ProgressView>,
    /// Events in the log that it has not taken in, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub lag: Int64,
    /// Events per second that it takes in.
    #[schema(example = 12.5)]
    pub rate: f64,
    /// No event before this time is expected.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    pub watermark: Option<String>,
    /// Bytes of its state in memory.
    pub state_bytes: u64,
    /// Events that could not be taken in and went to its dead-letter topic, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub poisoned: Int64,
    /// Rows that came after their window had closed, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub late: Int64,
    /// Events whose time was too far ahead to move the watermark, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub ahead: Int64,
    /// Offsets that could not be read from the log, and went to its dead-letter topic as ranges; a 64-bit number as
    /// text.
    #[schema(value_type = String, example = "0")]
    pub unreadable: Int64,
    /// Dead letters that wait because their topic cannot be written, a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub letters_waiting: Int64,
    /// Dead letters that were given up, a 64-bit number as text; the events themselves are still in their topic.
    #[schema(value_type = String, example = "0")]
    pub letters_lost: Int64,
    /// Since when and why events could not be taken in; null where there was none, and where an earlier version did not
    /// keep it.
    pub rejected: Option<RejectedView>,
    /// What went wrong last: events that could not be taken in, ever; anything else since the start.
    pub last_error: Option<String>,
}

/// Events that could not be taken in, and went to dead letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RejectedView {
    /// The topic of their dead letters.
    #[schema(example = "store.top_movies.dead-letter")]
    pub topic: String,
    /// How many there were, a 64-bit number as text.
    #[schema(value_type = String, example = "3")]
    pub count: Int64,
    /// How many of them came last, with none between them that could be taken in; a 64-bit number as text.
    #[schema(value_type = String, example = "0")]
    pub in_a_row: Int64,
    /// When the first was found.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    pub first: String,
    /// When the last was.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    pub last: String,
    /// Why the last could not be taken in.
    #[schema(example = "division by zero")]
    pub reason: String,
}

/// Events taken in, of those that the log held when the definition was applied; 64-bit numbers as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProgressView {
    /// Events taken in.
    #[schema(value_type = String, example = "1200")]
    pub done: Int64,
    /// Events to take in.
    #[schema(value_type = String, example = "50000")]
    pub total: Int64,
}

/// Every pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PipelineList {
    /// Every pipeline, by name.
    pub pipelines: Vec<PipelineLine>,
}

/// One pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PipelineView {
    /// What a list says of it.
    #[serde(flatten)]
    pub line: PipelineLine,
    /// Its statement, as it was written.
    pub sql: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnView>,
    /// The views, tables and topics that it reads.
    pub depends_on: Vec<String>,
    /// Where it stands in each partition; none for a view that only stands on others.
    pub partitions: Vec<PartitionLine>,
}

/// How far a pipeline is in a partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartitionLine {
    /// The topic.
    #[schema(example = "store.orders")]
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset to be read next, a 64-bit number as text.
    #[schema(value_type = String, example = "41")]
    pub next: Int64,
    /// Behind the last record, a 64-bit number as text.
    #[schema(value_type = String, example = "41")]
    pub end: Int64,
    /// Commits of its state, ever.
    #[schema(example = 7)]
    pub epoch: u64,
    /// No event before this time is expected.
    pub watermark: Option<String>,
}
