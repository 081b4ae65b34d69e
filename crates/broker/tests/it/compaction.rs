//! Topics that are compacted: by the server itself, and told when it cannot.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_base::clock::SharedClock;
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskTree};
use factum_broker::{Broker, CleanupPolicy, Options, Partition, ProduceError, Service};
use factum_eventlog::{EventLog, NewRecord, NewTopic, ProduceError as EventLogError, TopicConfig};
use factum_testkit::{Call, CrashDisk, Fault, FaultKind, HeldClock};
use factum_types::{BatchBuilder, ByteSize, Offset, RecordBatch, Timestamp, TopicPartition};

use crate::support::{PATIENCE, Running, name, options};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn compacting(data_dir: &Path) -> Options {
    let compaction_check_interval = Duration::from_millis(5);
    Options { compaction_check_interval, compaction_cpu_percent: 100, ..options(data_dir) }
}

fn config(policy: CleanupPolicy) -> TopicConfig {
    TopicConfig {
        cleanup_policy: Some(policy),
        segment_bytes: Some(ByteSize(1_024)),
        ..TopicConfig::default()
    }
}

async fn topic(broker: &Broker, policy: CleanupPolicy) -> Arc<Partition> {
    let new = NewTopic { name: name("a"), partitions: Some(1), config: config(policy) };
    let topic = broker.create_topic(new).await.expect("a new topic");
    Arc::clone(&topic.partitions()[0])
}

fn batch(key: Option<&str>, value: &str) -> RecordBatch {
    let mut builder = BatchBuilder::new();
    builder.push(
        Timestamp::from_millis(1_700_000_000_000),
        key.map(str::as_bytes),
        Some(value.as_bytes()),
        &[],
    );
    builder.build()
}

async fn fill(partition: &Partition) {
    for n in 0..60 {
        let value = format!("{n} {}", "x".repeat(100));
        let appended = partition.append(batch(Some(&format!("key {}", n % 4)), &value)).expect("taken");
        partition.durable(appended.last_offset).await.expect("synced");
    }
}

/// All that a reader is given, by offset.
async fn records(broker: &Broker) -> BTreeMap<i64, String> {
    let partition = TopicPartition::new(name("a"), 0);
    let (mut found, mut next) = (BTreeMap::new(), Offset::ZERO);
    loop {
        let chunk = broker.read(&partition, next, 1_000, Duration::ZERO).await.expect("it can be read");
        let text = |value: Option<Bytes>| String::from_utf8_lossy(&value.unwrap_or_default()).into_owned();
        found.extend(chunk.records.into_iter().map(|record| (record.offset.get(), text(record.value))));
        if chunk.next == next || chunk.next >= chunk.high_watermark {
            return found;
        }
        next = chunk.next;
    }
}

async fn until_fewer_than(broker: &Broker, count: usize) -> BTreeMap<i64, String> {
    let fewer = async {
        loop {
            let found = records(broker).await;
            if found.len() < count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, fewer).await.expect("it is compacted in time")
}

#[tokio::test]
async fn a_compacted_topic_keeps_the_latest_record_of_each_key() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let running =
        Running::open(compacting(dir.path()), Arc::new(factum_base::clock::SystemClock)).expect("opened");
    let partition = topic(&running.broker, CleanupPolicy::Compact).await;
    fill(&partition).await;
    let found = until_fewer_than(&running.broker, 20).await;
    for last in 56..60 {
        assert!(found.get(&last).is_some_and(|value| value.starts_with(&last.to_string())), "{found:?}");
    }
    assert_eq!(running.broker.health().problems, Vec::<String>::new());
    running.stop().await;
}

#[tokio::test]
async fn a_partition_that_cannot_be_compacted_is_told_and_tried_again() {
    let (disk, clock) = (CrashDisk::seeded(1), HeldClock::at(NOW));
    let shared_clock: SharedClock = Arc::new(clock.clone());
    let (service, broker) = Service::open(
        compacting(Path::new("/data")),
        Arc::new(disk.clone()),
        shared_clock,
        Random::seeded(1),
    )
    .expect("a good disk");
    let group = TaskTree::new().child("broker");
    group.spawn("broker", OnError::StopServer, service.run(group.stop(), group.clone()));
    let min_compaction_lag = Some(Duration::from_secs(3_600));
    let config = TopicConfig { min_compaction_lag, ..config(CleanupPolicy::Compact) };
    let new = NewTopic { name: name("a"), partitions: Some(1), config };
    let topic = broker.create_topic(new).await.expect("a new topic");
    fill(&topic.partitions()[0]).await;
    let refused = FaultKind::Refused { call: Call::Create, os_error: 28 };
    disk.inject(Fault { after: 0, kind: refused, lasting: true });
    let is_told = || broker.health().problems.iter().any(|problem| problem.contains("a/0 is not compacted"));
    until(|| {
        clock.advance(Duration::from_secs(60));
        is_told()
    })
    .await;
    assert_eq!(records(&broker).await.len(), 60, "it is read as ever");
    disk.heal();
    until(|| {
        clock.advance(Duration::from_secs(60));
        !is_told()
    })
    .await;
    assert!(records(&broker).await.len() < 20);
    assert!(group.stop_within(PATIENCE).await.is_empty(), "everything stops in time");
}

async fn until(mut is_so: impl FnMut() -> bool) {
    let waits = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("it comes in time");
}

#[tokio::test]
async fn a_record_without_a_key_is_refused_on_every_path() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let running = Running::start(dir.path());
    let partition = topic(&running.broker, CleanupPolicy::CompactAndDelete).await;
    let refused = partition.append(batch(None, "no key")).expect_err("it has no key");
    assert!(matches!(refused, ProduceError::NoKey { index: 0 }), "{refused}");
    assert_eq!(refused.invalid_records().len(), 1);
    let record = |key: Option<&str>| NewRecord {
        key: key.map(|key| Bytes::copy_from_slice(key.as_bytes())),
        value: Some(Bytes::from_static(b"value")),
        ..NewRecord::default()
    };
    let refused = running.broker.produce(&name("a"), vec![record(Some("key")), record(None)]).await;
    assert!(matches!(refused, Err(EventLogError::Refused { index: 1, .. })), "{refused:?}");
    assert_eq!(records(&running.broker).await.len(), 0, "nothing is appended if any record is refused");
    running.broker.produce(&name("a"), vec![record(Some("key"))]).await.expect("it has a key");
    running.stop().await;
}

#[tokio::test]
async fn the_policy_changes_while_the_topic_is_in_use() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let running =
        Running::open(compacting(dir.path()), Arc::new(factum_base::clock::SystemClock)).expect("opened");
    let partition = topic(&running.broker, CleanupPolicy::Delete).await;
    let appended = partition.append(batch(None, "no key")).expect("the topic is not compacted");
    partition.durable(appended.last_offset).await.expect("synced");
    fill(&partition).await;
    assert_eq!(records(&running.broker).await.len(), 61);
    running.broker.alter_topic(&name("a"), config(CleanupPolicy::Compact)).await.expect("changed");
    let found = until_fewer_than(&running.broker, 20).await;
    assert_eq!(found.get(&0).map(String::as_str), Some("no key"), "there is nothing to compact it by");
    assert!(partition.append(batch(None, "no key")).is_err());
    running.broker.alter_topic(&name("a"), config(CleanupPolicy::Delete)).await.expect("changed");
    partition.append(batch(None, "no key")).expect("the topic is not compacted any more");
    running.stop().await;
}
