//! TxnOffsetCommit (KIP-98): how far a group has read, if a transaction is committed. In version 5 it adds the group
//! to the transaction by itself (KIP-890).

use factum_types::{LeaderEpoch, PartitionId, ProducerEpoch, ProducerId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Brings offsets of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnOffsetCommitRequest {
    /// The transactional producer.
    pub transactional_id: String,
    /// The group.
    pub group_id: String,
    /// The id that the producer has.
    pub producer_id: ProducerId,
    /// The epoch that the producer has.
    pub producer_epoch: ProducerEpoch,
    /// The generation that the member joined, from version 3; -1 if it is not known (KIP-447).
    pub generation_id: i32,
    /// The member's id, from version 3; empty if it is not known.
    pub member_id: String,
    /// The member's static identity, from version 3.
    pub group_instance_id: Option<String>,
    /// Offsets by topic.
    pub topics: Vec<TxnOffsetCommitTopic>,
}

/// The offsets in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnOffsetCommitTopic {
    /// The topic.
    pub name: String,
    /// The offsets by partition.
    pub partitions: Vec<TxnOffsetCommitPartition>,
}

/// The offset in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnOffsetCommitPartition {
    /// The partition.
    pub partition_index: PartitionId,
    /// The next offset to read.
    pub committed_offset: i64,
    /// The epoch of the last record read, from version 2; -1 for none.
    pub committed_leader_epoch: LeaderEpoch,
    /// Whatever the consumer wants back with its offset.
    pub committed_metadata: Option<String>,
}

/// Says which offsets wait for the end of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnOffsetCommitResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Results by topic.
    pub topics: Vec<TxnOffsetCommitTopicResult>,
}

/// The results in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxnOffsetCommitTopicResult {
    /// The topic.
    pub name: String,
    /// The results by partition.
    pub partitions: Vec<TxnOffsetCommitPartitionResult>,
}

/// The result in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxnOffsetCommitPartitionResult {
    /// The partition.
    pub partition_index: PartitionId,
    /// Why the offset is not in the transaction.
    pub error_code: ErrorCode,
}

impl Request for TxnOffsetCommitRequest {
    const API: ApiKey = ApiKey::TxnOffsetCommit;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            transactional_id: r.string("transactional_id")?,
            group_id: r.string("group_id")?,
            producer_id: r.i64("producer_id")?,
            producer_epoch: r.i16("producer_epoch")?,
            generation_id: if version >= 3 { r.i32("generation_id")? } else { -1 },
            member_id: if version >= 3 { r.string("member_id")? } else { String::new() },
            group_instance_id: if version >= 3 { r.nullable_string("group_instance_id")? } else { None },
            topics: r.array("topics", |r| TxnOffsetCommitTopic::decode(r, version))?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl TxnOffsetCommitTopic {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = Self {
            name: r.string("name")?,
            partitions: r.array("partitions", |r| TxnOffsetCommitPartition::decode(r, version))?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl TxnOffsetCommitPartition {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let partition = Self {
            partition_index: r.i32("partition_index")?,
            committed_offset: r.i64("committed_offset")?,
            committed_leader_epoch: if version >= 2 { r.i32("committed_leader_epoch")? } else { -1 },
            committed_metadata: r.nullable_string("committed_metadata")?,
        };
        r.skip_tagged_fields()?;
        Ok(partition)
    }
}

impl Response for TxnOffsetCommitResponse {
    const API: ApiKey = ApiKey::TxnOffsetCommit;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, |w, topic| {
            w.string(&topic.name);
            w.array(&topic.partitions, |w, partition| {
                w.i32(partition.partition_index);
                w.error_code(partition.error_code);
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
