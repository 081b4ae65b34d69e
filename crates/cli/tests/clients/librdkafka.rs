//! librdkafka of this year, by the rdkafka crate.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use factum_testkit::{FactumProcess, Launch};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers as _, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::factum;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const A_MOMENT: Duration = Duration::from_millis(100);

pub(crate) fn config(factum: &FactumProcess, options: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", factum.kafka());
    for (key, value) in options {
        config.set(*key, *value);
    }
    config
}

pub(crate) fn consumer(factum: &FactumProcess, options: &[(&str, &str)]) -> BaseConsumer {
    let common = [("auto.offset.reset", "earliest"), ("enable.auto.commit", "false"), ("group.id", "unused")];
    config(factum, &[&common, options].concat()).create().expect("a consumer")
}

/// The records `from..to`, each with its number as value, into partition 0.
pub(crate) fn produce(
    factum: &FactumProcess,
    topic: &str,
    numbers: std::ops::Range<usize>,
    options: &[(&str, &str)],
) {
    let producer: BaseProducer = config(factum, options).create().expect("a producer");
    for number in numbers {
        let (key, value) = (format!("key {number}"), number.to_string());
        let headers = OwnedHeaders::new().insert(Header { key: "n", value: Some(&value) });
        let timestamp = 1_000_000 + i64::try_from(number).expect("small") * 1_000;
        let record = BaseRecord::to(topic).partition(0).key(&key).payload(&value).headers(headers);
        producer.send(record.timestamp(timestamp)).map_err(|(error, _)| error).expect("queued");
    }
    producer.flush(PATIENCE).expect("acknowledged");
}

/// The next `count` records.
#[track_caller]
pub(crate) fn read(consumer: &BaseConsumer, count: usize) -> Vec<OwnedMessage> {
    let (mut found, mut idle) = (Vec::new(), 0);
    while found.len() < count {
        // A poll comes back with nothing after a rebalance too, well before its time is over.
        match consumer.poll(A_MOMENT) {
            Some(polled) => found.push(polled.expect("no error").detach()),
            None => idle += 1,
        }
        assert!(idle < 600, "only {} of {count} records came in time", found.len());
    }
    found
}

pub(crate) fn assign(consumer: &BaseConsumer, topic: &str, offset: Offset) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, offset).expect("an offset");
    consumer.assign(&list).expect("assigned");
}

pub(crate) fn values(messages: &[OwnedMessage]) -> Vec<usize> {
    let value = |message: &OwnedMessage| {
        std::str::from_utf8(message.payload().expect("a value")).expect("text").parse().expect("a number")
    };
    messages.iter().map(value).collect()
}

#[test]
fn codecs() {
    let factum = factum();
    for codec in ["none", "gzip", "snappy", "lz4"] {
        let topic = format!("librdkafka.{codec}");
        produce(&factum, &topic, 0..500, &[("compression.type", codec), ("linger.ms", "20")]);
        let consumer = consumer(&factum, &[]);
        assign(&consumer, &topic, Offset::Beginning);
        let found = read(&consumer, 500);
        assert_eq!(values(&found), (0..500).collect::<Vec<_>>(), "{codec}");
        let last = &found[499];
        let header = last.headers().expect("headers").get(0);
        assert_eq!((last.key(), last.offset()), (Some(&b"key 499"[..]), 499));
        assert_eq!((header.key, header.value), ("n", Some(&b"499"[..])));
    }
}

#[test]
fn idempotent() {
    let factum = factum();
    let options = [("enable.idempotence", "true"), ("batch.num.messages", "20"), ("linger.ms", "0")];
    produce(&factum, "librdkafka.idempotent", 0..2_000, &options);
    let consumer = consumer(&factum, &[]);
    assign(&consumer, "librdkafka.idempotent", Offset::Beginning);
    let found = read(&consumer, 2_000);
    assert_eq!(values(&found), (0..2_000).collect::<Vec<_>>());
    assert!(consumer.poll(A_MOMENT).is_none(), "a record was doubled");
}

/// All records of partition 0 from the beginning to the end that there is now.
fn read_to_the_end(factum: &FactumProcess, topic: &str) -> Vec<OwnedMessage> {
    let consumer = consumer(factum, &[("enable.partition.eof", "true")]);
    assign(&consumer, topic, Offset::Beginning);
    let (mut found, mut idle) = (Vec::new(), 0);
    loop {
        match consumer.poll(A_MOMENT) {
            Some(Ok(message)) => found.push(message.detach()),
            Some(Err(KafkaError::PartitionEOF(_))) => return found,
            Some(Err(error)) => panic!("{error}"),
            None => idle += 1,
        }
        assert!(idle < 600, "no end came in time, after {} records", found.len());
    }
}

