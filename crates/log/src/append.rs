//! Appending: one batch gets its offset and is written behind the last one, to the page cache only.
//!
//! Always holds: a batch is in the log whole or not at all. If the write fails, the file is cut back to where
//! it was, and the next append tries anew: a full disk heals when there is space again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use factum_types::{Offset, ProducerEpoch, ProducerId, RecordBatch, Timestamp};

use crate::checkpoint::Mark;
use crate::commit::SyncError;
use crate::damage::Damage;
use crate::index::SegmentIndex;
use crate::open_segments::OpenSegment;
use crate::partition_log::{JustSealed, PartitionLog, Shared, Writer};
use crate::segment::{Segment, State, log_path};

/// Where a batch came to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record: durable once [`PartitionLog::durable`] says so of this offset.
    pub last_offset: Offset,
    /// The first offset that the log keeps.
    pub log_start: Offset,
    /// Whether an idempotent producer had sent it before; the offsets are those it got then.
    pub duplicate: bool,
}

/// Why a batch was not appended. The log is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A producer's batch does not continue its last one.
    #[error("producer {producer_id} sent sequence number {found} where {expected} comes next")]
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// The sequence number after its last record.
        expected: i32,
        /// The batch's first sequence number.
        found: i32,
    },
    /// A newer incarnation of the producer has appended since.
    #[error("producer {producer_id} has epoch {found}, fenced by epoch {current}")]
    InvalidProducerEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// The newest epoch known.
        current: ProducerEpoch,
        /// The batch's.
        found: ProducerEpoch,
    },
    /// Recovery found damage; the log is read-only.
    #[error("the log is in quarantine")]
    Quarantined(#[source] Damage),
    /// The disk is full.
    #[error("no space left for the log")]
    Full(#[source] io::Error),
    /// The disk refused the write.
    #[error("write to the log")]
    Io(#[source] io::Error),
    /// A sync failed before; nothing more can be acknowledged until the log is opened anew.
    #[error("the log has failed")]
    Failed(#[source] SyncError),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

impl AppendError {
    /// Whether the same batch may succeed later with nobody doing anything to the log itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Io(_))
    }
}

impl From<io::Error> for AppendError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error),
            _ => Self::Io(error),
        }
    }
}

impl PartitionLog {
    /// Appends `batch` behind the last one, assigning its offsets and leader epoch.
    ///
    /// `now` is kept as the time of the append; it decides retention, never an offset. Never waits for a sync:
    /// the batch is in the page cache, and the committer is told. It is durable, and visible to readers, once
    /// [`PartitionLog::durable`] resolves for [`Appended::last_offset`]; that holds for a duplicate too.
    ///
    /// # Errors
    /// [`AppendError`]; nothing of the batch is then in the log.
    pub fn append(&self, mut batch: RecordBatch, now: Timestamp) -> Result<Appended, AppendError> {
        let log = &*self.0;
        let mut writer = log.writer.lock();
        log.check_writable()?;
        let log_start = log.log_start.get();
        if let Some(sent) = writer.producers.check(batch.header())? {
            let (base_offset, last_offset) = (sent.base, sent.last);
            return Ok(Appended { base_offset, last_offset, log_start, duplicate: true });
        }
        let options = *log.options.read();
        let is_full = writer.is_too_full(batch.encoded_len() as u64, options.segment_bytes);
        if is_full || options.segment_age.is_some_and(|age| writer.is_too_old(age, now)) {
            log.roll(&mut writer)?;
        }
        let base_offset = writer.end.offset;
        batch.place(base_offset, log.epochs.current());
        log.write(&writer, &batch)?;
        writer.advance(&batch, now, options.index_interval_bytes);
        let last_offset = Offset::new(batch.header().last_offset());
        log.log_end.set(writer.end.offset);
        log.bytes.fetch_add(batch.encoded_len() as u64, Ordering::Relaxed);
        log.environment.tail_cache.insert(log.id, batch);
        if !log.is_queued.swap(true, Ordering::Relaxed) {
            log.environment.committer.enqueue(Arc::clone(&self.0));
        }
        Ok(Appended { base_offset, last_offset, log_start, duplicate: false })
    }
}

impl Shared {
    fn check_writable(&self) -> Result<(), AppendError> {
        if let Some(damage) = &self.quarantine {
            return Err(AppendError::Quarantined(damage.clone()));
        }
        if let Some(error) = self.failed.get() {
            return Err(AppendError::Failed(error.clone()));
        }
        if self.is_closed() { Err(AppendError::Closed) } else { Ok(()) }
    }

    /// Writes `batch` at the end, or leaves the file as it was.
    fn write(&self, writer: &Writer, batch: &RecordBatch) -> Result<(), AppendError> {
        let Err(error) = writer.file.write_at(batch.as_bytes(), writer.end.position) else {
            return Ok(());
        };
        if let Err(cut) = writer.file.set_len(writer.end.position) {
            // What was written in part can no longer be told from what was written whole.
            self.fail(cut);
        }
        Err(error.into())
    }

    /// Seals the active segment and begins another. The committer makes the old one's bytes and the new
    /// one's name durable before it acknowledges anything in the new one.
    pub(crate) fn roll(&self, writer: &mut Writer) -> io::Result<()> {
        let base = writer.end.offset;
        let file = self.environment.disk.create(&log_path(&self.dir, base))?;
        let state = State::Active { file: Arc::clone(&file), index: SegmentIndex::new(base) };
        let segment = Arc::new(Segment::new(&self.dir, state));
        let old = std::mem::replace(&mut writer.active, Arc::clone(&segment));
        writer.file = file;
        writer.first_append = None;
        writer.end = Mark { segment: base, position: 0, offset: base };
        let (file, index) = old.seal().expect("the writer's segment is the active one");
        let index = Arc::new(index);
        let open = OpenSegment { file: Arc::clone(&file), index: Arc::clone(&index), index_is_fresh: true };
        self.environment.open_segments.insert(self.id, old.base(), open);
        let producers = writer.producers.encode(base);
        writer.sealed.push(JustSealed { segment: old, file, index, producers });
        let mut segments = self.segments.write();
        *segments = Arc::new(segments.iter().cloned().chain([segment]).collect());
        Ok(())
    }
}

impl Writer {
    /// Whether the active segment should be sealed before it takes `length` bytes more. Offsets within a
    /// segment fit four bytes, so that its index can name them.
    fn is_too_full(&self, length: u64, segment_bytes: u64) -> bool {
        let limit = segment_bytes.min(u64::from(u32::MAX));
        let far = self.end.offset.since(self.end.segment) > i64::from(i32::MAX);
        self.end.position > 0 && (self.end.position + length > limit || far)
    }

    /// Whether the active segment was begun longer ago than `age`.
    fn is_too_old(&self, age: Duration, now: Timestamp) -> bool {
        self.end.position > 0 && self.first_append.is_some_and(|first| now >= first.plus(age))
    }

    /// Takes note of a batch that was written at the end.
    fn advance(&mut self, batch: &RecordBatch, now: Timestamp, interval: u32) {
        let header = batch.header();
        self.last_append = self.last_append.max(now);
        let appended_at = self.last_append;
        self.first_append.get_or_insert(appended_at);
        self.active.grow(|index| index.add(header, appended_at, interval));
        self.producers.record(header, appended_at);
        self.end.position += batch.encoded_len() as u64;
        self.end.offset = Offset::new(header.last_offset()).next();
    }
}
