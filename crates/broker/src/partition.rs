//! One partition as clients meet it: the log behind the rules that clients must keep to.
//!
//! The rules, checked before a byte is kept: a batch fits `max.message.bytes`; control records are the broker's
//! own; every record is one, as Kafka's broker checks it, and keeps the topic's contract (`INVALID_RECORD`); no record is dated more than an hour
//! ahead, which is Kafka's default since 4.0 (`message.timestamp.after.max.ms`, KIP-937), because one record from the
//! future would hold its whole segment back from retention.

mod error;

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use factum_base::clock::SharedClock;
use factum_base::steps::Steps;
use factum_log::{AppendError, AppendResult, Bounds, Isolation, PartitionLog, Slice, SyncError, Waiter};
use factum_types::compression::DecompressError;
use factum_types::record::{self, RecordSummary};
use factum_types::{BatchHeader, Compression, Offset, RecordBatch, Timestamp, TopicId, TopicPartition};
use parking_lot::RwLock;

use crate::append_rules::AppendRules;
use crate::contract::{self, Contracts, InvalidRecord};
use crate::disk_room::DiskRoom;
use crate::heavy_work::HeavyWork;
use crate::inline_work::InlineWork;
use crate::metrics::TopicMetrics;
use crate::producer_ids::ProducerIds;
use crate::transactions::TransactionalAppend;

pub use error::{ProduceError, ReadError};

/// How far ahead of the broker's clock a record may be dated where the topic does not say.
pub(crate) const MAX_TIMESTAMP_AHEAD: Duration = Duration::from_secs(60 * 60);

/// Bytes of records in process that a contract judges on the caller's thread: JSON is read at about 300 MB/s.
pub(crate) const CHECKED_AT_ONCE: usize = 256 << 10;

/// What the partitions of all topics share to check a client's batches.
#[derive(Clone)]
pub(crate) struct BatchChecks {
    pub(crate) heavy_work: Arc<HeavyWork>,
    pub(crate) producer_ids: Arc<ProducerIds>,
    pub(crate) room: Arc<DiskRoom>,
    pub(crate) contracts: Arc<Contracts>,
}

impl BatchChecks {
    pub(crate) fn new(producer_ids: Arc<ProducerIds>) -> Self {
        let (heavy_work, room, contracts) = (Arc::default(), Arc::default(), Arc::default());
        Self { heavy_work, producer_ids, room, contracts }
    }
}

/// What the partitions of one topic share.
#[derive(Debug)]
pub(crate) struct Limits {
    max_message_bytes: AtomicUsize,
    is_deleted: AtomicBool,
    /// Whether someone removed the topic's directory: what is written goes nowhere.
    is_missing: AtomicBool,
    rules: RwLock<AppendRules>,
}

impl Limits {
    pub(crate) fn new(max_message_bytes: usize, rules: AppendRules) -> Self {
        Self {
            max_message_bytes: AtomicUsize::new(max_message_bytes),
            is_deleted: AtomicBool::new(false),
            is_missing: AtomicBool::new(false),
            rules: RwLock::new(rules),
        }
    }

    pub(crate) fn set_rules(&self, rules: AppendRules) {
        *self.rules.write() = rules;
    }

    fn rules(&self) -> AppendRules {
        *self.rules.read()
    }

