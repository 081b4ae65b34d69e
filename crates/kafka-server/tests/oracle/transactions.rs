//! Samples of AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, WriteTxnMarkers, TxnOffsetCommit, DescribeTransactions and
//! ListTransactions.

use factum_kafka_server::messages::add_offsets_to_txn::*;
use factum_kafka_server::messages::add_partitions_to_txn::*;
use factum_kafka_server::messages::describe_transactions::*;
use factum_kafka_server::messages::end_txn::*;
use factum_kafka_server::messages::list_transactions::*;
use factum_kafka_server::messages::txn_offset_commit::*;
use factum_kafka_server::messages::write_txn_markers::*;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    add_partitions_to_txn_request as their_addition, add_partitions_to_txn_response as their_added,
    describe_transactions_response as their_described, list_transactions_response as their_list,
    txn_offset_commit_request as their_commit, txn_offset_commit_response as their_committed,
    write_txn_markers_request as their_markers, write_txn_markers_response as their_marked,
};

use crate::exchange::{maybe, request, response, text, topic};
use crate::source::Source;

pub(crate) fn add_partitions_to_txn(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, added_partitions(v, s));
    request(v, partitions_to_add(v, s))
}

fn partitions_to_add(
    v: i16,
    s: &mut Source<'_>,
) -> (theirs::AddPartitionsToTxnRequest, AddPartitionsToTxnRequest) {
    let mut sent = theirs::AddPartitionsToTxnRequest::default();
    if v >= 4 {
        let (their_transactions, transactions) = s.pairs(|s| transaction_to_extend(v, s));
        sent.transactions = their_transactions;
        return (sent, AddPartitionsToTxnRequest { transactions });
    }
    let (alone, ours) = transaction_to_extend(v, s);
    sent.v3_and_below_transactional_id = alone.transactional_id;
    sent.v3_and_below_producer_id = alone.producer_id;
    sent.v3_and_below_producer_epoch = alone.producer_epoch;
    sent.v3_and_below_topics = alone.topics;
    (sent, AddPartitionsToTxnRequest { transactions: vec![ours] })
}

fn transaction_to_extend(
    v: i16,
    s: &mut Source<'_>,
) -> (their_addition::AddPartitionsToTxnTransaction, AddPartitionsToTxnTransaction) {
    let (their_topics, topics) = s.pairs(|s| {
        let ours = AddPartitionsToTxnTopic { name: s.text(), partitions: s.list(Source::i32) };
        let mut sent = their_addition::AddPartitionsToTxnTopic::default();
        (sent.name, sent.partitions) = (topic(&ours.name), ours.partitions.clone());
        (sent, ours)
    });
    let ours = AddPartitionsToTxnTransaction {
        transactional_id: s.text(),
        producer_id: s.i64(),
        producer_epoch: s.i16(),
        verify_only: v >= 4 && s.bool(),
        topics,
    };
    let mut sent = their_addition::AddPartitionsToTxnTransaction::default();
    sent.transactional_id = text(&ours.transactional_id).into();
    (sent.producer_id, sent.producer_epoch) = (ours.producer_id.into(), ours.producer_epoch);
    (sent.verify_only, sent.topics) = (ours.verify_only, their_topics);
    (sent, ours)
}

fn added_partitions(
    v: i16,
    s: &mut Source<'_>,
) -> (theirs::AddPartitionsToTxnResponse, AddPartitionsToTxnResponse) {
    let (throttle_time_ms, error_code) = (s.i32(), s.error());
    let mut expected = theirs::AddPartitionsToTxnResponse::default();
    expected.throttle_time_ms = throttle_time_ms;
    let results_by_transaction = if v >= 4 {
        expected.error_code = error_code.code();
        let (their_results, results) = s.pairs(|s| {
            let (their_topics, topic_results) = s.pairs(added_topic);
            let ours = AddPartitionsToTxnResult { transactional_id: s.text(), topic_results };
            let mut expected = their_added::AddPartitionsToTxnResult::default();
            expected.transactional_id = text(&ours.transactional_id).into();
            expected.topic_results = their_topics;
            (expected, ours)
        });
        expected.results_by_transaction = their_results;
        results
    } else {
        let (their_topics, topic_results) = s.pairs(added_topic);
        expected.results_by_topic_v3_and_below = their_topics;
        vec![AddPartitionsToTxnResult { transactional_id: s.text(), topic_results }]
    };
    (expected, AddPartitionsToTxnResponse { throttle_time_ms, error_code, results_by_transaction })
}

