//! Fetch and ListOffsets.

use std::time::Duration;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{FetchResponse, PartitionData};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, ListOffsetsRequest, TopicName};
use tokio::time::timeout;
use uuid::Uuid;

use crate::client::{batch, text, values};
use crate::producing::{offset, outcome, produce};
use crate::server::Server;

/// Reads partition 0 of `topic` from `from`, waiting for a byte.
pub(crate) fn fetch(topic: &str, from: i64, wait: Duration) -> FetchRequest {
    let partition =
        FetchPartition::default().with_partition(0).with_fetch_offset(from).with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(TopicName(text(topic))).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(i32::try_from(wait.as_millis()).expect("a short wait"))
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_topics(vec![topic])
}

/// Asks for the end of partition 0.
pub(crate) fn latest(topic: &str) -> ListOffsetsRequest {
    offset_at(topic, -1)
}

/// Asks for the first offset of partition 0.
pub(crate) fn earliest(topic: &str) -> ListOffsetsRequest {
    offset_at(topic, -2)
}

fn offset_at(topic: &str, timestamp: i64) -> ListOffsetsRequest {
    let asked = ListOffsetsPartition::default().with_partition_index(0).with_timestamp(timestamp);
    let asked = ListOffsetsTopic::default().with_name(TopicName(text(topic))).with_partitions(vec![asked]);
    ListOffsetsRequest::default().with_topics(vec![asked])
}

fn only(response: &FetchResponse) -> &PartitionData {
    &response.responses[0].partitions[0]
}

fn read(response: &FetchResponse) -> Vec<String> {
    only(response).records.clone().map(values).unwrap_or_default()
}

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(15);

#[tokio::test]
async fn produced_records_are_fetched_in_every_version() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let id = server.broker.topic("orders").expect("created").id().uuid();
    let mut client = server.client().await;
    client.ask(&produce("orders", 0, -1, Some(batch(&["a", "b"]))), 9).await;
    client.ask(&produce("orders", 0, -1, Some(batch(&["c"]))), 9).await;
    for version in 4..=18 {
        let mut request = fetch("orders", 0, SHORT);
        if version >= 13 {
            request.topics[0].topic_id = id;
            request.topics[0].topic = TopicName::default();
        }
        let response = client.ask(&request, version).await;
        assert_eq!(only(&response).error_code, 0, "version {version}");
        assert_eq!(read(&response), ["a", "b", "c"], "version {version}");
        assert_eq!((only(&response).high_watermark, only(&response).last_stable_offset), (3, 3));
        assert_eq!(response.session_id, 0);
    }
}

#[tokio::test]
async fn a_fetch_waits_for_records_and_no_longer() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let (mut reader, mut writer) = (server.client().await, server.client().await);
    let id = reader.send(&fetch("orders", 0, LONG), 12).await;
    // Once the fetch waits: the reader's connection is served by another task, so let it.
    tokio::time::sleep(SHORT).await;
    writer.ask(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
    let response = timeout(LONG / 2, reader.receive::<FetchRequest>(12, id)).await;
    assert_eq!(read(&response.expect("woken by the records, not by the clock")), ["a"]);
    let response = reader.ask(&fetch("orders", 1, SHORT), 12).await;
    assert_eq!((only(&response).error_code, read(&response)), (0, Vec::new()));
}

#[tokio::test]
async fn a_large_batch_is_fetched_whatever_the_limit() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let large = "x".repeat(900_000);
    client.ask(&produce("orders", 0, -1, Some(batch(&[&large]))), 9).await;
    let response = client.ask(&fetch("orders", 0, SHORT).with_max_bytes(10), 12).await;
    assert_eq!(read(&response), [large]);
}

#[tokio::test]
async fn errors_are_answered_at_once_and_by_partition() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let by_id = |id| {
        let mut request = fetch("", 0, LONG);
        request.topics[0].topic_id = id;
        request
    };
    let epoch = |epoch| {
        let mut request = fetch("orders", 0, LONG);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        request
    };
    for (case, request, version, expected) in [
        ("an unknown topic", fetch("nowhere", 0, LONG), 12, 3),
        ("an unknown id", by_id(Uuid::from_u128(7)), 13, 100),
        ("past the end", fetch("orders", 5, LONG), 12, 1),
        ("before the start", fetch("orders", -1, LONG), 12, 1),
        ("an epoch to come", epoch(1_000), 12, 75),
    ] {
        let response = timeout(LONG / 2, client.ask(&request, version)).await;
        assert_eq!(only(&response.expect("errors do not wait")).error_code, expected, "{case}");
    }
    let response = client.ask(&fetch("orders", 0, LONG).with_session_id(9).with_session_epoch(3), 12).await;
    assert_eq!(response.error_code, 70, "there is no such session");
}

/// As in Kafka's `FetchManager.newContext`: the session matters only to a request that goes on with it.
#[tokio::test]
async fn a_full_fetch_is_served_whatever_session_it_names() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    client.ask(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
    for (id, epoch, expected) in
        [(0, -1, 0), (0, 0, 0), (-1, -1, 0), (9, 0, 0), (9, -1, 0), (0, 1, 70), (9, 1, 70), (9, -2, 70)]
    {
        let asked = fetch("orders", 0, SHORT).with_session_id(id).with_session_epoch(epoch);
        let response = client.ask(&asked, 12).await;
        assert_eq!(response.error_code, expected, "session {id}, epoch {epoch}");
        assert_eq!(response.responses.len(), usize::from(expected == 0), "session {id}, epoch {epoch}");
        assert_eq!(response.session_id > 0, epoch == 0, "session {id}, epoch {epoch}: one begins at 0");
    }
}

#[tokio::test]
async fn offsets_are_found_by_landmark_and_by_time() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let response = client.ask(&produce("orders", 0, -1, Some(batch(&["a", "b"]))), 9).await;
    assert_eq!(outcome(&response).error_code, 0);
    let time = 1_700_000_000_000;
    for (timestamp, expected) in [
        (-1, (0, 2)),
        (-2, (0, 0)),
        (-4, (0, 0)),
        (-5, (0, -1)),
        (time, (0, 0)),
        (time + 1, (0, -1)),
        (-9, (42, -1)),
    ] {
        assert_eq!(offset(&mut client, "orders", 0, timestamp).await, expected, "{timestamp}");
    }
    assert_eq!(offset(&mut client, "nowhere", 0, -1).await, (3, -1));
    assert_eq!(offset(&mut client, "orders", 7, -1).await, (3, -1));
}
