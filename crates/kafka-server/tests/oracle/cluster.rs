//! Samples of ApiVersions, Metadata, FindCoordinator, DescribeCluster, DescribeLogDirs, ElectLeaders and reassignments.

use factum_kafka_server::messages::alter_partition_reassignments::*;
use factum_kafka_server::messages::api_versions::*;
use factum_kafka_server::messages::describe_cluster::*;
use factum_kafka_server::messages::describe_log_dirs::*;
use factum_kafka_server::messages::elect_leaders::*;
use factum_kafka_server::messages::find_coordinator::*;
use factum_kafka_server::messages::list_partition_reassignments::*;
use factum_kafka_server::messages::metadata::*;
use factum_types::TopicId;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    alter_partition_reassignments_request as their_reassignment,
    alter_partition_reassignments_response as their_reassigned, api_versions_response as their_versions,
    describe_cluster_response as their_cluster, describe_log_dirs_request as their_logs,
    describe_log_dirs_response as their_log_dirs, elect_leaders_request as their_election,
    elect_leaders_response as their_elected, find_coordinator_response as their_coordinators,
    list_partition_reassignments_request as their_moves, metadata_request as their_question,
    metadata_response as their_metadata,
};

use crate::exchange::{maybe, request, response, text, topic};
use crate::source::Source;

pub(crate) fn api_versions(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, api_versions_response(v, s));

    let ours = match v {
        ..3 => ApiVersionsRequest::default(),
        _ => ApiVersionsRequest { client_software_name: s.text(), client_software_version: s.text() },
    };
    let mut sent = theirs::ApiVersionsRequest::default();
    sent.client_software_name = text(&ours.client_software_name);
    sent.client_software_version = text(&ours.client_software_version);
    request(v, (sent, ours))
}

fn api_versions_response(v: i16, s: &mut Source<'_>) -> (theirs::ApiVersionsResponse, ApiVersionsResponse) {
    let (their_keys, api_keys) = s.pairs(|s| {
        let ours = ApiVersion { api_key: s.i16(), min_version: s.i16(), max_version: s.i16() };
        let mut key = their_versions::ApiVersion::default();
        (key.api_key, key.min_version, key.max_version) = (ours.api_key, ours.min_version, ours.max_version);
        (key, ours)
    });
    let (mut their_supported, supported_features) = s.pairs(|s| {
        let min_version = if s.bool() { 0 } else { s.i16() };
        let ours = SupportedFeature { name: s.text(), min_version, max_version: s.i16() };
        let mut feature = their_versions::SupportedFeatureKey::default();
        feature.name = text(&ours.name);
        (feature.min_version, feature.max_version) = (ours.min_version, ours.max_version);
        (feature, ours)
    });
    let (their_finalized, finalized_features) = s.pairs(|s| {
        let ours =
            FinalizedFeature { name: s.text(), max_version_level: s.i16(), min_version_level: s.i16() };
        let mut feature = their_versions::FinalizedFeatureKey::default();
        feature.name = text(&ours.name);
        feature.max_version_level = ours.max_version_level;
        feature.min_version_level = ours.min_version_level;
        (feature, ours)
    });
    let ours = ApiVersionsResponse {
        error_code: s.error(),
        api_keys,
        throttle_time_ms: s.i32(),
        supported_features,
        finalized_features_epoch: s.i64(),
        finalized_features,
    };
    let mut expected = theirs::ApiVersionsResponse::default();
    expected.error_code = ours.error_code.code();
    expected.api_keys = their_keys;
    if v >= 1 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    if v >= 3 {
        // Clients that speak version 3 cannot read a lowest level of 0.
        their_supported.retain(|feature| v >= 4 || feature.min_version != 0);
        expected.supported_features = their_supported;
        expected.finalized_features_epoch = ours.finalized_features_epoch;
        expected.finalized_features = their_finalized;
    }
    (expected, ours)
}

pub(crate) fn metadata(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, metadata_response(v, s));
    request(v, metadata_request(v, s))
}

