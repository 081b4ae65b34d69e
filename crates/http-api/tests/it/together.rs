//! Several views followed over one connection.

use std::time::Duration;

use expect_test::expect;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Server, Setup};
use crate::views::{definitions, sell, start};

/// A client of `/api/v1/changes` over a bare socket.
struct Client {
    stream: TcpStream,
    text: String,
}

impl Client {
    async fn open(server: &Server, views: &str, last_event_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.address).await.expect("connected");
        let id = last_event_id.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /api/v1/changes?{views} HTTP/1.0\r\nhost: localhost\r\nconnection: close\r\n{id}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self { stream, text: String::new() }
    }

    /// Reads until an event is as wanted; gives its id.
    async fn until(&mut self, kind: &str, view: &str, is_wanted: impl Fn(&Value) -> bool) -> String {
        loop {
            let found = self
                .events()
                .into_iter()
                .find(|event| event.kind == kind && event.data["view"] == view && is_wanted(&event.data));
            if let Some(event) = found {
                return event.id;
            }
            let mut buffer = vec![0; 64 << 10];
            let read = timeout(Duration::from_secs(20), self.stream.read(&mut buffer)).await;
            let read = read.unwrap_or_else(|_| panic!("nothing came: {}", self.text)).expect("read");
            assert!(read > 0, "the stream ended: {}", self.text);
            self.text += &String::from_utf8_lossy(&buffer[..read]);
        }
    }

    fn events(&self) -> Vec<Event> {
        self.text.split("\n\n").filter_map(Event::read).collect()
    }
}

struct Event {
    id: String,
    kind: String,
    data: Value,
}

impl Event {
    fn read(block: &str) -> Option<Self> {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let data = serde_json::from_str(&field("data: ")?).ok()?;
        Some(Self { id: field("id: ").unwrap_or_default(), kind: field("event: ")?, data })
    }
}

fn sold(rows: &Value, wanted: i64) -> bool {
    rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["sold"] == wanted))
}

fn sales(rows: &Value, wanted: i64) -> bool {
    rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["sales"] == wanted))
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_followed_together_and_resumed_each_in_its_place() {
    let server = start(Setup::default()).await;
    sell(&server, &[(1, 2)]).await;
    let views = "view=store.top&view=store.day&view=store.top";
    let mut first = Client::open(&server, views, None).await;
    first.until("snapshot", "store.top", |_| true).await;
    first.until("snapshot", "store.day", |_| true).await;
    sell(&server, &[(1, 5)]).await;
    first.until("change", "store.top", |data| sold(&data["added"], 7)).await;
    first.until("change", "store.day", |data| sales(&data["added"], 2)).await;
    let last = first.events().last().expect("an event").id.clone();
    assert!(last.contains("store.day=") && last.contains(",store.top="), "{last}");

    sell(&server, &[(1, 10)]).await;
    let mut second = Client::open(&server, views, Some(&last)).await;
    second.until("change", "store.top", |data| sold(&data["added"], 17)).await;
    second.until("change", "store.day", |data| sales(&data["added"], 3)).await;
    assert!(second.events().iter().all(|event| event.kind == "change"), "{}", second.text);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_one_view_stops_no_other_and_passes() {
    let server = start(Setup::default()).await;
    let mut without = definitions();
    let later = std::mem::take(&mut without.pipelines);
    server.engine.apply(without).await.expect("the definitions are good");
    let mut client = Client::open(&server, "view=store.top&view=store.nowhere", None).await;
    client.until("error", "store.top", |data| data["status"] == 404).await;
    client.until("error", "store.nowhere", |data| data["status"] == 404).await;
    let again = factum_sql::Definitions { pipelines: later, ..definitions() };
    server.engine.apply(again).await.expect("the definitions are good");
    sell(&server, &[(1, 2)]).await;
    client.until("snapshot", "store.top", |_| true).await;
    let errors = client.events().iter().filter(|event| event.kind == "error").count();
    assert_eq!(errors, 2, "a reason is given once: {}", client.text);
    server.stop().await;
}

#[tokio::test]
async fn malformed_requests_for_changes_say_what_is_wrong() {
    let server = start(Setup::default()).await;
    let wrong = server.get("/api/v1/changes").await;
    expect!["400 view is missing: name at least one view {\"in\":\"query\"}"].assert_eq(&wrong.problem());
    let wrong = server.get("/api/v1/changes?view=store.top&order=sold").await;
    expect!["400 there is no parameter order; it takes view {\"in\":\"query\"}"].assert_eq(&wrong.problem());
    let many: String = (0..65).map(|each| format!("view=store.v{each}&")).collect();
    let wrong = server.get(&format!("/api/v1/changes?{many}")).await;
    expect!["400 at most 64 views are followed together {\"limit\":64}"].assert_eq(&wrong.problem());
    for id in ["x", "store.top=x", "store.top"] {
        let wrong = server.send("GET", "/api/v1/changes?view=store.top", &[("last-event-id", id)], "").await;
        assert_eq!(wrong.status, 400, "{id}: {}", wrong.text());
    }
    server.stop().await;
}
