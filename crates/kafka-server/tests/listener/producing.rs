//! Produce, as it is used by the other tests and with what it refuses.

use std::sync::Arc;

use bytes::Bytes;
use factum_base::steps::Steps;
use factum_broker::{Contract, ProducedRecord, RecordValidator, Violation};
use factum_types::{BatchBuilder, Compression, Timestamp};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, ProduceResponse};
use kafka_protocol::messages::{ListOffsetsRequest, TopicName};
use uuid::Uuid;

use crate::client::{Client, batch, text};
use crate::server::Server;

/// A request that brings `records` to one partition.
pub(crate) fn produce(topic: &str, partition: i32, acks: i16, records: Option<Bytes>) -> ProduceRequest {
    let data = PartitionProduceData::default().with_index(partition).with_records(records);
    let topic = TopicProduceData::default().with_name(TopicName(text(topic))).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(10_000).with_topic_data(vec![topic])
}

/// The only outcome in a response.
pub(crate) fn outcome(response: &ProduceResponse) -> &PartitionProduceResponse {
    &response.responses[0].partition_responses[0]
}

/// The end of a partition.
pub(crate) async fn end(client: &mut Client, topic: &str, partition: i32) -> i64 {
    offset(client, topic, partition, -1).await.1
}

/// The error and offset for a timestamp or landmark.
pub(crate) async fn offset(client: &mut Client, topic: &str, partition: i32, timestamp: i64) -> (i16, i64) {
    let asked = ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(timestamp);
    let asked = ListOffsetsTopic::default().with_name(TopicName(text(topic))).with_partitions(vec![asked]);
    let request = ListOffsetsRequest::default().with_topics(vec![asked]);
    let response = client.ask(&request, 9).await;
    let found = &response.topics[0].partitions[0];
    (found.error_code, found.offset)
}

#[tokio::test]
async fn records_have_the_offsets_that_the_answer_gives() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    for (version, acks) in [(3, 1), (7, -1), (9, 1), (12, -1)] {
        let before = end(&mut client, "orders", 1).await;
        let response = client.ask(&produce("orders", 1, acks, Some(batch(&["a", "b"]))), version).await;
        assert_eq!((outcome(&response).error_code, outcome(&response).base_offset), (0, before));
        assert_eq!(end(&mut client, "orders", 1).await, before + 2, "durable when acknowledged");
    }
    assert_eq!(end(&mut client, "orders", 0).await, 0);
}

#[tokio::test]
async fn topics_are_found_by_their_id() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let id = server.broker.topic("orders").expect("created").id().uuid();
    let mut client = server.client().await;
    for (id, expected) in [(id, 0), (Uuid::from_u128(7), 100)] {
        let mut request = produce("", 0, -1, Some(batch(&["a"])));
        request.topic_data[0].topic_id = id;
        let response = client.ask(&request, 13).await;
        assert_eq!(response.responses[0].topic_id, id);
        assert_eq!(outcome(&response).error_code, expected);
    }
}

#[tokio::test]
async fn refusals_name_the_partition_and_keep_nothing() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let mut damaged = batch(&["a"]).to_vec();
    *damaged.last_mut().expect("bytes") ^= 1;
    let mut two = batch(&["a"]).to_vec();
    two.extend_from_slice(&batch(&["b"]));
    let huge = "x".repeat(1_100_000);
    let cases: [(&str, ProduceRequest, i16); 8] = [
        ("an unknown topic", produce("nowhere", 0, -1, Some(batch(&["a"]))), 3),
        ("an impossible topic", produce("no/where", 0, -1, Some(batch(&["a"]))), 3),
        ("an unknown partition", produce("orders", 9, -1, Some(batch(&["a"]))), 3),
        ("a bad checksum", produce("orders", 0, -1, Some(damaged.into())), 2),
        ("two batches", produce("orders", 0, -1, Some(two.into())), 2),
        ("no records", produce("orders", 0, -1, None), 87),
        ("too large a batch", produce("orders", 0, -1, Some(batch(&[&huge]))), 10),
        ("impossible acks", produce("orders", 0, 2, Some(batch(&["a"]))), 21),
    ];
    for (case, request, expected) in cases {
        let response = client.ask(&request, 11).await;
        assert_eq!(outcome(&response).error_code, expected, "{case}");
        assert_eq!(outcome(&response).base_offset, -1, "{case}");
    }
    assert_eq!(end(&mut client, "orders", 0).await, 0);
}

/// A batch in which `at` records are dated now and the next one in the year 3237.
fn dated_ahead(at: usize) -> Bytes {
    let mut builder = BatchBuilder::new();
    for time in std::iter::repeat_n(1_700_000_000_000, at).chain([40_000_000_000_000, 1_700_000_000_000]) {
        builder.push(Timestamp::from_millis(time), None, Some(b"a"), &[]);
    }
    builder.build().freeze()
}