fn added_topic(
    s: &mut Source<'_>,
) -> (their_added::AddPartitionsToTxnTopicResult, AddPartitionsToTxnTopicResult) {
    let (their_partitions, results_by_partition) = s.pairs(|s| {
        let ours =
            AddPartitionsToTxnPartitionResult { partition_index: s.i32(), partition_error_code: s.error() };
        let mut expected = their_added::AddPartitionsToTxnPartitionResult::default();
        expected.partition_index = ours.partition_index;
        expected.partition_error_code = ours.partition_error_code.code();
        (expected, ours)
    });
    let ours = AddPartitionsToTxnTopicResult { name: s.text(), results_by_partition };
    let mut expected = their_added::AddPartitionsToTxnTopicResult::default();
    (expected.name, expected.results_by_partition) = (topic(&ours.name), their_partitions);
    (expected, ours)
}

pub(crate) fn add_offsets_to_txn(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let ours = AddOffsetsToTxnResponse { throttle_time_ms: s.i32(), error_code: s.error() };
    let mut expected = theirs::AddOffsetsToTxnResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    response(v, (expected, ours));

    let ours = AddOffsetsToTxnRequest {
        transactional_id: s.text(),
        producer_id: s.i64(),
        producer_epoch: s.i16(),
        group_id: s.text(),
    };
    let mut sent = theirs::AddOffsetsToTxnRequest::default();
    sent.transactional_id = text(&ours.transactional_id).into();
    (sent.producer_id, sent.producer_epoch) = (ours.producer_id.into(), ours.producer_epoch);
    sent.group_id = text(&ours.group_id).into();
    request(v, (sent, ours))
}

pub(crate) fn end_txn(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let ours = EndTxnResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        producer_id: s.i64(),
        producer_epoch: s.i16(),
    };
    let mut expected = theirs::EndTxnResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    if v >= 5 {
        (expected.producer_id, expected.producer_epoch) = (ours.producer_id.into(), ours.producer_epoch);
    }
    response(v, (expected, ours));

    let ours = EndTxnRequest {
        transactional_id: s.text(),
        producer_id: s.i64(),
        producer_epoch: s.i16(),
        committed: s.bool(),
    };
    let mut sent = theirs::EndTxnRequest::default();
    sent.transactional_id = text(&ours.transactional_id).into();
    (sent.producer_id, sent.producer_epoch) = (ours.producer_id.into(), ours.producer_epoch);
    sent.committed = ours.committed;
    request(v, (sent, ours))
}

pub(crate) fn write_txn_markers(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, markers) = s.pairs(marker_result);
    let mut expected = theirs::WriteTxnMarkersResponse::default();
    expected.markers = their_results;
    response(v, (expected, WriteTxnMarkersResponse { markers }));

    let (their_requests, markers) = s.pairs(|s| {
        let (their_topics, topics) = s.pairs(|s| {
            let ours = TxnMarkerTopic { name: s.text(), partition_indexes: s.list(Source::i32) };
            let mut sent = their_markers::WritableTxnMarkerTopic::default();
            (sent.name, sent.partition_indexes) = (topic(&ours.name), ours.partition_indexes.clone());
            (sent, ours)
        });
        let ours = TxnMarker {
            producer_id: s.i64(),
            producer_epoch: s.i16(),
            transaction_result: s.bool(),
            topics,
            coordinator_epoch: s.i32(),
            transaction_version: 0,
        };
        let mut sent = their_markers::WritableTxnMarker::default();
        (sent.producer_id, sent.producer_epoch) = (ours.producer_id.into(), ours.producer_epoch);
        (sent.transaction_result, sent.topics) = (ours.transaction_result, their_topics);
        sent.coordinator_epoch = ours.coordinator_epoch;
        (sent, ours)
    });
    let mut sent = theirs::WriteTxnMarkersRequest::default();
    sent.markers = their_requests;
    request(v, (sent, WriteTxnMarkersRequest { markers }))
}

