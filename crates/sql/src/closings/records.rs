//! Records of the closings topic, and what they mean together.
//!
//! Invariant: a closing counts unless a run that began after its own had read the topic up to it already: then that run
//! went by what it had read, and so does every later reader.

use std::collections::HashMap;

use factum_eventlog::Chunk;
use factum_types::{Offset, Record};
use serde::{Deserialize, Serialize};

use super::topic::ReadClosings;
use super::{ClosingHistory, ClosingRecord};

/// The key of the records that begin a run.
pub(super) const RUN: &[u8] = b"run";

/// The record that begins a run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunRecord {
    pub(super) run: u64,
    /// What earlier runs wrote at this offset or behind it does not count; none for the offset of the record itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Offset>,
}

/// The records of one kind of windows, and those of runs, as they are read.
#[derive(Debug, Default)]
pub(super) struct ClosingRecords {
    /// In the order in which they began, with what earlier ones are cut at.
    runs: Vec<(u64, Offset)>,
    closings: Vec<(Offset, ClosingRecord)>,
    unreadable: u64,
}

impl ClosingRecords {
    /// Takes what a read from `first` on gave, and counts what it did not give.
    pub(super) fn take_chunk(&mut self, key: &str, first: Offset, chunk: &Chunk) {
        self.skip(first, chunk.next);
        for record in &chunk.records {
            self.unreadable = self.unreadable.saturating_sub(1);
            self.take(key, record);
        }
    }

    /// Nothing was read of the offsets from `from` on and before `next`.
    pub(super) fn skip(&mut self, from: Offset, next: Offset) {
        self.unreadable += u64::try_from(next.since(from)).unwrap_or(0);
    }

    fn take(&mut self, key: &str, record: &Record) {
        let value = record.value.as_deref().unwrap_or_default();
        match record.key.as_deref() {
            Some(RUN) => match serde_json::from_slice::<RunRecord>(value) {
                Ok(RunRecord { run, from }) => self.begin_run(run, from.unwrap_or(record.offset)),
                Err(_) => self.unreadable += 1,
            },
            Some(of) if of == key.as_bytes() => match serde_json::from_slice::<ClosingRecord>(value) {
                Ok(closing) => {
                    // Its run has begun, also where the record that says so is lost.
                    self.begin_run(closing.run, record.offset);
                    self.closings.push((record.offset, closing));
                }
                Err(_) => self.unreadable += 1,
            },
            Some(_) | None => {}
        }
    }

    /// A run has begun, if it is not known yet, and what earlier ones wrote at `from` or behind does not count.
    pub(super) fn begin_run(&mut self, run: u64, from: Offset) {
        if !self.runs.iter().any(|(known, _)| *known == run) {
            self.runs.push((run, from));
        }
    }

    /// Those that count, in the order of the log.
    pub(super) fn resolve(self) -> ReadClosings {
        let mut end = Offset::new(i64::MAX);
        let mut ends = HashMap::with_capacity(self.runs.len());
        for (run, from) in self.runs.iter().rev() {
            ends.insert(*run, end);
            end = end.min(*from);
        }
        let mut history = ClosingHistory::default();
        for (offset, closing) in self.closings {
            if ends.get(&closing.run).is_some_and(|end| offset < *end) {
                history.push(closing);
            }
        }
        ReadClosings { history, unreadable: self.unreadable }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use factum_types::Timestamp;

    use super::*;

    /// What is closed in the end, and how much could not be read, of records with these keys and values.
    fn read(records: &[(&str, &str)]) -> (Option<i64>, u64) {
        let records = (0..).zip(records).map(|(offset, (key, value))| Record {
            offset: Offset::new(offset),
            timestamp: Timestamp::from_millis(0),
            key: Some(Bytes::copy_from_slice(key.as_bytes())),
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            headers: Vec::new(),
        });
        let mut found = ClosingRecords::default();
        records.for_each(|record| found.take("kind", &record));
        let found = found.resolve();
        (found.history.last().map(|last| last.closed_to), found.unreadable)
    }

    #[test]
    fn records_in_flight_of_a_run_that_is_over_do_not_count() {
        let (first, second) = (("run", r#"{"run":1,"from":0}"#), ("run", r#"{"run":2,"from":3}"#));
        let closing =
            |run: u64, closed_to: i64| format!(r#"{{"run":{run},"closed_to":{closed_to},"offsets":[1]}}"#);
        let (ten, twenty, late) = (closing(1, 10), closing(2, 20), closing(1, 30));
        let (ten, twenty, late) = (("kind", &*ten), ("kind", &*twenty), ("kind", &*late));
        assert_eq!(read(&[first, ten, late, second]), (Some(30), 0), "it came before the second run read");
        assert_eq!(
            read(&[first, ten, ten, late, second]),
            (Some(10), 0),
            "it came after, and before its record"
        );
        assert_eq!(read(&[first, ten, ten, second, late, twenty]), (Some(20), 0));
        assert_eq!(read(&[first, ten, twenty, late]), (Some(20), 0), "the second run's own record was lost");
    }

    #[test]
    fn a_run_that_does_not_say_where_it_began_began_at_its_record() {
        let closing = ("kind", r#"{"run":1,"closed_to":10,"offsets":[1]}"#);
        let late = ("kind", r#"{"run":1,"closed_to":30,"offsets":[1]}"#);
        let (first, second) = (("run", r#"{"run":1}"#), ("run", r#"{"run":2}"#));
        assert_eq!(read(&[first, closing, second, late]), (Some(10), 0));
    }

    #[test]
    fn junk_is_passed_over_and_counted() {
        let closing = ("kind", r#"{"run":1,"closed_to":10,"offsets":[1]}"#);
        assert_eq!(read(&[("kind", "junk"), closing, ("run", "{}"), ("another", "junk")]), (Some(10), 2));
    }
}
