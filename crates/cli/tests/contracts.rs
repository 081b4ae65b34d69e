//! The contract of an event holds on every path: the HTTP API, librdkafka, and whatever the content type says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

/// An event `store.orders` in JSON whose key is the field `email`.
const PROJECT: &[(&str, &str)] = &[
    ("factum.yaml", "name: shop\n"),
    ("teams/store/team.yaml", "summary: The store\n"),
    ("teams/store/events/orders.yaml", "summary: An order\nkey: email\n"),
    (
        "teams/store/events/orders.schema.json",
        "{\"type\":\"object\",\"properties\":{\"email\":{\"type\":\"string\"}}}\n",
    ),
];

fn start(folder: &std::path::Path) -> FactumProcess {
    for (path, text) in PROJECT {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, text).expect("written");
    }
    Launch::new(env!("CARGO_BIN_EXE_factum")).project(folder).start()
}

/// What the Kafka API says of one record.
async fn by_kafka(producer: &FutureProducer, topic: &str, key: Option<&str>, value: Option<&str>) -> String {
    let mut record = FutureRecord::<str, str>::to(topic);
    (record.key, record.payload) = (key, value);
    match producer.send(record, Duration::from_secs(10)).await {
        Ok(_) => "appended".to_owned(),
        Err((error, _)) => error.to_string(),
    }
}

/// The status and body that the HTTP API answers with.
fn by_http(factum: &FactumProcess, headers: &str, body: &str) -> String {
    let address = factum.http().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "POST /events/store.orders HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    let status = response.split(' ').nth(1).expect("a status").to_owned();
    let body = response.rsplit("\r\n\r\n").next().expect("a body");
    let detail = serde_json::from_str::<serde_json::Value>(body).expect("JSON")["detail"].clone();
    detail.as_str().map_or(status.clone(), |detail| format!("{status} {detail}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_holds_on_every_path() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut factum = start(folder.path());
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", factum.kafka())
        .set("message.timeout.ms", "10000")
        .create()
        .expect("a producer");
    let mut said = Vec::new();
    for (key, value) in [
        (Some("ann"), Some(r#"{"email":"ann"}"#)),
        (None, Some(r#"{"email":"ann"}"#)),
        (Some("ann"), Some("no JSON")),
        (Some("ann"), Some(r#"{"email":"ann","email":"bob"}"#)),
        (Some("ann"), None),
    ] {
        let told = by_kafka(&producer, "store.orders", key, value).await;
        said.push(format!("kafka {key:?} {value:?}: {told}"));
    }
    let binary = "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /a\r\nce-type: b\r\n";
    for (headers, body) in [
        ("content-type: application/json\r\n".to_owned(), r#"{"email":"ann"}"#),
        ("content-type: application/json\r\n".to_owned(), "{}"),
        (format!("{binary}content-type: text/plain\r\n"), "no JSON"),
        (format!("{binary}ce-partitionkey: ann\r\ncontent-type: text/plain\r\n"), "no JSON"),
        (format!("{binary}ce-partitionkey: ann\r\ncontent-type: text/plain\r\n"), "[1]"),
    ] {
        let told = by_http(&factum, &headers, body);
        said.push(format!(
            "http {} {body}: {told}",
            headers.trim_end().rsplit("\r\n").next().expect("a header")
        ));
    }
    expect![[r#"
        kafka Some("ann") Some("{\"email\":\"ann\"}"): appended
        kafka None Some("{\"email\":\"ann\"}"): Message production error: InvalidRecord (Broker: Broker failed to validate record)
        kafka Some("ann") Some("no JSON"): Message production error: InvalidRecord (Broker: Broker failed to validate record)
        kafka Some("ann") Some("{\"email\":\"ann\",\"email\":\"bob\"}"): Message production error: InvalidRecord (Broker: Broker failed to validate record)
        kafka Some("ann") None: appended
        http content-type: application/json {"email":"ann"}: 202
        http content-type: application/json {}: 422 the key of topic store.orders is the field email: it is missing
        http content-type: text/plain no JSON: 422 the key of topic store.orders is the field email: the data is text/plain; send JSON, or give the key as the attribute partitionkey
        http content-type: text/plain no JSON: 422 event 0: its value is not JSON, which the events of topic store.orders are: expected an object, an array, a string in double quotes, a number, true, false or null at line 1 column 2
        http content-type: text/plain [1]: 202"#]].assert_eq(&said.join("\n"));
    assert!(factum.stop().success());
}