fn marker_result(s: &mut Source<'_>) -> (their_marked::WritableTxnMarkerResult, TxnMarkerResult) {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours = TxnMarkerPartitionResult { partition_index: s.i32(), error_code: s.error() };
            let mut expected = their_marked::WritableTxnMarkerPartitionResult::default();
            (expected.partition_index, expected.error_code) = (ours.partition_index, ours.error_code.code());
            (expected, ours)
        });
        let ours = TxnMarkerTopicResult { name: s.text(), partitions };
        let mut expected = their_marked::WritableTxnMarkerTopicResult::default();
        (expected.name, expected.partitions) = (topic(&ours.name), their_partitions);
        (expected, ours)
    });
    let ours = TxnMarkerResult { producer_id: s.i64(), topics };
    let mut expected = their_marked::WritableTxnMarkerResult::default();
    (expected.producer_id, expected.topics) = (ours.producer_id.into(), their_topics);
    (expected, ours)
}

pub(crate) fn txn_offset_commit(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(offset_results);
    let ours = TxnOffsetCommitResponse { throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::TxnOffsetCommitResponse::default();
    (expected.throttle_time_ms, expected.topics) = (ours.throttle_time_ms, their_topics);
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| offsets_to_commit(v, s));
    let ours = TxnOffsetCommitRequest {
        transactional_id: s.text(),
        group_id: s.text(),
        producer_id: s.i64(),
        producer_epoch: s.i16(),
        generation_id: if v >= 3 { s.i32() } else { -1 },
        member_id: if v >= 3 { s.text() } else { String::new() },
        group_instance_id: if v >= 3 { s.maybe_text() } else { None },
        topics,
    };
    let mut sent = theirs::TxnOffsetCommitRequest::default();
    sent.transactional_id = text(&ours.transactional_id).into();
    sent.group_id = text(&ours.group_id).into();
    (sent.producer_id, sent.producer_epoch) = (ours.producer_id.into(), ours.producer_epoch);
    (sent.generation_id, sent.member_id) = (ours.generation_id, text(&ours.member_id));
    sent.group_instance_id = maybe(ours.group_instance_id.as_ref());
    sent.topics = their_topics;
    request(v, (sent, ours))
}

fn offsets_to_commit(
    v: i16,
    s: &mut Source<'_>,
) -> (their_commit::TxnOffsetCommitRequestTopic, TxnOffsetCommitTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = TxnOffsetCommitPartition {
            partition_index: s.i32(),
            committed_offset: s.i64(),
            committed_leader_epoch: if v >= 2 { s.i32() } else { -1 },
            committed_metadata: s.maybe_text(),
        };
        let mut sent = their_commit::TxnOffsetCommitRequestPartition::default();
        (sent.partition_index, sent.committed_offset) = (ours.partition_index, ours.committed_offset);
        sent.committed_leader_epoch = ours.committed_leader_epoch;
        sent.committed_metadata = maybe(ours.committed_metadata.as_ref());
        (sent, ours)
    });
    let ours = TxnOffsetCommitTopic { name: s.text(), partitions };
    let mut sent = their_commit::TxnOffsetCommitRequestTopic::default();
    (sent.name, sent.partitions) = (topic(&ours.name), their_partitions);
    (sent, ours)
}

