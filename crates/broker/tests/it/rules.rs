//! Batches that a partition accepts and refuses.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use factum_broker::{Partition, ProduceError};
use factum_eventlog::{EventLog, NewRecord, TopicConfig};
use factum_testkit::HeldClock;
use factum_types::{
    BatchBuilder, ByteSize, Compression, Offset, RecordBatch, Timestamp, TopicPartition, batch,
};

use crate::support::{
    PATIENCE, Running, append, batch_at, batch_of, fresh, name, one_partition, options, record,
};

/// The same batch with other attributes, and a checksum that fits them.
fn with_attributes(batch: &RecordBatch, attributes: i16) -> RecordBatch {
    let mut bytes = BytesMut::from(batch.as_bytes());
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    sealed(bytes)
}

/// The bytes as a batch whose checksum fits.
fn sealed(mut bytes: BytesMut) -> RecordBatch {
    let crc = batch::crc(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    RecordBatch::new(bytes).expect("a sound batch")
}

fn refusal(partition: &Partition, batch: RecordBatch) -> String {
    partition.append(batch).expect_err("refused").to_string()
}

#[tokio::test]
async fn attributes_that_only_a_broker_sets_are_refused() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    let error = refusal(&partition, with_attributes(&batch_of(10), 1 << 5));
    assert_eq!(error, "a client may not write control records");
    let error = refusal(&partition, with_attributes(&batch_of(10), 1 << 4));
    assert_eq!(error, "a batch of a transaction needs the transactional id of its producer");
    let error = refusal(&partition, with_attributes(&batch_of(10), 1 << 3));
    let setting = "LogAppendTime is a setting of the topic (message.timestamp.type), and not of a batch";
    assert_eq!(error, setting);
    let error = refusal(&partition, with_attributes(&batch_of(10), 1 << 6));
    assert_eq!(error, "attributes 0b1000000 of the batch are not a producer's to set");
    assert_eq!(append(&partition, 10).await, 0, "nothing of them was kept");
    running.stop().await;
}

#[tokio::test]
async fn a_batch_is_as_large_as_the_topic_says_and_no_larger() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    let fits = batch_of(5_000);
    let limit = fits.encoded_len();
    let config = TopicConfig { max_message_bytes: Some(ByteSize(limit as u64)), ..TopicConfig::default() };
    running.broker.alter_topic(&name("a"), config).await.expect("altered");
    partition.append(fits).expect("exactly the limit");
    match partition.append(batch_of(5_001)) {
        Err(ProduceError::TooLarge { bytes, limit: told }) => assert_eq!((bytes, told), (limit + 1, limit)),
        other => panic!("not {other:?}"),
    }
    running.stop().await;
}

#[tokio::test]
async fn records_from_the_future_are_refused_those_from_the_past_are_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let now = Timestamp::from_millis(1_700_000_000_000);
    let clock = HeldClock::at(now);
    let running = Running::open(options(dir.path()), Arc::new(clock.clone())).expect("opened");
    let partition = one_partition(&running.broker, "a").await;
    let hour = Duration::from_secs(3_600);
    let late = now.plus(hour).plus(Duration::from_millis(1));
    for timestamp in [now, now.plus(hour), Timestamp::from_millis(0), Timestamp::NONE] {
        partition.append(batch_at(10, timestamp)).expect("taken");
    }
    let error = refusal(&partition, batch_at(10, late));
    assert_eq!(error, "timestamp 2023-11-14T23:13:20.001Z is later than 2023-11-14T23:13:20.000Z");
    let records = vec![record("now"), NewRecord { timestamp: Some(late), ..record("late") }];
    let error = running.broker.produce(&name("a"), records).await.expect_err("refused");
    assert!(matches!(error, factum_eventlog::ProduceError::Refused { index: 1, .. }), "not {error}");
    clock.advance(Duration::from_millis(1));
    partition.append(batch_at(10, late)).expect("an hour ahead is allowed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_none_are_refused() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    let error = refusal(&partition, with_attributes(&batch_of(100), 4));
    assert!(error.starts_with("zstd data is corrupt"), "{error}");
    let mut junk = BytesMut::from(batch_of(100).as_bytes());
    junk[batch::HEADER_BYTES + 2..].fill(0x7f);
    let error = refusal(&partition, sealed(junk));
    assert_eq!(error, "record 0 of 1 at byte 0: its offset is not the next one");
    // 130 MiB in a few kilobytes.
    let mut builder = BatchBuilder::new().compression(Compression::Zstd);
    let value = vec![0; 26 << 20];
    (0..5).for_each(|_| builder.push(Timestamp::from_millis(0), None, Some(&value), &[]));
    let error = refusal(&partition, builder.build());
    assert_eq!(error, "zstd data is larger than 134217728 bytes when decompressed");
    assert_eq!(append(&partition, 10).await, 0, "nothing of them was kept");
    running.stop().await;
}

#[tokio::test]
async fn a_record_later_than_its_header_says_is_judged_by_its_own_time() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let now = Timestamp::from_millis(1_700_000_000_000);
    let running = Running::open(options(dir.path()), Arc::new(HeldClock::at(now))).expect("opened");
    let partition = one_partition(&running.broker, "a").await;
    let lying = |timestamp| {
        let mut batch = batch_at(10, timestamp);
        batch.correct_max_timestamp(now);
        batch
    };
    let error = refusal(&partition, lying(now.plus(Duration::from_secs(7_200))));
    assert!(error.ends_with("is later than 2023-11-14T23:13:20.000Z"), "{error}");
    let later = now.plus(Duration::from_secs(60));
    let appended = partition.append(lying(later)).expect("within the hour");
    partition.durable(appended.last_offset).await.expect("synced");
    let found = partition.offset_for_time(later).expect("readable");
    assert_eq!(found, Some((Offset::ZERO, later)), "a search by time finds it");
    running.stop().await;
}

#[tokio::test]
async fn a_batch_that_cannot_be_opened_is_named_and_not_shown() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    append(&partition, 10).await;
    // Attributes say zstd, the records are not. Earlier versions took what a client must not send.
    let now = Timestamp::from_millis(0);
    let appended =
        partition.log().append(with_attributes(&batch_of(100), 4), now).expect("its checksum fits");
    partition.durable(appended.last_offset).await.expect("synced");
    let at = TopicPartition::new(name("a"), 0);
    let chunk = running.broker.read(&at, Offset::new(1), 1_000, PATIENCE).await.expect("readable around it");
    assert!(chunk.records.is_empty());
    let ranges: Vec<_> = chunk.unreadable.iter().map(|range| (range.from.get(), range.next.get())).collect();
    assert_eq!((ranges, chunk.next.get()), (vec![(1, 2)], 2));
    running.stop().await;
}
