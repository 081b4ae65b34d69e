//! What no client may do: send too much, stand still, or take every place.

use std::time::Duration;

use expect_test::expect;
use factum_http_api::Options;
use factum_types::ByteSize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{Server, Setup};

const HEAD: &str = "POST /events/a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

/// How long the server may take to notice what a client has sent.
const PATIENCE: Duration = Duration::from_secs(20);

fn limited(change: impl FnOnce(&mut Options)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup.options);
    setup
}

async fn talk(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    stream.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .expect("in time")
        .expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_with_the_limit() {
    let server = Server::start_with(limited(|options| options.max_body = ByteSize(1_000))).await;
    let answer = server.post_json("/events/a", &format!("\"{}\"", "x".repeat(998))).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let answer = server.post_json("/events/a", &format!("\"{}\"", "x".repeat(999))).await;
    expect![[r#"413 the body is larger than 1000 bytes {"limit":1000}"#]].assert_eq(&answer.problem());
    // A length that is only announced costs nothing, and is refused without the body.
    let announced = format!("{HEAD}content-length: 2147483648\r\nconnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    stream.write_all(announced.as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("half closed");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an end");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Nor does one that is not announced at all.
    let chunked = format!(
        "{HEAD}transfer-encoding: chunked\r\nconnection: close\r\n\r\n800\r\n{}\r\n0\r\n\r\n",
        "x".repeat(2048)
    );
    let answer = talk(&server, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_batch_of_too_many_events_is_refused() {
    let server = Server::start_with(limited(|options| options.max_batch_events = 2)).await;
    let lines = [("content-type", "application/x-ndjson")];
    assert_eq!(server.send("POST", "/events/a", &lines, "1\n2\n").await.status, 202);
    let answer = server.send("POST", "/events/a", &lines, "1\n2\n3\n").await;
    expect![[r#"413 the body has more than 2 lines {"limit":2}"#]].assert_eq(&answer.problem());
    let event = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#;
    let batch = [("content-type", "application/cloudevents-batch+json")];
    let answer = server.send("POST", "/events/a", &batch, format!("[{event},{event},{event}]")).await;
    expect![[r#"413 the batch holds more than 2 events {"limit":2}"#]].assert_eq(&answer.problem());
    server.stop().await;
}

/// A connection that announces a body of `length` bytes, sends `sent` of them, and stands still.
async fn stalled_body(server: &Server, length: usize, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let begun = format!("{HEAD}content-length: {length}\r\n\r\n{}", "x".repeat(sent));
    stream.write_all(begun.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test]
async fn bodies_together_stay_within_memory() {
    let server = Server::start_with(limited(|options| {
        options.max_body = ByteSize::kib(100);
        options.body_memory = ByteSize::kib(100);
    }))
    .await;
    // Clients send nearly all that fits and then stand still. Another comes each time, because the one
    // that meets a posted body is itself refused.
    let large = format!("\"{}\"", "y".repeat(50_000));
    let mut greedy = Vec::new();
    let until_refused = async {
        loop {
            greedy.push(stalled_body(&server, 102_400, 100_000).await);
            let answer = server.post_json("/events/a", &large).await;
            if answer.status != 202 {
                break answer;
            }
        }
    };
    let answer = timeout(PATIENCE, until_refused).await.expect("refused at last");
    assert_eq!(answer.retry_after, "1");
    expect!["503 too many large requests are being taken in; try again {}"].assert_eq(&answer.problem());
    drop(greedy);
    let small = server.post_json("/events/a", "1").await;
    assert_eq!(small.status, 202);
    server.stop().await;
}

/// Large bodies that stand still take what large bodies may, and small ones still find room.
#[tokio::test]
async fn small_requests_find_room_beside_stalled_large_ones() {
    let server = Server::start_with(limited(|options| {
        options.max_body = ByteSize::kib(1_024);
        options.body_memory = ByteSize::kib(4_096);
    }))
    .await;
    let large = format!("\"{}\"", "y".repeat(900_000));
    let mut stalled = Vec::new();
    let until_refused = async {
        loop {
            stalled.push(stalled_body(&server, 1_048_576, 1_000_000).await);
            if server.post_json("/events/a", &large).await.status == 503 {
                break;
            }
        }
    };
    timeout(PATIENCE, until_refused).await.expect("the room for large bodies of one client is taken");
    for _ in 0..100 {
        assert_eq!(server.post_json("/events/a", "{\"small\":true}").await.status, 202);
    }
    server.stop().await;
}

/// Bodies that stand still after their first 64 KiB all count in one pool, and it is not one client's.
#[tokio::test]
async fn one_client_with_stalled_bodies_leaves_room_for_others() {
    let server = Server::start_with(limited(|options| {
        options.max_body = ByteSize::kib(256);
        options.body_memory = ByteSize::kib(1_024);
    }))
    .await;
    let begun = format!("{HEAD}content-length: 65536\r\n\r\n{}", "x".repeat(60_000));
    let mut stalled = JoinSet::new();
    for _ in 0..8 {
        let mut stream = server.connect_as(2).await;
        stream.write_all(begun.as_bytes()).await.expect("sent");
        stalled.spawn(async move {
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.expect("a response");
            String::from_utf8_lossy(&status).into_owned()
        });
    }
    // Two fit its share, and while they stand still the others are refused.
    for _ in 0..6 {
        let status = timeout(PATIENCE, stalled.join_next()).await.expect("in time").expect("one of them");
        assert_eq!(status.expect("no panic"), "HTTP/1.1 503");
    }
    let answer = server.post_json("/events/a", &format!("\"{}\"", "y".repeat(50_000))).await;
    assert_eq!(answer.status, 202);
    server.stop().await;
}

/// The refusal comes before the body, so that a client need not send what is thrown away (RFC 9110 §10.1.1).
#[tokio::test]
async fn an_announced_length_beyond_the_limit_is_refused_at_once() {
    let server = Server::start_with(limited(|options| options.max_body = ByteSize(1_000))).await;
    for expectation in ["", "expect: 100-continue\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        let head = format!("{HEAD}{expectation}content-length: 1001\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut first = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut first)).await.expect("in time").expect("a response");
        assert_eq!(&first, b"HTTP/1.1 413", "with {expectation:?}");
        // A client that sends all the same hears the same: its connection is not reset under it.
        stream.write_all(&[b'x'; 1_001]).await.expect("still listened to");
        let mut rest = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut rest)).await.expect("in time").expect("an end");
        assert!(rest.contains("the body is larger than 1000 bytes"), "{rest}");
    }
    server.stop().await;
}

#[tokio::test]
async fn connections_of_one_client_have_a_limit() {
    let server = Server::start_with(limited(|options| options.max_connections_per_client = 2)).await;
    let held = [TcpStream::connect(server.address).await, TcpStream::connect(server.address).await];
    let mut third = TcpStream::connect(server.address).await.expect("accepted, then closed");
    let mut nothing = Vec::new();
    let read = timeout(PATIENCE, third.read_to_end(&mut nothing)).await.expect("closed at once");
    assert!(read.is_err() || nothing.is_empty(), "{nothing:?}");
    drop(held);
    let again = async { while server.try_get("/health/live").await.is_none() {} };
    timeout(PATIENCE, again).await.expect("places are given back");
    server.stop().await;
}

#[tokio::test]
async fn no_client_takes_every_connection() {
    // Its own limit is far above what there is.
    let server = Server::start_with(limited(|options| options.max_connections = 4)).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(server.connect_as(1).await);
    }
    let mut one_more = server.connect_as(1).await;
    let mut nothing = Vec::new();
    let read = timeout(PATIENCE, one_more.read_to_end(&mut nothing)).await.expect("closed at once");
    assert!(read.is_err() || nothing.is_empty(), "{nothing:?}");
    let mut other = server.connect_as(2).await;
    other
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    timeout(PATIENCE, other.read_to_string(&mut answer)).await.expect("in time").expect("an end");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(held);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_stands_still_is_let_go() {
    let server = Server::start_with(limited(|options| {
        options.header_timeout = Duration::from_millis(200);
        options.body_timeout = Duration::from_millis(200);
        options.idle_timeout = Duration::from_millis(200);
    }))
    .await;
    assert_eq!(talk(&server, b"").await, "", "a connection without a first byte is closed");
    assert_eq!(talk(&server, b"GET / HT").await, "", "so is one whose head does not end");
    let body =
        talk(&server, format!("{HEAD}content-length: 9\r\nconnection: close\r\n\r\n{{").as_bytes()).await;
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
    server.stop().await;
}

#[tokio::test]
async fn garbage_is_answered_and_forgotten() {
    let server = Server::start().await;
    let answer = talk(&server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP at all\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let answer = talk(&server, long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(server.get("/health/live").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let server = Server::start_with(limited(|options| options.max_connections = 3)).await;
    let mut held = Vec::new();
    for client in [1, 1, 2] {
        held.push(server.connect_as(client).await);
    }
    // Queued by the operating system.
    let mut waiting = server.connect_as(2).await;
    waiting
        .write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    let early = timeout(Duration::from_millis(100), waiting.read_to_string(&mut answer)).await;
    assert!(early.is_err(), "no place is free: {answer}");
    held.pop();
    timeout(Duration::from_secs(20), waiting.read_to_string(&mut answer))
        .await
        .expect("in time")
        .expect("an end");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_stop_lets_a_request_finish() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    stream.write_all(format!("{HEAD}content-length: 2\r\n\r\n").as_bytes()).await.expect("sent");
    // The request is under way once its head was answered by another on a second connection.
    assert_eq!(server.get("/health/live").await.status, 200);
    server.http.stop().request();
    stream.write_all(b"{}").await.expect("sent");
    let mut answer = String::new();
    timeout(Duration::from_secs(20), stream.read_to_string(&mut answer))
        .await
        .expect("in time")
        .expect("an end");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    server.stop().await;
}
