//! Access rules of streams: they are asked again while a stream runs.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::rules::{add, by_rules, delete_user, login, remove_all, user};
use crate::support::Server;
use crate::views;

const PATIENCE: Duration = Duration::from_secs(30);
const STREAMS: [&str; 4] = [
    "/api/v1/topics/store.sales/tail",
    "/api/v1/views/store.top/changes",
    "/api/v1/changes?view=store.top",
    "/api/v1/overview/stream",
];
const RULES: [&str; 2] =
    ["allow read topic store. prefixed User:ann", "allow describe cluster cluster literal User:ann"];

struct Stream {
    socket: TcpStream,
    text: String,
}

impl Stream {
    async fn open(server: &Server, path: &str) -> Self {
        let mut socket = TcpStream::connect(server.address).await.expect("connected");
        let login = login("ann");
        let head = format!(
            "GET {path} HTTP/1.0\r\nhost: localhost\r\nauthorization: {login}\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.expect("sent");
        let mut stream = Self { socket, text: String::new() };
        stream.read_until("retry: ").await;
        stream
    }

    async fn read(&mut self) -> usize {
        let mut buffer = vec![0; 64 << 10];
        let read = timeout(PATIENCE, self.socket.read(&mut buffer)).await;
        let read = read.unwrap_or_else(|_| panic!("nothing came: {}", self.text)).expect("read");
        self.text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        read
    }

    async fn read_until(&mut self, text: &str) {
        while !self.text.contains(text) {
            assert!(self.read().await > 0, "the stream ended: {}", self.text);
        }
    }

    /// What comes from now on until the end.
    async fn rest(mut self) -> String {
        let before = self.text.len();
        while self.read().await > 0 {}
        self.text.split_off(before)
    }
}

async fn start() -> Server {
    let server = views::start(by_rules()).await;
    user(&server, "ann").await;
    add(&server, &RULES).await;
    server
}

/// The events of a text, and of the last its data.
fn last_event(text: &str) -> (Vec<&str>, &str) {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
    (kinds, data.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_rules_that_allowed_them() {
    for path in STREAMS {
        let server = start().await;
        let stream = Stream::open(&server, path).await;
        remove_all(&server).await;
        let rest = stream.rest().await;
        let (_, data) = last_event(&rest);
        assert!(data.contains("\"status\":403") && data.contains("User:ann may not"), "{path}: {rest}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_their_user() {
    for path in STREAMS {
        let server = start().await;
        let stream = Stream::open(&server, path).await;
        delete_user(&server, "ann").await;
        let rest = stream.rest().await;
        let (_, data) = last_event(&rest);
        assert!(data.contains("the user was deleted"), "{path}: {rest}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_comes_after_a_rule_is_gone_is_not_sent() {
    let server = start().await;
    add(&server, &["allow write topic store. prefixed User:ANONYMOUS"]).await;
    let stream = Stream::open(&server, STREAMS[0]).await;
    add(&server, &["deny read topic store.sales literal User:*"]).await;
    views::sell(&server, &[(11, 1)]).await;
    let rest = stream.rest().await;
    assert_eq!(last_event(&rest).0, ["error"], "{rest}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_views_that_is_denied_stops_no_other() {
    let server = start().await;
    add(&server, &["allow write topic store. prefixed User:ANONYMOUS"]).await;
    views::sell(&server, &[(11, 1)]).await;
    let mut stream = Stream::open(&server, "/api/v1/changes?view=store.top&view=store.day").await;
    stream.read_until("{\"view\":\"store.top\"").await;
    stream.read_until("{\"view\":\"store.day\"").await;
    add(&server, &["deny read topic store.top literal User:*"]).await;
    stream.read_until("User:ann may not read view store.top").await;
    stream.text.clear();
    views::sell(&server, &[(11, 1)]).await;
    stream.read_until("{\"view\":\"store.day\"").await;
    assert!(!stream.text.contains("{\"view\":\"store.top\""), "{}", stream.text);
    server.stop().await;
}
