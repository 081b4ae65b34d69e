//! Transactions: seen, told where they hold readers back, aborted.

use expect_test::expect;
use factum_types::{BatchBuilder, Timestamp};

use crate::support::Server;

/// Writes a record of a transaction that no transactional id knows.
async fn write_hanging(server: &Server, topic: &str) {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let mut builder = BatchBuilder::new().producer(4_711, 0, 0).transactional();
    builder.push(now, None, Some(b"{}"), &[]);
    let topic = server.broker.topic(topic).expect("there");
    let partition = &topic.partitions()[0];
    let appended = partition.log().append(builder.build(), now).expect("taken");
    partition.durable(appended.last_offset).await.expect("synced");
}

#[tokio::test]
async fn hanging_transactions_are_told_and_aborted() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let list = async || server.get("/api/v1/transactions").await.line();
    expect![[r#"
        200 {"transactions":[],"held_back":[]}
    "#]]
    .assert_eq(&list().await);
    let reset = r#"{"topic":"store.orders","to":"earliest","create":true}"#;
    assert_eq!(server.post_json("/api/v1/groups/mailer/offsets", reset).await.status, 200);
    write_hanging(&server, "store.orders").await;
    expect![[r#"
        200 {"transactions":[],"held_back":[{"topic":"store.orders","partition":0,"start_offset":"0","records":"1","producer_id":"4711","is_hanging":true}]}
    "#]]
    .assert_eq(&list().await);
    let held = server.get("/api/v1/topics/store.orders").await.json()["partitions"][0]["held_back"].clone();
    assert_eq!(held["start_offset"], "0", "{held}");
    let group = server.get("/api/v1/groups/mailer").await.json();
    assert_eq!(group["offsets"][0]["held_back"]["records"], "1", "{group}");
    let metrics = server.get("/metrics").await.text();
    for line in ["factum_transactions_hanging 1", "factum_held_back_records 1", "factum_transactions_open 0"]
    {
        assert!(metrics.lines().any(|each| each == line), "{line}");
    }
    let lag = r#"kafka_consumergroup_lag{consumergroup="mailer",topic="store.orders",partition="0"} 1"#;
    assert!(metrics.lines().any(|line| line == lag), "{metrics}");
    let abort = async |body: &str| server.post_json("/api/v1/transactions/abort", body).await;
    let at = |offset: &str| format!(r#"{{"topic":"store.orders","partition":0,"start_offset":"{offset}"}}"#);
    expect!["404 no transaction holds store.orders/0 back from offset 7 on {}"]
        .assert_eq(&abort(&at("7")).await.problem());
    assert_eq!(abort(&at("-1")).await.status, 400);
    assert_eq!(abort(&at("0")).await.status, 204);
    expect![[r#"
        200 {"transactions":[],"held_back":[]}
    "#]]
    .assert_eq(&list().await);
    expect!["404 there is no transactional id billing {}"]
        .assert_eq(&server.get("/api/v1/transactions/billing").await.problem());
    expect!["404 there is no transactional id billing {}"]
        .assert_eq(&server.send("POST", "/api/v1/transactions/billing/abort", &[], "").await.problem());
    server.stop().await;
}
