//! Samples of ListOffsets, OffsetForLeaderEpoch, OffsetCommit, OffsetFetch and OffsetDelete.

use factum_kafka_server::messages::list_offsets::*;
use factum_kafka_server::messages::offset_delete::*;
use factum_kafka_server::messages::offset_for_leader_epoch::*;
use factum_kafka_server::messages::{offset_commit as commit, offset_fetch as fetch};
use factum_types::TopicId;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    list_offsets_request as their_question, list_offsets_response as their_answer,
    offset_commit_request as their_commit, offset_commit_response as their_committed,
    offset_delete_request as their_deletion, offset_delete_response as their_deleted,
    offset_fetch_request as their_fetch, offset_fetch_response as their_fetched,
    offset_for_leader_epoch_request as their_epochs_asked, offset_for_leader_epoch_response as their_epochs,
};

use crate::exchange::{maybe, request, response, text, topic};
use crate::source::Source;

pub(crate) fn list_offsets(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(|s| found_topic(v, s));
    let ours = ListOffsetsResponse { throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::ListOffsetsResponse::default();
    if v >= 2 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.topics = their_topics;
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| asked_topic(v, s));
    let ours = ListOffsetsRequest {
        replica_id: s.i32(),
        isolation_level: if v >= 2 { s.i8() } else { 0 },
        topics,
        timeout_ms: if v >= 10 { s.i32() } else { 0 },
    };
    let mut sent = theirs::ListOffsetsRequest::default();
    sent.replica_id = ours.replica_id.into();
    sent.isolation_level = ours.isolation_level;
    sent.topics = their_topics;
    sent.timeout_ms = ours.timeout_ms;
    request(v, (sent, ours))
}

fn asked_topic(v: i16, s: &mut Source<'_>) -> (their_question::ListOffsetsTopic, AskedTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = AskedPartition {
            partition_index: s.i32(),
            current_leader_epoch: if v >= 4 { s.i32() } else { -1 },
            timestamp: s.i64(),
        };
        let mut partition = their_question::ListOffsetsPartition::default();
        partition.partition_index = ours.partition_index;
        partition.current_leader_epoch = ours.current_leader_epoch;
        partition.timestamp = ours.timestamp;
        (partition, ours)
    });
    let name = s.text();
    let mut sent = their_question::ListOffsetsTopic::default();
    (sent.name, sent.partitions) = (topic(&name), their_partitions);
    (sent, AskedTopic { name, partitions })
}

fn found_topic(v: i16, s: &mut Source<'_>) -> (their_answer::ListOffsetsTopicResponse, FoundTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = FoundPartition {
            partition_index: s.i32(),
            error_code: s.error(),
            timestamp: s.i64(),
            offset: s.i64(),
            leader_epoch: s.i32(),
        };
        let mut partition = their_answer::ListOffsetsPartitionResponse::default();
        partition.partition_index = ours.partition_index;
        partition.error_code = ours.error_code.code();
        partition.timestamp = ours.timestamp;
        partition.offset = ours.offset;
        if v >= 4 {
            partition.leader_epoch = ours.leader_epoch;
        }
        (partition, ours)
    });
    let name = s.text();
    let mut expected = their_answer::ListOffsetsTopicResponse::default();
    (expected.name, expected.partitions) = (topic(&name), their_partitions);
    (expected, FoundTopic { name, partitions })
}

pub(crate) fn offset_commit(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(committed_topic);
    let ours = commit::OffsetCommitResponse { throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::OffsetCommitResponse::default();
    if v >= 3 {
        expected.throttle_time_ms = ours.throttle_time_ms;
    }
    expected.topics = their_topics;
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| commit_topic(v, s));
    let ours = commit::OffsetCommitRequest {
        group_id: s.text(),
        generation_id: s.i32(),
        member_id: s.text(),
        group_instance_id: if v >= 7 { s.maybe_text() } else { None },
        retention_time_ms: if v < 5 { s.i64() } else { -1 },
        topics,
    };
    let mut sent = theirs::OffsetCommitRequest::default();
    sent.group_id = text(&ours.group_id).into();
    sent.generation_id_or_member_epoch = ours.generation_id;
    sent.member_id = text(&ours.member_id);
    sent.group_instance_id = maybe(ours.group_instance_id.as_ref());
    sent.retention_time_ms = ours.retention_time_ms;
    sent.topics = their_topics;
    request(v, (sent, ours))
}

