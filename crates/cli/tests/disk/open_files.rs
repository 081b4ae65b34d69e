//! More partitions than the process may have files open.

use std::time::Duration;

use factum_testkit::{FactumProcess, Launch};
use futures::future::join_all;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::{create_topic, wrapper};

const PARTITIONS: i32 = 1_000;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_partitions_are_written_and_read_with_256_open_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let launch = Launch::new(wrapper(folder.path(), "ulimit -n 256\nexec"));
    let mut factum = launch.data_dir(folder.path().join("data")).start();
    create_topic(&factum.http(), "wide", usize::try_from(PARTITIONS).expect("positive")).await;
    write(&factum, "first").await;
    assert!(factum.stop().success());
    factum.restart();
    write(&factum, "second").await;
    tokio::task::spawn_blocking(move || {
        let found = read(&factum.kafka());
        assert_eq!(found.len(), 2 * usize::try_from(PARTITIONS).expect("positive"));
        assert!(factum.stop().success());
    })
    .await
    .expect("all is read");
}

/// One record to every partition, all at one time.
async fn write(factum: &FactumProcess, value: &str) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", factum.kafka()).set("acks", "all").set("enable.idempotence", "true");
    let producer: FutureProducer = config.create().expect("a producer");
    let sent = (0..PARTITIONS).map(|partition| {
        producer.send(FutureRecord::<(), str>::to("wide").partition(partition).payload(value), PATIENCE)
    });
    for delivery in join_all(sent).await {
        delivery.expect("every partition takes its record");
    }
}

/// Every value of every partition.
fn read(address: &str) -> Vec<String> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("group.id", "wide").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        assignment.add_partition_offset("wide", partition, Offset::Beginning).expect("a valid offset");
    }
    consumer.assign(&assignment).expect("assigned");
    let mut found = Vec::new();
    while found.len() < 2 * usize::try_from(PARTITIONS).expect("positive") {
        let message = consumer.poll(PATIENCE).expect("a record in time").expect("a record");
        found.push(String::from_utf8(message.payload().expect("a value").to_vec()).expect("text"));
    }
    found
}
