//! A journal of what a coordinator knows: appending to it, reading it back, and keeping it short.
//!
//! ```text
//!   log start                     keep from            end
//!      ├── changes of long ago ──────┼── live state ─────┤
//!      ╰──── dropped once ───────────╯   and changes     ╰── changes go on meanwhile
//!            the right part is on disk
//! ```
//!
//! Invariants
//! - For each key, the last record from any offset between the log start and *keep from* on is the last record of all.
//!   So a crash at any point of a snapshot, or a truncation that kept more than it was asked to, leaves the same state
//!   to be read back.
//! - Changes of an open transaction are never dropped; a rewritten record carries the order of the change that it
//!   repeats, so that it is not taken for a later one than those of a transaction that is decided afterwards.
//!
//! Not here: what keys and values say, which each coordinator knows of its own.

pub(crate) mod log;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes};
use factum_log::EndTransaction;
use factum_types::record::{Header, TransactionMarker, TransactionOutcome};
use factum_types::{
    BatchBuilder, BatchHeader, Offset, ProducerEpoch, ProducerId, Timestamp, TopicPartition, batch, record,
};
use tokio::sync::Notify;
use tracing::{error, warn};

use self::log::{JournalLog, Progress};

pub use self::log::LogError;

/// A batch of the live state is closed once it has this many bytes.
const SNAPSHOT_BATCH_BYTES: usize = 256 << 10;
/// No batch of the journal is larger than this when decompressed.
const MAX_BATCH_BYTES: usize = 256 << 20;
/// The header of a rewritten record: the offset of the change that it repeats.
const CHANGED_AT: &str = "changed-at";

/// One change: a key with its new value, or with none where it is gone.
pub(crate) type Change = (Bytes, Option<Bytes>);

/// Why a journal could not be read back.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {partition} back at offset {at}")]
pub struct ReplayError {
    /// The partition that keeps it.
    pub partition: TopicPartition,
    /// The offset asked for.
    pub at: i64,
    /// What the log said.
    #[source]
    pub source: LogError,
}

/// What is read back.
pub(crate) enum Entry {
    Record(JournalRecord),
    /// The transaction of a producer ended here.
    End {
        producer_id: ProducerId,
        outcome: TransactionOutcome,
    },
}

/// A change as it is read back.
pub(crate) struct JournalRecord {
    /// The offset of the change, by which those of one key are told apart in time.
    pub(crate) order: Offset,
    pub(crate) key: Bytes,
    pub(crate) value: Option<Bytes>,
    /// Whose transaction it is part of, if it is of one.
    pub(crate) producer_id: Option<ProducerId>,
}

/// The journal of one coordinator.
pub(crate) struct Journal {
    log: Arc<dyn JournalLog>,
    snapshot_after: u64,
    /// Bytes appended since the last snapshot.
    grown: AtomicU64,
    /// Bytes at which the next snapshot is due.
    due_at: AtomicU64,
    due: Notify,
}

impl Journal {
    /// The journal over `log`; a snapshot is due each time it has grown by `snapshot_after` bytes, or by as much as
    /// the last snapshot took if that is more.
    pub(crate) fn new(log: Arc<dyn JournalLog>, snapshot_after: u64) -> Self {
        let due_at = AtomicU64::new(snapshot_after);
        Self { log, snapshot_after, grown: AtomicU64::new(0), due_at, due: Notify::new() }
    }

    /// Reads every record from the log's start, in order, and passes over what is damaged; gives what that was, the
    /// first of it, because no one can tell what it told of.
    pub(crate) fn replay(&self, mut visit: impl FnMut(Entry)) -> Result<Option<LogError>, ReplayError> {
        let (mut from, mut damage) = (self.log.start(), None);
        loop {
            let unreadable = |source| ReplayError { partition: self.log.name(), at: from.get(), source };
            match self.log.read(from).map_err(unreadable)? {
                Progress::End => return Ok(damage),
                Progress::Damaged(error, next) => {
                    let error_shown = &error as &dyn std::error::Error;
                    error!(partition = %self.log.name(), error = error_shown, "a journal is read back only in part");
                    damage.get_or_insert(error);
                    from = next.max(from.next());
                    if from >= self.log.end() {
                        return Ok(damage);
                    }
                }
                Progress::Batches(chunks) => {
                    for chunk in &chunks {
                        from = self.replay_chunk(chunk, &mut visit).unwrap_or(from);
                    }
                }
            }
        }
    }

    /// Appends changes that stand or fall together; gives the offset of the first and of the last.
    ///
    /// # Errors
    /// [`LogError`]; nothing of them was kept.
    pub(crate) fn append(
        &self,
        changes: impl IntoIterator<Item = Change>,
        now: Timestamp,
    ) -> Result<(Offset, Offset), LogError> {
        self.write(fill(BatchBuilder::new(), changes, now))
    }

    /// Appends changes that stand or fall with the transaction of a producer, which begins with the first of them.
    ///
    /// # Errors
    /// [`LogError`]; nothing of them was kept.
    pub(crate) fn append_in_transaction(
        &self,
        (producer_id, epoch): (ProducerId, ProducerEpoch),
        changes: impl IntoIterator<Item = Change>,
        now: Timestamp,
    ) -> Result<(Offset, Offset), LogError> {
        let builder = BatchBuilder::new().transactional().producer(producer_id, epoch, -1);
        self.write(fill(builder, changes, now))
    }

