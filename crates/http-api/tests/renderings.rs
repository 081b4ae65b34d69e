//! Snapshots that wait for memory hold no place in which others are rendered, in a process of its own with one server: its
//! measures are those of the first server in it.

#[path = "own_process/metrics.rs"]
mod metrics;
#[path = "it/notebook.rs"]
mod notebook;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::time::Duration;

use factum_types::ByteSize;
use metrics::metric;
use support::{Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);
const SQL: &str = "CREATE MATERIALIZED VIEW notes AS
    SELECT page, max(note) AS note, count(*) AS versions FROM notebook GROUP BY page";
const PAGES: usize = 40;

/// One more note; waits until the view has so many of them all.
async fn write(server: &Server, page: usize, note: &str, versions: usize) {
    let event = format!(r#"{{"page":{page},"note":"{note}"}}"#);
    assert_eq!(server.post_json("/events/store.notebook", &event).await.status, 202);
    server.until_found("SELECT sum(versions) AS found FROM store.notes", versions).await;
}

/// A follower at 127.0.0.`client` whose socket takes little.
async fn follow(server: &Server, client: u8) -> TcpStream {
    let mut stream = server.connect_as(client).await;
    let request = "GET /api/v1/views/store.notes/changes HTTP/1.0\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_that_wait_for_memory_hold_no_place() {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(600);
    setup.options.snapshot_memory = ByteSize::mib(1);
    setup.options.snapshot_timeout = Duration::from_secs(600);
    let server = notebook::start(setup, SQL).await;
    let note = "x".repeat(25_000);
    for page in 0..PAGES {
        write(&server, page, &note, page + 1).await;
    }
    // The first has all of the memory and takes nothing; the next two are rendered, and wait. Each is at another version
    // of the view, so that none shares the text of another, and at another address, so that none waits for the share of
    // its address.
    let mut first = follow(&server, 2).await;
    let mut begun = [0; 1_024];
    timeout(PATIENCE, first.read_exact(&mut begun)).await.expect("in time").expect("a stream");
    let mut waiting = Vec::new();
    for number in 1..=2_u8 {
        write(&server, 0, "", PAGES + usize::from(number)).await;
        waiting.push(follow(&server, 2 + number).await);
        let rendered = f64::from(number + 1);
        let is_rendered = async {
            let name = "factum_http_view_renderings_total{view=\"store.notes\"}";
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
