//! Decisions over batches: the records that stay (Kafka's `Cleaner.checkBatchRetention` and `shouldRetainRecord`).
//!
//! Invariants: batches are asked about in offset order, from the log start on. A batch that is the last of its producer
//! stays, if need be without records, so that a lost snapshot of producers can be rebuilt from the log.

use std::collections::{HashMap, HashSet};

use factum_types::record::{self, StoredRecord, StoredRecords, TransactionMarker};
use factum_types::{BatchHeader, Offset, ProducerId, Timestamp, batch};

use crate::transactions::AbortedRanges;

use super::key_map::KeyMap;
use super::{CompactionOptions, CompactionResult};

/// What becomes of a batch.
pub(super) enum BatchFate {
    /// It is copied as it is.
    Stays,
    /// It is left out.
    Goes,
    /// Another batch takes its place.
    Becomes(Vec<u8>),
}

/// Decides over batches.
pub(super) struct Decider {
    pub(super) options: CompactionOptions,
    pub(super) now: Timestamp,
    /// The latest offsets of keys from `dirty_from` to `until`.
    pub(super) keys: KeyMap,
    pub(super) dirty_from: Offset,
    pub(super) until: Offset,
    /// Last offsets of the batches that tell where producers stand.
    pub(super) producers: HashSet<Offset>,
    /// Where the oldest snapshot of producers was taken; markers behind it are needed with it.
    pub(super) snapshot: Option<Offset>,
    /// The last batch with records in a transaction, by producer, as far as its marker was not seen.
    pub(super) transactions: HashMap<ProducerId, Offset>,
    pub(super) counts: CompactionResult,
}

impl Decider {
    /// Decides over the batch `bytes`, which is whole.
    pub(super) fn decide(
        &mut self,
        header: &BatchHeader,
        bytes: &[u8],
        aborted: &AbortedRanges,
    ) -> BatchFate {
        let is_last = self.producers.contains(&Offset::new(header.last_offset()));
        if header.is_gap() {
            return BatchFate::Goes;
        }
        if header.is_empty() {
            // Where a repair gave records up stays to be seen.
            return if is_last || !header.is_idempotent() { BatchFate::Stays } else { BatchFate::Goes };
        }
        if header.is_control() {
            return self.decide_marker(header, bytes, is_last);
        }
        let fate = match aborted.contains(header) {
            true => {
                self.counts.removed_records += record_count(header);
                BatchFate::Goes
            }
            false => self.decide_records(header, bytes).unwrap_or_else(|_| {
                self.counts.unreadable_batches += 1;
                BatchFate::Stays
            }),
        };
        match fate {
            BatchFate::Goes if is_last => {
                BatchFate::Becomes(batch::emptied(bytes).expect("its header was read before"))
            }
            BatchFate::Goes => fate,
            BatchFate::Stays | BatchFate::Becomes(_) => {
                if header.is_transactional() {
                    self.transactions.insert(header.producer_id, Offset::new(header.base_offset));
                }
                fate
            }
        }
    }

    fn decide_marker(&mut self, header: &BatchHeader, bytes: &[u8], is_last: bool) -> BatchFate {
        let Some(marker) = TransactionMarker::of(header, bytes) else { return BatchFate::Stays };
        let last_records = self.transactions.remove(&header.producer_id);
        let has_records =
            marker.range.is_some_and(|range| last_records.is_some_and(|last| last >= range.first));
        let is_unknown = self.snapshot.is_some_and(|taken_at| header.base_offset >= taken_at.get());
        if has_records || is_last || is_unknown {
            return BatchFate::Stays;
        }
        match header.delete_horizon() {
            Some(horizon) if horizon <= self.now => {
                self.counts.removed_records += 1;
                BatchFate::Goes
            }
            Some(_) => BatchFate::Stays,
            None => {
                let records = StoredRecords::unpack(bytes);
                let marked = records.and_then(|records| records.retain(&[true], Some(self.horizon())));
                marked.map_or(BatchFate::Stays, BatchFate::Becomes)
            }
        }
    }

    fn decide_records(&mut self, header: &BatchHeader, bytes: &[u8]) -> Result<BatchFate, record::Error> {
        let records = StoredRecords::unpack(bytes)?;
        let (mut stays, mut keyless, mut is_horizon_due) = (Vec::new(), 0, false);
        for record in records.iter() {
            let record = record?;
            keyless += u64::from(record.key.is_none());
            stays.push(self.stays(header, &record));
            is_horizon_due |= header.delete_horizon().is_none() && self.is_settled_tombstone(&record);
        }
        let staying = stays.iter().filter(|stays| **stays).count();
        self.counts.keyless_records += keyless;
        self.counts.removed_records += (stays.len() - staying) as u64;
        if staying == 0 {
            return Ok(BatchFate::Goes);
        }
        if staying == stays.len() && !is_horizon_due {
            return Ok(BatchFate::Stays);
        }
        let horizon = if is_horizon_due { Some(self.horizon()) } else { header.delete_horizon() };
        Ok(BatchFate::Becomes(records.retain(&stays, horizon)?))
    }

    fn stays(&self, header: &BatchHeader, record: &StoredRecord<'_>) -> bool {
        let Some(key) = record.key.filter(|_| record.offset < self.until) else { return true };
        let latest = self.keys.get(key);
        if latest.is_some_and(|latest| record.offset < latest) {
            return false;
        }
        let is_settled = record.offset < self.dirty_from || latest.is_some();
        let is_past = header.delete_horizon().is_some_and(|horizon| horizon <= self.now);
        record.has_value || !is_settled || !is_past
    }

    /// Whether this pass removes everything that a tombstone is about.
    fn is_settled_tombstone(&self, record: &StoredRecord<'_>) -> bool {
        let is_latest = |key| self.keys.get(key) == Some(record.offset);
        !record.has_value && record.offset < self.until && record.key.is_some_and(is_latest)
    }

    /// Until when a tombstone or marker stays of which this pass removes what it is about.
    fn horizon(&self) -> Timestamp {
        self.now.plus(self.options.delete_retention)
    }
}

fn record_count(header: &BatchHeader) -> u64 {
    u64::try_from(header.record_count).unwrap_or(0)
}
