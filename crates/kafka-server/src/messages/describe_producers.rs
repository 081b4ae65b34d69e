//! DescribeProducers (KIP-664).

use factum_types::PartitionId;

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for the producers that partitions remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeProducersRequest {
    /// The topics.
    pub topics: Vec<DescribeProducersTopic>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeProducersTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partition_indexes: Vec<PartitionId>,
}

/// Describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeProducersResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<ProducersOfTopic>,
}

/// Producers of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducersOfTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<ProducersOfPartition>,
}

/// Producers of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducersOfPartition {
    /// The partition.
    pub partition_index: PartitionId,
    /// Why they are not described.
    pub error_code: ErrorCode,
    /// The same in words.
    pub error_message: Option<String>,
    /// The producers.
    pub active_producers: Vec<ActiveProducer>,
}

/// An idempotent producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Its id.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i32,
    /// Sequence number of its last record; -1 if none is known.
    pub last_sequence: i32,
    /// When it appended last, in milliseconds since 1970; -1 if that is not known.
    pub last_timestamp: i64,
    /// Epoch of the coordinator that ended its last transaction; -1 if none has.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction; -1 if none is open.
    pub current_txn_start_offset: i64,
}

impl Request for DescribeProducersRequest {
    const API: ApiKey = ApiKey::DescribeProducers;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let request = Self { topics: r.array("topics", DescribeProducersTopic::decode)? };
        r.skip_tagged_fields()?;
        Ok(request)
    }
}

impl DescribeProducersTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self {
            name: r.string("name")?,
            partition_indexes: r.array("partition_indexes", |r| r.i32("partition_index"))?,
        };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for DescribeProducersResponse {
    const API: ApiKey = ApiKey::DescribeProducers;

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
                w.nullable_string(partition.error_message.as_deref());
                w.array(&partition.active_producers, |w, producer| {
                    w.i64(producer.producer_id);
                    w.i32(producer.producer_epoch);
                    w.i32(producer.last_sequence);
                    w.i64(producer.last_timestamp);
                    w.i32(producer.coordinator_epoch);
                    w.i64(producer.current_txn_start_offset);
                    w.no_tagged_fields();
                });
                w.no_tagged_fields();
            });
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
