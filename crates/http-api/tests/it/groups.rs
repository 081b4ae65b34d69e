//! Consumer groups: seen, moved, forgotten.

use std::time::Duration;

use expect_test::expect;
use factum_eventlog::{EventLog, Membership};
use factum_types::{GroupId, TopicName};

use crate::support::Server;

#[tokio::test]
async fn a_group_is_seen_moved_and_forgotten() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    for i in 0..3 {
        assert_eq!(server.post_json("/events/store.orders", &i.to_string()).await.status, 202);
    }
    let reset = async |body: &str| server.post_json("/api/v1/groups/mailer/offsets", body).await;
    expect!["404 there is no group mailer {}"]
        .assert_eq(&reset(r#"{"topic":"store.orders","to":"1"}"#).await.problem());
    let preview = reset(r#"{"topic":"store.orders","to":"latest","dry_run":true,"create":true}"#).await;
    expect![[r#"
        200 {"dry_run":true,"offsets":[{"topic":"store.orders","partition":0,"from":null,"to":"3"}]}
    "#]]
    .assert_eq(&preview.line());
    assert_eq!(server.get("/api/v1/groups/mailer").await.status, 404, "a preview moves nothing");
    expect![[r#"
        200 {"dry_run":false,"offsets":[{"topic":"store.orders","partition":0,"from":null,"to":"1"}]}
    "#]]
    .assert_eq(&reset(r#"{"topic":"store.orders","to":"-2","create":true}"#).await.line());
    expect![[r#"
        200 {"groups":[{"id":"mailer","state":"Empty","members":0,"lag":"2"}]}
    "#]]
    .assert_eq(&server.get("/api/v1/groups").await.line());
    expect![[r#"
        200 {"id":"mailer","state":"Empty","protocol_type":"","protocol":"","members":[],"offsets":[{"topic":"store.orders","partition":0,"offset":"1","lag":"2","metadata":""}]}
    "#]].assert_eq(&server.get("/api/v1/groups/mailer").await.line());
    expect![[r#"
        200 {"dry_run":false,"offsets":[{"topic":"store.orders","partition":0,"from":"1","to":"0"}]}
    "#]]
    .assert_eq(&reset(r#"{"topic":"store.orders","to":"earliest"}"#).await.line());
    expect![[r#"422 offset 9 of store.orders/0 is outside 0..3 {"field":"to"}"#]]
        .assert_eq(&reset(r#"{"topic":"store.orders","to":"9"}"#).await.problem());
    expect![[r#"400 to: "noon" is not earliest, latest, an offset such as 41 (-5 is the fifth before the end), a time such as 2026-01-31T12:00:00Z, or 10m ago {"field":"to"}"#]]
    .assert_eq(&reset(r#"{"topic":"store.orders","to":"noon"}"#).await.problem());
    expect![[r#"404 there is no topic store.order; did you mean store.orders? {"near":"store.orders"}"#]]
        .assert_eq(&reset(r#"{"topic":"store.order","to":"earliest"}"#).await.problem());
    expect!["404 topic store.orders has no partition 7 {}"]
        .assert_eq(&reset(r#"{"topic":"store.orders","partitions":[7],"to":"earliest"}"#).await.problem());
    assert_eq!(server.send("DELETE", "/api/v1/groups/mailer", &[], "").await.status, 204);
    let gone = server.send("DELETE", "/api/v1/groups/mailer", &[], "").await;
    expect!["404 there is no group mailer {}"].assert_eq(&gone.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_group_with_members_is_left_alone() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let membership = Membership {
        group: GroupId::new("mailer").expect("a name"),
        topics: vec![TopicName::new("store.orders").expect("a name")],
        client_id: "test".to_owned(),
        session_timeout: Duration::from_secs(30),
        start_at_latest: false,
    };
    let mut member = server.broker.join(membership).await.expect("joined");
    member.poll(Duration::ZERO).await.expect("polled");
    let shown = server.get("/api/v1/groups/mailer").await.json();
    assert_eq!(shown["state"], "Stable");
    assert_eq!(shown["members"][0]["assignment"][0]["topic"], "store.orders");
    let deleted = server.send("DELETE", "/api/v1/groups/mailer", &[], "").await;
    expect![[r#"409 group mailer has 1 members; stop them first {"members":1}"#]]
        .assert_eq(&deleted.problem());
    let moved =
        server.post_json("/api/v1/groups/mailer/offsets", r#"{"topic":"store.orders","to":"latest"}"#).await;
    expect![[r#"409 group mailer has 1 members; stop them first {"members":1}"#]].assert_eq(&moved.problem());
    member.leave().await.expect("left");
    server.stop().await;
}
