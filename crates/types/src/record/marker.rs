//! Transaction markers: the control batches that say how a transaction ended in one partition (KIP-98).
//!
//! ```text
//!  key    version (2) │ type (2): 0 abort, 1 commit
//!  value  version (2) │ coordinator epoch (4)
//!  header "transaction"  first offset (8) │ stable offset (8)
//! ```
//!
//! Key and value are Kafka's (`ControlRecordType`, `EndTransactionMarker`). The header is Factum's own: it says where
//! in the partition the transaction began, so that what a segment holds of aborted transactions can be read from that
//! segment alone. Clients pass over the headers of control records.

use bytes::{Buf, BufMut, Bytes};

use super::{BatchBuilder, Header, RecordReader};
use crate::{BatchHeader, Offset, ProducerEpoch, ProducerId, RecordBatch, Timestamp};

const VERSION: i16 = 0;
const ABORT: i16 = 0;
const COMMIT: i16 = 1;
const HEADER: &str = "transaction";

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// Its records count.
    Commit,
    /// Readers of committed records pass over its records.
    Abort,
}

/// The end of a transaction in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionMarker {
    /// How it ended.
    pub outcome: TransactionOutcome,
    /// Epoch of the coordinator that decided.
    pub coordinator_epoch: i32,
    /// Where it lies; `None` if it wrote nothing to the partition.
    pub range: Option<TransactionRange>,
}

/// Where a transaction lies in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionRange {
    /// Its first record.
    pub first: Offset,
    /// Below this, every other transaction was decided when the marker was written; it may lie before `first`.
    pub stable: Offset,
}

impl TransactionMarker {
    /// The control batch that says this of the transaction of a producer.
    pub fn batch(&self, id: ProducerId, epoch: ProducerEpoch, now: Timestamp) -> RecordBatch {
        let mut key = Vec::with_capacity(4);
        key.put_i16(VERSION);
        key.put_i16(match self.outcome {
            TransactionOutcome::Abort => ABORT,
            TransactionOutcome::Commit => COMMIT,
        });
        let mut value = Vec::with_capacity(6);
        value.put_i16(VERSION);
        value.put_i32(self.coordinator_epoch);
        let headers: Vec<_> = self.range.iter().map(TransactionRange::header).collect();
        let mut builder = BatchBuilder::new().control(id, epoch);
        builder.push(now, Some(&key), Some(&value), &headers);
        builder.build()
    }

    /// What a control batch says; `None` if it is no transaction marker. `batch` is exactly one, already checked.
    pub fn of(header: &BatchHeader, batch: &[u8]) -> Option<Self> {
        if !header.is_control() {
            return None;
        }
        let record = RecordReader::new(&Bytes::copy_from_slice(batch)).ok()?.control_record().ok()??;
        let (mut key, mut value) = (record.key?, record.value?);
        if key.try_get_i16().ok()? < 0 || value.try_get_i16().ok()? < 0 {
            return None;
        }
        let outcome = match key.try_get_i16().ok()? {
            ABORT => TransactionOutcome::Abort,
            COMMIT => TransactionOutcome::Commit,
            _ => return None,
        };
        let coordinator_epoch = value.try_get_i32().ok()?;
        let range = record.headers.iter().find(|header| header.key == HEADER).and_then(TransactionRange::of);
        Some(Self { outcome, coordinator_epoch, range })
    }
}

impl TransactionRange {
    fn header(&self) -> Header {
        let mut value = Vec::with_capacity(16);
        value.put_i64(self.first.get());
        value.put_i64(self.stable.get());
        Header::new(HEADER, value)
    }

    fn of(header: &Header) -> Option<Self> {
        let mut value = header.value.clone()?;
        let (first, stable) = (value.try_get_i64().ok()?, value.try_get_i64().ok()?);
        (first >= 0 && stable >= 0).then(|| Self { first: Offset::new(first), stable: Offset::new(stable) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        let range = TransactionRange { first: Offset::new(7), stable: Offset::new(12) };
        for (outcome, range) in [
            (TransactionOutcome::Abort, Some(range)),
            (TransactionOutcome::Commit, Some(range)),
            (TransactionOutcome::Commit, None),
        ] {
            let marker = TransactionMarker { outcome, coordinator_epoch: 3, range };
            let batch = marker.batch(9, 2, Timestamp::from_millis(5));
            let header = batch.header();
            assert!(header.is_control() && header.is_transactional());
            assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (9, 2, -1));
            assert_eq!(TransactionMarker::of(header, batch.as_bytes()), Some(marker));
        }
    }

    #[test]
    fn a_batch_of_records_is_no_marker() {
        let mut builder = BatchBuilder::new();
        builder.push(Timestamp::NONE, Some(&[0, 0, 0, 1]), Some(&[0; 6]), &[]);
        let batch = builder.build();
        assert_eq!(TransactionMarker::of(batch.header(), batch.as_bytes()), None);
    }
}