#[tokio::test]
async fn compacted() {
    let launch =
        Launch::new(env!("CARGO_BIN_EXE_factum")).variable("FACTUM__LOG__COMPACTION_CPU_PERCENT", "100");
    let factum = launch.variable("FACTUM__LOG__COMPACTION_CHECK_INTERVAL", "50ms").start();
    let topic = "librdkafka.compacted";
    let admin: AdminClient<DefaultClientContext> = config(&factum, &[]).create().expect("an admin client");
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1)).set("cleanup.policy", "compact");
    let created = admin.create_topics([&new.set("segment.bytes", "4096")], &AdminOptions::new()).await;
    assert_eq!(created.expect("asked"), vec![Ok(topic.to_owned())]);
    let idempotent = [("enable.idempotence", "true"), ("batch.num.messages", "7"), ("linger.ms", "0")];
    for options in [&idempotent[..], &[("compression.type", "lz4"), ("batch.num.messages", "7")]] {
        let producer: BaseProducer = config(&factum, options).create().expect("a producer");
        for number in 0..2_000 {
            let (key, value) = (format!("key {}", number % 10), number.to_string());
            let record = BaseRecord::to(topic).partition(0).key(&key).payload(&value);
            producer.send(record).map_err(|(error, _)| error).expect("queued");
        }
        producer.flush(PATIENCE).expect("acknowledged");
    }
    let mut attempts = 0;
    let found = loop {
        let found = read_to_the_end(&factum, topic);
        if found.len() < 500 {
            break found;
        }
        attempts += 1;
        assert!(attempts < 300, "{} records are left", found.len());
        std::thread::sleep(A_MOMENT);
    };
    assert!(found.windows(2).all(|pair| pair[0].offset() < pair[1].offset()));
    let latest: BTreeMap<_, _> = found.iter().map(|message| (message.key(), message.offset())).collect();
    let offsets: BTreeSet<_> = latest.into_values().collect();
    assert_eq!(offsets, (3_990..4_000).collect(), "the latest record of each key, at its offset");
}

#[test]
fn resume() {
    let factum = factum();
    let topic = "librdkafka.resume";
    produce(&factum, topic, 0..100, &[]);
    let group = [("group.id", "resume")];
    let first = consumer(&factum, &group);
    first.subscribe(&[topic]).expect("subscribed");
    assert_eq!(values(&read(&first, 40)), (0..40).collect::<Vec<_>>());
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, 0, Offset::Offset(40)).expect("an offset");
    offsets.find_partition(topic, 0).expect("there").set_metadata("noted: ä");
    first.commit(&offsets, CommitMode::Sync).expect("committed");
    drop(first);

    let second = consumer(&factum, &group);
    second.subscribe(&[topic]).expect("subscribed");
    assert_eq!(values(&read(&second, 60)), (40..100).collect::<Vec<_>>());
    let committed = second.committed(PATIENCE).expect("fetched");
    let kept = committed.find_partition(topic, 0).expect("there");
    assert_eq!((kept.offset(), kept.metadata()), (Offset::Offset(40), "noted: ä"));
}

#[test]
fn time() {
    let factum = factum();
    let topic = "librdkafka.time";
    produce(&factum, topic, 0..100, &[("linger.ms", "20")]);
    let consumer = consumer(&factum, &[]);
    let mut asked = TopicPartitionList::new();
    asked.add_partition_offset(topic, 0, Offset::Offset(1_000_000 + 41_500)).expect("an offset");
    let found = consumer.offsets_for_times(asked, PATIENCE).expect("looked up");
    let offset = found.find_partition(topic, 0).expect("there").offset();
    assert_eq!(offset, Offset::Offset(42));
    assign(&consumer, topic, offset);
    assert_eq!(values(&read(&consumer, 58)), (42..100).collect::<Vec<_>>());
    assert_eq!(consumer.fetch_watermarks(topic, 0, PATIENCE).expect("fetched"), (0, 100));
}

/// Two members on threads of their own; the one that leaves is followed by the other.
#[test]
fn group() {
    let factum = factum();
    let topic = "librdkafka.group";
    produce(&factum, topic, 0..1, &[]);
    let group = [("group.id", "group"), ("heartbeat.interval.ms", "200")];
    let (one, other) = (consumer(&factum, &group), consumer(&factum, &group));
    let assigned = |consumer: &BaseConsumer| -> BTreeSet<i32> {
        // Rebalances are carried out by polling; what comes with it was read by the caller's wish.
        drop(consumer.poll(A_MOMENT));
        let list = consumer.assignment().expect("an assignment");
        list.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
    };
    one.subscribe(&[topic]).expect("subscribed");
    other.subscribe(&[topic]).expect("subscribed");
    wait_until("they share four partitions", || {
        let (one, other) = (assigned(&one), assigned(&other));
        one.len() == 2 && other.len() == 2 && one.is_disjoint(&other)
    });
    drop(other);
    wait_until("the one that stays has them all", || assigned(&one).len() == 4);
}

#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    // Each look takes a moment by itself.
    assert!((0..300).any(|_| holds()), "not in time: {what}");
}

#[tokio::test]
async fn admin() {
    let factum = factum();
    let admin: AdminClient<DefaultClientContext> = config(&factum, &[]).create().expect("an admin client");
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let topic =
        NewTopic::new("librdkafka.admin", 3, TopicReplication::Fixed(1)).set("retention.ms", "86400000");
    let created = admin.create_topics([&topic], &options).await.expect("asked");
    assert_eq!(created, vec![Ok("librdkafka.admin".to_owned())]);
    let again = admin.create_topics([&topic], &options).await.expect("asked");
    assert!(format!("{again:?}").contains("TopicAlreadyExists"), "{again:?}");

    let specifier = ResourceSpecifier::Topic("librdkafka.admin");
    let described = admin.describe_configs(&[specifier], &options).await.expect("asked");
    let config = described[0].as_ref().expect("described");
    assert_eq!(config.get("retention.ms").and_then(|entry| entry.value.as_deref()), Some("86400000"));

    let metadata = admin.inner().fetch_metadata(None, PATIENCE).expect("fetched");
    let listed = metadata.topics().iter().find(|topic| topic.name() == "librdkafka.admin").expect("listed");
    assert_eq!((listed.partitions().len(), metadata.brokers().len()), (3, 1));

    let deleted = admin.delete_topics(&["librdkafka.admin"], &options).await.expect("asked");
    assert_eq!(deleted, vec![Ok("librdkafka.admin".to_owned())]);
    let groups = admin.inner().fetch_group_list(None, PATIENCE).expect("listed");
    assert_eq!(groups.groups().len(), 0);
}