fn commit_topic(v: i16, s: &mut Source<'_>) -> (their_commit::OffsetCommitRequestTopic, commit::CommitTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = commit::CommitPartition {
            partition_index: s.i32(),
            committed_offset: s.i64(),
            committed_leader_epoch: if v >= 6 { s.i32() } else { -1 },
            committed_metadata: s.maybe_text(),
        };
        let mut partition = their_commit::OffsetCommitRequestPartition::default();
        partition.partition_index = ours.partition_index;
        partition.committed_offset = ours.committed_offset;
        partition.committed_leader_epoch = ours.committed_leader_epoch;
        partition.committed_metadata = maybe(ours.committed_metadata.as_ref());
        (partition, ours)
    });
    let name = s.text();
    let mut sent = their_commit::OffsetCommitRequestTopic::default();
    (sent.name, sent.partitions) = (topic(&name), their_partitions);
    (sent, commit::CommitTopic { name, topic_id: TopicId::NIL, partitions })
}

fn committed_topic(
    s: &mut Source<'_>,
) -> (their_committed::OffsetCommitResponseTopic, commit::CommittedTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = commit::CommittedPartition { partition_index: s.i32(), error_code: s.error() };
        let mut partition = their_committed::OffsetCommitResponsePartition::default();
        partition.partition_index = ours.partition_index;
        partition.error_code = ours.error_code.code();
        (partition, ours)
    });
    let name = s.text();
    let mut expected = their_committed::OffsetCommitResponseTopic::default();
    (expected.name, expected.partitions) = (topic(&name), their_partitions);
    (expected, commit::CommittedTopic { name, topic_id: TopicId::NIL, partitions })
}

pub(crate) fn offset_fetch(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let throttle_time_ms = s.i32();
    let mut expected = theirs::OffsetFetchResponse::default();
    if v >= 3 {
        expected.throttle_time_ms = throttle_time_ms;
    }
    let groups = if v >= 8 {
        let (their_groups, groups) = s.pairs(fetched_group);
        expected.groups = their_groups;
        groups
    } else {
        let error_code = s.error();
        let (their_topics, topics) = s.pairs(|s| fetched_topic_alone(v, error_code.code(), s));
        expected.topics = their_topics;
        expected.error_code = if v >= 2 { error_code.code() } else { 0 };
        vec![fetch::FetchedGroup { group_id: s.text(), topics, error_code }]
    };
    response(v, (expected, fetch::OffsetFetchResponse { throttle_time_ms, groups }));

    request(v, offset_fetch_request(v, s))
}

fn offset_fetch_request(
    v: i16,
    s: &mut Source<'_>,
) -> (theirs::OffsetFetchRequest, fetch::OffsetFetchRequest) {
    let mut sent = theirs::OffsetFetchRequest::default();
    let require_stable = v >= 7 && s.bool();
    sent.require_stable = require_stable;
    if v >= 8 {
        let (their_groups, groups) = s.pairs(|s| fetch_group(v, s));
        sent.groups = their_groups;
        return (sent, fetch::OffsetFetchRequest { groups, require_stable });
    }
    let group_id = s.text();
    let all = v >= 2 && s.bool();
    let (their_topics, topics) = s.pairs(|s| {
        let ours = fetch::FetchTopic {
            name: s.text(),
            topic_id: TopicId::NIL,
            partition_indexes: s.list(Source::i32),
        };
        let mut asked = their_fetch::OffsetFetchRequestTopic::default();
        asked.name = topic(&ours.name);
        asked.partition_indexes = ours.partition_indexes.clone();
        (asked, ours)
    });
    sent.group_id = text(&group_id).into();
    sent.topics = (!all).then_some(their_topics);
    let topics = (!all).then_some(topics);
    let groups = vec![fetch::FetchGroup { group_id, member_id: None, member_epoch: -1, topics }];
    (sent, fetch::OffsetFetchRequest { groups, require_stable })
}

