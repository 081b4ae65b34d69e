//! The schema registry over HTTP: Confluent's paths, codes and media types, and topics that have a schema.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::json;

use crate::support::Server;

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[{"name":"Email","type":"string"},
    {"name":"Total","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}]}"#;

fn body(schema: &str) -> String {
    json!({"schema": schema}).to_string()
}

#[tokio::test]
async fn errors_have_confluents_codes() {
    let server = Server::start().await;
    let register = |subject: &'static str, schema: &'static str| {
        let (server, path) = (&server, format!("/subjects/{subject}/versions"));
        async move { server.post_json(&path, &body(schema)).await }
    };
    assert_eq!(register("a", r#""string""#).await.status, 200);
    let mut found = String::new();
    for (method, path, sent) in [
        ("GET", "/subjects/none/versions", ""),
        ("GET", "/subjects/a/versions/7", ""),
        ("GET", "/subjects/a/versions/0", ""),
        ("GET", "/subjects/a/versions/first", ""),
        ("GET", "/schemas/ids/99", ""),
        ("POST", "/subjects/a", r#"{"schema":"\"int\""}"#),
        ("POST", "/subjects/none", r#"{"schema":"\"int\""}"#),
        ("POST", "/subjects/a/versions", r#"{"schema":"\"int\""}"#),
        ("POST", "/subjects/a/versions", r#"{"schema":"{\"type\":\"strin\"}"}"#),
        ("POST", "/subjects/a/versions", r#"{"schema":""}"#.replace("\"\"", "null").as_str()),
        ("POST", "/subjects/b/versions", r#"{"schema":""}"#),
        ("POST", "/subjects/a/versions", r#"{"schema":"\"int\"","schemaType":"XML"}"#),
        ("POST", "/subjects/a/versions", r#"{"schema":"\"int\"","id":7}"#),
        ("POST", "/subjects/a/versions", "no JSON"),
        ("POST", "/subjects/a/versions", r#"{"schema":7}"#),
        ("POST", "/compatibility/subjects/a/versions/7", r#"{"schema":"\"int\""}"#),
        ("DELETE", "/subjects/none", ""),
        ("DELETE", "/subjects/a?permanent=true", ""),
        ("DELETE", "/subjects/a/versions/1?permanent=true", ""),
        ("GET", "/config/a", ""),
        ("PUT", "/config", r#"{"compatibility":"SIDEWARD"}"#),
        ("GET", "/mode/a", ""),
        ("PUT", "/mode/a", r#"{"mode":"IMPORT"}"#),
        ("PUT", "/mode", r#"{"mode":"WRITE"}"#),
        ("DELETE", "/config/a", ""),
        ("DELETE", "/contexts/.", ""),
        ("GET", "/subjects/__GLOBAL/versions", ""),
    ] {
        let answer = server.send(method, path, &[("content-type", "application/json")], sent).await;
        let text: serde_json::Value = answer.json();
        let message = text["message"].as_str().unwrap_or_default();
        let message: String = message.chars().take(150).collect();
        writeln!(found, "{method} {path} {}: {} {message}", answer.status, text["error_code"]).expect("text");
    }
    expect![[r#""#]].assert_eq(&found);
    server.stop().await;
}

#[tokio::test]
async fn a_subject_has_its_versions() {
    let server = Server::start().await;
    let with_default = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":1}]}"#;
    let mut found = String::new();
    for (method, path, sent) in [
        ("POST", "/subjects/a/versions", body(r#"{"type":"record","name":"R","fields":[]}"#)),
        ("POST", "/subjects/a/versions", body(with_default)),
        ("POST", "/subjects/:.x:a/versions", body(with_default)),
        ("GET", "/subjects", String::new()),
        ("GET", "/subjects?subjectPrefix=a", String::new()),
        ("GET", "/subjects/a/versions", String::new()),
        ("GET", "/subjects/a/versions?limit=1&offset=1", String::new()),
        ("GET", "/subjects/a/versions/latest", String::new()),
        ("GET", "/subjects/a/versions/1/schema", String::new()),
        ("GET", "/schemas/ids/2?fetchMaxId=true", String::new()),
        ("GET", "/schemas/ids/2/versions", String::new()),
        ("GET", "/schemas?latestOnly=true", String::new()),
        (
            "POST",
            "/compatibility/subjects/a/versions/latest?verbose=true",
            body(r#"{"type":"record","name":"R","fields":[{"name":"b","type":"int"}]}"#),
        ),
        ("PUT", "/config/a", r#"{"compatibility":"FULL","normalize":true}"#.to_owned()),
        ("GET", "/config/a", String::new()),
        ("PUT", "/config/a", r#"{"normalize":null}"#.to_owned()),
        ("DELETE", "/config/a", String::new()),
        ("GET", "/config", String::new()),
        ("GET", "/mode", String::new()),
        ("GET", "/contexts", String::new()),
        ("DELETE", "/subjects/a/versions/1", String::new()),
        ("DELETE", "/subjects/a", String::new()),
        ("GET", "/subjects?deleted=true", String::new()),
        ("DELETE", "/subjects/a?permanent=true", String::new()),
    ] {
        let answer = server.send(method, path, &[("content-type", "application/json")], sent.as_str()).await;
        writeln!(found, "{method} {path} {}: {}", answer.status, answer.text().trim_end()).expect("text");
    }
    expect![[r#""#]].assert_eq(&found);
    server.stop().await;
}

#[tokio::test]
async fn the_media_type_is_one_that_the_client_takes() {
    let server = Server::start().await;
    for (accept, media_type) in [
        ("*/*", "application/vnd.schemaregistry.v1+json"),
        ("application/json", "application/json"),
        ("text/html", "application/json"),
    ] {
        let answer = server.send("GET", "/subjects", &[("accept", accept)], "").await;
        assert_eq!(
            (answer.status == 406, answer.header("content-type")),
            (accept == "text/html", media_type),
            "{accept}"
        );
    }
    let answer = server
        .send(
            "POST",
            "/subjects/a/versions",
            &[("content-type", "application/octet-stream")],
            body(r#""int""#),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.stop().await;
}

#[tokio::test]
async fn a_topic_with_a_schema_takes_json_and_shows_it() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let registered = server.post_json("/subjects/store.orders-value/versions", &body(ORDER)).await;
    assert_eq!(registered.status, 200, "{}", registered.text());
    let sent = server
        .post_json("/events/store.orders?key=Email", r#"{"Email":"ann@contoso.com","Total":"12.50"}"#)
        .await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let refused = server
        .post_json("/events/store.orders?key=Email", r#"{"Email":"ann@contoso.com","Total":"a lot"}"#)
        .await;
    assert_eq!(
        (refused.status, refused.json()["field"].as_str()),
        (422, Some("Total")),
        "{}",
        refused.text()
    );

    let shown = server.get("/api/v1/topics/store.orders/records").await.json();
    let record = &shown["records"][0];
    assert_eq!(record["value"], json!({"Email": "ann@contoso.com", "Total": "12.50"}));
    assert_eq!(record["value_encoding"], "avro");
    assert_eq!(
        record["schema"],
        json!({"id": 1, "type": "AVRO", "subject": "store.orders-value", "version": 1})
    );
    assert_eq!(record["event"]["datacontenttype"], "application/avro");
    assert_eq!(shown["records"].as_array().map(Vec::len), Some(1), "the refused one is not there");
    server.stop().await;
}
