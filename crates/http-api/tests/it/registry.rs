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
        ("GET", "/subjects/__GLOBAL/versions", ""),
    ] {
        let answer = server.send(method, path, &[("content-type", "application/json")], sent).await;
        let text: serde_json::Value = answer.json();
        let message = text["message"].as_str().unwrap_or_default();
        let message: String = message.chars().take(150).collect();
        writeln!(found, "{method} {path} {}: {} {message}", answer.status, text["error_code"]).expect("text");
    }
    expect![[r#"
        GET /subjects/none/versions 404: 40401 Subject 'none' not found.
        GET /subjects/a/versions/7 404: 40402 Version 7 not found.
        GET /subjects/a/versions/0 422: 42202 The specified version '0' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"
        GET /subjects/a/versions/first 422: 42202 The specified version 'first' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"
        GET /schemas/ids/99 404: 40403 Schema 99 not found
        POST /subjects/a 404: 40403 Schema not found
        POST /subjects/none 404: 40401 Subject 'none' not found.
        POST /subjects/a/versions 409: 409 Schema being registered is incompatible with an earlier schema for subject "a", details: [{errorType:'TYPE_MISMATCH', description:'the reader expects 
        POST /subjects/a/versions 422: 42201 Invalid schema: /type: no type is named "strin", neither here nor in a reference
        POST /subjects/a/versions 200: null 
        POST /subjects/b/versions 422: 42201 Invalid schema: Empty schema
        POST /subjects/a/versions 422: 42201 Invalid schema: invalid schema type "XML": it is AVRO, JSON or PROTOBUF
        POST /subjects/a/versions 422: 42205 Subject a in context . is not in import mode
        POST /subjects/a/versions 400: 400 the body is not JSON: expected ident at line 1 column 2
        POST /subjects/a/versions 422: 422 the body is no such request: invalid type: integer `7`, expected a string at line 1 column 11
        POST /compatibility/subjects/a/versions/7 404: 40402 Version 7 not found.
        DELETE /subjects/none 404: 40401 Subject 'none' not found.
        DELETE /subjects/a?permanent=true 404: 40405 Subject 'a' was not deleted first before being permanently deleted
        DELETE /subjects/a/versions/1?permanent=true 404: 40407 Subject 'a' Version 1 was not deleted first before being permanently deleted
        GET /config/a 404: 40408 Subject 'a' does not have subject-level compatibility configured
        PUT /config 422: 42203 Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive
        GET /mode/a 404: 40409 Subject 'a' does not have subject-level mode configured
        PUT /mode/a 422: 42205 Cannot import since found existing subjects
        PUT /mode 422: 42204 Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT and FORWARD
        DELETE /config/a 404: 40401 Subject 'a' not found.
        GET /subjects/__GLOBAL/versions 422: 42208 subject "__GLOBAL" is reserved
    "#]].assert_eq(&found);
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
    expect![[r#"
        POST /subjects/a/versions 200: {"version":1,"id":1,"guid":"74eac7ad-f8e9-b2da-013c-1887a2f89163","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}"}
        POST /subjects/a/versions 200: {"version":2,"id":2,"guid":"9c604e94-d319-da24-9e45-39701f2eb398","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":1}]}"}
        POST /subjects/:.x:a/versions 200: {"version":1,"id":1,"guid":"9c604e94-d319-da24-9e45-39701f2eb398","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":1}]}"}
        GET /subjects 200: ["a",":.x:a"]
        GET /subjects?subjectPrefix=a 200: ["a"]
        GET /subjects/a/versions 200: [1,2]
        GET /subjects/a/versions?limit=1&offset=1 200: [2]
        GET /subjects/a/versions/latest 200: {"subject":"a","version":2,"id":2,"guid":"9c604e94-d319-da24-9e45-39701f2eb398","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":1}]}"}
        GET /subjects/a/versions/1/schema 200: {"type":"record","name":"R","fields":[]}
        GET /schemas/ids/2?fetchMaxId=true 200: {"guid":"9c604e94-d319-da24-9e45-39701f2eb398","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":1}]}","maxId":2}
        GET /schemas/ids/2/versions 200: [{"subject":"a","version":2}]
        GET /schemas?latestOnly=true 200: [{"subject":"a","version":2,"id":2,"guid":"9c604e94-d319-da24-9e45-39701f2eb398","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":1}]}"}]
        POST /compatibility/subjects/a/versions/latest?verbose=true 200: {"is_compatible":false,"messages":["{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'the reader's field \"b\" of R has no default, and the writer's record has no such field (at path '/fields/0')', additionalInfo:'b'}","{oldSchemaVersion: 2}","{oldSchema: '{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\",\"default\":1}]}'}","{validateFields: 'false', compatibility: 'BACKWARD'}"]}
        PUT /config/a 200: {"normalize":true,"compatibility":"FULL"}
        GET /config/a 200: {"normalize":true,"compatibilityLevel":"FULL"}
        PUT /config/a 200: {"compatibility":"FULL"}
        DELETE /config/a 200: {"compatibilityLevel":"FULL"}
        GET /config 200: {"compatibilityLevel":"BACKWARD"}
        GET /mode 200: {"mode":"READWRITE"}
        GET /contexts 200: [".",".x"]
        DELETE /subjects/a/versions/1 200: 1
        DELETE /subjects/a 200: [2]
        GET /subjects?deleted=true 200: ["a",":.x:a"]
        DELETE /subjects/a?permanent=true 200: [1,2]
    "#]].assert_eq(&found);
    server.stop().await;
}

