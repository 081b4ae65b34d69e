//! From a partition to decoded epochs.
//!
//! Always holds: every record is in one epoch, in order; each is a row of it, poisoned, or late. What is late is
//! decided record by record, so that it does not depend on where epochs are cut.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use factum_base::tasks::Stop;
use factum_eventlog::{Position, ReadError};
use factum_types::{Offset, Record, TopicPartition};

use super::Environment;
use super::status::TaskStatus;
use crate::decode::Decoder;

/// How far ahead of the clock a watermark may be: an event a year ahead must not close every window.
const AHEAD: Duration = Duration::from_secs(300);

/// What the times of events mean to a view.
#[derive(Debug, Clone)]
pub(crate) struct EventTime {
    /// The column of the batch.
    pub(crate) column: usize,
    /// How long events may stay behind the latest, in microseconds.
    pub(crate) lateness: i64,
    /// The length of windows that close, in microseconds; others take late rows always.
    pub(crate) closing: Option<i64>,
    /// Windows up to here were shown as closed, in microseconds.
    pub(crate) closed: Arc<AtomicI64>,
}

impl EventTime {
    /// The end of the window that an event belongs to.
    fn window_end(size: i64, time: i64) -> i64 {
        time.div_euclid(size).saturating_add(1).saturating_mul(size)
    }

    fn is_late(&self, time: i64, watermark: Option<i64>) -> bool {
        let Some(size) = self.closing else { return false };
        let closed = self.closed.load(Ordering::Relaxed);
        Self::window_end(size, time) <= watermark.unwrap_or(i64::MIN).max(closed)
    }
}

/// Reads and decodes one partition.
pub(crate) struct Intake {
    environment: Arc<Environment>,
    place: TopicPartition,
    decoder: Decoder,
    time: Option<EventTime>,
    status: Arc<TaskStatus>,
    watermark: Option<i64>,
    next: Offset,
    /// Records read and not yet handed out, and where reading goes on behind them.
    pending: VecDeque<Record>,
    after: Offset,
    is_resting: bool,
}

/// An epoch's records, decoded.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) records: Vec<Record>,
    batches: Vec<RecordBatch>,
    /// For each row of all batches, the place of its record.
    rows: Vec<usize>,
    /// The watermark behind each record.
    watermarks: Vec<Option<i64>>,
    poisoned: Vec<(usize, String)>,
    /// The places of records that came after their window had closed.
    late: Vec<usize>,
    /// Where the partition is read on behind all records.
    after: Offset,
}

impl Prepared {
    /// The rows of a range of records.
    pub(crate) fn rows_of(&self, records: &Range<usize>) -> Range<usize> {
        let place = |record: usize| self.rows.partition_point(|row| *row < record);
        place(records.start)..place(records.end)
    }

    /// The record of a row.
    pub(crate) fn record_of(&self, row: usize) -> usize {
        self.rows[row]
    }

    /// The batches of `rows`, but for those in `without`, which ascend.
    pub(crate) fn slices(&self, rows: &Range<usize>, without: &[usize]) -> Vec<RecordBatch> {
        let mut kept = Vec::new();
        let mut start = rows.start;
        for row in without.iter().copied().chain([rows.end]) {
            self.slice(start..row, &mut kept);
            start = row + 1;
        }
        kept
    }

    fn slice(&self, rows: Range<usize>, kept: &mut Vec<RecordBatch>) {
        let mut base = 0;
        for batch in &self.batches {
            let (start, end) = (rows.start.max(base), rows.end.min(base + batch.num_rows()));
            if start < end {
                kept.push(batch.slice(start - base, end - start));
            }
            base += batch.num_rows();
        }
    }

    pub(crate) fn poisoned_in(&self, records: &Range<usize>) -> impl Iterator<Item = &(usize, String)> {
        self.poisoned.iter().filter(|(record, _)| records.contains(record))
    }

    pub(crate) fn late_in(&self, records: &Range<usize>) -> u64 {
        self.late.iter().filter(|record| records.contains(record)).count() as u64
    }

    /// The watermark behind a range of records.
    pub(crate) fn watermark(&self, records: &Range<usize>) -> Option<i64> {
        records.end.checked_sub(1).and_then(|last| self.watermarks[last])
    }

    /// Where the partition is read on behind a range of records.
    pub(crate) fn next(&self, records: &Range<usize>) -> Offset {
        if records.end == self.records.len() { self.after } else { self.records[records.end].offset }
    }
}

impl Intake {
    pub(crate) fn new(
        environment: Arc<Environment>,
        place: TopicPartition,
        decoder: Decoder,
        time: Option<EventTime>,
        status: Arc<TaskStatus>,
    ) -> Self {
        Self {
            environment,
            place,
            decoder,
            time,
            status,
            watermark: None,
            next: Offset::ZERO,
            pending: VecDeque::new(),
            after: Offset::ZERO,
            is_resting: false,
        }
    }

    pub(crate) fn place(&self) -> &TopicPartition {
        &self.place
    }

