//! The door for records in transactions: asked just before a batch is appended, and held until it is.
//!
//! Invariant: while a batch is between the question and the log, its transaction cannot be decided: no record lands
//! behind its marker.

use std::sync::Arc;
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_types::{BatchHeader, TopicPartition, TransactionalId};
use parking_lot::{Mutex, MutexGuard};

use super::cell::Cell;
use super::service::Transactions;
use super::transaction::{ProducerIdentity, TransactionState, TransactionVersion};
use super::{TransactionCoordinator, TransactionError};
use crate::coordinator::memory::MemoryShare;

/// What a produce request says of the transaction that its batches belong to.
pub struct TransactionalAppend {
    transactions: Arc<Transactions>,
    cell: Arc<Mutex<Cell>>,
    version: TransactionVersion,
    client: ClientAddress,
}

/// The transaction, which stays as it is while this is there.
pub(crate) struct LockedTransaction<'a> {
    append: &'a TransactionalAppend,
    inside: MutexGuard<'a, Cell>,
    /// What the batch adds to the transaction, with the memory for it.
    added: Option<(TopicPartition, MemoryShare)>,
}

impl TransactionCoordinator {
    /// For a request that appends records in the transaction of this id. In version 2 the first record to a partition
    /// adds it to the transaction; in version 1 it was added before.
    ///
    /// # Errors
    /// [`TransactionError::UnknownProducer`].
    pub fn append(
        &self,
        id: &TransactionalId,
        version: TransactionVersion,
        client: ClientAddress,
    ) -> Result<TransactionalAppend, TransactionError> {
        let cell = self.0.known(id)?;
        Ok(TransactionalAppend { transactions: Arc::clone(&self.0), cell, version, client })
    }
}

impl TransactionalAppend {
    /// Whether the batch may be appended to the partition.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub(crate) fn lock(
        &self,
        partition: &TopicPartition,
        header: &BatchHeader,
    ) -> Result<LockedTransaction<'_>, TransactionError> {
        let producer = ProducerIdentity { id: header.producer_id, epoch: header.producer_epoch };
        self.lock_for(partition, producer)
    }

    pub(super) fn lock_for(
        &self,
        partition: &TopicPartition,
        producer: ProducerIdentity,
    ) -> Result<LockedTransaction<'_>, TransactionError> {
        let inside = self.cell.lock();
        if inside.is_dead {
            return Err(TransactionError::UnknownProducer);
        }
        inside.transaction.check_append(producer, self.version, partition)?;
        let is_ongoing = inside.transaction.state == TransactionState::Ongoing;
        let is_part = is_ongoing && inside.transaction.partitions.contains(partition);
        let limit = self.transactions.options.max_partitions;
        if is_ongoing && !is_part && inside.transaction.partitions.len() >= limit {
            return Err(TransactionError::TooManyPartitions { limit });
        }
        let added = match is_part {
            true => None,
            false => Some((partition.clone(), inside.take_memory(partition, self.client)?)),
        };
        Ok(LockedTransaction { append: self, inside, added })
    }
}

impl LockedTransaction<'_> {
    /// Takes note that the batch is in the log, which begins the transaction or adds the partition to it.
    pub(crate) fn appended(mut self) {
        let Some((partition, share)) = self.added.take() else { return };
        let transactions = &self.append.transactions;
        let has_begun = self.inside.transaction.state == TransactionState::Ongoing;
        let now = transactions.trusted_time.stamp();
        self.inside.transaction.version = self.append.version;
        self.inside.transaction.begin_or_extend(partition, now);
        self.inside.keep([share]);
        if !has_begun {
            transactions.begin(&mut self.inside);
        }
    }
}

impl Transactions {
    /// Has the open transaction time out.
    pub(super) fn begin(&self, inside: &mut Cell) {
        self.begin_within(inside.transaction.timeout, inside);
    }

    /// The same for one that was found open after a start: if its producer was in the process that ended, no one goes on
    /// with it.
    pub(super) fn begin_again(&self, inside: &mut Cell) {
        let is_deserted = inside.id.is_internal();
        self.begin_within(if is_deserted { Duration::ZERO } else { inside.transaction.timeout }, inside);
    }

    fn begin_within(&self, timeout: Duration, inside: &mut Cell) {
        let deadline = self.clock.monotonic() + timeout;
        let replaced = inside.deadline.replace(deadline);
        self.timers.schedule(deadline, inside.id.clone(), replaced);
        crate::metrics::observe_transaction_begun();
    }

    /// Has it time out no more.
    pub(super) fn stop_timer(&self, inside: &mut Cell) {
        if let Some(deadline) = inside.deadline.take() {
            self.timers.remove(deadline, inside.id.clone());
        }
    }
}
