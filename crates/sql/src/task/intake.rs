//! From a partition to decoded epochs.
//!
//! Invariants: every offset is in one epoch, in order; each is a row of it, poisoned, late, a tombstone, or in a range that
//! cannot be read. What is late is decided record by record, so that it does not depend on where epochs are cut, and by
//! the closings on the log, so that it does not depend on when it is read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use factum_base::tasks::Stop;
use factum_eventlog::{Position, ReadError, Unreadable};
use factum_types::{Offset, Record, Timestamp, TopicId, TopicPartition};
use parking_lot::Mutex;

use super::Environment;
use super::prepared::PreparedEpoch;
use super::status::TaskStatus;
use crate::closings::{Bounds, Closings, WindowKind};
use crate::decode::{DecodedChunk, Decoder};
use crate::view_threads::StepRunner;

/// How far ahead of its record's timestamp an event may be to move the watermark: an event a year ahead must not close
/// every window. The record's timestamp and not the clock, so that reading the same log again decides the same.
const AHEAD: Duration = Duration::from_secs(300);

/// What the times of events mean to a view.
#[derive(Debug, Clone)]
pub(crate) struct EventTime {
    /// The column of the batch.
    pub(crate) column: usize,
    /// How long events may stay behind the latest, in microseconds.
    pub(crate) lateness: i64,
    /// The windows that close; others take late rows always.
    pub(crate) closing: Option<WindowKind>,
}

impl EventTime {
    /// The end of the window that an event at `offset` came too late for.
    fn missed(&self, time: i64, offset: Offset, closed: &Bounds) -> Option<i64> {
        let end = self.closing.as_ref()?.window_end(time);
        closed.closed_to(offset).filter(|closed_to| end <= *closed_to).map(|_| end)
    }
}

/// Reads and decodes one partition.
pub(crate) struct Intake {
    environment: Arc<Environment>,
    place: TopicPartition,
    /// Held by the step that decodes.
    decoder: Arc<Mutex<Decoder>>,
    steps: StepRunner,
    time: Option<EventTime>,
    status: Arc<TaskStatus>,
    /// What windows are closed, where they close.
    closings: Option<Arc<Closings>>,
    watermark: Option<i64>,
    next: Offset,
    /// The topic that is read.
    topic: Option<TopicId>,
    /// Records read and not yet handed out, the ranges among them that cannot be read, and where reading goes on
    /// behind all of them.
    pending: VecDeque<Record>,
    unreadable: VecDeque<Unreadable>,
    after: Offset,
    is_resting: bool,
    /// Where reading began that has found no event since.
    skipped_from: Option<Offset>,
    /// When the log was read last, if that was to its end.
    read_to_end: Option<Timestamp>,
}

impl Intake {
    pub(crate) fn new(
        environment: Arc<Environment>,
        place: TopicPartition,
        decoder: Decoder,
        steps: StepRunner,
        time: Option<EventTime>,
        status: Arc<TaskStatus>,
    ) -> Self {
        Self {
            environment,
            place,
            decoder: Arc::new(Mutex::new(decoder)),
            steps,
            time,
            status,
            closings: None,
            watermark: None,
            next: Offset::ZERO,
            topic: None,
            pending: VecDeque::new(),
            unreadable: VecDeque::new(),
            after: Offset::ZERO,
            is_resting: false,
            skipped_from: None,
            read_to_end: None,
        }
    }

    pub(crate) fn place(&self) -> &TopicPartition {
        &self.place
    }

    /// The windows that close, if any do.
    pub(super) fn closing(&self) -> Option<&WindowKind> {
        self.time.as_ref().and_then(|time| time.closing.as_ref())
    }

    /// Goes by `closings` from now on.
    pub(super) fn go_by(&mut self, closings: Option<Arc<Closings>>) {
        self.closings = closings;
    }

    /// Goes on at `next` of `topic`, or at the beginning.
    pub(crate) async fn resume(
        &mut self,
        topic: TopicId,
        next: Option<Offset>,
        watermark: Option<i64>,
    ) -> Result<Offset, ReadError> {
        let log = &self.environment.log;
        let end = log.offset_of(&self.place, Position::Latest).await?;
        let next = match next {
            Some(next) => next,
            None => log.offset_of(&self.place, Position::Earliest).await?,
        };
        self.status.begin_before(end);
        self.status.arrive(self.environment.clock.monotonic());
        self.pending.clear();
        self.unreadable.clear();
        self.topic = Some(topic);
        self.skipped_from = None;
        (self.next, self.after, self.watermark) = (next, next, watermark);
        Ok(next)
    }