fn metadata_request(v: i16, s: &mut Source<'_>) -> (theirs::MetadataRequest, MetadataRequest) {
    let (their_topics, topics) = s.pairs(|s| {
        let ours = RequestedTopic {
            topic_id: if v >= 10 { s.topic_id() } else { TopicId::NIL },
            name: if v >= 10 { s.maybe_text() } else { Some(s.text()) },
        };
        let mut asked = their_question::MetadataRequestTopic::default();
        asked.topic_id = ours.topic_id.uuid();
        asked.name = ours.name.as_ref().map(|name| topic(name));
        if v >= 9 {
            asked.unknown_tagged_fields.insert(7, s.bytes());
        }
        (asked, ours)
    });
    let all = if v == 0 { topics.is_empty() } else { s.bool() };
    let ours = MetadataRequest {
        topics: (!all).then_some(topics),
        allow_auto_topic_creation: v < 4 || s.bool(),
        include_cluster_authorized_operations: (8..=10).contains(&v) && s.bool(),
        include_topic_authorized_operations: v >= 8 && s.bool(),
    };
    let mut sent = theirs::MetadataRequest::default();
    sent.topics = (v == 0 || !all).then_some(their_topics);
    sent.allow_auto_topic_creation = ours.allow_auto_topic_creation;
    sent.include_cluster_authorized_operations = ours.include_cluster_authorized_operations;
    sent.include_topic_authorized_operations = ours.include_topic_authorized_operations;
    if v >= 9 {
        sent.unknown_tagged_fields.insert(200, s.bytes());
    }
    (sent, ours)
}

fn metadata_response(v: i16, s: &mut Source<'_>) -> (theirs::MetadataResponse, MetadataResponse) {
    let (their_brokers, brokers) = s.pairs(|s| {
        let ours = Broker { node_id: s.i32(), host: s.text(), port: s.i32(), rack: s.maybe_text() };
        let mut broker = their_metadata::MetadataResponseBroker::default();
        (broker.node_id, broker.host, broker.port) = (ours.node_id.into(), text(&ours.host), ours.port);
        if v >= 1 {
            broker.rack = maybe(ours.rack.as_ref());
        }
        (broker, ours)
    });
    let (their_topics, topics) = s.pairs(|s| described_topic(v, s));
    let ours = MetadataResponse {
        throttle_time_ms: s.i32(),
        brokers,
        cluster_id: s.maybe_text(),
        controller_id: s.i32(),
        topics,
        cluster_authorized_operations: s.i32(),
        error_code: s.error(),
    };
    let mut expected = theirs::MetadataResponse::default();
    if v >= 3 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.brokers = their_brokers;
    if v >= 2 {
        expected.cluster_id = maybe(ours.cluster_id.as_ref());
    }
    if v >= 1 {
        expected.controller_id = ours.controller_id.into();
    }
    expected.topics = their_topics;
    if (8..=10).contains(&v) {
        expected.cluster_authorized_operations = ours.cluster_authorized_operations;
    }
    if v >= 13 {
        expected.error_code = ours.error_code.code();
    }
    (expected, ours)
}

fn described_topic(v: i16, s: &mut Source<'_>) -> (their_metadata::MetadataResponseTopic, Topic) {
    let (their_partitions, partitions) = s.pairs(|s| described_partition(v, s));
    let ours = Topic {
        error_code: s.error(),
        name: s.maybe_text(),
        topic_id: s.topic_id(),
        is_internal: s.bool(),
        partitions,
        topic_authorized_operations: s.i32(),
    };
    let mut expected = their_metadata::MetadataResponseTopic::default();
    expected.error_code = ours.error_code.code();
    expected.name = ours.name.as_ref().map(|name| topic(name));
    if v < 12 {
        expected.name = Some(expected.name.unwrap_or_default());
    }
    if v >= 10 {
        expected.topic_id = ours.topic_id.uuid();
    }
    expected.is_internal = v >= 1 && ours.is_internal;
    expected.partitions = their_partitions;
    if v >= 8 {
        expected.topic_authorized_operations = ours.topic_authorized_operations;
    }
    (expected, ours)
}

