//! Transactions: what readers of committed records are given, held against a vector of batches; crashes and lost caches
//! included.

use std::collections::HashMap;
use std::time::Duration;

use factum_log::{AbortedRanges, AppendError, EndTransaction, Isolation, Options, Waiter};
use factum_types::record::TransactionOutcome::{self, Abort, Commit};
use factum_types::{BatchBuilder, Offset, RecordBatch, Timestamp, batch};
use proptest::prelude::*;

use crate::bench::{Bench, COLD, OPTIONS, dir, now, records_of};

const NOW: Timestamp = Timestamp::from_millis(1_000);

/// A batch of a producer's transaction.
fn part(producer: i64, epoch: i16, sequence: i32, values: &[&str]) -> RecordBatch {
    let mut builder = BatchBuilder::new().producer(producer, epoch, sequence).transactional();
    for value in values {
        builder.push(NOW, None, Some(value.as_bytes()), &[]);
    }
    builder.build()
}

fn end(producer_id: i64, producer_epoch: i16, outcome: TransactionOutcome) -> EndTransaction {
    EndTransaction { producer_id, producer_epoch, outcome, coordinator_epoch: 0 }
}

/// What a reader of committed records gets from `from` to the stable offset, in reads of `limit` bytes.
fn committed(bench: &Bench, from: i64, limit: usize) -> Vec<(i64, String)> {
    let (mut found, mut next) = (Vec::new(), Offset::new(from));
    loop {
        let slice = bench.log.read(next, limit, Isolation::ReadCommitted).expect("in range");
        if slice.is_empty() {
            assert_eq!(next.max(slice.bounds.stable), next, "it reads up to the stable offset");
            return found;
        }
        let aborted = AbortedRanges::new(&slice.aborted);
        for chunk in &slice.chunks {
            for found_batch in batch::headers(chunk) {
                let (at, header) = found_batch.expect("a whole batch");
                next = Offset::new(header.last_offset()).next();
                if !aborted.contains(&header) {
                    let bytes = chunk.slice(at..at + header.encoded_len());
                    found.extend(records_of(&[bytes]).into_iter().filter(|(offset, _)| *offset >= from));
                }
            }
        }
    }
}

fn values(records: Vec<(i64, String)>) -> Vec<String> {
    records.into_iter().map(|(_, value)| value).collect()
}

#[test]
fn readers_of_committed_records_wait_for_the_marker_and_pass_over_what_was_aborted() {
    let bench = Bench::new(1);
    let put = |batch| bench.log.append(batch, NOW).expect("taken");
    put(part(1, 0, 0, &["a"]));
    bench.put(&["plain"]);
    put(part(2, 0, 0, &["b", "c"]));
    bench.environment.committer().round();
    assert_eq!(bench.log.bounds().stable, Offset::ZERO);
    assert_eq!(committed(&bench, 0, 1_000), []);
    bench.log.end_transaction(&end(2, 0, Abort), NOW).expect("taken");
    bench.log.end_transaction(&end(1, 0, Commit), NOW).expect("taken");
    assert_eq!(bench.log.bounds().stable, Offset::ZERO, "the markers are not durable");
    bench.environment.committer().round();
    assert_eq!(bench.log.bounds().stable, bench.log.bounds().high_watermark);
    assert_eq!(values(committed(&bench, 0, 1_000)), ["a", "plain"]);
    assert_eq!(bench.read_all(0).0.len(), 4, "who reads all is given the aborted ones as well");
}

#[test]
fn a_reader_of_committed_records_is_woken_by_the_marker() {
    let bench = Bench::new(1);
    bench.log.append(part(1, 0, 0, &["a"]), NOW).expect("taken");
    let (all, decided) = (Waiter::new(), Waiter::new());
    assert!(!bench.log.wait_past(Offset::ZERO, Isolation::ReadUncommitted, &all));
    assert!(!bench.log.wait_past(Offset::ZERO, Isolation::ReadCommitted, &decided));
    bench.environment.committer().round();
    assert!(now(all.woken()).is_some());
    assert!(now(decided.woken()).is_none(), "nothing is decided");
    bench.log.end_transaction(&end(1, 0, Abort), NOW).expect("taken");
    bench.environment.committer().round();
    assert!(now(decided.woken()).is_some());
}

#[test]
fn retention_keeps_an_open_transaction() {
    let bench = Bench::new(1);
    for n in 0..20 {
        bench.put(&[&format!("{n} {}", "x".repeat(100))]);
    }
    let first = bench.log.append(part(1, 0, 0, &["open"]), NOW).expect("taken").base_offset;
    for n in 0..20 {
        bench.put(&[&format!("{n} {}", "x".repeat(100))]);
    }
    bench.log.set_options(Options { retention: Some(Duration::from_secs(1)), ..OPTIONS });
    let later = Timestamp::from_millis(1_000_000);
    bench.log.retain(later).expect("the disk is well");
    let start = bench.log.bounds().log_start;
    assert!(start > Offset::ZERO && start <= first, "{start}");
    bench.log.end_transaction(&end(1, 0, Commit), later).expect("taken");
    bench.environment.committer().round();
    bench.log.retain(later).expect("the disk is well");
    assert!(bench.log.bounds().log_start > first);
}

