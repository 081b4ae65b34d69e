//! Query parameters that are wrong say what they take.

use std::fmt::Write;

use expect_test::expect;

use crate::support::Server;

#[tokio::test]
async fn a_parameter_that_is_wrong_says_what_it_takes() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let mut said = String::new();
    for path in [
        "topics/store.orders/records?limit=abc",
        "topics/store.orders/records?limit=0",
        "topics/store.orders/records?limit=1001",
        "topics/store.orders/records?partition=x",
        "topics/store.orders/records?offset=1.5",
        "topics/store.orders/records?limt=3",
        "topics/store.orders/records?limit=1&limit=2",
        "topics/store.orders/tail?limit=x",
        "topics/store.orders/tail?from=middle",
        "topics?internal=yes",
    ] {
        let answer = server.get(&format!("/api/v1/{path}")).await;
        writeln!(said, "{} {path}: {}", answer.status, answer.problem()).expect("text grows");
    }
    expect![[r#"
        400 topics/store.orders/records?limit=abc: 400 limit: "abc" is not a whole number from 1 to 1000, such as 100 {"in":"query"}
        400 topics/store.orders/records?limit=0: 400 limit: "0" is not a whole number from 1 to 1000, such as 100 {"in":"query"}
        400 topics/store.orders/records?limit=1001: 400 limit: "1001" is not a whole number from 1 to 1000, such as 100 {"in":"query"}
        400 topics/store.orders/records?partition=x: 400 partition: "x" is not a whole number from 0 on, such as 0 {"in":"query"}
        400 topics/store.orders/records?offset=1.5: 400 offset: "1.5" is not a whole number, such as 41 {"in":"query"}
        400 topics/store.orders/records?limt=3: 400 there is no parameter limt; it takes partition, offset, timestamp, limit {"in":"query"}
        400 topics/store.orders/records?limit=1&limit=2: 400 limit is given twice; give it once {"in":"query"}
        400 topics/store.orders/tail?limit=x: 400 limit: "x" is not a whole number from 0 on, such as 10 {"in":"query"}
        400 topics/store.orders/tail?from=middle: 400 from: "middle" is not earliest, latest, an offset such as 41 (-5 is the fifth before the end), a time such as 2026-01-31T12:00:00Z, or 10m ago {"in":"query"}
        400 topics?internal=yes: 400 internal: "yes" is neither true nor false {"in":"query"}
    "#]].assert_eq(&said);
    server.stop().await;
}

#[tokio::test]
async fn a_number_of_a_body_that_is_wrong_is_said_to_be_a_number() {
    let server = Server::start().await;
    let mut said = String::new();
    for (path, body) in [
        ("topics", r#"{"name":"store.orders","partitions":"four"}"#),
        ("topics", r#"{"name":"store.orders","partitions":99999999999}"#),
    ] {
        let answer = server.post_json(&format!("/api/v1/{path}"), body).await;
        writeln!(said, "{body}: {}", answer.problem()).expect("text grows");
    }
    expect![[r#"
        {"name":"store.orders","partitions":"four"}: 400 invalid type: string "four", expected a whole number up to 2147483647 at line 1 column 42; send for example {"name": "store.orders", "partitions": 4, "config": {"retention": "30d"}} {"column":42,"line":1}
        {"name":"store.orders","partitions":99999999999}: 400 invalid value: integer `99999999999`, expected a whole number up to 2147483647 at line 1 column 47 {"column":47,"line":1}
    "#]].assert_eq(&said);
    server.stop().await;
}

#[tokio::test]
async fn a_tail_begins_so_long_ago_or_so_many_before_the_end() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    for number in 0..3 {
        server.post_json("/events/store.orders", &format!("{{\"n\":{number}}}")).await;
    }
    for (from, first) in [("-2", "1"), ("-9", "0"), ("5m%20ago", "0"), ("1h", "0")] {
        let tail = server.get(&format!("/api/v1/topics/store.orders/tail?from={from}&limit=1")).await;
        let offset = format!("\"offset\":\"{first}\"");
        assert!(tail.text().contains(&offset), "{from}: {}", tail.text());
    }
    let future = server.get("/api/v1/topics/store.orders/tail?from=2999-01-01T00:00:00Z").await;
    expect![[r#"400 400 from: 2999-01-01T00:00:00.000Z is to come (it is 2026-11-20T10:00:00.000Z): a tail begins at a time that has come, or with the next record (latest) {"in":"query"}"#]].assert_eq(&format!("{} {}", future.status, future.problem()));
    server.stop().await;
}
