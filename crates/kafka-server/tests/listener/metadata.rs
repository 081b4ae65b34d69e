//! Metadata and DescribeCluster: where to connect, which topics there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use factum_broker::AutoCreateTopics;
use factum_kafka_server::Options;
use factum_types::auth::AllowAll;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponse;
use kafka_protocol::messages::{
    DescribeClusterRequest, DescribeGroupsRequest, GroupId, MetadataRequest, TopicName,
};
use uuid::Uuid;

use crate::client::text;
use crate::server::Server;

/// Asks for one topic by name.
fn by_name(name: &str, may_create: bool) -> MetadataRequest {
    let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text(name))));
    MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(may_create)
}

fn names(response: &MetadataResponse) -> Vec<&str> {
    response.topics.iter().map(|topic| topic.name.as_ref().expect("a name").as_str()).collect()
}

#[tokio::test]
async fn clients_are_told_the_address_that_they_reached() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for version in 0..=13 {
        let response = client.ask(&MetadataRequest::default().with_topics(Some(Vec::new())), version).await;
        let broker = &response.brokers[0];
        assert_eq!(broker.host.as_str(), server.address.ip().to_string());
        assert_eq!((broker.port, broker.node_id.0), (i32::from(server.address.port()), 1));
        if version >= 2 {
            assert_eq!(response.cluster_id.as_deref(), Some(server.broker.cluster_id()));
        }
    }
}

#[tokio::test]
async fn clients_are_told_the_advertised_address_where_there_is_one() {
    let advertised = Some("kafka.example:19092".parse().expect("an endpoint"));
    let options = Options { advertised, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    let mut client = server.client().await;
    let response = client.ask(&MetadataRequest::default(), 9).await;
    assert_eq!((response.brokers[0].host.as_str(), response.brokers[0].port), ("kafka.example", 19092));
    let response = client.ask(&DescribeClusterRequest::default().with_endpoint_type(1), 1).await;
    assert_eq!((response.brokers[0].host.as_str(), response.brokers[0].port), ("kafka.example", 19092));
    assert_eq!(response.cluster_id.as_str(), server.broker.cluster_id());
    let response = client.ask(&DescribeClusterRequest::default().with_endpoint_type(2), 1).await;
    assert_eq!(response.error_code, 114);
}

#[tokio::test]
async fn topics_are_made_on_first_use_if_the_request_allows() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let response = client.ask(&by_name("orders", false), 12).await;
    assert_eq!(response.topics[0].error_code, 3);
    let response = client.ask(&by_name("orders", true), 12).await;
    let topic = &response.topics[0];
    assert_eq!((topic.error_code, topic.partitions.len()), (0, 4));
    assert_eq!(topic.topic_id, server.broker.topic("orders").expect("made").id().uuid());
    let response = client.ask(&by_name("no/name", true), 12).await;
    assert_eq!(response.topics[0].error_code, 17);
}

#[tokio::test]
async fn topics_are_not_created_on_first_use_where_a_project_is_applied() {
    let setting = AutoCreateTopics::WithoutProject;
    let server = Server::start_creating(setting, Options::default(), Arc::new(AllowAll)).await;
    let mut client = server.client().await;
    assert_eq!(client.ask(&by_name("orders", true), 12).await.topics[0].error_code, 0);
    let is_applied = Arc::new(AtomicBool::new(true));
    let applied = Arc::clone(&is_applied);
    server.broker.follow_project(move || applied.load(Ordering::Relaxed));
    assert_eq!(client.ask(&by_name("oders", true), 12).await.topics[0].error_code, 3);
    assert!(server.broker.topic("oders").is_none());
    assert_eq!(client.ask(&by_name("orders", true), 12).await.topics[0].error_code, 0, "it is there already");
    is_applied.store(false, Ordering::Relaxed);
    assert_eq!(client.ask(&by_name("oders", true), 12).await.topics[0].error_code, 0);
}

#[tokio::test]
async fn topics_are_found_by_id_and_all_at_once() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    server.create_topic("visits", 1).await;
    let mut client = server.client().await;
    let id = server.broker.topic("visits").expect("made").id().uuid();
    for (id, error, name) in [(id, 0, Some("visits")), (Uuid::from_u128(9), 100, None)] {
        let topic = MetadataRequestTopic::default().with_topic_id(id).with_name(None);
        let response = client.ask(&MetadataRequest::default().with_topics(Some(vec![topic])), 12).await;
        let topic = &response.topics[0];
        assert_eq!((topic.error_code, topic.topic_id), (error, id));
        assert_eq!(topic.name.as_ref().map(|name| name.as_str()), name);
    }
    let all = ["__consumer_offsets", "__transaction_state", "orders", "visits"];
    assert_eq!(names(&client.ask(&MetadataRequest::default().with_topics(None), 9).await), all);
    // In version 0 an empty list asks for all.
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    assert_eq!(names(&client.ask(&request, 0).await), all);
}

/// Bits of Kafka's `AclOperation`, as its `AclEntry.supportedOperations` has them.
#[tokio::test]
async fn a_client_that_may_do_everything_gets_every_operation_of_kafka() {
    let bits = |operations: &[i32]| operations.iter().fold(0, |bits, operation| bits | 1 << operation);
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let asked = MetadataRequest::default()
        .with_topics(None)
        .with_include_topic_authorized_operations(true)
        .with_include_cluster_authorized_operations(true);
    let response = client.ask(&asked, 8).await;
    assert_eq!(response.topics[0].topic_authorized_operations, bits(&[3, 4, 5, 6, 7, 8, 10, 11]));
    assert_eq!(response.cluster_authorized_operations, bits(&[5, 7, 8, 9, 10, 11, 12]));
    let asked = DescribeGroupsRequest::default()
        .with_groups(vec![GroupId(text("readers"))])
        .with_include_authorized_operations(true);
    let response = client.ask(&asked, 5).await;
    assert_eq!(response.groups[0].authorized_operations, bits(&[3, 6, 8, 10, 11]));
}
