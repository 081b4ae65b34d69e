//! Looking after topics.

use std::time::Duration;

use factum_types::{ByteSize, Offset, TopicId, TopicName};

use super::{Log, PLENTY, at, end_of, new_topic, produce_values, read_from, topic_name, value, value_in};
use crate::{AdminError, NewTopic, ProduceError, ReadError, TopicConfig, TopicEdit};

pub(super) async fn are_made_listed_and_described(log: Log) {
    let config = TopicConfig {
        retention: Some(Duration::from_secs(3_600)),
        retention_bytes: Some(ByteSize(1 << 30)),
        ..TopicConfig::default()
    };
    let new = NewTopic { name: topic_name("made"), partitions: Some(3), config: config.clone() };
    let made = log.create_topic(new).await.expect("a new topic");
    assert_eq!((&made.name, made.partitions.len()), (&topic_name("made"), 3), "it is as it was asked for");
    assert_eq!(made.config.retention, config.retention, "what was set is kept");
    assert_eq!(made.config.retention_bytes, config.retention_bytes, "what was set is kept");
    let described = log.topic(&topic_name("made")).await.expect("a topic that was made is there");
    assert_eq!(described, made, "a description tells what the making told");
    let listed = log.topics().await.expect("a list");
    assert!(listed.contains(&made), "the list has it");
    assert!(listed.is_sorted_by(|one, other| one.name < other.name), "the list is in order");
    let unset = NewTopic { name: topic_name("unset"), partitions: None, config: TopicConfig::default() };
    let unset = log.create_topic(unset).await.expect("a new topic");
    assert!(!unset.partitions.is_empty(), "without a number the default is taken");
}

pub(super) async fn are_made_once(log: Log) {
    let topic = new_topic(&log, "once", 2).await;
    let again = NewTopic { name: topic.clone(), partitions: Some(5), config: TopicConfig::default() };
    let error = log.create_topic(again).await.expect_err("it exists");
    assert!(matches!(error, AdminError::TopicExists { .. }), "not {error}");
    let unchanged = log.topic(&topic).await.expect("the first is there");
    assert_eq!(unchanged.partitions.len(), 2, "the first is as it was");
}

pub(super) async fn have_possible_partitions(log: Log) {
    for partitions in [0, -1, i32::MAX] {
        let new = NewTopic {
            name: topic_name("impossible"),
            partitions: Some(partitions),
            config: TopicConfig::default(),
        };
        let error = log.create_topic(new).await.expect_err("an impossible number of partitions");
        assert!(matches!(error, AdminError::Invalid { .. }), "not {error}");
    }
    let error = log.topic(&topic_name("impossible")).await.expect_err("nothing of it is there");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "not {error}");
}

pub(super) async fn are_altered(log: Log) {
    let topic = new_topic(&log, "altered", 1).await;
    let large = "x".repeat(3_000);
    produce_values(&log, &topic, &[&large]).await;
    let config = TopicConfig { max_message_bytes: Some(ByteSize(2_048)), ..TopicConfig::default() };
    let altered = log.alter_topic(&topic, config.clone()).await.expect("altered");
    assert_eq!(altered.config.max_message_bytes, config.max_message_bytes, "the change is told");
    let described = log.topic(&topic).await.expect("a topic");
    assert_eq!(described.config.max_message_bytes, config.max_message_bytes, "the change is kept");
    let error = log.produce(&topic, vec![value(&large)]).await.expect_err("too large by now");
    assert!(matches!(error, ProduceError::TooLarge { .. }), "not {error}");
    assert_eq!(end_of(&log, &at(&topic, 0)).await, 1, "records from before are still there");
    let error = log.alter_topic(&topic_name("never-altered"), config).await.expect_err("no such topic");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "not {error}");
}

