//! Transactions: records for several topics, and how far their sources were read, that count together or not at all.

use std::fmt::Debug;

use async_trait::async_trait;
use factum_types::{GroupId, Offset, TopicName, TopicPartition, TransactionalId};

use crate::{NewRecord, ProduceError, RecordMetadata};

/// What is to count together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTransaction {
    /// The records, each with its topic; those of a partition stay in this order.
    pub records: Vec<(TopicName, NewRecord)>,
    /// How far a group has read.
    pub offsets: Option<GroupOffsets>,
}

/// Offsets of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffsets {
    /// The group; it has no members.
    pub group: GroupId,
    /// The offset to read next, of each partition that is named.
    pub offsets: Vec<(TopicPartition, Offset)>,
}

/// Produces in transactions, under a name that one producer has at a time; see
/// [`crate::EventLog::transactional_producer`].
#[async_trait]
pub trait TransactionalProducer: Debug + Send {
    /// Appends all records and commits the offsets, or nothing of it; answers once that is decided and on disk, with the
    /// place of each record. Readers see it from then on, or as soon as no other transaction that began before it in its
    /// partitions is open. Topics are made on first use where [`crate::EventLog::produce`] makes
    /// them. Dropping the future takes nothing back: the transaction goes on to its end, and the next one waits for it.
    ///
    /// # Errors
    /// [`TransactionError`]; nothing of the transaction counts but after [`TransactionError::may_have_committed`].
    async fn commit(&mut self, transaction: NewTransaction) -> Result<Vec<RecordMetadata>, TransactionError>;
}

/// Why a transaction was not committed, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// Another producer has taken the name over.
    #[error("another producer has taken over as {id}")]
    Fenced {
        /// The name.
        id: TransactionalId,
    },
    /// Records were refused, or could not be written.
    #[error(transparent)]
    Produce(#[from] ProduceError),
    /// The transaction itself was refused, or cannot be begun now.
    #[error("no transaction of {id}: {reason}")]
    Refused {
        /// The name.
        id: TransactionalId,
        /// Why.
        reason: String,
        /// Whether the same transaction can be committed later.
        is_transient: bool,
    },
    /// The disk failed while it was decided: whether the transaction counts is known after the next start.
    #[error("whether the transaction of {id} was committed is not known: {reason}")]
    Undecided {
        /// The name.
        id: TransactionalId,
        /// Why.
        reason: String,
    },
}

impl TransactionError {
    /// Whether the same transaction can be committed later with no change to it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Produce(error) => error.is_transient(),
            Self::Refused { is_transient, .. } => *is_transient,
            Self::Undecided { .. } => true,
            Self::Fenced { .. } => false,
        }
    }

    /// Whether the transaction may count, or come to, in spite of the error.
    pub fn may_have_committed(&self) -> bool {
        matches!(self, Self::Undecided { .. })
    }
}