    pub(crate) fn set_max_message_bytes(&self, bytes: usize) {
        self.max_message_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn mark_deleted(&self) {
        self.is_deleted.store(true, Ordering::Release);
    }

    /// True the first time.
    pub(crate) fn mark_missing(&self) -> bool {
        !self.is_missing.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.is_missing.load(Ordering::Acquire)
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
    topic_id: TopicId,
    log: PartitionLog,
    limits: Arc<Limits>,
    clock: SharedClock,
    metrics: TopicMetrics,
    checks: BatchChecks,
    is_reserved: bool,
}

impl Partition {
    pub(crate) fn new(
        name: TopicPartition,
        topic_id: TopicId,
        log: PartitionLog,
        limits: Arc<Limits>,
        clock: SharedClock,
        metrics: TopicMetrics,
        checks: BatchChecks,
    ) -> Self {
        let is_reserved = name.topic.is_internal();
        Self { name, topic_id, log, limits, clock, metrics, checks, is_reserved }
    }

    /// Its topic and number.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.name
    }

    /// The id of its topic, by which that is told from others that had its name.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// Its log, for what needs no rule of the topic.
    pub fn log(&self) -> &PartitionLog {
        &self.log
    }

    /// What its topic counts.
    pub(crate) fn metrics(&self) -> &TopicMetrics {
        &self.metrics
    }

    /// Whether every record must have a key: the topic is compacted.
    pub(crate) fn needs_keys(&self) -> bool {
        self.limits.rules().needs_keys
    }

    /// The largest batch taken, in bytes.
    pub fn max_message_bytes(&self) -> usize {
        self.limits.max_message_bytes()
    }

    /// Appends a client's batch after a walk over its records; it is in the page cache when this returns, on disk once
    /// [`Partition::durable`] resolves. Takes microseconds and may be called on an async thread: a compressed batch that
    /// unpacks to much is walked after the runtime's other tasks were moved away.
    ///
    /// # Errors
    /// [`ProduceError`]; nothing of the batch was kept.
    pub fn append(&self, batch: RecordBatch) -> Result<AppendResult, ProduceError> {
        let appended = self.append_timed(batch, NonZeroUsize::MIN, &mut InlineWork::default(), None);
        appended.map(|(appended, _)| appended)
    }

    /// Appends a batch as [`Partition::append`], as part of a request that appends to `request` partitions (those of
    /// smaller requests are synced first), and gives the time that the records got if that is not their own. What the
    /// request has left of `inline` is unpacked and judged on the caller's thread. A batch of a transaction needs to be told
    /// of which.
    ///
    /// # Errors
    /// [`ProduceError`]; nothing of the batch was kept.
    pub fn append_timed(
        &self,
        mut batch: RecordBatch,
        request: NonZeroUsize,
        inline: &mut InlineWork,
        transaction: Option<&TransactionalAppend>,
    ) -> Result<(AppendResult, Option<Timestamp>), ProduceError> {
        if self.is_reserved {
            return Err(ProduceError::Reserved);
        }
        self.check(&batch)?;
        check_attributes(batch.header())?;
        let transaction = match batch.header().is_transactional() {
            true => Some(transaction.ok_or(ProduceError::NoTransactionalId)?),
            false => None,
        };
        let producer_id = batch.header().producer_id;
        if batch.header().is_idempotent() && !self.checks.producer_ids.is_given_out(producer_id) {
            return Err(ProduceError::UnknownProducer { producer_id });
        }
        if transaction.is_none() && self.checks.producer_ids.is_transactional(producer_id) {
            return Err(ProduceError::TransactionalProducer { producer_id });
        }
        let summary = self.validate(&batch, inline)?;
        if let Some(index) = summary.first_without_key.filter(|_| self.needs_keys())
            && !self.log.is_repeated(batch.header())
        {
            return Err(ProduceError::NoKey { index });
        }
        if let Err(violation) = self.check_contract(&batch, summary.bytes, inline) {
            // What is in the log is acknowledged again when it is sent again, whatever the contract says by now.
            if !self.log.is_repeated(batch.header()) {
                return Err(violation);
            }
        }
        if summary.max_timestamp != batch.header().max_timestamp {
            batch.correct_max_timestamp(summary.max_timestamp);
        }
        self.place(batch, request, Some(summary.max_timestamp_index), transaction)
    }

    /// Appends a batch that was built in this process, for a caller that may write here, as part of a request that
    /// appends to `request` partitions.
    ///
    /// # Errors
    /// As [`Partition::append`].
    pub(crate) fn append_own(
        &self,
        batch: RecordBatch,
        request: NonZeroUsize,
    ) -> Result<AppendResult, ProduceError> {
        self.check(&batch)?;
        self.place(batch, request, None, None).map(|(appended, _)| appended)
    }

    /// The same for a batch of a transaction, which must carry its producer.
    ///
    /// # Errors
    /// As [`Partition::append`].
    pub(crate) fn append_in_transaction(
        &self,
        batch: RecordBatch,
        request: NonZeroUsize,
        transaction: &TransactionalAppend,
    ) -> Result<AppendResult, ProduceError> {
        self.check(&batch)?;
        self.place(batch, request, None, Some(transaction)).map(|(appended, _)| appended)
    }

    /// Does to a checked batch what the topic's settings ask for, and gives it to the log. `latest` is the first record
    /// with the greatest timestamp, where that is known.
    fn place(
        &self,
        batch: RecordBatch,
        request: NonZeroUsize,
        latest: Option<i32>,
        transaction: Option<&TransactionalAppend>,
    ) -> Result<(AppendResult, Option<Timestamp>), ProduceError> {
        let (now, rules) = (self.clock.now(), self.limits.rules());
        let batch = match rules.unpacks(&batch) {
            true => self.checks.heavy_work.run_in_place(|| rules.apply(batch, now, latest))??,
            false => rules.apply(batch, now, latest)?,
        };
        self.check_size(&batch)?;
        let (bytes, records) = (batch.encoded_len(), batch.header().record_count);
        let header = *batch.header();
        let locked = transaction.map(|transaction| transaction.lock(&self.name, &header)).transpose()?;
        let appended = self.log.append_as_part(batch, now, request).map_err(|error| self.refused(error))?;
        if let Some(locked) = locked {
            locked.appended();
        }
        if !appended.duplicate {
            self.metrics.observe_append(bytes, records);
        }
        Ok((appended, rules.append_time(now).filter(|_| !appended.duplicate)))
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
    pub fn read(&self, from: i64, limit_bytes: usize, isolation: Isolation) -> Result<Slice, ReadError> {
        let from = self.check_offset(from)?;
        self.log.read(from, limit_bytes, isolation).map_err(|error| self.unreadable(from, error))
    }

    /// Whether [`Partition::read`] would read a file in the caller's thread.
    pub(crate) fn is_cold(&self, from: i64, isolation: Isolation) -> bool {
        from >= 0 && self.log.is_cold(Offset::new(from), isolation)
    }

    /// Whether there is something to learn past `offset`; if not, `waiter` is woken when there is.
    ///
    /// A deletion is marked before the log is closed, and closing wakes all that registered before: so a waiter
    /// learns of it either way.
    pub(crate) fn wait_past(&self, offset: Offset, isolation: Isolation, waiter: &Arc<Waiter>) -> bool {
        self.log.wait_past(offset, isolation, waiter) || self.limits.is_deleted()
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
        Ok(Slice::empty(bounds))
    }

    /// The first record at or after `time`, with its own time; `None` if all are older.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn offset_for_time(&self, time: Timestamp) -> Result<Option<(Offset, Timestamp)>, ReadError> {
        self.log.offset_for_time(time).map_err(|error| self.unreadable(Offset::ZERO, error))
    }

    /// Whether someone removed the topic's directory, so that it takes no records although its log would.
    pub(crate) fn is_missing(&self) -> bool {
        self.limits.is_missing()
    }

    /// What it holds at this moment.
    pub fn bounds(&self) -> Bounds {
        self.log.bounds()
    }

    /// Walks the records: a little of a compressed batch here, and if there is more of it where it holds no one up.
    fn validate(&self, batch: &RecordBatch, inline: &mut InlineWork) -> Result<RecordSummary, ProduceError> {
        match record::validate(batch, inline.left()) {
            Err(record::Error::Decompress(DecompressError::TooLarge { .. })) => {
                let walk = || record::validate(batch, record::MAX_UNPACKED_BYTES);
                Ok(self.checks.heavy_work.run_in_place(walk)??)
            }
            walked => {
                let summary = walked?;
                // Records that are not compressed are passed over, not read.
                if batch.header().compression() != Ok(Compression::None) {
                    inline.take(summary.bytes);
                }
                Ok(summary)
            }
        }
    }

    /// Has the topic's contract judge the records, which unpack to `bytes`: few here, many on a blocking thread.
    fn check_contract(
        &self,
        batch: &RecordBatch,
        bytes: usize,
        inline: &mut InlineWork,
    ) -> Result<(), ProduceError> {
        let Some(contract) = self.checks.contracts.of(&self.name.topic) else { return Ok(()) };
        if inline.take(bytes)
            && let Some(()) = contract::check_batch(&*contract, batch, inline.steps())?
        {
            return Ok(());
        }
        let judge = || contract::check_batch(&*contract, batch, &mut Steps::new(contract::MAX_STEPS));
        let judged = self.checks.heavy_work.run_in_place(judge)??;
        judged.ok_or_else(|| {
            let violations = vec![InvalidRecord { index: 0, reason: contract::TOO_MUCH_WORK.to_owned() }];
            ProduceError::Contract { violations }
        })
    }

    fn check(&self, batch: &RecordBatch) -> Result<(), ProduceError> {
        if self.limits.is_deleted() {
            return Err(ProduceError::Deleted);
        }
        if self.limits.is_missing() {
            return Err(ProduceError::Missing);
        }
        if !self.is_reserved {
            self.checks.room.take(batch.encoded_len())?;
        }
        self.check_size(batch)?;
        let header = batch.header();
        if header.is_control() {
            return Err(ProduceError::Control);
        }
        Ok(())
    }

    fn check_size(&self, batch: &RecordBatch) -> Result<(), ProduceError> {
        let (bytes, limit) = (batch.encoded_len(), self.limits.max_message_bytes());
        if bytes > limit { Err(ProduceError::TooLarge { bytes, limit }) } else { Ok(()) }
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

    /// A deletion closes the log: a caller that came just before it learns of the deletion, not of the closing.
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

/// Refuses what only a broker may say of a batch; control batches are refused in process too.
fn check_attributes(header: &BatchHeader) -> Result<(), ProduceError> {
    if header.is_log_append_time() {
        return Err(ProduceError::LogAppendTime);
    }
    match header.brokers_attributes() {
        0 => Ok(()),
        attributes => Err(ProduceError::Attributes { attributes }),
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Partition").field(&self.name).finish()
    }
}
