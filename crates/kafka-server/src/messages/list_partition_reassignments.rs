//! ListPartitionReassignments (KIP-455).

use factum_types::PartitionId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks which partitions are being moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPartitionReassignmentsRequest {
    /// Milliseconds that the client will wait.
    pub timeout_ms: i32,
    /// The topics; `None` for all.
    pub topics: Option<Vec<ListReassignmentsTopic>>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReassignmentsTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partition_indexes: Vec<PartitionId>,
}

/// Says that none is: with one node there is nowhere to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPartitionReassignmentsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why nothing is said.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
}

impl Request for ListPartitionReassignmentsRequest {
    const API: ApiKey = ApiKey::ListPartitionReassignments;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self {
            timeout_ms: r.i32("timeout_ms")?,
            topics: r.nullable_array("topics", ListReassignmentsTopic::decode)?,
        };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl ListReassignmentsTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self {
            name: r.string("name")?,
            partition_indexes: r.array("partition_indexes", |r| r.i32("partition_index"))?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for ListPartitionReassignmentsResponse {
    const API: ApiKey = ApiKey::ListPartitionReassignments;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.error_code(self.error_code);
        w.nullable_string(self.error_message.as_deref());
        // The partitions that are being moved.
        w.array::<()>(&[], |_, ()| {});
        w.no_tagged_fields();
    }
}