fn offset_results(
    s: &mut Source<'_>,
) -> (their_committed::TxnOffsetCommitResponseTopic, TxnOffsetCommitTopicResult) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = TxnOffsetCommitPartitionResult { partition_index: s.i32(), error_code: s.error() };
        let mut expected = their_committed::TxnOffsetCommitResponsePartition::default();
        (expected.partition_index, expected.error_code) = (ours.partition_index, ours.error_code.code());
        (expected, ours)
    });
    let ours = TxnOffsetCommitTopicResult { name: s.text(), partitions };
    let mut expected = their_committed::TxnOffsetCommitResponseTopic::default();
    (expected.name, expected.partitions) = (topic(&ours.name), their_partitions);
    (expected, ours)
}

pub(crate) fn describe_transactions(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_states, transaction_states) = s.pairs(described_transaction);
    let ours = DescribeTransactionsResponse { throttle_time_ms: s.i32(), transaction_states };
    let mut expected = theirs::DescribeTransactionsResponse::default();
    (expected.throttle_time_ms, expected.transaction_states) = (ours.throttle_time_ms, their_states);
    response(v, (expected, ours));

    let ours = DescribeTransactionsRequest { transactional_ids: s.list(Source::text) };
    let mut sent = theirs::DescribeTransactionsRequest::default();
    sent.transactional_ids = ours.transactional_ids.iter().map(|id| text(id).into()).collect();
    request(v, (sent, ours))
}

fn described_transaction(s: &mut Source<'_>) -> (their_described::TransactionState, TransactionDescription) {
    let (their_topics, topics) = s.pairs(|s| {
        let ours = TransactionTopic { topic: s.text(), partitions: s.list(Source::i32) };
        let mut expected = their_described::TopicData::default();
        (expected.topic, expected.partitions) = (topic(&ours.topic), ours.partitions.clone());
        (expected, ours)
    });
    let ours = TransactionDescription {
        error_code: s.error(),
        transactional_id: s.text(),
        transaction_state: s.text(),
        transaction_timeout_ms: s.i32(),
        transaction_start_time_ms: s.i64(),
        producer_id: s.i64(),
        producer_epoch: s.i16(),
        topics,
    };
    let mut expected = their_described::TransactionState::default();
    expected.error_code = ours.error_code.code();
    expected.transactional_id = text(&ours.transactional_id).into();
    expected.transaction_state = text(&ours.transaction_state);
    expected.transaction_timeout_ms = ours.transaction_timeout_ms;
    expected.transaction_start_time_ms = ours.transaction_start_time_ms;
    (expected.producer_id, expected.producer_epoch) = (ours.producer_id.into(), ours.producer_epoch);
    expected.topics = their_topics;
    (expected, ours)
}

pub(crate) fn list_transactions(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_states, transaction_states) = s.pairs(|s| {
        let ours = TransactionListing {
            transactional_id: s.text(),
            producer_id: s.i64(),
            transaction_state: s.text(),
        };
        let mut expected = their_list::TransactionState::default();
        expected.transactional_id = text(&ours.transactional_id).into();
        expected.producer_id = ours.producer_id.into();
        expected.transaction_state = text(&ours.transaction_state);
        (expected, ours)
    });
    let ours = ListTransactionsResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        unknown_state_filters: s.list(Source::text),
        transaction_states,
    };
    let mut expected = theirs::ListTransactionsResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    expected.unknown_state_filters = ours.unknown_state_filters.iter().map(|state| text(state)).collect();
    expected.transaction_states = their_states;
    response(v, (expected, ours));

    let ours = ListTransactionsRequest {
        state_filters: s.list(Source::text),
        producer_id_filters: s.list(Source::i64),
        duration_filter: if v >= 1 { s.i64() } else { -1 },
        transactional_id_pattern: if v >= 2 { s.maybe_text() } else { None },
    };
    let mut sent = theirs::ListTransactionsRequest::default();
    sent.state_filters = ours.state_filters.iter().map(|state| text(state)).collect();
    sent.producer_id_filters = ours.producer_id_filters.iter().map(|id| (*id).into()).collect();
    sent.duration_filter = ours.duration_filter;
    sent.transactional_id_pattern = maybe(ours.transactional_id_pattern.as_ref());
    request(v, (sent, ours))
}
