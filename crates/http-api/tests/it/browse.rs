//! Records as a person sees them.

use std::time::Duration;

use expect_test::expect;
use factum_api::records::{Record, Records};
use factum_eventlog::{EventLog, NewRecord};
use factum_types::{Header, TopicName};

use crate::support::Server;

async fn offsets(server: &Server, query: &str) -> String {
    let answer = server.get(&format!("/api/v1/topics/store.orders/records?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let page: Records = answer.read();
    let place = |record: &Record| format!("{}/{}", record.partition, record.offset);
    let places: Vec<_> = records_of(&page).iter().map(place).collect();
    let next: Vec<_> = page.partitions.iter().map(|p| format!("{}→{}", p.partition, p.next)).collect();
    format!("{} | {}", places.join(" "), next.join(" "))
}

/// The records of a page as clients read them.
fn records_of(page: &Records) -> Vec<Record> {
    page.records.iter().map(|record| serde_json::from_str(record.get()).expect("a record")).collect()
}

#[tokio::test]
async fn each_kind_of_content_is_shown_readably() {
    let server = Server::start().await;
    server.topic("raw").await;
    let record = |key: &'static [u8], value: Option<&'static [u8]>, headers| NewRecord {
        key: Some(key.into()),
        value: value.map(Into::into),
        headers,
        ..NewRecord::default()
    };
    let records = vec![
        record(b"text", Some(b"{\"n\": 9007199254740993,\n \"m\": 1.10}"), vec![Header::new("trace", "abc")]),
        record(b"\xff", Some(b"hello"), vec![Header { key: "none".into(), value: None }]),
        record(b"", Some(b"\x00\xff"), vec![Header::new("ce_specversion", "1.0")]),
        record(b"gone", None, vec![]),
    ];
    server.broker.produce(&TopicName::new("raw").expect("a name"), records).await.expect("produced");
    expect![[r#"
        {"records":[{"partition":0,"offset":"0","timestamp":"2026-11-20T10:00:00.000Z","key":"text","key_encoding":"text","value":{"n": 9007199254740993,  "m": 1.10},"value_encoding":"json","headers":[{"key":"trace","value":"abc","encoding":"text"}]},{"partition":0,"offset":"1","timestamp":"2026-11-20T10:00:00.000Z","key":"/w==","key_encoding":"base64","value":"hello","value_encoding":"text","headers":[{"key":"none","value":null,"encoding":"null"}]},{"partition":0,"offset":"2","timestamp":"2026-11-20T10:00:00.000Z","key":"","key_encoding":"text","value":"AP8=","value_encoding":"base64","headers":[{"key":"ce_specversion","value":"1.0","encoding":"text"}],"event_error":"attribute id is missing"},{"partition":0,"offset":"3","timestamp":"2026-11-20T10:00:00.000Z","key":"gone","key_encoding":"text","value":null,"value_encoding":"null","headers":[]}],"unreadable":[],"partitions":[{"partition":0,"next":"4","log_start":"0","high_watermark":"4"}]}
    "#]].assert_eq(&server.get("/api/v1/topics/raw/records").await.text());
    let read = records_of(&server.get("/api/v1/topics/raw/records").await.read());
    let values: Vec<_> = read.iter().map(Record::value_text).collect();
    assert_eq!(
        values,
        ["{\"n\": 9007199254740993,  \"m\": 1.10}", "hello", "AP8=", ""],
        "as clients read it"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_reader_starts_and_stops_where_it_says() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    for i in 0..5 {
        server.clock.advance(Duration::from_secs(60));
        assert_eq!(server.post_json("/events/store.orders", &i.to_string()).await.status, 202);
    }
    let mut shown = String::new();
    for query in [
        "",
        "limit=2",
        "limit=4",
        "partition=0&offset=3",
        "partition=0&offset=5",
        "partition=0&offset=-2",
        "partition=0&offset=-99&limit=1",
        "timestamp=2026-11-20T10:03:30Z",
        "timestamp=1795169100000",
        "timestamp=2027-01-01T00:00:00Z",
    ] {
        shown += &format!("{query}: {}\n", offsets(&server, query).await);
    }
    expect![[r#"
        : 0/0 0/1 0/2 0/3 0/4 | 0→5
        limit=2: 0/0 0/1 | 0→2
        limit=4: 0/0 0/1 0/2 0/3 | 0→4
        partition=0&offset=3: 0/3 0/4 | 0→5
        partition=0&offset=5:  | 0→5
        partition=0&offset=-2: 0/3 0/4 | 0→5
        partition=0&offset=-99&limit=1: 0/0 | 0→1
        timestamp=2026-11-20T10:03:30Z: 0/3 0/4 | 0→5
        timestamp=1795169100000: 0/4 | 0→5
        timestamp=2027-01-01T00:00:00Z:  | 0→5
    "#]]
    .assert_eq(&shown);
    let mut refused = String::new();
    for query in [
        "partition=0&offset=6",
        "partition=3",
        "offset=1",
        "limit=0",
        "limit=1001",
        "timestamp=noon",
        "from=1",
    ] {
        let answer = server.get(&format!("/api/v1/topics/store.orders/records?{query}")).await;
        refused += &format!("{query}: {}\n", answer.problem());
    }
    expect![[r#"
        partition=0&offset=6: 404 offset 6 of store.orders/0 is outside 0..5 {"high_watermark":"5","log_start":"0"}
        partition=3: 404 topic store.orders has no partition 3 {}
        offset=1: 400 offset needs partition: each partition counts for itself {"in":"query"}
        limit=0: 400 limit: "0" is not a whole number from 1 to 1000, such as 100 {"in":"query"}
        limit=1001: 400 limit: "1001" is not a whole number from 1 to 1000, such as 100 {"in":"query"}
        timestamp=noon: 400 timestamp "noon" is not a time; write 2026-11-20T10:00:00Z, up to 9999-12-30T22:00:00.999999999Z, or milliseconds since 1970 {"field":"timestamp"}
        from=1: 400 there is no parameter from; it takes partition, offset, timestamp, limit {"in":"query"}
    "#]].assert_eq(&refused);
    server.stop().await;
}

#[tokio::test]
async fn partitions_are_merged_by_time() {
    let server = Server::start().await;
    for i in 0..6 {
        server.clock.advance(Duration::from_secs(1));
        let headers =
            [("content-type", "application/json"), ("ce-partitionkey", if i % 3 == 0 { "a" } else { "b" })];
        assert_eq!(server.send("POST", "/events/store.orders", &headers, i.to_string()).await.status, 202);
    }
    let answer = server.get("/api/v1/topics/store.orders/records").await.json();
    let values: Vec<_> =
        answer["records"].as_array().expect("records").iter().map(|r| r["value"].to_string()).collect();
    assert_eq!(values, ["0", "1", "2", "3", "4", "5"]);
    let partitions = |json: &serde_json::Value| json["partitions"].as_array().map_or(0, Vec::len);
    assert_eq!(partitions(&answer), 2);
    // What is beyond the limit is found where `partitions` says.
    let mut seen = 0;
    for (limit, expected) in [(4, 4), (1, 1)] {
        let part = server.get(&format!("/api/v1/topics/store.orders/records?limit={limit}")).await.json();
        assert_eq!(part["records"].as_array().map_or(0, Vec::len), expected);
        seen += expected;
    }
    assert_eq!(seen, 5);
    server.stop().await;
}
