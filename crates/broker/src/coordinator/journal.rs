//! The groups' journal: appending to it, reading it back, and keeping it short.
//!
//! ```text
//!   log start                     keep from            end
//!      ├── changes of long ago ──────┼── live state ─────┤
//!      ╰──── dropped once ───────────╯   and changes     ╰── changes go on meanwhile
//!            the right part is on disk
//! ```
//!
//! Invariants: for each key, the last record from any offset between the log start and *keep from* on is the
//! last record of all. So a crash at any point of a snapshot, or a truncation that kept more than it was asked to,
//! leaves the same state to be read back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use factum_types::{BatchBuilder, Offset, Timestamp, batch, record};
use tokio::sync::Notify;
use tracing::{error, warn};

use super::offsets_log::{OffsetsLog, Progress};
use super::records::{self, DecodedRecord, Key};
use super::{CoordinatorError, LogError, OpenError};

/// A batch of the live state is closed once it has this many bytes.
const SNAPSHOT_BATCH_BYTES: usize = 256 << 10;
/// No batch of the journal is larger than this when decompressed.
const MAX_BATCH_BYTES: usize = 256 << 20;

/// One change: a key with its new value, or with none where it is gone.
pub(crate) type Change = (Key, Option<Bytes>);

/// The journal of all groups.
pub(crate) struct Journal {
    log: Arc<dyn OffsetsLog>,
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
    pub(crate) fn new(log: Arc<dyn OffsetsLog>, snapshot_after: u64) -> Self {
        let due_at = AtomicU64::new(snapshot_after);
        Self { log, snapshot_after, grown: AtomicU64::new(0), due_at, due: Notify::new() }
    }

    /// Reads every record from the log's start, in order, and passes over what is damaged; gives what that was, the
    /// first of it, because no one can tell which groups it told of.
    pub(crate) fn replay(&self, mut visit: impl FnMut(DecodedRecord)) -> Result<Option<LogError>, OpenError> {
        let (mut from, mut damage) = (self.log.start(), None);
        loop {
            let unreadable = |source| OpenError::Read { partition: self.log.name(), at: from.get(), source };
            match self.log.read(from).map_err(unreadable)? {
                Progress::End => return Ok(damage),
                Progress::Damaged(error, next) => {
                    error!(error = &error as &dyn std::error::Error, "groups are read back only in part");
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

    /// Appends changes that stand or fall together; gives the offset of the last.
    pub(crate) fn append(&self, changes: &[Change], now: Timestamp) -> Result<Offset, CoordinatorError> {
        let mut batch = BatchBuilder::new();
        for (key, value) in changes {
            batch.push(now, Some(&records::encode_key(key)), value.as_deref(), &[]);
        }
        self.write(batch)
    }

    /// Rewrites the live state of one group, in as many batches as it takes.
    pub(crate) fn rewrite(
        &self,
        state: impl Iterator<Item = Change>,
        now: Timestamp,
    ) -> Result<Option<Offset>, CoordinatorError> {
        let (mut batch, mut last) = (BatchBuilder::new(), None);
        for (key, value) in state {
            batch.push(now, Some(&records::encode_key(&key)), value.as_deref(), &[]);
            if batch.encoded_len() >= SNAPSHOT_BATCH_BYTES {
                last = Some(self.write(std::mem::take(&mut batch))?);
            }
        }
        if !batch.is_empty() {
            last = Some(self.write(batch)?);
        }
        Ok(last)
    }

    /// Resolves once the record at `last` is on disk.
    pub(crate) async fn durable(&self, last: Option<Offset>) -> Result<(), CoordinatorError> {
        match last {
            Some(last) => self.log.durable(last).await.map_err(CoordinatorError::Storage),
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
        self.log.truncate_before(keep_from)
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

    fn write(&self, batch: BatchBuilder) -> Result<Offset, CoordinatorError> {
        let batch = batch.build();
        let bytes = batch.encoded_len() as u64;
        let last = self.log.append(batch).map_err(CoordinatorError::Storage)?;
        self.count(bytes);
        Ok(last)
    }

    fn count(&self, bytes: u64) {
        self.grown.fetch_add(bytes, Ordering::Relaxed);
        if self.is_snapshot_due() {
            self.due.notify_one();
        }
    }

    /// Reads the batches of `chunk`; gives the offset after the last.
    fn replay_chunk(&self, chunk: &Bytes, visit: &mut impl FnMut(DecodedRecord)) -> Option<Offset> {
        let mut next = None;
        for (at, header) in batch::headers(chunk).map_while(Result::ok) {
            let bytes = chunk.slice(at..at + header.encoded_len());
            self.count(bytes.len() as u64);
            replay_batch(&bytes, visit);
            next = Some(Offset::new(header.last_offset()).next());
        }
        next
    }
}

fn replay_batch(bytes: &Bytes, visit: &mut impl FnMut(DecodedRecord)) {
    let records = match record::decode(bytes, MAX_BATCH_BYTES) {
        Ok(records) => records,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "skipped an unreadable batch of group records");
            return;
        }
    };
    for record in records {
        let key = record.key.as_deref().unwrap_or_default();
        match records::decode(key, record.value.as_deref()) {
            Ok(decoded) => visit(decoded),
            Err(error) => warn!(offset = %record.offset, %error, "skipped a group record"),
        }
    }
}
