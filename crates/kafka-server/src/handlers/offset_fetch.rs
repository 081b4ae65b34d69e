//! OffsetFetch: how far groups have read.

use factum_broker::coordinator::CommittedOffset;
use factum_types::{Action, GroupId, Resource, TopicName, TopicPartition};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::offset_fetch::{
    FetchGroup, FetchTopic, FetchedGroup, FetchedPartition, FetchedTopic, OffsetFetchRequest,
    OffsetFetchResponse,
};

impl Handle for OffsetFetchRequest {
    type Response = OffsetFetchResponse;

    async fn handle(self, call: &Call) -> OffsetFetchResponse {
        let mut groups = Vec::with_capacity(self.groups.len());
        for asked in lookup::unique(self.groups, |group| group.group_id.clone()) {
            groups.push(one_group(call, asked).await);
        }
        OffsetFetchResponse { throttle_time_ms: 0, groups }
    }
}

async fn one_group(call: &Call, asked: FetchGroup) -> FetchedGroup {
    let outcome = match call.session.group(Action::Describe, &asked.group_id) {
        Err(code) => Err(code),
        Ok(group) => match &asked.topics {
            None => every_offset(call, &group).await,
            Some(topics) => asked_offsets(call, &group, topics).await,
        },
    };
    let topics = match (&outcome, asked.topics) {
        // Versions that have no error for the group carry it in the partitions.
        (Err(_), Some(topics)) => topics.into_iter().map(without_offsets).collect(),
        _ => Vec::new(),
    };
    match outcome {
        Ok(topics) => FetchedGroup { group_id: asked.group_id, topics, error_code: ErrorCode::None },
        Err(error_code) => FetchedGroup { group_id: asked.group_id, topics, error_code },
    }
}

async fn every_offset(call: &Call, group: &GroupId) -> Result<Vec<FetchedTopic>, ErrorCode> {
    let mut topics: Vec<FetchedTopic> = Vec::new();
    for (TopicPartition { topic, partition }, offset) in offsets(call, group, None).await? {
        if !call.session.may(Action::Describe, Resource::Topic(&topic)) {
            continue;
        }
        let found = render(partition, offset);
        match topics.last_mut().filter(|last| last.name == topic.as_str()) {
            Some(last) => last.partitions.push(found),
            None => topics.push(FetchedTopic { name: topic.into(), partitions: vec![found] }),
        }
    }
    Ok(topics)
}

async fn asked_offsets(
    call: &Call,
    group: &GroupId,
    asked: &[FetchTopic],
) -> Result<Vec<FetchedTopic>, ErrorCode> {
    let mut topics = Vec::with_capacity(asked.len());
    for topic in asked {
        topics.push(FetchedTopic {
            name: topic.name.clone(),
            partitions: one_topic(call, group, topic).await?,
        });
    }
    Ok(topics)
}

async fn one_topic(
    call: &Call,
    group: &GroupId,
    asked: &FetchTopic,
) -> Result<Vec<FetchedPartition>, ErrorCode> {
    let numbers = asked.partition_indexes.iter().copied();
    let name = TopicName::new(asked.name.as_str()).map_err(|_| ErrorCode::UnknownTopicOrPartition);
    let name = match name.and_then(|name| call.session.check_topic(Action::Describe, &name).map(|()| name)) {
        Ok(name) => name,
        Err(code) => return Ok(numbers.map(|number| absent(number, code)).collect()),
    };
    let partitions: Vec<_> = numbers.map(|number| TopicPartition::new(name.clone(), number)).collect();
    let found = offsets(call, group, Some(&partitions)).await?;
    Ok(found.into_iter().map(|(partition, offset)| render(partition.partition, offset)).collect())
}

async fn offsets(
    call: &Call,
    group: &GroupId,
    partitions: Option<&[TopicPartition]>,
) -> Result<Vec<(TopicPartition, Option<CommittedOffset>)>, ErrorCode> {
    let found = call.session.broker().coordinator().fetch_offsets(group, partitions).await;
    found.map_err(|error| ErrorCode::from(&error))
}

fn render(partition_index: i32, offset: Option<CommittedOffset>) -> FetchedPartition {
    match offset {
        None => absent(partition_index, ErrorCode::None),
        Some(found) => FetchedPartition {
            partition_index,
            committed_offset: found.offset,
            committed_leader_epoch: found.leader_epoch,
            metadata: Some(found.metadata.unwrap_or_default()),
            error_code: ErrorCode::None,
        },
    }
}

fn absent(partition_index: i32, error_code: ErrorCode) -> FetchedPartition {
    FetchedPartition {
        partition_index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(String::new()),
        error_code,
    }
}

fn without_offsets(topic: FetchTopic) -> FetchedTopic {
    let partitions = topic.partition_indexes.into_iter().map(|number| absent(number, ErrorCode::None));
    FetchedTopic { partitions: partitions.collect(), name: topic.name }
}
