//! Requests of producers: initialize, add partitions and groups, commit offsets, end.

use std::collections::BTreeSet;
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_types::record::TransactionOutcome;
use factum_types::{Offset, TopicName, TopicPartition, TransactionalId};
use parking_lot::Mutex;

use super::cell::Cell;
use super::service::Transactions;
use super::transaction::{
    End, Initialization, ProducerIdentity, Transaction, TransactionState, TransactionVersion,
};
use super::{TransactionCoordinator, TransactionError};
use crate::coordinator::Commit;
use crate::topic::OFFSETS_TOPIC;

/// A producer that wants an epoch of its own (`InitProducerId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitProducer {
    /// Its name.
    pub id: TransactionalId,
    /// How long a transaction of it may stay open.
    pub timeout: Duration,
    /// What it was until now, if it goes on (KIP-360).
    pub expected: Option<ProducerIdentity>,
    /// Where it comes from: the memory that it takes counts for this address.
    pub client: ClientAddress,
}

/// Offsets to be committed with a transaction (`TxnOffsetCommit`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionOffsets {
    /// The producer's name.
    pub id: TransactionalId,
    /// Who it is.
    pub producer: ProducerIdentity,
    /// How it speaks of transactions.
    pub version: TransactionVersion,
    /// What to commit.
    pub commit: Commit,
}

/// What came of one attempt to initialize a producer.
enum Attempt {
    Done(ProducerIdentity, Option<Offset>),
    Complete,
    NeedsId,
}

impl TransactionCoordinator {
    /// Gives a producer an epoch of its own, with which all before it are fenced; an open transaction of theirs is
    /// aborted first. Resolves when that is on disk. Dropping the future takes nothing back.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub async fn init_producer(&self, init: InitProducer) -> Result<ProducerIdentity, TransactionError> {
        let transactions = &self.0;
        let (asked, most) = (init.timeout, transactions.options.max_timeout);
        if asked.is_zero() || asked > most {
            return Err(TransactionError::InvalidTimeout { asked, most });
        }
        let mut spare_id = None;
        let (mut expected, now) = (init.expected, transactions.trusted_time.stamp());
        loop {
            if spare_id.is_none() && transactions.cell(&init.id).is_none() {
                spare_id = Some(transactions.new_producer_id().await?);
            }
            let fresh = spare_id.unwrap_or(-1);
            let new = || Transaction::new(fresh, init.timeout, now);
            let cell = transactions.cell_or_new(&init.id, init.client, new)?;
            match transactions.initialize(&cell, expected, init.timeout, spare_id) {
                Ok(Attempt::Done(producer, stored)) => {
                    transactions.journal.durable(stored).await?;
                    return Ok(producer);
                }
                Ok(Attempt::Complete) => {
                    // It was asked for by the right one, which goes on once the transaction is aborted.
                    expected = None;
                    transactions.complete(cell, false).await?;
                }
                Ok(Attempt::NeedsId) => spare_id = Some(transactions.new_producer_id().await?),
                // It was forgotten at this very moment.
                Err(TransactionError::NotFound) => spare_id = None,
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds partitions to the transaction, all of them or none; resolves when that is on disk.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub async fn add_partitions(
        &self,
        id: &TransactionalId,
        producer: ProducerIdentity,
        partitions: Vec<TopicPartition>,
        client: ClientAddress,
    ) -> Result<(), TransactionError> {
        let cell = self.0.known(id)?;
        let stored = self.0.add(&cell, producer, &partitions, client)?;
        Ok(self.0.journal.durable(stored).await?)
    }

    /// Adds the offsets of a group to the transaction; resolves when that is on disk.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub async fn add_offsets(
        &self,
        id: &TransactionalId,
        producer: ProducerIdentity,
        client: ClientAddress,
    ) -> Result<(), TransactionError> {
        self.add_partitions(id, producer, vec![offsets_partition()], client).await
    }

    /// Which of the partitions are part of the producer's open transaction.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn partitions(
        &self,
        id: &TransactionalId,
        producer: ProducerIdentity,
    ) -> Result<BTreeSet<TopicPartition>, TransactionError> {
        let cell = self.0.known(id)?;
        let inside = cell.lock();
        inside.transaction.check(producer)?;
        match inside.transaction.state {
            TransactionState::Ongoing => Ok(inside.transaction.partitions.clone()),
            state if state.is_decided() => Err(TransactionError::Concurrent),
            _ => Ok(BTreeSet::new()),
        }
    }

