//! An orderly stop.

use std::time::Duration;

use kafka_protocol::messages::{ApiVersionsRequest, ProduceRequest};

use crate::client::{Client, batch};
use crate::fetching::fetch;
use crate::producing::{outcome, produce};
use crate::server::{PATIENCE, Server};

#[tokio::test]
async fn a_stop_finishes_what_was_begun_and_nothing_else() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    server.create_topic("quiet", 1).await;
    let (mut idle, mut waiting, mut writer) =
        (server.client().await, server.client().await, server.client().await);
    idle.ask(&ApiVersionsRequest::default(), 0).await;
    waiting.send(&fetch("quiet", 0, Duration::from_secs(29)), 12).await;
    let mut sent = Vec::new();
    for _ in 0..20 {
        sent.push(writer.send(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await);
    }
    let first = writer.receive::<ProduceRequest>(9, sent[0]).await;
    assert_eq!(outcome(&first).error_code, 0);
    let stragglers = server.edge.stop_within(PATIENCE).await;
    assert!(stragglers.is_empty(), "{stragglers:?}");
    idle.closed("a stop").await;
    waiting.closed("a stop").await;
    // Each answer that was begun comes; what the server had not yet read is simply cut off.
    let mut answered = 1;
    while let Some(frame) = writer.receive_frame().await {
        let (id, response) = crate::client::parse::<ProduceRequest>(frame, 9);
        assert_eq!((id, outcome(&response).error_code), (sent[answered], 0));
        answered += 1;
    }
    let end = server.broker.topic("orders").expect("there").partitions()[0].bounds().log_end;
    assert_eq!(end.get(), answered as i64, "what was appended was answered");
    let refused = tokio::net::TcpStream::connect(server.address).await;
    assert!(refused.is_err(), "no one listens");
}

#[tokio::test]
async fn a_client_that_went_away_leaves_nothing_behind() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    for _ in 0..50 {
        let mut client = server.client().await;
        client.send(&fetch("orders", 0, Duration::from_millis(100)), 12).await;
        client.send_raw(&[0, 0, 1, 0, 0]).await;
        drop(client);
    }
    let mut client = Client::connect(server.address).await;
    client.ask(&ApiVersionsRequest::default(), 0).await;
    drop(client);
    let stragglers = server.edge.stop_within(PATIENCE).await;
    assert!(stragglers.is_empty(), "{stragglers:?}");
}