    /// Goes on at `next`, or at the beginning.
    pub(crate) async fn resume(
        &mut self,
        next: Option<Offset>,
        watermark: Option<i64>,
    ) -> Result<Offset, ReadError> {
        let log = &self.environment.log;
        let end = log.offset_of(&self.place, Position::Latest).await?;
        let next = match next {
            Some(next) => next,
            None => log.offset_of(&self.place, Position::Earliest).await?,
        };
        self.status.see_end(end);
        self.status.arrive(self.environment.clock.monotonic());
        self.pending.clear();
        (self.next, self.after, self.watermark) = (next, next, watermark);
        Ok(next)
    }

    /// The next epoch; `None` once a stop is requested. Dropping the future loses no record that was not handed
    /// out, but the intake must be resumed then.
    pub(crate) async fn next(&mut self, stop: &Stop) -> Result<Option<Prepared>, ReadError> {
        if self.pending.is_empty() {
            if self.is_resting {
                tokio::select! {
                    () = stop.requested() => return Ok(None),
                    () = tokio::time::sleep(self.environment.options.linger) => {}
                }
            }
            while self.pending.is_empty() {
                tokio::select! {
                    () = stop.requested() => return Ok(None),
                    read = self.read() => read?,
                }
            }
        } else if stop.is_requested() {
            return Ok(None);
        }
        Ok(Some(self.prepare().await))
    }

    async fn read(&mut self) -> Result<(), ReadError> {
        let environment = &self.environment;
        let limit = usize::try_from(environment.options.read_bytes.0).unwrap_or(usize::MAX);
        let read = environment.log.read(&self.place, self.next, limit, environment.options.poll).await;
        let chunk = match read {
            // Retention was faster than this view.
            Err(ReadError::OutOfRange { asked, log_start, .. }) if asked < log_start => {
                let lost = log_start.since(asked);
                self.status.note(format!(
                    "{lost} events of {} from offset {asked} on had expired before they were read",
                    self.place
                ));
                (self.next, self.after) = (log_start, log_start);
                return Ok(());
            }
            read => read?,
        };
        self.status.see_end(chunk.high_watermark);
        (self.next, self.after) = (chunk.next, chunk.next);
        if chunk.records.is_empty() {
            self.status.skip_to(chunk.next);
        } else {
            self.status.arrive(environment.clock.monotonic());
        }
        self.pending = chunk.records.into();
        Ok(())
    }

    /// Decodes an epoch of what is pending: equal parts, so that none is left small.
    async fn prepare(&mut self) -> Prepared {
        let most = self.environment.options.epoch_rows.max(1);
        let count = self.pending.len().div_ceil(self.pending.len().div_ceil(most));
        let records: Vec<Record> = self.pending.drain(..count).collect();
        self.is_resting = self.pending.is_empty() && count < most / 4;
        let mut prepared = Prepared {
            after: self.pending.front().map_or(self.after, |record| record.offset),
            ..Prepared::default()
        };
        for chunk in records.chunks(self.environment.options.chunk_rows.max(1)) {
            self.decode(chunk, &mut prepared);
            // The broker shares this machine's cores.
            tokio::task::yield_now().await;
        }
        prepared.records = records;
        prepared
    }

    fn decode(&mut self, records: &[Record], prepared: &mut Prepared) {
        let base = prepared.watermarks.len();
        let decoded = self.decoder.decode(self.place.partition, records);
        let mut bad = decoded.poisoned.iter().map(|poison| poison.index).peekable();
        let places: Vec<usize> = (0..records.len()).filter(|index| bad.next_if_eq(index).is_none()).collect();
        let poisoned = decoded.poisoned.into_iter();
        prepared.poisoned.extend(poisoned.map(|poison| (base + poison.index, poison.reason)));
        let on_time = self.watch(&decoded.batch, &places, records.len(), prepared);
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
        records: usize,
        prepared: &mut Prepared,
    ) -> Option<BooleanArray> {
        let base = prepared.watermarks.len();
        let Some(time) = &self.time else {
            prepared.watermarks.resize(base + records, self.watermark);
            return None;
        };
        let limit = self.environment.clock.now().plus(AHEAD).as_millis().saturating_mul(1_000);
        let times = batch.column(time.column).as_primitive::<TimestampMicrosecondType>();
        let mut on_time = vec![true; places.len()];
        for (row, place) in places.iter().enumerate() {
            prepared.watermarks.resize(base + place, self.watermark);
            if times.is_valid(row) {
                let at = times.value(row);
                if time.is_late(at, self.watermark) {
                    on_time[row] = false;
                    prepared.late.push(base + place);
                }
                let behind = at.saturating_sub(time.lateness).min(limit);
                self.watermark = self.watermark.max(Some(behind));
            }
            prepared.watermarks.push(self.watermark);
        }
        prepared.watermarks.resize(base + records, self.watermark);
        on_time.contains(&false).then(|| BooleanArray::from(on_time))
    }
}
