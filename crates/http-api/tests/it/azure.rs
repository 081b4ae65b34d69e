//! The schema registry by the REST API of Azure's, over the store that Confluent's clients see.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::json;

use crate::support::{Answer, Server};

const AVRO: &str = "application/json; serialization=Avro";
const JSON: &str = "application/json; serialization=Json";

/// Spaces and line ends that no other form of it has.
const USER: &str = "{ \"type\": \"record\",\n  \"name\": \"User\", \"namespace\": \"example\",\n \
    \"fields\": [ {\"name\": \"name\", \"type\": \"string\"} ] }";

fn version(number: u8) -> String {
    let fields: Vec<_> =
        (0..number).map(|n| json!({"name": format!("f{n}"), "type": "string", "default": ""})).collect();
    json!({"type": "record", "name": "User", "fields": fields}).to_string()
}

impl Server {
    async fn azure(&self, method: &str, path: &str, kind: &str, body: &str) -> Answer {
        let path = format!("/$schemaGroups{path}?api-version=2022-10");
        self.send(method, &path, &[("content-type", kind)], body).await
    }
}

/// The status, and what the headers say of a version.
fn said(answer: &Answer) -> String {
    let mut text = answer.status.to_string();
    for name in ["schema-group-name", "schema-name", "schema-version", "x-ms-error-code"] {
        let value = answer.header(name);
        if !value.is_empty() {
            write!(text, " {name}={value}").expect("text");
        }
    }
    text
}