    /// Commits offsets of a group with the transaction: they count when it does. Resolves when they are on disk.
    ///
    /// # Errors
    /// [`TransactionError`]; none of the offsets was kept but after [`TransactionError::Storage`].
    pub async fn commit_offsets(&self, offsets: TransactionOffsets) -> Result<(), TransactionError> {
        let TransactionOffsets { id, producer, version, commit } = offsets;
        let append = self.append(&id, version, commit.client)?;
        let groups = self.0.markers.groups();
        let last = {
            let locked = append.lock_for(&offsets_partition(), producer)?;
            let last = groups.commit_in_transaction((producer.id, producer.epoch), commit)?;
            locked.appended();
            last
        };
        Ok(groups.durable(last).await?)
    }

    /// Ends the open transaction; resolves when its markers are on disk, with who the producer is from now on. Dropping
    /// the future takes nothing back.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub async fn end(
        &self,
        id: &TransactionalId,
        producer: ProducerIdentity,
        outcome: TransactionOutcome,
        version: TransactionVersion,
    ) -> Result<ProducerIdentity, TransactionError> {
        let transactions = &self.0;
        let cell = transactions.known(id)?;
        let mut spare_id = None;
        loop {
            match transactions.decide(&cell, producer, outcome, version, spare_id)? {
                Attempt::Done(producer, stored) => {
                    transactions.journal.durable(stored).await?;
                    return Ok(producer);
                }
                Attempt::Complete => {
                    return transactions.complete(cell, false).await;
                }
                Attempt::NeedsId => spare_id = Some(transactions.new_producer_id().await?),
            }
        }
    }
}

impl Transactions {
    fn initialize(
        &self,
        cell: &Mutex<Cell>,
        expected: Option<ProducerIdentity>,
        timeout: Duration,
        spare_id: Option<i64>,
    ) -> Result<Attempt, TransactionError> {
        let mut inside = cell.lock();
        if inside.is_dead {
            return Err(TransactionError::NotFound);
        }
        let now = self.trusted_time.stamp();
        match inside.transaction.initialize(expected, timeout, spare_id, now)? {
            Initialization::NeedsId => Ok(Attempt::NeedsId),
            Initialization::Ready(next) => {
                let producer = next.producer;
                inside.store(*next, &self.journal, now)?;
                Ok(Attempt::Done(producer, inside.stored))
            }
            Initialization::Abort(next) => {
                inside.store(*next, &self.journal, now)?;
                self.stop_timer(&mut inside);
                Ok(Attempt::Complete)
            }
        }
    }

    fn add(
        &self,
        cell: &Mutex<Cell>,
        producer: ProducerIdentity,
        partitions: &[TopicPartition],
        client: ClientAddress,
    ) -> Result<Option<Offset>, TransactionError> {
        let mut inside = cell.lock();
        let now = self.trusted_time.stamp();
        let next = inside.transaction.add(producer, TransactionVersion::V1, partitions, now)?;
        let Some(next) = next else { return Ok(inside.stored) };
        let limit = self.options.max_partitions;
        if next.partitions.len() > limit {
            return Err(TransactionError::TooManyPartitions { limit });
        }
        let had_begun = inside.transaction.state == TransactionState::Ongoing;
        let is_new =
            |partition: &&TopicPartition| !had_begun || !inside.transaction.partitions.contains(*partition);
        let shares = partitions.iter().filter(is_new).map(|partition| inside.take_memory(partition, client));
        let shares = shares.collect::<Result<Vec<_>, _>>()?;
        inside.store(next, &self.journal, now)?;
        inside.keep(shares);
        if !had_begun {
            self.begin(&mut inside);
        }
        Ok(inside.stored)
    }

    /// Decides how the transaction ends, or finds that it is; one that wrote nothing is complete at once.
    fn decide(
        &self,
        cell: &Mutex<Cell>,
        producer: ProducerIdentity,
        outcome: TransactionOutcome,
        version: TransactionVersion,
        spare_id: Option<i64>,
    ) -> Result<Attempt, TransactionError> {
        let mut inside = cell.lock();
        if inside.is_dead {
            return Err(TransactionError::UnknownProducer);
        }
        let now = self.trusted_time.stamp();
        match inside.transaction.end(producer, outcome, version, spare_id, now)? {
            End::NeedsId => Ok(Attempt::NeedsId),
            End::Repeated(producer) => Ok(Attempt::Done(producer, inside.stored)),
            End::Prepared(next) if next.partitions.is_empty() => {
                let next = next.complete(now);
                let producer = next.producer;
                inside.store(next, &self.journal, now)?;
                self.stop_timer(&mut inside);
                Ok(Attempt::Done(producer, inside.stored))
            }
            End::Prepared(next) => {
                inside.store(*next, &self.journal, now)?;
                self.stop_timer(&mut inside);
                Ok(Attempt::Complete)
            }
        }
    }
}

/// Where groups' offsets are, for all groups.
fn offsets_partition() -> TopicPartition {
    TopicPartition::new(TopicName::new(OFFSETS_TOPIC).expect("a valid name"), 0)
}
