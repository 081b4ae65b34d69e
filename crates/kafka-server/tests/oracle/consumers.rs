//! Samples of the APIs of consumer groups (KIP-848).

use factum_kafka_server::messages::consumer_group_describe::*;
use factum_kafka_server::messages::consumer_group_heartbeat::*;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::consumer_group_describe_response as their_description;
use kafka_protocol::messages::consumer_group_heartbeat_request as their_heartbeat;
use kafka_protocol::messages::consumer_group_heartbeat_response as their_result;

use crate::exchange::{maybe, request, response, text, topic};
use crate::source::Source;

/// Partitions of topics.
fn topics(s: &mut Source<'_>) -> Vec<HeartbeatTopic> {
    s.list(|s| HeartbeatTopic { topic_id: s.topic_id(), partitions: s.list(Source::i32) })
}

pub(crate) fn heartbeat(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    response(v, heartbeat_response(s));
    request(v, heartbeat_request(v, s))
}

fn heartbeat_request(
    v: i16,
    s: &mut Source<'_>,
) -> (theirs::ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatRequest) {
    let ours = ConsumerGroupHeartbeatRequest {
        group_id: s.text(),
        member_id: s.text(),
        member_epoch: s.i32(),
        instance_id: s.maybe_text(),
        rack_id: s.maybe_text(),
        rebalance_timeout_ms: s.i32(),
        subscribed_topic_names: s.option(|s| s.list(Source::text)),
        subscribed_topic_regex: if v >= 1 { s.maybe_text() } else { None },
        server_assignor: s.maybe_text(),
        topic_partitions: s.option(topics),
    };
    let mut sent = theirs::ConsumerGroupHeartbeatRequest::default();
    sent.group_id = text(&ours.group_id).into();
    sent.member_id = text(&ours.member_id);
    sent.member_epoch = ours.member_epoch;
    sent.instance_id = maybe(ours.instance_id.as_ref());
    sent.rack_id = maybe(ours.rack_id.as_ref());
    sent.rebalance_timeout_ms = ours.rebalance_timeout_ms;
    let names = ours.subscribed_topic_names.as_ref();
    sent.subscribed_topic_names = names.map(|names| names.iter().map(|name| topic(name)).collect());
    sent.subscribed_topic_regex = maybe(ours.subscribed_topic_regex.as_ref());
    sent.server_assignor = maybe(ours.server_assignor.as_ref());
    sent.topic_partitions = ours.topic_partitions.as_ref().map(|topics| {
        let topic = |ours: &HeartbeatTopic| {
            let mut theirs = their_heartbeat::TopicPartitions::default();
            (theirs.topic_id, theirs.partitions) = (ours.topic_id.uuid(), ours.partitions.clone());
            theirs
        };
        topics.iter().map(topic).collect()
    });
    (sent, ours)
}

fn heartbeat_response(
    s: &mut Source<'_>,
) -> (theirs::ConsumerGroupHeartbeatResponse, ConsumerGroupHeartbeatResponse) {
    let ours = ConsumerGroupHeartbeatResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        member_id: s.maybe_text(),
        member_epoch: s.i32(),
        heartbeat_interval_ms: s.i32(),
        assignment: s.option(topics),
    };
    let mut expected = theirs::ConsumerGroupHeartbeatResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.error_code = ours.error_code.code();
    expected.error_message = maybe(ours.error_message.as_ref());
    expected.member_id = maybe(ours.member_id.as_ref());
    expected.member_epoch = ours.member_epoch;
    expected.heartbeat_interval_ms = ours.heartbeat_interval_ms;
    expected.assignment = ours.assignment.as_ref().map(|topics| {
        let topic = |ours: &HeartbeatTopic| {
            let mut theirs = their_result::TopicPartitions::default();
            (theirs.topic_id, theirs.partitions) = (ours.topic_id.uuid(), ours.partitions.clone());
            theirs
        };
        let mut assignment = their_result::Assignment::default();
        assignment.topic_partitions = topics.iter().map(topic).collect();
        assignment
    });
    (expected, ours)
}

