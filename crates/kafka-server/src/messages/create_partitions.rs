//! CreatePartitions: more partitions for topics (KIP-195).

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for topics to have more partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePartitionsRequest {
    /// The topics.
    pub topics: Vec<CreatePartitionsTopic>,
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
    /// Whether to check only, and create nothing.
    pub validate_only: bool,
}

/// How many partitions a topic is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePartitionsTopic {
    /// Its name.
    pub name: String,
    /// All of its partitions together.
    pub count: i32,
    /// The nodes of each new partition; `None` for the broker's choice.
    pub assignments: Option<Vec<PartitionAssignment>>,
}

/// The nodes that are to hold a new partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionAssignment {
    /// The nodes.
    pub broker_ids: Vec<i32>,
}

/// Says which topics have their partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePartitionsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each topic.
    pub results: Vec<CreatePartitionsResult>,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePartitionsResult {
    /// Its name.
    pub name: String,
    /// Why it is as it was.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
}

impl Request for CreatePartitionsRequest {
    const API: ApiKey = ApiKey::CreatePartitions;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self {
            topics: r.array("topics", CreatePartitionsTopic::decode)?,
            timeout_ms: r.i32("timeout_ms")?,
            validate_only: r.bool("validate_only")?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl CreatePartitionsTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self {
            name: r.string("name")?,
            count: r.i32("count")?,
            assignments: r.nullable_array("assignments", PartitionAssignment::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl PartitionAssignment {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let assignment = Self { broker_ids: r.i32_array("broker_ids")? };
        r.skip_tagged_fields()?;
        Ok(assignment)
    }
}

impl Response for CreatePartitionsResponse {
    const API: ApiKey = ApiKey::CreatePartitions;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.results, |w, result| {
            w.string(&result.name);
            w.error_code(result.error_code);
            w.nullable_string(result.error_message.as_deref());
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
