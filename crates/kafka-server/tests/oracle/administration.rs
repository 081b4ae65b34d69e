//! Samples of CreatePartitions, DescribeTopicPartitions, ListConfigResources, DescribeQuorum and UpdateFeatures.

use factum_kafka_server::messages::create_partitions::*;
use factum_kafka_server::messages::describe_quorum::*;
use factum_kafka_server::messages::describe_topic_partitions::*;
use factum_kafka_server::messages::list_config_resources::*;
use factum_kafka_server::messages::update_features::*;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    create_partitions_request as their_growth, create_partitions_response as their_grown,
    describe_quorum_request as their_quorums, describe_quorum_response as their_quorum,
    describe_topic_partitions_request as their_pages, describe_topic_partitions_response as their_page,
    list_config_resources_response as their_resources, update_features_request as their_levels,
    update_features_response as their_features,
};

use crate::exchange::{maybe, request, response, text, topic};
use crate::source::Source;

pub(crate) fn create_partitions(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| {
        let ours =
            CreatePartitionsResult { name: s.text(), error_code: s.error(), error_message: s.maybe_text() };
        let mut expected = their_grown::CreatePartitionsTopicResult::default();
        (expected.name, expected.error_code) = (topic(&ours.name), ours.error_code.code());
        expected.error_message = maybe(ours.error_message.as_ref());
        (expected, ours)
    });
    let ours = CreatePartitionsResponse { throttle_time_ms: s.i32(), results };
    let mut expected = theirs::CreatePartitionsResponse::default();
    (expected.throttle_time_ms, expected.results) = (ours.throttle_time_ms, their_results);
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let (their_assignments, assignments) = s.pairs(|s| {
            let broker_ids = s.list(Source::i32);
            let mut sent = their_growth::CreatePartitionsAssignment::default();
            sent.broker_ids = broker_ids.iter().map(|id| (*id).into()).collect();
            (sent, PartitionAssignment { broker_ids })
        });
        let is_assigned = s.bool();
        let ours = CreatePartitionsTopic {
            name: s.text(),
            count: s.i32(),
            assignments: is_assigned.then_some(assignments),
        };
        let mut sent = their_growth::CreatePartitionsTopic::default();
        (sent.name, sent.count) = (topic(&ours.name), ours.count);
        sent.assignments = is_assigned.then_some(their_assignments);
        (sent, ours)
    });
    let ours = CreatePartitionsRequest { topics, timeout_ms: s.i32(), validate_only: s.bool() };
    let mut sent = theirs::CreatePartitionsRequest::default();
    (sent.topics, sent.timeout_ms, sent.validate_only) = (their_topics, ours.timeout_ms, ours.validate_only);
    request(v, (sent, ours))
}

