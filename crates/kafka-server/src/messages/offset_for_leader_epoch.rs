//! OffsetForLeaderEpoch (KIP-101, KIP-320).

use factum_types::{LeaderEpoch, PartitionId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks where leader epochs ended, to find out whether a client's records are still those of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetForLeaderEpochRequest {
    /// The broker that asks, or below 0 for a client; from version 3.
    pub replica_id: i32,
    /// The topics.
    pub topics: Vec<OffsetForLeaderTopic>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetForLeaderTopic {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: Vec<OffsetForLeaderPartition>,
}

/// The epoch asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetForLeaderPartition {
    /// The partition.
    pub partition: PartitionId,
    /// The epoch that the client believes to be the partition's; -1 if it believes in none.
    pub current_leader_epoch: LeaderEpoch,
    /// The epoch whose end is asked for.
    pub leader_epoch: LeaderEpoch,
}

/// Says where they ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetForLeaderEpochResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<LeaderEpochsOfTopic>,
}

/// Epochs of a topic's partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderEpochsOfTopic {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: Vec<LeaderEpochEnd>,
}

/// Where an epoch of a partition ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderEpochEnd {
    /// Why it is not known.
    pub error_code: ErrorCode,
    /// The partition.
    pub partition: PartitionId,
    /// The greatest epoch not above the one asked for; -1 if none is known.
    pub leader_epoch: LeaderEpoch,
    /// The offset behind its last record; -1 if none is known.
    pub end_offset: i64,
}

impl Request for OffsetForLeaderEpochRequest {
    const API: ApiKey = ApiKey::OffsetForLeaderEpoch;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let replica_id = if version >= 3 { r.i32("replica_id")? } else { -2 };
        let request = Self { replica_id, topics: r.array("topics", OffsetForLeaderTopic::decode)? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl OffsetForLeaderTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self {
            topic: r.string("topic")?,
            partitions: r.array("partitions", OffsetForLeaderPartition::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl OffsetForLeaderPartition {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let partition = Self {
            partition: r.i32("partition")?,
            current_leader_epoch: r.i32("current_leader_epoch")?,
            leader_epoch: r.i32("leader_epoch")?,
        };
        r.skip_tagged_fields()?;
        Ok(partition)
    }
}

impl Response for OffsetForLeaderEpochResponse {
    const API: ApiKey = ApiKey::OffsetForLeaderEpoch;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, |w, topic| {
            w.string(&topic.topic);
            w.array(&topic.partitions, |w, partition| {
                w.error_code(partition.error_code);
                w.i32(partition.partition);
                w.i32(partition.leader_epoch);
                w.i64(partition.end_offset);
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
