//! Topics as a user sees them.

mod config;
mod settings;

use factum_types::{Offset, PartitionId, TopicId, TopicName};

pub use config::{CleanupPolicy, CompressionType, DirtyRatio, TimestampType, TopicConfig, TopicEdit};
pub use settings::as_it_is;

/// A topic that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: TopicName,
    /// How many partitions; without it, the log's default.
    pub partitions: Option<i32>,
    /// Its configuration.
    pub config: TopicConfig,
}

/// A topic that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Its identity; nil where the log keeps none.
    pub id: TopicId,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionBounds>,
    /// Its configuration, as set.
    pub config: TopicConfig,
}

/// What a partition holds at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionBounds {
    /// The partition.
    pub partition: PartitionId,
    /// The first offset kept.
    pub log_start: Offset,
    /// Behind the last record that readers see: it is durable, and its transaction, if any, is decided.
    pub high_watermark: Offset,
    /// Bytes on disk, where known.
    pub bytes: Option<u64>,
    /// Whether it takes writes; false in quarantine.
    pub is_writable: bool,
}
