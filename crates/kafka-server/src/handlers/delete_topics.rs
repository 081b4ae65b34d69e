//! DeleteTopics: topics away, with all their records; also topics that cannot be used.

use std::collections::HashSet;

use factum_broker::DeleteTopicError;
use factum_types::{Action, TopicId, TopicName};
use tracing::error;

use super::throttling::{ChangeAllowance, TOO_MANY_CHANGES};
use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::delete_topics::{
    DeletableTopic, DeleteTopicsRequest, DeleteTopicsResponse, DeletedTopic,
};

/// The first version whose clients know `THROTTLING_QUOTA_EXCEEDED` (KIP-599).
const QUOTA_IS_STRICT_SINCE: i16 = 5;

impl Handle for DeleteTopicsRequest {
    type Response = DeleteTopicsResponse;

    async fn handle(self, call: &Call) -> DeleteTopicsResponse {
        let twice = named_twice(&self.topics);
        let mut allowance = ChangeAllowance::new(call, QUOTA_IS_STRICT_SINCE);
        let mut responses = Vec::with_capacity(self.topics.len());
        for topic in self.topics {
            responses.push(match twice.contains(&(topic.name.clone(), topic.topic_id)) {
                true => {
                    let reason = "the request names the topic twice".to_owned();
                    refused(topic, ErrorCode::InvalidRequest, Some(reason))
                }
                false => delete(call, topic, &mut allowance).await,
            });
        }
        DeleteTopicsResponse { throttle_time_ms: allowance.throttle_time_ms(), responses }
    }
}

/// The topics that the request names more than once; as in Kafka, none of them is deleted.
fn named_twice(topics: &[DeletableTopic]) -> HashSet<(Option<String>, TopicId)> {
    let mut seen = HashSet::new();
    let all = topics.iter().map(|topic| (topic.name.clone(), topic.topic_id));
    all.filter(|topic| !seen.insert(topic.clone())).collect()
}

fn refused(asked: DeletableTopic, error_code: ErrorCode, error_message: Option<String>) -> DeletedTopic {
    DeletedTopic { name: asked.name, topic_id: asked.topic_id, error_code, error_message }
}

async fn delete(call: &Call, asked: DeletableTopic, allowance: &mut ChangeAllowance<'_>) -> DeletedTopic {
    let (name, topic_id) = match find(call, &asked) {
        Ok(found) => found,
        Err(code) => return refused(asked, code, None),
    };
    let broker = call.session.broker();
    let partitions = broker.topic(name.as_str()).map_or(0, |topic| topic.partition_count());
    if let Err(code) = allowance.spend(partitions) {
        return refused(asked, code, Some(TOO_MANY_CHANGES.to_owned()));
    }
    // By id where the client gave one: the name may be another topic's by the time it is removed.
    let deleted = match asked.name {
        Some(_) => broker.delete_topic(&name).await,
        None => broker.delete_topic_by_id(topic_id).await,
    };
    match deleted {
        Ok(()) => DeletedTopic {
            name: Some(name.into()),
            topic_id,
            error_code: ErrorCode::None,
            error_message: None,
        },
        Err(failure) => {
            if let DeleteTopicError::Storage(source) = &failure {
                error!(topic = %name, error = %source, "cannot delete a topic");
            }
            refused(asked, ErrorCode::from(&failure), Some(failure.to_string()))
        }
    }
}

/// Whom the request means. A name need not be that of a topic that is served: one that cannot be used is found by no one,
/// and can be deleted. The broker knows whether there is one.
fn find(call: &Call, asked: &DeletableTopic) -> Result<(TopicName, TopicId), ErrorCode> {
    let Some(name) = &asked.name else {
        let topic = call.session.topic_by_id(Action::Delete, asked.topic_id)?;
        return Ok((topic.name().clone(), topic.id()));
    };
    let name = call.session.topic_name(Action::Delete, name)?;
    let id = call.session.broker().topic(name.as_str()).map_or(asked.topic_id, |topic| topic.id());
    Ok((name, id))
}
