//! One partition as clients meet it: the log behind the rules that clients must keep to.
//!
//! The rules, checked before a byte is kept: a batch fits `max.message.bytes`; control records are the broker's
//! own; no record is dated more than an hour ahead, which is Kafka's default since 4.0
//! (`message.timestamp.after.max.ms`, KIP-937), because one record from the future would hold its whole segment
//! back from retention. Records are not opened: their batch's header speaks for them.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_log::{AppendError, Appended, Bounds, Damage, PartitionLog, Slice, SyncError, Waiter};
use factum_types::{Offset, RecordBatch, Timestamp, TopicPartition};

use crate::metrics::TopicMetrics;
use crate::topic;

/// How far ahead of the broker's clock a record may be dated.
pub(crate) const MAX_TIMESTAMP_AHEAD: Duration = Duration::from_secs(60 * 60);

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// The topic was removed.
    #[error("the topic was deleted")]
    Deleted,
    /// Only the broker itself writes to this topic.
    #[error("the topic belongs to the broker itself")]
    Reserved,
    /// The batch is larger than the topic takes.
    #[error("a batch of {bytes} bytes is larger than {limit}")]
    TooLarge {
        /// Its encoded size.
        bytes: usize,
        /// The topic's `max.message.bytes`.
        limit: usize,
    },
    /// Control records are written by the broker alone.
    #[error("a client may not write control records")]
    Control,
    /// The batch belongs to a transaction, and there are none here.
    #[error("transactions are not supported")]
    Transactional,
    /// A record is dated further ahead than Kafka's rule allows.
    #[error("timestamp {timestamp} is later than {latest}")]
    FutureTimestamp {
        /// The batch's greatest timestamp.
        timestamp: Timestamp,
        /// The latest allowed now.
        latest: Timestamp,
    },
    /// The log refused.
    #[error(transparent)]
    Log(#[from] AppendError),
}

/// Why a partition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The topic was removed.
    #[error("the topic was deleted")]
    Deleted,
    /// Before the first record kept, or past the end.
    #[error("offset {asked} is outside {}..{}", bounds.log_start, bounds.high_watermark)]
    OutOfRange {
        /// The offset asked for.
        asked: i64,
        /// What there is.
        bounds: Bounds,
    },
    /// The bytes on disk are not what was written.
    #[error(transparent)]
    Damaged(Damage),
    /// Anything else.
    #[error(transparent)]
    Log(factum_log::ReadError),
}

/// What the partitions of one topic share.
#[derive(Debug)]
pub(crate) struct Limits {
    max_message_bytes: AtomicUsize,
    is_deleted: AtomicBool,
    is_refusing: AtomicBool,
}

impl Limits {
    pub(crate) fn new(max_message_bytes: usize) -> Self {
        Self {
            max_message_bytes: AtomicUsize::new(max_message_bytes),
            is_deleted: AtomicBool::new(false),
            is_refusing: AtomicBool::new(false),
        }
    }

    /// Whether records are refused for want of room on the disk, the server's own excepted.
    pub(crate) fn set_refusing(&self, is_refusing: bool) {
        self.is_refusing.store(is_refusing, Ordering::Relaxed);
    }

    fn check_room(&self) -> Result<(), AppendError> {
        match self.is_refusing.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(AppendError::Full(io::ErrorKind::StorageFull.into())),
        }
    }

    pub(crate) fn set_max_message_bytes(&self, bytes: usize) {
        self.max_message_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn mark_deleted(&self) {
        self.is_deleted.store(true, Ordering::Release);
    }

    fn max_message_bytes(&self) -> usize {
        self.max_message_bytes.load(Ordering::Relaxed)
    }

    fn is_deleted(&self) -> bool {
        self.is_deleted.load(Ordering::Acquire)
    }
}

/// A partition of a topic.
pub struct Partition {
    name: TopicPartition,
    log: PartitionLog,
    limits: Arc<Limits>,
    clock: SharedClock,
    metrics: TopicMetrics,
    is_reserved: bool,
}

impl Partition {
    pub(crate) fn new(
        name: TopicPartition,
        log: PartitionLog,
        limits: Arc<Limits>,
        clock: SharedClock,
        metrics: TopicMetrics,
    ) -> Self {
        let is_reserved = topic::is_reserved(&name.topic);
        Self { name, log, limits, clock, metrics, is_reserved }
    }

