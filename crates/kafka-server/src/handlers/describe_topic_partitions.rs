//! DescribeTopicPartitions: topics with their partitions, at most 2,000 in one answer.
//!
//! Names come in order, so that a cursor names a place among them whatever was created and deleted since.

use std::collections::BTreeSet;

use factum_broker::Topic;
use factum_types::{Action, PartitionId, Resource, TopicId, TopicName};

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, DescribedPartition,
    DescribedTopic,
};
use crate::messages::metadata::OPERATIONS_NOT_ASKED;

/// The most partitions in one answer: Kafka's `max.request.partition.size.limit`.
const MAX_PARTITIONS: i32 = 2_000;

impl Handle for DescribeTopicPartitionsRequest {
    type Response = DescribeTopicPartitionsResponse;

    async fn handle(self, call: &Call) -> DescribeTopicPartitionsResponse {
        let limit = self.response_partition_limit.clamp(1, MAX_PARTITIONS);
        let cursor = self.cursor.unwrap_or(Cursor { topic_name: String::new(), partition_index: 0 });
        let asked: BTreeSet<String> = self.topics.into_iter().collect();
        let is_misplaced =
            !asked.is_empty() && !cursor.topic_name.is_empty() && !asked.contains(&cursor.topic_name);
        if cursor.partition_index < 0 || is_misplaced {
            let refused = asked.into_iter().map(|name| absent(name, ErrorCode::InvalidRequest));
            return answer(refused.collect(), None);
        }
        let mut page = Page { topics: Vec::new(), left: usize::try_from(limit).unwrap_or(1), next: None };
        match asked.is_empty() {
            true => describe_all(call, &cursor, &mut page),
            false => describe_named(call, asked, &cursor, &mut page),
        }
        answer(page.topics, page.next)
    }
}

/// What fits in an answer.
struct Page {
    topics: Vec<DescribedTopic>,
    /// Partitions that still fit.
    left: usize,
    next: Option<Cursor>,
}

impl Page {
    /// Takes what fits of a topic, from the partition `first` on.
    fn add(&mut self, call: &Call, topic: &Topic, first: PartitionId) {
        let (session, name) = (&call.session, topic.name());
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let rest = topic.partitions().get(first..).unwrap_or_default();
        let fitting = &rest[..rest.len().min(self.left)];
        if self.left == 0 || fitting.len() < rest.len() {
            let next = PartitionId::try_from(first + fitting.len()).unwrap_or(PartitionId::MAX);
            self.next = Some(Cursor { topic_name: name.as_str().to_owned(), partition_index: next });
        }
        if self.left == 0 {
            return;
        }
        self.left -= fitting.len();
        let partitions = fitting.iter().map(|partition| DescribedPartition {
            partition_index: partition.topic_partition().partition,
            leader_id: session.broker().node_id(),
            leader_epoch: partition.bounds().leader_epoch,
        });
        self.topics.push(DescribedTopic {
            error_code: ErrorCode::None,
            name: name.as_str().to_owned(),
            topic_id: topic.id(),
            is_internal: topic.is_internal(),
            partitions: partitions.collect(),
            topic_authorized_operations: session.operations(true, Resource::Topic(name)),
        });
    }
}

/// Every topic that the client may see, from the cursor on.
fn describe_all(call: &Call, cursor: &Cursor, page: &mut Page) {
    for topic in call.session.broker().topics() {
        let name = topic.name();
        if page.next.is_some() {
            return;
        }
        if name.as_str() >= cursor.topic_name.as_str()
            && call.session.may(Action::Describe, Resource::Topic(name))
        {
            page.add(call, &topic, first_of(cursor, name.as_str()));
        }
    }
}

/// The topics of these names from the cursor on, and behind them those that the client may not see.
fn describe_named(call: &Call, asked: BTreeSet<String>, cursor: &Cursor, page: &mut Page) {
    let mut refused = Vec::new();
    for name in asked.into_iter().filter(|name| *name >= cursor.topic_name) {
        let Ok(valid) = TopicName::new(name.as_str()) else {
            if page.next.is_none() {
                page.topics.push(absent(name, ErrorCode::InvalidTopicException));
            }
            continue;
        };
        match call.session.topic(Action::Describe, valid.as_str()) {
            Err(ErrorCode::TopicAuthorizationFailed) => {
                refused.push(absent(name, ErrorCode::TopicAuthorizationFailed));
            }
            _ if page.next.is_some() => {}
            Ok(topic) => page.add(call, &topic, first_of(cursor, &name)),
            Err(code) => page.topics.push(absent(name, code)),
        }
    }
    page.topics.append(&mut refused);
}

fn first_of(cursor: &Cursor, name: &str) -> PartitionId {
    if cursor.topic_name == name { cursor.partition_index } else { 0 }
}

fn absent(name: String, error_code: ErrorCode) -> DescribedTopic {
    DescribedTopic {
        error_code,
        name,
        topic_id: TopicId::NIL,
        is_internal: false,
        partitions: Vec::new(),
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
    }
}

fn answer(topics: Vec<DescribedTopic>, next_cursor: Option<Cursor>) -> DescribeTopicPartitionsResponse {
    DescribeTopicPartitionsResponse { throttle_time_ms: 0, topics, next_cursor }
}
