//! One transactional id behind its lock.

use std::mem::size_of;
use std::sync::Arc;
use std::time::Instant;

use factum_base::clients::{ClientAddress, ClientShare};
use factum_types::{Offset, Timestamp, TopicPartition, TransactionalId};

use super::TransactionError;
use super::records;
use super::transaction::{Transaction, TransactionState};
use crate::coordinator::memory::{ENTRY_BYTES, GroupMemory, MemoryShare};
use crate::journal::{Journal, LogError};

/// A transactional id and what belongs to it.
pub(crate) struct Cell {
    pub(crate) id: TransactionalId,
    pub(crate) transaction: Transaction,
    /// The journal's latest record of it.
    pub(crate) stored: Option<Offset>,
    /// When its open transaction times out, and the entry in the timers.
    pub(crate) deadline: Option<Instant>,
    /// Partitions that a transaction wrote to while the markers of the one before it may have been missing after a
    /// crash.
    pub(crate) reopened: Vec<TopicPartition>,
    /// Whether the decided transaction is being completed: once is enough, and a second time could end the next one.
    pub(crate) is_completing: bool,
    /// Whether it was taken out of the map.
    pub(crate) is_dead: bool,
    /// Of the partitions of the open transaction.
    shares: Vec<MemoryShare>,
    memory: Arc<GroupMemory>,
    _own_memory: MemoryShare,
    /// Of the address that brought it.
    _place: Option<ClientShare>,
}

impl Cell {
    pub(crate) fn new(
        id: TransactionalId,
        transaction: Transaction,
        memory: &Arc<GroupMemory>,
        own_memory: MemoryShare,
        place: Option<ClientShare>,
    ) -> Self {
        Self {
            id,
            transaction,
            stored: None,
            deadline: None,
            reopened: Vec::new(),
            is_completing: false,
            is_dead: false,
            shares: Vec::new(),
            memory: Arc::clone(memory),
            _own_memory: own_memory,
            _place: place,
        }
    }

    /// Puts the transaction that follows in place once the journal has it.
    pub(crate) fn store(
        &mut self,
        next: Transaction,
        journal: &Journal,
        now: Timestamp,
    ) -> Result<(), LogError> {
        let change = (records::encode_key(&self.id), Some(records::encode_value(&next)));
        let (_, last) = journal.append([change], now)?;
        self.stored = Some(last);
        self.put(next);
        Ok(())
    }

    /// Puts a transaction in place.
    pub(crate) fn put(&mut self, next: Transaction) {
        self.transaction = next;
        if self.transaction.partitions.is_empty() {
            self.shares = Vec::new();
        }
    }

    /// Takes memory for a partition that the open transaction is to have, until [`Cell::keep`].
    ///
    /// # Errors
    /// [`TransactionError::NoMemory`].
    pub(crate) fn take_memory(
        &self,
        partition: &TopicPartition,
        client: ClientAddress,
    ) -> Result<MemoryShare, TransactionError> {
        let bytes = size_of::<TopicPartition>() + size_of::<MemoryShare>() + ENTRY_BYTES;
        let share = self.memory.take(Some(client), bytes + partition.topic.as_str().len());
        share.map_err(TransactionError::NoMemory)
    }

    /// Keeps memory for as long as the transaction has partitions.
    pub(crate) fn keep(&mut self, shares: impl IntoIterator<Item = MemoryShare>) {
        self.shares.extend(shares);
    }

    /// Whether it has no transaction that anyone waits for.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.transaction.state;
        state != TransactionState::Ongoing && !state.is_decided()
    }
}

/// What a transactional id takes without partitions.
pub(crate) fn own_bytes(id: &TransactionalId) -> usize {
    size_of::<Cell>() + 3 * ENTRY_BYTES + id.as_str().len()
}
