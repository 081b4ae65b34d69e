//! The power goes at every operation of the disk, one after the other.
//!
//! A script of changes runs against a disk that crashes at its k-th operation, for every k. What the script was
//! told is done must be there after the crash; what it was told nothing about is there wholly or not at all.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::SystemClock;
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskGroup, TaskTree};
use factum_broker::coordinator::CoordinatorError;
use factum_broker::{Broker, Fetch, FetchPartition, Isolation, OpenError, Options, Service, StorageError};
use factum_eventlog::{Admin, EventLog, TopicConfig};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::{ByteSize, GroupId, Offset, TopicPartition};
use futures::future::join;

use crate::support::{PATIENCE, append, bases, name, new_topic, one_partition, record};

const SEEDS: u64 = 3;

pub(crate) struct Machine {
    disk: CrashDisk,
    pub(crate) broker: Broker,
    group: TaskGroup,
}

impl Machine {
    pub(crate) fn start(disk: &CrashDisk) -> Result<Self, OpenError> {
        let options = Options { data_dir: Path::new("/data").to_owned(), ..Options::default() };
        let (service, broker) =
            Service::open(options, Arc::new(disk.clone()), Arc::new(SystemClock), Random::seeded(1))?;
        let group = TaskTree::new().child("broker");
        group.spawn("broker", OnError::StopServer, service.run(group.stop(), group.clone()));
        Ok(Self { disk: disk.clone(), broker, group })
    }

    pub(crate) async fn stop(self) {
        assert!(self.group.stop_within(PATIENCE).await.is_empty(), "everything stops in time");
    }
}

/// What the script was told is done.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct ConfirmedSteps {
    cluster_id: Option<String>,
    producer_id: Option<i64>,
    made: bool,
    produced: bool,
    altered: bool,
    /// Whether the removal was done, once it was begun.
    removal: Option<bool>,
    finished: bool,
}

/// Runs until the first failure.
async fn script(machine: &Machine, told: &mut ConfirmedSteps) -> Option<()> {
    let broker = &machine.broker;
    told.cluster_id = Some(broker.cluster_id().to_owned());
    told.producer_id = Some(broker.allocate_producer_id().await.ok()?.0);
    broker.create_topic(new_topic("made", 2)).await.ok()?;
    told.made = true;
    broker.produce(&name("made"), vec![record("acknowledged")]).await.ok()?;
    told.produced = true;
    let config = TopicConfig { max_message_bytes: Some(ByteSize(5_000)), ..TopicConfig::default() };
    broker.alter_topic(&name("made"), config).await.ok()?;
    told.altered = true;
    told.removal = Some(false);
    broker.delete_topic(&name("removed")).await.ok()?;
    told.removal = Some(true);
    told.finished = true;
    Some(())
}

async fn check(broker: &Broker, told: &ConfirmedSteps) {
    if let Some(cluster_id) = &told.cluster_id {
        assert_eq!(broker.cluster_id(), cluster_id, "the cluster keeps its name");
    }
    if let Some(given) = told.producer_id {
        let (id, _) = broker.allocate_producer_id().await.expect("an id");
        assert_ne!(id, given, "a producer id is never given out twice");
    }
    let made = broker.topic("made");
    assert!(made.is_some() || !told.made, "a topic that was made is there");
    if let Some(made) = made {
        assert_eq!(made.partition_count(), 2, "a topic is there wholly");
        assert!(made.partitions().iter().all(|p| p.bounds().is_writable), "and takes records");
        let limit = made.config().max_message_bytes;
        assert!(limit == Some(ByteSize(5_000)) || !told.altered, "an altered topic stays altered");
    }
    if told.produced {
        assert_eq!(values(broker, "made", 2).await, ["acknowledged"], "an acknowledged record is there once");
    }
    let removed = broker.topic("removed").is_some();
    match told.removal {
        Some(true) => assert!(!removed, "a topic that was removed stays removed"),
        Some(false) => {}
        None => assert!(removed, "no one removed it"),
    }
    if removed {
        assert_eq!(values(broker, "removed", 1).await, ["old"], "with all its records");
    }
}

