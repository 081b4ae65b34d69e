//! Records on their way out.

use factum_types::{Offset, Record, Timestamp, TopicId, TopicPartition};

/// A place in a partition, named rather than counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The first record kept.
    Earliest,
    /// Behind the last record that readers see: it is durable, and its transaction, if any, is decided.
    Latest,
    /// The first record at or after this time.
    Time(Timestamp),
}

/// A range of offsets that holds something which cannot be read, now or later: bytes on disk that are not what was
/// written, or a batch that cannot be opened. It is an item of the log like any record: readers pass over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The first offset that cannot be read.
    pub from: Offset,
    /// Where reading goes on: the offset behind the last one that cannot be read.
    pub next: Offset,
    /// What is wrong.
    pub reason: String,
}

/// The items that one read gave: every offset from the one asked for up to `next` is a record, lies in an
/// unreadable range, or was never given to a record (control batches, compaction).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The topic that was read: another of the same name may have taken its place since its offsets were learnt.
    pub topic: TopicId,
    /// Records in offset order, none before the offset asked for.
    pub records: Vec<Record>,
    /// Ranges that cannot be read, in offset order; none of them holds a record of `records`.
    pub unreadable: Vec<Unreadable>,
    /// Where to read on: a batch that unpacks to much is handed out in several reads.
    pub next: Offset,
    /// The first offset kept.
    pub log_start: Offset,
    /// Behind the last record that readers see: it is durable, and its transaction, if any, is decided.
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
        /// Behind the last record that readers see: it is durable, and its transaction, if any, is decided.
        high_watermark: Offset,
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
