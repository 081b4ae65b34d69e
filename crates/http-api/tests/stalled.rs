//! Memory of clients that ask for a tail and take nothing of it, in a process of its own: resident memory is that of
//! all tests which run in one.

#[path = "own_process/metrics.rs"]
mod metrics;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::time::Duration;

use factum_testkit::resident_bytes;
use factum_types::{BatchBuilder, Compression, RecordBatch};
use metrics::metric;
use support::{NOW, Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const CLIENTS: u32 = 20;

/// A client whose socket takes little, so that the server notices soon that it takes nothing more. What it has read
/// is the head of the response.
async fn open(server: &Server) -> TcpStream {
    let mut stream = server.connect_as(1).await;
    let request = "GET /api/v1/topics/store.orders/tail?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = [0; 15];
    let read = timeout(Duration::from_secs(20), stream.read_exact(&mut head)).await.expect("in time");
    read.expect("a response");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stream
}

/// Twelve records of 1 MB of text each, which are some kilobytes compressed.
fn compressed_batch() -> RecordBatch {
    let mut batch = BatchBuilder::new().compression(Compression::Zstd);
    let value = format!("\"{}\"", "x".repeat(1_000_000));
    for _ in 0..12 {
        batch.push(NOW, None, Some(value.as_bytes()), &[]);
    }
    batch.build()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_take_nothing_are_bounded_in_memory_and_time() {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(1);
    let server = Server::start_with(setup).await;
    server.topic("store.orders").await;
    let topic = server.broker.topic("store.orders").expect("it was created");
    let partition = topic.partition(0).expect("one partition");
    let appended = partition.append(compressed_batch()).expect("a sound batch");
    partition.durable(appended.last_offset).await.expect("synced");

    let before = resident_bytes();
    let mut stuck = Vec::new();
    for _ in 0..CLIENTS {
        stuck.push(open(&server).await);
    }
    let mut most = 0;
    let let_go = async {
        while metric(&server, "factum_http_write_timeouts_total").await < f64::from(CLIENTS) {
            most = most.max(resident_bytes().saturating_sub(before));
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(120), let_go).await.expect("clients that take nothing are let go");
    assert!(most < 256 << 20, "{most} bytes more for {CLIENTS} clients that take nothing");
    assert_eq!(server.get("/health/live").await.status, 200);
    drop(stuck);
    server.stop().await;
}
