//! Consumer groups: seen, moved, forgotten.

use std::time::Duration;

use expect_test::expect;
use factum_eventlog::{EventLog, Membership};
use factum_types::{GroupId, TopicName};

use tokio::time::timeout;

use crate::support::{Server, Setup};

/// Far beyond what a wait takes; a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(120);

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
        200 {"groups":[{"id":"mailer","state":"Empty","protocol":"","members":0,"topics":["store.orders"],"lag":"2"}]}
    "#]]
    .assert_eq(&server.get("/api/v1/groups").await.line());
    expect![[r#"
        200 {"id":"mailer","state":"Empty","protocol_type":"","protocol":"","members":[],"offsets":[{"topic":"store.orders","partition":0,"offset":"1","end":"3","lag":"2","metadata":""}]}
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

#[tokio::test]
async fn offsets_are_shifted_within_the_ends_of_their_partitions() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.topic("store.returns").await;
    for topic in ["store.orders", "store.returns"] {
        for i in 0..5 {
            assert_eq!(server.post_json(&format!("/events/{topic}"), &i.to_string()).await.status, 202);
        }
    }
    let reset = async |body: &str| server.post_json("/api/v1/groups/mailer/offsets", body).await;
    assert_eq!(reset(r#"{"topic":"store.orders","to":"2","create":true}"#).await.status, 200);
    expect![[r#"
        200 {"dry_run":false,"offsets":[{"topic":"store.orders","partition":0,"from":"2","to":"4"}]}
    "#]]
    .assert_eq(&reset(r#"{"topic":"store.orders","shift_by":2}"#).await.line());
    expect![[r#"
        200 {"dry_run":false,"offsets":[{"topic":"store.orders","partition":0,"from":"4","to":"5"}]}
    "#]]
    .assert_eq(&reset(r#"{"topic":"store.orders","shift_by":9000000000000000000}"#).await.line());
    expect![[r#"
        200 {"dry_run":true,"offsets":[{"topic":"store.orders","partition":0,"from":"5","to":"0"}]}
    "#]]
    .assert_eq(&reset(r#"{"topic":"store.orders","shift_by":-100,"dry_run":true}"#).await.line());
    expect![[r#"422 group mailer has no committed offset to shift {"field":"shift_by"}"#]]
        .assert_eq(&reset(r#"{"topic":"store.returns","shift_by":-1}"#).await.problem());
    expect![[
        r#"422 there is no committed offset in store.returns/0 to shift; say where to {"field":"shift_by"}"#
    ]]
    .assert_eq(&reset(r#"{"topic":"store.returns","partitions":[0],"shift_by":-1}"#).await.problem());
    assert_eq!(reset(r#"{"topic":"store.returns","to":"latest"}"#).await.status, 200);
    // Without a topic, all of them at once.
    expect![[r#"
        200 {"dry_run":false,"offsets":[{"topic":"store.orders","partition":0,"from":"5","to":"4"},{"topic":"store.returns","partition":0,"from":"5","to":"4"}]}
    "#]].assert_eq(&reset(r#"{"shift_by":-1}"#).await.line());
    expect![[r#"
        200 {"dry_run":false,"offsets":[{"topic":"store.orders","partition":0,"from":"4","to":"0"},{"topic":"store.returns","partition":0,"from":"4","to":"0"}]}
    "#]].assert_eq(&reset(r#"{"to":"earliest"}"#).await.line());
    expect![[r#"400 partitions needs topic {"field":"partitions"}"#]]
        .assert_eq(&reset(r#"{"partitions":[0],"to":"earliest"}"#).await.problem());
    expect![[r#"400 give to or shift_by, not both {"field":"to"}"#]]
        .assert_eq(&reset(r#"{"to":"earliest","shift_by":1}"#).await.problem());
    expect![[r#"400 to is missing: say where to, such as earliest, or shift_by {"field":"to"}"#]]
        .assert_eq(&reset(r#"{"topic":"store.orders"}"#).await.problem());
    let new = server.post_json("/api/v1/groups/other/offsets", r#"{"to":"earliest","create":true}"#).await;
    expect![[r#"400 topic is missing: the group has no committed offsets {"field":"topic"}"#]]
        .assert_eq(&new.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_topic_has_the_groups_that_read_it() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.topic("store.returns").await;
    assert_eq!(server.post_json("/events/store.orders", "1").await.status, 202);
    let reset = async |group: &str, topic: &str| {
        let body = format!(r#"{{"topic":"{topic}","to":"earliest","create":true}}"#);
        server.post_json(&format!("/api/v1/groups/{group}/offsets"), &body).await
    };
    assert_eq!(reset("mailer", "store.orders").await.status, 200);
    assert_eq!(reset("mailer", "store.returns").await.status, 200);
    assert_eq!(reset("clerk", "store.returns").await.status, 200);
    let membership = Membership {
        group: GroupId::new("viewer").expect("a name"),
        topics: vec![TopicName::new("store.orders").expect("a name")],
        client_id: "test".to_owned(),
        session_timeout: Duration::from_secs(30),
        start_at_latest: false,
    };
    let mut member = server.broker.join(membership).await.expect("joined");
    member.poll(Duration::ZERO).await.expect("polled");
    expect![[r#"
        200 {"groups":[{"id":"mailer","state":"Empty","members":0,"partitions":1,"lag":"1"},{"id":"viewer","state":"Stable","members":1,"partitions":0,"lag":"0"}]}
    "#]].assert_eq(&server.get("/api/v1/topics/store.orders/groups").await.line());
    expect![[r#"404 there is no topic store.order; did you mean store.orders? {"near":"store.orders"}"#]]
        .assert_eq(&server.get("/api/v1/topics/store.order/groups").await.problem());
    let listed = server.get("/api/v1/groups").await.json();
    assert_eq!(listed["groups"][1]["topics"].to_string(), r#"["store.orders","store.returns"]"#);
    assert_eq!(
        listed["groups"][2]["topics"].to_string(),
        r#"["store.orders"]"#,
        "assigned, and not committed yet"
    );
    member.leave().await.expect("left");
    server.stop().await;
}

#[tokio::test]
async fn the_lag_of_a_group_has_a_history() {
    let mut setup = Setup::default();
    setup.options.lag_interval = Duration::from_millis(5);
    let server = Server::start_with(setup).await;
    server.topic("store.orders").await;
    for i in 0..3 {
        assert_eq!(server.post_json("/events/store.orders", &i.to_string()).await.status, 202);
    }
    let reset = async |to: &str| {
        let body = format!(r#"{{"topic":"store.orders","to":"{to}","create":true}}"#);
        server.post_json("/api/v1/groups/mailer/offsets", &body).await
    };
    assert_eq!(server.get("/api/v1/groups/mailer/lag").await.status, 404);
    assert_eq!(reset("earliest").await.status, 200);
    let until_last = async |lag: &str| loop {
        let history = server.get("/api/v1/groups/mailer/lag").await.json();
        let samples = history["topics"][0]["samples"].as_array().cloned().unwrap_or_default();
        if samples.last().is_some_and(|last| last["lag"] == lag) {
            return samples;
        }
        tokio::task::yield_now().await;
    };
    let samples = timeout(PATIENCE, until_last("3")).await.expect("a sample");
    assert_eq!(samples[0]["at"], "2026-11-20T10:00:00.000Z");
    assert_eq!(reset("latest").await.status, 200);
    let samples = timeout(PATIENCE, until_last("0")).await.expect("a sample");
    assert_eq!(samples[0]["lag"], "3", "what was before is kept");
    server.stop().await;
}
