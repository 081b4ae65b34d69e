//! Access rules of the schema registry: what is hidden is as what is not there, and no reference or value leads to it.

use expect_test::expect;
use factum_eventlog::{EventLog, NewRecord};
use factum_types::TopicName;
use serde_json::json;

use crate::rules::{add, by_rules, send_as, user};
use crate::support::Server;

const PAYROLL: &str = r#"{"type":"record","name":"Payroll","namespace":"hr","doc":"hidden","fields":[{"name":"salary","type":"int"}]}"#;
const MONEY: &str =
    r#"{"type":"record","name":"Money","namespace":"shared","fields":[{"name":"cents","type":"long"}]}"#;
const WAGE: &str =
    r#"{"type":"record","name":"Wage","namespace":"shared","fields":[{"name":"of","type":"hr.Payroll"}]}"#;

fn body(schema: &str, references: &[(&str, &str)]) -> String {
    let references: Vec<_> = references
        .iter()
        .map(|(name, subject)| json!({"name": name, "subject": subject, "version": 1}))
        .collect();
    json!({"schema": schema, "references": references}).to_string()
}

fn referring(name: &str, subject: &str) -> String {
    let schema = json!({"type": "record", "name": "T", "fields": [{"name": "f", "type": name}]});
    body(&schema.to_string(), &[(name, subject)])
}

/// A server with schemas of which user `eve` may see `shared.money` and her own alone.
async fn start() -> Server {
    let server = Server::start_with(by_rules()).await;
    for name in ["admin", "eve", "star"] {
        user(&server, name).await;
    }
    add(
        &server,
        &[
            "allow all topic eve. prefixed User:eve",
            "allow describe topic shared.money literal User:eve",
            "allow describe topic shared.wage literal User:eve",
            "allow describe topic only literal User:eve",
            "allow all topic * literal User:star",
            "deny all topic hr. prefixed User:star",
        ],
    )
    .await;
    for (subject, schema) in [
        ("hr.payroll-value", body(PAYROLL, &[])),
        ("shared.money-value", body(MONEY, &[])),
        ("shared.wage-value", body(WAGE, &[("hr.Payroll", "hr.payroll-value")])),
        (":.hr:only", body(PAYROLL, &[])),
    ] {
        let path = format!("/subjects/{subject}/versions");
        let answer = send_as(&server, "admin", "POST", &path, &schema).await;
        assert_eq!(answer.status, 200, "{subject}: {}", answer.text());
    }
    server
}

/// Asks as a user, and gives each answer's status and message behind its request.
async fn told(server: &Server, name: &str, requests: &[(&str, &str, &str)]) -> String {
    let mut lines = Vec::new();
    for (method, path, body) in requests {
        let answer = send_as(server, name, method, path, body).await;
        let text = answer.text();
        let text = match answer.status {
            200 => text.trim_end().to_owned(),
            _ => answer.json()["message"].as_str().unwrap_or(&text).to_owned(),
        };
        lines.push(format!("{method} {path}: {} {text}", answer.status));
    }
    lines.join("\n")
}

