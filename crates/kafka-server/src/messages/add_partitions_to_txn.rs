//! AddPartitionsToTxn (KIP-98): which partitions a transaction writes to. From version 4 on brokers ask, for many
//! transactions at once (KIP-890).

use factum_types::{PartitionId, ProducerEpoch, ProducerId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks to add partitions to transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPartitionsToTxnRequest {
    /// The transactions; exactly one before version 4.
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
}

/// The partitions of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPartitionsToTxnTransaction {
    /// The transactional producer.
    pub transactional_id: String,
    /// The id that the producer has.
    pub producer_id: ProducerId,
    /// The epoch that the producer has.
    pub producer_epoch: ProducerEpoch,
    /// Whether to say only if the partitions are in the transaction, from version 4.
    pub verify_only: bool,
    /// The partitions by topic.
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPartitionsToTxnTopic {
    /// The topic.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

/// Says which partitions are in their transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPartitionsToTxnResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// Why there are no results at all, from version 4.
    pub error_code: ErrorCode,
    /// One for each transaction; before version 4 the first is all that is written.
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
}

/// The results of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPartitionsToTxnResult {
    /// The transactional producer, from version 4.
    pub transactional_id: String,
    /// The results by topic.
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

/// The results in one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPartitionsToTxnTopicResult {
    /// The topic.
    pub name: String,
    /// The results by partition.
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

/// The result of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddPartitionsToTxnPartitionResult {
    /// The partition.
    pub partition_index: PartitionId,
    /// Why it is not in the transaction.
    pub partition_error_code: ErrorCode,
}

impl Request for AddPartitionsToTxnRequest {
    const API: ApiKey = ApiKey::AddPartitionsToTxn;

    fn decode(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        let transactions = match version {
            ..4 => vec![AddPartitionsToTxnTransaction::decode_fields(r, version)?],
            _ => r.array("transactions", |r| {
                let transaction = AddPartitionsToTxnTransaction::decode_fields(r, version)?;
                r.skip_tagged_fields()?;
                Ok(transaction)
            })?,
        };
        r.skip_tagged_fields()?;
        Ok(Self { transactions })
    }
}

impl AddPartitionsToTxnTransaction {
    /// Before version 4 they are the fields of the request itself.
    fn decode_fields(r: &mut Reader<'_>, version: i16) -> Result<Self, wire::Error> {
        Ok(Self {
            transactional_id: r.string("transactional_id")?,
            producer_id: r.i64("producer_id")?,
            producer_epoch: r.i16("producer_epoch")?,
            verify_only: version >= 4 && r.bool("verify_only")?,
            topics: r.array("topics", AddPartitionsToTxnTopic::decode)?,
        })
    }
}

impl AddPartitionsToTxnTopic {
    fn decode(r: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let topic = Self { name: r.string("name")?, partitions: r.i32_array("partitions")? };
        r.skip_tagged_fields()?;
        Ok(topic)
    }
}

impl Response for AddPartitionsToTxnResponse {
    const API: ApiKey = ApiKey::AddPartitionsToTxn;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, version: i16) {
        w.i32(self.throttle_time_ms);
        if version >= 4 {
            w.error_code(self.error_code);
            w.array(&self.results_by_transaction, |w, result| {
                w.string(&result.transactional_id);
                w.array(&result.topic_results, AddPartitionsToTxnTopicResult::encode);
                w.no_tagged_fields();
            });
        } else {
            let alone = self.results_by_transaction.first();
            let topics = alone.map_or(&[][..], |result| result.topic_results.as_slice());
            w.array(topics, AddPartitionsToTxnTopicResult::encode);
        }
        w.no_tagged_fields();
    }
}

impl AddPartitionsToTxnTopicResult {
    fn encode(w: &mut Writer, topic: &Self) {
        w.string(&topic.name);
        w.array(&topic.results_by_partition, |w, partition| {
            w.i32(partition.partition_index);
            w.error_code(partition.partition_error_code);
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
