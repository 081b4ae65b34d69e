//! The records of an epoch, decoded, with what lies between them.
//!
//! Invariants: an epoch may be committed in parts; each record, and each range that cannot be read, is in one part.

use std::ops::Range;

use arrow::array::RecordBatch;
use factum_eventlog::Unreadable;
use factum_types::{Offset, Record, Timestamp};

/// An epoch's records, decoded.
#[derive(Debug, Default)]
pub(crate) struct PreparedEpoch {
    pub(crate) records: Vec<Record>,
    pub(super) batches: Vec<RecordBatch>,
    /// For each row of all batches, the place of its record.
    pub(super) rows: Vec<usize>,
    /// The watermark before the first record, and behind each.
    pub(super) watermark_before: Option<i64>,
    pub(super) watermarks: Vec<Option<i64>>,
    pub(super) poisoned: Vec<(usize, String)>,
    /// The places of records that came after their window had closed, with the window's end.
    pub(super) late: Vec<(usize, i64)>,
    /// The places of records whose event time is too far ahead to move the watermark.
    pub(super) ahead: Vec<usize>,
    /// Ranges that cannot be read, each with the number of records before it.
    pub(super) unreadable: Vec<(usize, Unreadable)>,
    /// The time up to which the log was read with all of it.
    pub(super) read_to: Option<Timestamp>,
    /// Where the partition is read on behind all of it.
    pub(super) after: Offset,
}

impl PreparedEpoch {
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

    pub(crate) fn late_in(&self, records: &Range<usize>) -> impl Iterator<Item = &(usize, i64)> {
        self.late.iter().filter(|(record, _)| records.contains(record))
    }

    pub(crate) fn ahead_in(&self, records: &Range<usize>) -> u64 {
        self.ahead.iter().filter(|record| records.contains(record)).count() as u64
    }

    /// What cannot be read behind the first of a range of records, and before it where nothing else is.
    pub(crate) fn unreadable_in(&self, records: &Range<usize>) -> impl Iterator<Item = &Unreadable> {
        let belongs = |before: usize| match before {
            0 => records.start == 0,
            _ => records.start < before && before <= records.end,
        };
        self.unreadable.iter().filter(move |(before, _)| belongs(*before)).map(|(_, range)| range)
    }

    /// The watermark behind a range of records.
    pub(crate) fn watermark(&self, records: &Range<usize>) -> Option<i64> {
        records.end.checked_sub(1).map_or(self.watermark_before, |last| self.watermarks[last])
    }

    /// The time up to which the log was read with a range of records.
    pub(crate) fn read_to(&self, records: &Range<usize>) -> Option<Timestamp> {
        if records.end == self.records.len() { self.read_to } else { None }
    }

    /// Where the partition is read on behind a range of records.
    pub(crate) fn next(&self, records: &Range<usize>) -> Offset {
        if records.end == self.records.len() { self.after } else { self.records[records.end].offset }
    }
}