async fn values(broker: &Broker, topic: &str, partitions: i32) -> Vec<String> {
    let mut values = Vec::new();
    for partition in 0..partitions {
        let at = TopicPartition::new(name(topic), partition);
        let chunk = broker.read(&at, Offset::ZERO, 1 << 20, Duration::ZERO).await.expect("readable");
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        values.extend(chunk.records.iter().filter_map(|record| record.value.as_deref().map(text)));
    }
    values
}

/// A disk with one topic and one record.
async fn prepared(seed: u64) -> CrashDisk {
    let disk = CrashDisk::seeded(seed);
    let machine = Machine::start(&disk).expect("a good disk");
    machine.broker.create_topic(new_topic("removed", 1)).await.expect("a new topic");
    machine.broker.produce(&name("removed"), vec![record("old")]).await.expect("taken");
    machine.stop().await;
    disk
}

/// Runs the script with `fault`; gives what it was told, and the machine if it came up.
async fn run(disk: &CrashDisk, fault: Fault) -> (ConfirmedSteps, Option<Machine>) {
    disk.inject(fault);
    let mut told = ConfirmedSteps::default();
    let machine = Machine::start(disk).ok();
    if let Some(machine) = &machine {
        script(machine, &mut told).await;
    }
    (told, machine)
}

/// On a runtime of one thread: were the file read on it, the disk could never go on.
#[tokio::test]
async fn a_disk_that_hangs_in_a_read_holds_up_no_other_task() {
    let disk = CrashDisk::seeded(1);
    let machine = Machine::start(&disk).expect("started");
    let partition = one_partition(&machine.broker, "cold").await;
    append(&partition, 10).await;
    machine.stop().await;
    // What was written before the start is in no cache.
    let machine = Machine::start(&disk).expect("started again");
    let partition = Arc::clone(&machine.broker.topic("cold").expect("it is there").partitions()[0]);
    let held = disk.hold_reads();
    let asked = FetchPartition { partition, from: 0, limit_bytes: 1 << 20 };
    let fetch = Fetch {
        partitions: vec![asked],
        min_bytes: 1,
        max_bytes: 1 << 20,
        max_wait: Duration::ZERO,
        isolation: Isolation::ReadUncommitted,
    };
    let goes_on = async {
        tokio::task::yield_now().await;
        drop(held);
    };
    let (fetched, ()) = join(machine.broker.fetch(fetch), goes_on).await;
    assert_eq!(bases(fetched[0].result.as_ref().expect("readable")), [0]);
    machine.stop().await;
}

