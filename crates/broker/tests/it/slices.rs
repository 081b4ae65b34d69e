//! Reading what unpacks to much, and what cannot be read to its end.

use std::time::Duration;

use bytes::BytesMut;
use factum_broker::{Broker, Partition};
use factum_eventlog::{Chunk, EventLog, Membership};
use factum_types::{
    BatchBuilder, Compression, GroupId, Offset, Record, RecordBatch, Timestamp, TopicPartition, batch,
};
use proptest::prelude::*;

use crate::support::{PATIENCE, fresh, name, one_partition};

fn batch_with(codec: Compression, values: &[Vec<u8>]) -> RecordBatch {
    let mut builder = BatchBuilder::new().compression(codec);
    values.iter().for_each(|value| builder.push(Timestamp::from_millis(0), Some(b"key"), Some(value), &[]));
    builder.build()
}

/// Four records, of which the third is none; with a checksum that fits.
fn junk_from_the_third_record_on(codec: Compression) -> RecordBatch {
    let sound = batch_with(Compression::None, &vec![b"v".to_vec(); 4]);
    let mut body = sound.as_bytes()[batch::HEADER_BYTES..].to_vec();
    let record = body.len() / 4;
    body[2 * record + 3] = 0x7f;
    let mut bytes = BytesMut::from(&sound.as_bytes()[..batch::HEADER_BYTES]);
    bytes.extend_from_slice(&codec.compress(&body));
    let length = i32::try_from(bytes.len() - batch::LENGTH_OVERHEAD).expect("small");
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[21..23].copy_from_slice(&codec.code().to_be_bytes());
    let crc = batch::crc(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    RecordBatch::new(bytes).expect("its checksum fits")
}

/// Appends as earlier versions did: without looking at the records.
async fn append(partition: &Partition, batch: RecordBatch) {
    let appended = partition.log().append(batch, Timestamp::from_millis(0)).expect("taken");
    partition.durable(appended.last_offset).await.expect("synced");
}

/// All chunks up to the end, each of about `limit` bytes.
async fn read_all(broker: &Broker, from: i64, limit: usize) -> Vec<Chunk> {
    let (at, mut next, mut chunks) = (TopicPartition::new(name("a"), 0), Offset::new(from), Vec::new());
    loop {
        let chunk = broker.read(&at, next, limit, Duration::ZERO).await.expect("readable");
        if chunk.next == next {
            return chunks;
        }
        next = chunk.next;
        chunks.push(chunk);
    }
}

fn records(chunks: &[Chunk]) -> Vec<Record> {
    chunks.iter().flat_map(|chunk| chunk.records.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_unpacks_to_more_than_a_read_takes_is_read_in_slices() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    let values: Vec<_> = (0..70).map(|n| vec![n; 1 << 20]).collect();
    let batch = batch_with(Compression::Zstd, &values);
    assert!(batch.encoded_len() < 64 << 10, "{}", batch.encoded_len());
    let appended = partition.append(batch).expect("70 MiB are allowed");
    partition.durable(appended.last_offset).await.expect("synced");
    let chunks = read_all(&running.broker, 0, 16 << 20).await;
    let offsets: Vec<_> = records(&chunks).iter().map(|record| record.offset.get()).collect();
    assert_eq!(offsets, (0..70).collect::<Vec<_>>());
    assert_eq!(chunks.iter().map(|chunk| chunk.unreadable.len()).sum::<usize>(), 0);
    assert!(chunks.iter().all(|chunk| chunk.records.len() <= 17), "one record more than fits at most");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_gives_the_records_before_its_junk_and_one_range_behind() {
    for codec in Compression::ALL {
        let (_dir, running) = fresh();
        let partition = one_partition(&running.broker, "a").await;
        append(&partition, junk_from_the_third_record_on(codec)).await;
        append(&partition, batch_with(Compression::None, &[b"behind".to_vec()])).await;
        for limit in [1, 1 << 20] {
            let chunks = read_all(&running.broker, 0, limit).await;
            let offsets: Vec<_> = records(&chunks).iter().map(|record| record.offset.get()).collect();
            assert_eq!(offsets, [0, 1, 4], "{codec} by {limit}");
            let ranges: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.unreadable).collect();
            assert_eq!(ranges.len(), 1, "{codec} by {limit}");
            assert_eq!((ranges[0].from.get(), ranges[0].next.get()), (2, 4), "{codec} by {limit}");
            assert!(ranges[0].reason.starts_with("record 2 of 4 at byte"), "{}", ranges[0].reason);
        }
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_gets_past_junk_and_reads_large_batches_in_several_polls() {
    let (_dir, running) = fresh();
    let partition = one_partition(&running.broker, "a").await;
    append(&partition, junk_from_the_third_record_on(Compression::Gzip)).await;
    append(&partition, batch_with(Compression::Zstd, &vec![vec![7; 1 << 20]; 20])).await;
    let membership = Membership {
        group: GroupId::new("g").expect("valid"),
        topics: vec![name("a")],
        client_id: "test".to_owned(),
        session_timeout: Duration::from_secs(6),
        start_at_latest: false,
    };
    let mut consumer = running.broker.join(membership).await.expect("joins");
    let (mut offsets, mut unreadable, mut polls) = (Vec::new(), 0, 0);
    while offsets.last() != Some(&23) {
        for polled in consumer.poll(PATIENCE).await.expect("polls") {
            assert!(polled.records.len() <= 8, "{} records of 1 MiB at once", polled.records.len());
            offsets.extend(polled.records.iter().map(|record| record.offset.get()));
            unreadable += polled.unreadable.len();
        }
        polls += 1;
        assert!(polls < 100, "never came to the end: {offsets:?}");
    }
    assert_eq!(offsets, [0, 1].into_iter().chain(4..24).collect::<Vec<_>>());
    assert_eq!(unreadable, 1);
    consumer.leave().await.expect("leaves");
    running.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_slices_give_the_same_records(
        batches in proptest::collection::vec(
            (proptest::collection::vec(proptest::collection::vec(0u8..3, 0..400), 1..12), 0usize..5), 1..5),
        limit in 1usize..4_000,
        from in 0i64..12,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let (_dir, running) = fresh();
            let partition = one_partition(&running.broker, "a").await;
            for (values, codec) in &batches {
                append(&partition, batch_with(Compression::ALL[*codec], values)).await;
            }
            let from = from.min(partition.bounds().high_watermark.get());
            let whole = read_all(&running.broker, from, usize::MAX).await;
            let sliced = read_all(&running.broker, from, limit).await;
            assert_eq!(records(&sliced), records(&whole));
            let largest = records(&whole).iter().map(Record::size_in_memory).max().unwrap_or(0);
            for chunk in &sliced {
                let size: usize = chunk.records.iter().map(Record::size_in_memory).sum();
                assert!(size <= limit + largest, "{size} for {limit}");
            }
            running.stop().await;
        });
    }
}