/// A batch whose record `at` claims to be longer than the batch is; the checksum fits.
fn junk_at(at: usize) -> Bytes {
    let values = vec!["a"; at + 2];
    let mut bytes = batch(&values).to_vec();
    // Each record takes eight bytes here: its length, six fields of one byte, its value.
    bytes[factum_types::batch::HEADER_BYTES + 8 * at] = 0x7e;
    let crc = factum_types::batch::crc(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

#[tokio::test]
async fn the_record_that_is_at_fault_is_named() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for (case, records, code, at) in [
        ("a time in the future", dated_ahead(3), 32, vec![3]),
        ("the first one's time", dated_ahead(0), 32, vec![0]),
        ("junk", junk_at(2), 87, vec![2]),
        ("no record's fault", batch(&[&"x".repeat(1_100_000)]), 10, vec![]),
    ] {
        for version in [8, 13] {
            let mut request = produce("orders", 0, -1, Some(records.clone()));
            if version == 13 {
                request.topic_data[0].topic_id = server.broker.topic("orders").expect("there").id().uuid();
                request.topic_data[0].name = TopicName(text(""));
            }
            let response = client.ask(&request, version).await;
            let outcome = outcome(&response);
            let named: Vec<_> = outcome.record_errors.iter().map(|error| error.batch_index).collect();
            assert_eq!((outcome.error_code, named), (code, at.clone()), "{case}");
            for error in &outcome.record_errors {
                assert_eq!(error.batch_index_error_message, outcome.error_message, "{case}");
            }
        }
    }
}

/// Refuses values that are `x`.
pub(crate) struct NoX;

impl RecordValidator for NoX {
    fn contract(&self, _topic: &factum_types::TopicName) -> Option<Arc<dyn Contract>> {
        Some(Arc::new(Self))
    }
}

impl Contract for NoX {
    fn check(&self, record: ProducedRecord<'_>, _: &mut Steps) -> Result<(), Violation> {
        match record.value {
            Some(b"x") => Err(Violation { reason: "it is an x".to_owned() }),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn each_record_that_breaks_the_contract_is_named() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    server.broker.validate_records(NoX);
    let mut client = server.client().await;
    let response = client.ask(&produce("orders", 0, -1, Some(batch(&["a", "x", "b", "x"]))), 9).await;
    let outcome = outcome(&response);
    let named = outcome.record_errors.iter();
    let named: Vec<_> = named.map(|it| (it.batch_index, it.batch_index_error_message.as_deref())).collect();
    assert_eq!((outcome.error_code, named), (87, vec![(1, Some("it is an x")), (3, Some("it is an x"))]));
    assert_eq!(outcome.error_message.as_deref(), Some("record 1: it is an x; and 1 more"));
    assert_eq!(end(&mut client, "orders", 0).await, 0, "the sound ones are not appended either");
}

#[tokio::test]
async fn a_request_names_a_partition_once() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    let mut request = produce("orders", 0, -1, Some(batch(&["a"])));
    let again = |index, value: &str| {
        PartitionProduceData::default().with_index(index).with_records(Some(batch(&[value])))
    };
    request.topic_data[0].partition_data.extend([again(1, "b"), again(0, "c")]);
    let response = client.ask(&request, 9).await;
    let codes: Vec<_> = response.responses[0].partition_responses.iter().map(|it| it.error_code).collect();
    assert_eq!(codes, [0, 0, 42]);
    assert_eq!(end(&mut client, "orders", 0).await, 1, "the second batch is not kept");
}

#[tokio::test]
async fn zstd_needs_a_version_that_knows_it() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for (version, expected) in [(6, 76), (7, 0)] {
        let mut builder = BatchBuilder::new().compression(Compression::Zstd);
        builder.push(Timestamp::from_millis(1_700_000_000_000), None, Some(b"a"), &[]);
        let request = produce("orders", 0, -1, Some(builder.build().freeze()));
        assert_eq!(outcome(&client.ask(&request, version).await).error_code, expected);
    }
}

#[tokio::test]
async fn without_acks_there_is_no_answer() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    client.send(&produce("orders", 0, 0, Some(batch(&["a"]))), 9).await;
    // The next answer is the one to the next request.
    let response = client.ask(&produce("orders", 0, 1, Some(batch(&["b"]))), 9).await;
    assert_eq!(outcome(&response).base_offset, 1);
    // What cannot be appended ends the connection: there is no other way to say so.
    client.send(&produce("nowhere", 0, 0, Some(batch(&["c"]))), 9).await;
    client.closed("records that cannot be appended").await;
}

#[tokio::test]
async fn sent_and_gone_without_acks_is_kept() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut leaving = server.client().await;
    for _ in 0..10 {
        leaving.send(&produce("orders", 0, 0, Some(batch(&["a"]))), 9).await;
    }
    drop(leaving);
    let mut client = server.client().await;
    let seen = tokio::time::timeout(crate::server::PATIENCE, async {
        while end(&mut client, "orders", 0).await < 10 {
            tokio::task::yield_now().await;
        }
    });
    seen.await.expect("all ten arrive");
}