    /// The next epoch; `None` once a stop is requested. Dropping the future loses no record that was not handed
    /// out, but the intake must be resumed then.
    pub(crate) async fn next(&mut self, stop: &Stop) -> Result<Option<PreparedEpoch>, ReadError> {
        if self.is_empty() {
            if self.is_resting {
                tokio::select! {
                    () = stop.requested() => return Ok(None),
                    () = tokio::time::sleep(self.environment.options.linger) => {}
                }
            }
            while self.is_empty() {
                tokio::select! {
                    () = stop.requested() => return Ok(None),
                    read = self.read() => read?,
                }
            }
        } else if stop.is_requested() {
            return Ok(None);
        }
        Ok(self.prepare(stop).await)
    }

    /// Whether there is nothing to hand out.
    fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.unreadable.is_empty()
    }

    async fn read(&mut self) -> Result<(), ReadError> {
        let environment = &self.environment;
        let limit = usize::try_from(environment.options.read_bytes.0).unwrap_or(usize::MAX);
        let read = environment.log.read(&self.place, self.next, limit, environment.options.poll).await;
        let chunk = match read {
            // Retention was faster than this view: what is gone is a range that cannot be read any more.
            Err(ReadError::OutOfRange { asked, log_start, .. }) if asked < log_start => {
                let reason = "expired before the view had read it".to_owned();
                self.unreadable.push_back(Unreadable { from: asked, next: log_start, reason });
                (self.next, self.after) = (log_start, log_start);
                return Ok(());
            }
            read => read?,
        };
        if !(chunk.records.is_empty() && chunk.unreadable.is_empty()) {
            self.check_topic().await?;
        }
        self.status.see_end(chunk.high_watermark);
        let asked = self.next;
        (self.next, self.after) = (chunk.next, chunk.next);
        self.pending = chunk.records.into();
        self.unreadable = chunk.unreadable.into();
        let now = environment.clock.now();
        self.read_to_end = (chunk.next >= chunk.high_watermark).then_some(now);
        if !self.is_empty() {
            self.skipped_from = None;
            return Ok(());
        }
        // It reads ahead of the commit: rows that are not committed are behind, however long the log is silent.
        let from = *self.skipped_from.get_or_insert(asked);
        if self.status.skip(from, chunk.next) {
            self.skipped_from = None;
            if self.read_to_end.is_some() {
                self.status.is_at_end(now);
            }
        }
        Ok(())
    }

    /// What was read is of the topic that the state is of, and not of another with its name: ids are never given
    /// twice, so that asking behind the read is enough.
    async fn check_topic(&self) -> Result<(), ReadError> {
        let found = self.environment.log.topic(&self.place.topic).await;
        match found.is_ok_and(|topic| Some(topic.id) == self.topic) {
            true => Ok(()),
            false => Err(ReadError::UnknownPartition { partition: self.place.clone() }),
        }
    }

    /// Decodes an epoch of what is pending: equal parts, so that none is left small. `None` where it had to wait and a
    /// stop is requested.
    async fn prepare(&mut self, stop: &Stop) -> Option<PreparedEpoch> {
        let most = self.environment.options.epoch_rows.max(1);
        let epochs = self.pending.len().div_ceil(most).max(1);
        let count = self.pending.len().div_ceil(epochs);
        let after = self.pending.get(count).map_or(self.after, |record| record.offset);
        let closed = match (&self.closings, self.pending.front()) {
            (Some(closings), Some(first)) => {
                closings.admit(self.place.partition, first.offset, after, stop).await?
            }
            _ => Bounds::default(),
        };
        let records: Vec<Record> = self.pending.drain(..count).collect();
        self.is_resting = self.pending.is_empty() && count < most / 4;
        let ranges = self.unreadable.iter().take_while(|range| range.from < after).count();
        let ranges = self.unreadable.drain(..ranges);
        let before = |range: &Unreadable| records.partition_point(|record| record.offset < range.from);
        let mut prepared = PreparedEpoch {
            unreadable: ranges.map(|range| (before(&range), range)).collect(),
            read_to: self.read_to(records.last()),
            watermark_before: self.watermark,
            after,
            ..PreparedEpoch::default()
        };
        let rows = self.environment.options.chunk_rows.max(1);
        let (decoder, partition) = (Arc::clone(&self.decoder), self.place.partition);
        let decoding = async move {
            let mut decoder = decoder.lock();
            let decoded = records.chunks(rows).map(|chunk| decoder.decode(partition, chunk));
            let decoded: Vec<_> = decoded.collect();
            (records, decoded)
        };
        let (records, decoded) = self.steps.run(stop, decoding).await?;
        for (chunk, decoded) in records.chunks(rows).zip(decoded) {
            self.take(chunk, decoded, &closed, &mut prepared);
        }
        prepared.records = records;
        Some(prepared)
    }

    /// The time up to which the log was read with `last`.
    fn read_to(&self, last: Option<&Record>) -> Option<Timestamp> {
        let end = self.read_to_end.filter(|_| self.is_empty());
        end.or_else(|| Some(last?.timestamp.min(self.environment.clock.now())))
    }

    /// Adds what came of a chunk of records.
    fn take(
        &mut self,
        records: &[Record],
        decoded: DecodedChunk,
        closed: &Bounds,
        prepared: &mut PreparedEpoch,
    ) {
        let base = prepared.watermarks.len();
        for spelling in decoded.spellings {
            self.environment.spellings.warn(&self.place.topic, &spelling);
            self.status.note(spelling.reason(&self.place.topic));
            self.status.spell(spelling);
        }
        let places = decoded.rows;
        let poisoned = decoded.poisoned.into_iter();
        prepared.poisoned.extend(poisoned.map(|poison| (base + poison.index, poison.reason)));
        let on_time = self.watch(&decoded.batch, &places, records, closed, prepared);
        let rows = places.iter().enumerate();
        let kept = rows.filter(|(row, _)| on_time.as_ref().is_none_or(|on_time| on_time.value(*row)));
        prepared.rows.extend(kept.map(|(_, place)| base + place));
        prepared.batches.push(match on_time {
            Some(on_time) => filter_record_batch(&decoded.batch, &on_time).expect("a mask of this batch"),
            None => decoded.batch,
        });
    }

    /// Moves the watermark over the rows; which of them are on time, if any is not.
    fn watch(
        &mut self,
        batch: &RecordBatch,
        places: &[usize],
        records: &[Record],
        closed: &Bounds,
        prepared: &mut PreparedEpoch,
    ) -> Option<BooleanArray> {
        let base = prepared.watermarks.len();
        let Some(time) = &self.time else {
            prepared.watermarks.resize(base + records.len(), self.watermark);
            return None;
        };
        let clock = &self.environment.clock;
        let (now, mut has_time) = (clock.now(), false);
        let times = batch.column(time.column).as_primitive::<TimestampMicrosecondType>();
        let mut on_time = vec![true; places.len()];
        for (row, place) in places.iter().enumerate() {
            prepared.watermarks.resize(base + place, self.watermark);
            if times.is_valid(row) {
                let at = times.value(row);
                let record = &records[*place];
                if let Some(window_end) = time.missed(at, record.offset, closed) {
                    on_time[row] = false;
                    prepared.late.push((base + place, window_end));
                }
                // A sender says the record's time as well as the event's.
                let limit = record.timestamp.min(now).plus(AHEAD).as_millis().saturating_mul(1_000);
                if at > limit {
                    prepared.ahead.push(base + place);
                } else {
                    has_time = true;
                    self.watermark = self.watermark.max(Some(at.saturating_sub(time.lateness)));
                }
            }
            prepared.watermarks.push(self.watermark);
        }
        prepared.watermarks.resize(base + records.len(), self.watermark);
        if has_time {
            // Only now: what has no time that counts, such as what cannot be decoded, holds no window open.
            self.status.arrive(clock.monotonic());
        }
        on_time.contains(&false).then(|| BooleanArray::from(on_time))
    }
}
