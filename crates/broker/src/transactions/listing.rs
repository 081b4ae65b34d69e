//! Listings of transactional ids and their transactions, for operators.

use std::time::Duration;

use factum_log::EndTransaction;
use factum_types::{Timestamp, TopicPartition, TransactionalId};

use super::cell::Cell;
use super::service::Transactions;
use super::transaction::{ProducerIdentity, TransactionState};
use super::{TransactionCoordinator, TransactionError};

/// Which transactional ids are asked for: those that pass every filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListTransactions {
    /// In one of these states; any if there are none.
    pub states: Vec<TransactionState>,
    /// Of one of these producer ids; any if there are none.
    pub producer_ids: Vec<i64>,
    /// Open for at least so long.
    pub open_for: Option<Duration>,
}

/// One transactional id in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionListing {
    /// The transactional id.
    pub id: TransactionalId,
    /// Its producer.
    pub producer: ProducerIdentity,
    /// Where it stands.
    pub state: TransactionState,
    /// When its transaction began; [`Timestamp::NONE`] if there was none since it was initialized.
    pub started: Timestamp,
}

/// One transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionDescription {
    /// As in a listing.
    pub listing: TransactionListing,
    /// How long a transaction of it may stay open.
    pub timeout: Duration,
    /// The partitions of the open transaction.
    pub partitions: Vec<TopicPartition>,
}

impl TransactionCoordinator {
    /// The transactional ids that pass the filters, by name.
    pub fn list(&self, wanted: &ListTransactions) -> Vec<TransactionListing> {
        let now = self.0.trusted_time.now();
        let cells = self.0.cells();
        let listings = cells.iter().filter_map(|cell| {
            let inside = cell.lock();
            wanted.has(&inside, now).then(|| listing(&inside))
        });
        let mut listings: Vec<_> = listings.collect();
        listings.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        listings
    }

    /// What is known of one.
    ///
    /// # Errors
    /// [`TransactionError::NotFound`].
    pub fn describe(&self, id: &TransactionalId) -> Result<TransactionDescription, TransactionError> {
        let cell = self.0.cell(id).ok_or(TransactionError::NotFound)?;
        let inside = cell.lock();
        Ok(TransactionDescription {
            listing: listing(&inside),
            timeout: inside.transaction.timeout,
            partitions: inside.transaction.partitions.iter().cloned().collect(),
        })
    }

    /// Writes the marker of a transaction to a partition, for one that the partition holds open and no one can end
    /// (`WriteTxnMarkers`). Resolves when it is on disk. A marker of an epoch that no one was given is refused: it would shut
    /// out the producer, or this coordinator, for good.
    ///
    /// # Errors
    /// [`TransactionError::CoordinatorEpoch`], [`TransactionError::ProducerEpoch`],
    /// [`TransactionError::NotFound`] if there is no such partition, [`TransactionError::Fenced`],
    /// [`TransactionError::Storage`].
    pub async fn write_marker(
        &self,
        partition: &TopicPartition,
        end: &EndTransaction,
    ) -> Result<(), TransactionError> {
        if self.0.markers.partition(partition).is_none() {
            return Err(TransactionError::NotFound);
        }
        self.0.check_marker(partition, end)?;
        self.write_known_marker(partition, end).await
    }

    /// The same with epochs that the partition has.
    pub(crate) async fn write_known_marker(
        &self,
        partition: &TopicPartition,
        end: &EndTransaction,
    ) -> Result<(), TransactionError> {
        match self.0.markers.append(partition, end) {
            Ok(Some(marker)) => Ok(marker.await?),
            Ok(None) => Err(TransactionError::NotFound),
            Err(error) if error.is_fenced() => {
                let found = end.producer_epoch;
                let known = self.0.markers.producer(partition, end.producer_id);
                let current = known.map_or(found, |producer| producer.epoch);
                Err(TransactionError::Fenced { current, found })
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Transactions {
    /// Whether a marker is of epochs that were given out.
    fn check_marker(&self, partition: &TopicPartition, end: &EndTransaction) -> Result<(), TransactionError> {
        if end.coordinator_epoch > self.epoch {
            return Err(TransactionError::CoordinatorEpoch {
                current: self.epoch,
                found: end.coordinator_epoch,
            });
        }
        let in_log = self.markers.producer(partition, end.producer_id).map(|producer| producer.epoch);
        let cells = self.cells();
        let producers = cells.iter().map(|cell| cell.lock().transaction.producer);
        let given =
            producers.filter(|producer| producer.id == end.producer_id).map(|producer| producer.epoch);
        // One that no one knows begins with the first epoch.
        let current = given.chain(in_log).max().unwrap_or(0);
        match end.producer_epoch > current {
            true => Err(TransactionError::ProducerEpoch { current, found: end.producer_epoch }),
            false => Ok(()),
        }
    }
}

impl ListTransactions {
    fn has(&self, inside: &Cell, now: Timestamp) -> bool {
        let transaction = &inside.transaction;
        let is_open = transaction.state == TransactionState::Ongoing || transaction.state.is_decided();
        let is_long = |least| is_open && transaction.started.plus(least) <= now;
        (self.states.is_empty() || self.states.contains(&transaction.state))
            && (self.producer_ids.is_empty() || self.producer_ids.contains(&transaction.producer.id))
            && self.open_for.is_none_or(is_long)
    }
}

fn listing(inside: &Cell) -> TransactionListing {
    TransactionListing {
        id: inside.id.clone(),
        producer: inside.transaction.producer,
        state: inside.transaction.state,
        started: inside.transaction.started,
    }
}
