//! Recovery at a start, from the journal and from what the partitions' logs hold open.
//!
//! Invariants: after it, each transaction that a log holds open is one that the coordinator knows to be open there or
//! decided, or is aborted, so that no partition's stable offset is held back forever. Where the journal could not be
//! read whole, nothing is aborted for want of being known: its decision may have been a commit.

use std::collections::HashMap;
use std::sync::Arc;

use factum_log::{EndTransaction, ProducerInfo};
use factum_types::record::TransactionOutcome;
use factum_types::{ProducerId, TopicPartition};
use parking_lot::Mutex;
use tracing::{error, warn};

use super::TransactionCoordinator;
use super::cell::Cell;
use super::records::{self, DecodedRecord};
use super::service::Transactions;
use super::transaction::{TransactionState, TransactionVersion};
use crate::journal::{Entry, ReplayError};

impl TransactionCoordinator {
    /// Reads the journal back and looks at what the logs hold open. Blocks while it reads.
    ///
    /// # Errors
    /// [`ReplayError`] if the journal cannot be read. Damage in it is no error: what comes before it is read.
    pub(crate) fn recover(&self) -> Result<(), ReplayError> {
        let transactions = &self.0;
        let damage = transactions.journal.replay(|entry| transactions.read_back(entry))?;
        if let Some(damage) = damage {
            transactions.unreadable.get_or_init(|| damage.to_string().into());
        }
        let by_producer = transactions.by_producer();
        for (partition, producer) in transactions.markers.open_transactions() {
            let is_known = by_producer
                .get(&producer.id)
                .is_some_and(|cell| transactions.find_open(&mut cell.lock(), &partition, &producer));
            if !is_known {
                transactions.abort_unknown(&partition, &producer);
            }
        }
        for cell in transactions.cells() {
            let mut inside = cell.lock();
            if inside.transaction.state == TransactionState::Ongoing {
                transactions.begin_again(&mut inside);
            }
        }
        Ok(())
    }
}

impl Transactions {
    fn read_back(&self, entry: Entry) {
        let Entry::Record(record) = entry else { return };
        match records::decode(&record.key, record.value.as_deref()) {
            Ok(DecodedRecord::Transaction(id, Some(transaction))) => self.restore(&id, transaction),
            Ok(DecodedRecord::Transaction(id, None)) => self.remove(&id),
            Ok(DecodedRecord::Foreign) => {}
            Err(error) => warn!(offset = %record.order, %error, "skipped a record of a transaction"),
        }
    }

    fn by_producer(&self) -> HashMap<ProducerId, Arc<Mutex<Cell>>> {
        let mut by_producer = HashMap::new();
        for cell in self.cells() {
            let (id, next_id) = {
                let inside = cell.lock();
                (inside.transaction.producer.id, inside.transaction.next_id)
            };
            for id in next_id.into_iter().chain([id]) {
                by_producer.insert(id, Arc::clone(&cell));
            }
        }
        by_producer
    }

    /// Whether what a log holds open is the transaction of a cell, which learns of it.
    fn find_open(&self, inside: &mut Cell, partition: &TopicPartition, found: &ProducerInfo) -> bool {
        let transaction = &inside.transaction;
        let is_current = found.id == transaction.producer.id && found.epoch == transaction.producer.epoch;
        if transaction.state.is_decided() {
            let is_v2 = transaction.version == TransactionVersion::V2;
            // The epoch of a decided transaction of version 2 is that of the next one already.
            if is_v2 && is_current || transaction.next_id == Some(found.id) {
                inside.reopened.push(partition.clone());
                return true;
            }
            return transaction.partitions.contains(partition);
        }
        if is_current {
            let now = self.trusted_time.stamp();
            inside.transaction.begin_or_extend(partition.clone(), now);
        }
        is_current
    }

    /// Aborts what a log holds open and no one can end.
    fn abort_unknown(&self, partition: &TopicPartition, found: &ProducerInfo) {
        let producer_id = found.id;
        if self.unreadable.get().is_some() {
            return error!(%partition, producer_id, "a transaction stays open: what was decided cannot be read");
        }
        let end = EndTransaction {
            producer_id,
            producer_epoch: found.epoch,
            outcome: TransactionOutcome::Abort,
            // No lower than what was written past this coordinator, which the log would refuse.
            coordinator_epoch: self.epoch.max(found.coordinator_epoch.unwrap_or(-1)),
        };
        match self.markers.append(partition, &end) {
            Ok(_) => warn!(%partition, producer_id, "aborted a transaction that no transactional id knows"),
            Err(failed) => {
                let error = &failed as &dyn std::error::Error;
                error!(%partition, producer_id, error, "could not abort a transaction; the next start tries again");
            }
        }
    }
}
