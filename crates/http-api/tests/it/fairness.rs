//! Fairness: one client that takes nothing of its responses does not keep others from theirs.

use std::time::Duration;

use factum_http_api::Options;
use factum_types::ByteSize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::notebook;
use crate::support::{Server, Setup};

const PATIENCE: Duration = Duration::from_secs(60);
/// The client that takes nothing is 127.0.0.2; the others, as all clients of tests, are 127.0.0.1.
const GREEDY: u8 = 2;
const REQUESTS: usize = 16;

const SQL: &str =
    "CREATE MATERIALIZED VIEW notes AS SELECT page, max(note) AS note FROM notebook GROUP BY page";
const NOTES: usize = 50;
const NOTE_BYTES: usize = 100_000;
const RECORDS: &str = "/api/v1/topics/store.notebook/records";
const ROWS: &str = "/api/v1/views/store.notes";
const COUNT: &str = "SELECT count(*) AS found FROM store.notes";

/// A server with a topic of 5 MB in 50 records, and a view with a row for each.
async fn start(change: impl FnOnce(&mut Options)) -> Server {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(600);
    change(&mut setup.options);
    let server = notebook::start(setup, SQL).await;
    for page in 0..NOTES {
        note(&server, page).await;
    }
    server.until_found(COUNT, NOTES).await;
    server
}

async fn note(server: &Server, page: usize) {
    let text = format!(r#"{{"page":{page},"note":"{}"}}"#, "x".repeat(NOTE_BYTES));
    assert_eq!(server.post_json("/events/store.notebook", &text).await.status, 202);
}

/// Requests that the greedy client does not take the responses of.
struct UnreadResponses {
    _answered: Vec<TcpStream>,
    _waiting: JoinSet<([u8; 12], TcpStream)>,
}

impl UnreadResponses {
    /// Sends them all, and waits until `answered` of them are served.
    async fn send(server: &Server, paths: impl Iterator<Item = String>, answered: usize) -> Self {
        let mut waiting = JoinSet::new();
        for path in paths {
            let mut stream = server.connect_as(GREEDY).await;
            let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("sent");
            waiting.spawn(async move {
                let mut status = [0; 12];
                stream.read_exact(&mut status).await.expect("a response");
                (status, stream)
            });
        }
        let mut taken = Vec::new();
        while taken.len() < answered {
            let next = timeout(PATIENCE, waiting.join_next()).await.expect("in time");
            let (status, stream) = next.expect("one of them").expect("no panic");
            if &status == b"HTTP/1.0 200" {
                taken.push(stream);
            }
        }
        Self { _answered: taken, _waiting: waiting }
    }
}

/// Expects the status 200 although who has to wait waits for long.
async fn expect_served(server: &Server, path: &str) {
    let response = timeout(PATIENCE, server.get(path)).await;
    assert_eq!(response.unwrap_or_else(|_| panic!("{path} waits for another client")).status, 200, "{path}");
}

/// A server on which two responses of 5 MB find room in the half of one client, and what finds none waits for long.
async fn start_with_little_memory() -> Server {
    start(|options| {
        options.answer_memory = ByteSize::mib(32);
        options.snapshot_timeout = Duration::from_secs(600);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_one_client_does_not_take_leave_memory_to_others() {
    let server = start_with_little_memory().await;
    let unread = UnreadResponses::send(&server, (0..REQUESTS).map(|_| RECORDS.to_owned()), 2).await;
    expect_served(&server, RECORDS).await;
    expect_served(&server, ROWS).await;
    drop(unread);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_one_client_does_not_take_leave_memory_to_others() {
    let server = start_with_little_memory().await;
    // Each is computed for itself, so that they share no columns.
    let paths = (1..=REQUESTS).map(|fewer| format!("{ROWS}?limit={}", NOTES - fewer));
    let unread = UnreadResponses::send(&server, paths, 2).await;
    expect_served(&server, ROWS).await;
    expect_served(&server, RECORDS).await;
    drop(unread);
    server.stop().await;
}

/// Small responses have memory and threads of their own, so that this holds for one and the same client.
#[tokio::test(flavor = "multi_thread")]
async fn lists_find_room_beside_large_responses_that_their_own_client_does_not_take() {
    let server = start_with_little_memory().await;
    for number in 0..150 {
        server.topic(&format!("store.a_topic_whose_name_makes_the_list_of_topics_longer_{number}")).await;
    }
    let is_counted = server.get("/api/v1/topics").await.body.len() > 16 << 10;
    assert!(is_counted, "the list is long enough to count");
    let unread = UnreadResponses::send(&server, (0..REQUESTS).map(|_| RECORDS.to_owned()), 2).await;
    expect_served(&server, RECORDS).await;
    for path in ["/api/v1/topics", "/api/v1/overview", "/metrics", "/health/ready"] {
        drop(UnreadResponses::send(&server, std::iter::once(path.to_owned()), 1).await);
    }
    drop(unread);
    server.stop().await;
}

/// A follower that finds no memory waits until the oldest snapshot is given up, which here is never.
#[tokio::test(flavor = "multi_thread")]
async fn snapshots_that_one_client_does_not_take_leave_memory_to_others() {
    let server = start(|options| {
        options.snapshot_memory = ByteSize::mib(16);
        options.snapshot_timeout = Duration::from_secs(600);
    })
    .await;
    let mut unread = Vec::new();
    for follower in 0..4 {
        unread.push(UnreadResponses::send(&server, std::iter::once(format!("{ROWS}/changes")), 1).await);
        // Each follower is at another version of the view, and shares no text.
        note(&server, NOTES + follower).await;
        server.until_found(COUNT, NOTES + follower + 1).await;
    }
    let mut quick = TcpStream::connect(server.address).await.expect("connected");
    let request = format!("GET {ROWS}/changes HTTP/1.0\r\nhost: localhost\r\n\r\n");
    quick.write_all(request.as_bytes()).await.expect("sent");
    let (mut received, mut buffer) = (0, vec![0; 1 << 20]);
    let snapshot = async {
        while received < NOTES * NOTE_BYTES {
            received += match quick.read(&mut buffer).await.expect("read") {
                0 => panic!("the stream ended after {received} bytes"),
                read => read,
            };
        }
    };
    timeout(PATIENCE, snapshot).await.expect("another client is sent its snapshot");
    drop(unread);
    server.stop().await;
}
