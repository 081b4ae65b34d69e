//! ListOffsets: the offset that goes with a time, or with a landmark of the log.

use factum_types::{LeaderEpoch, PartitionId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// The timestamp that asks for the log's end.
pub const LATEST: i64 = -1;
/// The timestamp that asks for the log's start.
pub const EARLIEST: i64 = -2;
/// The timestamp that asks for the record with the greatest timestamp, from version 7 (KIP-734).
pub const MAX_TIMESTAMP: i64 = -3;
/// The timestamp that asks for the first offset on the local disk, from version 8 (KIP-405).
pub const EARLIEST_LOCAL: i64 = -4;
/// The timestamp that asks for the last offset in remote storage, from version 9 (KIP-1005).
pub const LATEST_TIERED: i64 = -5;
/// The timestamp that asks for the first offset that remote storage lacks, from version 11 (KIP-1023).
pub const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// Asks for offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOffsetsRequest {
    /// -1 for a consumer; a follower's node id otherwise.
    pub replica_id: i32,
    /// 0: the high watermark is the end; 1: the last stable offset is. From version 2.
    pub isolation_level: i8,
    /// Partitions by topic.
    pub topics: Vec<AskedTopic>,
    /// Milliseconds to wait for remote storage, from version 10.
    pub timeout_ms: i32,
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedTopic {
    /// The topic's name.
    pub name: String,
    /// The partitions.
    pub partitions: Vec<AskedPartition>,
}

/// What is asked of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedPartition {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// The leader's epoch that the client knows, from version 4; -1 for none.
    pub current_leader_epoch: LeaderEpoch,
    /// Milliseconds since 1970, for the first record at or after; or one of this module's landmarks.
    pub timestamp: i64,
}

/// Gives offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOffsetsResponse {
    /// Milliseconds that the client should wait, from version 2.
    pub throttle_time_ms: i32,
    /// Offsets by topic.
    pub topics: Vec<FoundTopic>,
}

/// The offsets in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTopic {
    /// The topic's name.
    pub name: String,
    /// The offsets by partition.
    pub partitions: Vec<FoundPartition>,
}

/// The offset in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPartition {
    /// The partition's number.
    pub partition_index: PartitionId,
    /// Why there is no offset.
    pub error_code: ErrorCode,
    /// The record's timestamp; -1 for a landmark or if there is no such record.
    pub timestamp: i64,
    /// The offset; -1 if there is no such record.
    pub offset: i64,
    /// The epoch of the record's leader, from version 4; -1 for none.
    pub leader_epoch: LeaderEpoch,
}

impl Request for ListOffsetsRequest {
    const API: ApiKey = ApiKey::ListOffsets;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            replica_id: r.i32("replica_id")?,
            isolation_level: if version >= 2 { r.i8("isolation_level")? } else { 0 },
            topics: r.array("topics", |r| AskedTopic::decode(r, version))?,
            timeout_ms: if version >= 10 { r.i32("timeout_ms")? } else { 0 },
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl AskedTopic {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let topic = Self {
            name: r.string("name")?,
            partitions: r.array("partitions", |r| AskedPartition::decode(r, version))?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl AskedPartition {
    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let partition = Self {
            partition_index: r.i32("partition_index")?,
            current_leader_epoch: if version >= 4 { r.i32("current_leader_epoch")? } else { -1 },
            timestamp: r.i64("timestamp")?,
        };
        r.skip_tagged_fields()?;
        Ok(partition)
    }
}

impl Response for ListOffsetsResponse {
    const API: ApiKey = ApiKey::ListOffsets;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        if version >= 2 {
            w.i32(self.throttle_time_ms);
        }
        w.array(&self.topics, |w, topic| {
            w.string(&topic.name);
            w.array(&topic.partitions, |w, partition| partition.encode(w, version));
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}

impl FoundPartition {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.partition_index);
        w.error_code(self.error_code);
        w.i64(self.timestamp);
        w.i64(self.offset);
        if version >= 4 {
            w.i32(self.leader_epoch);
        }
        w.no_tagged_fields();
    }
}