pub(super) async fn are_edited_by_several_at_once(log: Log) {
    let topic = new_topic(&log, "edited", 1).await;
    for round in 1..=20_u64 {
        let retention = Duration::from_secs(3_600 * round);
        let size = ByteSize(1_048_576 * round);
        let edits: [TopicEdit; 3] = [
            Box::new(move |config| TopicConfig { retention: Some(retention), ..config }),
            Box::new(move |config| TopicConfig { retention_bytes: Some(size), ..config }),
            Box::new(move |config| TopicConfig { max_message_bytes: Some(size), ..config }),
        ];
        let [one, two, three] = edits.map(|edit| log.edit_topic(&topic, edit));
        let (one, two, three) = tokio::join!(one, two, three);
        for edited in [one, two, three] {
            edited.expect("edited");
        }
        let config = log.topic(&topic).await.expect("a topic").config;
        let all = (config.retention, config.retention_bytes, config.max_message_bytes);
        assert_eq!(all, (Some(retention), Some(size), Some(size)), "no edit is lost");
    }
    let unknown = log.edit_topic(&topic_name("never-edited"), Box::new(|config| config)).await;
    let error = unknown.expect_err("no such topic");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "not {error}");
}

pub(super) async fn are_given_partitions(log: Log) {
    let topic = new_topic(&log, "growing", 1).await;
    produce_values(&log, &topic, &["before"]).await;
    let grown = log.create_partitions(&topic, 3).await.expect("grown");
    assert_eq!(grown.partitions.len(), 3, "the change is told");
    assert_eq!(log.topic(&topic).await.expect("a topic"), grown, "and kept");
    assert_eq!(end_of(&log, &at(&topic, 0)).await, 1, "records stay where they are");
    for partition in [1, 2] {
        log.produce(&topic, vec![value_in(partition, "after")]).await.expect("a new partition takes records");
        assert_eq!(end_of(&log, &at(&topic, partition)).await, 1, "and gives them");
    }
    for impossible in [3, 2, 0, -1, i32::MAX] {
        let error = log.create_partitions(&topic, impossible).await.expect_err("no growth");
        assert!(matches!(error, AdminError::Invalid { .. }), "{impossible}: {error}");
    }
    let error = log.create_partitions(&topic_name("never-grown"), 2).await.expect_err("no such topic");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "not {error}");
}

pub(super) async fn are_deleted_and_made_anew(log: Log) {
    let topic = new_topic(&log, "deleted", 1).await;
    let first = log.topic(&topic).await.expect("a topic");
    produce_values(&log, &topic, &["old"]).await;
    log.delete_topic(&topic).await.expect("deleted");
    let error = log.topic(&topic).await.expect_err("it is gone");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "not {error}");
    let error = log.delete_topic(&topic).await.expect_err("it is gone already");
    assert!(matches!(error, AdminError::UnknownTopic { .. }), "not {error}");
    let read = log.read(&at(&topic, 0), Offset::ZERO, PLENTY, Duration::ZERO).await;
    assert!(matches!(read, Err(ReadError::UnknownPartition { .. })), "its records are gone");
    let topic = new_topic(&log, "deleted", 1).await;
    let second = log.topic(&topic).await.expect("a topic");
    assert!(second.id == TopicId::NIL || second.id != first.id, "a new topic is another topic");
    assert_eq!(read_from(&log, &at(&topic, 0), 0, PLENTY).await, [], "and starts empty");
    produce_values(&log, &topic, &["new"]).await;
    assert_eq!(end_of(&log, &at(&topic, 0)).await, 1, "from offset 0");
}

pub(super) async fn of_the_server_are_out_of_reach(log: Log) {
    for name in ["_factum.resources", "_factum.anything", "_schemas", "__consumer_offsets", "__anything"] {
        let topic = TopicName::new(name).expect("a valid topic name");
        let new = NewTopic { name: topic.clone(), partitions: Some(1), config: TopicConfig::default() };
        let made = log.create_topic(new).await.expect_err("reserved");
        assert!(matches!(made, AdminError::ReservedTopic { .. }), "create {name}: {made}");
        let altered = log.alter_topic(&topic, TopicConfig::default()).await.expect_err("reserved");
        assert!(matches!(altered, AdminError::ReservedTopic { .. }), "alter {name}: {altered}");
        let grown = log.create_partitions(&topic, 100).await.expect_err("reserved");
        assert!(matches!(grown, AdminError::ReservedTopic { .. }), "grow {name}: {grown}");
        let deleted = log.delete_topic(&topic).await.expect_err("reserved");
        assert!(matches!(deleted, AdminError::ReservedTopic { .. }), "delete {name}: {deleted}");
        let produced = log.produce(&topic, vec![value("junk")]).await.expect_err("reserved");
        assert!(matches!(produced, ProduceError::ReservedTopic { .. }), "produce to {name}: {produced}");
    }
}