fn fetch_group(v: i16, s: &mut Source<'_>) -> (their_fetch::OffsetFetchRequestGroup, fetch::FetchGroup) {
    let topics = s.option(|s| {
        s.list(|s| fetch::FetchTopic {
            name: s.text(),
            topic_id: TopicId::NIL,
            partition_indexes: s.list(Source::i32),
        })
    });
    let ours = fetch::FetchGroup {
        group_id: s.text(),
        member_id: if v >= 9 { s.maybe_text() } else { None },
        member_epoch: if v >= 9 { s.i32() } else { -1 },
        topics,
    };
    let mut sent = their_fetch::OffsetFetchRequestGroup::default();
    sent.group_id = text(&ours.group_id).into();
    sent.member_id = maybe(ours.member_id.as_ref());
    sent.member_epoch = ours.member_epoch;
    sent.topics = ours.topics.as_ref().map(|topics| {
        let theirs = topics.iter().map(|asked| {
            let mut theirs = their_fetch::OffsetFetchRequestTopics::default();
            theirs.name = topic(&asked.name);
            theirs.partition_indexes = asked.partition_indexes.clone();
            theirs
        });
        theirs.collect()
    });
    (sent, ours)
}

fn fetched_partition(s: &mut Source<'_>) -> fetch::FetchedPartition {
    fetch::FetchedPartition {
        partition_index: s.i32(),
        committed_offset: s.i64(),
        committed_leader_epoch: s.i32(),
        metadata: s.maybe_text(),
        error_code: s.error(),
    }
}

fn fetched_group(s: &mut Source<'_>) -> (their_fetched::OffsetFetchResponseGroup, fetch::FetchedGroup) {
    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours = fetched_partition(s);
            let mut expected = their_fetched::OffsetFetchResponsePartitions::default();
            expected.partition_index = ours.partition_index;
            expected.committed_offset = ours.committed_offset;
            expected.committed_leader_epoch = ours.committed_leader_epoch;
            expected.metadata = maybe(ours.metadata.as_ref());
            expected.error_code = ours.error_code.code();
            (expected, ours)
        });
        let name = s.text();
        let mut expected = their_fetched::OffsetFetchResponseTopics::default();
        (expected.name, expected.partitions) = (topic(&name), their_partitions);
        (expected, fetch::FetchedTopic { name, topic_id: TopicId::NIL, partitions })
    });
    let ours = fetch::FetchedGroup { group_id: s.text(), topics, error_code: s.error() };
    let mut expected = their_fetched::OffsetFetchResponseGroup::default();
    expected.group_id = text(&ours.group_id).into();
    expected.topics = their_topics;
    expected.error_code = ours.error_code.code();
    (expected, ours)
}

/// A topic before version 8; in version 1 the group's error stands in every partition.
fn fetched_topic_alone(
    v: i16,
    group_error: i16,
    s: &mut Source<'_>,
) -> (their_fetched::OffsetFetchResponseTopic, fetch::FetchedTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = fetched_partition(s);
        let mut expected = their_fetched::OffsetFetchResponsePartition::default();
        expected.partition_index = ours.partition_index;
        expected.committed_offset = ours.committed_offset;
        if v >= 5 {
            expected.committed_leader_epoch = ours.committed_leader_epoch;
        }
        expected.metadata = maybe(ours.metadata.as_ref());
        expected.error_code = if v == 1 && group_error != 0 { group_error } else { ours.error_code.code() };
        (expected, ours)
    });
    let name = s.text();
    let mut expected = their_fetched::OffsetFetchResponseTopic::default();
    (expected.name, expected.partitions) = (topic(&name), their_partitions);
    (expected, fetch::FetchedTopic { name, topic_id: TopicId::NIL, partitions })
}