#[tokio::test]
async fn a_crash_at_any_operation_leaves_all_or_nothing() {
    for seed in 0..SEEDS {
        for after in 0.. {
            // Another seed each time, so that the crash is another one too.
            let disk = prepared(seed * 1_000 + after).await;
            let (told, machine) = run(&disk, Fault { after, kind: FaultKind::Crash, lasting: true }).await;
            if let Some(machine) = machine {
                machine.stop().await;
            }
            disk.crash();
            let machine = Machine::start(&disk)
                .unwrap_or_else(|error| panic!("operation {after}, seed {seed}: {error:?} after {told:?}"));
            check(&machine.broker, &told).await;
            machine.broker.create_topic(new_topic("after", 1)).await.expect("life goes on");
            machine.stop().await;
            if told.finished {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_first_start_may_crash_at_any_operation() {
    for after in 0.. {
        let disk = CrashDisk::seeded(after);
        disk.inject(Fault { after, kind: FaultKind::Crash, lasting: true });
        let first = Machine::start(&disk).ok();
        let came_up = first.is_some();
        if let Some(machine) = first {
            machine.stop().await;
        }
        disk.crash();
        let machine = Machine::start(&disk).expect("a good disk");
        machine.broker.create_topic(new_topic("a", 1)).await.expect("a new topic");
        machine.stop().await;
        if came_up {
            break;
        }
    }
}

/// The disk refuses one operation and is well again: the caller gets an error, and may try again.
#[tokio::test]
async fn one_refusal_of_the_disk_harms_nothing_else() {
    for after in 0.. {
        let disk = prepared(1).await;
        let (told, machine) = run(&disk, Fault { after, kind: FaultKind::Io, lasting: false }).await;
        let Some(machine) = machine else { continue };
        let broker = &machine.broker;
        if broker.topic("made").is_none() {
            broker.create_topic(new_topic("made", 2)).await.expect("the second time it succeeds");
        }
        if told.removal == Some(false) {
            assert_eq!(values(broker, "removed", 1).await, ["old"], "what could not be removed is as it was");
        }
        if !told.finished && broker.topic("removed").is_some() {
            let removed = broker.delete_topic(&name("removed")).await;
            removed.unwrap_or_else(|error| panic!("operation {after}: {error}"));
        }
        let kept: Vec<_> = machine.disk.files();
        assert!(
            kept.iter().all(|path| !path.starts_with("/data/topics/removed")),
            "operation {after}: a removed topic takes no space: {kept:?}"
        );
        machine.stop().await;
        let machine = Machine::start(&disk).expect("a good disk");
        assert!(machine.broker.topic("made").is_some() && machine.broker.topic("removed").is_none());
        machine.stop().await;
        if told.finished {
            break;
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_new_topics_and_recovers() {
    let disk = prepared(1).await;
    let machine = Machine::start(&disk).expect("a good disk");
    disk.set_capacity(Some(disk.used()));
    let error = machine.broker.create_topic(new_topic("more", 4)).await.expect_err("no space");
    assert!(
        matches!(error, factum_broker::CreateTopicError::Storage(StorageError::Directory { .. })),
        "not {error:?}"
    );
    assert!(machine.broker.topic("more").is_none(), "nothing of it is there");
    assert_eq!(values(&machine.broker, "removed", 1).await, ["old"], "reading goes on");
    let error = machine.broker.produce(&name("removed"), vec![record("new")]).await.expect_err("no space");
    assert!(error.is_transient(), "asking again may help: {error}");
    disk.set_capacity(None);
    machine.broker.create_topic(new_topic("more", 4)).await.expect("there is space again");
    machine.broker.produce(&name("removed"), vec![record("new")]).await.expect("there is space again");
    machine.stop().await;
}

/// One partition's disk fails for good: it says so, and the others go on.
#[tokio::test]
async fn a_failed_partition_is_told_and_others_go_on() {
    let disk = prepared(1).await;
    let machine = Machine::start(&disk).expect("a good disk");
    machine.broker.create_topic(new_topic("other", 1)).await.expect("a new topic");
    assert!(machine.broker.health().problems.is_empty(), "all is well");
    disk.inject(Fault { after: 1, kind: FaultKind::Sync, lasting: false });
    let error = machine.broker.produce(&name("removed"), vec![record("lost")]).await.expect_err("not synced");
    assert!(matches!(error, factum_eventlog::ProduceError::NotDurable { .. }), "not {error}");
    let error = machine.broker.produce(&name("removed"), vec![record("more")]).await.expect_err("for good");
    assert!(matches!(error, factum_eventlog::ProduceError::Unavailable { .. }), "not {error}");
    machine.broker.produce(&name("other"), vec![record("fine")]).await.expect("another partition");
    let health = machine.broker.health();
    assert!(health.writable, "one failed partition does not stop the server");
    expect_test::expect![[
        "partition removed/0 takes no records until a restart: the disk failed to sync: the disk failed"
    ]]
    .assert_eq(&health.problems.join("\n"));
    machine.stop().await;
}

/// A bit flips before the end of one partition's log: that partition is read-only, and all else goes on.
#[tokio::test]
async fn a_damaged_partition_is_quarantined_and_others_go_on() {
    let disk = prepared(1).await;
    let machine = Machine::start(&disk).expect("a good disk");
    for value in ["second", "third"] {
        machine.broker.produce(&name("removed"), vec![record(value)]).await.expect("taken");
    }
    machine.broker.create_topic(new_topic("other", 1)).await.expect("a new topic");
    disk.inject(Fault { after: 0, kind: FaultKind::Crash, lasting: true });
    machine.stop().await;
    disk.crash();
    let log = Path::new("/data/topics/removed/0/00000000000000000000.log");
    let length = disk.contents(log).expect("the segment is there").len();
    disk.flip_bit(log, length / 2 * 8);
    let machine = Machine::start(&disk).expect("damage does not keep a broker from starting");
    let error = machine.broker.produce(&name("removed"), vec![record("more")]).await.expect_err("read-only");
    assert!(matches!(error, factum_eventlog::ProduceError::Unavailable { .. }), "not {error}");
    machine.broker.produce(&name("other"), vec![record("fine")]).await.expect("another partition");
    let health = machine.broker.health();
    assert!(health.writable && health.problems.len() == 1, "{health:?}");
    assert!(
        health.problems[0].starts_with("partition removed/0 takes no records: offset 1 is damaged"),
        "{health:?}"
    );
    assert_eq!(values(&machine.broker, "removed", 1).await, ["old"], "what comes before is still read");
    let at = TopicPartition::new(name("removed"), 0);
    let read = machine.broker.read(&at, Offset::new(1), 1_000, Duration::ZERO).await;
    let chunk = read.expect("damage is an item of the read");
    assert_eq!(chunk.unreadable.len(), 1, "{chunk:?}");
    assert_eq!(chunk.unreadable[0].from, Offset::new(1));
    machine.stop().await;
}

/// A bit flips in a log that was closed in order, so that no start reads it: the first reader makes it known.
#[tokio::test]
async fn damage_that_a_reader_meets_is_told_and_closes_the_partition_to_records() {
    let disk = prepared(1).await;
    let machine = Machine::start(&disk).expect("a good disk");
    for value in ["second", "third"] {
        machine.broker.produce(&name("removed"), vec![record(value)]).await.expect("taken");
    }
    machine.stop().await;
    let log = Path::new("/data/topics/removed/0/00000000000000000000.log");
    let length = disk.contents(log).expect("the segment is there").len();
    disk.flip_bit(log, length / 2 * 8);
    let machine = Machine::start(&disk).expect("nothing was read");
    assert_eq!(machine.broker.health().problems, [] as [String; 0], "no one knows yet");
    let at = TopicPartition::new(name("removed"), 0);
    for _ in 0..2 {
        let read = machine.broker.read(&at, Offset::new(1), 1_000, Duration::ZERO).await;
        let chunk = read.expect("damage is an item of the read");
        assert_eq!((chunk.unreadable.len(), chunk.next), (1, Offset::new(2)), "{chunk:?}");
    }
    let problems = machine.broker.health().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("partition removed/0 takes no records: offset 1 is damaged"),
        "{problems:?}"
    );
    let error = machine.broker.produce(&name("removed"), vec![record("more")]).await.expect_err("read-only");
    assert!(matches!(error, factum_eventlog::ProduceError::Unavailable { .. }), "not {error}");
    machine.stop().await;
}

/// A bit flips among the committed offsets: what is not known is an error, and never the same as none.
#[tokio::test]
async fn damaged_offsets_are_never_taken_for_none() {
    let disk = prepared(1).await;
    let machine = Machine::start(&disk).expect("a good disk");
    let group = |name: &str| GroupId::new(name).expect("valid");
    let at = TopicPartition::new(name("removed"), 0);
    for (name, offset) in [("first", 1), ("second", 1), ("third", 1)] {
        let offsets = vec![(at.clone(), Offset::new(offset))];
        machine.broker.reset_group(&group(name), offsets).await.expect("committed");
    }
    disk.inject(Fault { after: 0, kind: FaultKind::Crash, lasting: true });
    machine.stop().await;
    disk.crash();
    let log = Path::new("/data/topics/__consumer_offsets/0/00000000000000000000.log");
    let length = disk.contents(log).expect("the segment is there").len();
    disk.flip_bit(log, length / 2 * 8);
    let machine = Machine::start(&disk).expect("damage does not keep a broker from starting");
    let coordinator = machine.broker.coordinator();
    let asked = [at.clone()];
    let known = coordinator.fetch_offsets(&group("first"), Some(&asked)).await.expect("before the damage");
    assert_eq!(known[0].1.as_ref().map(|committed| committed.offset), Some(1));
    let lost = coordinator.fetch_offsets(&group("second"), Some(&asked)).await.expect_err("not known");
    assert!(matches!(lost, CoordinatorError::UnreadableOffsets { .. }), "not {lost}");
    assert!(lost.is_transient(), "clients ask again");
    let all = coordinator.fetch_offsets(&group("first"), None).await.expect_err("there may have been more");
    assert!(matches!(all, CoordinatorError::UnreadableOffsets { .. }), "not {all}");
    machine.broker.groups().await.expect("a list shows what is known");
    let problems = machine.broker.health().problems.join("\n");
    assert!(problems.contains("offsets of consumer groups were read back only in part"), "{problems}");
    machine.stop().await;
}
