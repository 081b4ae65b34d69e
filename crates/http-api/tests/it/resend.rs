//! A stored record sent once more.

use expect_test::expect;
use factum_eventlog::{EventLog, NewRecord};
use factum_types::{Header, TopicName};

use crate::support::Server;

#[tokio::test]
async fn a_record_is_sent_again_byte_for_byte() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.topic("store.dead").await;
    let name = TopicName::new("store.dead").expect("a name");
    let record = NewRecord {
        key: Some("ann".into()),
        value: Some("{\"n\": 1.10}".into()),
        headers: vec![Header::new("ce_id", "7"), Header { key: "empty".to_owned(), value: None }],
        ..NewRecord::default()
    };
    let tombstone = NewRecord { key: Some("bob".into()), ..NewRecord::default() };
    server.broker.produce(&name, vec![record, tombstone]).await.expect("produced");
    let resend = async |body: &str| server.post_json("/api/v1/topics/store.dead/records/resend", body).await;
    expect![[r#"
        202 {"offsets":[{"partition":0,"offset":"0"}]}
    "#]]
    .assert_eq(&resend(r#"{"partition":0,"offset":"0","to":"store.orders"}"#).await.line());
    expect![[r#"
        "0": key "ann" value {"n":1.1}
           ce_id = "7"
           empty = null
    "#]]
    .assert_eq(&server.records("store.orders").await);
    let raw = server.get("/api/v1/topics/store.orders/records").await.text();
    assert!(raw.contains(r#""value":{"n": 1.10}"#), "byte for byte: {raw}");
    expect![[r#"
        202 {"offsets":[{"partition":0,"offset":"2"}]}
    "#]]
    .assert_eq(&resend(r#"{"partition":0,"offset":"1"}"#).await.line());
    expect![[r#"
        "0": key "ann" value {"n":1.1}
           ce_id = "7"
           empty = null
        "1": key "bob" value null
        "2": key "bob" value null
    "#]]
    .assert_eq(&server.records("store.dead").await);
    expect![[r#"404 offset 9 of store.dead/0 is outside 0..3 {"high_watermark":"3","log_start":"0"}"#]]
        .assert_eq(&resend(r#"{"partition":0,"offset":"9"}"#).await.problem());
    expect!["404 there is no partition store.dead/7 {}"]
        .assert_eq(&resend(r#"{"partition":7,"offset":"0"}"#).await.problem());
    expect![[r#"404 there is no topic store.order; did you mean store.orders? {"near":"store.orders"}"#]]
        .assert_eq(&resend(r#"{"partition":0,"offset":"0","to":"store.order"}"#).await.problem());
    expect![[r#"403 topic _factum.resources is internal: Factum keeps its own records there; Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read {"help":"Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read"}"#]].assert_eq(&resend(r#"{"partition":0,"offset":"0","to":"_factum.resources"}"#).await.problem());
    expect![[r#"400 invalid type: integer `0`, expected a 64-bit integer as text at line 1 column 25; send for example {"partition": 0, "offset": "41"} {"column":25,"line":1}"#]].assert_eq(&resend(r#"{"partition":0,"offset":0}"#).await.problem());
    server.stop().await;
}
