//! Clients that have used more than their quotas.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, MetadataRequest, ProduceRequest, TopicName,
};
use tokio::time::Instant;

use crate::client::{CLIENT_ID, Client, batch, name_of, text};
use crate::client_quotas::{alter, entry};
use crate::fetching::fetch;
use crate::producing::{outcome, produce};
use crate::server::{PATIENCE, Server};

/// Limits those that call themselves as the clients of these tests do.
async fn limit(server: &Server, key: &str, value: f64) {
    let mut administrator = server.client().await.named("administrator");
    let entry = entry(&[("client-id", Some(CLIENT_ID))], &[(key, Some(value))]);
    assert_eq!(alter(&mut administrator, vec![entry]).await, ["NONE"]);
}

fn of_bytes(count: usize) -> Bytes {
    batch(&["x".repeat(count).as_str()])
}

fn milliseconds(of: i32) -> Duration {
    Duration::from_millis(u64::try_from(of).expect("a time to wait"))
}

#[tokio::test]
async fn a_producer_beyond_its_quota_is_told_at_once_and_waits_and_its_neighbour_does_not() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    limit(&server, "producer_byte_rate", 1_000.0).await;
    let mut client = server.client().await;
    let response = client.ask(&produce("orders", 0, -1, Some(of_bytes(9_000))), 9).await;
    assert_eq!((outcome(&response).error_code, response.throttle_time_ms), (0, 0), "it is below");
    let began = Instant::now();
    let response = client.ask(&produce("orders", 0, -1, Some(of_bytes(3_000))), 9).await;
    assert_eq!(outcome(&response).error_code, 0, "what it sent is appended");
    let wait = milliseconds(response.throttle_time_ms);
    assert!((Duration::from_millis(1)..Duration::from_millis(2_500)).contains(&wait), "{wait:?}");

    // Another name, and another request of the first, sent right away.
    let mut neighbour = server.client().await.named("neighbour");
    let response = neighbour.ask(&produce("orders", 0, -1, Some(of_bytes(50_000))), 9).await;
    assert_eq!((outcome(&response).error_code, response.throttle_time_ms), (0, 0));
    client.ask(&ApiVersionsRequest::default(), 0).await;
    assert!(
        began.elapsed() >= wait,
        "its next request began after {:?} instead of {wait:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn requests_that_were_sent_together_wait_for_each_other() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    limit(&server, "producer_byte_rate", 1_000.0).await;
    let (mut client, began) = (server.client().await, Instant::now());
    let mut sent = Vec::new();
    for acks in [0, -1, -1] {
        sent.push(client.send(&produce("orders", 0, acks, Some(of_bytes(5_700))), 9).await);
    }
    let second = client.receive::<ProduceRequest>(9, sent[1]).await;
    let wait = milliseconds(second.throttle_time_ms);
    let third = client.receive::<ProduceRequest>(9, sent[2]).await;
    assert!(third.throttle_time_ms > second.throttle_time_ms);
    assert!(began.elapsed() >= wait, "{:?} instead of {wait:?}", began.elapsed());
}

#[tokio::test]
async fn a_consumer_beyond_its_quota_gets_nothing_until_it_has_waited() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut writer = server.client().await.named("writer");
    writer.ask(&produce("orders", 0, -1, Some(of_bytes(40_000))), 9).await;
    limit(&server, "consumer_byte_rate", 1_000.0).await;
    let first = server.client().await.ask(&fetch("orders", 0, Duration::ZERO), 12).await;
    let records = first.responses[0].partitions[0].records.as_ref().map_or(0, Bytes::len);
    assert!(records > 40_000, "a batch that is too large is sent all the same");
    assert!(first.throttle_time_ms > 25_000, "{}", first.throttle_time_ms);
    // On another connection, which does not wait for the first.
    let second = server.client().await.ask(&fetch("orders", 0, Duration::from_secs(20)), 12).await;
    assert!(second.throttle_time_ms > 0 && second.responses.is_empty(), "{second:?}");
    let asked = fetch("orders", 0, Duration::ZERO).with_session_epoch(0);
    let third = server.client().await.ask(&asked, 12).await;
    assert!(third.throttle_time_ms > 0 && third.session_id == 0, "no session is begun: {third:?}");
    let neighbour =
        server.client().await.named("neighbour").ask(&fetch("orders", 0, Duration::ZERO), 12).await;
    assert_eq!(neighbour.throttle_time_ms, 0);
}

