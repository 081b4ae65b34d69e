//! Topics are given partitions: wholly or not at all, and in use at once.

use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::SystemClock;
use factum_broker::{Broker, CreatePartitionsError, Options};
use factum_eventlog::{EventLog, NewRecord};
use factum_testkit::{CrashDisk, Fault, FaultKind};
use factum_types::{Offset, TopicPartition};

use crate::crashes::Machine;
use crate::support::{Running, fresh, name, new_topic, options, record};

/// A disk with a topic of one partition and one record.
async fn prepared(seed: u64) -> CrashDisk {
    let disk = CrashDisk::seeded(seed);
    let machine = Machine::start(&disk).expect("a good disk");
    machine.broker.create_topic(new_topic("orders", 1)).await.expect("a new topic");
    machine.broker.produce(&name("orders"), vec![record("old")]).await.expect("taken");
    machine.stop().await;
    disk
}

/// Checks that the topic is whole with any of `counts`, and that it can be given more.
async fn check(broker: &Broker, counts: &[i32], case: &str) {
    let topic = broker.topic("orders").unwrap_or_else(|| panic!("{case}: the topic is there"));
    let count = topic.partition_count();
    assert!(counts.contains(&count), "{case}: {count} partitions");
    assert!(topic.partitions().iter().all(|each| each.bounds().is_writable), "{case}: all take records");
    let first = TopicPartition::new(name("orders"), 0);
    let chunk = broker.read(&first, Offset::ZERO, 1_000, Duration::ZERO).await.expect("readable");
    assert_eq!(chunk.records.len(), 1, "{case}: records stay");
    let grown = broker.create_partitions(&name("orders"), 6).await;
    let grown = grown.unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(grown.partition_count(), 6, "{case}");
    for number in 1..6 {
        let new = NewRecord { partition: Some(number), ..record("new") };
        let placed = broker.produce(&name("orders"), vec![new]).await;
        let placed = placed.unwrap_or_else(|error| panic!("{case}: partition {number}: {error}"));
        assert_eq!(placed[0].offset.get(), 0, "{case}: partition {number} was empty");
    }
}

#[tokio::test]
async fn a_crash_leaves_the_old_number_of_partitions_or_the_new_one() {
    for after in 0.. {
        let disk = prepared(after).await;
        let machine = Machine::start(&disk).expect("a good disk");
        disk.inject(Fault { after, kind: FaultKind::Crash, lasting: true });
        let grown = machine.broker.create_partitions(&name("orders"), 4).await.is_ok();
        drop(machine);
        disk.crash();
        let machine = Machine::start(&disk).unwrap_or_else(|error| panic!("operation {after}: {error:?}"));
        let counts: &[i32] = if grown { &[4] } else { &[1, 4] };
        check(&machine.broker, counts, &format!("crash at operation {after}")).await;
        machine.stop().await;
        if grown {
            return;
        }
    }
}

#[tokio::test]
async fn a_refusal_of_the_disk_leaves_the_topic_as_it_was() {
    for after in 0.. {
        let disk = prepared(after).await;
        let machine = Machine::start(&disk).expect("a good disk");
        disk.inject(Fault { after, kind: FaultKind::Io, lasting: false });
        let grown = machine.broker.create_partitions(&name("orders"), 4).await;
        if grown.is_ok() {
            // The disk has not refused yet.
            return;
        }
        check(&machine.broker, &[1], &format!("refusal at operation {after}")).await;
        machine.stop().await;
        let machine = Machine::start(&disk).expect("a good disk");
        assert_eq!(machine.broker.topic("orders").expect("there").partition_count(), 6);
        machine.stop().await;
    }
}

#[tokio::test]
async fn growth_has_limits() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = Options { max_partitions: 11, max_topic_partitions: 6, ..options(dir.path()) };
    let running = Running::open(options, Arc::new(SystemClock)).expect("opened");
    let broker = &running.broker;
    broker.create_topic(new_topic("a", 2)).await.expect("a new topic");
    broker.create_topic(new_topic("b", 4)).await.expect("a new topic");
    let grow = async |topic: &str, count| broker.create_partitions(&name(topic), count).await;
    let error = grow("a", 7).await.expect_err("too many for one topic");
    assert!(matches!(error, CreatePartitionsError::InvalidPartitions { asked: 7, limit: 6 }), "not {error}");
    let error = grow("a", 6).await.expect_err("2 + 4 + 6");
    assert!(
        matches!(error, CreatePartitionsError::TooManyPartitions { total: 12, limit: 11 }),
        "not {error}"
    );
    assert!(broker.validate_partitions(&name("a"), 5).is_ok());
    assert_eq!(broker.topic("a").expect("there").partition_count(), 2, "a check changes nothing");
    grow("a", 5).await.expect("within both limits");
    broker.delete_topic(&name("b")).await.expect("deleted");
    grow("a", 6).await.expect("there is room again");
    running.stop().await;
}

#[tokio::test]
async fn settings_and_deletions_reach_handles_from_before() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let before = broker.create_topic(new_topic("orders", 1)).await.expect("a new topic");
    broker.create_partitions(&name("orders"), 2).await.expect("grown");
    let config = factum_eventlog::TopicConfig {
        max_message_bytes: Some(factum_types::ByteSize(5_000)),
        ..factum_eventlog::TopicConfig::default()
    };
    broker.alter_topic(&name("orders"), config.clone()).await.expect("altered");
    assert_eq!(before.config(), config);
    broker.delete_topic(&name("orders")).await.expect("deleted");
    assert!(before.partitions()[0].append(crate::support::batch_of(10)).is_err(), "it is gone");
    running.stop().await;
}