#[test]
fn older_epochs_of_producers_and_coordinators_are_refused() {
    let bench = Bench::new(1);
    bench.log.append(part(1, 3, 0, &["a"]), NOW).expect("taken");
    let refused = bench.log.end_transaction(&end(1, 2, Commit), NOW);
    assert!(matches!(refused, Err(AppendError::InvalidProducerEpoch { current: 3, found: 2, .. })));
    let plain = BatchBuilder::new().producer(1, 3, 1);
    let mut plain = plain;
    plain.push(NOW, None, None, &[]);
    let refused = bench.log.append(plain.build(), NOW);
    assert!(matches!(refused, Err(AppendError::NotTransactional { producer_id: 1 })));
    // The marker begins the next epoch (KIP-890): what was sent before and arrives late is fenced.
    let marker = EndTransaction { coordinator_epoch: 5, ..end(1, 4, Abort) };
    bench.log.end_transaction(&marker, NOW).expect("taken");
    let late = bench.log.append(part(1, 3, 1, &["late"]), NOW);
    assert!(matches!(late, Err(AppendError::InvalidProducerEpoch { current: 4, found: 3, .. })));
    let out_of_order = bench.log.append(part(1, 4, 1, &["next"]), NOW);
    assert!(matches!(out_of_order, Err(AppendError::OutOfOrderSequence { expected: 0, found: 1, .. })));
    bench.log.append(part(1, 4, 0, &["next"]), NOW).expect("a new epoch begins at 0");
    let old = EndTransaction { coordinator_epoch: 4, ..end(1, 5, Commit) };
    let refused = bench.log.end_transaction(&old, NOW);
    assert!(matches!(refused, Err(AppendError::CoordinatorFenced { current: 5, found: 4 })));
}

#[test]
fn a_segment_with_many_aborted_transactions_is_sealed() {
    let bench = Bench::new(1);
    bench.log.set_options(Options { segment_bytes: 1 << 30, ..OPTIONS });
    for sequence in 0..10_001 {
        bench.log.append(part(1, 0, sequence, &["a"]), NOW).expect("taken");
        bench.log.end_transaction(&end(1, 0, Abort), NOW).expect("taken");
    }
    assert_eq!(bench.log.segments().len(), 2);
    bench.environment.committer().round();
    assert_eq!(committed(&bench, 0, 1 << 20), []);
}

#[derive(Debug, Clone)]
enum Step {
    Plain { bytes: usize },
    Write { producer: i64, records: usize, bytes: usize },
    End { producer: i64, outcome: TransactionOutcome },
    Sync,
    Crash,
    Kill,
    Reopen,
    LoseCaches,
    TruncateBefore(i64),
    Read { from: i64, limit: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Commit), Just(Abort)];
    prop_oneof![
        2 => (0..120usize).prop_map(|bytes| Step::Plain { bytes }),
        8 => (0..4i64, 1..4usize, 0..120usize)
            .prop_map(|(producer, records, bytes)| Step::Write { producer, records, bytes }),
        4 => (0..4i64, outcome).prop_map(|(producer, outcome)| Step::End { producer, outcome }),
        4 => Just(Step::Sync),
        1 => Just(Step::Crash),
        1 => Just(Step::Kill),
        1 => Just(Step::Reopen),
        1 => Just(Step::LoseCaches),
        1 => (0..1_000i64).prop_map(Step::TruncateBefore),
        6 => (0..1_000i64, 1..2_000usize).prop_map(|(from, limit)| Step::Read { from, limit }),
    ]
}

/// A batch as the model keeps it.
struct StoredBatch {
    base: i64,
    next: i64,
    kind: BatchKind,
}

enum BatchKind {
    Plain(Vec<String>),
    Part(i64, Vec<String>),
    Marker(i64, TransactionOutcome),
}

struct Model {
    bench: Bench,
    /// All that were ever appended and not taken back by a crash.
    batches: Vec<StoredBatch>,
    log_start: i64,
    synced: i64,
    appended: usize,
}

