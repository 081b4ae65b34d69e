//! OffsetFetch: how far groups have read.

use std::collections::{BTreeSet, HashMap, HashSet};

use factum_broker::coordinator::CommittedOffset;
use factum_types::{Action, GroupId, PartitionId, Resource, TopicId, TopicName, TopicPartition};

use super::{Call, Handle, lookup};
use crate::error_code::ErrorCode;
use crate::messages::offset_fetch::{
    FetchGroup, FetchTopic, FetchedGroup, FetchedPartition, FetchedTopic, OffsetFetchRequest,
    OffsetFetchResponse,
};

/// From this version topics go by id and not by name (KIP-848).
const TOPIC_IDS_SINCE: i16 = 10;

impl Handle for OffsetFetchRequest {
    type Response = OffsetFetchResponse;

    async fn handle(self, call: &Call) -> OffsetFetchResponse {
        let mut groups = Vec::with_capacity(self.groups.len());
        for asked in lookup::unique(self.groups, |group| group.group_id.clone()) {
            // What is pending is looked at first: what is decided in between is then read as it was decided.
            let pending = match self.require_stable {
                true => pending_partitions(call, &asked.group_id),
                false => BTreeSet::new(),
            };
            let mut group = one_group(call, asked).await;
            mark_unstable(call, &mut group, &pending);
            groups.push(group);
        }
        OffsetFetchResponse { throttle_time_ms: 0, groups }
    }
}

/// The partitions for which open transactions have offsets (KIP-447).
fn pending_partitions(call: &Call, group: &str) -> BTreeSet<TopicPartition> {
    let group = call.session.group(Action::Describe, group);
    group.map(|group| call.session.broker().coordinator().pending_partitions(&group)).unwrap_or_default()
}

fn mark_unstable(call: &Call, group: &mut FetchedGroup, pending: &BTreeSet<TopicPartition>) {
    if pending.is_empty() {
        return;
    }
    for topic in &mut group.topics {
        let by_id = call.session.broker().topic_by_id(topic.topic_id);
        let name =
            by_id.map(|found| found.name().clone()).or_else(|| TopicName::new(topic.name.as_str()).ok());
        let Some(name) = name else { continue };
        for partition in &mut topic.partitions {
            let is_pending = pending.contains(&TopicPartition::new(name.clone(), partition.partition_index));
            if is_pending && partition.error_code.is_none() {
                *partition = absent(partition.partition_index, ErrorCode::UnstableOffsetCommit);
            }
        }
    }
}

async fn one_group(call: &Call, asked: FetchGroup) -> FetchedGroup {
    let asked = FetchGroup { topics: asked.topics.map(once), ..asked };
    let outcome = match call.session.group(Action::Describe, &asked.group_id) {
        Err(code) => Err(code),
        Ok(group) => {
            let coordinator = call.session.broker().coordinator();
            let member =
                coordinator.check_offset_fetch(&group, asked.member_id.as_deref(), asked.member_epoch);
            match (member, &asked.topics) {
                (Err(error), _) => Err(ErrorCode::from(&error)),
                (Ok(()), None) => every_offset(call, &group).await,
                (Ok(()), Some(topics)) => asked_offsets(call, &group, topics).await,
            }
        }
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

/// All that the group has, of topics that the client may see; where topics go by id, of topics that there are.
async fn every_offset(call: &Call, group: &GroupId) -> Result<Vec<FetchedTopic>, ErrorCode> {
    let mut topics: Vec<(TopicName, FetchedTopic)> = Vec::new();
    for (TopicPartition { topic, partition }, offset) in offsets(call, group, None).await? {
        let found = render(partition, offset);
        if let Some((_, last)) = topics.last_mut().filter(|(name, _)| *name == topic) {
            last.partitions.push(found);
            continue;
        }
        if !call.session.may(Action::Describe, Resource::Topic(&topic)) {
            continue;
        }
        let Some((name, topic_id)) = spoken_of(call, &topic) else { continue };
        topics.push((topic, FetchedTopic { name, topic_id, partitions: vec![found] }));
    }
    Ok(topics.into_iter().map(|(_, topic)| topic).collect())
}

/// How this version speaks of a topic: by its name or by its id, if it has one.
fn spoken_of(call: &Call, topic: &TopicName) -> Option<(String, TopicId)> {
    if call.header.version < TOPIC_IDS_SINCE {
        return Some((topic.as_str().to_owned(), TopicId::NIL));
    }
    Some((String::new(), call.session.broker().topic(topic.as_str())?.id()))
}

async fn asked_offsets(
    call: &Call,
    group: &GroupId,
    asked: &[FetchTopic],
) -> Result<Vec<FetchedTopic>, ErrorCode> {
    let mut topics = Vec::with_capacity(asked.len());
    for topic in asked {
        let partitions = one_topic(call, group, topic).await?;
        topics.push(FetchedTopic { name: topic.name.clone(), topic_id: topic.topic_id, partitions });
    }
    Ok(topics)
}

async fn one_topic(
    call: &Call,
    group: &GroupId,
    asked: &FetchTopic,
) -> Result<Vec<FetchedPartition>, ErrorCode> {
    let numbers = asked.partition_indexes.iter().copied();
    let name = match find(call, asked) {
        Ok(name) => name,
        Err(code) => return Ok(numbers.map(|number| absent(number, code)).collect()),
    };
    let partitions: Vec<_> = numbers.map(|number| TopicPartition::new(name.clone(), number)).collect();
    let found = offsets(call, group, Some(&partitions)).await?;
    Ok(found.into_iter().map(|(partition, offset)| render(partition.partition, offset)).collect())
}

/// The topic's name, if the client may describe it. A topic that goes by name need not exist any more.
fn find(call: &Call, asked: &FetchTopic) -> Result<TopicName, ErrorCode> {
    if asked.topic_id != TopicId::NIL {
        return Ok(call.session.topic_by_id(Action::Describe, asked.topic_id)?.name().clone());
    }
    if call.header.version >= TOPIC_IDS_SINCE {
        return Err(ErrorCode::UnknownTopicId);
    }
    let name = TopicName::new(asked.name.as_str()).map_err(|_| ErrorCode::UnknownTopicOrPartition)?;
    call.session.check_topic(Action::Describe, &name)?;
    Ok(name)
}

/// Each topic and partition once: what is kept beside an offset may be a thousand times as long as the question.
fn once(asked: Vec<FetchTopic>) -> Vec<FetchTopic> {
    let mut partitions: HashMap<(String, TopicId), HashSet<PartitionId>> = HashMap::new();
    let mut topics = Vec::with_capacity(asked.len());
    for mut topic in asked {
        let seen = partitions.entry((topic.name.clone(), topic.topic_id)).or_default();
        topic.partition_indexes.retain(|partition| seen.insert(*partition));
        topics.push(topic);
    }
    topics.retain(|topic| !topic.partition_indexes.is_empty());
    topics
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
    FetchedTopic { partitions: partitions.collect(), name: topic.name, topic_id: topic.topic_id }
}
