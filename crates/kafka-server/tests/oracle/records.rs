//! Samples of Produce, Fetch and InitProducerId.

use bytes::{Bytes, BytesMut};
use factum_kafka_server::messages::ApiKey;
use factum_kafka_server::messages::fetch::*;
use factum_kafka_server::messages::init_producer_id::*;
use factum_kafka_server::messages::produce::*;
use factum_kafka_server::wire::Reader;
use factum_types::TopicId;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    fetch_request as their_fetch, fetch_response as their_fetched, produce_request as their_produce,
    produce_response as their_produced,
};

use crate::exchange::{Kind, frame, header, maybe, overhear, request, response, text, topic};
use crate::source::Source;

/// A topic's name before version 13, its id from then on.
fn named_or_numbered(v: i16, s: &mut Source<'_>) -> (String, TopicId) {
    if v >= 13 { (String::new(), s.topic_id()) } else { (s.text(), TopicId::NIL) }
}

pub(crate) fn produce(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, produce_response(v, s));

    let (sent, expected) = produce_request(v, s);
    let frame = frame(ApiKey::Produce, v, &sent);
    let mut r = Reader::new(&frame);
    header(ApiKey::Produce, v, &mut r);
    overhear(Kind::Request, ApiKey::Produce, v, &frame[r.position()..]);
    let decoded = ProduceRequest::decode(BytesMut::from(&frame[..]), r.position(), v);
    assert_eq!(decoded, Ok(expected), "Produce {v}");
    frame
}

fn produce_request(v: i16, s: &mut Source<'_>) -> (theirs::ProduceRequest, ProduceRequest) {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let (index, records) = (s.i32(), s.option(Source::bytes));
            let mut partition = their_produce::PartitionProduceData::default();
            (partition.index, partition.records) = (index, records.clone());
            if v >= 9 {
                partition.unknown_tagged_fields.insert(1, s.bytes());
            }
            (partition, PartitionRecords { index, records: records.map(BytesMut::from) })
        });
        let (name, topic_id) = named_or_numbered(v, s);
        let mut sent = their_produce::TopicProduceData::default();
        (sent.name, sent.topic_id) = (topic(&name), topic_id.uuid());
        sent.partition_data = their_partitions;
        (sent, TopicRecords { name, topic_id, partitions })
    });
    let ours =
        ProduceRequest { transactional_id: s.maybe_text(), acks: s.i16(), timeout_ms: s.i32(), topics };
    let mut sent = theirs::ProduceRequest::default();
    sent.transactional_id = maybe(ours.transactional_id.as_ref()).map(Into::into);
    sent.acks = ours.acks;
    sent.timeout_ms = ours.timeout_ms;
    sent.topic_data = their_topics;
    (sent, ours)
}

fn produce_response(v: i16, s: &mut Source<'_>) -> (theirs::ProduceResponse, ProduceResponse) {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| partition_outcome(v, s));
        let (name, topic_id) = named_or_numbered(v, s);
        let mut expected = their_produced::TopicProduceResponse::default();
        (expected.name, expected.topic_id) = (topic(&name), topic_id.uuid());
        expected.partition_responses = their_partitions;
        (expected, TopicOutcome { name, topic_id, partitions })
    });
    let node_endpoints = s.list(node_endpoint);
    let ours = ProduceResponse { topics, throttle_time_ms: s.i32(), node_endpoints };
    let mut expected = theirs::ProduceResponse::default();
    expected.responses = their_topics;
    expected.throttle_time_ms = ours.throttle_time_ms;
    if v >= 10 {
        let endpoints = ours.node_endpoints.iter().map(|ours| {
            let mut expected = their_produced::NodeEndpoint::default();
            expected.node_id = ours.node_id.into();
            (expected.host, expected.port) = (text(&ours.host), ours.port);
            expected.rack = maybe(ours.rack.as_ref());
            expected
        });
        expected.node_endpoints = endpoints.collect();
    }
    (expected, ours)
}

fn node_endpoint(s: &mut Source<'_>) -> NodeEndpoint {
    NodeEndpoint { node_id: s.i32(), host: s.text(), port: s.i32(), rack: s.maybe_text() }
}

fn current_leader(s: &mut Source<'_>) -> CurrentLeader {
    CurrentLeader { leader_id: s.i32(), leader_epoch: s.i32() }
}

