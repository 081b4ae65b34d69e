//! Record bytes are never copied on their way through the protocol.

use bytes::{Bytes, BytesMut};
use factum_kafka_server::error_code::ErrorCode;
use factum_kafka_server::messages::fetch::{FetchResponse, FetchedPartition, FetchedTopic};
use factum_kafka_server::messages::produce::ProduceRequest;
use factum_kafka_server::messages::{ApiKey, RequestHeader, Response};
use factum_kafka_server::wire::Reader;
use factum_types::TopicId;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};

use crate::exchange::{frame, topic};

/// A frame with one topic of three partitions: 64 times `a`, null, 64 times `b`.
fn produce_frame(version: i16) -> BytesMut {
    let partition = |records: Option<&'static [u8]>| {
        PartitionProduceData::default().with_records(records.map(Bytes::from_static))
    };
    let mut data = TopicProduceData::default();
    data.partition_data = vec![partition(Some(&[b'a'; 64])), partition(None), partition(Some(&[b'b'; 64]))];
    if version < 13 {
        data.name = topic("orders");
    }
    let request = theirs::ProduceRequest::default().with_topic_data(vec![data]);
    BytesMut::from(&frame(ApiKey::Produce, version, &request)[..])
}

#[test]
fn produced_records_stay_where_the_frame_lay_and_can_be_written() {
    for version in ApiKey::Produce.versions() {
        let frame = produce_frame(version);
        let memory = frame.as_ptr_range();
        let mut r = Reader::new(&frame);
        RequestHeader::decode(&mut r).expect("header");
        let body = r.position();
        let request = ProduceRequest::decode(frame, body, version).expect("request");

        let [topic] = request.topics.try_into().expect("one topic");
        let [first, second, third] = topic.partitions.try_into().expect("three partitions");
        let (mut first, third) = (first.records.expect("records"), third.records.expect("records"));
        assert_eq!(second.records, None);
        assert!(memory.contains(&first.as_ptr()) && memory.contains(&third.as_ptr()), "version {version}");

        first.fill(b'x');
        assert_eq!(first, [b'x'; 64][..]);
        assert_eq!(third, [b'b'; 64][..]);
    }
}

#[test]
fn fetched_chunks_are_the_very_ones_that_the_log_gave() {
    let chunks = [Bytes::from(vec![1; 100]), Bytes::from(vec![2; 50]), Bytes::from(vec![3; 7])];
    let partition = |records: &[Bytes]| FetchedPartition {
        partition_index: 0,
        error_code: ErrorCode::None,
        high_watermark: 9,
        last_stable_offset: 9,
        log_start_offset: 0,
        diverging_epoch: None,
        current_leader: None,
        aborted_transactions: None,
        preferred_read_replica: -1,
        records: records.to_vec(),
    };
    let partitions = vec![partition(&chunks[..2]), partition(&[]), partition(&chunks[2..])];
    let topics = vec![FetchedTopic { name: "orders".to_owned(), topic_id: TopicId::NIL, partitions }];
    let response = FetchResponse {
        throttle_time_ms: 0,
        error_code: ErrorCode::None,
        session_id: 0,
        topics,
        node_endpoints: Vec::new(),
    };
    for version in ApiKey::Fetch.versions() {
        let frame = response.frame(version, 1);
        for chunk in &chunks {
            let same = |piece: &Bytes| (piece.as_ptr(), piece.len()) == (chunk.as_ptr(), chunk.len());
            assert!(frame.pieces().any(same), "version {version} shares each chunk");
        }
        assert!(frame.pieces().count() <= 6, "fields between chunks are one piece");
    }
}
