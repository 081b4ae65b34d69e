//! Memory of followers of large views together, in a process of its own with one server: resident memory is that of all
//! tests which run in one, and its measures are those of the first server in it.

#[path = "own_process/metrics.rs"]
mod metrics;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use factum_sql::{Definitions, EventDefinition, PipelineDefinition};
use factum_testkit::resident_bytes;
use factum_types::{BatchBuilder, ByteSize, Compression, TopicName};
use metrics::metric;
use support::{NOW, Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(120);
const CONTRACT: &str = r#"{"properties": {"meter": {"type": "integer"}, "note": {"type": "string"}}}"#;
const FOLLOWERS: usize = 20;
const SHARED: &str = "shared";
const MOVING: &str = "moving";

/// A server with two views, each with one row for each meter of a topic of its own.
async fn start(setup: Setup) -> Server {
    let server = Server::start_with(setup).await;
    let schema = Arc::new(serde_json::from_str(CONTRACT).expect("JSON"));
    let (mut events, mut text) = (Vec::new(), String::new());
    for view in [SHARED, MOVING] {
        let topic = topic_of(view);
        server.topic(&topic).await;
        events.push(EventDefinition {
            topic: TopicName::new(topic.as_str()).expect("a name"),
            schema: Some(Arc::clone(&schema)),
            time: None,
            lateness: Duration::ZERO,
        });
        text += &format!(
            "CREATE MATERIALIZED VIEW {view} AS
             SELECT meter, max(note) AS note, count(*) AS readings FROM {view}_readings GROUP BY meter;\n"
        );
    }
    let pipelines = vec![PipelineDefinition {
        team: "store".parse().expect("a team"),
        file: "teams/store/pipelines/meters.sql".into(),
        text: text.into(),
    }];
    let definitions = Definitions { events, tables: vec![], pipelines };
    server.engine.apply(definitions).await.expect("the definitions are good");
    server
}

fn topic_of(view: &str) -> String {
    format!("store.{view}_readings")
}

/// One reading of each meter, with a note of `note_bytes`; waits until the view has them.
async fn read_meters(server: &Server, view: &str, meters: usize, note_bytes: usize) {
    let topic = server.broker.topic(&topic_of(view)).expect("it was created");
    let partition = topic.partition(0).expect("it has two");
    let note = "x".repeat(note_bytes);
    for first in (0..meters).step_by(1_000) {
        let mut batch = BatchBuilder::new().compression(Compression::Zstd);
        for meter in first..meters.min(first + 1_000) {
            let value = format!(r#"{{"meter":{meter},"note":"{note}"}}"#);
            batch.push(NOW, None, Some(value.as_bytes()), &[]);
        }
        let appended = partition.append(batch.build()).expect("a sound batch");
        partition.durable(appended.last_offset).await.expect("synced");
    }
    server.until_found(&format!("SELECT count(*) AS found FROM store.{view}"), meters).await;
}

/// One more reading of the first meter; waits until who follows the view is told of it as the `count`th.
async fn read_first_meter(server: &Server, told: &mut TcpStream, count: usize) {
    let path = format!("/events/{}", topic_of(MOVING));
    assert_eq!(server.post_json(&path, r#"{"meter":0,"note":""}"#).await.status, 202);
    let change = read_to(told, &format!("\"readings\":{count}}}],\"as_of\"")).await;
    assert!(change.contains("event: change"), "{} bytes", change.len());
}

/// A follower whose socket takes little, so that the server soon holds what it does not take.
async fn follow(server: &Server, view: &str) -> TcpStream {
    open(server, &format!("/api/v1/views/store.{view}/changes")).await
}

async fn open(server: &Server, path: &str) -> TcpStream {
    let mut stream = server.connect_as(1).await;
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

/// Reads until `ending`, or the end of the stream; the text so far.
async fn read_to(stream: &mut TcpStream, ending: &str) -> String {
    let (mut text, mut buffer) = (String::new(), vec![0; 4_096]);
    let read = async {
        while !text.contains(ending) {
            let read = stream.read(&mut buffer).await.expect("read");
            if read == 0 {
                return;
            }
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    timeout(PATIENCE, read).await.expect("in time");
    text
}

/// A snapshot, taken as fast as it comes, and the stream behind it.
async fn take_snapshot(server: &Server, view: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let request = format!("GET /api/v1/views/store.{view}/changes HTTP/1.0\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut text = read_to(&mut stream, "event: snapshot\n").await;
    let mut buffer = vec![0; 1 << 20];
    let read = async {
        while !text.ends_with("\n\n") {
            let read = stream.read(&mut buffer).await.expect("read");
            assert!(read > 0, "the stream ended after {} bytes", text.len());
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    timeout(PATIENCE, read).await.expect("in time");
    (text, stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_share_a_rendering_and_those_that_take_nothing_are_bounded_in_memory_and_hold_up_nobody() {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(600);
    setup.options.snapshot_memory = ByteSize::mib(12);
    setup.options.snapshot_timeout = Duration::from_millis(100);
    setup.options.answer_memory = ByteSize::mib(24);
    let server = start(setup).await;
    one_rendering_for_all(&server).await;
    memory_for_some(&server).await;
    readers_who_take_nothing(&server).await;
    server.stop().await;
}

async fn one_rendering_for_all(server: &Server) {
    read_meters(server, SHARED, 50_000, 100).await;
    let mut followers = Vec::new();
    for _ in 0..FOLLOWERS {
        followers.push(follow(server, SHARED).await);
    }
    for follower in &mut followers {
        let begun = read_to(follower, "event: snapshot\n").await;
        assert!(begun.contains("event: snapshot\n"), "{begun}");
    }
    let (snapshot, _stream) = take_snapshot(server, SHARED).await;
    assert_eq!(snapshot.matches("\"meter\":").count(), 50_000);
    assert_eq!(metric(server, "factum_http_view_renderings_total{view=\"store.shared\"}").await, 1.0);
    assert_eq!(metric(server, "factum_view_rows{view=\"store.shared\"}").await, 50_000.0);
}

/// Each follower is at another version of the view, so that none shares the text of another.
async fn memory_for_some(server: &Server) {
    read_meters(server, MOVING, 200, 25_000).await;
    let (_, mut quick) = take_snapshot(server, MOVING).await;
    let before = resident_bytes();
    let (mut followers, mut most) = (Vec::new(), 0);
    for number in 0..FOLLOWERS {
        let mut follower = follow(server, MOVING).await;
        let begun = read_to(&mut follower, "event: snapshot\n").await;
        assert!(begun.contains("event: snapshot\n"), "{begun}");
        followers.push(follower);
        read_first_meter(server, &mut quick, number + 2).await;
        most = most.max(resident_bytes().saturating_sub(before));
    }
    assert!(most < 64 << 20, "{most} bytes more for {FOLLOWERS} followers that take nothing");
    let (snapshot, _stream) = take_snapshot(server, MOVING).await;
    assert_eq!(snapshot.matches("\"meter\":").count(), 200);
    assert!(metric(server, "factum_http_snapshot_bytes").await <= f64::from(12 << 20));
    assert!(metric(server, "factum_http_snapshots_interrupted_total").await > 0.0);
    // Who was interrupted is at the end of its stream, and begins again like anybody who comes.
    let rest = read_to(&mut followers[0], "\n\nid:").await;
    assert!(!rest.contains("\n\n"), "its snapshot is not whole");
}

/// Clients that ask for so many rows and take nothing of them, and how many were refused.
async fn ask_for_rows(server: &Server, rows: impl Fn(usize) -> usize) -> (Vec<TcpStream>, usize) {
    let before = resident_bytes();
    let (mut readers, mut refused, mut most) = (Vec::new(), 0, 0);
    for number in 0..FOLLOWERS {
        let path = format!("/api/v1/views/store.{MOVING}?limit={}", rows(number));
        let mut reader = open(server, &path).await;
        let mut head = [0; 12];
        timeout(PATIENCE, reader.read_exact(&mut head)).await.expect("in time").expect("a response");
        refused += usize::from(head.ends_with(b" 503"));
        readers.push(reader);
        most = most.max(resident_bytes().saturating_sub(before));
    }
    assert!(most < 64 << 20, "{most} bytes more for {FOLLOWERS} readers who take nothing");
    (readers, refused)
}

/// Those who ask for many rows at once, and take none, are refused beyond the memory for them.
async fn readers_who_take_nothing(server: &Server) {
    let (readers, refused) = ask_for_rows(server, |number| 199 - number).await;
    assert_eq!(refused, FOLLOWERS - 2, "two of 5 MB find room in the half of one client");
    let few = server.get(&format!("/api/v1/views/store.{MOVING}?limit=1")).await;
    assert_eq!(few.status, 200, "few rows need no place");
    drop(readers);
    let all = async {
        while server.get(&format!("/api/v1/views/store.{MOVING}")).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, all).await.expect("what they held is free once they are gone");
    // Those who are sent the same rows share their columns.
    let (_readers, refused) = ask_for_rows(server, |_| 200).await;
    assert_eq!(refused, 0, "5 MB find room, once");
}
