//! DescribeTransactions (KIP-664).

use factum_types::{PartitionId, ProducerEpoch, ProducerId};

use super::{ApiKey, Request, Response};
use crate::error_code::ErrorCode;
use crate::wire::{self, Reader, Writer};

/// Asks for the transactions of producers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTransactionsRequest {
    /// The transactional producers.
    pub transactional_ids: Vec<String>,
}

/// Describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTransactionsResponse {
    /// Milliseconds that the client should wait.
    pub throttle_time_ms: i32,
    /// One for each producer.
    pub transaction_states: Vec<TransactionDescription>,
}

/// A transactional producer and its last transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionDescription {
    /// Why it is not described.
    pub error_code: ErrorCode,
    /// The transactional producer.
    pub transactional_id: String,
    /// The transaction's state under Kafka's name, such as `Ongoing`; empty after an error.
    pub transaction_state: String,
    /// Milliseconds after which an open transaction is aborted.
    pub transaction_timeout_ms: i32,
    /// When the transaction began, in milliseconds since 1970; -1 if none is open.
    pub transaction_start_time_ms: i64,
    /// The producer's id.
    pub producer_id: ProducerId,
    /// The producer's epoch.
    pub producer_epoch: ProducerEpoch,
    /// The partitions of the transaction that have no marker of its end yet.
    pub topics: Vec<TransactionTopic>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionTopic {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: Vec<PartitionId>,
}

impl Request for DescribeTransactionsRequest {
    const API: ApiKey = ApiKey::DescribeTransactions;

    fn decode(r: &mut Reader<'_>, _: i16) -> Result<Self, wire::Error> {
        let transactional_ids = r.array("transactional_ids", |r| r.string("transactional_id"))?;
        r.skip_tagged_fields()?;
        Ok(Self { transactional_ids })
    }
}

impl Response for DescribeTransactionsResponse {
    const API: ApiKey = ApiKey::DescribeTransactions;

    fn throttle_time(&mut self) -> Option<&mut i32> {
        Some(&mut self.throttle_time_ms)
    }

    fn encode(&self, w: &mut Writer, _: i16) {
        w.i32(self.throttle_time_ms);
        w.array(&self.transaction_states, TransactionDescription::encode);
        w.no_tagged_fields();
    }
}

impl TransactionDescription {
    /// A producer of which nothing is said but why.
    pub fn error(transactional_id: String, error_code: ErrorCode) -> Self {
        Self {
            error_code,
            transactional_id,
            transaction_state: String::new(),
            transaction_timeout_ms: 0,
            transaction_start_time_ms: 0,
            producer_id: 0,
            producer_epoch: 0,
            topics: Vec::new(),
        }
    }

    fn encode(w: &mut Writer, described: &Self) {
        w.error_code(described.error_code);
        w.string(&described.transactional_id);
        w.string(&described.transaction_state);
        w.i32(described.transaction_timeout_ms);
        w.i64(described.transaction_start_time_ms);
        w.i64(described.producer_id);
        w.i16(described.producer_epoch);
        w.array(&described.topics, |w, topic| {
            w.string(&topic.topic);
            w.i32_array(&topic.partitions);
            w.no_tagged_fields();
        });
        w.no_tagged_fields();
    }
}
