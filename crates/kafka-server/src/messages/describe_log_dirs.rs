//! DescribeLogDirs (KIP-113, KIP-827).

use factum_types::PartitionId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Stands for a size that is not known.
pub const UNKNOWN_BYTES: i64 = -1;

/// Asks what takes how much room on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeLogDirsRequest {
    /// The topics; `None` for all.
    pub topics: Option<Vec<DescribableTopic>>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribableTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

/// Says what takes how much room on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeLogDirsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why there are no results, from version 3.
    pub error_code: ErrorCode,
    /// One for each folder that has logs.
    pub results: Vec<LogDir>,
}

/// A folder that has logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDir {
    /// Why nothing is known of it.
    pub error_code: ErrorCode,
    /// Its absolute path.
    pub log_dir: String,
    /// The topics in it.
    pub topics: Vec<LogDirTopic>,
    /// Bytes of its file system, from version 4, or [`UNKNOWN_BYTES`].
    pub total_bytes: i64,
    /// Bytes of it that are free, from version 4, or [`UNKNOWN_BYTES`].
    pub usable_bytes: i64,
}

/// A topic in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<LogDirPartition>,
}

/// A partition in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirPartition {
    /// The partition.
    pub partition_index: PartitionId,
    /// Bytes of its segments.
    pub partition_size: i64,
    /// Offsets between the high watermark and its end.
    pub offset_lag: i64,
    /// Whether it is a copy that will take the place of the present one.
    pub is_future_key: bool,
}

impl Request for DescribeLogDirsRequest {
    const API: ApiKey = ApiKey::DescribeLogDirs;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self { topics: r.nullable_array("topics", DescribableTopic::decode)? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl DescribableTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic =
            Self { name: r.string("topic")?, partitions: r.array("partitions", |r| r.i32("partitions"))? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for DescribeLogDirsResponse {
    const API: ApiKey = ApiKey::DescribeLogDirs;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        if version >= 3 {
            w.error_code(self.error_code);
        }
        w.array(&self.results, |w, dir| dir.encode(w, version));
        w.no_tagged_fields();
    }
}

impl LogDir {
    fn encode(&self, w: &mut Writer, version: i16) {
        w.error_code(self.error_code);
        w.string(&self.log_dir);
        w.array(&self.topics, |w, topic| {
            w.string(&topic.name);
            w.array(&topic.partitions, |w, partition| {
                w.i32(partition.partition_index);
                w.i64(partition.partition_size);
                w.i64(partition.offset_lag);
                w.bool(partition.is_future_key);
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        if version >= 4 {
            w.i64(self.total_bytes);
            w.i64(self.usable_bytes);
        }
        w.no_tagged_fields();
    }
}
