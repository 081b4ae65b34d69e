//! `POST /events/{topic}` in each of its forms: what is stored, and what is refused where.

use expect_test::{Expect, expect};
use factum_broker::AutoCreateTopics;
use factum_eventlog::{Admin, NewTopic, TopicConfig};
use factum_types::TopicName;

use crate::support::{Server, Setup};

const STRUCTURED: (&str, &str) = ("content-type", "application/cloudevents+json");
const BATCH: (&str, &str) = ("content-type", "application/cloudevents-batch+json");
const JSON: (&str, &str) = ("content-type", "application/json");
const LINES: (&str, &str) = ("content-type", "application/x-ndjson");

async fn check(headers: &[(&str, &str)], body: &str, expected: &Expect) {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.declare("store.orders", None);
    let answer = server.send("POST", "/events/store.orders", headers, body).await;
    let records = server.records("store.orders").await;
    expected.assert_eq(&format!("{}\n{records}", answer.line()));
    server.stop().await;
}

async fn check_refused(
    server: &Server,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
    expected: &Expect,
) {
    let answer = server.send("POST", "/events/store.orders", headers, body).await;
    expected.assert_eq(&answer.problem());
}

#[tokio::test]
async fn binary_mode_keeps_attributes_as_headers_and_data_as_the_value() {
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "A1"),
        ("ce-source", "/shop"),
        ("ce-type", "order.paid"),
        ("ce-time", "2018-04-05T17:31:00Z"),
        ("ce-subject", "Euro%20%E2%82%AC"),
        ("ce-partitionkey", "ann"),
        ("content-type", "text/plain"),
    ];
    check(
        &headers,
        "any bytes",
        &expect![[r#"
            202 {"offsets":[{"partition":0,"offset":"0"}]}

            "0": key "ann" value "any bytes"
               ce_specversion = "1.0"
               ce_id = "A1"
               ce_source = "/shop"
               ce_type = "order.paid"
               ce_subject = "Euro €"
               ce_time = "2018-04-05T17:31:00Z"
               content-type = "text/plain"
               ce_partitionkey = "ann"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn structured_mode_keeps_the_data_as_it_was_written() {
    let body = r#"{"specversion":"1.0","id":"A1","source":"/shop","type":"order.paid","retries":3,"data":{"total" : 1.50}}"#;
    check(
        &[STRUCTURED],
        body,
        &expect![[r#"
            202 {"offsets":[{"partition":0,"offset":"0"}]}

            "0": key null value {"total":1.5}
               ce_specversion = "1.0"
               ce_id = "A1"
               ce_source = "/shop"
               ce_type = "order.paid"
               ce_time = "2026-11-20T10:00:00Z"
               content-type = "application/json"
               ce_retries = "3"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_batch_is_answered_in_order() {
    let event =
        |id| format!(r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"t","data_base64":"AP8="}}"#);
    let body = format!("[{},{}]", event(1), event(2));
    check(
        &[BATCH],
        &body,
        &expect![[r#"
            202 {"offsets":[{"partition":0,"offset":"0"},{"partition":0,"offset":"1"}]}

            "0": key null value "AP8="
               ce_specversion = "1.0"
               ce_id = "1"
               ce_source = "/s"
               ce_type = "t"
               ce_time = "2026-11-20T10:00:00Z"
            "1": key null value "AP8="
               ce_specversion = "1.0"
               ce_id = "2"
               ce_source = "/s"
               ce_type = "t"
               ce_time = "2026-11-20T10:00:00Z"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn plain_json_is_wrapped_by_the_manifest() {
    check(
        &[JSON],
        r#"{ "OrderId": 7 }"#,
        &expect![[r#"
            202 {"offsets":[{"partition":0,"offset":"0"}]}

            "0": key null value {"OrderId":7}
               ce_specversion = "1.0"
               ce_id = "01a1f866-0d00-75f8-a12e-5d006cd3d6af"
               ce_source = "/contoso/store"
               ce_type = "contoso.store.orders"
               ce_time = "2026-11-20T10:00:00Z"
               content-type = "application/json"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn plain_json_may_bring_attributes() {
    check(
        &[JSON, ("ce-id", "mine"), ("ce-tenant", "eu")],
        "[1, 2]",
        &expect![[r#"
            202 {"offsets":[{"partition":0,"offset":"0"}]}

            "0": key null value [1,2]
               ce_specversion = "1.0"
               ce_id = "mine"
               ce_source = "/contoso/store"
               ce_type = "contoso.store.orders"
               ce_time = "2026-11-20T10:00:00Z"
               content-type = "application/json"
               ce_tenant = "eu"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn lines_are_wrapped_one_by_one() {
    check(
        &[LINES],
        "{\"a\":1}\r\n\n {\"a\":2}\n",
        &expect![[r#"
            202 {"offsets":[{"partition":0,"offset":"0"},{"partition":0,"offset":"1"}]}

            "0": key null value {"a":1}
               ce_specversion = "1.0"
               ce_id = "01a1f866-0d00-75f8-a12e-5d006cd3d6af"
               ce_source = "/contoso/store"
               ce_type = "contoso.store.orders"
               ce_time = "2026-11-20T10:00:00Z"
               content-type = "application/json"
            "1": key null value {"a":2}
               ce_specversion = "1.0"
               ce_id = "01a1f866-0d00-76c7-9e7e-b00e4c9c9e35"
               ce_source = "/contoso/store"
               ce_type = "contoso.store.orders"
               ce_time = "2026-11-20T10:00:00Z"
               content-type = "application/json"
        "#]],
    )
    .await;
}

/// Readers see all of it or none: each partition that got some of it has the marker of its transaction too.
#[tokio::test]
async fn a_batch_over_partitions_is_one_transaction() {
    let server = Server::start().await;
    let new = NewTopic {
        name: TopicName::new("store.orders").expect("valid"),
        partitions: Some(4),
        config: TopicConfig::default(),
    };
    Admin::create_topic(&server.broker, new).await.expect("a new topic");
    server.declare("store.orders", Some("Email"));
    let lines: String = (0..40).map(|n| format!("{{\"Email\":\"customer-{n}\"}}\n")).collect();
    assert_eq!(server.send("POST", "/events/store.orders", &[LINES], lines).await.status, 202);
    let alone = "{\"Email\":\"customer-1\"}\n".repeat(3);
    assert_eq!(server.send("POST", "/events/store.orders", &[LINES], alone).await.status, 202);
    let topic = server.broker.topic("store.orders").expect("made");
    let ends = topic.partitions().iter().map(|partition| partition.bounds());
    let ends: Vec<_> =
        ends.map(|bounds| (bounds.stable == bounds.high_watermark, bounds.high_watermark)).collect();
    assert!(ends.iter().all(|(is_decided, _)| *is_decided), "nothing stays open: {ends:?}");
    let offsets: i64 = ends.iter().map(|(_, end)| end.get()).sum();
    assert_eq!(offsets, 40 + 4 + 3, "a marker in each partition for the first, and none for the second");
    server.stop().await;
}

#[tokio::test]
async fn an_empty_batch_is_nothing() {
    check(
        &[BATCH],
        "[]",
        &expect![[r#"
            202 {"offsets":[]}

        "#]],
    )
    .await;
}

#[tokio::test]
async fn the_key_comes_from_the_field_that_the_manifest_names() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.declare("store.orders", Some("Email"));
    let body = "{\"Email\":\"ann@contoso.com\"}\n{\"email\":\"bob@contoso.com\"}\n{\"EMAIL\":42}\n";
    assert_eq!(server.send("POST", "/events/store.orders", &[LINES], body).await.status, 202);
    let explicit = [JSON, ("ce-partitionkey", "chosen")];
    assert_eq!(server.send("POST", "/events/store.orders", &explicit, r#"{"x":1}"#).await.status, 202);
    let records = server.records("store.orders").await;
    let keys: Vec<_> = records.lines().filter(|line| !line.starts_with(' ')).collect();
    expect![[r#"
        "0": key "ann@contoso.com" value {"Email":"ann@contoso.com"}
        "1": key "bob@contoso.com" value {"email":"bob@contoso.com"}
        "2": key "42" value {"EMAIL":42}
        "3": key "chosen" value {"x":1}"#]]
    .assert_eq(&keys.join("\n"));
    let missing = "{\"Email\":\"ann@contoso.com\"}\n{\"Name\":\"Ann\"}\n";
    check_refused(&server, &[LINES], missing, &expect![[r#"422 line 2: the key of topic store.orders is the field Email: it is missing {"line":2,"field":"Email"}"#]]).await;
    check_refused(&server, &[JSON], r#"{"email":1,"EMAIL":2}"#, &expect![[r#"422 the key of topic store.orders is the field Email: more than one field has this name in other cases {"field":"Email"}"#]]).await;
    check_refused(&server, &[JSON], r#"{"Email":null}"#, &expect![[r#"422 the key of topic store.orders is the field Email: it must be text, a number, true or false {"field":"Email"}"#]]).await;
    check_refused(&server, &[JSON], "3", &expect![[r#"422 the key of topic store.orders is the field Email: the data is not an object {"field":"Email"}"#]]).await;
    let batch = r#"[{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"Email":"a"}},
        {"specversion":"1.0","id":"2","source":"/s","type":"t","data":{}}]"#;
    check_refused(&server, &[BATCH], batch, &expect![[r#"422 event 1: the key of topic store.orders is the field Email: it is missing {"index":1,"field":"Email"}"#]]).await;
    assert_eq!(server.records("store.orders").await, records, "nothing of a refused batch is stored");
    server.stop().await;
}

#[tokio::test]
async fn malformed_bodies_say_where() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    check_refused(
        &server,
        &[JSON],
        "{\"a\": 1,\n \"b\" 2}",
        &expect![[r#"400 not JSON: expected `:` at line 2 column 6; the body is the event's data as JSON, for example {"order": 1} {"column":6,"line":2}"#]],
    )
    .await;
    check_refused(
        &server,
        &[JSON],
        "",
        &expect![[r#"400 not JSON: the text ends where a value is expected at line 1 column 0; the body is the event's data as JSON, for example {"order": 1} {"column":0,"line":1}"#]],
    )
    .await;
    check_refused(
        &server,
        &[JSON],
        b"{\"a\":\"\xff\"}".to_vec(),
        &expect![[r#"400 not JSON: invalid unicode code point at line 1 column 7; the body is the event's data as JSON, for example {"order": 1} {"column":7,"line":1}"#]],
    )
    .await;
    check_refused(
        &server,
        &[LINES],
        "{\"a\":1}\n{\"a\":}\n",
        &expect![[r#"400 line 2: not JSON: expected an object, an array, a string in double quotes, a number, true, false or null at column 6; each line is the data of one event as JSON, for example {"order": 1} {"column":6,"line":2}"#]],
    )
    .await;
    server.stop().await;
}

#[tokio::test]
async fn invalid_cloud_events_say_why() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    check_refused(
        &server,
        &[STRUCTURED],
        r#"{"specversion":"1.0","id":"1","source":"/s"}"#,
        &expect![[r#"400 attribute type is missing {"attribute":"type"}"#]],
    )
    .await;
    check_refused(
        &server,
        &[BATCH],
        r#"[{"specversion":"1.0","id":"1","source":"/s","type":"t"},{"id":"2"}]"#,
        &expect![[r#"400 event 1: attribute specversion is missing {"index":1,"attribute":"specversion"}"#]],
    )
    .await;
    check_refused(&server, &[BATCH], "[1]", &expect![[r#"400 invalid type: integer `1`, expected a CloudEvent as a JSON object at line 1 column 2 {"column":2,"line":1}"#]]).await;
    check_refused(
        &server,
        &[("ce-specversion", "1.0"), ("ce-id", "1")],
        "x",
        &expect![[r#"400 attribute source is missing {"attribute":"source"}"#]],
    )
    .await;
    check_refused(
        &server,
        &[("ce-specversion", "0.3"), ("ce-id", "1")],
        "x",
        &expect![[r#"400 specversion "0.3" is not supported; only "1.0" is {"attribute":"specversion"}"#]],
    )
    .await;
    let binary = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t"), JSON];
    check_refused(
        &server,
        &binary,
        "{",
        &expect![[r#"400 not JSON: the text ends inside an object at line 1 column 1; the body is the event's data and, as its content-type says, JSON {"column":1,"line":1}"#]],
    )
    .await;
    check_refused(
        &server,
        &[LINES, ("ce-id", "1")],
        "{}",
        &expect![[r#"400 ce-id would give every line the same id {"attribute":"id"}"#]],
    )
    .await;
    let answer = server.send("POST", "/events/bad%2Fname", &[JSON], "{}").await;
    expect![[
        r#"400 character '/' at position 3 of "bad/name" is not one of letters, digits, '.', '_' and '-' {}"#
    ]]
    .assert_eq(&answer.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_a_foreign_page_could_send_is_not_taken() {
    let server = Server::start().await;
    check_refused(&server, &[], "{}", &expect!["415 there is no content-type; send application/json, a CloudEvents media type, or ce-* headers {}"]).await;
    check_refused(&server, &[("content-type", "text/plain")], "{}", &expect!["415 content-type is text/plain; send application/json, a CloudEvents media type, or ce-* headers {}"]).await;
    check_refused(&server, &[("content-type", "application/x-www-form-urlencoded")], "{}", &expect!["415 content-type is application/x-www-form-urlencoded; send application/json, a CloudEvents media type, or ce-* headers {}"])
        .await;
    check_refused(
        &server,
        &[("content-type", "application/cloudevents+avro")],
        "{}",
        &expect!["415 content-type is application/cloudevents+avro; only the JSON event format is spoken {}"],
    )
    .await;
    assert!(server.broker.topic("store.orders").is_none(), "no topic is made for a refused request");
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_topic_is_made_where_that_is_allowed() {
    let server = Server::start().await;
    assert_eq!(server.post_json("/events/store.orders", "{}").await.status, 202);
    assert_eq!(server.broker.topic("store.orders").expect("made").partition_count(), 2);
    server.stop().await;
    let server =
        Server::start_with(Setup { auto_create_topics: AutoCreateTopics::Never, ..Setup::default() }).await;
    server.topic("store.orders").await;
    let answer = server.post_json("/events/store.order", "{}").await;
    expect![[r#"404 there is no topic store.order; did you mean store.orders? {"near":"store.orders"}"#]]
        .assert_eq(&answer.problem());
    server.stop().await;
}

#[tokio::test]
async fn factums_own_topics_are_not_written_from_here() {
    let server = Server::start().await;
    let answer = server.post_json("/events/__consumer_offsets", "{}").await;
    expect![[r#"403 topic __consumer_offsets is internal: Factum keeps its own records there; Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read {"help":"Factum alone creates, changes and writes topics called __…, _factum.… and _schemas; they can be read"}"#]].assert_eq(&answer.problem());
    server.stop().await;
}

#[tokio::test]
async fn an_event_larger_than_its_topic_takes_names_the_limit() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let body = format!("\"{}\"", "x".repeat(2 << 20));
    let answer = server.post_json("/events/store.orders", &body).await;
    expect![[r#"413 2097401 bytes are more than the 1048588 that topic store.orders takes at once {"limit":1048588}"#]].assert_eq(&answer.problem());
    server.stop().await;
}

#[tokio::test]
async fn data_is_stored_as_the_bytes_that_were_sent() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.declare("store.orders", Some("id"));
    let data = r#"{ "id" : 1.50e3,"big":9007199254740993,  "s":"\u00e9\/" }"#;
    let event = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","data": {data}}}"#);
    for (header, body) in [(JSON, data), (STRUCTURED, &event), (BATCH, &format!("[{event}]"))] {
        let answer = server.send("POST", "/events/store.orders", &[header], body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    let shown = server.get("/api/v1/topics/store.orders/records").await.text();
    assert_eq!(shown.matches(&format!(r#""value":{data},"value_encoding":"json""#)).count(), 3, "{shown}");
    assert_eq!(shown.matches(r#""key":"1.50e3""#).count(), 3, "{shown}");
    server.stop().await;
}

#[tokio::test]
async fn events_that_cannot_be_made_durable_are_not_acknowledged() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    assert!(server.log.stop_within(std::time::Duration::from_secs(10)).await.is_empty());
    let answer = server.post_json("/events/store.orders", "{}").await;
    assert_eq!(answer.retry_after, "1");
    expect!["503 topic store.orders takes no records: partition store.orders/0 is read-only {}"]
        .assert_eq(&answer.problem());
    server.stop().await;
}

#[tokio::test]
async fn a_request_may_name_the_keys_field_itself() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.declare("store.orders", Some("Email"));
    let body = "{\"OrderId\":7}\n{\"OrderId\":8}\n";
    let answer = server.send("POST", "/events/store.orders?key=orderid", &[LINES], body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let records = server.records("store.orders").await;
    assert!(records.contains(r#"key "7""#) && records.contains(r#"key "8""#), "{records}");
    let answer = server.post_json("/events/store.orders?keys=a", "{}").await;
    expect![[r#"400 there is no parameter keys; it takes key {"in":"query"}"#]].assert_eq(&answer.problem());
    server.stop().await;
}

/// Packs a body as a client would.
fn packed(encoding: &str, body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match encoding {
        "gzip" => read_all(flate2::read::GzEncoder::new(body, level)),
        "deflate" => read_all(flate2::read::ZlibEncoder::new(body, level)),
        "raw deflate" => read_all(flate2::read::DeflateEncoder::new(body, level)),
        "zstd" => zstd::bulk::compress(body, 3).expect("memory"),
        other => panic!("not an encoding: {other}"),
    }
}

fn read_all(mut reader: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("memory");
    bytes
}

#[tokio::test]
async fn bodies_are_unpacked_before_they_are_stored() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let order = br#"{"OrderId":7}"#;
    let brotli = [BROTLI_ORDER.to_vec()];
    let others = ["gzip", "deflate", "raw deflate", "zstd"].map(|name| packed(name, order));
    let names = ["br", "gzip", "deflate", "deflate", "ZSTD"];
    for (name, body) in names.into_iter().zip(brotli.into_iter().chain(others)) {
        let headers = [JSON, ("content-encoding", name)];
        let answer = server.send("POST", "/events/store.orders", &headers, body).await;
        assert_eq!(answer.status, 202, "{name}: {}", answer.text());
    }
    let plain =
        server.send("POST", "/events/store.orders", &[JSON, ("content-encoding", "identity")], *order);
    assert_eq!(plain.await.status, 202);
    let shown = server.get("/api/v1/topics/store.orders/records").await.text();
    assert_eq!(shown.matches(r#""value":{"OrderId":7},"value_encoding":"json""#).count(), 6, "{shown}");
    assert!(!shown.contains("content-encoding"), "what is stored is not packed: {shown}");
    let created = [JSON, ("content-encoding", "gzip")];
    let topic = packed("gzip", br#"{"name":"store.packed"}"#);
    assert_eq!(server.send("POST", "/api/v1/topics", &created, topic).await.status, 201);
    server.stop().await;
}

/// `{"OrderId":7}` as Node's zlib packs it.
const BROTLI_ORDER: &[u8] = &[11, 6, 128, 123, 34, 79, 114, 100, 101, 114, 73, 100, 34, 58, 55, 125, 3];

#[tokio::test]
async fn encodings_that_cannot_be_unpacked_are_refused() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let mut cut = packed("gzip", br#"{"OrderId":7}"#);
    cut.truncate(cut.len() - 4);
    let gzip = [JSON, ("content-encoding", "gzip")];
    check_refused(&server, &gzip, cut, &expect![[r#"400 content-encoding is gzip, but the body is not: unexpected end of file {"header":"content-encoding"}"#]]).await;
    check_refused(&server, &gzip, "{}", &expect![[r#"400 content-encoding is gzip, but the body is not: unexpected end of file {"header":"content-encoding"}"#]]).await;
    for name in ["br", "gzip", "deflate", "raw deflate", "zstd"] {
        let body = match name {
            "br" => BROTLI_ORDER.to_vec(),
            name => packed(name, br#"{"OrderId":7}"#),
        };
        let longer = [&*body, b"{"].concat();
        let shorter = body[..body.len() - 1].to_vec();
        let encoding = name.split(' ').next_back().expect("a word");
        for wrong in [longer, shorter, Vec::new()] {
            let headers = [JSON, ("content-encoding", encoding)];
            let answer = server.send("POST", "/events/store.orders", &headers, wrong.clone()).await;
            assert_eq!(answer.status, 400, "{name} {wrong:?}: {}", answer.text());
            assert!(answer.problem().contains("content-encoding is"), "{name}: {}", answer.text());
            let lines = [("content-type", "application/x-ndjson"), ("content-encoding", encoding)];
            assert_eq!(
                server.send("POST", "/events/store.orders", &lines, wrong).await.status,
                400,
                "{name}"
            );
        }
    }
    for encoding in ["compress", "gzip, gzip"] {
        let headers = [JSON, ("content-encoding", encoding)];
        let answer = server.send("POST", "/events/store.orders", &headers, "x").await;
        assert_eq!(
            (answer.status, answer.headers["accept-encoding"].to_str().expect("text")),
            (415, "gzip, deflate, br, zstd")
        );
        assert!(answer.problem().contains(encoding), "{}", answer.text());
    }
    // Sixteen mebibytes and a byte, in some sixteen thousand.
    let bomb = packed("gzip", &vec![b' '; (16 << 20) + 1]);
    check_refused(
        &server,
        &gzip,
        bomb,
        &expect![[r#"413 the body is larger than 16777216 bytes once it is unpacked {"limit":16777216}"#]],
    )
    .await;
    assert_eq!(server.records("store.orders").await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_member_given_twice_is_refused_in_every_form() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.declare("store.orders", Some("u"));
    let twice = r#"{"u":"first","\u0075":"second"}"#;
    check_refused(
        &server,
        &[JSON],
        twice,
        &expect![[r#"400 the member "u" is given twice at line 1 column 14 {"column":14,"line":1}"#]],
    )
    .await;
    check_refused(
        &server,
        &[LINES],
        format!("{{\"u\":1}}\n{twice}\n"),
        &expect![[r#"400 line 2: the member "u" is given twice at column 14 {"column":14,"line":2}"#]],
    )
    .await;
    let deep = r#"{"u":1,"list":[{"a":1,"a":2}]}"#;
    check_refused(
        &server,
        &[JSON, ("ce-partitionkey", "k")],
        deep,
        &expect![[r#"400 the member "a" is given twice at line 1 column 23 {"column":23,"line":1}"#]],
    )
    .await;
    let event = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{twice}}}"#);
    check_refused(
        &server,
        &[STRUCTURED],
        event.clone(),
        &expect![[r#"400 the member "u" is given twice at line 1 column 76 {"column":76,"line":1}"#]],
    )
    .await;
    check_refused(
        &server,
        &[BATCH],
        format!("[{event}]"),
        &expect![[r#"400 the member "u" is given twice at line 1 column 77 {"column":77,"line":1}"#]],
    )
    .await;
    let binary = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t"), JSON];
    check_refused(
        &server,
        &binary,
        twice,
        &expect![[r#"400 the member "u" is given twice at line 1 column 14 {"column":14,"line":1}"#]],
    )
    .await;
    assert_eq!(server.records("store.orders").await, "");
    server.stop().await;
}

#[tokio::test]
async fn attributes_are_given_once_and_as_text() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    let ids =
        [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-id", "2"), ("ce-source", "/s"), ("ce-type", "t")];
    check_refused(&server, &ids, "x", &expect![[r#"400 attribute "id" is given twice {"attribute":"id"}"#]])
        .await;
    check_refused(
        &server,
        &[JSON, ("ce-subject", "a"), ("ce-subject", "a")],
        "1",
        &expect![[r#"400 attribute "subject" is given twice {"attribute":"subject"}"#]],
    )
    .await;
    check_refused(
        &server,
        &[JSON, JSON],
        "1",
        &expect![[r#"400 content-type is given twice {"header":"content-type"}"#]],
    )
    .await;
    for wrong in
        [r#""id":true,"source":"/s""#, r#""id":"1","source":1"#, r#""id":"1","source":"/s","subject":false"#]
    {
        let event = format!(r#"{{"specversion":"1.0","type":"t",{wrong}}}"#);
        let answer = server.send("POST", "/events/store.orders", &[STRUCTURED], event).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
        assert!(answer.problem().contains("must be text"), "{}", answer.text());
    }
    let event = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","sampled":true,"retries":3}"#;
    assert_eq!(server.send("POST", "/events/store.orders", &[STRUCTURED], event).await.status, 202);
    server.stop().await;
}

#[tokio::test]
async fn a_topic_with_a_key_asks_for_it_in_every_content_type() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    server.declare("store.orders", Some("u"));
    let envelope = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")];
    let with = |more: &[(&'static str, &'static str)]| [&envelope[..], more].concat();
    check_refused(&server, &with(&[("content-type", "text/plain")]), "x", &expect![[r#"422 the key of topic store.orders is the field u: the data is text/plain; send JSON, or give the key as the attribute partitionkey {"field":"u"}"#]]).await;
    check_refused(&server, &with(&[("content-type", "application/xml")]), "<u/>", &expect![[r#"422 the key of topic store.orders is the field u: the data is application/xml; send JSON, or give the key as the attribute partitionkey {"field":"u"}"#]]).await;
    check_refused(&server, &envelope, "x", &expect![[r#"422 the key of topic store.orders is the field u: the data has no content type; send JSON, or give the key as the attribute partitionkey {"field":"u"}"#]]).await;
    check_refused(&server, &envelope, "", &expect![[r#"422 the key of topic store.orders is the field u: the event has no data; send JSON, or give the key as the attribute partitionkey {"field":"u"}"#]]).await;
    let base64 = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AP8="}"#;
    check_refused(&server, &[STRUCTURED], base64, &expect![[r#"422 the key of topic store.orders is the field u: the data has no content type; send JSON, or give the key as the attribute partitionkey {"field":"u"}"#]]).await;
    let keyed = with(&[("content-type", "text/plain"), ("ce-partitionkey", "k")]);
    assert_eq!(server.send("POST", "/events/store.orders", &keyed, "x").await.status, 202);
    server.stop().await;
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let server = Server::start().await;
    server.topic("store.orders").await;
    for (header, body) in [(JSON, "\u{feff}{\"a\":1}"), (LINES, "\u{feff}{\"a\":2}\n{\"a\":3}\n")] {
        let answer = server.send("POST", "/events/store.orders", &[header], body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    let records = server.records("store.orders").await;
    let values: Vec<_> = records.lines().filter(|line| !line.starts_with(' ')).collect();
    expect![[r#"
        "0": key null value {"a":1}
        "1": key null value {"a":2}
        "2": key null value {"a":3}"#]]
    .assert_eq(&values.join("\n"));
    server.stop().await;
}
