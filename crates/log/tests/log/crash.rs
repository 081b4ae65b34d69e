//! One script, struck at each of its disk operations in turn: by a crash, by each kind of failure, once and
//! for good. Whatever happens, nothing acknowledged is lost, offsets are dense, and no batch that an
//! idempotent producer sends again is in the log twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use factum_log::{AppendError, Environment, Options, PartitionLog, Recovery};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::{Offset, Timestamp};

use crate::bench::{AHEAD, COLD, OPTIONS, dir, now, read_all, sent};

const BATCHES: usize = 36;

/// What the script runs on.
#[derive(Clone, Copy)]
struct Setting {
    options: Options,
    /// Bytes that each record has beside its text.
    padding: usize,
    /// How the power goes.
    crash: fn(&CrashDisk),
}

const SMALL: Setting = Setting { options: OPTIONS, padding: 0, crash: CrashDisk::crash };
const AHEAD_OF_WRITES: Setting = Setting { options: AHEAD, ..SMALL };
/// Batches that span pages, pages that hold several.
const PAGES: Setting = Setting {
    options: Options {
        segment_bytes: 40_000,
        index_interval_bytes: 5_000,
        preallocate_bytes: 20_000,
        ..OPTIONS
    },
    padding: 1_500,
    crash: CrashDisk::crash_out_of_order,
};

/// An idempotent client that sends its batches in order and sends again what was not acknowledged.
struct Client {
    setting: Setting,
    disk: CrashDisk,
    environment: Environment,
    log: PartitionLog,
    /// Batches sent since the last acknowledgement, with the offset that each must become durable at.
    in_flight: Vec<(usize, Offset)>,
    /// Batches acknowledged, each with its base offset.
    acknowledged: BTreeMap<usize, i64>,
    next: usize,
    log_start: i64,
    quarantines: usize,
}

impl Client {
    fn new(disk: CrashDisk, setting: Setting) -> Option<Self> {
        let (environment, log, _) = open(&disk, setting)?;
        Some(Self {
            setting,
            disk,
            environment,
            log,
            in_flight: Vec::new(),
            acknowledged: BTreeMap::new(),
            next: 0,
            log_start: 0,
            quarantines: 0,
        })
    }

    /// Sends all batches, whatever happens on the way.
    fn run(&mut self) {
        while self.acknowledged.len() < BATCHES && self.quarantines == 0 {
            self.step();
        }
    }

    fn step(&mut self) {
        if self.next < BATCHES && self.in_flight.len() < 5 {
            let batch = sent(1, 0, sequence(self.next), &values(self.next, self.setting.padding));
            match self.log.append(batch, Timestamp::from_millis(1_000)) {
                Ok(appended) => {
                    self.in_flight.push((self.next, appended.last_offset));
                    self.next += 1;
                }
                Err(AppendError::Full(_) | AppendError::Io(_)) if !self.disk.is_down() => self.disk.heal(),
                Err(AppendError::Full(_) | AppendError::Io(_) | AppendError::Failed(_)) => {
                    return self.restart();
                }
                Err(other) => panic!("batch {}: {other}", self.next),
            }
        }
        if self.next.is_multiple_of(3) || self.next == BATCHES || self.in_flight.len() == 5 {
            self.environment.committer().round();
            self.acknowledge();
        }
        match self.next {
            11 | 23 => drop(self.log.retain(Timestamp::from_millis(2_000))),
            17 if self.log.truncate_before(Offset::new(9)).is_ok() => self.log_start = 9,
            29 if self.in_flight.is_empty() => {
                drop(self.log.close());
                self.restart();
            }
            _ => {}
        }
        if self.log.failure().is_some() {
            self.restart();
        }
    }

    fn acknowledge(&mut self) {
        let log = &self.log;
        for (batch, last) in
            self.in_flight.extract_if(.., |(_, last)| matches!(now(log.durable(*last)), Some(Ok(()))))
        {
            self.acknowledged.insert(batch, last.get() + 1 - count(batch));
        }
    }

    /// The process dies, the power fails, and all begins again with a disk that is well.
    fn restart(&mut self) {
        (self.setting.crash)(&self.disk);
        let (environment, log, recovery) = open(&self.disk, self.setting).expect("the disk is well again");
        self.environment = environment;
        self.log = log;
        self.quarantines += usize::from(recovery.quarantined.is_some());
        self.in_flight.clear();
        // The first batch without an acknowledgement, and all after it, are sent again.
        self.next = (0..BATCHES).find(|batch| !self.acknowledged.contains_key(batch)).unwrap_or(BATCHES);
        self.check();
    }