fn described_partition(v: i16, s: &mut Source<'_>) -> (their_metadata::MetadataResponsePartition, Partition) {
    let ours = Partition {
        error_code: s.error(),
        partition_index: s.i32(),
        leader_id: s.i32(),
        leader_epoch: s.i32(),
        replica_nodes: s.list(Source::i32),
        isr_nodes: s.list(Source::i32),
        offline_replicas: s.list(Source::i32),
    };
    let nodes = |ids: &[i32]| ids.iter().map(|id| (*id).into()).collect();
    let mut expected = their_metadata::MetadataResponsePartition::default();
    expected.error_code = ours.error_code.code();
    expected.partition_index = ours.partition_index;
    expected.leader_id = ours.leader_id.into();
    if v >= 7 {
        expected.leader_epoch = ours.leader_epoch;
    }
    expected.replica_nodes = nodes(&ours.replica_nodes);
    expected.isr_nodes = nodes(&ours.isr_nodes);
    if v >= 5 {
        expected.offline_replicas = nodes(&ours.offline_replicas);
    }
    (expected, ours)
}

pub(crate) fn find_coordinator(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, find_coordinator_response(v, s));

    let ours = FindCoordinatorRequest {
        key_type: if v >= 1 { s.i8() } else { GROUP },
        coordinator_keys: if v >= 4 { s.list(Source::text) } else { vec![s.text()] },
    };
    let mut sent = theirs::FindCoordinatorRequest::default();
    sent.key_type = ours.key_type;
    if v >= 4 {
        sent.coordinator_keys = ours.coordinator_keys.iter().map(|key| text(key)).collect();
    } else {
        sent.key = text(&ours.coordinator_keys[0]);
    }
    request(v, (sent, ours))
}

fn find_coordinator_response(
    v: i16,
    s: &mut Source<'_>,
) -> (theirs::FindCoordinatorResponse, FindCoordinatorResponse) {
    let draw = |s: &mut Source<'_>| Coordinator {
        key: s.text(),
        node_id: s.i32(),
        host: s.text(),
        port: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
    };
    let coordinators = if v >= 4 { s.list(draw) } else { vec![draw(s)] };
    let ours = FindCoordinatorResponse { throttle_time_ms: s.i32(), coordinators };
    let mut expected = theirs::FindCoordinatorResponse::default();
    if v >= 1 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    if v >= 4 {
        let all = ours.coordinators.iter().map(|ours| {
            let mut expected = their_coordinators::Coordinator::default();
            expected.key = text(&ours.key);
            expected.node_id = ours.node_id.into();
            expected.host = text(&ours.host);
            expected.port = ours.port;
            expected.error_code = ours.error_code.code();
            expected.error_message = maybe(ours.error_message.as_ref());
            expected
        });
        expected.coordinators = all.collect();
    } else {
        let alone = &ours.coordinators[0];
        expected.node_id = alone.node_id.into();
        expected.host = text(&alone.host);
        expected.port = alone.port;
        expected.error_code = alone.error_code.code();
        if v >= 1 {
            expected.error_message = maybe(alone.error_message.as_ref());
        }
    }
    (expected, ours)
}

pub(crate) fn describe_cluster(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, describe_cluster_response(v, s));

    let ours = DescribeClusterRequest {
        include_cluster_authorized_operations: s.bool(),
        endpoint_type: if v >= 1 { s.i8() } else { BROKERS },
        include_fenced_brokers: v >= 2 && s.bool(),
    };
    let mut sent = theirs::DescribeClusterRequest::default();
    sent.include_cluster_authorized_operations = ours.include_cluster_authorized_operations;
    sent.endpoint_type = ours.endpoint_type;
    sent.include_fenced_brokers = ours.include_fenced_brokers;
    request(v, (sent, ours))
}

fn describe_cluster_response(
    v: i16,
    s: &mut Source<'_>,
) -> (theirs::DescribeClusterResponse, DescribeClusterResponse) {
    let (their_brokers, brokers) = s.pairs(|s| {
        let ours = ClusterBroker {
            broker_id: s.i32(),
            host: s.text(),
            port: s.i32(),
            rack: s.maybe_text(),
            is_fenced: s.bool(),
        };
        let mut broker = their_cluster::DescribeClusterBroker::default();
        (broker.broker_id, broker.host, broker.port) = (ours.broker_id.into(), text(&ours.host), ours.port);
        broker.rack = maybe(ours.rack.as_ref());
        broker.is_fenced = v >= 2 && ours.is_fenced;
        (broker, ours)
    });
    let ours = DescribeClusterResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        endpoint_type: s.i8(),
        cluster_id: s.text(),
        controller_id: s.i32(),
        brokers,
        cluster_authorized_operations: s.i32(),
    };
    let mut expected = theirs::DescribeClusterResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.error_code = ours.error_code.code();
    expected.error_message = maybe(ours.error_message.as_ref());
    if v >= 1 {
        expected.endpoint_type = ours.endpoint_type;
    }
    expected.cluster_id = text(&ours.cluster_id);
    expected.controller_id = ours.controller_id.into();
    expected.brokers = their_brokers;
    expected.cluster_authorized_operations = ours.cluster_authorized_operations;
    (expected, ours)
}

