//! Transactions as an operator sees them: who has one open, what it holds back, and how it is ended.

use std::time::Duration;

use async_trait::async_trait;
use factum_types::{Offset, ProducerEpoch, ProducerId, Timestamp, TopicPartition, TransactionalId};

/// A transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The transactional id.
    pub id: TransactionalId,
    /// Its producer.
    pub producer_id: ProducerId,
    /// The producer's epoch.
    pub producer_epoch: ProducerEpoch,
    /// Kafka's word for where it stands: `Ongoing`, `CompleteCommit`.
    pub state: String,
    /// When its open transaction began; `None` if none is open.
    pub open_since: Option<Timestamp>,
    /// How long a transaction of it may stay open.
    pub timeout: Duration,
    /// The partitions of the open transaction.
    pub partitions: Vec<TopicPartition>,
}

/// A partition whose readers of committed records wait for a transaction to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The first record that they do not see.
    pub first: Offset,
    /// Records from there on.
    pub records: i64,
    /// The producer whose transaction is the oldest that is open there.
    pub producer_id: ProducerId,
    /// The transactional id; `None` if no one knows the transaction any more, so that no producer ends it.
    pub id: Option<TransactionalId>,
    /// When the transaction began, where that is known.
    pub since: Option<Timestamp>,
}

/// Why a transaction was not aborted.
#[derive(Debug, thiserror::Error)]
pub enum AbortError {
    /// No producer has this transactional id.
    #[error("there is no transactional id {id}")]
    UnknownId {
        /// The id asked for.
        id: TransactionalId,
    },
    /// It is one of the server's own producers.
    #[error("transactional id {id} is reserved for the server itself")]
    Reserved {
        /// The id.
        id: TransactionalId,
    },
    /// It has no open transaction.
    #[error("transactional id {id} has no open transaction: it is {state}")]
    NotOpen {
        /// The id.
        id: TransactionalId,
        /// Where it stands.
        state: String,
    },
    /// No transaction holds the partition back from there on.
    #[error("no transaction holds {partition} back from offset {first} on")]
    NotHeld {
        /// The partition.
        partition: TopicPartition,
        /// The offset asked for.
        first: Offset,
    },
    /// The transaction is known: its producer, or its time-out, ends it.
    #[error("the transaction is that of transactional id {id}; abort it by that name")]
    Known {
        /// The id.
        id: TransactionalId,
    },
    /// The log cannot do it now.
    #[error("the log is not available: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// Looks after transactions.
#[async_trait]
pub trait Transactions: Send + Sync + 'static {
    /// Every transactional id, by name.
    async fn transactions(&self) -> Vec<Transaction>;

    /// Every partition that an open transaction holds back, by name.
    async fn held_back(&self) -> Vec<HeldPartition>;

    /// Aborts the open transaction of a transactional id, and fences its producer: what that sends from then on is
    /// refused. On disk when this returns.
    ///
    /// # Errors
    /// [`AbortError`].
    async fn abort(&self, id: &TransactionalId) -> Result<(), AbortError>;

    /// Aborts the transaction that holds a partition back from `first` on, and that no transactional id knows. On disk
    /// when this returns.
    ///
    /// # Errors
    /// [`AbortError`].
    async fn abort_hanging(&self, partition: &TopicPartition, first: Offset) -> Result<(), AbortError>;
}