fn partition_outcome(
    v: i16,
    s: &mut Source<'_>,
) -> (their_produced::PartitionProduceResponse, PartitionOutcome) {
    let (their_errors, record_errors) = s.pairs(|s| {
        let ours = RecordError { batch_index: s.i32(), message: s.maybe_text() };
        let mut error = their_produced::BatchIndexAndErrorMessage::default();
        error.batch_index = ours.batch_index;
        error.batch_index_error_message = maybe(ours.message.as_ref());
        (error, ours)
    });
    let ours = PartitionOutcome {
        index: s.i32(),
        error_code: s.error(),
        base_offset: s.i64(),
        log_append_time_ms: s.i64(),
        log_start_offset: s.i64(),
        record_errors,
        error_message: s.maybe_text(),
        current_leader: s.option(current_leader),
    };
    let mut expected = their_produced::PartitionProduceResponse::default();
    expected.index = ours.index;
    expected.error_code = ours.error_code.code();
    expected.base_offset = ours.base_offset;
    expected.log_append_time_ms = ours.log_append_time_ms;
    if v >= 5 {
        expected.log_start_offset = ours.log_start_offset;
    }
    if v >= 8 {
        expected.record_errors = their_errors;
        expected.error_message = maybe(ours.error_message.as_ref());
    }
    if let (10.., Some(leader)) = (v, ours.current_leader) {
        expected.current_leader.leader_id = leader.leader_id.into();
        expected.current_leader.leader_epoch = leader.leader_epoch;
    }
    (expected, ours)
}

pub(crate) fn fetch(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, fetch_response(v, s));
    request(v, fetch_request(v, s))
}

fn fetch_request(v: i16, s: &mut Source<'_>) -> (theirs::FetchRequest, FetchRequest) {
    let (their_topics, topics) = s.pairs(|s| fetch_topic(v, s));
    let (their_forgotten, forgotten_topics) = match v {
        ..7 => Default::default(),
        _ => s.pairs(|s| forgotten_topic(v, s)),
    };
    let ours = FetchRequest {
        cluster_id: if v >= 12 { s.maybe_text() } else { None },
        replica_id: s.i32(),
        max_wait_ms: s.i32(),
        min_bytes: s.i32(),
        max_bytes: s.i32(),
        isolation_level: s.i8(),
        session_id: if v >= 7 { s.i32() } else { 0 },
        session_epoch: if v >= 7 { s.i32() } else { -1 },
        topics,
        forgotten_topics,
        rack_id: if v >= 11 { s.text() } else { String::new() },
    };
    let mut sent = theirs::FetchRequest::default();
    sent.cluster_id = maybe(ours.cluster_id.as_ref());
    if v >= 15 {
        sent.replica_state.replica_id = ours.replica_id.into();
        sent.replica_state.replica_epoch = s.i64();
    } else {
        sent.replica_id = ours.replica_id.into();
    }
    sent.max_wait_ms = ours.max_wait_ms;
    sent.min_bytes = ours.min_bytes;
    sent.max_bytes = ours.max_bytes;
    sent.isolation_level = ours.isolation_level;
    sent.session_id = ours.session_id;
    sent.session_epoch = ours.session_epoch;
    sent.topics = their_topics;
    sent.forgotten_topics_data = their_forgotten;
    sent.rack_id = text(&ours.rack_id);
    (sent, ours)
}

fn fetch_topic(v: i16, s: &mut Source<'_>) -> (their_fetch::FetchTopic, FetchTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = FetchPartition {
            partition: s.i32(),
            current_leader_epoch: if v >= 9 { s.i32() } else { -1 },
            fetch_offset: s.i64(),
            last_fetched_epoch: if v >= 12 { s.i32() } else { -1 },
            log_start_offset: if v >= 5 { s.i64() } else { -1 },
            partition_max_bytes: s.i32(),
        };
        let mut sent = their_fetch::FetchPartition::default();
        sent.partition = ours.partition;
        sent.current_leader_epoch = ours.current_leader_epoch;
        sent.fetch_offset = ours.fetch_offset;
        sent.last_fetched_epoch = ours.last_fetched_epoch;
        sent.log_start_offset = ours.log_start_offset;
        sent.partition_max_bytes = ours.partition_max_bytes;
        if v >= 17 {
            sent.replica_directory_id = s.topic_id().uuid();
        }
        (sent, ours)
    });
    let (name, topic_id) = named_or_numbered(v, s);
    let mut sent = their_fetch::FetchTopic::default();
    (sent.topic, sent.topic_id) = (topic(&name), topic_id.uuid());
    sent.partitions = their_partitions;
    (sent, FetchTopic { name, topic_id, partitions })
}

