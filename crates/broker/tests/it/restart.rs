//! Restarts: topics, records and groups survive.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use factum_base::clock::SystemClock;
use factum_broker::{OpenError, ProduceError};
use factum_eventlog::{Admin, EventLog, NewTopic, TopicConfig};
use factum_types::{ByteSize, GroupId, Offset, TopicPartition};

use crate::support::{PATIENCE, Running, batch_of, fresh, name, new_topic, options, produce, record};

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
    running.broker.produce(topic.name(), vec![record("kept")]).await.expect("taken");
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
    log.reset_group(&group, offsets).await.expect("no one is in the group");
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

/// Harms topic `a` of a stopped broker by `harm`, starts it again and gives what health says.
async fn problems_after(harm: impl FnOnce(&Path)) -> String {
    let (dir, running) = fresh();
    for topic in ["a", "b"] {
        running.broker.create_topic(new_topic(topic, 2)).await.expect("a new topic");
        produce(&running.broker, topic, "kept").await;
    }
    let group = GroupId::new("readers").expect("a valid name");
    let at = TopicPartition::new(name("a"), 0);
    running.broker.reset_group(&group, vec![(at, Offset::ZERO)]).await.expect("no one is in the group");
    running.stop().await;
    harm(&dir.path().join("topics"));
    let running = Running::start(dir.path());
    produce(&running.broker, "b", "the other goes on").await;
    let groups = running.broker.groups().await.expect("a list");
    assert_eq!(groups[0].offsets.len(), 1, "offsets of a topic that may come back are kept");
    let problems = running.broker.health().problems.join("\n");
    if running.broker.topic("a").is_none() {
        let error = running.broker.create_topic(new_topic("a", 1)).await.expect_err("its records are there");
        assert!(error.to_string().contains("restore it, or delete the topic"), "{error}");
        running.broker.delete_topic(&name("a")).await.expect("given up");
        running.broker.create_topic(new_topic("a", 1)).await.expect("nothing is in the way");
        assert_eq!(running.broker.health().problems, Vec::<String>::new());
    }
    running.stop().await;
    problems.replace(&dir.path().display().to_string(), "<data>")
}

#[tokio::test]
async fn a_damaged_topic_stops_no_other() {
    let cut = problems_after(|topics| {
        std::fs::write(topics.join("a/topic.json"), "{\"format\":1,").expect("written");
    });
    expect!["topic a cannot be used: understand <data>/topics/a/topic.json: EOF while parsing a value at line 1 column 12"]
        .assert_eq(&cut.await);
    let lost = problems_after(|topics| std::fs::remove_file(topics.join("a/topic.json")).expect("removed"));
    expect![
        "topic a cannot be used: <data>/topics/a holds no topic.json; restore it, or remove the directory"
    ]
    .assert_eq(&lost.await);
    let partly = problems_after(|topics| std::fs::remove_dir_all(topics.join("a/1")).expect("removed"));
    expect!["topic a cannot be used: <data>/topics/a/1 is missing; restore it, or delete the topic"]
        .assert_eq(&partly.await);
    let files = problems_after(|topics| {
        for file in std::fs::read_dir(topics.join("a/1")).expect("listed") {
            std::fs::remove_file(file.expect("a file").path()).expect("removed");
        }
    });
    expect!["topic a cannot be used: <data>/topics/a/1 holds no log; restore its files, or delete the topic"]
        .assert_eq(&files.await);
}

#[tokio::test]
async fn a_topic_whose_directory_was_removed_is_missed_until_it_is_given_up() {
    let (dir, running) = fresh();
    for topic in ["a", "b", "c"] {
        produce(&running.broker, topic, "kept").await;
    }
    running.broker.delete_topic(&name("c")).await.expect("deleted");
    let id = running.broker.topic("a").expect("a topic").id().to_string();
    running.stop().await;
    let (topics, aside) = (dir.path().join("topics"), dir.path().join("aside"));
    std::fs::rename(topics.join("a"), &aside).expect("moved away");
    let running = Running::start(dir.path());
    let problems = running.broker.health().problems.join("\n").replace(&id, "<id>");
    expect!["topic a cannot be used: its directory was removed while no server ran; restore it, or give it up: delete the topic, or remove <data>/known-topics/<id>.json"].assert_eq(&problems.replace(&dir.path().display().to_string(), "<data>"));
    let error = running.broker.produce(&name("a"), vec![record("lost")]).await.expect_err("not a new topic");
    assert!(matches!(error, factum_eventlog::ProduceError::Unavailable { .. }), "not {error}");
    running.stop().await;

    std::fs::rename(&aside, topics.join("a")).expect("restored");
    let running = Running::start(dir.path());
    assert_eq!(running.broker.health().problems, Vec::<String>::new());
    running.stop().await;

    std::fs::rename(topics.join("a"), &aside).expect("moved away");
    let running = Running::start(dir.path());
    running.broker.delete_topic(&name("a")).await.expect("given up");
    assert_eq!(running.broker.health().problems, Vec::<String>::new());
    produce(&running.broker, "a", "another topic of the name").await;
    running.stop().await;
    let running = Running::start(dir.path());
    assert_eq!(running.broker.health().problems, Vec::<String>::new());
    running.stop().await;
}

#[tokio::test]
async fn entries_that_are_no_topics_are_skipped() {
    let problems = problems_after(|topics| {
        std::fs::create_dir(topics.join("lost+found")).expect("made");
        std::fs::write(topics.join(".DS_Store"), "Bud1").expect("written");
        std::fs::create_dir(topics.join("stray")).expect("made");
    });
    assert_eq!(problems.await, "");
}

#[tokio::test]
async fn a_topic_whose_directory_is_removed_takes_no_more_records() {
    let (dir, running) = fresh();
    for topic in ["a", "b"] {
        running.broker.create_topic(new_topic(topic, 1)).await.expect("a new topic");
        produce(&running.broker, topic, "taken").await;
    }
    std::fs::remove_dir_all(dir.path().join("topics/a")).expect("removed");
    let noticed = async {
        while running.broker.health().problems.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, noticed).await.expect("noticed in time");
    expect!["partition a/0 takes no records: its directory was removed; restore it and restart"]
        .assert_eq(&running.broker.health().problems.join("\n"));
    let error = running.broker.produce(&name("a"), vec![record("lost")]).await.expect_err("refused");
    assert!(error.is_transient(), "not {error}");
    let partition = Arc::clone(&running.broker.topic("a").expect("still listed").partitions()[0]);
    assert!(matches!(partition.append(batch_of(1)), Err(ProduceError::Missing)));
    produce(&running.broker, "b", "the other goes on").await;
    running.broker.delete_topic(&name("a")).await.expect("given up");
    assert_eq!(running.broker.health().problems, Vec::<String>::new());
    running.stop().await;
    let running = Running::start(dir.path());
    assert_eq!(running.broker.health().problems, Vec::<String>::new());
    running.stop().await;
}

#[tokio::test]
async fn half_created_and_half_deleted_topics_are_removed() {
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
    assert_eq!(left, ["__consumer_offsets", "__transaction_state", "a"]);
    running.stop().await;
}
