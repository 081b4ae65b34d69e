//! Followers of views who read slowly, and who follow several at once.

use std::time::Duration;

use expect_test::expect;
use factum_eventlog::Admin;
use factum_types::TopicName;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::notebook;
use crate::support::{Server, Setup};

const PATIENCE: Duration = Duration::from_secs(30);
const SQL: &str =
    "CREATE MATERIALIZED VIEW notes AS SELECT page, max(note) AS note FROM notebook GROUP BY page;
CREATE MATERIALIZED VIEW pages AS SELECT count(*) AS pages FROM notebook;
";
/// A change shows a note that went and one that came.
const NOTE_BYTES: usize = 100_000;
const NOTES: usize = 60;

async fn start(setup: Setup) -> Server {
    notebook::start(setup, SQL).await
}

/// Writes a note that comes behind all before it, and waits until the view shows it.
async fn note(server: &Server, number: usize) {
    let begin = format!("{number:05}");
    let text = format!(r#"{{"page":1,"note":"{begin}{}"}}"#, "x".repeat(NOTE_BYTES));
    assert_eq!(server.post_json("/events/store.notebook", &text).await.status, 202);
    let shown = async {
        while !server.get("/api/v1/views/store.notes").await.text().contains(&format!("\"{begin}")) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, shown).await.expect("the view shows it");
}

async fn follow(server: &Server, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    // Not so small that each packet waits for its acknowledgement.
    socket.set_recv_buffer_size(64 << 10).expect("a small buffer");
    let mut stream = socket.connect(server.address).await.expect("connected");
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream
}

async fn read_until(stream: &mut TcpStream, text: &mut String, is_done: impl Fn(&str) -> bool) {
    let mut buffer = vec![0; 256 << 10];
    while !is_done(text) {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time").expect("read");
        assert!(read > 0, "the stream ended: {} bytes", text.len());
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

/// What a client that takes nothing misses is not kept for it beyond the changes that are kept for all: it begins
/// again with a snapshot, and is then where everybody is.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_who_takes_nothing_begins_again_with_a_snapshot() {
    let sql = factum_sql::Options { max_changes: 4, ..factum_sql::Options::default() };
    let mut setup = Setup { sql, ..Setup::default() };
    // It is slow, and not to be disconnected for it.
    setup.options.write_timeout = Duration::from_secs(600);
    let server = start(setup).await;
    note(&server, 0).await;
    let mut slow = follow(&server, "/api/v1/views/store.notes/changes").await;
    let mut told = String::new();
    read_until(&mut slow, &mut told, |told| told.contains("event: snapshot")).await;
    // The quick one shows that each note was a change to be told.
    let mut quick = follow(&server, "/api/v1/views/store.notes/changes").await;
    let mut heard = String::new();
    for number in 1..=NOTES {
        note(&server, number).await;
        let begin = format!("\"note\":\"{number:05}");
        read_until(&mut quick, &mut heard, |heard| heard.contains(&begin)).await;
    }
    let last = format!("\"added\":[{{\"page\":1,\"note\":\"{NOTES:05}");
    let again = format!("event: snapshot\ndata: {{\"rows\":[{{\"page\":1,\"note\":\"{NOTES:05}");
    read_until(&mut slow, &mut told, |told| told.contains(&last) || told.contains(&again)).await;
    assert!(
        told.matches("event: snapshot").count() > 1,
        "it was told {} changes",
        told.matches("event: change").count()
    );
    assert!(told.len() < NOTES * 2 * NOTE_BYTES, "{} bytes were kept for it", told.len());
    assert_eq!(heard.matches("event: snapshot").count(), 1, "the quick one missed nothing");
    server.stop().await;
}

/// The events with data: kind and data.
fn events(text: &str) -> Vec<(String, Value)> {
    let field =
        |block: &str, name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let event =
        |block: &str| Some((field(block, "event: ")?, serde_json::from_str(&field(block, "data: ")?).ok()?));
    text.split("\n\n").filter_map(event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_views_are_followed_over_one_connection() {
    let server = start(Setup::default()).await;
    note(&server, 0).await;
    let path = "/api/v1/changes?view=store.pages&view=store.notes&view=store.nots";
    let mut stream = follow(&server, path).await;
    let mut text = String::new();
    read_until(&mut stream, &mut text, |text| events(text).len() == 3).await;
    let mut begun: Vec<_> =
        events(&text).iter().map(|(kind, data)| format!("{kind} {}", data["view"])).collect();
    begun.sort();
    assert_eq!(begun, ["error \"store.nots\"", "snapshot \"store.notes\"", "snapshot \"store.pages\""]);
    note(&server, 1).await;
    read_until(&mut stream, &mut text, |text| events(text).len() == 5).await;
    assert!(events(&text)[3..].iter().all(|(kind, _)| kind == "change"));
    let place =
        text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().expect("an id").to_owned();
    assert!(place.contains("store.notes=") && place.contains(",store.pages="), "{place}");

    let known = [("last-event-id", "store.notes=1")];
    assert_eq!(server.send("GET", path, &known, "").await.status, 400);
    assert_eq!(server.get("/api/v1/changes").await.status, 400, "no view");
    assert_eq!(server.get("/api/v1/changes?views=store.notes").await.status, 400, "no such parameter");
    let many: String = (0..65).map(|number| format!("&view=store.v{number}")).collect();
    assert_eq!(server.get(&format!("/api/v1/changes?{}", &many[1..])).await.status, 400, "too many");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_follow_than_may() {
    let mut setup = Setup::default();
    setup.options.max_followers = 2;
    let server = start(setup).await;
    let mut one = follow(&server, "/api/v1/views/store.notes/changes").await;
    let mut two = follow(&server, "/api/v1/changes?view=store.notes&view=store.pages").await;
    read_until(&mut one, &mut String::new(), |told| told.contains("event: snapshot")).await;
    read_until(&mut two, &mut String::new(), |told| told.matches("event: snapshot").count() == 2).await;
    for path in ["/api/v1/views/store.notes/changes", "/api/v1/changes?view=store.notes"] {
        let refused = server.get(path).await;
        assert_eq!(refused.retry_after, "1");
        expect![[r#"503 too many change streams: the limit is 2 {"limit":2}"#]].assert_eq(&refused.problem());
    }
    // A place that is given up is another's.
    drop(one);
    let again = async {
        loop {
            let mut next = follow(&server, "/api/v1/views/store.notes/changes").await;
            let mut told = String::new();
            read_until(&mut next, &mut told, |told| told.contains("event: snapshot") || told.contains("503"))
                .await;
            if told.contains("event: snapshot") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again).await.expect("a place comes free");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_are_told_when_a_view_stands_still_and_when_it_goes_on() {
    let server = start(Setup::default()).await;
    note(&server, 0).await;
    let mut one = follow(&server, "/api/v1/views/store.notes/changes").await;
    let mut several = follow(&server, "/api/v1/changes?view=store.notes").await;
    let (mut told, mut told_several) = (String::new(), String::new());
    read_until(&mut one, &mut told, |told| told.contains("event: snapshot")).await;
    let topic = TopicName::new("store.notebook").expect("a name");
    Admin::delete_topic(&server.broker, &topic).await.expect("it is there");
    let is_stale =
        |told: &str| told.contains("event: stale") && told.contains("there is no topic store.notebook");
    read_until(&mut one, &mut told, is_stale).await;
    read_until(&mut several, &mut told_several, is_stale).await;
    let answer = server.get("/api/v1/views/store.notes").await.text();
    assert!(answer.contains(r#""state":"waiting","reason":"there is no topic store.notebook"#), "{answer}");
    server.topic("store.notebook").await;
    read_until(&mut one, &mut told, |told| told.contains("event: live")).await;
    read_until(&mut several, &mut told_several, |told| told.contains("event: live")).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_what_it_leaves_out() {
    let server = start(Setup::default()).await;
    note(&server, 0).await;
    assert_eq!(server.post_json("/events/store.notebook", r#"{"page":"seven"}"#).await.status, 202);
    let query = r#"{"query":"SELECT max(page) AS page FROM store.notebook"}"#;
    let answer = server.post_json("/api/v1/sql", query).await.text();
    let left_out = r#""lag":"0","state":"live","left_out":{"undecodable":"1","unreadable":"0","reason":"the first is store.notebook/"#;
    assert!(answer.contains(left_out), "{answer}");
    let json = ("content-type", "application/json");
    let csv = server.send("POST", "/api/v1/sql", &[json, ("accept", "text/csv")], query).await;
    assert_eq!(csv.header("x-factum-left-out"), "undecodable=1, unreadable=0");
    let reason = csv.header("x-factum-left-out-reason");
    assert!(reason.starts_with("the first is store.notebook/"), "{reason}");
    assert_eq!(csv.header("x-factum-state"), "live");
    server.stop().await;
}

/// The warning in the list of views, if any.
async fn warning(server: &Server) -> String {
    let views = server.get("/api/v1/views").await.json();
    let views = views["views"].as_array().expect("a list").clone();
    let notes = views.iter().find(|view| view["name"] == "store.notes").expect("it is declared");
    format!("{} rows: {}", notes["rows"], notes["warning"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_says_that_it_is_about_to_have_too_many_rows_to_be_followed() {
    let mut setup = Setup::default();
    setup.options.max_rows = 5;
    let server = start(setup).await;
    let mut told = Vec::new();
    for pages in 1..=6 {
        let event = format!(r#"{{"page":{pages},"note":""}}"#);
        assert_eq!(server.post_json("/events/store.notebook", &event).await.status, 202);
        let query = r#"{"query":"SELECT count(*) AS rows FROM store.notes"}"#;
        let shown = async {
            let rows = format!(r#"[{{"rows":{pages}}}]"#);
            while !server.post_json("/api/v1/sql", query).await.text().contains(&rows) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, shown).await.expect("the view has the row");
        told.push(warning(&server).await);
    }
    expect![[r#"
        1 rows: null
        2 rows: null
        3 rows: null
        4 rows: "it has 4 rows, and beyond 5 it can no longer be followed or read at once: follow a view that selects or sums them, or raise http.max_rows"
        5 rows: "it has 5 rows, and beyond 5 it can no longer be followed or read at once: follow a view that selects or sums them, or raise http.max_rows"
        6 rows: "it has 6 rows, and no more than 5 can be followed or read at once: follow a view that selects or sums them, or raise http.max_rows""#]].assert_eq(&told.join("\n"));
    let mut follower = follow(&server, "/api/v1/views/store.notes/changes").await;
    let mut text = String::new();
    read_until(&mut follower, &mut text, |text| text.contains("event: error")).await;
    assert!(text.contains("the view has 6 rows, and no more than 5 can be followed"), "{text}");
    server.stop().await;
}
