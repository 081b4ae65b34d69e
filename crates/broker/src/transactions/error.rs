//! Errors of transactions.

use std::time::Duration;

use factum_types::record::TransactionOutcome;
use factum_types::{ProducerEpoch, TopicPartition};

use super::TransactionState;
use crate::coordinator::{CoordinatorError, MemoryLimitError};
use crate::error::ProducerIdError;
use crate::journal::LogError;

/// Why the coordinator of transactions refused a request. Nothing was changed but after
/// [`TransactionError::Storage`], after which it may or may not have been.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransactionError {
    /// The time-out lies outside what is allowed.
    #[error("transaction timeout {asked:?} is not within 1ms and {most:?} (log.transactions.max_timeout)")]
    InvalidTimeout {
        /// The time-out asked for.
        asked: Duration,
        /// The longest allowed.
        most: Duration,
    },
    /// The transactional id has another producer id, or was never initialized.
    #[error("the transactional id has no such producer; initialize it first")]
    UnknownProducer,
    /// There is no such transactional id.
    #[error("there is no such transactional id")]
    NotFound,
    /// Another producer of the same transactional id has taken over, or the server aborted the transaction.
    #[error("the producer has epoch {found}, fenced by epoch {current}")]
    Fenced {
        /// The epoch in force.
        current: ProducerEpoch,
        /// The producer's.
        found: ProducerEpoch,
    },
    /// A marker of an epoch that this coordinator has not reached: it would shut out what comes later.
    #[error("coordinator epoch {found} is beyond that of this coordinator, {current}")]
    CoordinatorEpoch {
        /// The epoch in force.
        current: i32,
        /// The marker's.
        found: i32,
    },
    /// A marker of an epoch that its producer was never given: it would shut out the producer.
    #[error("producer epoch {found} is beyond that of the producer, {current}")]
    ProducerEpoch {
        /// The latest epoch that is known of it.
        current: ProducerEpoch,
        /// The marker's.
        found: ProducerEpoch,
    },
    /// The markers of the last transaction are still being written.
    #[error("the last transaction is still being ended; try again")]
    Concurrent,
    /// The transaction cannot end so.
    #[error("a transaction in state {} cannot {}", state.name(), in_words(*outcome))]
    InvalidState {
        /// Where the transactional id stands.
        state: TransactionState,
        /// What was asked for.
        outcome: TransactionOutcome,
    },
    /// A record for a partition that was not added to the open transaction.
    #[error("{partition} is no part of an open transaction of the producer")]
    NotInTransaction {
        /// The partition.
        partition: TopicPartition,
    },
    /// A transaction has all the partitions that it may have.
    #[error("too many partitions in one transaction: the limit is {limit} (log.transactions.max_partitions)")]
    TooManyPartitions {
        /// Most partitions.
        limit: usize,
    },
    /// There are all the transactional ids that there may be.
    #[error("too many transactional ids: the limit is {limit} (log.transactions.max_ids)")]
    TooManyIds {
        /// Most transactional ids.
        limit: usize,
    },
    /// One client address brought all the transactional ids that it may.
    #[error("too many transactional ids of one client address: the limit is {limit}")]
    TooManyIdsOfClient {
        /// Most transactional ids of one address.
        limit: usize,
    },
    /// Transactions and groups take all the memory that they may.
    #[error("no memory for the transaction")]
    NoMemory(#[source] MemoryLimitError),
    /// No producer id could be given out.
    #[error("no producer id for the transactional id: {reason}")]
    NoProducerId {
        /// What is wrong, in words.
        reason: String,
    },
    /// The offsets were refused by the group's coordinator.
    #[error(transparent)]
    Offsets(#[from] CoordinatorError),
    /// The change could not be made durable.
    #[error("the change could not be stored")]
    Storage(#[from] LogError),
}

impl TransactionError {
    /// Whether the same request can succeed later with no change to it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Concurrent | Self::Storage(_) | Self::NoProducerId { .. } => true,
            Self::Offsets(error) => error.is_transient(),
            _ => false,
        }
    }
}

impl From<ProducerIdError> for TransactionError {
    fn from(error: ProducerIdError) -> Self {
        Self::NoProducerId { reason: error.to_string() }
    }
}

fn in_words(outcome: TransactionOutcome) -> &'static str {
    match outcome {
        TransactionOutcome::Commit => "commit",
        TransactionOutcome::Abort => "abort",
    }
}