#[tokio::test]
async fn the_time_of_requests_is_limited_and_their_waits_are_short() {
    let server = Server::start().await;
    limit(&server, "request_percentage", 0.01).await;
    let mut client = server.client().await;
    let everything = MetadataRequest::default().with_topics(None);
    for _ in 0..10_000 {
        let waits = client.ask(&everything, 9).await.throttle_time_ms;
        if waits > 0 {
            assert!(waits <= 1_001, "{waits}");
            return;
        }
    }
    panic!("ten thousand requests took less than a millisecond");
}

#[tokio::test]
async fn changes_of_topics_are_refused_beyond_the_quota() {
    let server = Server::start().await;
    limit(&server, "controller_mutation_rate", 1.0).await;
    let create = |name: &str, partitions| {
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(name)))
            .with_num_partitions(partitions)
            .with_replication_factor(1);
        CreateTopicsRequest::default().with_topics(vec![topic])
    };
    let first = server.client().await.ask(&create("one", 20), 7).await;
    assert_eq!((first.topics[0].error_code, first.throttle_time_ms), (0, 0), "a burst may go beyond");
    let second = server.client().await.ask(&create("two", 1), 7).await;
    assert_eq!(name_of(second.topics[0].error_code), "THROTTLING_QUOTA_EXCEEDED");
    assert!(second.throttle_time_ms > 1_000, "{}", second.throttle_time_ms);
    assert!(server.broker.topic("two").is_none());
    // Clients of this version do not know the refusal.
    let third = server.client().await.ask(&create("three", 1), 5).await;
    assert_eq!(third.topics[0].error_code, 0);
    assert!(third.throttle_time_ms > 1_000, "{}", third.throttle_time_ms);
    let neighbour = server.client().await.named("neighbour").ask(&create("four", 50), 7).await;
    assert_eq!((neighbour.topics[0].error_code, neighbour.throttle_time_ms), (0, 0));
}

#[tokio::test]
async fn connections_beyond_the_quota_of_their_address_are_let_go() {
    let server = Server::start().await;
    let mut administrator = server.client().await.named("administrator");
    let entry = entry(&[("ip", Some("127.0.0.1"))], &[("connection_creation_rate", Some(1.0))]);
    assert_eq!(alter(&mut administrator, vec![entry]).await, ["NONE"]);
    let mut clients = Vec::new();
    for _ in 0..9 {
        let mut client = server.client().await;
        client.ask(&ApiVersionsRequest::default(), 0).await;
        clients.push(client);
    }
    let mut refused = Vec::new();
    for _ in 0..4 {
        refused.push(server.client().await);
    }
    let mut last = refused.pop().expect("there are four");
    last.closed("a quota of connections").await;
    clients[0].ask(&ApiVersionsRequest::default(), 0).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_client_that_waits() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    limit(&server, "producer_byte_rate", 10.0).await;
    let mut client: Client = server.client().await;
    let response = client.ask(&produce("orders", 0, -1, Some(of_bytes(10_000))), 9).await;
    assert!(response.throttle_time_ms > 900_000, "{}", response.throttle_time_ms);
    client.send(&produce("orders", 0, -1, Some(of_bytes(10))), 9).await;
    let stragglers = server.edge.stop_within(PATIENCE).await;
    assert!(stragglers.is_empty(), "{stragglers:?}");
    client.closed("a stop").await;
    let end = server.broker.topic("orders").expect("there").partitions()[0].bounds().log_end;
    assert_eq!(end.get(), 1, "what was sent meanwhile was not begun");
}
