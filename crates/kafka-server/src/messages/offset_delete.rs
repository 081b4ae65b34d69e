//! OffsetDelete (KIP-496).

use factum_types::PartitionId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for committed offsets of a group to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetDeleteRequest {
    /// The group.
    pub group_id: String,
    /// The topics.
    pub topics: Vec<OffsetDeleteTopic>,
}

/// Partitions of a topic whose offsets are to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetDeleteTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

/// Says which offsets were deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetDeleteResponse {
    /// Why none was.
    pub error_code: ErrorCode,
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// The topics; empty if `error_code` says why.
    pub topics: Vec<DeletedOffsets>,
}

/// What became of the offsets of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedOffsets {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<DeletedOffset>,
}

/// What became of the offset of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedOffset {
    /// The partition.
    pub partition_index: PartitionId,
    /// Why its offset was not deleted.
    pub error_code: ErrorCode,
}

impl Request for OffsetDeleteRequest {
    const API: ApiKey = ApiKey::OffsetDelete;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        Ok(Self { group_id: r.string("group_id")?, topics: r.array("topics", OffsetDeleteTopic::decode)? })
    }
}

impl OffsetDeleteTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        Ok(Self { name: r.string("name")?, partitions: r.array("partitions", |r| r.i32("partition_index"))? })
    }
}

impl Response for OffsetDeleteResponse {
    const API: ApiKey = ApiKey::OffsetDelete;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.error_code(self.error_code);
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, |w, topic| {
            w.string(&topic.name);
            w.array(&topic.partitions, |w, partition| {
                w.i32(partition.partition_index);
                w.error_code(partition.error_code);
            });
        });
    }
}
