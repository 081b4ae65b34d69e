//! Ending a transaction: its marker is appended like any batch (KIP-98).
//!
//! Invariants: nothing of an epoch older than the producer's, or of a coordinator older than the last, is written. A
//! marker is written also where the producer wrote nothing: its epoch keeps out what the producer sent before and
//! what arrives later.

use std::num::NonZeroUsize;

use factum_types::record::{TransactionMarker, TransactionOutcome, TransactionRange};
use factum_types::{ProducerEpoch, ProducerId, Timestamp};

use crate::append::{AppendError, AppendResult};
use crate::partition_log::{PartitionLog, Writer};

/// The end of a transaction, as its coordinator decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTransaction {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its epoch; a greater one than its batches' begins that epoch (KIP-890).
    pub producer_epoch: ProducerEpoch,
    /// Whether its records count.
    pub outcome: TransactionOutcome,
    /// Epoch of the coordinator.
    pub coordinator_epoch: i32,
}

impl PartitionLog {
    /// Appends the marker of the transaction. It may be appended again, which changes nothing for readers.
    ///
    /// Never waits for a sync, as [`PartitionLog::append`]: the transaction stays undecided for readers until the marker
    /// is durable.
    ///
    /// # Errors
    /// [`AppendError`]; the transaction is as it was then.
    pub fn end_transaction(&self, end: &EndTransaction, now: Timestamp) -> Result<AppendResult, AppendError> {
        let mut writer = self.0.writer.lock();
        self.0.check_writable()?;
        writer.producers.check_end(end)?;
        let marker = self.marker(&writer, end);
        let batch = marker.batch(end.producer_id, end.producer_epoch, now);
        self.append_checked(&mut writer, batch, Some(&marker), now, NonZeroUsize::MIN)
    }

    /// The marker that would be the next batch.
    fn marker(&self, writer: &Writer, end: &EndTransaction) -> TransactionMarker {
        let first = writer.producers.open_since(end.producer_id);
        let range = first.map(|first| {
            let others = self.0.undecided.lock().oldest_open(Some(first));
            TransactionRange { first, stable: others.unwrap_or_else(|| writer.end.offset.next()) }
        });
        TransactionMarker { outcome: end.outcome, coordinator_epoch: end.coordinator_epoch, range }
    }
}