pub(crate) fn describe_log_dirs(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| log_dir(v, s));
    let ours = DescribeLogDirsResponse { throttle_time_ms: s.i32(), error_code: s.error(), results };
    let mut expected = theirs::DescribeLogDirsResponse::default();
    (expected.throttle_time_ms, expected.results) = (ours.throttle_time_ms, their_results);
    expected.error_code = if v >= 3 { ours.error_code.code() } else { 0 };
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let ours = DescribableTopic { name: s.text(), partitions: s.list(Source::i32) };
        let mut sent = their_logs::DescribableLogDirTopic::default();
        (sent.topic, sent.partitions) = (topic(&ours.name), ours.partitions.clone());
        (sent, ours)
    });
    let has_topics = s.bool();
    let mut sent = theirs::DescribeLogDirsRequest::default();
    sent.topics = has_topics.then_some(their_topics);
    request(v, (sent, DescribeLogDirsRequest { topics: has_topics.then_some(topics) }))
}

fn log_dir(v: i16, s: &mut Source<'_>) -> (their_log_dirs::DescribeLogDirsResult, LogDir) {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours = LogDirPartition {
                partition_index: s.i32(),
                partition_size: s.i64(),
                offset_lag: s.i64(),
                is_future_key: s.bool(),
            };
            let mut partition = their_log_dirs::DescribeLogDirsPartition::default();
            (partition.partition_index, partition.partition_size) =
                (ours.partition_index, ours.partition_size);
            (partition.offset_lag, partition.is_future_key) = (ours.offset_lag, ours.is_future_key);
            (partition, ours)
        });
        let ours = LogDirTopic { name: s.text(), partitions };
        let mut expected = their_log_dirs::DescribeLogDirsTopic::default();
        (expected.name, expected.partitions) = (topic(&ours.name), their_partitions);
        (expected, ours)
    });
    let ours = LogDir {
        error_code: s.error(),
        log_dir: s.text(),
        topics,
        total_bytes: s.i64(),
        usable_bytes: s.i64(),
    };
    let mut expected = their_log_dirs::DescribeLogDirsResult::default();
    (expected.error_code, expected.log_dir) = (ours.error_code.code(), text(&ours.log_dir));
    expected.topics = their_topics;
    if v >= 4 {
        (expected.total_bytes, expected.usable_bytes) = (ours.total_bytes, ours.usable_bytes);
    }
    (expected, ours)
}

pub(crate) fn elect_leaders(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours = ElectionResult {
                partition_id: s.i32(),
                error_code: s.error(),
                error_message: s.maybe_text(),
            };
            let mut expected = their_elected::PartitionResult::default();
            (expected.partition_id, expected.error_code) = (ours.partition_id, ours.error_code.code());
            expected.error_message = maybe(ours.error_message.as_ref());
            (expected, ours)
        });
        let ours = ElectionOfTopic { topic: s.text(), partitions };
        let mut expected = their_elected::ReplicaElectionResult::default();
        (expected.topic, expected.partition_result) = (topic(&ours.topic), their_partitions);
        (expected, ours)
    });
    let ours = ElectLeadersResponse { throttle_time_ms: s.i32(), error_code: s.error(), results };
    let mut expected = theirs::ElectLeadersResponse::default();
    (expected.throttle_time_ms, expected.replica_election_results) = (ours.throttle_time_ms, their_results);
    if v >= 1 {
        expected.error_code = ours.error_code.code();
    }
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(same);
        let ours = ElectLeadersTopic { topic: s.text(), partitions };
        let mut sent = their_election::TopicPartitions::default();
        (sent.topic, sent.partitions) = (topic(&ours.topic), their_partitions);
        (sent, ours)
    });
    let all = s.bool();
    let ours = ElectLeadersRequest {
        election_type: if v >= 1 { s.i8() } else { 0 },
        topic_partitions: (!all).then_some(topics),
        timeout_ms: s.i32(),
    };
    let mut sent = theirs::ElectLeadersRequest::default();
    (sent.election_type, sent.timeout_ms) = (ours.election_type, ours.timeout_ms);
    sent.topic_partitions = (!all).then_some(their_topics);
    request(v, (sent, ours))
}