fn forgotten_topic(v: i16, s: &mut Source<'_>) -> (their_fetch::ForgottenTopic, ForgottenTopic) {
    let (name, topic_id) = named_or_numbered(v, s);
    let partitions = s.list(Source::i32);
    let mut sent = their_fetch::ForgottenTopic::default();
    (sent.topic, sent.topic_id) = (topic(&name), topic_id.uuid());
    sent.partitions = partitions.clone();
    (sent, ForgottenTopic { name, topic_id, partitions })
}

fn fetch_response(v: i16, s: &mut Source<'_>) -> (theirs::FetchResponse, FetchResponse) {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| fetched_partition(v, s));
        let (name, topic_id) = named_or_numbered(v, s);
        let mut expected = their_fetched::FetchableTopicResponse::default();
        (expected.topic, expected.topic_id) = (topic(&name), topic_id.uuid());
        expected.partitions = their_partitions;
        (expected, FetchedTopic { name, topic_id, partitions })
    });
    let ours = FetchResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        session_id: s.i32(),
        topics,
        node_endpoints: s.list(node_endpoint),
    };
    let mut expected = theirs::FetchResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    if v >= 7 {
        expected.error_code = ours.error_code.code();
        expected.session_id = ours.session_id;
    }
    expected.responses = their_topics;
    if v >= 16 {
        let endpoints = ours.node_endpoints.iter().map(|ours| {
            let mut expected = their_fetched::NodeEndpoint::default();
            expected.node_id = ours.node_id.into();
            (expected.host, expected.port) = (text(&ours.host), ours.port);
            expected.rack = maybe(ours.rack.as_ref());
            expected
        });
        expected.node_endpoints = endpoints.collect();
    }
    (expected, ours)
}

fn fetched_partition(v: i16, s: &mut Source<'_>) -> (their_fetched::PartitionData, FetchedPartition) {
    let ours = FetchedPartition {
        partition_index: s.i32(),
        error_code: s.error(),
        high_watermark: s.i64(),
        last_stable_offset: s.i64(),
        log_start_offset: s.i64(),
        diverging_epoch: s.option(|s| EpochEndOffset { epoch: s.i32(), end_offset: s.i64() }),
        current_leader: s.option(current_leader),
        aborted_transactions: s
            .option(|s| s.list(|s| AbortedTransaction { producer_id: s.i64(), first_offset: s.i64() })),
        preferred_read_replica: s.i32(),
        records: s.list(Source::bytes),
    };
    let mut expected = their_fetched::PartitionData::default();
    expected.partition_index = ours.partition_index;
    expected.error_code = ours.error_code.code();
    expected.high_watermark = ours.high_watermark;
    expected.last_stable_offset = ours.last_stable_offset;
    if v >= 5 {
        expected.log_start_offset = ours.log_start_offset;
    }
    if let (12.., Some(diverging)) = (v, ours.diverging_epoch) {
        expected.diverging_epoch.epoch = diverging.epoch;
        expected.diverging_epoch.end_offset = diverging.end_offset;
    }
    if let (12.., Some(leader)) = (v, ours.current_leader) {
        expected.current_leader.leader_id = leader.leader_id.into();
        expected.current_leader.leader_epoch = leader.leader_epoch;
    }
    expected.aborted_transactions = ours.aborted_transactions.as_ref().map(|transactions| {
        let theirs = transactions.iter().map(|ours| {
            let mut expected = their_fetched::AbortedTransaction::default();
            expected.producer_id = ours.producer_id.into();
            expected.first_offset = ours.first_offset;
            expected
        });
        theirs.collect()
    });
    if v >= 11 {
        expected.preferred_read_replica = ours.preferred_read_replica.into();
    }
    expected.records = Some(Bytes::from(ours.records.concat()));
    (expected, ours)
}

pub(crate) fn init_producer_id(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let ours = InitProducerIdResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        producer_id: s.i64(),
        producer_epoch: s.i16(),
    };
    let mut expected = theirs::InitProducerIdResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.error_code = ours.error_code.code();
    expected.producer_id = ours.producer_id.into();
    expected.producer_epoch = ours.producer_epoch;
    response(v, (expected, ours));

    let ours = InitProducerIdRequest {
        transactional_id: s.maybe_text(),
        transaction_timeout_ms: s.i32(),
        producer_id: if v >= 3 { s.i64() } else { -1 },
        producer_epoch: if v >= 3 { s.i16() } else { -1 },
    };
    let mut sent = theirs::InitProducerIdRequest::default();
    sent.transactional_id = maybe(ours.transactional_id.as_ref()).map(Into::into);
    sent.transaction_timeout_ms = ours.transaction_timeout_ms;
    sent.producer_id = ours.producer_id.into();
    sent.producer_epoch = ours.producer_epoch;
    request(v, (sent, ours))
}
