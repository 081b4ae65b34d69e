//! Reading.

use std::pin::pin;
use std::time::Duration;

use factum_types::{Offset, Timestamp, TopicName};
use futures::future::join;
use futures::poll;
use tokio::time::timeout;

use super::{
    Log, PATIENCE, PLENTY, at, new_topic, offsets, produce_values, read_from, texts, topic_name, value,
};
use crate::{NewRecord, Position, ReadError};

pub(super) async fn begins_in_the_middle_of_a_batch(log: Log) {
    let topic = new_topic(&log, "middle", 1).await;
    produce_values(&log, &topic, &["a", "b", "c", "d", "e"]).await;
    let chunk = log.read(&at(&topic, 0), Offset::new(2), PLENTY, Duration::ZERO).await.expect("readable");
    assert_eq!(offsets(&chunk.records), [2, 3, 4], "no record before the offset asked for");
    assert_eq!(chunk.next, Offset::new(5), "the next read goes on behind the last record");
    assert_eq!(chunk.topic, log.topic(&topic).await.expect("there").id, "the topic is told");
    assert_eq!(
        (chunk.log_start, chunk.high_watermark),
        (Offset::ZERO, Offset::new(5)),
        "the bounds are told"
    );
}

pub(super) async fn goes_on_where_a_limit_cut(log: Log) {
    let topic = new_topic(&log, "limit", 1).await;
    let large = "x".repeat(1_000);
    for _ in 0..10 {
        produce_values(&log, &topic, &[&large, &large]).await;
    }
    let chunk = log.read(&at(&topic, 0), Offset::ZERO, 1, Duration::ZERO).await.expect("readable");
    assert!(!chunk.records.is_empty(), "one batch comes however small the limit");
    assert!(chunk.records.len() < 20, "a limit cuts");
    for limit in [1, 2_500, 7_000] {
        let records = read_from(&log, &at(&topic, 0), 0, limit).await;
        assert_eq!(offsets(&records), (0..20).collect::<Vec<_>>(), "limit {limit} loses and repeats nothing");
    }
}

pub(super) async fn waits_for_the_next_record(log: Log) {
    let topic = new_topic(&log, "wait", 1).await;
    for n in 0..5 {
        let partition = at(&topic, 0);
        let reading = log.read(&partition, Offset::new(n), PLENTY, PATIENCE);
        let (read, _) = join(reading, produce_values(&log, &topic, &["late"])).await;
        let chunk = read.expect("readable");
        assert_eq!(offsets(&chunk.records), [n], "a record that comes while a read waits ends the wait");
    }
}

pub(super) async fn ends_a_wait_in_vain(log: Log) {
    let topic = new_topic(&log, "vain", 1).await;
    produce_values(&log, &topic, &["a"]).await;
    let wait = Duration::from_millis(20);
    let chunk = log.read(&at(&topic, 0), Offset::new(1), PLENTY, wait).await.expect("readable");
    assert_eq!((chunk.records.len(), chunk.next), (0, Offset::new(1)), "nothing came, nothing moved");
}

pub(super) async fn waits_without_reading(log: Log) {
    let topic = new_topic(&log, "past", 1).await;
    let partition = at(&topic, 0);
    for n in 0..5 {
        let mut waiting = pin!(log.wait_past(&partition, Offset::new(n)));
        assert!(poll!(&mut waiting).is_pending(), "there is no record {n} yet");
        produce_values(&log, &topic, &["late"]).await;
        timeout(PATIENCE, waiting).await.expect("a record that comes ends the wait");
        let chunk = log.read(&partition, Offset::new(n), PLENTY, Duration::ZERO).await.expect("readable");
        assert_eq!(offsets(&chunk.records), [n], "the record is there when the wait ends");
    }
    let at_once = |offset| timeout(PATIENCE, log.wait_past(&partition, Offset::new(offset)));
    at_once(0).await.expect("there are records");
    at_once(6).await.expect("out of range is an error, and no wait brings it");
    let nowhere = at(&topic, 9);
    timeout(PATIENCE, log.wait_past(&nowhere, Offset::ZERO)).await.expect("no such partition is an error");
    let mut waiting = pin!(log.wait_past(&partition, Offset::new(5)));
    assert!(poll!(&mut waiting).is_pending(), "there is no record 5");
    log.delete_topic(&topic).await.expect("deleted");
    timeout(PATIENCE, waiting).await.expect("a topic that is deleted is an error");
}

pub(super) async fn names_the_bounds_out_of_range(log: Log) {
    let topic = new_topic(&log, "range", 1).await;
    produce_values(&log, &topic, &["a", "b"]).await;
    let read = log.read(&at(&topic, 0), Offset::new(3), PLENTY, PATIENCE).await;
    match read.expect_err("offset 3 is past the end, and no wait brings it") {
        ReadError::OutOfRange { asked, log_start, high_watermark, .. } => {
            assert_eq!((asked, log_start, high_watermark), (Offset::new(3), Offset::ZERO, Offset::new(2)));
        }
        other => panic!("not {other}"),
    }
}

pub(super) async fn finds_offsets_by_position(log: Log) {
    let topic = new_topic(&log, "position", 1).await;
    let record = |millis| NewRecord { timestamp: Some(Timestamp::from_millis(millis)), ..value("v") };
    log.produce(&topic, vec![record(1_000), record(2_000), record(2_000)]).await.expect("records are taken");
    log.produce(&topic, vec![record(3_000), record(4_000)]).await.expect("records are taken");
    let time = |millis| Position::Time(Timestamp::from_millis(millis));
    for (position, expected) in [
        (Position::Earliest, 0),
        (Position::Latest, 5),
        (time(0), 0),
        (time(1_001), 1),
        (time(2_000), 1),
        (time(2_001), 3),
        (time(4_000), 4),
        (time(4_001), 5),
    ] {
        let found = log.offset_of(&at(&topic, 0), position).await.expect("readable");
        assert_eq!(found.get(), expected, "{position:?}");
    }
}

pub(super) async fn knows_no_other_partition(log: Log) {
    let topic = new_topic(&log, "known", 1).await;
    let is_unknown = async |topic: &TopicName, number| {
        let partition = at(topic, number);
        let read = log.read(&partition, Offset::ZERO, PLENTY, PATIENCE).await;
        let found = log.offset_of(&partition, Position::Latest).await;
        matches!(read, Err(ReadError::UnknownPartition { .. }))
            && matches!(found, Err(ReadError::UnknownPartition { .. }))
    };
    assert!(is_unknown(&topic, 1).await, "the topic has one partition");
    assert!(is_unknown(&topic, -1).await, "no partition is negative");
    assert!(is_unknown(&topic_name("never-made"), 0).await, "no topic, no partition");
    assert_eq!(texts(&read_from(&log, &at(&topic, 0), 0, PLENTY).await), [""; 0], "its own is empty");
}
