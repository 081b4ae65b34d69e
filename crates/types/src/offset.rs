//! Places in a log.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::TopicName;

/// A partition's number within its topic, from 0.
pub type PartitionId = i32;

/// Counts the times a partition's log was opened for writing after an unclean stop (KIP-101).
pub type LeaderEpoch = i32;

/// Identifies an idempotent producer; drawn by the broker, never reused.
pub type ProducerId = i64;

/// Fences earlier incarnations of the same producer.
pub type ProducerEpoch = i16;

/// A record's place in its partition: dense, from 0, never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(i64);

impl Offset {
    /// The first offset of a new partition.
    pub const ZERO: Self = Self(0);

    /// Wraps an offset. Negative values are the wire protocol's sentinels and do not belong here.
    ///
    /// # Panics
    /// If `value` is negative.
    pub const fn new(value: i64) -> Self {
        assert!(value >= 0, "an offset is never negative");
        Self(value)
    }

    /// The offset as the wire carries it.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The offset `records` further on.
    pub const fn advance(self, records: i64) -> Self {
        Self::new(self.0 + records)
    }

    /// The offset after this one.
    pub const fn next(self) -> Self {
        self.advance(1)
    }

    /// Records from `earlier` (included) to `self` (excluded); negative if `self` comes first.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One partition of one topic.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition's number within it.
    pub partition: PartitionId,
}

impl TopicPartition {
    /// Names one partition.
    pub fn new(topic: TopicName, partition: PartitionId) -> Self {
        Self { topic, partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}
