//! Appending: one batch gets its offset and is written behind the last one, to the page cache only.
//!
//! Invariants: a batch is in the log whole or not at all. If the write fails, the file is cut back to where it
//! was, at once or before the next byte is written. No refusal of the disk is final here: the next append tries
//! again, and so does the committer now and then, so that the trouble ends when its cause has.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use factum_types::batch::BatchHeader;
use factum_types::record::TransactionMarker;
use factum_types::{Offset, ProducerEpoch, ProducerId, RecordBatch, Timestamp};

use crate::active_file::ActiveFile;
use crate::checkpoint::Mark;
use crate::commit::SyncError;
use crate::committer::Progress;
use crate::damage::Damage;
use crate::index::SegmentIndex;
use crate::open_segments::OpenSegment;
use crate::partition_log::{LogInner, PartitionLog, SealedSegment, Writer};
use crate::producers::TransactionChange;
use crate::segment::{Segment, State, log_path};
use crate::transactions::AbortedTransaction;
use crate::trouble::RefusedAppend;

/// Most bytes written to see whether a disk takes appends again.
const RETRY_BYTES: usize = 1 << 20;
/// A segment with so many aborted transactions is sealed, so that its index stays small.
pub(crate) const MOST_ABORTED: u32 = 10_000;

/// Where a batch came to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendResult {
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
    /// A producer with an open transaction sent a batch that belongs to none.
    #[error("producer {producer_id} has an open transaction and sent a batch that is no part of it")]
    NotTransactional {
        /// The producer.
        producer_id: ProducerId,
    },
    /// A newer coordinator has ended a transaction of the producer since.
    #[error("the transaction coordinator has epoch {found}, fenced by epoch {current}")]
    CoordinatorFenced {
        /// The newest epoch known.
        current: i32,
        /// The one asked with.
        found: i32,
    },
    /// Recovery or a reader found damage; the log is read-only.
    #[error(
        "the log is damaged and read-only: stop the server, see `factum log verify` and `factum log repair`"
    )]
    Quarantined(#[source] Damage),
    /// The disk is full.
    #[error("no space left for the log")]
    Full(#[source] Arc<io::Error>),
    /// The disk refused the write, or the next segment.
    #[error("write to the log")]
    Io(#[source] Arc<io::Error>),
    /// What was appended before cannot be made durable for now.
    #[error("the log cannot make appends durable for now; it is tried again")]
    Stalled(#[source] Arc<io::Error>),
    /// A sync failed before; nothing more can be acknowledged until the log is opened again.
    #[error("the log has failed")]
    Failed(#[source] SyncError),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}

impl AppendError {
    /// Whether the same batch may succeed later with no one doing anything to the log itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Io(_) | Self::Stalled(_))
    }
}

impl PartitionLog {
    /// Appends `batch` behind the last one, assigning its offsets and leader epoch.
    ///
    /// `now` is kept as the time of the append; it decides retention, never an offset. Never waits for a sync:
    /// the batch is in the page cache, and the committer is told. It is durable, and visible to readers, once
    /// [`PartitionLog::durable`] resolves for [`AppendResult::last_offset`]; that holds for a duplicate too.
    ///
    /// # Errors
    /// [`AppendError`]; nothing of the batch is then in the log.
    pub fn append(&self, batch: RecordBatch, now: Timestamp) -> Result<AppendResult, AppendError> {
        self.append_as_part(batch, now, NonZeroUsize::MIN)
    }

    /// As [`PartitionLog::append`], for a request that appends to `request` logs: the committer takes the logs of
    /// smaller requests first.
    ///
    /// # Errors
    /// [`AppendError`]; nothing of the batch is then in the log.
    pub fn append_as_part(
        &self,
        batch: RecordBatch,
        now: Timestamp,
        request: NonZeroUsize,
    ) -> Result<AppendResult, AppendError> {
        let log = &*self.0;
        let mut writer = log.writer.lock();
        log.check_writable()?;
        if let Some(sent) = writer.producers.check(batch.header())? {
            let (base_offset, last_offset) = (sent.base, sent.last);
            let log_start = log.log_start.get();
            return Ok(AppendResult { base_offset, last_offset, log_start, duplicate: true });
        }
        self.append_checked(&mut writer, batch, None, now, request)
    }

    /// As [`PartitionLog::append`], for a batch of the server itself in the transaction of a producer: it has no sequence
    /// number, and is never taken for one that was sent before.
    ///
    /// # Errors
    /// [`AppendError`]; nothing of the batch is then in the log.
    pub fn append_unsequenced(
        &self,
        batch: RecordBatch,
        now: Timestamp,
    ) -> Result<AppendResult, AppendError> {
        let log = &*self.0;
        let mut writer = log.writer.lock();
        log.check_writable()?;
        writer.producers.check_epoch(batch.header())?;
        self.append_checked(&mut writer, batch, None, now, NonZeroUsize::MIN)
    }

    /// Appends a batch that may be appended; `marker` is what it says if it is a control batch.
    pub(crate) fn append_checked(
        &self,
        writer: &mut Writer,
        mut batch: RecordBatch,
        marker: Option<&TransactionMarker>,
        now: Timestamp,
        request: NonZeroUsize,
    ) -> Result<AppendResult, AppendError> {
        let log = &*self.0;
        let options = *log.options.read();
        let bytes = batch.encoded_len();
        let is_full = writer.is_too_full(bytes as u64, options.segment_bytes)
            || marker.is_some() && writer.has_most_aborted();
        if is_full || options.segment_age.is_some_and(|age| writer.is_too_old(age, now)) {
            log.roll(writer).map_err(|error| self.refused(error, bytes, true))?;
        }
        let base_offset = writer.end.offset;
        batch.place(base_offset, log.epochs().current());
        log.write(writer, batch.as_bytes()).map_err(|error| self.refused(error, bytes, false))?;
        let change = writer.advance(&batch, marker, now, options.index_interval_bytes);
        log.note_transaction(change, base_offset);
        let last_offset = Offset::new(batch.header().last_offset());
        log.log_end.set(writer.end.offset);
        log.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        log.environment.tail_cache.insert(log.id, batch);
        if writer.request.is_none_or(|waiting| request < waiting) {
            writer.request = Some(request);
            log.environment.committer.enqueue(&self.0, request);
        }
        log.append_worked();
        Ok(AppendResult { base_offset, last_offset, log_start: log.log_start.get(), duplicate: false })
    }

    /// Whether a batch of this header is one that its idempotent producer sent before, and that is in the log.
    pub fn is_repeated(&self, header: &BatchHeader) -> bool {
        self.0.writer.lock().producers.check(header).is_ok_and(|sent| sent.is_some())
    }

    /// Takes note of what the disk refused, and has it tried again.
    fn refused(&self, error: io::Error, bytes: usize, at_roll: bool) -> AppendError {
        let error = Arc::new(error);
        if self.0.troubles.append_refused(RefusedAppend { error: Arc::clone(&error), bytes, at_roll }) {
            tracing::warn!(dir = %self.0.dir.display(), %error, "the disk refused an append; it is tried again");
            self.0.environment.committer.retry_later(&self.0);
        }
        match error.kind() {
            // The last one is the limit of a file's size (`ulimit -f`, LimitFSIZE).
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                AppendError::Full(error)
            }
            _ => AppendError::Io(error),
        }
    }
}

impl LogInner {
    fn note_transaction(&self, change: TransactionChange, at: Offset) {
        match change {
            TransactionChange::None => {}
            TransactionChange::Begun => self.undecided.lock().begin(at),
            TransactionChange::Ended { first } => self.undecided.lock().end(first, at),
        }
    }

    pub(crate) fn check_writable(&self) -> Result<(), AppendError> {
        if let Some(damage) = self.quarantine.get() {
            return Err(AppendError::Quarantined(damage.clone()));
        }
        if let Some(error) = self.failed.get() {
            return Err(AppendError::Failed(error.clone()));
        }
        if self.is_closed() {
            return Err(AppendError::Closed);
        }
        self.troubles.commit().map_or(Ok(()), |error| Err(AppendError::Stalled(error)))
    }

    fn append_worked(&self) {
        if self.troubles.append_worked() {
            tracing::info!(dir = %self.dir.display(), "the disk takes appends again");
        }
    }

    /// Writes `bytes` at the end, or leaves the file as it was.
    fn write(&self, writer: &mut Writer, bytes: &[u8]) -> io::Result<()> {
        self.cut_torn_tail(writer)?;
        writer.file.for_write()?.write_at(bytes, writer.end.position).inspect_err(|_| {
            writer.is_torn = true;
            if let Err(error) = self.cut_torn_tail(writer) {
                let dir = self.dir.display();
                tracing::warn!(%dir, %error, "a refused batch is cut off before the next append");
            }
        })
    }

    /// Cuts off what a refused batch left behind the end.
    pub(crate) fn cut_torn_tail(&self, writer: &mut Writer) -> io::Result<()> {
        if writer.is_torn {
            let file = writer.file.handle().map_or_else(|| writer.file.for_write(), Ok)?;
            file.set_len(writer.end.position)?;
            writer.file.undo_write();
            writer.is_torn = false;
        }
        Ok(())
    }

    /// Tries whether the disk would now take the append that it refused last: makes the segment, or writes as many
    /// zeros and cuts them off again.
    pub(crate) fn retry_refused_append(&self) -> Progress {
        let mut writer = self.writer.lock();
        let Some(refused) = self.troubles.append().filter(|_| !self.is_closed()) else {
            return Progress::Done;
        };
        let tried = if refused.at_roll {
            self.roll(&mut writer)
        } else {
            let zeros = vec![0; refused.bytes.min(RETRY_BYTES)];
            self.write(&mut writer, &zeros).and_then(|()| {
                writer.is_torn = true;
                self.cut_torn_tail(&mut writer)
            })
        };
        if tried.is_err() {
            return Progress::Stalled;
        }
        self.append_worked();
        Progress::Done
    }

    /// Seals the active segment and begins another. The committer makes the old one's bytes and the new
    /// one's name durable before it acknowledges anything in the new one.
    pub(crate) fn roll(&self, writer: &mut Writer) -> io::Result<()> {
        self.cut_torn_tail(writer)?;
        let base = writer.end.offset;
        let environment = &self.environment;
        let path = log_path(&self.dir, base);
        let file = ActiveFile::create(&environment.active_files, &environment.disk, &path)?;
        let state = State::Active { file: Arc::clone(&file), index: SegmentIndex::new(base) };
        let segment = Arc::new(Segment::new(&self.dir, state));
        let old = std::mem::replace(&mut writer.active, Arc::clone(&segment));
        writer.file = file;
        writer.first_append = None;
        writer.end = Mark { segment: base, position: 0, offset: base };
        let (file, index) = old.seal().expect("the writer's segment is the active one");
        let index = Arc::new(index);
        if let Some(handle) = file.handle() {
            let open = OpenSegment { file: handle, index: Arc::clone(&index) };
            environment.open_segments.insert(self.id, old.base(), open);
        }
        let producers = writer.producers.encode(base);
        writer.sealed.push(SealedSegment { segment: old, file: file.unsynced(), index, producers });
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

    /// Whether the active segment should be sealed before it takes another marker.
    fn has_most_aborted(&self) -> bool {
        self.active.summary().aborted.is_some_and(|aborted| aborted.count >= MOST_ABORTED)
    }

    /// Whether the active segment was begun longer ago than `age`.
    fn is_too_old(&self, age: Duration, now: Timestamp) -> bool {
        self.end.position > 0 && self.first_append.is_some_and(|first| now >= first.plus(age))
    }

    /// Whether the active segment holds something, and its first batch, or the last one that is known of, was appended
    /// before `time`.
    pub(crate) fn was_begun_before(&self, time: Timestamp) -> bool {
        let begun = self.first_append.unwrap_or_else(|| self.active.summary().appended_at);
        self.end.position > 0 && begun != Timestamp::NONE && begun < time
    }

    /// Takes note of a batch that was written at the end.
    fn advance(
        &mut self,
        batch: &RecordBatch,
        marker: Option<&TransactionMarker>,
        now: Timestamp,
        interval: u32,
    ) -> TransactionChange {
        let header = batch.header();
        let aborted = marker.and_then(|marker| AbortedTransaction::ended_by(header, marker));
        self.last_append = self.last_append.max(now);
        let appended_at = self.last_append;
        self.first_append.get_or_insert(appended_at);
        self.active.grow(|index| {
            index.add(header, appended_at, interval);
            index.add_aborted(aborted);
        });
        self.end.position += batch.encoded_len() as u64;
        self.end.offset = Offset::new(header.last_offset()).next();
        self.producers.record(header, marker, appended_at)
    }
}
