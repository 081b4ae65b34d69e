//! Fairness: one client that takes nothing of its responses, or asks for more than its share, does not keep others from
//! theirs.

use std::time::Duration;

use expect_test::expect;
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
    start_with_memory(32).await
}

async fn start_with_memory(mib: u64) -> Server {
    start(|options| {
        options.answer_memory = ByteSize::mib(mib);
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

fn sql_request(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /api/v1/sql HTTP/1.0\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: \
         {length}\r\n\r\n{body}"
    )
}

/// Sends queries that never end from the greedy client, and gives the answers of those that are refused at once, and the
/// connections of the others.
async fn send_slow_queries(server: &Server, count: usize, refused: usize) -> (Vec<String>, JoinSet<String>) {
    let numbers = "(SELECT unnest(range(1, 1000000)) AS n)";
    let query = format!("SELECT count(*) AS n FROM {numbers} AS a, {numbers} AS b WHERE a.n < -b.n");
    let request = sql_request(&format!(r#"{{"query":"{query}"}}"#));
    let mut waiting = JoinSet::new();
    for _ in 0..count {
        let mut stream = server.connect_as(GREEDY).await;
        stream.write_all(request.as_bytes()).await.expect("sent");
        waiting.spawn(async move {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            answer
        });
    }
    let mut answers = Vec::new();
    while answers.len() < refused {
        answers.push(next_answer(&mut waiting).await);
    }
    (answers, waiting)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_queries_of_one_client_leave_places_to_others() {
    let mut setup = Setup::default();
    (setup.sql.queries, setup.sql.waiting_queries) = (2, 8);
    setup.options.query_timeout = Duration::from_secs(600);
    let server = notebook::start(setup, SQL).await;
    note(&server, 1).await;
    server.until_found(COUNT, 1).await;
    let (refused, slow) = send_slow_queries(&server, 40, 30).await;
    let number = r#"{"query":"SELECT 1 AS one"}"#;
    for path in ["/api/v1/sql", "/api/v1/sql/explain"] {
        let answer = timeout(PATIENCE, server.post_json(path, number)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{path} waits for another client"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    expect_served(&server, &format!("{ROWS}?filter=page=1")).await;
    for answer in refused {
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.0 503") && head.contains("retry-after: 1"), "{answer}");
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        expect![[r#""too many queries from one client address, of which 1 run at once and 4 may wait; of all clients: 2 run at once and 8 may wait (sql.queries, sql.waiting_queries)""#]]
        .assert_eq(&problem["detail"].to_string());
    }
    drop(slow);
    server.stop().await;
}

/// A response of about 512 KiB of columns, in one row.
const LARGE_ROW: &str = r#"{"query":"SELECT repeat('x', 500000) AS text"}"#;

/// Sends a query from the greedy client whose response has as much, and a text of 7 MB, of which it takes the first bytes.
async fn unread_numbers(server: &Server) -> TcpStream {
    let column = "n".repeat(100);
    let query = format!("SELECT n + 1 AS {column} FROM (SELECT unnest(range(0, 60000)) AS n)");
    let mut stream = server.connect_as(GREEDY).await;
    let request = sql_request(&format!(r#"{{"query":"{query}"}}"#));
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut status = [0; 12];
    let answered = timeout(PATIENCE, stream.read_exact(&mut status)).await;
    answered.expect("in time").expect("a response");
    assert_eq!(&status, b"HTTP/1.0 200");
    stream
}

/// Those that wait for the memory of others hold none that others wait for.
#[tokio::test(flavor = "multi_thread")]
async fn responses_of_one_client_that_find_memory_one_after_the_other_are_all_served() {
    let server = start_with_memory(64).await;
    // Six of them are what one client may have of the memory of small responses.
    let mut unread = Vec::new();
    for _ in 0..6 {
        unread.push(unread_numbers(&server).await);
    }
    let mut waiting = JoinSet::new();
    for _ in 0..24 {
        let mut stream = server.connect_as(GREEDY).await;
        stream.write_all(sql_request(LARGE_ROW).as_bytes()).await.expect("sent");
        waiting.spawn(async move {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            (String::from_utf8_lossy(&answer[..12]).into_owned(), answer.len())
        });
    }
    // Sixteen of them may wait: once others are told to ask again, those that are to be served do wait.
    for _ in 0..6 {
        let (status, _) = next_answer(&mut waiting).await;
        assert_eq!(status, "HTTP/1.0 503");
    }
    drop(unread);
    let mut served = 0;
    while !waiting.is_empty() {
        let (status, length) = next_answer(&mut waiting).await;
        served += usize::from(status == "HTTP/1.0 200" && length > 500_000);
    }
    assert!(served >= 12, "{served}");
    server.stop().await;
}

async fn next_answer<T: 'static>(waiting: &mut JoinSet<T>) -> T {
    let next = timeout(PATIENCE, waiting.join_next()).await.expect("none waits for another");
    next.expect("one of them").expect("no panic")
}
