//! Tails: in order, resumable, bounded, and over when the server stops.

use std::time::Duration;

use expect_test::expect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Server, resident_bytes};

/// A reader of server-sent events over a bare socket.
struct Tail {
    stream: TcpStream,
    text: String,
}

impl Tail {
    async fn open(server: &Server, query: &str, last_event_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        let id = last_event_id.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request =
            format!("GET /api/v1/topics/store.orders/tail{query} HTTP/1.1\r\nhost: localhost\r\n{id}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut tail = Self { stream, text: String::new() };
        tail.read_until("retry: 1000").await;
        tail
    }

    /// Reads until the stream has shown `text`.
    async fn read_until(&mut self, text: &str) {
        let mut seen = 0;
        while !self.text[seen..].contains(text) {
            // What is searched again is only what could hold the beginning.
            seen = self.text.floor_char_boundary(self.text.len().saturating_sub(text.len()));
            assert!(self.read().await, "the stream ended before {text:?}: {}", self.text);
        }
    }

    async fn read(&mut self) -> bool {
        let mut buffer = vec![0; 64 << 10];
        let read = timeout(Duration::from_secs(20), self.stream.read(&mut buffer))
            .await
            .expect("in time")
            .expect("read");
        self.text += &String::from_utf8_lossy(&buffer[..read]);
        read > 0
    }

    async fn read_to_end(&mut self) {
        while self.read().await {}
    }

    /// The events so far: id, kind and the record's value.
    fn events(&self) -> Vec<String> {
        let mut events = Vec::new();
        for block in self.text.split("\n\n") {
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let (Some(id), Some(kind), Some(data)) = (field("id: "), field("event: "), field("data: ")) {
                let json: serde_json::Value = serde_json::from_str(&data).expect("one line of JSON");
                let shown = if kind == "record" { json["value"].to_string() } else { data };
                events.push(format!("{id} {kind} {shown}"));
            }
        }
        events
    }
}

async fn post(server: &Server, values: std::ops::Range<u32>) {
    for value in values {
        assert_eq!(server.post_json("/events/store.orders", &value.to_string()).await.status, 202);
    }
}

#[tokio::test]
async fn a_tail_goes_on_where_its_client_left_off() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    post(&server, 0..2).await;
    let mut live = Tail::open(&server, "", None).await;
    let mut all = Tail::open(&server, "?from=earliest&limit=3", None).await;
    post(&server, 2..4).await;
    live.read_until("id: 0:4").await;
    expect![[r#"
        0:3 record 2
        0:4 record 3"#]]
    .assert_eq(&live.events().join("\n"));
    all.read_until("id: 0:3").await;
    assert_eq!(all.events().len(), 3, "the limit ends it");
    drop(live);
    post(&server, 4..6).await;
    let mut again = Tail::open(&server, "", Some("0:4")).await;
    again.read_until("id: 0:6").await;
    expect![[r#"
        0:5 record 4
        0:6 record 5"#]]
    .assert_eq(&again.events().join("\n"));
    server.stop().await;
}

#[tokio::test]
async fn an_id_holds_every_partition() {
    let server = Server::start().await;
    for key in ["a", "b", "c", "d"] {
        let headers = [("content-type", "application/json"), ("ce-partitionkey", key)];
        assert_eq!(
            server.send("POST", "/events/store.orders", &headers, format!("\"{key}\"")).await.status,
            202
        );
    }
    let mut tail = Tail::open(&server, "?from=earliest&limit=2", None).await;
    tail.read_until("event: record").await;
    while tail.events().len() < 2 {
        assert!(tail.read().await, "two come");
    }
    let first = tail.events();
    let id = first[1].split(' ').next().expect("an id").to_owned();
    let mut rest = Tail::open(&server, "?limit=2", Some(&id)).await;
    while rest.events().len() < 2 {
        assert!(rest.read().await, "two more come");
    }
    let value = |event: &String| event.rsplit(' ').next().expect("a value").to_owned();
    let mut values: Vec<_> = first.iter().chain(&rest.events()).map(value).collect();
    values.sort();
    assert_eq!(values, [r#""a""#, r#""b""#, r#""c""#, r#""d""#], "each once");
    server.stop().await;
}

#[tokio::test]
async fn a_position_that_is_gone_is_a_gap() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    post(&server, 0..1).await;
    let mut tail = Tail::open(&server, "", Some("0:99")).await;
    tail.read_until("event: gap").await;
    tail.read_until("\"to\"").await;
    expect![[r#"0:1 gap {"partition":0,"from":"99","to":"1"}"#]].assert_eq(&tail.events().join("\n"));
    let refused =
        server.send("GET", "/api/v1/topics/store.orders/tail", &[("last-event-id", "nonsense")], "").await;
    expect![[r#"400 Last-Event-ID "nonsense" is not one that was sent, such as 0:42,3:7 {"header":"last-event-id"}"#]].assert_eq(&refused.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_value_over_several_lines_stays_one_event() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    assert_eq!(server.post_json("/events/store.orders", "{\n\r\n \"a\": 1\n}").await.status, 202);
    let mut tail = Tail::open(&server, "?from=earliest", None).await;
    tail.read_until("event: record").await;
    tail.read_until("}\n\n").await;
    assert_eq!(tail.events(), [r#"0:1 record {"a":1}"#]);
    server.stop().await;
}

#[tokio::test]
async fn a_stop_ends_tails() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let mut tail = Tail::open(&server, "", None).await;
    server.stop().await;
    tail.read_to_end().await;
    assert!(tail.text.ends_with("0\r\n\r\n"), "the last chunk is sent: {:?}", tail.text);
}

/// A client that takes nothing must not make the server read on: what it holds is bounded by socket buffers,
/// one frame and one chunk, whatever the topic holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_holds_nothing_up() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let line = format!("\"{}\"\n", "x".repeat(8_000));
    for _ in 0..24 {
        let lines = [("content-type", "application/x-ndjson")];
        let answer = server.send("POST", "/events/store.orders", &lines, line.repeat(100)).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    let before = resident_bytes();
    let mut stuck = Vec::new();
    for _ in 0..20 {
        stuck.push(Tail::open(&server, "?from=earliest", None).await);
    }
    let mut reader = Tail::open(&server, "?from=earliest", None).await;
    reader.read_until("id: 0:2400").await;
    let grown = resident_bytes().saturating_sub(before + reader.text.capacity());
    assert!(grown < 128 << 20, "{grown} bytes more for twenty clients of a topic of 19 MB each");
    server.stop().await;
}
