//! ElectLeaders (KIP-183, KIP-460).

use factum_types::PartitionId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for leaders to be elected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectLeadersRequest {
    /// 0 for the preferred replica, 1 for any, from version 1.
    pub election_type: i8,
    /// The partitions; `None` for all.
    pub topic_partitions: Option<Vec<ElectLeadersTopic>>,
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectLeadersTopic {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

/// Says which were elected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectLeadersResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why there was no election at all, from version 1.
    pub error_code: ErrorCode,
    /// The topics.
    pub results: Vec<ElectionOfTopic>,
}

/// Elections of a topic's partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectionOfTopic {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: Vec<ElectionResult>,
}

/// The election of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectionResult {
    /// The partition.
    pub partition_id: PartitionId,
    /// Why there was none.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
}

impl Request for ElectLeadersRequest {
    const API: ApiKey = ApiKey::ElectLeaders;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let request = Self {
            election_type: if version >= 1 { r.i8("election_type")? } else { 0 },
            topic_partitions: r.nullable_array("topic_partitions", ElectLeadersTopic::decode)?,
            timeout_ms: r.i32("timeout_ms")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl ElectLeadersTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic =
            Self { topic: r.string("topic")?, partitions: r.array("partitions", |r| r.i32("partition"))? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for ElectLeadersResponse {
    const API: ApiKey = ApiKey::ElectLeaders;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        if version >= 1 {
            w.error_code(self.error_code);
        }
        w.array(&self.results, |w, topic| {
            w.string(&topic.topic);
            w.array(&topic.partitions, |w, partition| {
                w.i32(partition.partition_id);
                w.error_code(partition.error_code);
                w.nullable_string(partition.error_message.as_deref());
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
