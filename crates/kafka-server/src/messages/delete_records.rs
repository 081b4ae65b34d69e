//! DeleteRecords (KIP-107).

use factum_types::PartitionId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Stands for the high watermark: all records that consumers can read.
pub const HIGH_WATERMARK: i64 = -1;
/// The low watermark of a partition that was refused.
pub const NO_LOW_WATERMARK: i64 = -1;

/// Asks for the oldest records of partitions to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRecordsRequest {
    /// The topics.
    pub topics: Vec<DeleteRecordsTopic>,
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRecordsTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<DeleteRecordsPartition>,
}

/// How far to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRecordsPartition {
    /// The partition.
    pub partition_index: PartitionId,
    /// The first offset to keep, or [`HIGH_WATERMARK`].
    pub offset: i64,
}

/// Says what was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRecordsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<DeletedRecordsTopic>,
}

/// What became of the partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedRecordsTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<DeletedRecordsPartition>,
}

/// What became of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedRecordsPartition {
    /// The partition.
    pub partition_index: PartitionId,
    /// The first offset that is kept, or [`NO_LOW_WATERMARK`].
    pub low_watermark: i64,
    /// Why nothing was deleted.
    pub error_code: ErrorCode,
}

impl Request for DeleteRecordsRequest {
    const API: ApiKey = ApiKey::DeleteRecords;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request =
            Self { topics: r.array("topics", DeleteRecordsTopic::decode)?, timeout_ms: r.i32("timeout_ms")? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl DeleteRecordsTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self {
            name: r.string("name")?,
            partitions: r.array("partitions", DeleteRecordsPartition::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl DeleteRecordsPartition {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let partition = Self { partition_index: r.i32("partition_index")?, offset: r.i64("offset")? };
        r.skip_tagged_fields()?;
        Ok(partition)
    }
}

impl Response for DeleteRecordsResponse {
    const API: ApiKey = ApiKey::DeleteRecords;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.topics, |w, topic| {
            w.string(&topic.name);
            w.array(&topic.partitions, |w, partition| {
                w.i32(partition.partition_index);
                w.i64(partition.low_watermark);
                w.error_code(partition.error_code);
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
