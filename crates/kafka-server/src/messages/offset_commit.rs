//! OffsetCommit: how far a group has read.

use factum_types::{LeaderEpoch, PartitionId, TopicId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Brings offsets to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetCommitRequest {
    /// The group.
    pub group_id: String,
    /// The generation that the member joined; -1 from a consumer that is no member.
    pub generation_id: i32,
    /// The member's id; empty from a consumer that is no member.
    pub member_id: String,
    /// The member's static identity, from version 7.
    pub group_instance_id: Option<String>,
    /// Milliseconds to keep the offsets, versions 2 to 4; -1 for the broker's choice.
    pub retention_time_ms: i64,
    /// Offsets by topic.
    pub topics: Vec<CommitTopic>,
}

/// The offsets in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitTopic {
    /// The topic's name; empty from version 10.
    pub name: String,
    /// The topic's id, from version 10; nil before.
    pub topic_id: TopicId,
    /// The offsets by partition.
    pub partitions: Vec<CommitPartition>,
}

/// The offset in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPartition {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// The next offset to read.
    pub committed_offset: i64,
    /// The epoch of the last record read, from version 6; -1 for none.
    pub committed_leader_epoch: LeaderEpoch,
    /// Whatever the consumer wants back with its offset.
    pub committed_metadata: Option<String>,
}

/// Says which offsets are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetCommitResponse {
    /// Milliseconds that the client should wait, from version 3.
    pub throttle_time_ms: i32,
    /// Outcomes by topic.
    pub topics: Vec<CommittedTopic>,
}

/// The outcomes in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedTopic {
    /// The topic's name; empty from version 10.
    pub name: String,
    /// The topic's id, from version 10; nil before.
    pub topic_id: TopicId,
    /// The outcomes by partition.
    pub partitions: Vec<CommittedPartition>,
}

/// The outcome in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedPartition {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// Why the offset is not kept.
    pub error_code: ErrorCode,
}

impl Request for OffsetCommitRequest {
    const API: ApiKey = ApiKey::OffsetCommit;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            group_id: r.string("group_id")?,
            generation_id: r.i32("generation_id")?,
            member_id: r.string("member_id")?,
            group_instance_id: if version >= 7 { r.nullable_string("group_instance_id")? } else { None },
            retention_time_ms: if version < 5 { r.i64("retention_time_ms")? } else { -1 },
            topics: r.array("topics", |r| CommitTopic::decode(r, version))?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl CommitTopic {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = Self {
            name: if version < 10 { r.string("name")? } else { String::new() },
            topic_id: if version >= 10 { r.topic_id("topic_id")? } else { TopicId::NIL },
            partitions: r.array("partitions", |r| CommitPartition::decode(r, version))?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl CommitPartition {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let partition = Self {
            partition_index: r.i32("partition_index")?,
            committed_offset: r.i64("committed_offset")?,
            committed_leader_epoch: if version >= 6 { r.i32("committed_leader_epoch")? } else { -1 },
            committed_metadata: r.nullable_string("committed_metadata")?,
        };
        r.skip_tagged_fields()?;
        Ok(partition)
    }
}

impl Response for OffsetCommitResponse {
    const API: ApiKey = ApiKey::OffsetCommit;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 3 {
            w.i32(self.throttle_time_ms);
        }
        w.array(&self.topics, |w, topic| {
            match version {
                ..10 => w.string(&topic.name),
                _ => w.topic_id(topic.topic_id),
            }
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
