//! Snapshots that wait for memory hold no place in which others are rendered, in a process of its own with one server: its
//! measures are those of the first server in it.

#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use factum_sql::{Definitions, EventDefinition, PipelineDefinition};
use factum_types::{ByteSize, TopicName};
use support::{Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);
const TOPIC: &str = "store.readings";
const CONTRACT: &str = r#"{"properties": {"meter": {"type": "integer"}, "note": {"type": "string"}}}"#;
const METERS: usize = 40;

async fn start(setup: Setup) -> Server {
    let server = Server::start_with(setup).await;
    server.topic(TOPIC).await;
    let event = EventDefinition {
        topic: TopicName::new(TOPIC).expect("a name"),
        schema: Some(Arc::new(serde_json::from_str(CONTRACT).expect("JSON"))),
        time: None,
        lateness: Duration::ZERO,
    };
    let text = "CREATE MATERIALIZED VIEW meters AS
        SELECT meter, max(note) AS note, count(*) AS readings FROM readings GROUP BY meter";
    let pipeline = PipelineDefinition {
        team: "store".parse().expect("a team"),
        file: "teams/store/pipelines/meters.sql".into(),
        text: text.into(),
    };
    let definitions = Definitions { events: vec![event], tables: vec![], pipelines: vec![pipeline] };
    server.engine.apply(definitions).await.expect("the definitions are good");
    server
}

/// One more reading; waits until the view has so many of them all.
async fn read(server: &Server, meter: usize, note: &str, readings: usize) {
    let event = format!(r#"{{"meter":{meter},"note":"{note}"}}"#);
    assert_eq!(server.post_json(&format!("/events/{TOPIC}"), &event).await.status, 202);
    let query = r#"{"query":"SELECT sum(readings) AS found FROM store.meters"}"#;
    let has = async {
        let row = format!(r#"[{{"found":{readings}}}]"#);
        while !server.post_json("/api/v1/sql", query).await.text().contains(&row) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, has).await.expect("the view has it");
}

/// A follower whose socket takes little.
async fn follow(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a size");
    let mut stream = socket.connect(server.address).await.expect("connected");
    let request = "GET /api/v1/views/store.meters/changes HTTP/1.0\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

async fn metric(server: &Server, name: &str) -> f64 {
    let metrics = server.get("/metrics").await.text();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_that_wait_for_memory_hold_no_place() {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(600);
    setup.options.snapshot_memory = ByteSize::mib(1);
    setup.options.snapshot_timeout = Duration::from_secs(600);
    let server = start(setup).await;
    let note = "x".repeat(25_000);
    for meter in 0..METERS {
        read(&server, meter, &note, meter + 1).await;
    }
    // The first has all of the memory and takes nothing; the next two are rendered, and wait. Each is at another version
    // of the view, so that none shares the text of another.
    let mut first = follow(&server).await;
    let mut begun = [0; 1_024];
    timeout(PATIENCE, first.read_exact(&mut begun)).await.expect("in time").expect("a stream");
    let mut waiting = Vec::new();
    for number in 1..=2 {
        read(&server, 0, "", METERS + number).await;
        waiting.push(follow(&server).await);
        let rendered = f64::from(u32::try_from(number + 1).expect("small"));
        let is_rendered = async {
            let name = "factum_http_view_renderings_total{view=\"store.meters\"}";
            while metric(&server, name).await < rendered
                || metric(&server, "factum_http_renderings_running").await > 0.0
            {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, is_rendered).await.expect("no place is held by what waits for memory");
    }
    // Once there is memory, each is sent its snapshot.
    drop(first);
    for mut stream in waiting {
        timeout(PATIENCE, stream.read_exact(&mut begun)).await.expect("in time").expect("a stream");
    }
    server.stop().await;
}
