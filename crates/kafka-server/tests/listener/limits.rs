//! Many clients, and clients that take much.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use factum_kafka_server::Options;
use factum_types::ByteSize;
use factum_types::auth::AllowAll;
use kafka_protocol::messages::{ApiVersionsRequest, FetchRequest, ProduceRequest};
use tokio::net::{TcpSocket, TcpStream};

use crate::client::{Client, batch, frame, text};
use crate::fetching::fetch;
use crate::producing::{outcome, produce};
use crate::server::Server;

/// Resident memory of this process, with the usual pages of 4 KiB.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages: usize = statm.split(' ').nth(1).expect("a second field").parse().expect("a number");
    pages * 4096
}

/// As many connections as the process may have descriptors for, at both ends, up to ten thousand.
fn affordable_connections() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the soft limit may rise to the hard one");
    let descriptors = usize::try_from(limit.current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    (descriptors.saturating_sub(200) / 2).min(10_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_cost_little_and_hinder_nobody() {
    let count = affordable_connections();
    let (max_connections, max_connections_per_address) = (2 * count + 2, count + 1);
    let options = Options { max_connections, max_connections_per_address, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let before = resident_bytes();
    let mut idle = Vec::with_capacity(count);
    for _ in 0..count {
        idle.push(TcpStream::connect(server.address).await.expect("connected"));
    }
    // Each of them has spoken once, so that the server has met it.
    let hello = frame(&ApiVersionsRequest::default(), 0, 1);
    let mut clients = Vec::with_capacity(count);
    for stream in idle {
        let mut client = Client::from_stream(stream);
        client.send_raw(&hello).await;
        client.receive::<ApiVersionsRequest>(0, 1).await;
        clients.push(client);
    }
    let each = resident_bytes().saturating_sub(before) / count;
    println!("{count} idle connections, {each} bytes of memory each, both ends together");
    let response = client.ask(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
    assert_eq!(outcome(&response).error_code, 0);
}

/// A client at 127.0.0.`last`.
async fn client_at(server: &Server, last: u8) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).expect("loopback is all of 127.0.0.0/8");
    Client::from_stream(socket.connect(server.address).await.expect("connected"))
}

#[tokio::test]
async fn one_connection_too_many_is_turned_away() {
    let options = Options { max_connections: 2, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    let mut one = server.client().await;
    one.ask(&ApiVersionsRequest::default(), 0).await;
    server.client().await.closed("no address takes every connection").await;
    let mut two = client_at(&server, 2).await;
    two.ask(&ApiVersionsRequest::default(), 0).await;
    client_at(&server, 3).await.closed("one too many").await;
    drop(one);
    // There is room again once the server has noticed.
    let admitted = tokio::time::timeout(crate::server::PATIENCE, async {
        loop {
            let mut client = server.client().await;
            client.send_raw(&frame(&ApiVersionsRequest::default(), 0, 1)).await;
            if client.receive_frame().await.is_some() {
                break;
            }
        }
    });
    admitted.await.expect("there is room again");
}

#[tokio::test]
async fn requests_share_a_budget_and_all_have_their_turn() {
    let options = Options {
        max_frame_bytes: ByteSize::kib(512),
        max_in_flight_bytes: ByteSize::kib(512),
        ..Options::default()
    };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 1).await;
    let large = "x".repeat(400_000);
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = server.client().await;
        let bytes = frame(&produce("orders", 0, -1, Some(batch(&[&large]))), 9, 1);
        client.send_raw(&bytes[..20_000]).await;
        clients.push((client, bytes));
    }
    // All have begun; those that hold the budget must be let finish, so all send their rest at once.
    let rest = clients.into_iter().map(|(client, bytes)| async move {
        let (mut read, mut write) = client.stream.into_split();
        let sent = async { tokio::io::AsyncWriteExt::write_all(&mut write, &bytes[20_000..]).await };
        let mut prefix = [0; 4];
        let answered = async { tokio::io::AsyncReadExt::read_exact(&mut read, &mut prefix).await };
        client_done(tokio::join!(sent, answered))
    });
    let done = tokio::time::timeout(crate::server::PATIENCE, futures::future::join_all(rest)).await;
    assert_eq!(done.expect("none waits forever"), [true; 8]);
}

fn client_done((sent, answered): (std::io::Result<()>, std::io::Result<usize>)) -> bool {
    sent.is_ok() && answered.is_ok()
}

#[tokio::test]
async fn a_client_that_does_not_take_its_response_is_disconnected() {
    let options = Options { stall_timeout: Duration::from_millis(300), ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 1).await;
    let mut writer = server.client().await;
    let large = "x".repeat(1_000_000);
    for _ in 0..8 {
        writer.ask(&produce("orders", 0, -1, Some(batch(&[&large]))), 9).await;
    }
    let mut lazy = server.client().await;
    let mut greedy = fetch("orders", 0, Duration::ZERO);
    greedy.topics[0].partitions[0].partition_max_bytes = 50 << 20;
    let mut sent = Vec::new();
    for _ in 0..8 {
        sent.push(lazy.send(&greedy, 12).await);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut is_cut_off = false;
    for _ in &sent {
        is_cut_off |= lazy.receive_frame().await.is_none();
    }
    assert!(is_cut_off, "the connection ends before all was answered");
    // Others are served, and a client that does take its answers gets them all.
    let mut keen = server.client().await;
    for _ in 0..3 {
        let id = keen.send(&greedy, 12).await;
        let response = keen.receive::<FetchRequest>(12, id).await;
        assert!(
            response.responses[0].partitions[0].records.as_ref().is_some_and(|all| all.len() > 4_000_000)
        );
    }
    let response = keen.ask(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
    assert_eq!(outcome(&response).error_code, 0);
}

#[tokio::test]
async fn a_connection_has_a_bound_of_its_own() {
    let options = Options { max_connection_in_flight_bytes: ByteSize(1), ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let mut bytes = Vec::new();
    for id in 0..50 {
        bytes.extend_from_slice(&frame(&produce("orders", 0, -1, Some(batch(&["a"]))), 9, id));
    }
    client.send_raw(&bytes).await;
    for id in 0..50 {
        assert_eq!(outcome(&client.receive::<ProduceRequest>(9, id).await).base_offset, i64::from(id));
    }
}

#[tokio::test]
async fn asking_often_in_one_request_is_asking_once() {
    use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
    use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
    use kafka_protocol::messages::{DescribeConfigsRequest, MetadataRequest, TopicName};

    let server = Server::start().await;
    server.create_topic("orders", 100).await;
    let mut client = server.client().await;
    let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text("orders"))));
    let response =
        client.ask(&MetadataRequest::default().with_topics(Some(vec![topic.clone(); 5_000])), 9).await;
    assert_eq!(response.topics.len(), 1);
    let broker = DescribeConfigsResource::default()
        .with_resource_type(4)
        .with_resource_name(text("1"))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![broker; 5_000]);
    assert_eq!(client.ask(&request, 4).await.results.len(), 1);
    let long = MetadataRequestTopic::default().with_name(Some(TopicName(text(&"x".repeat(240)))));
    client.send(&MetadataRequest::default().with_topics(Some(vec![long; 4_000])), 9).await;
    client.closed("a question of a megabyte").await;
}
