//! Views whose topic, or whose record of closed windows, is out of reach at a start: they answer what their state holds,
//! with its age, say what is wrong, and go on once it is mended.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use factum_testkit::{FactumProcess, Launch};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use support::{BINARY, Shell};

const TEAM: [(&str, &str); 6] = [
    ("factum.yaml", "name: shop\n"),
    ("teams/store/team.yaml", "summary: Sells.\n"),
    ("teams/store/events/orders.yaml", "summary: An order.\nformat: json\ntime: at\npartitions: 1\n"),
    (
        "teams/store/events/orders.schema.json",
        r#"{"type":"object","required":["at","n"],"properties":{"n":{"type":"integer"},"at":{"type":"string","format":"date-time"}}}"#,
    ),
    (
        "teams/store/pipelines/totals.sql",
        "CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS orders, sum(n) AS n FROM orders;\n",
    ),
    (
        "teams/store/pipelines/hourly.sql",
        "CREATE MATERIALIZED VIEW hourly AS SELECT window_start, count(*) AS orders \
         FROM TUMBLE(orders, at, INTERVAL '1 hour') GROUP BY window_start EMIT ON WINDOW CLOSE;\n",
    ),
];

/// A server over a project with two views, one of which closes windows.
struct Shop {
    factum: FactumProcess,
    http: Client,
    data: PathBuf,
    _folder: tempfile::TempDir,
}

impl Shop {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (project, data) = (folder.path().join("shop"), folder.path().join("data"));
        for (path, text) in TEAM {
            let path = project.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
        let factum = Launch::new(BINARY).project(&project).data_dir(&data).start();
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { factum, http, data, _folder: folder }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.http.get(format!("{}{path}", self.factum.http())).send().await.expect("an answer");
        let status = answer.status();
        (status, serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON"))
    }

    fn post(&self, times: &[&str]) {
        let events: String = times.iter().map(|at| format!("{{\"n\":2,\"at\":\"{at}\"}}\n")).collect();
        let posted = Shell::of(&self.factum).output("produce store.orders", &events);
        assert!(posted.status.success(), "{}", String::from_utf8_lossy(&posted.stderr));
    }

    /// Waits until a view has these rows and is live.
    async fn until(&self, view: &str, rows: &Value) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            let (_, answer) = self.get(&format!("/api/v1/views/{view}")).await;
            if sorted(&answer["rows"]) == sorted(rows) && answer["state"] == "live" {
                return answer;
            }
            last = answer;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{view} never had {rows}: {last}");
    }

    /// What readiness says of views.
    async fn problems(&self) -> String {
        let (_, ready) = self.get("/health/ready").await;
        let roles = ready["roles"].as_array().expect("roles");
        let views = roles.iter().find(|role| role["role"] == "views").expect("a role");
        views["problems"].to_string()
    }

    /// What a follower is sent until `word` comes.
    async fn followed(&self, view: &str, word: &str) -> String {
        let address = format!("{}/api/v1/views/{view}/changes", self.factum.http());
        let mut answer = self.http.get(address).send().await.expect("an answer");
        let mut told = String::new();
        while !told.contains(word) {
            let part = tokio::time::timeout(Duration::from_secs(60), answer.chunk()).await;
            match part.expect("something in time").expect("a stream") {
                Some(part) => told += &String::from_utf8_lossy(&part),
                None => break,
            }
        }
        told
    }

    /// Stops, lets `change` loose on the directory of a topic, and starts again.
    async fn restart_with(&mut self, topic: &str, change: impl FnOnce(&Path)) {
        assert!(self.factum.stop().success());
        change(&self.data.join("topics").join(topic));
        self.factum.restart();
    }
}

/// Rows have no order of their own.
fn sorted(rows: &Value) -> Vec<String> {
    let mut rows: Vec<_> = rows.as_array().into_iter().flatten().map(ToString::to_string).collect();
    rows.sort_unstable();
    rows
}

/// Where a topic's file is kept until the topic is mended: outside of the data directory.
fn kept(topic: &Path) -> PathBuf {
    topic.ancestors().nth(3).expect("the test's folder").join("kept.json")
}

fn break_topic(topic: &Path) {
    let file = topic.join("topic.json");
    std::fs::copy(&file, kept(topic)).expect("copied");
    std::fs::write(file, "{").expect("written");
}

fn mend_topic(topic: &Path) {
    std::fs::rename(kept(topic), topic.join("topic.json")).expect("moved");
}

const FIRST: [&str; 3] = ["2026-05-01T10:00:00Z", "2026-05-01T10:30:00Z", "2026-05-01T12:00:00Z"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_answers_its_state_while_its_topic_is_out_of_reach() {
    let mut shop = Shop::open();
    tokio::task::block_in_place(|| shop.post(&FIRST));
    let totals = serde_json::json!([{"orders": 3, "n": 6}]);
    let hours = serde_json::json!([{"window_start": "2026-05-01T10:00:00Z", "orders": 2}]);
    shop.until("store.hourly", &hours).await;
    let before = shop.until("store.totals", &totals).await;
    let read_to = before["as_of"].as_str().expect("a time").to_owned();

    shop.restart_with("store.orders", break_topic).await;
    for (view, rows) in [("store.totals", &totals), ("store.hourly", &hours)] {
        let (status, answer) = shop.get(&format!("/api/v1/views/{view}")).await;
        assert_eq!((status, &answer["rows"]), (StatusCode::OK, rows), "{answer}");
        assert_eq!(answer["state"], "failed", "{answer}");
        assert!(answer["as_of"].as_str().expect("a time") <= read_to.as_str(), "{answer} after {read_to}");
        let told = shop.followed(view, "event: stale").await;
        assert!(
            told.contains("event: snapshot") && told.contains("topic store.orders cannot be used"),
            "{told}"
        );
        assert!(told.contains("\"orders\":"), "{told}");
        let problems = shop.problems().await;
        assert!(
            problems.contains(&format!("{view} is stuck: topic store.orders cannot be used")),
            "{problems}"
        );
    }

    shop.restart_with("store.orders", mend_topic).await;
    shop.until("store.totals", &totals).await;
    tokio::task::block_in_place(|| shop.post(&["2026-05-01T14:00:00Z"]));
    shop.until("store.totals", &serde_json::json!([{"orders": 4, "n": 8}])).await;
    let later = serde_json::json!([
        {"window_start": "2026-05-01T10:00:00Z", "orders": 2},
        {"window_start": "2026-05-01T12:00:00Z", "orders": 1},
    ]);
    shop.until("store.hourly", &later).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_stay_closed_while_the_record_of_closings_is_out_of_reach() {
    let mut shop = Shop::open();
    tokio::task::block_in_place(|| shop.post(&FIRST));
    let hours = serde_json::json!([{"window_start": "2026-05-01T10:00:00Z", "orders": 2}]);
    shop.until("store.hourly", &hours).await;

    shop.restart_with("_factum.closings", break_topic).await;
    let totals = serde_json::json!([{"orders": 3, "n": 6}]);
    shop.until("store.totals", &totals).await;
    let (status, answer) = shop.get("/api/v1/views/store.hourly").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    assert!(answer.to_string().contains("topic _factum.closings cannot be used"), "{answer}");
    let told = shop.followed("store.hourly", "topic _factum.closings cannot be used").await;
    assert!(told.contains("event: stale") && !told.contains("event: snapshot"), "{told}");
    let problems = shop.problems().await;
    assert!(problems.contains("store.hourly is stuck: topic _factum.closings"), "{problems}");

    shop.restart_with("_factum.closings", mend_topic).await;
    shop.until("store.hourly", &hours).await;
}