#[tokio::test]
async fn a_definition_comes_back_byte_for_byte() {
    let server = Server::start().await;
    let registered = server.azure("PUT", "/orders/schemas/example.User", AVRO, USER).await;
    assert_eq!(said(&registered), "204 schema-group-name=orders schema-name=example.User schema-version=1");
    assert!(registered.body.is_empty());
    let base = format!("http://{}/$schemaGroups", server.address);
    let id = registered.header("schema-id").to_owned();
    assert_eq!(id.len(), 32, "{id}");
    let query = "?api-version=2022-10";
    assert_eq!(registered.location, format!("{base}/orders/schemas/example.User/versions/1{query}"));
    assert_eq!(registered.header("schema-id-location"), format!("{base}/$schemas/{id}{query}"));
    let versions = format!("{base}/orders/schemas/example.User/versions{query}");
    assert_eq!(registered.header("schema-versions-location"), versions);

    // As the client library asks, with its spaces.
    let accept = "application/json; serialization=Avro, application/json;                         \
        serialization=json, text/plain; charset=utf-8";
    for path in [format!("/$schemas/{id}"), "/orders/schemas/example.User/versions/1".to_owned()] {
        let path = format!("/$schemaGroups{path}{query}");
        let found = server.send("GET", &path, &[("accept", accept)], "").await;
        assert_eq!(found.text(), USER);
        assert_eq!(found.media_type, AVRO);
        assert_eq!(found.header("schema-id"), id);
    }
    let again = server.azure("PUT", "/orders/schemas/example.User", AVRO, USER).await;
    assert_eq!((again.status, again.header("schema-id")), (204, id.as_str()), "it is registered once");
    let found = server.azure("POST", "/orders/schemas/example.User:get-id", AVRO, USER).await;
    assert_eq!((found.status, found.header("schema-id")), (204, id.as_str()));

    // The same schema in another form is another definition.
    let compact: String = USER.replace('\n', "").replace("  ", "");
    let other = server.azure("PUT", "/orders/schemas/example.User", AVRO, &compact).await;
    assert_eq!((other.status, other.header("schema-version")), (204, "2"));
    let found = server.azure("GET", "/orders/schemas/example.User/versions/2", AVRO, "").await;
    assert_eq!(found.text(), compact);
    let list = server.azure("GET", "/orders/schemas/example.User/versions", AVRO, "").await;
    assert_eq!(list.text().trim_end(), r#"{"schemaVersions":[1,2],"value":[1,2],"Value":[1,2]}"#);
    let groups = server.get("/$schemaGroups?api-version=2023-07-01").await.json();
    assert_eq!(groups["Value"], json!(["$default", "orders"]));
    server.stop().await;
}

#[tokio::test]
async fn both_faces_see_the_same_schemas() {
    let server = Server::start().await;
    server.azure("PUT", "/orders/schemas/example.User", AVRO, USER).await;
    let found = server.get("/subjects/:.orders:example.User/versions/1").await.json();
    assert_eq!((&found["version"], &found["id"]), (&json!(1), &json!(1)));
    let canonical =
        r#"{"type":"record","name":"User","namespace":"example","fields":[{"name":"name","type":"string"}]}"#;
    assert_eq!(found["schema"], canonical);
    assert_eq!(server.get("/contexts").await.json(), json!([".", ".orders"]));

    // What Confluent's clients register is read in its canonical form, and found in any.
    let sent = json!({"schema": USER}).to_string();
    server.post_json("/subjects/users-value/versions", &sent).await;
    let read = server.azure("GET", "/$default/schemas/users-value/versions/1", AVRO, "").await;
    assert_eq!(
        (read.status, read.text().as_str(), read.header("schema-group-name")),
        (200, canonical, "$default")
    );
    let found = server.azure("POST", "/$default/schemas/users-value:get-id", AVRO, USER).await;
    assert_eq!(found.header("schema-id"), read.header("schema-id"));

    // One level for both.
    server.send("PUT", "/config/:.orders:", &[], r#"{"compatibility":"NONE"}"#).await;
    let registered = server.azure("PUT", "/orders/schemas/example.User", AVRO, r#""string""#).await;
    assert_eq!(said(&registered), "204 schema-group-name=orders schema-name=example.User schema-version=2");
    let deleted = server.send("DELETE", "/subjects/:.orders:example.User", &[], "").await;
    assert_eq!(deleted.text().trim_end(), "[1,2]");
    let gone = server.azure("GET", "/orders/schemas/example.User/versions/2", AVRO, "").await;
    assert_eq!(said(&gone), "404 x-ms-error-code=ItemNotFound");
    let id = registered.header("schema-id");
    let kept = server.azure("GET", &format!("/$schemas/{id}"), AVRO, "").await;
    assert_eq!(kept.text(), r#""string""#, "records that were written with it can be read");
    server.stop().await;
}

#[tokio::test]
async fn errors_have_azures_codes() {
    let server = Server::start().await;
    server.azure("PUT", "/orders/schemas/a", AVRO, &version(1)).await;
    let incompatible = r#"{"type":"record","name":"User","fields":[{"name":"x","type":"int"}]}"#;
    let mut found = String::new();
    for (method, path, kind, body) in [
        ("GET", "/$schemas/fakeschemaid", AVRO, ""),
        ("GET", "/$schemas/00000000000000000000000000000001", AVRO, ""),
        ("PUT", "/orders/schemas/a", AVRO, ""),
        ("PUT", "/orders/schemas/a", "application/json; serialization=invalid-format", "{}"),
        ("PUT", "/orders/schemas/a", "text/plain; charset=utf-8", "{}"),
        ("PUT", "/orders/schemas/a", JSON, "{}"),
        ("PUT", "/orders/schemas/a", AVRO, "{}"),
        ("PUT", "/orders/schemas/a", AVRO, incompatible),
        ("PUT", "/orders/schemas/.a", AVRO, incompatible),
        ("PUT", "/.orders/schemas/a", AVRO, incompatible),
        ("POST", "/orders/schemas/a:get-id", AVRO, ""),
        ("POST", "/orders/schemas/a:get-id", AVRO, incompatible),
        ("POST", "/orders/schemas/never:get-id", AVRO, incompatible),
        ("POST", "/orders/schemas/a", AVRO, incompatible),
        ("GET", "/orders/schemas/a/versions/2", AVRO, ""),
        ("GET", "/orders/schemas/a/versions/latest", AVRO, ""),
        ("GET", "/none/schemas/a/versions", AVRO, ""),
    ] {
        let answer = server.azure(method, path, kind, body).await;
        let error = answer.json();
        let message = error["error"]["message"].as_str().expect("a message");
        assert_eq!(error["error"]["code"], answer.header("x-ms-error-code"), "{method} {path}");
        writeln!(found, "{method} {path} {kind}: {} {} {message}", answer.status, error["error"]["code"])
            .expect("text");
    }
    expect![[r#"
        GET /$schemas/fakeschemaid application/json; serialization=Avro: 400 "InvalidRequest" the id of a schema has 32 hexadecimal digits
        GET /$schemas/00000000000000000000000000000001 application/json; serialization=Avro: 404 "ItemNotFound" Schema 00000000000000000000000000000001 not found
        PUT /orders/schemas/a application/json; serialization=Avro: 400 "InvalidRequest" the body is empty: it is the definition of a schema
        PUT /orders/schemas/a application/json; serialization=invalid-format: 415 "InvalidSchemaType" content-type "application/json; serialization=invalid-format" says no format of schemas: it is application/json; serialization=Avro, application/json; serialization=Json or text/vnd.ms.protobuf
        PUT /orders/schemas/a text/plain; charset=utf-8: 415 "InvalidSchemaType" schemas of type Custom are not taken: no one could check them
        PUT /orders/schemas/a application/json; serialization=Json: 415 "InvalidSchemaType" schema group orders has schemas of type AVRO, not JSON
        PUT /orders/schemas/a application/json; serialization=Avro: 400 "InvalidRequest" invalid schema: /: a type needs its "type"
        PUT /orders/schemas/a application/json; serialization=Avro: 409 "Conflict" the schema is not BACKWARD compatible with earlier versions: version 1, at /fields/0: the reader's field "x" of User has no default, and the writer's record has no such field
        PUT /orders/schemas/.a application/json; serialization=Avro: 400 "InvalidRequest" invalid name ".a": a letter or digit, then anything but / \ $ and :
        PUT /.orders/schemas/a application/json; serialization=Avro: 400 "InvalidRequest" invalid schema group ".orders": a letter or digit, then anything but / \ $ : and control characters; at most 512 bytes
        POST /orders/schemas/a:get-id application/json; serialization=Avro: 400 "InvalidRequest" the body is empty: it is the definition of a schema
        POST /orders/schemas/a:get-id application/json; serialization=Avro: 404 "ItemNotFound" Schema not found
        POST /orders/schemas/never:get-id application/json; serialization=Avro: 404 "ItemNotFound" Subject ':.orders:never' not found.
        POST /orders/schemas/a application/json; serialization=Avro: 400 "InvalidRequest" POST is for a:get-id; PUT registers a schema
        GET /orders/schemas/a/versions/2 application/json; serialization=Avro: 404 "ItemNotFound" schema orders/a has no version 2
        GET /orders/schemas/a/versions/latest application/json; serialization=Avro: 400 "InvalidRequest" version "latest" is not a whole number from 1 on
        GET /none/schemas/a/versions application/json; serialization=Avro: 404 "ItemNotFound" Subject ':.none:a' not found.
    "#]].assert_eq(&found);
    let unknown = server.get("/$schemaGroups?api-version=2016-01").await;
    assert_eq!(said(&unknown), "400 x-ms-error-code=InvalidRequest");
    let binary = [0xff, 0xfe];
    let path = "/$schemaGroups/orders/schemas/a?api-version=2022-10";
    assert_eq!(server.send("PUT", path, &[("content-type", AVRO)], binary).await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn groups_have_one_format_and_one_level() {
    let server = Server::start().await;
    let create = |body: serde_json::Value| {
        let server = &server;
        async move { server.post_json("/api/v1/schema-groups", &body.to_string()).await }
    };
    let created = create(json!({"name": "orders", "schema_type": "AVRO", "compatibility": "FORWARD"})).await;
    assert_eq!(
        created.text().trim_end(),
        r#"{"name":"orders","context":".orders","schema_type":"AVRO","compatibility":"FORWARD","schemas":0}"#
    );
    assert_eq!(create(json!({"name": "orders"})).await.status, 409);
    assert_eq!(create(json!({"name": "any"})).await.status, 201);
    for (name, field) in [("$default", 409), ("a/b", 422), ("", 422)] {
        assert_eq!(create(json!({"name": name})).await.status, field, "{name}");
    }
    assert_eq!(create(json!({"name": "x", "schema_type": "XML"})).await.status, 422);
    assert_eq!(create(json!({"name": "x", "compatibility": "SIDEWARD"})).await.status, 422);

    // Another format is refused through both faces.
    let refused = server.azure("PUT", "/orders/schemas/a", JSON, r#"{"type":"object"}"#).await;
    assert_eq!(said(&refused), "415 x-ms-error-code=InvalidSchemaType");
    let sent = json!({"schema": "{}", "schemaType": "JSON"}).to_string();
    let refused = server.post_json("/subjects/:.orders:a/versions", &sent).await;
    assert_eq!(refused.json()["error_code"], 42201, "{}", refused.text());
    for (kind, body) in [(AVRO, r#""string""#), (JSON, r#"{"type":"object"}"#)] {
        let name = if kind == AVRO { "a" } else { "j" };
        let path = format!("/any/schemas/{name}");
        assert_eq!(server.azure("PUT", &path, kind, body).await.status, 204, "any format");
    }
    // The group that a registration creates has its format.
    server.azure("PUT", "/implied/schemas/j", JSON, r#"{"type":"object"}"#).await;
    let refused = server.azure("PUT", "/implied/schemas/a", AVRO, r#""string""#).await;
    assert_eq!(said(&refused), "415 x-ms-error-code=InvalidSchemaType");
    let groups = server.get("/api/v1/schema-groups").await.json();
    let mut lines = String::new();
    for group in groups["groups"].as_array().expect("groups") {
        writeln!(
            lines,
            "{} {} {} {}",
            group["name"], group["schema_type"], group["compatibility"], group["schemas"]
        )
        .expect("text");
    }
    expect![[r#"
        "$default" null "BACKWARD" 0
        "any" null "BACKWARD" 2
        "implied" "JSON" "BACKWARD" 1
        "orders" "AVRO" "FORWARD" 0
    "#]]
    .assert_eq(&lines);
    for (group, status) in [("orders", 204), ("orders", 404), ("any", 409), ("$default", 409), ("a:b", 404)] {
        let path = format!("/api/v1/schema-groups/{group}");
        assert_eq!(server.send("DELETE", &path, &[], "").await.status, status, "{group}");
    }
    server.stop().await;
}

/// Schemas of two subjects and what became of each attempt, as the four teams of the design have them: text fields, one with a
/// union whose default is of its second branch, a field that must be there, a field less, a field by another name.
#[tokio::test]
async fn evolution_has_the_same_verdicts_through_both_faces() {
    let server = Server::start().await;
    let text = |name: &str| json!({"name": name, "type": ["string"]});
    let optional = json!({"name": "optional_field", "type": ["string", "null"], "default": null});
    let first = [text("test_guid"), text("test_date"), text("product_id")];
    let [guid, date, product] = first.clone();
    let attempts = [
        first.to_vec(),
        vec![guid.clone(), date.clone(), product.clone(), optional.clone()],
        vec![guid.clone(), date.clone(), product, optional.clone(), text("mandatory_field")],
        vec![guid, date.clone(), optional.clone()],
        vec![text("test_guid_renamed"), date, optional],
    ];
    for (level, name, verdicts) in [
        ("BACKWARD", "BackwardCompatibleEvent.Created", [true, true, false, true, false]),
        ("FORWARD", "ForwardCompatibleEvent.Created", [true, true, true, false, false]),
    ] {
        let group = json!({"name": level, "schema_type": "AVRO", "compatibility": level}).to_string();
        assert_eq!(server.post_json("/api/v1/schema-groups", &group).await.status, 201);
        let config = json!({"compatibility": level}).to_string();
        assert_eq!(server.send("PUT", &format!("/config/{name}"), &[], config).await.status, 200);
        for (at, (fields, accepted)) in attempts.iter().zip(verdicts).enumerate() {
            let schema =
                json!({"namespace": "example.avro", "type": "record", "name": name, "fields": fields});
            let (schema, what) = (schema.to_string(), format!("{name}, attempt {}", at + 1));
            let sent = json!({"schema": schema}).to_string();
            let check = format!("/compatibility/subjects/{name}/versions/latest");
            if at > 0 {
                let checked = server.post_json(&check, &sent).await.json();
                assert_eq!(checked["is_compatible"], accepted, "{what}, checked");
            }
            let confluent = server.post_json(&format!("/subjects/{name}/versions"), &sent).await;
            assert_eq!(confluent.status, if accepted { 200 } else { 409 }, "{what}: {}", confluent.text());
            let azure = server.azure("PUT", &format!("/{level}/schemas/{name}"), AVRO, &schema).await;
            assert_eq!(azure.status, if accepted { 204 } else { 409 }, "{what}: {}", azure.text());
        }
    }
    server.stop().await;
}