pub(crate) fn describe_topic_partitions(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours =
                DescribedPartition { partition_index: s.i32(), leader_id: s.i32(), leader_epoch: s.i32() };
            let mut expected = their_page::DescribeTopicPartitionsResponsePartition::default();
            (expected.partition_index, expected.leader_id) = (ours.partition_index, ours.leader_id.into());
            expected.leader_epoch = ours.leader_epoch;
            expected.replica_nodes = vec![ours.leader_id.into()];
            expected.isr_nodes = vec![ours.leader_id.into()];
            (expected.eligible_leader_replicas, expected.last_known_elr) =
                (Some(Vec::new()), Some(Vec::new()));
            (expected, ours)
        });
        let ours = DescribedTopic {
            error_code: s.error(),
            name: s.text(),
            topic_id: s.topic_id(),
            is_internal: s.bool(),
            partitions,
            topic_authorized_operations: s.i32(),
        };
        let mut expected = their_page::DescribeTopicPartitionsResponseTopic::default();
        (expected.error_code, expected.name) = (ours.error_code.code(), Some(topic(&ours.name)));
        (expected.topic_id, expected.is_internal) = (ours.topic_id.uuid(), ours.is_internal);
        (expected.partitions, expected.topic_authorized_operations) =
            (their_partitions, ours.topic_authorized_operations);
        (expected, ours)
    });
    let next_cursor = s.option(cursor);
    let mut expected = theirs::DescribeTopicPartitionsResponse::default();
    expected.next_cursor = next_cursor.as_ref().map(|ours| {
        let mut cursor = their_page::Cursor::default();
        (cursor.topic_name, cursor.partition_index) = (topic(&ours.topic_name), ours.partition_index);
        cursor
    });
    let ours = DescribeTopicPartitionsResponse { throttle_time_ms: s.i32(), topics, next_cursor };
    (expected.throttle_time_ms, expected.topics) = (ours.throttle_time_ms, their_topics);
    response(v, (expected, ours));

    let (their_names, names) = s.pairs(|s| {
        let name = s.text();
        let mut sent = their_pages::TopicRequest::default();
        sent.name = topic(&name);
        (sent, name)
    });
    let ours = DescribeTopicPartitionsRequest {
        topics: names,
        response_partition_limit: s.i32(),
        cursor: s.option(cursor),
    };
    let mut sent = theirs::DescribeTopicPartitionsRequest::default();
    (sent.topics, sent.response_partition_limit) = (their_names, ours.response_partition_limit);
    sent.cursor = ours.cursor.as_ref().map(|ours| {
        let mut cursor = their_pages::Cursor::default();
        (cursor.topic_name, cursor.partition_index) = (topic(&ours.topic_name), ours.partition_index);
        cursor
    });
    request(v, (sent, ours))
}

fn cursor(s: &mut Source<'_>) -> Cursor {
    Cursor { topic_name: s.text(), partition_index: s.i32() }
}

pub(crate) fn list_config_resources(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_listed, config_resources) = s.pairs(|s| {
        let ours = ListedResource { resource_name: s.text(), resource_type: s.i8() };
        let mut expected = their_resources::ConfigResource::default();
        expected.resource_name = text(&ours.resource_name);
        if v >= 1 {
            expected.resource_type = ours.resource_type;
        }
        (expected, ours)
    });
    let ours =
        ListConfigResourcesResponse { throttle_time_ms: s.i32(), error_code: s.error(), config_resources };
    let mut expected = theirs::ListConfigResourcesResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    expected.config_resources = their_listed;
    response(v, (expected, ours));

    let resource_types = if v >= 1 { s.list(Source::i8) } else { Vec::new() };
    let mut sent = theirs::ListConfigResourcesRequest::default();
    sent.resource_types.clone_from(&resource_types);
    request(v, (sent, ListConfigResourcesRequest { resource_types }))
}

pub(crate) fn describe_quorum(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| quorum(v, s));
        let ours = DescribedQuorumTopic { topic_name: s.text(), partitions };
        let mut expected = their_quorum::TopicData::default();
        (expected.topic_name, expected.partitions) = (topic(&ours.topic_name), their_partitions);
        (expected, ours)
    });
    let (their_nodes, nodes) = s.pairs(|s| {
        let port = u16::from_ne_bytes(s.i16().to_ne_bytes());
        let ours = QuorumNode { node_id: s.i32(), listener: s.text(), host: s.text(), port };
        let mut listener = their_quorum::Listener::default();
        (listener.name, listener.host, listener.port) = (text(&ours.listener), text(&ours.host), port);
        let mut expected = their_quorum::Node::default();
        (expected.node_id, expected.listeners) = (ours.node_id.into(), vec![listener]);
        (expected, ours)
    });
    let ours = DescribeQuorumResponse { error_code: s.error(), error_message: s.maybe_text(), topics, nodes };
    let mut expected = theirs::DescribeQuorumResponse::default();
    (expected.error_code, expected.topics) = (ours.error_code.code(), their_topics);
    if v >= 2 {
        (expected.error_message, expected.nodes) = (maybe(ours.error_message.as_ref()), their_nodes);
    } else {
        expected.error_message = theirs::DescribeQuorumResponse::default().error_message;
    }
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let partition = s.i32();
            let mut sent = their_quorums::PartitionData::default();
            sent.partition_index = partition;
            (sent, partition)
        });
        let ours = QuorumTopic { topic_name: s.text(), partitions };
        let mut sent = their_quorums::TopicData::default();
        (sent.topic_name, sent.partitions) = (topic(&ours.topic_name), their_partitions);
        (sent, ours)
    });
    let mut sent = theirs::DescribeQuorumRequest::default();
    sent.topics = their_topics;
    request(v, (sent, DescribeQuorumRequest { topics }))
}

