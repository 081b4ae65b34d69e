//! Tails: in order, resumable, bounded, and over when the server stops.

use std::time::Duration;

use expect_test::expect;
use factum_eventlog::{Admin, NewTopic, TopicConfig};
use factum_types::{ByteSize, TopicName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Server, Setup};

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

    /// Reads until the response is at its end; its connection may go on.
    async fn read_to_last_chunk(&mut self) {
        self.read_until("\r\n0\r\n\r\n").await;
    }

    async fn read_to_end(&mut self) {
        while self.read().await {}
    }

    /// The id of the last event, whole.
    fn last_id(&self) -> String {
        let id = self.text.rsplit("\nid: ").next().and_then(|rest| rest.lines().next());
        id.expect("an event with an id").to_owned()
    }

    /// The events so far: the positions of the id, kind and the record's value.
    fn events(&self) -> Vec<String> {
        let mut events = Vec::new();
        for block in self.text.split("\n\n") {
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let (Some(id), Some(kind), Some(data)) = (field("id: "), field("event: "), field("data: ")) {
                let json: serde_json::Value = serde_json::from_str(&data).expect("one line of JSON");
                let shown = if kind == "record" { json["value"].to_string() } else { data };
                let (_, positions) = id.split_once('/').expect("an identity and positions");
                events.push(format!("{positions} {kind} {shown}"));
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
    live.read_until("/0:4\n").await;
    expect![[r#"
        0:3 record 2
        0:4 record 3"#]]
    .assert_eq(&live.events().join("\n"));
    all.read_until("/0:3\n").await;
    assert_eq!(all.events().len(), 3, "the limit ends it");
    let id = live.last_id();
    drop(live);
    post(&server, 4..6).await;
    let mut again = Tail::open(&server, "", Some(&id)).await;
    again.read_until("/0:6\n").await;
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
    let (first, id) = (tail.events(), tail.last_id());
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
    let id = Tail::open(&server, "", None).await.last_id();
    let ahead = id.replace("/0:1", "/0:99");
    let mut tail = Tail::open(&server, "", Some(&ahead)).await;
    tail.read_until("\"to\"").await;
    tail.read_until("\n\n").await;
    expect![[r#"0:1 gap {"partition":0,"from":"99","to":"1","reason":"the position is behind the end of the partition"}"#]]
        .assert_eq(&tail.events().join("\n"));
    let unknown = [("last-event-id", id.replace("/0:1", "/0:1,7:1"))];
    let unknown = unknown.each_ref().map(|(name, id)| (*name, id.as_str()));
    let refused = server.send("GET", "/api/v1/topics/store.orders/tail", &unknown, "").await;
    expect![[r#"400 Last-Event-ID names partition 7, which topic store.orders does not have {"header":"last-event-id"}"#]]
        .assert_eq(&refused.problem());
    let refused =
        server.send("GET", "/api/v1/topics/store.orders/tail", &[("last-event-id", "nonsense")], "").await;
    expect![[r#"400 Last-Event-ID "nonsense" is not one that was sent, such as 1c9f2a3b/0:42,3:7 {"header":"last-event-id"}"#]].assert_eq(&refused.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_topic_created_again_is_read_from_its_beginning() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    post(&server, 0..3).await;
    let mut tail = Tail::open(&server, "?from=earliest", None).await;
    tail.read_until("/0:3\n").await;
    let id = tail.last_id();
    server.delete_topic("store.orders").await;
    server.topic("store.orders").await;
    post(&server, 10..15).await;
    // The connection of before does not go on in another topic.
    tail.read_to_last_chunk().await;
    assert!(tail.text.contains("event: error"), "{}", tail.text);
    let mut again = Tail::open(&server, "", Some(&id)).await;
    again.read_until("/0:5\n").await;
    again.read_until("\n\n").await;
    expect![[r#"
        0:0 gap {"partition":0,"from":"3","to":"0","reason":"the topic was deleted and created again"}
        0:1 record 10
        0:2 record 11
        0:3 record 12
        0:4 record 13
        0:5 record 14"#]]
    .assert_eq(&again.events().join("\n"));
    server.stop().await;
}

#[tokio::test]
async fn an_offset_is_a_place_to_start() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    post(&server, 0..4).await;
    for (from, first) in [("2", "0:3 record 2"), ("0", "0:1 record 0")] {
        let mut tail = Tail::open(&server, &format!("?from={from}&limit=1"), None).await;
        tail.read_to_last_chunk().await;
        assert_eq!(tail.events(), [first]);
    }
    let mut behind = Tail::open(&server, "?from=99&limit=1", None).await;
    post(&server, 4..5).await;
    behind.read_to_last_chunk().await;
    assert_eq!(behind.events(), ["0:5 record 4"], "as near to it as there are records");
    let refused = server.get("/api/v1/topics/store.orders/tail?from=yesterday").await;
    expect![[r#"400 from: "yesterday" is not earliest, latest, an offset such as 41 (-5 is the fifth before the end), a time such as 2026-01-31T12:00:00Z, or 10m ago {"in":"query"}"#]]
        .assert_eq(&refused.problem());
    server.stop().await;
}

#[tokio::test]
async fn there_are_so_many_tails_and_no_more() {
    let mut setup = Setup::default();
    setup.options.max_tails = 3;
    setup.options.max_streams_per_client = 2;
    let server = Server::start_with(setup).await;
    server.topic("store.orders").await;
    let first = Tail::open(&server, "", None).await;
    let second = Tail::open(&server, "", None).await;
    let refused = server.get("/api/v1/topics/store.orders/tail").await;
    expect![[r#"503 too many streams from one client address: the limit is 2 {"limit":2}"#]]
        .assert_eq(&refused.problem());
    let refused = server.get("/api/v1/overview/stream").await;
    assert_eq!(refused.status, 503, "every kind of stream counts: {}", refused.text());
    drop(first);
    let again = async {
        while server.get("/api/v1/topics/store.orders/tail?limit=0").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), again).await.expect("a place is given back");
    drop(second);
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

/// A client that takes nothing does not make the server read on, and holds no other up.
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
    let mut stuck = Vec::new();
    for _ in 0..20 {
        stuck.push(Tail::open(&server, "?from=earliest", None).await);
    }
    let mut reader = Tail::open(&server, "?from=earliest", None).await;
    reader.read_until("/0:2400\n").await;
    server.stop().await;
}

/// A client that takes a few records at a time, and comes back while there are more in each partition than it takes.
#[tokio::test]
async fn a_client_that_comes_back_for_single_records_sees_every_partition() {
    let server = Server::start().await;
    for record in 0..100 {
        let key = (record % 10).to_string();
        let headers = [("content-type", "application/json"), ("ce-partitionkey", key.as_str())];
        let answer = server.send("POST", "/events/store.orders", &headers, format!("\"{key}\"")).await;
        assert_eq!(answer.status, 202);
    }
    let mut seen = std::collections::BTreeMap::new();
    let mut id = None;
    for _ in 0..30 {
        let mut tail = Tail::open(&server, "?from=earliest&limit=1", id.as_deref()).await;
        tail.read_to_last_chunk().await;
        let events = tail.events();
        assert_eq!(events.len(), 1, "there are more than were taken");
        let partition = if tail.text.contains(r#""partition":0"#) { 0 } else { 1 };
        *seen.entry(partition).or_insert(0) += 1;
        id = Some(tail.last_id());
    }
    assert_eq!(seen.len(), 2, "records of each partition: {seen:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_client_of_many_partitions_comes_back_by_a_short_id_and_sees_each_record_once() {
    let server = Server::start().await;
    let name = TopicName::new("store.orders").expect("a name");
    let new = NewTopic { name, partitions: Some(40), config: TopicConfig::default() };
    Admin::create_topic(&server.broker, new).await.expect("created");
    for record in 0..30 {
        let key = record.to_string();
        let headers = [("content-type", "application/json"), ("ce-partitionkey", key.as_str())];
        let answer = server.send("POST", "/events/store.orders", &headers, format!("\"<{key}>\"")).await;
        assert_eq!(answer.status, 202);
    }
    let (mut seen, mut id) = (std::collections::BTreeSet::new(), None);
    for _ in 0..15 {
        let mut tail = Tail::open(&server, "?from=earliest&limit=2", id.as_deref()).await;
        tail.read_to_last_chunk().await;
        let records = (0..30).filter(|record| tail.text.contains(&format!("<{record}>")));
        records.for_each(|record| assert!(seen.insert(record), "{record} came twice"));
        let last = tail.last_id();
        assert!(last.contains("/~") && last.len() < 100, "{last}");
        id = Some(last);
    }
    assert_eq!(seen.len(), 30);
    server.stop().await;
}

#[tokio::test]
async fn tails_wait_for_a_bounded_number_of_partitions() {
    let mut setup = Setup::default();
    setup.options.tail_memory = ByteSize::kib(512);
    let server = Server::start_with(setup).await;
    let name = TopicName::new("store.orders").expect("a name");
    let new = NewTopic { name, partitions: Some(50), config: TopicConfig::default() };
    Admin::create_topic(&server.broker, new).await.expect("created");
    let first = Tail::open(&server, "", None).await;
    let second = Tail::open(&server, "", None).await;
    let refused = server.get("/api/v1/topics/store.orders/tail").await;
    expect![[r#"503 too many tails of topics with many partitions: there is no memory (http.tail_memory) to follow 50 more of them {}"#]]
        .assert_eq(&refused.problem());
    drop(first);
    let again = async {
        while server.get("/api/v1/topics/store.orders/tail?limit=0").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), again).await.expect("memory is given back");
    drop(second);
    server.stop().await;
}
