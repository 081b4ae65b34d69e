//! Topics: made, shown, changed, removed.

use expect_test::expect;

use crate::notebook;
use crate::support::{Server, Setup};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Ids are drawn and sizes are the log's own: neither belongs into a snapshot.
fn settled(mut topic: serde_json::Value) -> String {
    topic["id"] = "…".into();
    for partition in topic["partitions"].as_array_mut().into_iter().flatten() {
        partition["bytes"] = "…".into();
    }
    serde_json::to_string_pretty(&topic).expect("JSON")
}

#[tokio::test]
async fn a_topic_lives_and_goes() {
    let server = Server::start().await;
    server.declare("store.orders", None);
    let wish =
        r#"{"name":"store.orders","partitions":1,"config":{"retention":"30d","segment_bytes":"16MiB"}}"#;
    let made = server.post_json("/api/v1/topics", wish).await;
    assert_eq!((made.status, made.location.as_str()), (201, "/api/v1/topics/store.orders"));
    assert_eq!(server.post_json("/events/store.orders", "{}").await.status, 202);
    expect![[r#"
        {
          "name": "store.orders",
          "id": "…",
          "internal": false,
          "team": "store",
          "summary": "A customer paid for an order.",
          "partitions": [
            {
              "partition": 0,
              "log_start": "0",
              "high_watermark": "1",
              "bytes": "…",
              "is_writable": true
            }
          ],
          "config": {
            "retention": "30d",
            "segment_bytes": "16MiB"
          }
        }"#]]
    .assert_eq(&settled(server.get("/api/v1/topics/store.orders").await.json()));
    let patch = r#"{"config":{"retention":null,"max_message_bytes":"2MiB"}}"#;
    let changed = server.send("PATCH", "/api/v1/topics/store.orders", &[JSON], patch).await;
    expect![[r#"{"segment_bytes":"16MiB","max_message_bytes":"2MiB"}"#]]
        .assert_eq(&changed.json()["config"].to_string());
    let patch = r#"{"config":{"segment_bytes":null,"compression":"gzip","segment_age":"1h","timestamp_type":"LogAppendTime",
        "timestamp_before_max":"7d","timestamp_after_max":"forever"}}"#;
    let changed = server.send("PATCH", "/api/v1/topics/store.orders", &[JSON], patch).await;
    expect![[r#"{"segment_age":"1h","max_message_bytes":"2MiB","compression":"gzip","timestamp_type":"LogAppendTime","timestamp_before_max":"7d","timestamp_after_max":"forever"}"#]].assert_eq(&changed.json()["config"].to_string());
    let patch = r#"{"config":{"compression":null,"segment_age":null,"timestamp_type":null,
        "timestamp_before_max":null,"timestamp_after_max":null}}"#;
    let changed = server.send("PATCH", "/api/v1/topics/store.orders", &[JSON], patch).await;
    expect![[r#"{"max_message_bytes":"2MiB"}"#]].assert_eq(&changed.json()["config"].to_string());
    let mut listed = server.get("/api/v1/topics").await.json();
    listed["topics"][0]["bytes"] = "…".into();
    expect![[r#"{"topics":[{"name":"store.orders","partitions":1,"records":"1","bytes":"…","internal":false,"team":"store","summary":"A customer paid for an order."}]}"#]].assert_eq(&listed.to_string());
    let all = server.get("/api/v1/topics?internal=true").await.text();
    assert!(all.contains("__consumer_offsets"), "{all}");
    assert_eq!(server.send("DELETE", "/api/v1/topics/store.orders", &[], "").await.status, 204);
    let gone = server.send("DELETE", "/api/v1/topics/store.orders", &[], "").await;
    expect!["404 there is no topic store.orders {}"].assert_eq(&gone.problem());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_changed_at_once_are_all_kept() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    for round in 1..=20 {
        let values = [
            ("retention", format!("{round}d")),
            ("retention_bytes", format!("{round}MiB")),
            ("segment_bytes", format!("{round}MiB")),
            ("segment_age", format!("{round}h")),
            ("max_message_bytes", format!("{round}MiB")),
        ];
        let change = async |(name, value): &(&str, String)| {
            let body = format!(r#"{{"config":{{"{name}":"{value}"}}}}"#);
            let answer = server.send("PATCH", "/api/v1/topics/store.orders", &[JSON], body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        };
        futures::future::join_all(values.iter().map(change)).await;
        let config = server.get("/api/v1/topics/store.orders").await.json()["config"].clone();
        for (name, value) in &values {
            assert_eq!(config[*name], **value, "{name} in round {round}: {config}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_wish_that_cannot_be_is_refused() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let create = async |body: &str| server.post_json("/api/v1/topics", body).await.problem();
    expect!["409 topic store.orders exists already {}"]
        .assert_eq(&create(r#"{"name":"store.orders"}"#).await);
    expect![[r#"400 character ' ' at position 5 of "store orders" is not one of letters, digits, '.', '_' and '-' {}"#]].assert_eq(&create(r#"{"name":"store orders"}"#).await);
    expect!["422 a topic has 1 to 1000 partitions, not 0 {}"]
        .assert_eq(&create(r#"{"name":"a","partitions":0}"#).await);
    expect![[r#"400 config.retention: "days" in "7 days ago" is not a unit of time; use w, d, h, m, s, ms, us or ns {"field":"retention"}"#]].assert_eq(&create(r#"{"name":"a","config":{"retention":"7 days ago"}}"#).await);
    expect![[r#"400 unknown field `size`, expected one of `name`, `partitions`, `config` at line 1 column 18; send for example {"name": "store.orders", "partitions": 4, "config": {"retention": "30d"}} {"column":18,"line":1}"#]].assert_eq(&create(r#"{"name":"a","size":3}"#).await);
    expect![[r#"403 topic __mine is internal: Factum keeps its own records there; Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read {"help":"Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read"}"#]].assert_eq(&create(r#"{"name":"__mine"}"#).await);
    let alter =
        async |body: &str| server.send("PATCH", "/api/v1/topics/store.orders", &[JSON], body).await.problem();
    expect![[r#"400 config.compression: "rar" is not one of producer, uncompressed, gzip, snappy, lz4 or zstd {"field":"compression"}"#]].assert_eq(&alter(r#"{"config":{"compression":"rar"}}"#).await);
    expect![[r#"400 config.timestamp_type: "noon" is not one of CreateTime or LogAppendTime {"field":"timestamp_type"}"#]]
    .assert_eq(&alter(r#"{"config":{"timestamp_type":"noon"}}"#).await);
    expect!["422 segment_age must be at least 1 ms {}"]
        .assert_eq(&alter(r#"{"config":{"segment_age":"5us"}}"#).await);
    expect![[r#"400 unknown field `without_effect`, expected one of `retention`, `retention_bytes`, `segment_bytes`, `segment_age`, `max_message_bytes`, `cleanup_policy`, `delete_retention`, `min_compaction_lag`, `max_compaction_lag`, `min_dirty_ratio`, `compression`, `timestamp_type`, `timestamp_before_max`, `timestamp_after_max` at line 1 column 27; send for example {"partitions": 8, "config": {"retention": "30d", "retention_bytes": null}} {"column":27,"line":1}"#]].assert_eq(&alter(r#"{"config":{"without_effect":{"flush.ms":"1"}}}"#).await);
    let answer = server.get("/api/v1/topics/store.ordres").await;
    expect![[r#"404 there is no topic store.ordres; did you mean store.orders? {"near":"store.orders"}"#]]
        .assert_eq(&answer.problem());
    let answer = server.send("POST", "/api/v1/topics", &[], r#"{"name":"a"}"#).await;
    expect!["415 there is no content-type; send application/json {}"].assert_eq(&answer.problem());
    let answer = server.get("/api/v1/topics?intern=1").await;
    expect![[r#"400 there is no parameter intern; it takes internal {"in":"query"}"#]]
        .assert_eq(&answer.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_says_what_is_expected() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let mut said = String::new();
    for (method, path, body) in [
        ("POST", "/api/v1/sql", "SELECT 1"),
        ("POST", "/api/v1/sql", "not json"),
        ("POST", "/api/v1/sql", ""),
        ("POST", "/api/v1/sql", "{'query': 1}"),
        ("POST", "/api/v1/sql", "{\"query\": \"SELECT 1\""),
        ("POST", "/api/v1/sql", "{\"sql\": \"SELECT 1\"}"),
        ("POST", "/api/v1/sql", "\"SELECT 1\""),
        ("POST", "/api/v1/sql/explain", "SELECT 1"),
        ("POST", "/api/v1/topics", "store.orders"),
        ("POST", "/api/v1/topics", "{\"name\": 1}"),
        ("PATCH", "/api/v1/topics/store.orders", "retention=30d"),
        ("POST", "/api/v1/groups/mailer/offsets", "earliest"),
    ] {
        let answer = server.send(method, path, &[JSON], body).await;
        said += &format!("{body}\n  {}\n", answer.problem());
    }
    expect![[r#"
        SELECT 1
          400 the body is not JSON: expected an object, an array, a string in double quotes, a number, true, false or null at line 1 column 1; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":1,"line":1}
        not json
          400 the body is not JSON: expected an object, an array, a string in double quotes, a number, true, false or null at line 1 column 2; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":2,"line":1}

          400 the body is not JSON: the text ends where a value is expected at line 1 column 0; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":0,"line":1}
        {'query': 1}
          400 the body is not JSON: expected a name in double quotes at line 1 column 2; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":2,"line":1}
        {"query": "SELECT 1"
          400 the body is not JSON: the text ends inside an object at line 1 column 20; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":20,"line":1}
        {"sql": "SELECT 1"}
          400 unknown field `sql`, expected `query` at line 1 column 6; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":6,"line":1}
        "SELECT 1"
          400 invalid type: string "SELECT 1", expected an object at line 1 column 10; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":10,"line":1}
        SELECT 1
          400 the body is not JSON: expected an object, an array, a string in double quotes, a number, true, false or null at line 1 column 1; send for example {"query": "SELECT count(*) AS orders FROM store.orders"} {"column":1,"line":1}
        store.orders
          400 the body is not JSON: expected an object, an array, a string in double quotes, a number, true, false or null at line 1 column 1; send for example {"name": "store.orders", "partitions": 4, "config": {"retention": "30d"}} {"column":1,"line":1}
        {"name": 1}
          400 invalid type: integer `1`, expected a string at line 1 column 10; send for example {"name": "store.orders", "partitions": 4, "config": {"retention": "30d"}} {"column":10,"line":1}
        retention=30d
          400 the body is not JSON: expected an object, an array, a string in double quotes, a number, true, false or null at line 1 column 1; send for example {"partitions": 8, "config": {"retention": "30d", "retention_bytes": null}} {"column":1,"line":1}
        earliest
          400 the body is not JSON: expected an object, an array, a string in double quotes, a number, true, false or null at line 1 column 1; send for example {"topic": "store.orders", "to": "earliest"} {"column":1,"line":1}
    "#]].assert_eq(&said);
    server.stop().await;
}

const NOTES: &str =
    "CREATE MATERIALIZED VIEW notes AS SELECT page, count(*) AS notes FROM notebook GROUP BY page";

#[tokio::test]
async fn views_and_internal_topics_are_not_altered_and_say_what_they_are() {
    let server = notebook::start(Setup::default(), NOTES).await;
    let alter = async |topic: &str| {
        let path = format!("/api/v1/topics/{topic}");
        server.send("PATCH", &path, &[JSON], r#"{"config":{"retention":"1d"}}"#).await.problem()
    };
    expect![[r#"404 there is no topic store.notes; store.notes is a view; read it as a view (`factum view get store.notes`, `factum view watch store.notes`), and change it by its statement in the project; it is made from store.notebook {"help":"read it as a view (`factum view get store.notes`, `factum view watch store.notes`), and change it by its statement in the project; it is made from store.notebook"}"#]].assert_eq(&alter("store.notes").await);
    expect![[r#"403 topic _factum.resources is internal: Factum keeps its own records there; Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read {"help":"Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read"}"#]].assert_eq(&alter("_factum.resources").await);
    expect![[r#"404 there is no topic _factum.nothing; Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read {"help":"Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read"}"#]].assert_eq(&server.get("/api/v1/topics/_factum.nothing").await.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_query_of_a_topic_that_was_deleted_says_so() {
    let server = notebook::start(Setup::default(), NOTES).await;
    let count = r#"{"query":"SELECT count(*) AS notes FROM store.notebook"}"#;
    assert_eq!(server.post_json("/api/v1/sql", count).await.status, 200);
    server.delete_topic("store.notebook").await;
    let gone = server.post_json("/api/v1/sql", count).await;
    expect!["404 there is no topic store.notebook any more {}"].assert_eq(&gone.problem());
    let gone = server.get("/api/v1/topics/store.notebook/records").await;
    expect![[r#"404 there is no topic store.notebook {}"#]].assert_eq(&gone.problem());
    server.stop().await;
}

#[tokio::test]
async fn topics_are_given_partitions() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let patch = async |body: &str| server.send("PATCH", "/api/v1/topics/store.orders", &[JSON], body).await;
    let grown = patch(r#"{"partitions":3,"config":{"retention":"1d"}}"#).await.json();
    assert_eq!(grown["partitions"].as_array().map(Vec::len), Some(3), "{grown}");
    assert_eq!(grown["config"]["retention"], "1d");
    assert_eq!(patch(r#"{"partitions":3}"#).await.status, 200, "it has as many");
    expect!["422 topic store.orders has 3 partitions, and their number can only grow {}"]
        .assert_eq(&patch(r#"{"partitions":2,"config":{"retention":"2d"}}"#).await.problem());
    let unchanged = server.get("/api/v1/topics/store.orders").await.json();
    assert_eq!(unchanged["config"]["retention"], "1d", "nothing of it was done");
    expect!["422 a topic has 1 to 1000 partitions, not 100000 {}"]
        .assert_eq(&patch(r#"{"partitions":100000}"#).await.problem());
    server.stop().await;
}