fn quorum(v: i16, s: &mut Source<'_>) -> (their_quorum::PartitionData, DescribedQuorum) {
    let (their_voters, current_voters) = s.pairs(|s| {
        let ours = ReplicaState {
            replica_id: s.i32(),
            replica_directory_id: s.topic_id(),
            log_end_offset: s.i64(),
            last_fetch_timestamp: s.i64(),
            last_caught_up_timestamp: s.i64(),
        };
        let mut expected = their_quorum::ReplicaState::default();
        (expected.replica_id, expected.log_end_offset) = (ours.replica_id.into(), ours.log_end_offset);
        if v >= 1 {
            expected.last_fetch_timestamp = ours.last_fetch_timestamp;
            expected.last_caught_up_timestamp = ours.last_caught_up_timestamp;
        }
        if v >= 2 {
            expected.replica_directory_id = ours.replica_directory_id.uuid();
        }
        (expected, ours)
    });
    let ours = DescribedQuorum {
        partition_index: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        leader_id: s.i32(),
        leader_epoch: s.i32(),
        high_watermark: s.i64(),
        current_voters,
    };
    let mut expected = their_quorum::PartitionData::default();
    (expected.partition_index, expected.error_code) = (ours.partition_index, ours.error_code.code());
    if v >= 2 {
        expected.error_message = maybe(ours.error_message.as_ref());
    }
    (expected.leader_id, expected.leader_epoch) = (ours.leader_id.into(), ours.leader_epoch);
    (expected.high_watermark, expected.current_voters) = (ours.high_watermark, their_voters);
    (expected, ours)
}

pub(crate) fn update_features(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| {
        let ours = FeatureResult { feature: s.text(), error_code: s.error(), error_message: s.maybe_text() };
        let mut expected = their_features::UpdatableFeatureResult::default();
        (expected.feature, expected.error_code) = (text(&ours.feature), ours.error_code.code());
        expected.error_message = maybe(ours.error_message.as_ref());
        (expected, ours)
    });
    let ours = UpdateFeaturesResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        results,
    };
    let mut expected = theirs::UpdateFeaturesResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    expected.error_message = maybe(ours.error_message.as_ref());
    if v < 2 {
        expected.results = their_results;
    }
    response(v, (expected, ours));

    let (their_updates, feature_updates) = s.pairs(|s| {
        let mut sent = their_levels::FeatureUpdateKey::default();
        let upgrade_type = match v {
            0 => {
                sent.allow_downgrade = s.bool();
                1 + i8::from(sent.allow_downgrade)
            }
            _ => {
                sent.upgrade_type = s.i8();
                sent.upgrade_type
            }
        };
        let ours = FeatureUpdate { feature: s.text(), max_version_level: s.i16(), upgrade_type };
        (sent.feature, sent.max_version_level) = (text(&ours.feature), ours.max_version_level);
        (sent, ours)
    });
    let ours =
        UpdateFeaturesRequest { timeout_ms: s.i32(), feature_updates, validate_only: v >= 1 && s.bool() };
    let mut sent = theirs::UpdateFeaturesRequest::default();
    (sent.timeout_ms, sent.feature_updates) = (ours.timeout_ms, their_updates);
    sent.validate_only = ours.validate_only;
    request(v, (sent, ours))
}
