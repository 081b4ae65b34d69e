//! librdkafka with a quota of the server.

use std::process::Command;
use std::time::Duration;

use factum_base::clock::{Clock, SystemClock};
use factum_testkit::FactumProcess;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::clients::librdkafka::{PATIENCE, config};
use crate::factum;

const QUOTA: u64 = 100_000;

/// Sends `count` records of 10,000 bytes; gives how long that took.
fn send(factum: &FactumProcess, client_id: &str, count: u32) -> Duration {
    let options = [("client.id", client_id), ("linger.ms", "0"), ("batch.num.messages", "1")];
    let producer: BaseProducer = config(factum, &options).create().expect("a producer");
    let (payload, began) = ("x".repeat(10_000), SystemClock.monotonic());
    for _ in 0..count {
        let record = BaseRecord::<(), str>::to("quotas").partition(0).payload(&payload);
        producer.send(record).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(PATIENCE).expect("acknowledged");
    SystemClock.monotonic().duration_since(began)
}

/// How often clients had to wait because of the quota for producers.
async fn waits(factum: &FactumProcess) -> u64 {
    let response = reqwest::get(format!("{}/metrics", factum.http())).await.expect("it answers");
    let text = response.text().await.expect("text");
    let name = "factum_kafka_throttle_seconds_count{quota=\"producer_byte_rate\"} ";
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |count| count.parse().expect("a number"))
}

#[tokio::test]
async fn a_producer_keeps_to_its_quota_and_its_neighbour_has_none() {
    let factum = factum();
    let set = Command::new(env!("CARGO_BIN_EXE_factum"))
        .args(["quota", "set", "--entity", "client-id=limited", &format!("producer_byte_rate={QUOTA}")])
        .env("FACTUM_SERVER", factum.http())
        .output()
        .expect("the binary starts");
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    send(&factum, "neighbour", 200);
    assert_eq!(waits(&factum).await, 0);
    let took = send(&factum, "limited", 140);
    assert!(waits(&factum).await > 0);
    // Those of the ten seconds before it, and those of the last request, are not waited for.
    let waited_for = Duration::from_millis((1_400_000 - 1_100_000 - 20_000) * 1_000 / QUOTA);
    assert!(took >= waited_for, "{took:?} instead of {waited_for:?}");
}
