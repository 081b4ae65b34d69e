//! ConsumerGroupHeartbeat: a member of the consumer protocol joins, lives, moves partitions and leaves.

use std::time::Duration;

use factum_broker::coordinator::{self, CoordinatorError};
use factum_types::{Action, Resource, TopicName};

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, HeartbeatTopic,
};

/// From this version members choose their ids (KIP-1082).
const OWN_MEMBER_ID_SINCE: i16 = 1;

impl Handle for ConsumerGroupHeartbeatRequest {
    type Response = ConsumerGroupHeartbeatResponse;

    async fn handle(self, call: &Call) -> ConsumerGroupHeartbeatResponse {
        match heartbeat(call, self).await {
            Ok(response) => response,
            Err((error_code, error_message)) => ConsumerGroupHeartbeatResponse {
                throttle_time_ms: 0,
                error_code,
                error_message,
                member_id: None,
                member_epoch: 0,
                heartbeat_interval_ms: 0,
                assignment: None,
            },
        }
    }
}

/// A code with its words.
type Failure = (ErrorCode, Option<String>);

async fn heartbeat(
    call: &Call,
    asked: ConsumerGroupHeartbeatRequest,
) -> Result<ConsumerGroupHeartbeatResponse, Failure> {
    let request = read(call, asked)?;
    let may_see = |topic: &TopicName| call.session.may(Action::Describe, Resource::Topic(topic));
    let heard = call.session.broker().coordinator().consumer_heartbeat(request, may_see).await;
    let heard = heard.map_err(|error| fail(&error))?;
    let assignment = heard.assignment.map(|topics| {
        let topics = topics.into_iter().map(|(topic_id, partitions)| HeartbeatTopic { topic_id, partitions });
        topics.collect()
    });
    Ok(ConsumerGroupHeartbeatResponse {
        throttle_time_ms: 0,
        error_code: ErrorCode::None,
        error_message: None,
        member_id: Some(heard.member_id),
        member_epoch: heard.member_epoch,
        heartbeat_interval_ms: i32::try_from(heard.heartbeat_interval.as_millis()).unwrap_or(i32::MAX),
        assignment,
    })
}

/// The request as the coordinator takes it, once the authoriser agreed.
fn read(
    call: &Call,
    asked: ConsumerGroupHeartbeatRequest,
) -> Result<coordinator::ConsumerHeartbeat, Failure> {
    let group = call.session.group(Action::Read, &asked.group_id).map_err(|code| (code, None))?;
    let names = asked.subscribed_topic_names;
    // A name that no topic can have is of no topic: a client may wish for it all the same.
    let names = names.map(|names| names.into_iter().filter_map(|name| TopicName::new(name).ok()));
    let subscribed_topics: Option<Vec<_>> = names.map(Iterator::collect);
    for topic in subscribed_topics.iter().flatten() {
        call.session.check_topic(Action::Describe, topic).map_err(|code| (code, None))?;
    }
    let mut member_id = asked.member_id;
    if member_id.is_empty() && call.header.version < OWN_MEMBER_ID_SINCE && asked.member_epoch == 0 {
        member_id = call.session.broker().coordinator().new_member_id();
    }
    let owned = asked.topic_partitions.map(|topics| {
        let partitions = topics
            .into_iter()
            .flat_map(|topic| topic.partitions.into_iter().map(move |number| (topic.topic_id, number)));
        partitions.collect()
    });
    Ok(coordinator::ConsumerHeartbeat {
        group,
        member_id,
        member_epoch: asked.member_epoch,
        instance_id: asked.instance_id,
        rack_id: asked.rack_id,
        rebalance_timeout: u64::try_from(asked.rebalance_timeout_ms).ok().map(Duration::from_millis),
        subscribed_topics,
        subscribed_regex: asked.subscribed_topic_regex,
        assignor: asked.server_assignor,
        owned,
        client_id: call.header.client_id.clone().unwrap_or_default(),
        client_host: format!("/{}", call.session.peer.ip().to_canonical()),
        principal: call.session.principal().as_str().to_owned(),
    })
}

fn fail(error: &CoordinatorError) -> Failure {
    (ErrorCode::from(error), Some(error.to_string()))
}
