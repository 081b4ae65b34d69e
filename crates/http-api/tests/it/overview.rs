//! The overview, at once and as a stream.

use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::Duration;

use expect_test::expect;
use factum_http_api::HealthReport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Server, Setup};

async fn overview(server: &Server) -> serde_json::Value {
    let mut overview = server.get("/api/v1/overview").await.json();
    assert_ne!(overview["bytes"].take(), "");
    overview["bytes_per_second"].take();
    overview
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_is_counted_and_measured() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.topic("store.quiet").await;
    assert_eq!(server.post_json("/events/store.orders", r#"{"n":1}"#).await.status, 202);
    expect![[r#"
        {
          "version": "0.1.0",
          "uptime_seconds": 0,
          "kafka": {
            "host": null,
            "port": 9092
          },
          "health": {
            "ready": true,
            "roles": [
              {
                "role": "log",
                "ready": true,
                "problems": []
              }
            ]
          },
          "topics": 2,
          "records": "1",
          "bytes": null,
          "views": 0,
          "pipelines": 0,
          "groups": 0,
          "problems": 0,
          "records_per_second": null,
          "bytes_per_second": null,
          "by_topic": [
            {
              "name": "store.orders",
              "records": "1",
              "records_per_second": null
            },
            {
              "name": "store.quiet",
              "records": "0",
              "records_per_second": null
            }
          ],
          "by_pipeline": []
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&overview(&server).await).expect("JSON"));

    let more = "{\"n\":2}\n".repeat(25);
    let ndjson = [("content-type", "application/x-ndjson")];
    assert_eq!(server.send("POST", "/events/store.orders", &ndjson, more).await.status, 202);
    server.clock.advance(Duration::from_millis(400));
    assert_eq!(overview(&server).await["records"], "1", "a fresh answer is given again");
    server.clock.advance(Duration::from_millis(2_100));
    let later = overview(&server).await;
    assert_eq!((&later["records"], &later["uptime_seconds"]), (&"26".into(), &2.into()));
    assert_eq!(later["records_per_second"], 10.0);
    assert_eq!(later["by_topic"][0]["records_per_second"], 10.0);
    assert_eq!(later["by_topic"][1]["records_per_second"], 0.0);

    server.clock.advance(Duration::from_secs(60));
    assert!(
        overview(&server).await["records_per_second"].is_null(),
        "a rate over a minute is none of the present"
    );
    server.delete_topic("store.orders").await;
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(overview(&server).await["records_per_second"], 0.0, "what is gone does not count backwards");
    server.stop().await;
}

/// Reads from a stream of the overview until `wanted` events came, or it ends.
async fn follow(server: &Server, wanted: usize) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let request = "GET /api/v1/overview/stream HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    while text.matches("\nevent: ").count() < wanted {
        let mut buffer = vec![0; 16 << 10];
        let read =
            timeout(Duration::from_secs(20), stream.read(&mut buffer)).await.expect("in time").expect("read");
        if read == 0 {
            break;
        }
        text += &String::from_utf8_lossy(&buffer[..read]);
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_is_followed() {
    let server = Server::start_with(Setup::default()).await;
    server.topic("store.orders").await;
    let text = follow(&server, 2).await;
    assert!(text.contains("content-type: text/event-stream"), "{text}");
    let events: Vec<_> =
        text.split("\n\n").filter_map(|block| block.split_once("event: overview\ndata: ")).collect();
    assert_eq!(events.len(), 2, "{text}");
    let overview: serde_json::Value =
        serde_json::from_str(events[1].1.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&overview["topics"], &overview["by_topic"][0]["name"]), (&1.into(), &"store.orders".into()));
    server.stop().await;
}

/// Where reports of health are made.
static MADE_ON: Mutex<Option<ThreadId>> = Mutex::new(None);

fn noting_thread() -> HealthReport {
    *MADE_ON.lock().expect("no test panics while holding it") = Some(thread::current().id());
    HealthReport::default()
}

/// The runtime of this test has one thread, which serves every connection.
#[tokio::test]
async fn documents_that_grow_with_the_data_are_written_on_no_thread_that_serves() {
    let server = Server::start_with(Setup { health: noting_thread, ..Setup::default() }).await;
    assert_eq!(server.get("/api/v1/overview").await.status, 200);
    let made_on = MADE_ON.lock().expect("no test panics while holding it").take();
    assert!(made_on.is_some_and(|made_on| made_on != thread::current().id()), "{made_on:?}");
    server.stop().await;
}
