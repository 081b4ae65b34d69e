//! Topics: made, shown, changed, removed.

use expect_test::expect;

use crate::support::Server;

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
    expect![[r#"400 "days" in "7 days ago" is not a unit of time; use w, d, h, m, s, ms, us or ns at line 1 column 46 {"column":46,"line":1}"#]].assert_eq(&create(r#"{"name":"a","config":{"retention":"7 days ago"}}"#).await);
    expect![[r#"400 unknown field `size`, expected one of `name`, `partitions`, `config` at line 1 column 18 {"column":18,"line":1}"#]].assert_eq(&create(r#"{"name":"a","size":3}"#).await);
    expect!["403 topic __mine is kept by Factum itself {}"].assert_eq(&create(r#"{"name":"__mine"}"#).await);
    let alter =
        async |body: &str| server.send("PATCH", "/api/v1/topics/store.orders", &[JSON], body).await.problem();
    expect![[r#"400 "rar" is not one of producer, uncompressed, gzip, snappy, lz4 or zstd at line 1 column 31 {"column":31,"line":1}"#]].assert_eq(&alter(r#"{"config":{"compression":"rar"}}"#).await);
    expect![[
        r#"400 "noon" is not one of CreateTime or LogAppendTime at line 1 column 35 {"column":35,"line":1}"#
    ]]
    .assert_eq(&alter(r#"{"config":{"timestamp_type":"noon"}}"#).await);
    expect!["422 segment.ms must be at least 1 ms {}"]
        .assert_eq(&alter(r#"{"config":{"segment_age":"5us"}}"#).await);
    expect![[r#"400 unknown field `without_effect`, expected one of `retention`, `retention_bytes`, `segment_bytes`, `segment_age`, `max_message_bytes`, `compression`, `timestamp_type`, `timestamp_before_max`, `timestamp_after_max` at line 1 column 27 {"column":27,"line":1}"#]].assert_eq(&alter(r#"{"config":{"without_effect":{"flush.ms":"1"}}}"#).await);
    let answer = server.get("/api/v1/topics/store.ordres").await;
    expect![[r#"404 there is no topic store.ordres; did you mean store.orders? {"near":"store.orders"}"#]]
        .assert_eq(&answer.problem());
    let answer = server.send("POST", "/api/v1/topics", &[], r#"{"name":"a"}"#).await;
    expect!["415 there is no content-type; send application/json {}"].assert_eq(&answer.problem());
    let answer = server.get("/api/v1/topics?intern=1").await;
    expect![[r#"400 intern: unknown field `intern`, expected `internal` {"in":"query"}"#]]
        .assert_eq(&answer.problem());
    server.stop().await;
}
