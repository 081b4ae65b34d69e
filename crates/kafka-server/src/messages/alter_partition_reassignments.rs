//! AlterPartitionReassignments (KIP-455).

use factum_types::PartitionId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for partitions to be moved to other nodes, or for such moves to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterPartitionReassignmentsRequest {
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
    /// Whether the number of replicas may change, from version 1.
    pub allow_replication_factor_change: bool,
    /// The topics.
    pub topics: Vec<ReassignedTopic>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReassignedTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<ReassignedPartition>,
}

/// Where a partition should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReassignedPartition {
    /// The partition.
    pub partition_index: PartitionId,
    /// The nodes; `None` to cancel a move.
    pub replicas: Option<Vec<i32>>,
}

/// Says what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterPartitionReassignmentsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Whether the number of replicas might change, from version 1.
    pub allow_replication_factor_change: bool,
    /// Why nothing was done at all.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// The topics.
    pub responses: Vec<ReassignmentsOfTopic>,
}

/// What became of the partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReassignmentsOfTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<ReassignmentResult>,
}

/// What became of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReassignmentResult {
    /// The partition.
    pub partition_index: PartitionId,
    /// Why nothing was done.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
}

impl Request for AlterPartitionReassignmentsRequest {
    const API: ApiKey = ApiKey::AlterPartitionReassignments;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let timeout_ms = r.i32("timeout_ms")?;
        let allow_replication_factor_change = version < 1 || r.bool("allow_replication_factor_change")?;
        let topics = r.array("topics", ReassignedTopic::decode)?;
        r.skip_tagged_fields()?;
        Ok(Self { timeout_ms, allow_replication_factor_change, topics })
    }
}

impl ReassignedTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic =
            Self { name: r.string("name")?, partitions: r.array("partitions", ReassignedPartition::decode)? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl ReassignedPartition {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let partition = Self {
            partition_index: r.i32("partition_index")?,
            replicas: r.nullable_array("replicas", |r| r.i32("replica"))?,
        };
        r.skip_tagged_fields()?;
        Ok(partition)
    }
}

impl Response for AlterPartitionReassignmentsResponse {
    const API: ApiKey = ApiKey::AlterPartitionReassignments;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        if version >= 1 {
            w.bool(self.allow_replication_factor_change);
        }
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        w.array(&self.responses, |w, topic| {
            w.string(&topic.name);
            w.array(&topic.partitions, |w, partition| {
                w.i32(partition.partition_index);
                w.error_code(partition.error_code);
                w.nullable_string(partition.error_message.as_deref());
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
