//! The server's own topics: out of a client's reach, within the server's.

use factum_broker::{CreateTopicError, DeleteTopicError, EnsureTopicError, ProduceError};
use factum_eventlog::{Admin, EventLog, TopicConfig};
use factum_types::{Offset, TopicPartition};

use crate::support::{PATIENCE, batch_of, fresh, name, new_topic, record};

const OWN: [&str; 3] = ["_factum.resources", "_schemas", "__anything"];

#[tokio::test]
async fn a_client_reads_the_servers_topics_and_does_nothing_else_to_them() {
    let (_dir, running) = fresh();
    let (broker, internal) = (&running.broker, running.broker.internal_log());
    for own in OWN {
        Admin::create_topic(&internal, new_topic(own, 1)).await.expect("the server makes it");
        internal.produce(&name(own), vec![record("kept")]).await.expect("the server writes it");
        let topic = broker.topic(own).expect("there");

        let appended = topic.partitions()[0].append(batch_of(10)).expect_err("a Kafka client's batch");
        assert!(matches!(appended, ProduceError::Reserved), "{own}: {appended}");
        let deleted = broker.delete_topic(&name(own)).await.expect_err("by name");
        assert!(matches!(deleted, DeleteTopicError::Internal { .. }), "{own}: {deleted}");
        let deleted = broker.delete_topic_by_id(topic.id()).await.expect_err("by id");
        assert!(matches!(deleted, DeleteTopicError::Internal { .. }), "{own}: {deleted}");
        broker.alter_topic(&name(own), TopicConfig::default()).await.expect_err("altered by a client");

        let at = TopicPartition::new(name(own), 0);
        let chunk = broker.read(&at, Offset::ZERO, 1_000, PATIENCE).await.expect("a client may read");
        assert_eq!(chunk.records.len(), 1, "{own}");
        Admin::alter_topic(&internal, &name(own), TopicConfig::default())
            .await
            .expect("the server alters it");
        Admin::delete_topic(&internal, &name(own)).await.expect("the server removes it");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_client_makes_no_reserved_topic_by_using_it() {
    let (_dir, running) = fresh();
    for own in OWN {
        let ensured = running.broker.ensure_topic(&name(own), true).await.expect_err("reserved");
        let is_reserved = matches!(ensured, EnsureTopicError::Create(CreateTopicError::Reserved { .. }));
        assert!(is_reserved, "{own}: {ensured}");
        running.broker.validate_topic(&new_topic(own, 1)).expect_err("the check says the same");
    }
    running.stop().await;
}

#[tokio::test]
async fn the_coordinators_topic_is_out_of_the_servers_reach_too() {
    let (_dir, running) = fresh();
    let (internal, offsets) = (running.broker.internal_log(), name("__consumer_offsets"));
    internal.produce(&offsets, vec![record("junk")]).await.expect_err("written");
    Admin::alter_topic(&internal, &offsets, TopicConfig::default()).await.expect_err("altered");
    Admin::delete_topic(&internal, &offsets).await.expect_err("removed");
    running.stop().await;
}

#[tokio::test]
async fn an_id_removes_no_topic_that_was_made_anew_under_its_name() {
    let (_dir, running) = fresh();
    let old = running.broker.create_topic(new_topic("a", 1)).await.expect("made").id();
    running.broker.delete_topic_by_id(old).await.expect("removed by id");
    let new = running.broker.create_topic(new_topic("a", 1)).await.expect("created again").id();
    let error = running.broker.delete_topic_by_id(old).await.expect_err("it is gone");
    assert!(matches!(error, DeleteTopicError::UnknownId { id } if id == old), "{error}");
    assert_eq!(running.broker.topic("a").map(|topic| topic.id()), Some(new), "the new one stays");
    running.stop().await;
}
