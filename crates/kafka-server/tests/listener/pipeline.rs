//! Many requests at once on one connection.

use std::time::Duration;

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, FetchRequest, ListOffsetsRequest, ProduceRequest, TopicName,
};
use tokio::io::AsyncWriteExt;

use crate::client::{Client, batch, frame, text};
use crate::producing::{end, outcome, produce};
use crate::server::Server;

#[tokio::test]
async fn pipelined_produces_are_appended_and_answered_in_order() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let mut bytes = Vec::new();
    for id in 0..500 {
        bytes.extend_from_slice(&frame(&produce("orders", 0, -1, Some(batch(&["a"]))), 9, id));
    }
    client.send_raw(&bytes).await;
    for id in 0..500 {
        let response = client.receive::<ProduceRequest>(9, id).await;
        assert_eq!((outcome(&response).error_code, outcome(&response).base_offset), (0, i64::from(id)));
    }
}

#[tokio::test]
async fn a_request_behind_a_produce_sees_its_records() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for round in 0..50 {
        let id = client.send(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
        // Asked before the produce is answered.
        let asked = client.send(&crate::fetching::latest("orders"), 9).await;
        client.receive::<ProduceRequest>(9, id).await;
        let found = client.receive::<ListOffsetsRequest>(9, asked).await;
        assert_eq!(found.topics[0].partitions[0].offset, round + 1);
    }
}

#[tokio::test]
async fn a_request_behind_another_finds_it_done() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for round in 0..20 {
        let name = format!("topic-{round}");
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(&name)))
            .with_num_partitions(1)
            .with_replication_factor(1);
        let mut bytes = frame(&CreateTopicsRequest::default().with_topics(vec![topic]), 7, 1).to_vec();
        bytes.extend_from_slice(&frame(&produce(&name, 0, -1, Some(batch(&["a"]))), 9, 2));
        client.send_raw(&bytes).await;
        client.receive::<CreateTopicsRequest>(7, 1).await;
        let response = client.receive::<ProduceRequest>(9, 2).await;
        assert_eq!(outcome(&response).error_code, 0, "the topic was there in time");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_taken_holds_back_the_next_request() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut writer = server.client().await;
    let large = "x".repeat(1_000_000);
    for _ in 0..8 {
        writer.ask(&produce("orders", 0, -1, Some(batch(&[&large]))), 9).await;
    }
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("set");
    let mut slow = Client::from_stream(socket.connect(server.address).await.expect("connected"));
    let mut greedy = crate::fetching::fetch("orders", 0, Duration::ZERO);
    greedy.topics[0].partitions[0].partition_max_bytes = 50 << 20;
    let first = slow.send(&greedy, 12).await;
    let second = slow.send(&crate::fetching::latest("orders"), 9).await;
    // Far more than both sockets hold is on its way; the second request is not begun before it is gone.
    tokio::time::sleep(Duration::from_millis(200)).await;
    writer.ask(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
    slow.receive::<FetchRequest>(12, first).await;
    let found = slow.receive::<ListOffsetsRequest>(9, second).await;
    assert_eq!(found.topics[0].partitions[0].offset, 9);
}

#[tokio::test]
async fn frames_may_come_in_any_pieces() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let large = "x".repeat(100_000);
    for (at, size) in [1, 3, 7, 2_047, 2_049, 8_191, 70_000].into_iter().enumerate() {
        let mut bytes = frame(&ApiVersionsRequest::default(), 2, 7).to_vec();
        bytes.extend_from_slice(&frame(&produce("orders", 0, -1, Some(batch(&[&large]))), 9, 8));
        bytes.extend_from_slice(&frame(&ApiVersionsRequest::default(), 2, 9));
        let pieces: Vec<_> = if size < 8 {
            // One by one only around the seams; a hundred thousand single bytes show nothing more.
            let (head, tail) = bytes.split_at(400);
            head.chunks(size).chain(std::iter::once(tail)).collect()
        } else {
            bytes.chunks(size).collect()
        };
        for piece in pieces {
            client.send_raw(piece).await;
            tokio::task::yield_now().await;
        }
        client.receive::<ApiVersionsRequest>(2, 7).await;
        let response = client.receive::<ProduceRequest>(9, 8).await;
        assert_eq!(outcome(&response).base_offset, at as i64);
        client.receive::<ApiVersionsRequest>(2, 9).await;
    }
    assert_eq!(end(&mut client, "orders", 0).await, 7);
}

#[tokio::test]
async fn a_client_that_ends_its_side_is_still_answered() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let mut bytes = Vec::new();
    for id in 0..5 {
        bytes.extend_from_slice(&frame(&produce("orders", 0, -1, Some(batch(&["a"]))), 9, id));
    }
    bytes.extend_from_slice(&frame(&crate::fetching::fetch("orders", 5, Duration::from_millis(50)), 12, 5));
    bytes.extend_from_slice(&frame(&produce("orders", 0, -1, Some(batch(&["a"]))), 9, 6));
    client.send_raw(&bytes).await;
    client.stream.shutdown().await.expect("ended");
    for id in 0..5 {
        assert_eq!(outcome(&client.receive::<ProduceRequest>(9, id).await).base_offset, i64::from(id));
    }
    client.receive::<FetchRequest>(12, 5).await;
    assert_eq!(outcome(&client.receive::<ProduceRequest>(9, 6).await).base_offset, 5);
    client.closed("the end of the client's side").await;
}
