//! Topics come and go.

use std::sync::Arc;

use factum_base::clock::SystemClock;
use factum_broker::{
    AlterTopicError, CreateTopicError, DeleteTopicError, EnsureTopicError, Isolation, Options, ProduceError,
    ReadError,
};
use factum_eventlog::{EventLog, NewTopic, TopicConfig};
use factum_types::{ByteSize, Offset, TopicPartition};
use futures::future::join_all;

use crate::support::{
    PATIENCE, Running, append, batch_of, fresh, name, new_topic, one_partition, options, produce,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_use_it_first_one_topic_is_made() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let wanted = name("first.use");
    let ids = join_all((0..50).map(|_| async { broker.ensure_topic(&wanted, true).await })).await;
    let ids: Vec<_> = ids.into_iter().map(|topic| topic.expect("made or found").id()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "all got the same topic");
    assert_eq!(broker.topic("first.use").expect("it exists").partition_count(), 4, "as the defaults say");
    let error = broker.ensure_topic(&name("not.this"), false).await.expect_err("not allowed");
    assert!(matches!(error, EnsureTopicError::Unknown { .. }));
    running.stop().await;
}

#[tokio::test]
async fn names_that_differ_by_case_or_look_like_ours_are_topics_apart() {
    let (dir, running) = fresh();
    let names =
        ["orders", "Orders", "ORDERS", ".deleted", ".deleted-orders", "new-orders", "topic.json", "0"];
    for topic in names {
        running.broker.create_topic(new_topic(topic, 1)).await.expect("a new topic");
        produce(&running.broker, topic, topic).await;
    }
    running.stop().await;
    let mut folded: Vec<_> = std::fs::read_dir(dir.path().join("topics"))
        .expect("listed")
        .map(|entry| entry.expect("listed").file_name().to_string_lossy().to_lowercase())
        .collect();
    folded.sort();
    folded.dedup();
    assert_eq!(folded.len(), names.len() + 2, "no two directories differ by case alone");
    let running = Running::start(dir.path());
    for topic in names {
        let chunk = running
            .broker
            .read(&TopicPartition::new(name(topic), 0), Offset::ZERO, 1_000, PATIENCE)
            .await
            .expect("readable");
        assert_eq!(chunk.records[0].value.as_deref(), Some(topic.as_bytes()), "each has its own records");
    }
    running.broker.delete_topic(&name("Orders")).await.expect("deleted");
    assert!(running.broker.topic("orders").is_some(), "the others stay");
    running.stop().await;
}

#[tokio::test]
async fn limits_are_kept() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = Options { max_partitions: 11, max_topic_partitions: 6, ..options(dir.path()) };
    let running = Running::open(options, Arc::new(SystemClock)).expect("opened");
    let create =
        async |topic: &str, partitions| running.broker.create_topic(new_topic(topic, partitions)).await;
    assert!(matches!(create("a", 7).await, Err(CreateTopicError::InvalidPartitions { asked: 7, limit: 6 })));
    create("a", 5).await.expect("within both limits");
    let error = create("b", 5).await.expect_err("2 + 5 + 5");
    assert!(matches!(error, CreateTopicError::TooManyPartitions { total: 12, limit: 11 }));
    assert!(running.broker.validate_topic(&new_topic("b", 4)).is_ok(), "4 would still fit");
    running.broker.delete_topic(&name("a")).await.expect("deleted");
    create("b", 5).await.expect("there is room again");
    running.stop().await;
}

#[tokio::test]
async fn validation_makes_nothing() {
    let (_dir, running) = fresh();
    let unset = NewTopic { name: name("a"), partitions: None, config: TopicConfig::default() };
    assert_eq!(running.broker.validate_topic(&unset).expect("possible"), 4);
    assert!(running.broker.topic("a").is_none());
    let config = TopicConfig { max_message_bytes: Some(ByteSize(1)), ..TopicConfig::default() };
    let error = running.broker.validate_topic(&NewTopic { config, ..unset }).expect_err("one byte");
    assert_eq!(error.to_string(), "max.message.bytes must be 128 to 1073741824 bytes, not 1");
    running.stop().await;
}

#[tokio::test]
async fn the_coordinators_topic_is_nobody_elses() {
    let (_dir, running) = fresh();
    let offsets = name("__consumer_offsets");
    let broker = &running.broker;
    let error = broker.delete_topic(&offsets).await.expect_err("the broker lives on it");
    assert!(matches!(error, DeleteTopicError::Internal { .. }));
    let error = broker.alter_topic(&offsets, TopicConfig::default()).await.expect_err("the same");
    assert!(matches!(error, AlterTopicError::Internal { .. }));
    let partition = &broker.topic(offsets.as_str()).expect("it exists").partitions()[0].clone();
    assert!(matches!(partition.append(batch_of(10)), Err(ProduceError::Reserved)));
    let error = broker.produce(&offsets, vec![crate::support::record("forged")]).await.expect_err("the same");
    assert!(matches!(error, factum_eventlog::ProduceError::ReservedTopic { .. }), "not {error}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_reaches_whoever_reads_and_writes() {
    let (_dir, running) = fresh();
    let broker = &running.broker;
    let partition = one_partition(broker, "doomed").await;
    append(&partition, 10).await;
    let waiting = broker.fetch(factum_broker::Fetch {
        partitions: vec![factum_broker::FetchPartition {
            partition: Arc::clone(&partition),
            from: 1,
            limit_bytes: 1_000,
        }],
        min_bytes: 1,
        max_bytes: 1_000,
        isolation: Isolation::ReadUncommitted,
        max_wait: PATIENCE,
    });
    let (fetched, deleted) = futures::future::join(waiting, broker.delete_topic(&name("doomed"))).await;
    deleted.expect("deleted");
    assert!(matches!(fetched[0].result, Err(ReadError::Deleted)), "who waits is told at once");
    assert!(matches!(partition.append(batch_of(10)), Err(ProduceError::Deleted)));
    assert!(matches!(partition.read(0, 1_000, Isolation::ReadUncommitted), Err(ReadError::Deleted)));
    let again = one_partition(broker, "doomed").await;
    assert_eq!(append(&again, 10).await, 0, "a topic of the same name starts over");
    assert!(matches!(partition.append(batch_of(10)), Err(ProduceError::Deleted)), "old handles stay dead");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_made_and_deleted_under_load_leave_nothing_behind() {
    let (dir, running) = fresh();
    let broker = &running.broker;
    let churn = (0..4).map(|worker| async move {
        for round in 0..10 {
            let topic = format!("churn-{worker}-{round}");
            let partition = one_partition(broker, &topic).await;
            let appended = partition.append(batch_of(100)).expect("a batch is taken");
            let durable = partition.durable(appended.last_offset);
            let (synced, deleted) = futures::future::join(durable, broker.delete_topic(&name(&topic))).await;
            deleted.expect("deleted");
            // Whether it was synced before the end of the log is open; that it is answered is not.
            drop(synced);
        }
    });
    join_all(churn).await;
    let left: Vec<_> = std::fs::read_dir(dir.path().join("topics"))
        .expect("listed")
        .map(|entry| entry.expect("listed").file_name())
        .collect();
    assert_eq!(left, ["__consumer_offsets", "__transaction_state"]);
    running.stop().await;
}