impl Model {
    fn end(&self) -> i64 {
        self.batches.last().map_or(0, |batch| batch.next)
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Plain { bytes } => {
                let value = self.value(bytes);
                self.bench.append(&[&value]).expect("taken");
                self.push(1, BatchKind::Plain(vec![value]));
            }
            Step::Write { producer, records, bytes } => self.write(producer, records, bytes),
            Step::End { producer, outcome } => {
                self.bench.log.end_transaction(&end(producer, 0, outcome), NOW).expect("taken");
                self.push(1, BatchKind::Marker(producer, outcome));
            }
            Step::Sync => {
                self.bench.environment.committer().round();
                self.synced = self.end();
            }
            Step::Crash => {
                self.bench.disk.crash();
                self.reopen();
            }
            Step::Kill => self.reopen(),
            Step::Reopen => {
                self.bench.log.close().expect("the disk is well");
                self.reopen();
            }
            Step::LoseCaches => {
                self.bench.log.close().expect("the disk is well");
                for path in self.bench.disk.files() {
                    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
                    if path.starts_with(dir()) && (name.ends_with(".index") || name.starts_with("producers."))
                    {
                        self.bench.disk.lose(&path);
                    }
                }
                self.reopen();
            }
            Step::TruncateBefore(start) => {
                let start = start % (self.end() + 2);
                if self.bench.log.truncate_before(Offset::new(start)).is_ok() {
                    self.log_start = self.log_start.max(start);
                    self.synced = self.bench.log.bounds().high_watermark.get();
                }
            }
            Step::Read { from, limit } => self.read(from, limit),
        }
        self.check_stable();
    }

    fn value(&mut self, bytes: usize) -> String {
        self.appended += 1;
        format!("{} {}", self.appended, "x".repeat(bytes))
    }

    fn push(&mut self, count: usize, kind: BatchKind) {
        let base = self.end();
        self.batches.push(StoredBatch { base, next: base + count as i64, kind });
    }

    fn write(&mut self, producer: i64, records: usize, bytes: usize) {
        let written = self.batches.iter().map(|batch| match &batch.kind {
            BatchKind::Part(by, values) if *by == producer => values.len(),
            _ => 0,
        });
        let sequence = i32::try_from(written.sum::<usize>()).expect("few");
        let values: Vec<_> = (0..records).map(|_| self.value(bytes)).collect();
        let texts: Vec<_> = values.iter().map(String::as_str).collect();
        self.bench.log.append(part(producer, 0, sequence, &texts), NOW).expect("taken");
        self.push(records, BatchKind::Part(producer, values));
    }

    fn reopen(&mut self) {
        self.bench = Bench::with(self.bench.disk.clone(), COLD);
        assert_eq!(self.bench.recovery.quarantined, None);
        let end = self.bench.log.bounds().log_end.get();
        self.batches.retain(|batch| batch.next <= end);
        self.synced = end;
    }

    /// The first record, from the log start on, of a transaction whose marker is not durable; and the first of all its
    /// records, those before the log start included.
    fn undecided(&self) -> (Option<i64>, Option<i64>) {
        let (mut first, mut kept) = (HashMap::new(), HashMap::new());
        for batch in self.batches.iter().filter(|batch| batch.next <= self.synced) {
            match &batch.kind {
                BatchKind::Part(producer, _) => {
                    first.entry(producer).or_insert(batch.base);
                    if batch.next > self.log_start {
                        kept.entry(producer).or_insert(batch.base);
                    }
                }
                BatchKind::Marker(producer, _) => {
                    first.remove(producer);
                    kept.remove(producer);
                }
                BatchKind::Plain(_) => {}
            }
        }
        (kept.values().min().copied(), first.values().min().copied())
    }

    fn check_stable(&self) {
        let stable = self.bench.log.bounds().stable.get();
        let (kept, first) = self.undecided();
        // What was cut off at the front need not be remembered.
        let range = [first, kept].map(|first| first.unwrap_or(self.synced).max(self.log_start));
        assert!((range[0]..=range[1]).contains(&stable), "{stable} is not in {range:?}");
    }

    fn read(&self, from: i64, limit: usize) {
        let stable = self.bench.log.bounds().stable.get();
        let from = self.log_start + from % (stable - self.log_start + 1);
        let mut expected = Vec::new();
        let is_read = |batch: &StoredBatch| from < stable && batch.next > from && batch.base < stable;
        for (at, batch) in self.batches.iter().enumerate().filter(|(_, batch)| is_read(batch)) {
            let values = match &batch.kind {
                BatchKind::Plain(values) => values,
                BatchKind::Part(producer, values) if self.is_committed(at, *producer) => values,
                BatchKind::Part(..) | BatchKind::Marker(..) => continue,
            };
            let placed = values.iter().enumerate().map(|(n, value)| (batch.base + n as i64, value.clone()));
            expected.extend(placed.filter(|(offset, _)| *offset >= from));
        }
        assert_eq!(committed(&self.bench, from, limit), expected);
    }

    fn is_committed(&self, at: usize, producer: i64) -> bool {
        let marker = self.batches[at..].iter().find_map(|batch| match &batch.kind {
            BatchKind::Marker(of, outcome) if *of == producer => Some(*outcome),
            _ => None,
        });
        marker.expect("what lies below the stable offset is decided") == Commit
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn committed_records_are_those_of_a_vector(
        seed: u64,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let bench = Bench::new(seed);
        let mut model = Model { bench, batches: Vec::new(), log_start: 0, synced: 0, appended: 0 };
        for step in &steps {
            model.apply(step);
        }
        model.read(0, 500);
    }
}