    /// Its topic and number.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.name
    }

    /// Its log, for what needs no rule of the topic.
    pub fn log(&self) -> &PartitionLog {
        &self.log
    }

    /// The largest batch taken, in bytes.
    pub fn max_message_bytes(&self) -> usize {
        self.limits.max_message_bytes()
    }

    /// Appends a batch; it is in the page cache when this returns, on disk once [`Partition::durable`] resolves.
    /// Takes microseconds and may be called on an async thread.
    ///
    /// # Errors
    /// [`ProduceError`]; nothing of the batch was kept.
    pub fn append(&self, batch: RecordBatch) -> Result<Appended, ProduceError> {
        let now = self.clock.now();
        self.check(&batch, now)?;
        let (bytes, records) = (batch.encoded_len(), batch.header().record_count);
        let appended = self.log.append(batch, now).map_err(|error| self.refused(error))?;
        if !appended.duplicate {
            self.metrics.observe_append(bytes, records);
        }
        Ok(appended)
    }

    /// Resolves once every record up to `last` is on disk. Dropping the future takes nothing back.
    pub fn durable(
        &self,
        last: Offset,
    ) -> impl Future<Output = Result<(), SyncError>> + Send + use<> + 'static {
        self.log.durable(last)
    }

    /// Reads whole batches from the one that holds `from`: about `limit_bytes`, but at least one if there is one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, from: i64, limit_bytes: usize) -> Result<Slice, ReadError> {
        let from = self.check_offset(from)?;
        self.log.read(from, limit_bytes).map_err(|error| self.unreadable(from, error))
    }

    /// Whether there is something to learn past `offset`; if not, `waiter` is woken when there is.
    ///
    /// A deletion is marked before the log is closed, and closing wakes whoever registered before: so a waiter
    /// learns of it either way.
    pub(crate) fn wait_past(&self, offset: Offset, waiter: &Arc<Waiter>) -> bool {
        self.log.wait_past(offset, waiter) || self.limits.is_deleted()
    }

    /// Counts bytes that a reader was given.
    pub(crate) fn observe_fetch(&self, bytes: usize) {
        self.metrics.observe_fetch(bytes);
    }

    /// Answers as [`Partition::read`] with no room for a batch: the bounds, or what is wrong with `from`.
    pub(crate) fn peek(&self, from: i64) -> Result<Slice, ReadError> {
        let from = self.check_offset(from)?;
        let bounds = self.log.bounds();
        if from < bounds.log_start || from > bounds.high_watermark {
            return Err(ReadError::OutOfRange { asked: from.get(), bounds });
        }
        Ok(Slice { chunks: Vec::new(), bytes: 0, bounds })
    }

    /// The first record at or after `time`, with its own time; `None` if all are older.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn offset_for_time(&self, time: Timestamp) -> Result<Option<(Offset, Timestamp)>, ReadError> {
        self.log.offset_for_time(time).map_err(|error| self.unreadable(Offset::ZERO, error))
    }

    /// What it holds at this moment.
    pub fn bounds(&self) -> Bounds {
        self.log.bounds()
    }

    fn check(&self, batch: &RecordBatch, now: Timestamp) -> Result<(), ProduceError> {
        if self.limits.is_deleted() {
            return Err(ProduceError::Deleted);
        }
        if self.is_reserved {
            return Err(ProduceError::Reserved);
        }
        if !self.is_reserved {
            self.limits.check_room()?;
        }
        let (bytes, limit) = (batch.encoded_len(), self.limits.max_message_bytes());
        if bytes > limit {
            return Err(ProduceError::TooLarge { bytes, limit });
        }
        let header = batch.header();
        if header.is_control() {
            return Err(ProduceError::Control);
        }
        if header.is_transactional() {
            return Err(ProduceError::Transactional);
        }
        let latest = now.plus(MAX_TIMESTAMP_AHEAD);
        if header.max_timestamp > latest {
            return Err(ProduceError::FutureTimestamp { timestamp: header.max_timestamp, latest });
        }
        Ok(())
    }

    fn check_offset(&self, from: i64) -> Result<Offset, ReadError> {
        if self.limits.is_deleted() {
            return Err(ReadError::Deleted);
        }
        if from < 0 {
            return Err(ReadError::OutOfRange { asked: from, bounds: self.log.bounds() });
        }
        Ok(Offset::new(from))
    }

    /// A deletion closes the log: whoever came just before it learns of the deletion, not of the closing.
    fn refused(&self, error: AppendError) -> ProduceError {
        if self.limits.is_deleted() { ProduceError::Deleted } else { ProduceError::Log(error) }
    }

    fn unreadable(&self, from: Offset, error: factum_log::ReadError) -> ReadError {
        if self.limits.is_deleted() {
            return ReadError::Deleted;
        }
        match error {
            factum_log::ReadError::OutOfRange { bounds, .. } => {
                ReadError::OutOfRange { asked: from.get(), bounds }
            }
            factum_log::ReadError::Damaged(damage) => ReadError::Damaged(damage),
            other => ReadError::Log(other),
        }
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Partition").field(&self.name).finish()
    }
}
