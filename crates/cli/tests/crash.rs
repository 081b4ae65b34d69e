//! The server is killed again and again under load; then everything that it acknowledged is read back.
//!
//! What a kill can show: an acknowledgement before the append, a torn tail that is served or cut too far, producer
//! state that is not rebuilt (a retried batch stored twice), offsets with holes. A power cut takes what was not synced
//! as well, which the kernel keeps for a process that is only killed: it shows an acknowledgement before the sync, and
//! a file whose name was never synced.

mod support;

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use factum_testkit::{FactumProcess, Launch, PowerCut};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use support::BINARY;

const KILLS: usize = 24;
const CUTS: usize = 8;
const PARTITIONS: i32 = 4;
const KAFKA: &str = "crash.kafka";
const HTTP: &str = "crash.http";
/// What is acknowledged on each of the two ways before the load stops.
const LEAST: usize = 101;
/// Far beyond what a run takes; a hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(85);

/// Where each acknowledged value was put.
type AcknowledgedValues = Arc<Mutex<Vec<(i32, i64, String)>>>;

#[derive(Clone, Default)]
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    kafka: AcknowledgedValues,
    http: AcknowledgedValues,
}

impl Load {
    fn note(&self, list: &AcknowledgedValues, partition: i32, offset: i64, value: String) {
        list.lock().expect("no holder panics").push((partition, offset, value));
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    /// Acknowledged on the way that has less.
    fn least(&self) -> usize {
        let on = |list: &AcknowledgedValues| list.lock().expect("no holder panics").len();
        on(&self.kafka).min(on(&self.http))
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_event_is_lost_and_none_is_doubled() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let factum = FactumProcess::start(BINARY, folder.path());
    let run = tokio::time::timeout(PATIENCE, kill_and_read_back(factum, KILLS, None));
    run.await.expect("the whole run ends in time");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_event_is_lost_to_a_power_cut() {
    let power = Arc::new(PowerCut::new());
    let factum = power.of(Launch::new(BINARY)).start();
    let run = tokio::time::timeout(PATIENCE, kill_and_read_back(factum, CUTS, Some(power)));
    run.await.expect("the whole run ends in time");
}

/// Ends the process `kills` times under load, with its power where that is given.
async fn kill_and_read_back(mut factum: FactumProcess, kills: usize, power: Option<Arc<PowerCut>>) {
    create_topics(&factum.http()).await;
    let load = Load::default();
    let kafka = produce_by_kafka(load.clone(), producer(&factum.kafka()));
    let http = produce_by_http(load.clone(), factum.http());
    let killer = async {
        for kill in 0..kills {
            let so_far = load.acknowledged.load(Ordering::Relaxed);
            // Sometimes at once, sometimes deep in the flow.
            let further = [0, 1, 50, 400][kill % 4] + random() % 100;
            while load.acknowledged.load(Ordering::Relaxed) < so_far + further {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_micros(random() % 20_000)).await;
            let power = power.clone();
            factum = tokio::task::spawn_blocking(move || {
                factum.kill();
                if let Some(power) = power {
                    power.cut();
                }
                factum.restart();
                factum
            })
            .await
            .expect("the server comes back");
        }
        // A machine with much else to do lets little through between the kills.
        while load.least() < LEAST {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        load.stop.store(true, Ordering::Relaxed);
        factum
    };
    let ((), (), mut factum) = tokio::join!(kafka, http, killer);

    let address = factum.kafka();
    let load_to_check = load.clone();
    tokio::task::spawn_blocking(move || check(&address, &load_to_check)).await.expect("everything is there");
    // What was there stays there through an orderly stop.
    assert!(factum.stop().success());
    factum.restart();
    tokio::task::spawn_blocking(move || check(&factum.kafka(), &load))
        .await
        .expect("everything is still there");
}

fn random() -> u64 {
    RandomState::new().hash_one(())
}

async fn create_topics(http: &str) {
    for topic in [KAFKA, HTTP] {
        let body = format!(r#"{{"name":"{topic}","partitions":{PARTITIONS}}}"#);
        let request = reqwest::Client::new().post(format!("{http}/api/v1/topics"));
        let answer =
            request.header("content-type", "application/json").body(body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
    }
}

fn producer(address: &str) -> FutureProducer {
    ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "2")
        .set("message.timeout.ms", "80000")
        .set("reconnect.backoff.ms", "10")
        .set("reconnect.backoff.max.ms", "100")
        .set("retry.backoff.ms", "10")
        .create()
        .expect("a producer")
}

/// Keeps up to a few hundred records on their way, each with a number of its own; librdkafka retries them.
async fn produce_by_kafka(load: Load, producer: FutureProducer) {
    let mut waiting = std::collections::VecDeque::new();
    let mut number: u64 = 0;
    while load.goes_on() {
        let value = number.to_string();
        let partition = i32::try_from(number).unwrap_or(0) % PARTITIONS;
        let record = FutureRecord::<(), String>::to(KAFKA).partition(partition).payload(&value);
        match producer.send_result(record) {
            Ok(delivery) => waiting.push_back((value, delivery)),
            Err((error, _)) => panic!("the queue takes a few hundred: {error}"),
        }
        number += 1;
        while waiting.len() >= 300 {
            note_next(&load, &mut waiting).await;
        }
        tokio::task::yield_now().await;
    }
    while !waiting.is_empty() {
        note_next(&load, &mut waiting).await;
    }
    drop(producer.flush(Duration::from_secs(1)));
}

async fn note_next(
    load: &Load,
    waiting: &mut std::collections::VecDeque<(String, rdkafka::producer::DeliveryFuture)>,
) {
    let (value, delivery) = waiting.pop_front().expect("one is waiting");
    match delivery.await.expect("the producer lives") {
        Ok(delivery) => load.note(&load.kafka, delivery.partition, delivery.offset, value),
        Err((error, _)) => panic!("record {value} was given up: {error}"),
    }
}

/// Posts one event after the other; one whose answer did not come is not sent again.
async fn produce_by_http(load: Load, http: String) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("{http}/events/{HTTP}");
    let mut number: u64 = 0;
    while load.goes_on() {
        let value = format!(r#"{{"number":{number}}}"#);
        number += 1;
        let request = client.post(&url).header("content-type", "application/json").body(value.clone());
        let Ok(answer) = request.send().await else {
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        };
        let is_accepted = answer.status() == 202;
        let Ok(body) = answer.bytes().await else { continue };
        if is_accepted {
            let placed: serde_json::Value = serde_json::from_slice(&body).expect("an answer in JSON");
            let placed = &placed["offsets"][0];
            let partition = i32::try_from(placed["partition"].as_i64().expect("a number")).expect("small");
            let offset = placed["offset"].as_str().and_then(|text| text.parse().ok()).expect("an offset");
            load.note(&load.http, partition, offset, value);
        }
    }
}

/// Reads both topics with a client that knows nothing of what came before.
fn check(address: &str, load: &Load) {
    for (topic, acknowledged) in [(KAFKA, &load.kafka), (HTTP, &load.http)] {
        let found = read_back(address, topic);
        let acknowledged = acknowledged.lock().expect("no holder panics");
        assert!(acknowledged.len() >= LEAST, "{topic}: only {} acknowledged", acknowledged.len());
        for (partition, offset, value) in acknowledged.iter() {
            let there = found[partition].get(usize::try_from(*offset).expect("not negative"));
            assert_eq!(there, Some(value), "{topic}/{partition} at {offset}, acknowledged");
        }
        let mut seen = HashSet::new();
        for (partition, values) in &found {
            for value in values {
                assert!(seen.insert(value), "{topic}/{partition} has {value} twice");
            }
            if topic == KAFKA {
                let numbers: Vec<u64> = values.iter().map(|value| value.parse().expect("a number")).collect();
                assert!(numbers.is_sorted(), "{topic}/{partition} is out of order");
            }
        }
    }
}

/// The values of each partition in order; offsets must be 0, 1, 2 … up to the high watermark.
fn read_back(address: &str, topic: &str) -> BTreeMap<i32, Vec<String>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "crash-check")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .create()
        .expect("a consumer");
    let mut found = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let (low, high) =
            consumer.fetch_watermarks(topic, partition, Duration::from_secs(20)).expect("watermarks");
        assert_eq!(low, 0);
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, partition, Offset::Beginning).expect("a valid offset");
        consumer.assign(&assignment).expect("assigned");
        let mut values = Vec::new();
        while (values.len() as i64) < high {
            let message =
                consumer.poll(Duration::from_secs(20)).expect("a record in time").expect("a record");
            assert_eq!(message.offset(), values.len() as i64, "{topic}/{partition} is not dense");
            values.push(String::from_utf8(message.payload().expect("a value").to_vec()).expect("text"));
        }
        found.insert(partition, values);
    }
    found
}
