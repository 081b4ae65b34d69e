//! What a restart keeps.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use factum_base::clock::SystemClock;
use factum_broker::OpenError;
use factum_eventlog::{EventLog, NewTopic, TopicConfig};
use factum_types::{ByteSize, GroupId, Offset, TopicPartition};

use crate::support::{Running, fresh, name, new_topic, options, produce};

#[tokio::test]
async fn a_restart_keeps_topics_records_and_identities() {
    let (dir, running) = fresh();
    let config = TopicConfig {
        retention: Some(Duration::MAX),
        max_message_bytes: Some(ByteSize(5_000)),
        ..TopicConfig::default()
    };
    let new = NewTopic { name: name("store.orders"), partitions: Some(3), config: config.clone() };
    let topic = running.broker.create_topic(new).await.expect("a new topic");
    running.broker.produce(topic.name(), vec![crate::support::record("kept")]).await.expect("taken");
    let before = describe(&running);
    running.stop().await;
    let running = Running::start(dir.path());
    assert_eq!(describe(&running), before);
    let again = running.broker.topic("store.orders").expect("the topic is kept");
    assert_eq!((again.id(), again.config()), (topic.id(), config));
    assert_eq!(again.partitions()[0].max_message_bytes(), 5_000);
    running.stop().await;
}

fn describe(running: &Running) -> String {
    let topics = running.broker.topics();
    let topics = topics.iter().map(|topic| {
        let ends: Vec<_> = topic.partitions().iter().map(|p| p.bounds().high_watermark.get()).collect();
        format!("{} {} {ends:?}\n", topic.name(), topic.id())
    });
    format!("{}\n{}", running.broker.cluster_id(), topics.collect::<String>())
}

#[tokio::test]
async fn a_change_of_configuration_survives() {
    let (dir, running) = fresh();
    running.broker.create_topic(new_topic("a", 1)).await.expect("a new topic");
    let config = TopicConfig { segment_bytes: Some(ByteSize(1 << 20)), ..TopicConfig::default() };
    running.broker.alter_topic(&name("a"), config.clone()).await.expect("altered");
    running.stop().await;
    let running = Running::start(dir.path());
    let topic = running.broker.topic("a").expect("the topic is kept");
    assert_eq!(topic.config(), config);
    assert_eq!(topic.partitions()[0].log().options().segment_bytes, 1 << 20);
    running.stop().await;
}

#[tokio::test]
async fn committed_offsets_survive_and_those_of_deleted_topics_do_not() {
    let (dir, running) = fresh();
    let group = GroupId::new("readers").expect("a valid name");
    for topic in ["a", "b"] {
        running.broker.create_topic(new_topic(topic, 1)).await.expect("a new topic");
        produce(&running.broker, topic, "one").await;
    }
    let log: &dyn EventLog = &running.broker;
    let at = |topic: &str| TopicPartition::new(name(topic), 0);
    let offsets = vec![(at("a"), Offset::new(1)), (at("b"), Offset::new(1))];
    log.reset_group(&group, offsets).await.expect("nobody is in the group");
    log.delete_topic(&name("b")).await.expect("deleted");
    running.stop().await;
    let running = Running::start(dir.path());
    let log: &dyn EventLog = &running.broker;
    let groups = log.groups().await.expect("a list");
    let kept: Vec<_> = groups[0].offsets.iter().map(|c| format!("{} {}", c.partition, c.offset)).collect();
    assert_eq!(kept, ["a/0 1"]);
    running.stop().await;
}

#[tokio::test]
async fn producer_ids_are_never_given_out_twice() {
    let (dir, running) = fresh();
    let mut given = BTreeSet::new();
    for _ in 0..1_500 {
        let (id, epoch) = running.broker.allocate_producer_id().await.expect("an id");
        assert!(given.insert(id) && epoch == 0, "id {id} is new");
    }
    // A copy of the directory as it is now is what a crash would leave.
    let crashed = tempfile::tempdir().expect("a temporary directory");
    copy(&dir.path().join("producer-ids.json"), &crashed.path().join("producer-ids.json"));
    running.stop().await;
    for place in [dir.path(), crashed.path()] {
        let running = Running::start(place);
        let (id, _) = running.broker.allocate_producer_id().await.expect("an id");
        assert!(!given.contains(&id), "id {id} is new after a restart");
        running.stop().await;
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).expect("copied");
}

#[tokio::test]
async fn two_brokers_never_share_a_directory() {
    let (dir, running) = fresh();
    let second = Running::open(options(dir.path()), Arc::new(SystemClock));
    assert!(matches!(second.err(), Some(OpenError::InUse { .. })), "the first one holds it");
    running.stop().await;
    Running::start(dir.path()).stop().await;
}

#[tokio::test]
async fn a_directory_that_was_tampered_with_is_named() {
    let (dir, running) = fresh();
    running.broker.create_topic(new_topic("a", 2)).await.expect("a new topic");
    running.stop().await;
    let topics = dir.path().join("topics");
    let refused = || {
        let error = Running::open(options(dir.path()), Arc::new(SystemClock)).err().expect("refused");
        error.to_string().replace(&dir.path().display().to_string(), "<data>")
    };
    std::fs::rename(topics.join("a/1"), dir.path().join("aside")).expect("moved");
    expect!["<data>/topics/a/1 is missing; restore it, or remove its topic's directory"]
        .assert_eq(&refused());
    std::fs::rename(dir.path().join("aside"), topics.join("a/1")).expect("moved back");
    std::fs::create_dir(topics.join("stray")).expect("made");
    expect!["<data>/topics/stray holds no topic.json; restore it, or remove the directory"]
        .assert_eq(&refused());
    std::fs::remove_dir(topics.join("stray")).expect("removed");
    std::fs::write(topics.join("a/topic.json"), "{\"format\":1,").expect("written");
    expect!["understand <data>/topics/a/topic.json"].assert_eq(&refused());
}

#[tokio::test]
async fn what_was_left_half_made_or_half_removed_disappears() {
    let (dir, running) = fresh();
    running.broker.create_topic(new_topic("a", 1)).await.expect("a new topic");
    running.stop().await;
    let topics = dir.path().join("topics");
    std::fs::create_dir_all(topics.join("~new-1/0")).expect("made");
    std::fs::create_dir_all(topics.join("~deleted-2/0")).expect("made");
    let running = Running::start(dir.path());
    let mut left: Vec<_> = std::fs::read_dir(&topics)
        .expect("listed")
        .map(|entry| entry.expect("listed").file_name().into_string().expect("text"))
        .collect();
    left.sort();
    assert_eq!(left, ["__consumer_offsets", "a"]);
    running.stop().await;
}
