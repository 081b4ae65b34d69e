//! Memory of clients that ask for large responses and take nothing of them, in a process of its own: resident memory is
//! that of all tests which run in one.

#[path = "it/notebook.rs"]
mod notebook;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::time::Duration;

use factum_testkit::resident_bytes;
use factum_types::{BatchBuilder, ByteSize, Compression};
use support::{NOW, Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(120);
const CLIENTS: usize = 40;
const PAGES: usize = 40_000;
const SQL: &str = "CREATE MATERIALIZED VIEW notes AS
    SELECT page, max(note) AS note, count(*) AS versions FROM notebook GROUP BY page";

/// A server with a view of so many rows.
async fn start(setup: Setup) -> Server {
    let server = notebook::start(setup, SQL).await;
    let topic = server.broker.topic("store.notebook").expect("it was created");
    let partition = topic.partition(0).expect("one partition");
    for first in (0..PAGES).step_by(1_000) {
        let mut batch = BatchBuilder::new().compression(Compression::Zstd);
        for page in first..first + 1_000 {
            let value = format!(r#"{{"page":{page},"note":"note {page}"}}"#);
            batch.push(NOW, None, Some(value.as_bytes()), &[]);
        }
        let appended = partition.append(batch.build()).expect("a sound batch");
        partition.durable(appended.last_offset).await.expect("synced");
    }
    server.until_found("SELECT count(*) AS found FROM store.notes", PAGES).await;
    server
}

/// A client whose socket takes little: what it has read is the status.
async fn ask(server: &Server, path: &str) -> (String, TcpStream) {
    let mut stream = server.connect_as(1).await;
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
    assert_eq!(server.get("/api/v1/views/store.notes").await.status, 200);
    for path in [
        "/api/v1/views/store.notes",
        "/api/v1/topics/store.notebook/records?limit=1000",
        "/api/v1/topics/store.notebook/tail?from=earliest",
    ] {
        let cost = cost(&server, path).await;
        assert!(cost < 96 << 20, "{path}: {cost} bytes for {CLIENTS} clients that take nothing");
        // Those clients are gone, and the next finds room.
        let again = async {
            while server.get("/api/v1/views/store.notes").await.status != 200 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, again).await.expect("what they held is free once they are gone");
    }
    server.stop().await;
}
