//! The log against a vector: any sequence of calls, crashes included, gives what the vector says.

use std::time::Duration;

use factum_log::{Isolation, Options, ReadError};
use factum_types::{Offset, Timestamp};
use proptest::prelude::*;

use crate::bench::{Bench, COLD, OPTIONS, batch_at, records_of};

#[derive(Debug, Clone)]
enum Step {
    Append { records: usize, bytes: usize, time: i64 },
    Sync,
    Crash,
    Kill,
    Reopen,
    Read { from: i64, limit: usize },
    Retain { after: i64 },
    TruncateBefore(i64),
    At(i64),
    Latest,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..5usize, 0..120usize, 0..10_000i64)
            .prop_map(|(records, bytes, time)| Step::Append { records, bytes, time }),
        4 => Just(Step::Sync),
        1 => Just(Step::Crash),
        1 => Just(Step::Kill),
        1 => Just(Step::Reopen),
        6 => (0..1_000i64, 1..2_000usize).prop_map(|(from, limit)| Step::Read { from, limit }),
        1 => (5_000..20_000i64).prop_map(|after| Step::Retain { after }),
        1 => (0..1_000i64).prop_map(Step::TruncateBefore),
        2 => (0..11_000i64).prop_map(Step::At),
        1 => Just(Step::Latest),
    ]
}

/// A batch as the model keeps it.
#[derive(Clone)]
struct StoredBatch {
    base: i64,
    values: Vec<String>,
    time: i64,
    bytes: usize,
}

impl StoredBatch {
    fn next(&self) -> i64 {
        self.base + self.values.len() as i64
    }
}

struct Model {
    bench: Bench,
    batches: Vec<StoredBatch>,
    log_start: i64,
    synced: i64,
    /// The greatest time of any batch, gone ones included.
    latest: i64,
    /// Makes every value unlike any other.
    appended: usize,
}

impl Model {
    fn new(seed: u64, cached: usize) -> Self {
        let disk = factum_testkit::CrashDisk::seeded(seed);
        let options = factum_log::EnvironmentOptions { tail_cache_bytes: cached, ..COLD };
        Self {
            bench: Bench::with(disk, options),
            batches: Vec::new(),
            log_start: 0,
            synced: 0,
            latest: 0,
            appended: 0,
        }
    }

