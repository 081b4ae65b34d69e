//! Readers of a subject's topic, and those of them that a new schema would break.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::json;

use crate::catalogue::{reads, start};
use crate::rules::{add, by_rules, send_as, user};
use crate::support::{Server, Setup};

const CHECK: &str = "/api/v1/subjects/store.sales-value/check";

fn sale(properties: &str) -> String {
    let schema = format!(r#"{{"type": "object", "properties": {{{properties}}}}}"#);
    json!({"schema": schema, "schemaType": "JSON"}).to_string()
}

const KEPT: &str = r#""product": {"type": "integer"}, "quantity": {"type": "integer", "minimum": 1},
    "price": {"type": "number", "multipleOf": 0.01}, "big": {"type": "integer"}, "at": {"type": "string"}"#;

async fn checked(server: &Server, subject: &str, body: &str) -> String {
    let answer = server.post_json(&format!("/api/v1/subjects/{subject}/check"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let impact = answer.json();
    let mut shown =
        format!("{} {}: {}\n", impact["is_compatible"], impact["compatibility"], impact["summary"]);
    for reason in impact["reasons"].as_array().expect("reasons") {
        writeln!(shown, "  {reason}").expect("text grows");
    }
    for reader in impact["readers"].as_array().expect("readers") {
        writeln!(
            shown,
            "  {} {}: {}: {}",
            reader["kind"], reader["name"], reader["effect"], reader["reason"]
        )
        .expect("text grows");
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn views_break_that_need_what_the_schema_lacks() {
    let server = start(Setup::default()).await;
    let mut shown = checked(&server, "store.sales-value", &sale(KEPT)).await;
    reads(&server, "mailer", "store.sales").await;
    for properties in [
        &KEPT.replace(r#""price": {"type": "number", "multipleOf": 0.01},"#, ""),
        &KEPT.replace(r#""price": {"type": "number", "multipleOf": 0.01}"#, r#""price": {"type": "string"}"#),
        &KEPT.replace(r#""at": {"type": "string"}"#, r#""then": {"type": "string"}"#),
        &format!(r#"{KEPT}, "note": {{"type": "string"}}"#),
    ] {
        shown += &checked(&server, "store.sales-value", &sale(properties)).await;
    }
    expect![[r#"
        true "BACKWARD": "2 readers of topic store.sales: none is affected"
          "view" "store.day": "none": "it reads at, which the schema keeps"
          "view" "store.top": "none": "it reads product, quantity, price, big, at, which the schema keeps"
        true "BACKWARD": "3 readers of topic store.sales: 1 breaks (view store.top), 1 may break (group mailer)"
          "group" "mailer": "may_break": "it reads the topic; with the schema so far it cannot read what is written with this one: the reader's schema requires a field that is optional in the writer's; and 3 more reasons"
          "view" "store.day": "none": "it reads at, which the schema keeps"
          "view" "store.top": "breaks": "it reads price, which the schema does not have"
        true "BACKWARD": "3 readers of topic store.sales: 2 may break (group mailer, view store.top)"
          "group" "mailer": "may_break": "it reads the topic; with the schema so far it cannot read what is written with this one: the reader's schema requires a field that is optional in the writer's; and 3 more reasons"
          "view" "store.day": "none": "it reads at, which the schema keeps"
          "view" "store.top": "may_break": "it reads price, which becomes text and was decimal(38, 2)"
        true "BACKWARD": "3 readers of topic store.sales: 2 break (view store.day, view store.top), 1 may break (group mailer)"
          "group" "mailer": "may_break": "it reads the topic; with the schema so far it cannot read what is written with this one: the reader's schema requires a field that is optional in the writer's; and 2 more reasons"
          "view" "store.day": "breaks": "it reads at, which the schema does not have"
          "view" "store.top": "breaks": "it reads at, which the schema does not have"
        true "BACKWARD": "3 readers of topic store.sales: 1 may break (group mailer)"
          "group" "mailer": "may_break": "it reads the topic; with the schema so far it cannot read what is written with this one: the reader's schema requires a field that is optional in the writer's; and 2 more reasons"
          "view" "store.day": "none": "it reads at, which the schema keeps"
          "view" "store.top": "none": "it reads product, quantity, price, big, at, which the schema keeps"
    "#]].assert_eq(&shown);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_may_break_where_clients_cannot_read_what_is_written() {
    let server = start(Setup::default()).await;
    let fields = |fields: serde_json::Value| {
        let schema = json!({"type": "record", "name": "Return", "namespace": "store", "fields": fields});
        json!({"schema": schema.to_string()}).to_string()
    };
    let email = || json!({"name": "email", "type": "string"});
    let reason = json!({"name": "reason", "type": ["null", "string"], "default": null});
    let registered = fields(json!([email(), reason]));
    assert_eq!(server.post_json("/subjects/store.returns-value/versions", &registered).await.status, 200);
    server.topic("store.returns").await;
    reads(&server, "desk", "store.returns").await;
    let mut shown = checked(&server, "store.returns-value", &registered).await;
    // Old clients have a default for one, and none for the other.
    shown += &checked(&server, "store.returns-value", &fields(json!([email()]))).await;
    shown += &checked(&server, "store.returns-value", &fields(json!([]))).await;
    shown +=
        &checked(&server, "store.returns-value", &fields(json!([{"name": "email", "type": "int"}]))).await;
    // A topic without a schema so far, and subjects of no topic's values.
    server.topic("store.free").await;
    reads(&server, "desk", "store.free").await;
    for subject in ["store.free-value", "store.returns-key", "money", ":.staging:store.returns-value"] {
        shown += &checked(&server, subject, &registered).await;
    }
    for (query, body) in [
        ("", r#"{"schema": "{\"type\": \"record\"}"}"#),
        ("", r#"{"schema": ""}"#),
        ("", r#"{"schema": "\"int\"", "schemaType": "XML"}"#),
        ("?version=7", registered.as_str()),
        ("?version=x", registered.as_str()),
        ("?normalize=true", registered.as_str()),
        ("", "[]"),
    ] {
        let answer =
            server.post_json(&format!("/api/v1/subjects/store.returns-value/check{query}"), body).await;
        writeln!(shown, "{query} {body}: {}", answer.problem()).expect("text grows");
    }
    expect![[r#"
        true "BACKWARD": "1 reader of topic store.returns: none is affected"
          "group" "desk": "none": "it reads the topic; with the schema so far it can read what is written with this one"
        true "BACKWARD": "1 reader of topic store.returns: none is affected"
          "group" "desk": "none": "it reads the topic; with the schema so far it can read what is written with this one"
        true "BACKWARD": "1 reader of topic store.returns: 1 may break (group desk)"
          "group" "desk": "may_break": "it reads the topic; with the schema so far it cannot read what is written with this one: the reader's field \"email\" of store.Return has no default, and the writer's record has no such field"
        false "BACKWARD": "1 reader of topic store.returns: 1 may break (group desk)"
          {"version":1,"path":"/fields/0/type","kind":"TYPE_MISMATCH","reason":"the reader expects int, the writer has string"}
          "group" "desk": "may_break": "it reads the topic; with the schema so far it cannot read what is written with this one: the reader expects string, the writer has int"
        true "BACKWARD": "1 reader of topic store.free: 1 is not known (group desk)"
          "group" "desk": "unknown": "it reads the topic, which has no schema so far"
        true "BACKWARD": "the subject is not that of a topic's values, so that its readers are not known"
        true "BACKWARD": "the subject is not that of a topic's values, so that its readers are not known"
        true "BACKWARD": "the subject is not that of a topic's values, so that its readers are not known"
         {"schema": "{\"type\": \"record\"}"}: 422 Invalid schema: /: a named type needs its "name", a string {}
         {"schema": ""}: 422 Empty schema {}
         {"schema": "\"int\"", "schemaType": "XML"}: 422 Invalid schema: invalid schema type "XML": it is AVRO, JSON or PROTOBUF {}
        ?version=7 {"schema":"{\"type\":\"record\",\"name\":\"Return\",\"namespace\":\"store\",\"fields\":[{\"name\":\"email\",\"type\":\"string\"},{\"name\":\"reason\",\"type\":[\"null\",\"string\"],\"default\":null}]}"}: 404 there is no version 7 of subject store.returns-value {}
        ?version=x {"schema":"{\"type\":\"record\",\"name\":\"Return\",\"namespace\":\"store\",\"fields\":[{\"name\":\"email\",\"type\":\"string\"},{\"name\":\"reason\",\"type\":[\"null\",\"string\"],\"default\":null}]}"}: 400 The specified version 'x' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest" {"in":"query"}
        ?normalize=true {"schema":"{\"type\":\"record\",\"name\":\"Return\",\"namespace\":\"store\",\"fields\":[{\"name\":\"email\",\"type\":\"string\"},{\"name\":\"reason\",\"type\":[\"null\",\"string\"],\"default\":null}]}"}: 400 there is no parameter normalize; it takes version {"in":"query"}
         []: 422 Empty schema {}
    "#]].assert_eq(&shown);
    let one = server.post_json("/api/v1/subjects/store.returns-value/check?version=1", &registered).await;
    assert_eq!(one.json()["is_compatible"], true);
    let versions = server.get("/subjects/store.returns-value/versions").await;
    assert_eq!(versions.text().trim(), "[1]", "nothing is registered");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_a_caller_may_not_know_of_are_not_told() {
    let server = start(by_rules()).await;
    for name in ["admin", "ann", "bob"] {
        user(&server, name).await;
    }
    add(
        &server,
        &[
            "allow describe topic store.sales literal User:ann",
            "allow describe topic store.top literal User:ann",
        ],
    )
    .await;
    let body = sale(r#""product": {"type": "integer"}"#);
    let ann = send_as(&server, "ann", "POST", CHECK, &body).await;
    let bob = send_as(&server, "bob", "POST", CHECK, &body).await;
    expect![[r#"
        200 {"is_compatible":true,"compatibility":"BACKWARD","reasons":[],"topic":"store.sales","readers":[{"kind":"view","name":"store.top","fields":["product","quantity","price","big","at"],"effect":"breaks","reason":"it reads quantity, price, big, at, which the schema does not have"}],"summary":"1 reader of topic store.sales: 1 breaks (view store.top)"}

        403 {"type":"urn:factum:problem:denied","title":"Forbidden","status":403,"detail":"User:bob may not describe subject store.sales"}
    "#]].assert_eq(&format!("{}\n{}", ann.line(), bob.line()));
    server.stop().await;
}
