//! Memory of clients that ask for large responses and take nothing of them, in a process of its own: resident memory is
//! that of all tests which run in one.

#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use factum_sql::{Definitions, EventDefinition, PipelineDefinition};
use factum_testkit::resident_bytes;
use factum_types::{BatchBuilder, ByteSize, Compression, TopicName};
use support::{NOW, Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(120);
const CLIENTS: usize = 40;
const METERS: usize = 40_000;
const TOPIC: &str = "store.readings";
const CONTRACT: &str = r#"{"properties": {"meter": {"type": "integer"}, "note": {"type": "string"}}}"#;

/// A server with a view of so many rows.
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
    let topic = server.broker.topic(TOPIC).expect("it was created");
    let partition = topic.partition(0).expect("one partition");
    for first in (0..METERS).step_by(1_000) {
        let mut batch = BatchBuilder::new().compression(Compression::Zstd);
        for meter in first..first + 1_000 {
            let value = format!(r#"{{"meter":{meter},"note":"note {meter}"}}"#);
            batch.push(NOW, None, Some(value.as_bytes()), &[]);
        }
        let appended = partition.append(batch.build()).expect("a sound batch");
        partition.durable(appended.last_offset).await.expect("synced");
    }
    let query = r#"{"query":"SELECT count(*) AS found FROM store.meters"}"#;
    let has = async {
        let row = format!(r#"[{{"found":{METERS}}}]"#);
        while !server.post_json("/api/v1/sql", query).await.text().contains(&row) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, has).await.expect("the view has them");
    server
}

/// A client whose socket takes little: what it has read is the status.
async fn ask(server: &Server, path: &str) -> (String, TcpStream) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a size");
    let mut stream = socket.connect(server.address).await.expect("connected");
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.expect("in time").expect("a response");
    (String::from_utf8_lossy(&head[9..]).into_owned(), stream)
}

/// What `CLIENTS` clients cost that ask at once for the same, in bytes.
async fn cost(server: &Server, path: &str) -> usize {
    let before = resident_bytes();
    let mut most = 0;
    let asked = futures::future::join_all((0..CLIENTS).map(|_| ask(server, path)));
    tokio::pin!(asked);
    let clients = loop {
        tokio::select! {
            biased;
            clients = &mut asked => break clients,
            () = tokio::time::sleep(Duration::from_millis(1)) => {
                most = most.max(resident_bytes().saturating_sub(before));
            }
        }
    };
    most = most.max(resident_bytes().saturating_sub(before));
    for (status, _) in &clients {
        assert!(matches!(status.as_str(), "200" | "503"), "{path}: {status}");
    }
    assert!(clients.iter().any(|(status, _)| status == "200"), "{path}: all were refused");
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_that_no_client_takes_are_bounded_in_memory() {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(600);
    setup.options.answer_memory = ByteSize::mib(16);
    setup.options.snapshot_timeout = Duration::from_millis(100);
    let server = start(setup).await;
    // Once, so that what is kept for all readers is there.
    assert_eq!(server.get("/api/v1/views/store.meters").await.status, 200);
    for path in [
        "/api/v1/views/store.meters",
        "/api/v1/topics/store.readings/records?limit=1000",
        "/api/v1/topics/store.readings/tail?from=earliest",
    ] {
        let cost = cost(&server, path).await;
        assert!(cost < 96 << 20, "{path}: {cost} bytes for {CLIENTS} clients that take nothing");
        // Those clients are gone, and the next finds room.
        let again = async {
            while server.get("/api/v1/views/store.meters").await.status != 200 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, again).await.expect("what they held is free once they are gone");
    }
    server.stop().await;
}