    fn end(&self) -> i64 {
        self.batches.last().map_or(self.log_start, StoredBatch::next).max(self.synced)
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Append { records, bytes, time } => self.append(records, bytes, time),
            Step::Sync => self.sync(),
            Step::Crash => {
                self.bench.disk.crash();
                self.reopen();
            }
            Step::Kill => {
                // The process is gone, what it wrote is not: recovery makes it durable before it shows it.
                let end = self.end();
                self.reopen();
                assert_eq!(self.synced, end);
            }
            Step::Reopen => {
                self.bench.log.close().expect("the disk is well");
                self.synced = self.end();
                self.reopen();
                assert!(self.bench.recovery.clean);
            }
            Step::Read { from, limit } => self.read(from % (self.end() + 3), limit),
            Step::Retain { after } => self.retain(after),
            Step::TruncateBefore(start) => self.truncate_before(start % (self.end() + 2)),
            Step::At(time) => self.at(time),
            Step::Latest => self.latest(),
        }
        let bounds = self.bench.log.bounds();
        assert_eq!(bounds.log_start.get(), self.log_start);
        assert_eq!(bounds.high_watermark.get(), self.synced);
        assert_eq!(bounds.log_end.get(), self.end());
    }

    fn append(&mut self, records: usize, bytes: usize, time: i64) {
        self.appended += 1;
        self.latest = self.latest.max(time);
        let values: Vec<_> =
            (0..records).map(|i| format!("{}/{i} {}", self.appended, "x".repeat(bytes))).collect();
        let batch = batch_at(time, &values.iter().map(String::as_str).collect::<Vec<_>>());
        let kept = StoredBatch { base: self.end(), values, time, bytes: batch.encoded_len() };
        let appended = self.bench.log.append(batch, Timestamp::from_millis(5_000)).expect("it is taken");
        assert_eq!(appended.base_offset.get(), kept.base);
        assert_eq!(appended.last_offset.next().get(), kept.next());
        self.batches.push(kept);
    }

    fn sync(&mut self) {
        self.bench.environment.committer().round();
        self.synced = self.end();
    }

    fn reopen(&mut self) {
        self.bench = Bench::with(self.bench.disk.clone(), COLD);
        assert_eq!(self.bench.recovery.quarantined, None);
        let end = self.bench.log.bounds().log_end.get();
        assert!(end >= self.synced, "what was synced is there");
        assert!(end == self.synced || self.batches.iter().any(|batch| batch.next() == end), "whole batches");
        self.batches.retain(|batch| batch.next() <= end);
        self.synced = end;
    }

    fn read(&mut self, from: i64, limit: usize) {
        let found = self.bench.log.read(Offset::new(from), limit, Isolation::ReadUncommitted);
        if from < self.log_start || from > self.end() {
            assert!(matches!(found, Err(ReadError::OutOfRange { .. })), "{from}: {found:?}");
            return;
        }
        let mut room = None;
        let expected = self.batches.iter().filter(|batch| batch.next() > from && batch.next() <= self.synced);
        let expected = expected.take_while(|batch| {
            let fits = room.is_none_or(|room| batch.bytes <= room);
            room = Some(room.unwrap_or(limit).saturating_sub(batch.bytes));
            fits
        });
        let expected: Vec<_> = expected.flat_map(records).collect();
        let found = found.expect("in range");
        assert_eq!(records_of(&found.chunks), expected);
        assert_eq!(found.bytes, found.chunks.iter().map(bytes::Bytes::len).sum::<usize>());
    }

    fn retain(&mut self, after: i64) {
        let retention = Some(Duration::from_secs(5));
        self.bench.log.set_options(Options { retention, ..OPTIONS });
        let now = Timestamp::from_millis(after);
        self.bench.log.retain(now).expect("the disk is well");
        let start = self.bench.log.bounds().log_start.get();
        // Segments are the log's own affair; what goes must have expired, and nothing else may move.
        let gone = self.batches.iter().filter(|batch| batch.base >= self.log_start && batch.next() <= start);
        for batch in gone {
            assert!(batch.time.min(5_000) < after - 5_000, "{} has not expired", batch.time);
        }
        // A segment is as recent as any record in it, those below the log start included; and after a crash
        // no one knows when a batch from the future was appended, so it has until its own time.
        if self.latest < after - 5_000 && !self.batches.is_empty() {
            assert_eq!(start, self.end(), "all has expired");
        }
        self.synced = self.bench.log.bounds().high_watermark.get();
        self.start_at(start);
    }

    fn truncate_before(&mut self, start: i64) {
        let truncated = self.bench.log.truncate_before(Offset::new(start));
        assert_eq!(truncated.is_ok(), start <= self.synced);
        if truncated.is_ok() {
            self.synced = self.bench.log.bounds().high_watermark.get();
            self.start_at(start);
        }
    }

    fn start_at(&mut self, start: i64) {
        self.log_start = self.log_start.max(start);
        let log_start = self.log_start;
        self.batches.retain(|batch| batch.next() > log_start);
    }

    fn at(&self, time: i64) {
        let found = self.bench.log.offset_for_time(Timestamp::from_millis(time)).expect("the disk is well");
        let visible = self.batches.iter().filter(|batch| batch.next() <= self.synced);
        let expected = visible
            .filter(|batch| batch.time >= time)
            .map(|batch| (batch.base.max(self.log_start), batch.time))
            .next();
        assert_eq!(found.map(|(offset, time)| (offset.get(), time.as_millis())), expected);
    }

    fn latest(&self) {
        let found = self.bench.log.max_timestamp().expect("the disk is well");
        let visible = self.batches.iter().filter(|batch| batch.next() <= self.synced);
        let greatest = visible.clone().map(|batch| batch.time).max();
        let expected = visible
            .filter(|batch| Some(batch.time) == greatest)
            .map(|batch| (batch.base.max(self.log_start), batch.time))
            .next();
        assert_eq!(found.map(|(offset, time)| (offset.get(), time.as_millis())), expected);
    }
}

fn records(batch: &StoredBatch) -> Vec<(i64, String)> {
    batch.values.iter().enumerate().map(|(i, value)| (batch.base + i as i64, value.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_is_a_vector(seed: u64, cached in prop_oneof![Just(0usize), 1..2_000usize], steps in prop::collection::vec(step(), 1..100)) {
        let mut model = Model::new(seed, cached);
        for step in &steps {
            model.apply(step);
        }
    }
}