pub(crate) fn offset_delete(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(deleted_offsets);
    let ours = OffsetDeleteResponse { error_code: s.error(), throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::OffsetDeleteResponse::default();
    expected.error_code = ours.error_code.code();
    (expected.throttle_time_ms, expected.topics) = (ours.throttle_time_ms, their_topics);
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let ours = OffsetDeleteTopic { name: s.text(), partitions: s.list(Source::i32) };
        let partition = |index: &i32| {
            let mut partition = their_deletion::OffsetDeleteRequestPartition::default();
            partition.partition_index = *index;
            partition
        };
        let mut topic_sent = their_deletion::OffsetDeleteRequestTopic::default();
        topic_sent.name = topic(&ours.name);
        topic_sent.partitions = ours.partitions.iter().map(partition).collect();
        (topic_sent, ours)
    });
    let ours = OffsetDeleteRequest { group_id: s.text(), topics };
    let mut sent = theirs::OffsetDeleteRequest::default();
    (sent.group_id, sent.topics) = (text(&ours.group_id).into(), their_topics);
    request(v, (sent, ours))
}

fn deleted_offsets(s: &mut Source<'_>) -> (their_deleted::OffsetDeleteResponseTopic, DeletedOffsets) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = DeletedOffset { partition_index: s.i32(), error_code: s.error() };
        let mut partition = their_deleted::OffsetDeleteResponsePartition::default();
        (partition.partition_index, partition.error_code) = (ours.partition_index, ours.error_code.code());
        (partition, ours)
    });
    let ours = DeletedOffsets { name: s.text(), partitions };
    let mut expected = their_deleted::OffsetDeleteResponseTopic::default();
    (expected.name, expected.partitions) = (topic(&ours.name), their_partitions);
    (expected, ours)
}

pub(crate) fn offset_for_leader_epoch(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(leader_epochs_of_topic);
    let ours = OffsetForLeaderEpochResponse { throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::OffsetForLeaderEpochResponse::default();
    (expected.throttle_time_ms, expected.topics) = (ours.throttle_time_ms, their_topics);
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours = OffsetForLeaderPartition {
                partition: s.i32(),
                current_leader_epoch: s.i32(),
                leader_epoch: s.i32(),
            };
            let mut sent = their_epochs_asked::OffsetForLeaderPartition::default();
            (sent.partition, sent.leader_epoch) = (ours.partition, ours.leader_epoch);
            sent.current_leader_epoch = ours.current_leader_epoch;
            (sent, ours)
        });
        let ours = OffsetForLeaderTopic { topic: s.text(), partitions };
        let mut sent = their_epochs_asked::OffsetForLeaderTopic::default();
        (sent.topic, sent.partitions) = (topic(&ours.topic), their_partitions);
        (sent, ours)
    });
    let ours = OffsetForLeaderEpochRequest { replica_id: if v >= 3 { s.i32() } else { -2 }, topics };
    let mut sent = theirs::OffsetForLeaderEpochRequest::default();
    (sent.replica_id, sent.topics) = (ours.replica_id.into(), their_topics);
    request(v, (sent, ours))
}

fn leader_epochs_of_topic(
    s: &mut Source<'_>,
) -> (their_epochs::OffsetForLeaderTopicResult, LeaderEpochsOfTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = LeaderEpochEnd {
            error_code: s.error(),
            partition: s.i32(),
            leader_epoch: s.i32(),
            end_offset: s.i64(),
        };
        let mut expected = their_epochs::EpochEndOffset::default();
        (expected.error_code, expected.partition) = (ours.error_code.code(), ours.partition);
        (expected.leader_epoch, expected.end_offset) = (ours.leader_epoch, ours.end_offset);
        (expected, ours)
    });
    let ours = LeaderEpochsOfTopic { topic: s.text(), partitions };
    let mut expected = their_epochs::OffsetForLeaderTopicResult::default();
    (expected.topic, expected.partitions) = (topic(&ours.topic), their_partitions);
    (expected, ours)
}
