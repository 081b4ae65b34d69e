//! Records on their way out.

use factum_types::{Offset, Record, Timestamp, TopicPartition};

/// A place in a partition, named rather than counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The first record kept.
    Earliest,
    /// Behind the last durable record.
    Latest,
    /// The first record at or after this time.
    Time(Timestamp),
}

/// What one read gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Records in offset order, none before the offset asked for.
    pub records: Vec<Record>,
    /// Where to read on.
    pub next: Offset,
    /// The first offset kept.
    pub log_start: Offset,
    /// Behind the last durable record.
    pub high_watermark: Offset,
}

/// Why a partition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such topic or partition.
    #[error("there is no partition {partition}")]
    UnknownPartition {
        /// The partition asked for.
        partition: TopicPartition,
    },
    /// Before the first record kept, or past the end.
    #[error("offset {asked} of {partition} is outside {log_start}..{high_watermark}")]
    OutOfRange {
        /// The partition.
        partition: TopicPartition,
        /// The offset asked for.
        asked: Offset,
        /// The first offset kept.
        log_start: Offset,
        /// Behind the last durable record.
        high_watermark: Offset,
    },
    /// The bytes on disk are not what was written; nothing of them is shown.
    #[error("{partition} is damaged at offset {at}: {reason}")]
    Damaged {
        /// The partition.
        partition: TopicPartition,
        /// The first offset that cannot be read.
        at: Offset,
        /// What was found.
        reason: String,
    },
    /// The log cannot answer now.
    #[error("{partition} is not available: {reason}")]
    Unavailable {
        /// The partition.
        partition: TopicPartition,
        /// Why.
        reason: String,
    },
}

impl ReadError {
    /// Whether the same read can succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