    /// Ends the transaction of a producer; gives the offset of the marker.
    ///
    /// # Errors
    /// [`LogError`]; it is as it was then.
    pub(crate) fn end_transaction(&self, end: &EndTransaction) -> Result<Offset, LogError> {
        self.log.end_transaction(end)
    }

    /// Rewrites live state, each change with its order, in as many batches as it takes.
    pub(crate) fn rewrite(
        &self,
        state: impl Iterator<Item = (Change, Offset)>,
        now: Timestamp,
    ) -> Result<Option<Offset>, LogError> {
        let (mut batch, mut last) = (BatchBuilder::new(), None);
        for ((key, value), order) in state {
            let order = Header::new(CHANGED_AT, order.get().to_be_bytes().to_vec());
            batch.push(now, Some(&key), value.as_deref(), &[order]);
            if batch.encoded_len() >= SNAPSHOT_BATCH_BYTES {
                last = Some(self.write(std::mem::take(&mut batch))?.1);
            }
        }
        if !batch.is_empty() {
            last = Some(self.write(batch)?.1);
        }
        Ok(last)
    }

    /// Resolves once the record at `last` is on disk.
    pub(crate) async fn durable(&self, last: Option<Offset>) -> Result<(), LogError> {
        match last {
            Some(last) => self.log.durable(last).await,
            None => Ok(()),
        }
    }

    /// Where a snapshot that begins now keeps the journal from.
    pub(crate) fn begin_snapshot(&self) -> Offset {
        self.grown.store(0, Ordering::Relaxed);
        self.log.end()
    }

    /// Drops what a finished snapshot made superfluous.
    pub(crate) fn finish_snapshot(&self, keep_from: Offset) -> Result<(), LogError> {
        let written = self.grown.load(Ordering::Relaxed);
        self.due_at.store(written + written.max(self.snapshot_after), Ordering::Relaxed);
        self.log.truncate_before(keep_from.min(self.log.stable()))
    }

    /// Puts the next snapshot off until the journal has grown as much again.
    pub(crate) fn put_off_snapshot(&self) {
        self.grown.store(0, Ordering::Relaxed);
    }

    /// Resolves when a snapshot is due.
    pub(crate) async fn snapshot_due(&self) {
        while !self.is_snapshot_due() {
            self.due.notified().await;
        }
    }

    pub(crate) fn is_snapshot_due(&self) -> bool {
        self.grown.load(Ordering::Relaxed) >= self.due_at.load(Ordering::Relaxed)
    }

    fn write(&self, batch: BatchBuilder) -> Result<(Offset, Offset), LogError> {
        let batch = batch.build();
        let (bytes, records) = (batch.encoded_len() as u64, i64::from(batch.header().record_count));
        let last = self.log.append(batch)?;
        self.count(bytes);
        Ok((Offset::new(last.get() + 1 - records), last))
    }

    fn count(&self, bytes: u64) {
        self.grown.fetch_add(bytes, Ordering::Relaxed);
        if self.is_snapshot_due() {
            self.due.notify_one();
        }
    }

    /// Reads the batches of `chunk`; gives the offset after the last.
    fn replay_chunk(&self, chunk: &Bytes, visit: &mut impl FnMut(Entry)) -> Option<Offset> {
        let mut next = None;
        for (at, header) in batch::headers(chunk).map_while(Result::ok) {
            let bytes = chunk.slice(at..at + header.encoded_len());
            self.count(bytes.len() as u64);
            replay_batch(&header, &bytes, visit);
            next = Some(Offset::new(header.last_offset()).next());
        }
        next
    }
}

fn fill(mut batch: BatchBuilder, changes: impl IntoIterator<Item = Change>, now: Timestamp) -> BatchBuilder {
    for (key, value) in changes {
        batch.push(now, Some(&key), value.as_deref(), &[]);
    }
    batch
}

fn replay_batch(header: &BatchHeader, bytes: &Bytes, visit: &mut impl FnMut(Entry)) {
    if header.is_control() {
        if let Some(marker) = TransactionMarker::of(header, bytes) {
            visit(Entry::End { producer_id: header.producer_id, outcome: marker.outcome });
        }
        return;
    }
    let records = match record::decode(bytes, MAX_BATCH_BYTES) {
        Ok(records) => records,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "skipped an unreadable batch of a journal");
            return;
        }
    };
    let producer_id = header.is_transactional().then_some(header.producer_id);
    for record in records {
        let order = changed_at(&record.headers).unwrap_or(record.offset);
        let key = record.key.unwrap_or_default();
        visit(Entry::Record(JournalRecord { order, key, value: record.value, producer_id }));
    }
}

fn changed_at(headers: &[Header]) -> Option<Offset> {
    let header = headers.iter().find(|header| header.key == CHANGED_AT)?;
    let at = header.value.clone()?.try_get_i64().ok()?;
    (at >= 0).then(|| Offset::new(at))
}
