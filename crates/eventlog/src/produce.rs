//! Records on their way in.

use bytes::Bytes;
use factum_types::{Header, Offset, PartitionId, Timestamp, TopicName};

/// A record that has no place yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// The partition; without one the key decides, and without a key the partitions take turns.
    pub partition: Option<PartitionId>,
    /// The key.
    pub key: Option<Bytes>,
    /// The value; absent in a tombstone.
    pub value: Option<Bytes>,
    /// Headers, in order.
    pub headers: Vec<Header>,
    /// When it happened; without it, the time of the append.
    pub timestamp: Option<Timestamp>,
}

/// Where a record was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordMetadata {
    /// The partition.
    pub partition: PartitionId,
    /// The offset within it.
    pub offset: Offset,
}

/// Why records were not appended, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// No topic has this name, and it may not be made on first use.
    #[error("there is no topic {topic}")]
    UnknownTopic {
        /// The name asked for.
        topic: TopicName,
    },
    /// The name is reserved: the server keeps its own records there.
    #[error("topic {topic} is reserved for the server itself")]
    ReservedTopic {
        /// The name asked for.
        topic: TopicName,
    },
    /// The topic has no such partition.
    #[error("topic {topic} has no partition {partition}")]
    UnknownPartition {
        /// The topic.
        topic: TopicName,
        /// The partition asked for.
        partition: PartitionId,
    },
    /// A record, or all of them together, is larger than the topic takes.
    #[error("{bytes} bytes are more than the {limit} that topic {topic} takes at once")]
    TooLarge {
        /// The topic.
        topic: TopicName,
        /// Encoded size.
        bytes: usize,
        /// The topic's `max.message.bytes`.
        limit: usize,
    },
    /// The records break a rule of the topic.
    #[error("record {index} was refused: {reason}")]
    Refused {
        /// Its place in the request, from 0.
        index: usize,
        /// The rule it breaks.
        reason: String,
    },
    /// The log takes no records now: a partition is damaged and read-only, or the topic cannot be created yet.
    #[error("topic {topic} takes no records: {reason}")]
    Unavailable {
        /// The topic.
        topic: TopicName,
        /// Why.
        reason: String,
    },
    /// Not durable now, and perhaps later: a full or failed disk, a stop under way.
    #[error("topic {topic} cannot be written durably: {reason}")]
    NotDurable {
        /// The topic.
        topic: TopicName,
        /// Why.
        reason: String,
    },
}

impl ProduceError {
    /// Whether the same records can be appended later with no change to them.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::NotDurable { .. })
    }

    /// Whether some of the records may be on the log, or come to be, in spite of the error.
    pub fn may_have_appended(&self) -> bool {
        matches!(self, Self::NotDurable { .. })
    }
}