#[tokio::test]
async fn an_alias_stands_for_another_subject() {
    let server = Server::start().await;
    let mut found = String::new();
    for (method, path, sent) in [
        ("POST", "/subjects/a/versions", body(r#""int""#)),
        ("POST", "/subjects/:.x:a/versions", body(r#""string""#)),
        ("PUT", "/config/al", r#"{"alias":"a"}"#.to_owned()),
        ("PUT", "/config/:.x:al", r#"{"alias":"a"}"#.to_owned()),
        ("GET", "/subjects/al/versions/latest", String::new()),
        ("GET", "/subjects/:.x:al/versions/latest", String::new()),
        ("POST", "/subjects/al", body(r#""int""#)),
        ("POST", "/compatibility/subjects/al/versions/latest", body(r#""boolean""#)),
        ("POST", "/subjects/al/versions", body(r#""long""#)),
        ("GET", "/schemas/ids/1?subject=al", String::new()),
        ("GET", "/subjects", String::new()),
        ("GET", "/config/al", String::new()),
    ] {
        let answer = server.send(method, path, &[("content-type", "application/json")], sent.as_str()).await;
        writeln!(found, "{method} {path} {}: {}", answer.status, answer.text().trim_end()).expect("text");
    }
    expect![[r#"
        POST /subjects/a/versions 200: {"version":1,"id":1,"guid":"ef524ea1-b91e-7317-3d93-8ade36c1db32","schema":"\"int\""}
        POST /subjects/:.x:a/versions 200: {"version":1,"id":1,"guid":"095d71cf-1255-6b9d-5e33-0ad575b3df5d","schema":"\"string\""}
        PUT /config/al 200: {"alias":"a"}
        PUT /config/:.x:al 200: {"alias":"a"}
        GET /subjects/al/versions/latest 200: {"subject":"a","version":1,"id":1,"guid":"ef524ea1-b91e-7317-3d93-8ade36c1db32","schema":"\"int\""}
        GET /subjects/:.x:al/versions/latest 200: {"subject":":.x:a","version":1,"id":1,"guid":"095d71cf-1255-6b9d-5e33-0ad575b3df5d","schema":"\"string\""}
        POST /subjects/al 200: {"subject":"a","version":1,"id":1,"guid":"ef524ea1-b91e-7317-3d93-8ade36c1db32","schema":"\"int\""}
        POST /compatibility/subjects/al/versions/latest 200: {"is_compatible":false}
        POST /subjects/al/versions 200: {"version":2,"id":2,"guid":"e1dd9a1e-f98b-451b-5369-0370b393966b","schema":"\"long\""}
        GET /schemas/ids/1?subject=al 200: {"guid":"ef524ea1-b91e-7317-3d93-8ade36c1db32","schema":"\"int\""}
        GET /subjects 200: ["a",":.x:a"]
        GET /config/al 200: {"alias":"a","compatibilityLevel":"BACKWARD"}
    "#]].assert_eq(&found);
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

#[tokio::test]
async fn the_root_is_an_empty_object_for_clients_of_the_registry() {
    let server = Server::start().await;
    let v1 = "application/vnd.schemaregistry.v1+json";
    let found = server.send("GET", "/", &[("accept", v1)], "").await;
    assert_eq!((found.status, found.text().trim_end()), (200, "{}"));
    let posted = server.send("POST", "/", &[("content-type", v1)], "{}").await;
    assert_eq!((posted.status, posted.text().trim_end()), (200, "{}"));
    for accept in ["text/html,application/xhtml+xml,application/json;q=0.9", "*/*"] {
        let page = server.send("GET", "/", &[("accept", accept)], "").await;
        assert!(page.media_type.starts_with("text/html"), "{accept}: {}", page.media_type);
    }
    server.stop().await;
}