pub(crate) fn describe(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_groups, groups) = s.pairs(|s| group(v, s));
    let ours = ConsumerGroupDescribeResponse { throttle_time_ms: s.i32(), groups };
    let mut expected = theirs::ConsumerGroupDescribeResponse::default();
    (expected.throttle_time_ms, expected.groups) = (ours.throttle_time_ms, their_groups);
    response(v, (expected, ours));
    let ours = ConsumerGroupDescribeRequest {
        group_ids: s.list(Source::text),
        include_authorized_operations: s.bool(),
    };
    let mut sent = theirs::ConsumerGroupDescribeRequest::default();
    sent.group_ids = ours.group_ids.iter().map(|group| text(group).into()).collect();
    sent.include_authorized_operations = ours.include_authorized_operations;
    request(v, (sent, ours))
}

fn group(v: i16, s: &mut Source<'_>) -> (their_description::DescribedGroup, DescribedConsumerGroup) {
    let (their_members, members) = s.pairs(|s| member(v, s));
    let ours = DescribedConsumerGroup {
        error_code: s.error(),
        error_message: s.maybe_text(),
        group_id: s.text(),
        group_state: s.text(),
        group_epoch: s.i32(),
        assignment_epoch: s.i32(),
        assignor_name: s.text(),
        members,
        authorized_operations: s.i32(),
    };
    let mut expected = their_description::DescribedGroup::default();
    expected.error_code = ours.error_code.code();
    expected.error_message = maybe(ours.error_message.as_ref());
    expected.group_id = text(&ours.group_id).into();
    expected.group_state = text(&ours.group_state);
    expected.group_epoch = ours.group_epoch;
    expected.assignment_epoch = ours.assignment_epoch;
    expected.assignor_name = text(&ours.assignor_name);
    expected.members = their_members;
    expected.authorized_operations = ours.authorized_operations;
    (expected, ours)
}

fn member(v: i16, s: &mut Source<'_>) -> (their_description::Member, DescribedConsumerMember) {
    let (their_assignment, assignment) = s.pairs(described_topic);
    let (their_target, target_assignment) = s.pairs(described_topic);
    let ours = DescribedConsumerMember {
        member_id: s.text(),
        instance_id: s.maybe_text(),
        rack_id: s.maybe_text(),
        member_epoch: s.i32(),
        client_id: s.text(),
        client_host: s.text(),
        subscribed_topic_names: s.list(Source::text),
        subscribed_topic_regex: s.maybe_text(),
        assignment,
        target_assignment,
        member_type: s.i8(),
    };
    let mut expected = their_description::Member::default();
    expected.member_id = text(&ours.member_id);
    expected.instance_id = maybe(ours.instance_id.as_ref());
    expected.rack_id = maybe(ours.rack_id.as_ref());
    expected.member_epoch = ours.member_epoch;
    expected.client_id = text(&ours.client_id);
    expected.client_host = text(&ours.client_host);
    expected.subscribed_topic_names = ours.subscribed_topic_names.iter().map(|name| topic(name)).collect();
    expected.subscribed_topic_regex = maybe(ours.subscribed_topic_regex.as_ref());
    expected.assignment.topic_partitions = their_assignment;
    expected.target_assignment.topic_partitions = their_target;
    if v >= 1 {
        expected.member_type = ours.member_type;
    }
    (expected, ours)
}

fn described_topic(s: &mut Source<'_>) -> (their_description::TopicPartitions, DescribedTopic) {
    let ours =
        DescribedTopic { topic_id: s.topic_id(), topic_name: s.text(), partitions: s.list(Source::i32) };
    let mut theirs = their_description::TopicPartitions::default();
    theirs.topic_id = ours.topic_id.uuid();
    theirs.topic_name = topic(&ours.topic_name);
    theirs.partitions = ours.partitions.clone();
    (theirs, ours)
}
