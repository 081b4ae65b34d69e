//! Clients that begin what they do not finish, beside clients that only want to go on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use factum_kafka_server::Options;
use factum_types::ByteSize;
use factum_types::auth::AllowAll;
use kafka_protocol::messages::{ApiVersionsRequest, GroupId, HeartbeatRequest, MetadataRequest};
use tokio::io::AsyncReadExt;
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::client::{Client, batch, frame, text};
use crate::fetching::fetch;
use crate::producing::{outcome, produce};
use crate::server::Server;

/// Far below the time after which a stalled request is given up.
const AT_ONCE: Duration = Duration::from_secs(5);
const MIB: usize = 1 << 20;

/// The first `sent` bytes of a produce request of `length` bytes.
fn beginning(length: usize, sent: usize) -> Bytes {
    let whole = frame(&produce("orders", 0, -1, Some(batch(&["a"]))), 9, 1);
    let mut bytes = BytesMut::with_capacity(sent);
    bytes.put_u32(u32::try_from(length).expect("a length"));
    bytes.put_slice(&whole[4..]);
    bytes.resize(sent, 0);
    bytes.freeze()
}

async fn client_from(address: Ipv4Addr, server: SocketAddr) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(IpAddr::V4(address), 0)).expect("an address of this machine");
    Client::from_stream(socket.connect(server).await.expect("connected"))
}

/// A heartbeat, a look at the topics, a fetch and a small produce, each answered at once.
async fn small_requests_go_on(client: &mut Client) {
    let heartbeat = HeartbeatRequest::default().with_group_id(GroupId(text("readers")));
    let beat = timeout(AT_ONCE, client.ask(&heartbeat, 4)).await.expect("a heartbeat is answered");
    assert_eq!(beat.error_code, 25, "there is no such member, and the client is told so");
    timeout(AT_ONCE, client.ask(&MetadataRequest::default(), 9)).await.expect("metadata is answered");
    let read = fetch("orders", 0, Duration::ZERO);
    timeout(AT_ONCE, client.ask(&read, 12)).await.expect("a fetch is answered");
    let small = produce("orders", 0, -1, Some(batch(&["small"])));
    let response = timeout(AT_ONCE, client.ask(&small, 9)).await.expect("a small produce is answered");
    assert_eq!(outcome(&response).error_code, 0);
}

async fn large_produce(client: &mut Client, within: Duration) {
    let large = produce("orders", 0, -1, Some(batch(&[&"x".repeat(600_000)])));
    let response = timeout(within, client.ask(&large, 9)).await.expect("a large produce is answered");
    assert_eq!(outcome(&response).error_code, 0);
}

#[tokio::test]
async fn announced_bytes_hold_nobody_back() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let mut client = server.client().await;
        client.send_raw(&beginning(16 * MIB, 4096)).await;
        stalled.push(client);
    }
    let mut client = server.client().await;
    small_requests_go_on(&mut client).await;
    large_produce(&mut client, AT_ONCE).await;
}

#[tokio::test]
async fn stalled_clients_of_many_addresses_hold_back_no_small_request_and_others_not_for_long() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut stalled = Vec::new();
    for number in 2..92 {
        let mut client = client_from(Ipv4Addr::new(127, 0, 0, number), server.address).await;
        // More than the listener reads while others hold the room: what is left stays in the socket.
        let _either = timeout(Duration::from_millis(20), client.send_raw(&beginning(16 * MIB, MIB))).await;
        stalled.push(client);
    }
    let mut client = server.client().await;
    small_requests_go_on(&mut client).await;
    large_produce(&mut client, Duration::from_secs(15)).await;
    small_requests_go_on(&mut client).await;
}

#[tokio::test]
async fn one_address_cannot_take_the_room_of_others() {
    let options = Options {
        max_frame_bytes: ByteSize::mib(1),
        max_in_flight_bytes: ByteSize::mib(8),
        max_address_in_flight_bytes: ByteSize::mib(2),
        ..Options::default()
    };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 1).await;
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let mut client = client_from(Ipv4Addr::new(127, 0, 0, 9), server.address).await;
        let _either = timeout(Duration::from_millis(20), client.send_raw(&beginning(MIB, 900_000))).await;
        stalled.push(client);
    }
    let mut client = server.client().await;
    large_produce(&mut client, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn one_address_has_a_bound_of_connections() {
    let options = Options { max_connections_per_address: 2, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    let address = Ipv4Addr::new(127, 0, 0, 9);
    let mut one = client_from(address, server.address).await;
    let mut two = client_from(address, server.address).await;
    one.ask(&ApiVersionsRequest::default(), 0).await;
    two.ask(&ApiVersionsRequest::default(), 0).await;
    client_from(address, server.address).await.closed("one too many").await;
    server.client().await.ask(&ApiVersionsRequest::default(), 0).await;
}

/// A listener whose topic `orders` has 8 MB of records in partition 0.
async fn server_with_a_large_answer(stall_timeout: Duration) -> Server {
    let options = Options { stall_timeout, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 1).await;
    let mut writer = server.client().await;
    let large = "x".repeat(1_000_000);
    for _ in 0..8 {
        writer.ask(&produce("orders", 0, -1, Some(batch(&[&large]))), 9).await;
    }
    server
}

/// A client whose socket takes little, and that has asked for all of `orders`.
async fn client_with_a_small_buffer(server: &Server) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("set");
    let mut client = Client::from_stream(socket.connect(server.address).await.expect("connected"));
    let mut greedy = fetch("orders", 0, Duration::ZERO);
    greedy.topics[0].partitions[0].partition_max_bytes = 50 << 20;
    client.send(&greedy, 12).await;
    client
}

#[tokio::test]
async fn a_client_that_takes_its_answer_by_the_byte_is_let_go() {
    let server = server_with_a_large_answer(Duration::from_millis(500)).await;
    let mut slow = client_with_a_small_buffer(&server).await;
    let mut some = [0; 512];
    for _ in 0..100 {
        let read = timeout(AT_ONCE, slow.stream.read(&mut some)).await;
        assert!(read.expect("there is something to read").expect("read") > 0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What the sockets hold is still there to be read; the answer does not go on behind it.
    let mut rest = Vec::new();
    let read = slow.stream.read_to_end(&mut rest);
    // A connection that ends with bytes unsent may end with an error.
    let _either = timeout(AT_ONCE, read).await.expect("the connection ends");
    assert!(rest.len() < 7_500_000, "{} bytes of 8 MB were sent", rest.len());
}

#[tokio::test]
async fn a_client_that_takes_its_answer_slowly_and_steadily_gets_all_of_it() {
    let server = server_with_a_large_answer(Duration::from_secs(2)).await;
    let mut slow = client_with_a_small_buffer(&server).await;
    let mut answer = Vec::new();
    let mut some = [0; 4096];
    // 200 kB a second, for three times as long as it may stall.
    for _ in 0..300 {
        slow.stream.read_exact(&mut some).await.expect("the answer goes on");
        answer.extend_from_slice(&some);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let length = answer.first_chunk().map_or(0, |prefix| u32::from_be_bytes(*prefix));
    let mut rest = vec![0; length as usize + 4 - answer.len()];
    let read = timeout(Duration::from_secs(60), slow.stream.read_exact(&mut rest)).await;
    read.expect("in time").expect("the rest of the answer");
    assert!(length > 8_000_000, "{length} bytes of 8 MB");
}