#[tokio::test]
async fn a_reference_to_a_hidden_schema_is_one_to_none() {
    let server = start().await;
    let (hidden, absent) =
        (referring("hr.Payroll", "hr.payroll-value"), referring("hr.Payroll", "hr.none-value"));
    let (elsewhere, indirect) =
        (referring("hr.Payroll", ":.hr:only"), referring("shared.Wage", "shared.wage-value"));
    let visible = referring("shared.Money", "shared.money-value");
    let answers = told(
        &server,
        "eve",
        &[
            ("POST", "/subjects/eve.t-value/versions", &hidden),
            ("POST", "/subjects/eve.t-value/versions", &absent),
            ("POST", "/subjects/eve.t-value/versions", &elsewhere),
            ("POST", "/subjects/eve.t-value/versions", &indirect),
            ("POST", "/compatibility/subjects/eve.t-value/versions", &hidden),
            ("POST", "/compatibility/subjects/eve.t-value/versions?verbose=true", &hidden),
            ("POST", "/compatibility/subjects/eve.t-value/versions?verbose=true", &absent),
            ("POST", "/subjects/eve.t-value", &hidden),
            ("POST", "/subjects/eve.t-value/versions", &visible),
            ("GET", "/subjects/eve.t-value/versions/1/schema?format=resolved", ""),
            ("GET", "/subjects/shared.wage-value/versions/1/schema?format=resolved", ""),
        ],
    )
    .await;
    expect![[r#"
        POST /subjects/eve.t-value/versions: 422 Invalid schema: reference "hr.Payroll": there is no version 1 of subject hr.payroll-value
        POST /subjects/eve.t-value/versions: 422 Invalid schema: reference "hr.Payroll": there is no version 1 of subject hr.none-value
        POST /subjects/eve.t-value/versions: 422 Invalid schema: reference "hr.Payroll": there is no version 1 of subject :.hr:only
        POST /subjects/eve.t-value/versions: 422 Invalid schema: reference "hr.Payroll": there is no version 1 of subject hr.payroll-value
        POST /compatibility/subjects/eve.t-value/versions: 422 Invalid schema: reference "hr.Payroll": there is no version 1 of subject hr.payroll-value
        POST /compatibility/subjects/eve.t-value/versions?verbose=true: 200 {"is_compatible":false,"messages":["Invalid schema: reference \"hr.Payroll\": there is no version 1 of subject hr.payroll-value"]}
        POST /compatibility/subjects/eve.t-value/versions?verbose=true: 200 {"is_compatible":false,"messages":["Invalid schema: reference \"hr.Payroll\": there is no version 1 of subject hr.none-value"]}
        POST /subjects/eve.t-value: 422 Invalid schema: reference "hr.Payroll": there is no version 1 of subject hr.payroll-value
        POST /subjects/eve.t-value/versions: 200 {"version":1,"id":4,"guid":"77786cad-e7d1-8d2e-ea63-78157b2e6dfa","references":[{"name":"shared.Money","subject":"shared.money-value","version":1}],"schema":"{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"f\",\"type\":\"shared.Money\"}]}"}
        GET /subjects/eve.t-value/versions/1/schema?format=resolved: 200 {"type":"record","name":"T","fields":[{"name":"f","type":{"type":"record","name":"Money","namespace":"shared","fields":[{"name":"cents","type":"long"}]}}]}
        GET /subjects/shared.wage-value/versions/1/schema?format=resolved: 403 User:eve may not describe subject hr.payroll"#]].assert_eq(&answers);
    server.stop().await;
}

#[tokio::test]
async fn hidden_schemas_are_found_by_no_id_name_or_context() {
    let server = start().await;
    let found = send_as(&server, "admin", "GET", "/subjects/hr.payroll-value/versions/1", "").await.json();
    let guid = found["guid"].as_str().expect("a guid").to_owned();
    let by_guid = format!("/schemas/guids/{guid}");
    let look_up = body(PAYROLL, &[]);
    let answers = told(
        &server,
        "eve",
        &[
            ("GET", "/schemas/ids/1", ""),
            ("GET", "/schemas/ids/1/schema", ""),
            ("GET", "/schemas/ids/1/subjects", ""),
            ("GET", "/schemas/ids/1/versions", ""),
            ("GET", "/schemas/ids/99", ""),
            ("GET", "/schemas/ids/2/subjects", ""),
            ("GET", &by_guid, ""),
            ("GET", &format!("{by_guid}/ids"), ""),
            ("POST", "/subjects/only", &look_up),
            ("GET", "/subjects/only/versions/1", ""),
            ("GET", "/subjects/only/versions/1/referencedby", ""),
        ],
    )
    .await
    .replace(&guid, "GUID");
    expect![[r#"
        GET /schemas/ids/1: 404 Schema 1 not found
        GET /schemas/ids/1/schema: 404 Schema 1 not found
        GET /schemas/ids/1/subjects: 404 Schema 1 not found
        GET /schemas/ids/1/versions: 404 Schema 1 not found
        GET /schemas/ids/99: 404 Schema 99 not found
        GET /schemas/ids/2/subjects: 200 ["shared.money-value"]
        GET /schemas/guids/GUID: 404 Schema GUID not found
        GET /schemas/guids/GUID/ids: 404 Schema GUID not found
        POST /subjects/only: 404 Subject 'only' not found.
        GET /subjects/only/versions/1: 404 Subject 'only' not found.
        GET /subjects/only/versions/1/referencedby: 404 Subject 'only' not found."#]]
    .assert_eq(&answers);
    // Who could log in is asked to.
    let answers = told(&server, "", &[("GET", "/schemas/ids/1", "")]).await;
    expect!["GET /schemas/ids/1: 401 log in to see what there is"].assert_eq(&answers);
    server.stop().await;
}

#[tokio::test]
async fn settings_of_contexts_are_the_clusters() {
    let server = start().await;
    let mut answers = String::new();
    for scope in [":.__GLOBAL:", ":.:", ":.hr:", "own-value"] {
        let (config, mode) = (format!("/config/{scope}"), format!("/mode/{scope}"));
        let requests = [
            ("PUT", config.as_str(), r#"{"compatibility":"NONE"}"#),
            ("DELETE", &config, ""),
            ("PUT", &mode, r#"{"mode":"READONLY"}"#),
            ("DELETE", &mode, ""),
        ];
        answers += &(told(&server, "star", &requests).await + "\n");
    }
    expect![[r#"
        PUT /config/:.__GLOBAL:: 403 User:star may not alter the configuration of the cluster
        DELETE /config/:.__GLOBAL:: 403 User:star may not alter the configuration of the cluster
        PUT /mode/:.__GLOBAL:: 403 User:star may not alter the configuration of the cluster
        DELETE /mode/:.__GLOBAL:: 403 User:star may not alter the configuration of the cluster
        PUT /config/:.:: 403 User:star may not alter the configuration of the cluster
        DELETE /config/:.:: 403 User:star may not alter the configuration of the cluster
        PUT /mode/:.:: 403 User:star may not alter the configuration of the cluster
        DELETE /mode/:.:: 403 User:star may not alter the configuration of the cluster
        PUT /config/:.hr:: 403 User:star may not alter the configuration of the cluster
        DELETE /config/:.hr:: 403 User:star may not alter the configuration of the cluster
        PUT /mode/:.hr:: 403 User:star may not alter the configuration of the cluster
        DELETE /mode/:.hr:: 403 User:star may not alter the configuration of the cluster
        PUT /config/own-value: 200 {"compatibility":"NONE"}
        DELETE /config/own-value: 200 {"compatibilityLevel":"NONE"}
        PUT /mode/own-value: 200 {"mode":"READONLY"}
        DELETE /mode/own-value: 200 {"mode":"READONLY"}
    "#]]
    .assert_eq(&answers);
    server.stop().await;
}

#[tokio::test]
async fn a_value_shows_nothing_of_a_hidden_schema() {
    let server = start().await;
    server.topic("eve.t").await;
    let topic = TopicName::new("eve.t").expect("a name");
    // A payroll of 7, by the ids of a hidden schema, of one that is not there, and of one that eve may see.
    let values = [b"\0\0\0\0\x01\x0e", b"\0\0\0\0\x63\x0e", b"\0\0\0\0\x02\x0e"];
    let records =
        values.map(|value| NewRecord { value: Some(value.to_vec().into()), ..NewRecord::default() });
    EventLog::produce(&server.broker, &topic, records.into()).await.expect("produced");
    let path = "/api/v1/topics/eve.t/records";
    let shown = |name| {
        let server = &server;
        async move {
            let records = send_as(server, name, "GET", path, "").await.json()["records"].clone();
            let of = |record: &serde_json::Value| {
                format!("{} {} {}", record["value"], record["schema"]["subject"], record["schema_error"])
            };
            records.as_array().expect("records").iter().map(of).collect::<Vec<_>>().join("\n")
        }
    };
    expect![[r#"
        "\u0000\u0000\u0000\u0000\u0001\u000e" null null
        "\u0000\u0000\u0000\u0000c\u000e" null null
        {"cents":7} "shared.money-value" null"#]]
    .assert_eq(&shown("eve").await);
    expect![[r#"
        {"salary":7} "hr.payroll-value" null
        "\u0000\u0000\u0000\u0000c\u000e" null null
        {"cents":7} "shared.money-value" null"#]]
    .assert_eq(&shown("admin").await);
    server.stop().await;
}
