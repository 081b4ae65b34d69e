//! One script, struck at each of its disk operations in turn: by a crash, by each kind of failure, once and
//! for good. Whatever happens, nothing acknowledged is lost, offsets are dense, and no batch that an
//! idempotent producer sends again is in the log twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use factum_log::{AppendError, Environment, PartitionLog, Recovery};
use factum_testkit::{Call, CrashDisk, Fault, FaultKind};
use factum_types::{Offset, Timestamp};

use crate::bench::{COLD, OPTIONS, dir, now, read_all, sent};

const BATCHES: usize = 36;

/// An idempotent client that sends its batches in order and sends again what was not acknowledged.
struct Client {
    disk: CrashDisk,
    environment: Environment,
    log: PartitionLog,
    /// Batches sent since the last acknowledgement, with the offset that each must become durable at.
    in_flight: Vec<(usize, Offset)>,
    /// Batches acknowledged, each with its base offset.
    acknowledged: BTreeMap<usize, i64>,
    next: usize,
    log_start: i64,
    /// How the power goes.
    crash: fn(&CrashDisk),
    quarantines: usize,
}

impl Client {
    fn new(disk: CrashDisk, crash: fn(&CrashDisk)) -> Option<Self> {
        let (environment, log, _) = open(&disk)?;
        Some(Self {
            disk,
            environment,
            log,
            in_flight: Vec::new(),
            acknowledged: BTreeMap::new(),
            next: 0,
            log_start: 0,
            crash,
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
            let batch = sent(1, 0, sequence(self.next), &values(self.next));
            match self.log.append(batch, Timestamp::from_millis(1_000)) {
                Ok(appended) => {
                    assert!(self.log.trouble().is_none(), "what is appended goes through");
                    self.in_flight.push((self.next, appended.last_offset));
                    self.next += 1;
                }
                Err(AppendError::Failed(_)) => return self.give_up(),
                Err(_) if self.disk.is_down() => return self.restart(),
                Err(error) if error.is_transient() => self.disk.heal(),
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
            self.give_up();
        } else if self.disk.is_down() {
            self.restart();
        } else if self.log.trouble().is_some() {
            self.disk.heal();
        }
    }

    /// Restarts after a failure that is final; only a failed sync is.
    fn give_up(&mut self) {
        assert!(
            self.disk.is_down() || self.disk.failed_syncs() > 0,
            "no sync failed: {:?}",
            self.log.failure()
        );
        self.restart();
    }

    fn acknowledge(&mut self) {
        let log = &self.log;
        for (batch, last) in
            self.in_flight.extract_if(.., |(_, last)| matches!(now(log.durable(*last)), Some(Ok(()))))
        {
            self.acknowledged.insert(batch, last.get() + 1 - values(batch).len() as i64);
        }
    }

    /// The process dies, the power fails, and all begins again with a disk that is well.
    fn restart(&mut self) {
        (self.crash)(&self.disk);
        let (environment, log, recovery) = open(&self.disk).expect("the disk is well again");
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
            assert_eq!(*value, format!("record {offset}"), "each record is there once, in order");
        }
        let end = records.last().map_or(bounds.log_start.get(), |(offset, _)| offset + 1);
        for (batch, base) in &self.acknowledged {
            assert_eq!(*base, i64::from(sequence(*batch)), "batch {batch} has its place");
            assert!(base + values(*batch).len() as i64 <= end, "batch {batch} was acknowledged and is lost");
        }
    }
}

fn open(disk: &CrashDisk) -> Option<(Environment, PartitionLog, Recovery)> {
    let environment = Environment::new(Arc::new(disk.clone()), COLD);
    let (log, recovery) = PartitionLog::open(&environment, dir(), OPTIONS).ok()?;
    Some((environment, log, recovery))
}

/// The sequence number of a batch's first record, which is its offset too: one producer writes all.
fn sequence(batch: usize) -> i32 {
    (0..batch).map(|before| i32::try_from(before % 3 + 1).expect("small")).sum()
}

fn values(batch: usize) -> Vec<&'static str> {
    let first = sequence(batch);
    let count = i32::try_from(batch % 3 + 1).expect("small");
    (first..first + count).map(|offset| RECORDS[usize::try_from(offset).expect("small")].as_str()).collect()
}

static RECORDS: std::sync::LazyLock<Vec<String>> =
    std::sync::LazyLock::new(|| (0..3 * BATCHES).map(|offset| format!("record {offset}")).collect());

/// Runs the script with `fault`; returns whether recovery ended in quarantine.
fn run(seed: u64, fault: Option<Fault>, crash: fn(&CrashDisk)) -> (CrashDisk, bool) {
    let disk = CrashDisk::seeded(seed);
    disk.inject(fault.unwrap_or(Fault { after: u64::MAX, kind: FaultKind::Io, lasting: false }));
    let mut client = Client::new(disk.clone(), crash).unwrap_or_else(|| {
        crash(&disk);
        Client::new(disk.clone(), crash).expect("the disk is well again")
    });
    client.run();
    if client.quarantines == 0 {
        client.restart();
        assert_eq!(client.acknowledged.len(), BATCHES);
    }
    (disk, client.quarantines > 0)
}

fn operations() -> u64 {
    run(0, None, CrashDisk::crash).0.operations()
}

#[test]
fn a_crash_at_any_operation_loses_nothing_acknowledged() {
    for after in 0..operations() {
        for seed in 0..6 {
            let fault = Fault { after, kind: FaultKind::Crash, lasting: true };
            let (_, quarantined) = run(seed * 1_000 + after, Some(fault), CrashDisk::crash);
            assert!(!quarantined, "a crash is no damage (operation {after}, seed {seed})");
        }
    }
}

#[test]
fn any_failing_operation_loses_nothing_acknowledged() {
    let refused = |call| FaultKind::Refused { call, os_error: 24 };
    let kinds = [
        FaultKind::Io,
        FaultKind::NoSpace,
        FaultKind::ShortWrite,
        FaultKind::Sync,
        refused(Call::Open),
        refused(Call::Create),
        refused(Call::Write),
    ];
    for kind in kinds {
        for lasting in [false, true] {
            for after in 0..operations() {
                let (_, quarantined) = run(after, Some(Fault { after, kind, lasting }), CrashDisk::crash);
                assert!(!quarantined, "a failing disk is no damage ({kind:?} at operation {after})");
            }
        }
    }
}

/// A later batch that no one acknowledged may survive an earlier one: recovery cannot know that from damage, so
/// it may end in quarantine, but never in loss or in a wrong record.
#[test]
fn a_power_cut_that_keeps_later_sectors_without_earlier_ones_loses_nothing_acknowledged() {
    for after in 0..operations() {
        for seed in 0..4 {
            let fault = Fault { after, kind: FaultKind::Crash, lasting: true };
            run(seed, Some(fault), CrashDisk::crash_out_of_order);
        }
    }
}