    /// What is in the log is right, and what was acknowledged is in the log.
    fn check(&self) {
        let bounds = self.log.bounds();
        assert!(bounds.log_start.get() >= self.log_start, "the log start never goes back");
        let (records, error) = read_all(&self.log, bounds.log_start.get());
        assert!(error.is_none() || self.quarantines > 0, "{error:?}");
        for (at, (offset, value)) in records.iter().enumerate() {
            assert_eq!(*offset, bounds.log_start.get() + at as i64, "offsets are dense");
            assert_eq!(*value, record(*offset, self.setting.padding), "each record is there once, in order");
        }
        let end = records.last().map_or(bounds.log_start.get(), |(offset, _)| offset + 1);
        for (batch, base) in &self.acknowledged {
            assert_eq!(*base, i64::from(sequence(*batch)), "batch {batch} has its place");
            assert!(base + count(*batch) <= end, "batch {batch} was acknowledged and is lost");
        }
    }
}

fn open(disk: &CrashDisk, setting: Setting) -> Option<(Environment, PartitionLog, Recovery)> {
    let environment = Environment::new(Arc::new(disk.clone()), COLD);
    let (log, recovery) = PartitionLog::open(&environment, dir(), setting.options).ok()?;
    Some((environment, log, recovery))
}

/// The sequence number of a batch's first record, which is its offset too: one producer writes all.
fn sequence(batch: usize) -> i32 {
    i32::try_from((0..batch).map(count).sum::<i64>()).expect("small")
}

fn count(batch: usize) -> i64 {
    batch as i64 % 3 + 1
}

fn values(batch: usize, padding: usize) -> Vec<String> {
    let first = i64::from(sequence(batch));
    (first..first + count(batch)).map(|offset| record(offset, padding)).collect()
}

fn record(offset: i64, padding: usize) -> String {
    format!("record {offset} {}", "x".repeat(padding))
}

/// Runs the script with `fault`; returns whether recovery ended in quarantine.
fn run(seed: u64, fault: Option<Fault>, setting: Setting) -> (CrashDisk, bool) {
    let disk = CrashDisk::seeded(seed);
    disk.inject(fault.unwrap_or(Fault { after: u64::MAX, kind: FaultKind::Io, lasting: false }));
    let mut client = Client::new(disk.clone(), setting).unwrap_or_else(|| {
        (setting.crash)(&disk);
        Client::new(disk.clone(), setting).expect("the disk is well again")
    });
    client.run();
    if client.quarantines == 0 {
        client.restart();
        assert_eq!(client.acknowledged.len(), BATCHES);
    }
    (disk, client.quarantines > 0)
}

fn operations(setting: Setting) -> u64 {
    run(0, None, setting).0.operations()
}

#[test]
fn a_crash_at_any_operation_loses_nothing_acknowledged() {
    for setting in [SMALL, AHEAD_OF_WRITES] {
        for after in 0..operations(setting) {
            for seed in 0..4 {
                let fault = Fault { after, kind: FaultKind::Crash, lasting: true };
                let (_, quarantined) = run(seed * 1_000 + after, Some(fault), setting);
                assert!(!quarantined, "a crash is no damage (operation {after}, seed {seed})");
            }
        }
    }
}

#[test]
fn any_failing_operation_loses_nothing_acknowledged() {
    let kinds = [FaultKind::Io, FaultKind::NoSpace, FaultKind::ShortWrite, FaultKind::Sync];
    for (kind, lasting) in kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        for setting in [SMALL, AHEAD_OF_WRITES] {
            for after in 0..operations(setting) {
                let (_, quarantined) = run(after, Some(Fault { after, kind, lasting }), setting);
                assert!(!quarantined, "a failing disk is no damage ({kind:?} at operation {after})");
            }
        }
    }
}

/// Later pages of what was not synced may survive where earlier ones do not. Recovery sees pages that were never
/// written and knows that for a torn tail; only where such a page begins within a batch's first bytes it cannot
/// know, and ends in quarantine.
#[test]
fn a_power_cut_that_keeps_later_pages_without_earlier_ones_loses_nothing_acknowledged() {
    let (mut runs, mut quarantines) = (0, 0);
    for after in 0..operations(PAGES) {
        for seed in 0..4 {
            let fault = Fault { after, kind: FaultKind::Crash, lasting: true };
            runs += 1;
            quarantines += usize::from(run(seed * 1_000 + after, Some(fault), PAGES).1);
        }
    }
    assert!(quarantines * 100 <= runs, "{quarantines} of {runs} ended in quarantine");
}
