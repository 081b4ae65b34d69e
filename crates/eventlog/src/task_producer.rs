//! A task's producer: what the task makes of its sources is on the log exactly once, however often it is told to.
//!
//! ```text
//!   sources up to 40 ─► records ─┐
//!                                ├─ one transaction: both count, or neither
//!   position 40 ─────────────────┘
//!   the same again, after a crash: position 40 is there, nothing is appended
//! ```
//!
//! The positions are committed offsets of a group that has the task's name, as consumers that transform and produce keep
//! them in Kafka (KIP-447), so that the log itself knows what was said, and nothing beside it has to.
//!
//! Invariants: one producer of a task at a time, the latest to take over; what it appends and the position that it was
//! made of count together; positions never go back.

use std::collections::BTreeMap;

use factum_types::{GroupId, NameError, Offset, TopicName, TopicPartition, TransactionalId};

use crate::transaction::{GroupOffsets, NewTransaction, TransactionError, TransactionalProducer};
use crate::{AdminError, EventLog, NewRecord, RecordMetadata};

/// What stands before a task's name in the names of its transactions and its group: no client may use those.
const PREFIX: &str = "_factum.task.";

/// See the module.
#[derive(Debug)]
pub struct TaskProducer {
    producer: Box<dyn TransactionalProducer>,
    group: GroupId,
    positions: BTreeMap<TopicPartition, Offset>,
}

/// Why a task cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    /// The task's name is too long for a group.
    #[error("the task has no possible name")]
    Name(#[from] NameError),
    /// There can be no producer of transactions now.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// What was said before cannot be read now.
    #[error(transparent)]
    Positions(#[from] AdminError),
}

impl TakeOverError {
    /// Whether it can be taken over later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Transaction(error) => error.is_transient(),
            Self::Positions(error) => error.is_transient(),
        }
    }
}

/// What became of records of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskAppend {
    /// They are on the log, here.
    Appended(Vec<RecordMetadata>),
    /// They were there before.
    SaidBefore,
}

impl TaskProducer {
    /// Takes over as `task`, of at most 240 bytes: a producer that had the name before can do so no more, and what it had not
    /// decided counts as never said.
    ///
    /// # Errors
    /// [`TakeOverError`].
    pub async fn take_over(log: &dyn EventLog, task: &str) -> Result<Self, TakeOverError> {
        let name = format!("{PREFIX}{task}");
        let (id, group) = (TransactionalId::new(name.as_str())?, GroupId::new(name)?);
        // In this order: after it no one else moves the positions.
        let producer = log.transactional_producer(&id).await?;
        let positions = log.committed_offsets(&group).await?.into_iter().collect();
        Ok(Self { producer, group, positions })
    }

    /// Up to where what `source` holds was made into records.
    pub fn position(&self, source: &TopicPartition) -> Option<Offset> {
        self.positions.get(source).copied()
    }

    /// Appends what the task makes of `source` before `position`, in one transaction, unless it was said before: then
    /// nothing is appended. Answers once it is on disk. Dropping the future takes nothing back.
    ///
    /// # Errors
    /// [`TransactionError`]. After [`TransactionError::may_have_committed`] the task has to be taken over again before it
    /// produces again, which tells whether it was.
    pub async fn produce(
        &mut self,
        source: &TopicPartition,
        position: Offset,
        records: Vec<(TopicName, NewRecord)>,
    ) -> Result<TaskAppend, TransactionError> {
        if self.position(source).is_some_and(|said| position <= said) {
            return Ok(TaskAppend::SaidBefore);
        }
        let offsets = GroupOffsets { group: self.group.clone(), offsets: vec![(source.clone(), position)] };
        let transaction = NewTransaction { records, offsets: Some(offsets) };
        let placed = self.producer.commit(transaction).await?;
        self.positions.insert(source.clone(), position);
        Ok(TaskAppend::Appended(placed))
    }
}
