//! Producing.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use factum_types::{Header, Offset, Timestamp};
use futures::future::join_all;

use super::{Log, PLENTY, at, new_topic, offsets, produce_values, read_from, small_topic, texts};
use super::{value, value_in};
use crate::{NewRecord, Partitioner, ProduceError};

pub(super) async fn keeps_the_order_within_a_partition(log: Log) {
    let topic = new_topic(&log, "order", 1).await;
    let first = produce_values(&log, &topic, &["a", "b", "c"]).await;
    let second = produce_values(&log, &topic, &["d"]).await;
    let placed: Vec<_> = first.iter().chain(&second).map(|placed| placed.offset.get()).collect();
    assert_eq!(placed, [0, 1, 2, 3], "offsets are dense, in the order of the records");
    let records = read_from(&log, &at(&topic, 0), 0, PLENTY).await;
    assert_eq!(texts(&records), ["a", "b", "c", "d"], "records come out in the order they went in");
    assert_eq!(offsets(&records), placed, "records are where the acknowledgement said");
}

pub(super) async fn keeps_every_field(log: Log) {
    let topic = new_topic(&log, "fields", 1).await;
    let headers = vec![
        Header::new("trace", Bytes::from_static(b"\x00\xff")),
        Header::new("trace", Bytes::new()),
        Header { key: "absent".to_owned(), value: None },
    ];
    let full = NewRecord {
        key: Some(Bytes::from_static(b"k")),
        headers: headers.clone(),
        timestamp: Some(Timestamp::from_millis(1_600_000_000_123)),
        ..value("v")
    };
    let tombstone = NewRecord { key: Some(Bytes::new()), ..NewRecord::default() };
    log.produce(&topic, vec![full, tombstone]).await.expect("records are taken");
    let records = read_from(&log, &at(&topic, 0), 0, PLENTY).await;
    let [full, tombstone] = &*records else { panic!("two records in, {} out", records.len()) };
    assert_eq!(full.key.as_deref(), Some(&b"k"[..]), "the key is kept");
    assert_eq!(full.value.as_deref(), Some(&b"v"[..]), "the value is kept");
    assert_eq!(full.headers, headers, "headers are kept, in order, repeated and absent values too");
    assert_eq!(full.timestamp, Timestamp::from_millis(1_600_000_000_123), "the time is kept");
    assert_eq!(tombstone.key.as_deref(), Some(&b""[..]), "an empty key is a key");
    assert_eq!(tombstone.value, None, "a tombstone has no value");
    assert!(tombstone.timestamp > full.timestamp, "without a time, the append's is taken");
}

pub(super) async fn lets_the_key_decide(log: Log) {
    let topic = new_topic(&log, "keys", 4).await;
    let keys: Vec<_> = (0..20).map(|n| Bytes::from(format!("key-{n}"))).collect();
    let record = |key: &Bytes| NewRecord { key: Some(key.clone()), ..value("v") };
    let placed = log.produce(&topic, keys.iter().map(record).collect()).await.expect("records are taken");
    let partitioner = Partitioner::default();
    for (key, placed) in keys.iter().zip(&placed) {
        let expected = partitioner.choose(Some(key), 4);
        assert_eq!(placed.partition, expected, "{key:?} is where any Kafka client would put it");
    }
}

pub(super) async fn spreads_records_without_a_key(log: Log) {
    let topic = new_topic(&log, "spread", 4).await;
    let mut used = BTreeSet::new();
    for _ in 0..64 {
        let placed = log.produce(&topic, vec![value("v")]).await.expect("records are taken");
        used.extend(placed.iter().map(|placed| placed.partition));
    }
    assert!(used.len() > 1, "records without a key use several partitions, not only {used:?}");
}

pub(super) async fn acknowledges_what_readers_see(log: Log) {
    let topic = new_topic(&log, "visible", 1).await;
    for n in 0..10 {
        let placed = produce_values(&log, &topic, &["v"]).await;
        let chunk =
            log.read(&at(&topic, 0), placed[0].offset, PLENTY, Duration::ZERO).await.expect("readable");
        assert_eq!(offsets(&chunk.records), [n], "an acknowledged record is readable at once");
        assert!(chunk.high_watermark > placed[0].offset, "the high watermark is past it");
    }
}

pub(super) async fn takes_many_producers_at_once(log: Log) {
    let topic = new_topic(&log, "many", 1).await;
    let producers = (0..16).map(|producer| {
        let (log, topic) = (&log, &topic);
        async move {
            let mut placed = Vec::new();
            for n in 0..25 {
                placed.extend(produce_values(log, topic, &[&format!("{producer}-{n}")]).await);
            }
            placed
        }
    });
    let placed: Vec<_> = join_all(producers).await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = placed.iter().map(|placed| placed.offset).collect();
    assert_eq!(distinct.len(), placed.len(), "no two records share an offset");
    let records = read_from(&log, &at(&topic, 0), 0, PLENTY).await;
    assert_eq!(offsets(&records), (0..400).collect::<Vec<_>>(), "no offset is missing");
    let written: BTreeSet<_> = texts(&records).into_iter().collect();
    assert_eq!(written.len(), 400, "each record is there once");
}

pub(super) async fn refuses_an_unknown_partition_whole(log: Log) {
    let topic = new_topic(&log, "nowhere", 2).await;
    let records = vec![value_in(0, "fine"), value_in(7, "nowhere")];
    let error = log.produce(&topic, records).await.expect_err("there is no partition 7");
    assert!(matches!(error, ProduceError::UnknownPartition { partition: 7, .. }), "not {error}");
    assert!(!error.is_transient(), "asking again does not help");
    let first = produce_values(&log, &topic, &["fine"]).await;
    assert_eq!(first[0].offset, Offset::ZERO, "nothing of a refused request was kept, in any partition");
}

pub(super) async fn refuses_what_is_too_large_whole(log: Log) {
    let topic = small_topic(&log, "large", 4_096).await;
    let huge = "x".repeat(5_000);
    let records = vec![value_in(0, "fine"), value_in(1, &huge)];
    let error = log.produce(&topic, records).await.expect_err("5,000 bytes in 4,096");
    assert!(matches!(error, ProduceError::TooLarge { .. }), "not {error}");
    assert!(!error.is_transient(), "asking again does not help");
    let first = produce_values(&log, &topic, &["fine"]).await;
    assert_eq!(first[0].offset, Offset::ZERO, "nothing of a refused request was kept, in any partition");
}

pub(super) async fn takes_nothing_for_nothing(log: Log) {
    let topic = new_topic(&log, "nothing", 1).await;
    let placed = log.produce(&topic, Vec::new()).await.expect("nothing is easily kept");
    assert_eq!(placed, [], "no record, no place");
    let first = log.read(&at(&topic, 0), Offset::ZERO, PLENTY, Duration::ZERO).await.expect("readable");
    assert_eq!((first.records.len(), first.next), (0, Offset::ZERO), "the partition is still empty");
}
