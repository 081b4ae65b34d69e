//! Compaction against a model, the last value of each key; and struck at each of its disk operations.

use std::collections::{BTreeMap, HashMap};

use factum_log::{EndTransaction, Environment, Options, PartitionLog, Recovery};
use factum_testkit::{Call, CrashDisk, Fault, FaultKind};
use factum_types::record::TransactionOutcome::{self, Abort, Commit};
use factum_types::{BatchBuilder, Compression, Offset, Timestamp};
use proptest::prelude::*;

use crate::bench::{Bench, COLD, dir};
use crate::compaction::{COMPACTED, NOW, Row, committed, compact_at, rows};

#[derive(Debug, Clone)]
enum Step {
    Append { records: Vec<(u8, Option<usize>)>, codec: Compression },
    Write { producer: i64, records: Vec<(u8, Option<usize>)> },
    End { producer: i64, outcome: TransactionOutcome },
    Sync,
    Crash,
    Kill,
    Reopen,
    LoseCaches,
    Compact { memory: usize },
    Pass { millis: i64 },
    TruncateBefore(i64),
    Read(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let records = || prop::collection::vec((0..6u8, prop::option::weighted(0.8, 0..60usize)), 1..4);
    let codec = prop::sample::select(vec![Compression::None, Compression::None, Compression::Lz4]);
    prop_oneof![
        8 => (records(), codec).prop_map(|(records, codec)| Step::Append { records, codec }),
        6 => (0..3i64, records()).prop_map(|(producer, records)| Step::Write { producer, records }),
        4 => (0..3i64, prop_oneof![Just(Commit), Just(Abort)])
            .prop_map(|(producer, outcome)| Step::End { producer, outcome }),
        4 => Just(Step::Sync),
        1 => Just(Step::Crash),
        1 => Just(Step::Kill),
        1 => Just(Step::Reopen),
        1 => Just(Step::LoseCaches),
        5 => prop_oneof![Just(0usize), Just(1 << 20)].prop_map(|memory| Step::Compact { memory }),
        2 => (0..3_000_000i64).prop_map(|millis| Step::Pass { millis }),
        1 => (0..1_000i64).prop_map(Step::TruncateBefore),
        3 => (0..1_000i64).prop_map(Step::Read),
    ]
}

/// A record that was ever appended.
#[derive(Clone)]
struct AppendedRecord {
    row: Row,
    /// The producer whose transaction it is part of.
    producer: Option<i64>,
}

struct Model {
    bench: Bench,
    records: Vec<AppendedRecord>,
    /// Markers: offset, producer, outcome.
    markers: Vec<(i64, i64, TransactionOutcome)>,
    sequences: HashMap<i64, i32>,
    now: i64,
    /// When each tombstone that a pass may have settled was seen by it first.
    settled: BTreeMap<i64, i64>,
    appended: usize,
}

impl Model {
    fn new(seed: u64) -> Self {
        let bench = Bench::new(seed);
        bench.log.set_options(COMPACTED);
        Self {
            bench,
            records: Vec::new(),
            markers: Vec::new(),
            sequences: HashMap::new(),
            now: NOW.as_millis(),
            settled: BTreeMap::new(),
            appended: 0,
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Append { records, codec } => {
                self.append(BatchBuilder::new().compression(*codec), records, None);
            }
            Step::Write { producer, records } => {
                let sequence = self.sequences.get(producer).copied().unwrap_or(0);
                let builder = BatchBuilder::new().producer(*producer, 0, sequence).transactional();
                self.append(builder, records, Some(*producer));
                self.sequences.insert(*producer, sequence + i32::try_from(records.len()).expect("few"));
            }
            Step::End { producer, outcome } => {
                let (producer_id, outcome) = (*producer, *outcome);
                let end = EndTransaction { producer_id, producer_epoch: 0, outcome, coordinator_epoch: 0 };
                let appended = self.bench.log.end_transaction(&end, self.time()).expect("taken");
                self.markers.push((appended.base_offset.get(), producer_id, outcome));
            }
            Step::Sync => drop(self.bench.environment.committer().round()),
            Step::Crash => {
                self.bench.disk.crash();
                self.reopen();
            }
            Step::Kill => self.reopen(),
            Step::Reopen => {
                self.bench.log.close().expect("the disk is well");
                self.reopen();
                assert!(self.bench.recovery.clean);
            }
            Step::LoseCaches => {
                self.bench.log.close().expect("the disk is well");
                for path in self.bench.disk.files() {
                    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
                    let is_cache = name.ends_with(".index") || name.starts_with("producers.");
                    if path.starts_with(dir()) && (is_cache || name == "compacted") {
                        self.bench.disk.lose(&path);
                    }
                }
                self.reopen();
            }
            Step::Compact { memory } => {
                let result = self.bench.log.compact(self.time(), *memory, &mut |_| true);
                let until = result.expect("the disk is well").until.get();
                let now = self.now;
                let tombstones = self.records.iter().filter(|record| record.row.2.is_none());
                for record in tombstones.filter(|record| record.row.0 < until) {
                    self.settled.entry(record.row.0).or_insert(now);
                }
            }
            Step::Pass { millis } => self.now += millis,
            Step::TruncateBefore(start) => {
                let end = self.bench.log.bounds().log_end.get();
                drop(self.bench.log.truncate_before(Offset::new(start % (end + 2))));
            }
            Step::Read(from) => {
                let bounds = self.bench.log.bounds();
                let from = bounds.log_start.get() + from % (bounds.stable.since(bounds.log_start) + 1);
                self.check_from(from);
            }
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn append(&mut self, builder: BatchBuilder, records: &[(u8, Option<usize>)], producer: Option<i64>) {
        let keys: Vec<_> =
            records.iter().map(|(key, _)| if *key == 5 { "-".into() } else { format!("k{key}") }).collect();
        let values: Vec<_> = records
            .iter()
            .map(|(_, bytes)| {
                self.appended += 1;
                bytes.map_or("-".to_owned(), |bytes| format!("{} {}", self.appended, "x".repeat(bytes)))
            })
            .collect();
        let pairs: Vec<_> =
            keys.iter().zip(&values).map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let appended = self.bench.log.append(rows(builder, self.now, &pairs), self.time()).expect("taken");
        for (at, (key, value)) in (appended.base_offset.get()..).zip(&pairs) {
            let or = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
            self.records.push(AppendedRecord { row: (at, or(key), or(value)), producer });
        }
    }

    fn reopen(&mut self) {
        self.bench = Bench::with(self.bench.disk.clone(), COLD);
        assert_eq!(self.bench.recovery.quarantined, None);
        self.bench.log.set_options(COMPACTED);
        let end = self.bench.log.bounds().log_end.get();
        self.records.retain(|record| record.row.0 < end);
        self.markers.retain(|(offset, ..)| *offset < end);
        self.sequences.clear();
        for record in &self.records {
            if let Some(producer) = record.producer {
                *self.sequences.entry(producer).or_default() += 1;
            }
        }
    }

    /// The records that count, from `from` to the stable offset.
    fn counting(&self, from: i64) -> Vec<Row> {
        let stable = self.bench.log.bounds().stable.get();
        let is_committed = |record: &AppendedRecord| match record.producer {
            None => true,
            Some(producer) => {
                let ends = self.markers.iter().filter(|(_, of, _)| *of == producer);
                ends.filter(|(offset, ..)| *offset > record.row.0)
                    .min_by_key(|(offset, ..)| *offset)
                    .is_some_and(|(.., outcome)| *outcome == Commit)
            }
        };
        let counting = self.records.iter().filter(|record| (from..stable).contains(&record.row.0));
        counting.filter(|record| is_committed(record)).map(|record| record.row.clone()).collect()
    }

    /// Every record that is read is one that counts, and the last one of each key is read.
    fn check_from(&self, from: i64) {
        let found = committed(&self.bench.log, from).expect("all can be read");
        let counting = self.counting(from);
        let all: HashMap<_, _> = counting.iter().map(|row| (row.0, row)).collect();
        assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for row in &found {
            assert_eq!(all.get(&row.0), Some(&row), "it was appended and counts");
        }
        let read: HashMap<_, _> = found.iter().map(|row| (row.0, row)).collect();
        let mut latest = BTreeMap::new();
        for row in &counting {
            match &row.1 {
                Some(key) => drop(latest.insert(key, row)),
                None => assert!(read.contains_key(&row.0), "a record without a key stays"),
            }
        }
        let settled = |offset| self.settled.get(offset).is_some_and(|since| self.now >= since + 3_600_000);
        for (key, last) in latest {
            let first = found.iter().rfind(|row| row.1.as_ref() == Some(key));
            match first {
                Some(row) => assert_eq!(row, last, "the last record of {key}"),
                None => assert!(
                    last.2.is_none() && settled(&last.0),
                    "the last record of {key} is gone: {last:?}"
                ),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_last_record_of_each_key_is_that_of_a_map(
        seed: u64,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut model = Model::new(seed);
        for step in &steps {
            model.apply(step);
        }
        model.apply(&Step::Sync);
        model.apply(&Step::Compact { memory: 1 << 20 });
        model.check_from(model.bench.log.bounds().log_start.get());
    }
}

/// A log with something of everything, before its first compaction.
fn written(seed: u64) -> CrashDisk {
    let bench = Bench::new(seed);
    let append = |batch| {
        bench.log.append(batch, NOW).expect("taken");
    };
    for n in 0..8 {
        let value = format!("{n} {}", "x".repeat(60));
        append(rows(BatchBuilder::new(), 1_000, &[("a", &value), ("b", &value)]));
        let (key, sequence) = (format!("c{n}"), n);
        append(rows(BatchBuilder::new().producer(1, 0, sequence).transactional(), 1_000, &[(&key, "part")]));
        let outcome = if n % 2 == 0 { Commit } else { Abort };
        let end = EndTransaction { producer_id: 1, producer_epoch: 0, outcome, coordinator_epoch: 0 };
        bench.log.end_transaction(&end, NOW).expect("taken");
        append(rows(BatchBuilder::new(), 1_000, &[("d", if n % 3 == 0 { &value } else { "-" })]));
        bench.environment.committer().round();
    }
    bench.log.close().expect("the disk is well");
    bench.disk
}

fn open(disk: &CrashDisk) -> Option<(Environment, PartitionLog, Recovery)> {
    let environment = Environment::new(std::sync::Arc::new(disk.clone()), COLD);
    let options = Options { segment_bytes: 1_500, ..COMPACTED };
    let (log, recovery) = PartitionLog::open(&environment, dir(), options).ok()?;
    Some((environment, log, recovery))
}

fn last_of_each_key(log: &PartitionLog) -> BTreeMap<Option<String>, Row> {
    let rows = committed(log, 0).expect("all can be read");
    rows.into_iter().map(|row| (row.1.clone(), row)).collect()
}

/// Compacts, appends and compacts again with `fault`, dies, and looks at what is there; then does it again in peace.
fn strike(seed: u64, fault: Option<Fault>, crash: fn(&CrashDisk)) -> u64 {
    let disk = written(seed);
    let (_, log, _) = open(&disk).expect("the disk is well");
    let mut expected = last_of_each_key(&log);
    let before = disk.operations();
    disk.inject(fault.unwrap_or(Fault { after: u64::MAX, kind: FaultKind::Io, lasting: false }));
    for round in 0..2 {
        let first = compact_at(&log, NOW);
        assert!(fault.is_some() || first.expect("the disk is well").removed_records > 0 || round > 0);
        let opens_are_refused =
            |fault: Fault| matches!(fault.kind, FaultKind::Refused { call: Call::Open, .. });
        if !disk.is_down() && !fault.is_some_and(opens_are_refused) {
            assert_eq!(last_of_each_key(&log), expected, "readers go on");
        }
        drop(compact_at(&log, NOW));
    }
    drop(log.close());
    let operations = disk.operations() - before;
    crash(&disk);
    let (environment, log, recovery) = open(&disk).expect("the disk is well again");
    assert_eq!(recovery.quarantined, None, "{fault:?}");
    assert_eq!(last_of_each_key(&log), expected, "{fault:?}");
    let appended = log.append(rows(BatchBuilder::new(), 1_000, &[("a", "new")]), NOW).expect("taken");
    environment.committer().round();
    let row = (appended.base_offset.get(), Some("a".to_owned()), Some("new".to_owned()));
    expected.insert(row.1.clone(), row);
    compact_at(&log, NOW).expect("the disk is well");
    assert_eq!(last_of_each_key(&log), expected, "{fault:?}");
    log.close().expect("the disk is well");
    let names = disk.files();
    let is_left = |name: &std::path::PathBuf| name.to_string_lossy().contains("swap");
    assert!(!names.iter().any(is_left), "{fault:?} left {names:?}");
    operations
}

#[test]
fn a_crash_at_any_operation_of_a_compaction_leaves_the_old_segments_or_the_new_one() {
    let operations = strike(0, None, CrashDisk::crash);
    assert!(operations > 30, "{operations}");
    for after in 0..operations {
        for seed in 0..6 {
            let fault = Fault { after, kind: FaultKind::Crash, lasting: true };
            strike(seed, Some(fault), CrashDisk::crash);
            strike(seed, Some(fault), CrashDisk::crash_out_of_order);
        }
    }
}

#[test]
fn any_failing_operation_of_a_compaction_loses_nothing() {
    let operations = strike(0, None, CrashDisk::crash);
    let refused = |call| FaultKind::Refused { call, os_error: 24 };
    let kinds = [
        FaultKind::Io,
        FaultKind::NoSpace,
        FaultKind::ShortWrite,
        FaultKind::Sync,
        refused(Call::Open),
        refused(Call::Create),
        refused(Call::Write),
        refused(Call::Change),
    ];
    for kind in kinds {
        for lasting in [false, true] {
            for after in 0..operations {
                strike(after, Some(Fault { after, kind, lasting }), CrashDisk::crash);
            }
        }
    }
}