fn same(s: &mut Source<'_>) -> (i32, i32) {
    let number = s.i32();
    (number, number)
}

pub(crate) fn alter_partition_reassignments(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_responses, responses) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours = ReassignmentResult {
                partition_index: s.i32(),
                error_code: s.error(),
                error_message: s.maybe_text(),
            };
            let mut expected = their_reassigned::ReassignablePartitionResponse::default();
            (expected.partition_index, expected.error_code) = (ours.partition_index, ours.error_code.code());
            expected.error_message = maybe(ours.error_message.as_ref());
            (expected, ours)
        });
        let ours = ReassignmentsOfTopic { name: s.text(), partitions };
        let mut expected = their_reassigned::ReassignableTopicResponse::default();
        (expected.name, expected.partitions) = (topic(&ours.name), their_partitions);
        (expected, ours)
    });
    let ours = AlterPartitionReassignmentsResponse {
        throttle_time_ms: s.i32(),
        allow_replication_factor_change: v < 1 || s.bool(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        responses,
    };
    let mut expected = theirs::AlterPartitionReassignmentsResponse::default();
    (expected.throttle_time_ms, expected.responses) = (ours.throttle_time_ms, their_responses);
    expected.allow_replication_factor_change = ours.allow_replication_factor_change;
    (expected.error_code, expected.error_message) =
        (ours.error_code.code(), maybe(ours.error_message.as_ref()));
    response(v, (expected, ours));
    request(v, reassignments(v, s))
}

fn reassignments(
    v: i16,
    s: &mut Source<'_>,
) -> (theirs::AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsRequest) {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let (their_replicas, replicas) = s.pairs(same);
            let cancels = s.bool();
            let ours =
                ReassignedPartition { partition_index: s.i32(), replicas: (!cancels).then_some(replicas) };
            let mut sent = their_reassignment::ReassignablePartition::default();
            sent.partition_index = ours.partition_index;
            sent.replicas = (!cancels).then(|| their_replicas.into_iter().map(Into::into).collect());
            (sent, ours)
        });
        let ours = ReassignedTopic { name: s.text(), partitions };
        let mut sent = their_reassignment::ReassignableTopic::default();
        (sent.name, sent.partitions) = (topic(&ours.name), their_partitions);
        (sent, ours)
    });
    let ours = AlterPartitionReassignmentsRequest {
        timeout_ms: s.i32(),
        allow_replication_factor_change: v < 1 || s.bool(),
        topics,
    };
    let mut sent = theirs::AlterPartitionReassignmentsRequest::default();
    (sent.timeout_ms, sent.topics) = (ours.timeout_ms, their_topics);
    sent.allow_replication_factor_change = ours.allow_replication_factor_change;
    (sent, ours)
}

pub(crate) fn list_partition_reassignments(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let ours = ListPartitionReassignmentsResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
    };
    let mut expected = theirs::ListPartitionReassignmentsResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    (expected.error_code, expected.error_message) =
        (ours.error_code.code(), maybe(ours.error_message.as_ref()));
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let (their_indexes, partition_indexes) = s.pairs(same);
        let ours = ListReassignmentsTopic { name: s.text(), partition_indexes };
        let mut sent = their_moves::ListPartitionReassignmentsTopics::default();
        (sent.name, sent.partition_indexes) = (topic(&ours.name), their_indexes);
        (sent, ours)
    });
    let all = s.bool();
    let ours = ListPartitionReassignmentsRequest { timeout_ms: s.i32(), topics: (!all).then_some(topics) };
    let mut sent = theirs::ListPartitionReassignmentsRequest::default();
    (sent.timeout_ms, sent.topics) = (ours.timeout_ms, (!all).then_some(their_topics));
    request(v, (sent, ours))
}
