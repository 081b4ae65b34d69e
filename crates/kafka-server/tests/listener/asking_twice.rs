//! Requests that name the same thing many times, and requests that cost much to answer.

use factum_types::{BatchBuilder, Compression, Timestamp};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{
    ApiVersionsRequest, DeleteTopicsRequest, FindCoordinatorRequest, GroupId, ListOffsetsRequest,
    OffsetCommitRequest, OffsetFetchRequest, TopicName,
};

use crate::client::{Client, batch, text};
use crate::fetching::fetch;
use crate::producing::{outcome, produce};
use crate::server::Server;

const TIME: i64 = 1_700_000_000_000;

fn by_time(topic: &str, partitions: impl IntoIterator<Item = i32>) -> ListOffsetsRequest {
    let asked = partitions
        .into_iter()
        .map(|index| ListOffsetsPartition::default().with_partition_index(index).with_timestamp(TIME));
    let topic =
        ListOffsetsTopic::default().with_name(TopicName(text(topic))).with_partitions(asked.collect());
    ListOffsetsRequest::default().with_topics(vec![topic])
}

/// One record of many megabytes that takes a few kilobytes, in each of the partitions.
async fn fill_with_large_records(client: &mut Client, topic: &str, partitions: i32) {
    let value = vec![b'x'; 48 << 20];
    for partition in 0..partitions {
        let mut builder = BatchBuilder::new();
        builder.push(Timestamp::from_millis(TIME), None, Some(&value), &[]);
        let packed = builder.compression(Compression::Zstd).build().freeze();
        let response = client.ask(&produce(topic, partition, -1, Some(packed)), 9).await;
        assert_eq!(outcome(&response).error_code, 0);
    }
}

#[tokio::test]
async fn searches_by_time_do_not_stop_the_other_clients() {
    let server = Server::start().await;
    server.create_topic("orders", 8).await;
    let (mut asking, mut other) = (server.client().await, server.client().await);
    fill_with_large_records(&mut asking, "orders", 8).await;
    let id = asking.send(&by_time("orders", 0..8), 9).await;
    tokio::task::yield_now().await;
    for _ in 0..3 {
        other.ask(&ApiVersionsRequest::default(), 0).await;
    }
    let early = asking.stream.try_read(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock), "the search goes on beside the others");
    let found = asking.receive::<ListOffsetsRequest>(9, id).await;
    assert!(found.topics[0].partitions.iter().all(|each| (each.error_code, each.offset) == (0, 0)));
}

/// As in Kafka's `ReplicaManager.fetchOffset`.
#[tokio::test]
async fn a_partition_that_is_named_twice_is_not_searched_at_all() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    client.ask(&produce("orders", 1, -1, Some(batch(&["a"]))), 9).await;
    let response = client.ask(&by_time("orders", [0, 1, 0, 0]), 9).await;
    let codes: Vec<_> = response.topics[0].partitions.iter().map(|each| each.error_code).collect();
    assert_eq!(codes, [42, 0, 42, 42]);
}

#[tokio::test]
async fn a_partition_that_is_fetched_twice_is_answered_once() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    client.ask(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
    let mut request = fetch("orders", 7, std::time::Duration::ZERO);
    request.topics.extend(fetch("orders", 0, std::time::Duration::ZERO).topics);
    let response = client.ask(&request, 12).await;
    assert_eq!((response.responses.len(), response.responses[0].partitions.len()), (1, 1));
    assert_eq!(response.responses[0].partitions[0].error_code, 0, "what is said last counts");
}

fn commit(partition: i32, offset: i64, metadata: &str) -> OffsetCommitRequestPartition {
    OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text(metadata)))
}

async fn commit_all(client: &mut Client, partitions: Vec<OffsetCommitRequestPartition>) -> Vec<i16> {
    let topic =
        OffsetCommitRequestTopic::default().with_name(TopicName(text("orders"))).with_partitions(partitions);
    let request =
        OffsetCommitRequest::default().with_group_id(GroupId(text("readers"))).with_topics(vec![topic]);
    let response = client.ask(&request, 9).await;
    response.topics[0].partitions.iter().map(|each| each.error_code).collect()
}

async fn committed(client: &mut Client, partitions: Vec<i32>) -> Vec<(i32, i64)> {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(TopicName(text("orders")))
        .with_partition_indexes(partitions);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(text("readers")))
        .with_topics(Some(vec![topic]));
    let response = client.ask(&OffsetFetchRequest::default().with_groups(vec![group]), 9).await;
    let partitions = response.groups[0].topics[0].partitions.iter();
    partitions.map(|each| (each.partition_index, each.committed_offset)).collect()
}

#[tokio::test]
async fn one_text_that_is_too_long_refuses_its_own_partition() {
    let server = Server::start().await;
    server.create_topic("orders", 3).await;
    let mut client = server.client().await;
    let long = "x".repeat(5_000);
    let asked = vec![commit(0, 1, "short"), commit(1, 2, &long), commit(2, 3, "short")];
    assert_eq!(commit_all(&mut client, asked).await, [0, 12, 0]);
    assert_eq!(committed(&mut client, vec![0, 1, 2]).await, [(0, 1), (1, -1), (2, 3)]);
}

#[tokio::test]
async fn offsets_are_kept_and_answered_once_for_each_partition() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    let asked = vec![commit(0, 1, ""), commit(1, 5, ""), commit(0, 9, "")];
    assert_eq!(commit_all(&mut client, asked).await, [0, 0, 0]);
    assert_eq!(committed(&mut client, vec![1, 0, 1, 1, 0]).await, [(1, 5), (0, 9)], "the last one counts");
}

/// As in Kafka's `ControllerApis.deleteTopics`.
#[tokio::test]
async fn a_topic_that_is_named_twice_is_not_deleted() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    server.create_topic("returns", 1).await;
    let mut client = server.client().await;
    let topics = ["orders", "returns", "orders"]
        .map(|name| DeleteTopicState::default().with_name(Some(TopicName(text(name)))));
    let response = client.ask(&DeleteTopicsRequest::default().with_topics(topics.to_vec()), 6).await;
    let codes: Vec<_> = response.responses.iter().map(|each| each.error_code).collect();
    assert_eq!(codes, [42, 0, 42]);
    assert!(server.broker.topic("orders").is_some() && server.broker.topic("returns").is_none());
}

#[tokio::test]
async fn a_coordinator_that_is_asked_for_twice_is_answered_once() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("readers"); 1_000]);
    assert_eq!(client.ask(&request, 4).await.coordinators.len(), 1);
}
